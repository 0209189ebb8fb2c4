package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/privacy"
	"parley/server"
)

// seen is everything that one person can ask the server about another.
func seen(t *testing.T, viewer *parleytest.Device, person string) string {
	t.Helper()
	var all strings.Builder
	for _, path := range []string{
		"/api/people/" + person, "/api/people/kwame@demo.example", "/api/people?q=mensah", "/api/people?q=kwame@demo.example",
		"/api/people?q=02079460711", "/api/people?q=+447700900111", "/api/contacts",
		"/api/people/" + person + "/photo?size=small", "/api/people/" + person + "/photo?size=large", "/api/marks",
	} {
		all.WriteString(path + "\n" + viewer.Ask("GET", path, nil).Signature() + "\n")
	}
	return all.String()
}

// Somebody who is blocked sees what they would see of a person with the same
// directory entry who never signed in.
//
// claim: PR7, CC6
func TestPR7BlockedSeesATwin(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.As("hanna")
	kwame := hanna.Search("kwame").People[0].ID
	hanna.Watch(kwame)
	hanna.Sees(kwame, "Offline", availability(18500))
	before := seen(t, hanna, kwame)

	kwames := w.As("kwame")
	kwames.SetState("busy")
	kwames.SetNote("at the dentist")
	hanna.Sees(kwame, "Busy", availability(6500))
	if seen(t, hanna, kwame) == before {
		t.Fatal("hanna sees nothing of kwame: the test shows nothing")
	}
	w.Relate(kwames, hanna, privacy.Blocked)
	hanna.Online()
	kwames.Online()
	if after := seen(t, hanna, kwame); after != before {
		t.Errorf("blocked, hanna gets\n%s\nunlike a person who never signed in\n%s", after, before)
	}
	colleague := w.As("amara")
	colleague.Watch(kwame)
	colleague.Sees(kwame, "Busy", func(p webapi.Presence) bool { return p.Availability == 6500 && p.Note == "at the dentist" })
	hanna.Sees(kwame, "Offline", func(p webapi.Presence) bool { return p == (webapi.Presence{Availability: 18500}) })

	// What happens from now on does not reach her either.
	kwames.SetState("do-not-disturb")
	colleague.Sees(kwame, "Do Not Disturb", availability(9500))
	kwames.SetNote("back at four")
	colleague.Sees(kwame, "the note", func(p webapi.Presence) bool { return p.Note == "back at four" })
	fence(t, hanna, colleague)
	if p, _ := hanna.Presence(kwame); p != (webapi.Presence{Availability: 18500}) {
		t.Errorf("blocked, hanna was told %+v", p)
	}
}

// fence waits until everything that happened before has had its effect on both
// devices: what they say to each other comes after it.
func fence(t *testing.T, a, b *parleytest.Device) {
	t.Helper()
	a.Say(b, "fence")
	b.Hears(a, "fence")
	b.Say(a, "fence back")
	a.Hears(b, "fence back")
	b.DeliveredUpTo(a.With(b), idOf(b, "fence back"))
	a.DeliveredUpTo(a.With(b), idOf(a, "fence"))
}

// idOf is the id that a device knows a text by.
func idOf(d *parleytest.Device, text string) string {
	for _, m := range slices.Backward(d.History()) {
		if m.Text == text {
			return m.ID
		}
	}
	return ""
}

// claim: PR7, IM2
func TestPR7BlockedMessageStaysSent(t *testing.T) {
	w := parleytest.Start(t)
	hanna, desk := w.As("hanna"), w.As("hanna")
	kwame, amara := w.As("kwame"), w.As("amara")
	talk := hanna.With(kwame)
	hanna.Say(kwame, "before")
	kwame.Hears(hanna, "before")
	hanna.DeliveredUpTo(talk, idOf(hanna, "before"))
	w.Relate(kwame, hanna, privacy.Blocked)
	for _, d := range []*parleytest.Device{hanna, desk, kwame, amara} {
		d.Online()
	}

	hanna.Say(kwame, "are you there?") // accepted, as always
	desk.Hears(hanna, "are you there?")
	hanna.Types(talk, true)
	kwame.Types(talk, true)
	kwame.Read(talk, idOf(kwame, "before"))
	fence(t, kwame, amara)
	fence(t, hanna, amara)
	for _, d := range []*parleytest.Device{hanna, desk} {
		if got := d.Texts(talk); !slices.Equal(got, []string{"before", "are you there?"}) {
			t.Errorf("a device of hanna has %q", got)
		}
		if got := d.Delivered(talk); got != idOf(d, "before") && got != "" {
			t.Error("hanna is told that it was delivered")
		}
		d.TypingNeverShown(kwame)
	}
	kwame.TypingNeverShown(hanna)
	if got := kwame.Texts(talk); !slices.Equal(got, []string{"before"}) {
		t.Errorf("kwame has %q of somebody whom he blocks", got)
	}
	// A fresh device of his reads everything that the server holds for him, and
	// that is nothing.
	fresh := w.As("kwame")
	fence(t, fresh, amara)
	if got := fresh.Texts(talk); len(got) > 0 {
		t.Errorf("a new device of kwame gets %q", got)
	}
}

