package parleytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// goodRun is a run in which all is well: two people with two devices each, and a
// third who talks to the first.
func goodRun(messages int) Run {
	r := Run{Sent: make([][]Message, 3), Chosen: map[string]int{"p1": 3500, "p2": 6500, "p3": 18500}}
	devices := []Observed{{Name: "one's phone", Person: "p1"}, {Name: "one's desk", Person: "p1"}, {Name: "two's phone", Person: "p2"}, {Name: "two's desk", Person: "p2"}, {Name: "three's phone", Person: "p3"}}
	for i := range messages {
		m := Message{Conversation: "p1.p2", From: []string{"p1", "p2"}[i%2], ClientID: fmt.Sprint(i), Text: fmt.Sprint("text ", i)}
		sender := i % 2
		if i%5 == 4 {
			m.Conversation, m.From, sender = "p1.p3", "p3", 2
		}
		r.Sent[sender] = append(r.Sent[sender], m)
		for d := range devices {
			if reads(devices[d].Person, m.Conversation) {
				devices[d].History = append(devices[d].History, m)
			}
		}
	}
	for d := range devices {
		devices[d].Shown = maps.Clone(r.Chosen)
	}
	r.Devices = devices
	return r
}

func TestCheckFindsNothingWrongWhereAllIsWell(t *testing.T) {
	if wrong := Check(goodRun(40)); len(wrong) > 0 {
		t.Errorf("found wrong: %q", wrong)
	}
}

// A checker that finds nothing is worth what it finds when there is something.
func TestCheckCatchesSeededFaults(t *testing.T) {
	faults := map[string]struct {
		seed func(d *Observed)
		says string
	}{
		"a lost entry":            {func(d *Observed) { d.History = slices.Delete(d.History, 3, 4) }, "lacks"},
		"the last entry lost":     {func(d *Observed) { d.History = d.History[:len(d.History)-1] }, "lacks"},
		"a doubled entry":         {func(d *Observed) { d.History = append(d.History, d.History[2]) }, "twice"},
		"an entry delivered anew": {func(d *Observed) { d.Doubled = []string{"text 1"} }, "twice"},
		"a place that is unknown": {func(d *Observed) { d.Resyncs = 1 }, "begin anew"},
		"a swapped pair of two senders": {func(d *Observed) {
			d.History[2], d.History[3] = d.History[3], d.History[2]
		}, "different orders"},
		"a swapped pair of one sender": {func(d *Observed) {
			d.History[1], d.History[3] = d.History[3], d.History[1]
		}, "before what its sender sent before it"},
		"an entry of nobody": {func(d *Observed) {
			d.History = append(d.History, Message{Conversation: "p1.p2", From: "p2", ClientID: "x", Text: "invented"})
		}, "nobody"},
		"a stale Available":   {func(d *Observed) { d.Shown["p3"] = 3500 }, "shows p3 as 3500, who is 18500"},
		"a person not shown":  {func(d *Observed) { delete(d.Shown, "p2") }, "shows p2"},
		"a stale Offline":     {func(d *Observed) { d.Shown["p1"] = 18500 }, "shows p1 as 18500"},
		"everything is gone":  {func(d *Observed) { d.History = nil }, "lacks"},
		"another one's entry": {func(d *Observed) { d.History[0].ClientID = "y" }, "lacks"},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			r := goodRun(40)
			fault.seed(&r.Devices[3])
			if wrong := Check(r); !strings.Contains(strings.Join(wrong, "\n"), fault.says) {
				t.Errorf("found %q, want something that %s", wrong, fault.says)
			}
		})
	}
}

// Wherever a single fault is, it is found.
func TestCheckCatchesAFaultAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := goodRun(rapid.IntRange(12, 30).Draw(t, "messages"))
		d := &r.Devices[rapid.IntRange(0, len(r.Devices)-1).Draw(t, "device")]
		i := rapid.IntRange(0, len(d.History)-1).Draw(t, "place")
		switch rapid.IntRange(0, 2).Draw(t, "fault") {
		case 0:
			d.History = slices.Delete(d.History, i, i+1)
		case 1:
			d.History = slices.Insert(d.History, i, d.History[i])
		case 2:
			j := slices.IndexFunc(d.History, func(m Message) bool {
				return m.Conversation == d.History[i].Conversation && m.ClientID != d.History[i].ClientID
			})
			if j < 0 {
				t.Skip("the only message of its conversation")
			}
			d.History[i], d.History[j] = d.History[j], d.History[i]
		}
		if len(Check(r)) == 0 {
			t.Fatal("found nothing wrong")
		}
	})
}
