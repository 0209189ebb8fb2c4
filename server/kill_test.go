package server_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"parley/parleytest"
)

// kills is how often the server is killed: 50 times, or what PARLEY_KILLS says.
func kills(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("PARLEY_KILLS"))
	if err != nil {
		n = 50
	}
	if testing.Short() {
		n = 5
	}
	t.Logf("%d kills", n)
	return n
}

// pair is two people who write to each other through everything.
type pair struct {
	one, other *parleytest.Device
	desk       *parleytest.Device // a second device of the first
	sent       [2][]string        // what each queued, in order
}

func (p *pair) write(round int) {
	for i := range 10 {
		for side, d := range []*parleytest.Device{p.one, p.other} {
			text := fmt.Sprintf("%s %d.%d", d.Session.Address, round, i)
			p.sent[side] = append(p.sent[side], text)
			d.Queue(p.one.With(p.other), text)
		}
	}
}

// TestKilledServer pulls the plug under load, again and again. Afterwards every
// message that was ever queued is on every device of both people, once, and each
// side's messages in the order of its queue: so no acknowledged one was lost.
//
// claim: IM2
func TestKilledServer(t *testing.T) {
	rounds := kills(t)
	p := parleytest.StartProcess(t)
	var pairs []*pair
	for _, names := range [][2]string{{"hanna", "kwame"}, {"zoe", "jonas"}, {"amara", "pawel"}, {"wei", "ravi"}} {
		pairs = append(pairs, &pair{one: p.SignIn(names[0]), other: p.SignIn(names[1]), desk: p.SignIn(names[0])})
	}
	random := rand.New(rand.NewPCG(20261122, 1))
	for round := range rounds {
		var load sync.WaitGroup
		for _, talk := range pairs {
			load.Go(func() { talk.write(round) })
		}
		<-time.After(time.Duration(random.IntN(40)) * time.Millisecond) // anywhere in the middle of the load
		p.Kill()
		load.Wait()
		p.Start()
		if round%20 == 19 { // people pause now and then; else the queues only grow
			for _, talk := range pairs {
				talk.one.QueueEmpty()
				talk.other.QueueEmpty()
			}
		}
	}
	for _, talk := range pairs {
		check(t, talk)
	}
}

// check waits until everything has arrived and compares every device with what
// was queued.
func check(t *testing.T, talk *pair) {
	t.Helper()
	for side, d := range []*parleytest.Device{talk.one, talk.other} {
		d.QueueEmpty()
		last := talk.sent[side][len(talk.sent[side])-1]
		for _, reader := range []*parleytest.Device{talk.one, talk.other, talk.desk} {
			reader.Hears(d, last)
		}
	}
	var orders [][]string
	for _, reader := range []*parleytest.Device{talk.one, talk.other, talk.desk} {
		if doubled := reader.Doubled(); len(doubled) > 0 {
			t.Errorf("%s was sent %d messages twice: %.200q", reader.Session.Address, len(doubled), doubled)
		}
		texts := reader.Texts(talk.one.With(talk.other))
		orders = append(orders, texts)
		for side, d := range []*parleytest.Device{talk.one, talk.other} {
			if got := from(reader, d); !slices.Equal(got, talk.sent[side]) {
				t.Errorf("%s has %d of the %d messages of %s, or not in order: first difference at %d",
					reader.Session.Address, len(got), len(talk.sent[side]), d.Session.Address, difference(got, talk.sent[side]))
			}
		}
	}
	for _, order := range orders[1:] {
		if !slices.Equal(order, orders[0]) {
			t.Errorf("two devices have the conversation in different orders, from message %d on", difference(order, orders[0]))
		}
	}
}

func from(reader, sender *parleytest.Device) []string {
	var texts []string
	for _, m := range reader.History() {
		if m.From == sender.ID() {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

func difference(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