// Neither a sync from the start nor sending again tells a blocked person from
// one who writes to somebody who never signed in; and when the time limit is
// over, both texts go.
//
// claim: PR7, IM3
func TestPR7BlockedMessageIsKeptAsForAnAbsentPerson(t *testing.T) {
	limit := time.Hour
	w := parleytest.Start(t, func(c *server.Config) { c.Policy.MessageLimit = limit })
	hanna, kwame := w.As("hanna"), w.As("kwame")
	absent := hanna.Search("ravi").People[0].ID
	w.Relate(kwame, hanna, privacy.Blocked)
	hanna.Online()
	kwame.Online()
	toAbsent := parleytest.Conversation(hanna.ID(), absent)
	ids := map[string]string{
		hanna.With(kwame): hanna.Queue(hanna.With(kwame), "CANARY one"),
		toAbsent:          hanna.Queue(toAbsent, "CANARY two"),
	}
	for _, id := range ids {
		hanna.Accepted(id)
	}
	amara := w.As("amara")
	hanna.Say(amara, "delivered, and purged in a moment")
	amara.Hears(hanna, "delivered, and purged in a moment")
	eventually(t, "what was delivered is purged", func() bool { return len(w.Holds("purged in a moment")) == 0 })
	var page webapi.Synced
	hanna.Ask("GET", "/api/sync?after=", nil).Into(t, &page)
	held := map[string]int{}
	for _, e := range page.Entries {
		held[e.Conversation]++
	}
	if held[hanna.With(kwame)] != 1 || held[toAbsent] != 1 {
		t.Errorf("a sync from the start brings %v", held)
	}
	for conversation, id := range ids {
		hanna.Raw(fmt.Appendf(nil, `{"type": "send", "client_id": %q, "conversation": %q, "kind": "message", "content": "text.v1", "body": "eA=="}`, id, conversation))
		hanna.Known(id)
	}
	limit = time.Millisecond
	w.Restart()
	eventually(t, "the texts are gone", func() bool { return len(w.Holds("CANARY")) == 0 })
}

// claim: PR7
func TestPR7UnblockingLeaksNothingOld(t *testing.T) {
	w := parleytest.Start(t)
	hanna, desk, kwame := w.As("hanna"), w.As("hanna"), w.As("kwame")
	talk := hanna.With(kwame)
	w.Relate(kwame, hanna, privacy.Blocked)
	hanna.Online()
	desk.Close() // so that the message is kept for it
	hanna.Say(kwame, "while blocked")
	w.Relate(kwame, hanna, privacy.Colleagues)
	hanna.Online()
	kwame.Online()
	hanna.Say(kwame, "and now")
	kwame.Hears(hanna, "and now")
	fresh := w.As("kwame")
	kwame.Say(hanna, "hello")
	fresh.Hears(kwame, "hello")
	hanna.Hears(kwame, "hello")
	desk.Connect()
	desk.Hears(kwame, "hello")
	if got := desk.Texts(talk); !slices.Equal(got, []string{"while blocked", "and now", "hello"}) {
		t.Errorf("hanna's other device has %q", got)
	}
	for _, d := range []*parleytest.Device{kwame, fresh} {
		if slices.Contains(d.Texts(talk), "while blocked") {
			t.Error("kwame gets what was written while he blocked her")
		}
	}
}

// Blocking somebody hides nothing from whoever blocks.
func TestBlockingIsOneSided(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	w.Relate(kwame, hanna, privacy.Blocked)
	hanna.Online()
	kwame.Online().Watch(hanna.ID())
	kwame.Sees(hanna.ID(), "Available", availability(3500))
	kwame.Say(hanna, "I can still write")
	hanna.Hears(kwame, "I can still write")
	kwame.DeliveredUpTo(kwame.With(hanna), idOf(kwame, "I can still write"))
}
