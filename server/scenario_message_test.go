package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/server"
)

func TestMain(m *testing.M) { parleytest.Main(m) }

// claim: IM1
func TestIM1TwoPeopleTalk(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	hanna.Say(kwame, "Is the Assam through customs?")
	kwame.Hears(hanna, "Is the Assam through customs?")
	kwame.Say(hanna, "Since this morning.")
	hanna.Hears(kwame, "Since this morning.")
	want := []string{"Is the Assam through customs?", "Since this morning."}
	for _, d := range []*parleytest.Device{hanna, kwame} {
		if got := d.Texts(hanna.With(kwame)); !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", d.Session.Address, got, want)
		}
	}
}

// claim: IM2
func TestIM2EveryDeviceOnceAndInOrder(t *testing.T) {
	w := parleytest.Start(t)
	phone, desk := w.As("hanna"), w.As("hanna")
	other := w.As("kwame")
	var want []string
	for i := range 200 {
		text := fmt.Sprintf("message %03d", i)
		want = append(want, text)
		phone.Queue(phone.With(other), text)
	}
	other.Hears(phone, want[199])
	desk.Hears(phone, want[199])
	phone.QueueEmpty()
	for _, d := range []*parleytest.Device{phone, desk, other} {
		if got := d.Texts(phone.With(other)); !slices.Equal(got, want) {
			t.Errorf("a device of %s has %d messages, not all once and in order", d.Session.Address, len(got))
		}
		if doubled := d.Doubled(); len(doubled) > 0 {
			t.Errorf("a device of %s was sent %q twice", d.Session.Address, doubled)
		}
	}
}

// claim: IM2
func TestIM2ThroughARestart(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	hanna.Say(kwame, "before")
	kwame.Hears(hanna, "before")
	addr := w.Server.Addr()
	w.Stop()
	hanna.Queue(hanna.With(kwame), "while it was away")
	hanna.Queue(hanna.With(kwame), "and once more")
	w.Run(addr)
	kwame.Hears(hanna, "and once more")
	hanna.QueueEmpty()
	want := []string{"before", "while it was away", "and once more"}
	if got := kwame.Texts(hanna.With(kwame)); !slices.Equal(got, want) {
		t.Errorf("after the restart kwame has %q, want %q", got, want)
	}
}

// claim: IM2
func TestIM2LongAbsenceIsSynced(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	kwame.Close()
	var want []string
	for i := range 700 { // more than the server streams, and more than a page
		want = append(want, fmt.Sprint("m", i))
		hanna.Queue(hanna.With(kwame), want[i])
	}
	hanna.QueueEmpty()
	kwame.Connect()
	kwame.Hears(hanna, "m699")
	if got := kwame.Texts(hanna.With(kwame)); !slices.Equal(got, want) {
		t.Errorf("after the absence kwame has %d messages, not all once and in order", len(got))
	}
	hanna.Say(kwame, "still there?")
	kwame.Hears(hanna, "still there?")
}

func TestMessagesWaitForTheFirstDevice(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.As("hanna")
	row := hanna.Search("kwame").People[0]
	id := hanna.Queue(parleytest.Conversation(hanna.Session.Person.ID, row.ID), "for when you come")
	hanna.Accepted(id)
	kwame := w.As("kwame")
	if kwame.Session.Starts != "waiting" {
		t.Errorf("the first device starts at %q, want waiting", kwame.Session.Starts)
	}
	kwame.Hears(hanna, "for when you come")
	second := w.As("kwame")
	if second.Session.Starts != "head" {
		t.Errorf("the second device starts at %q, want head", second.Session.Starts)
	}
	hanna.Say(kwame, "now")
	second.Hears(hanna, "now")
	if got := second.Texts(hanna.With(kwame)); !slices.Equal(got, []string{"now"}) {
		t.Errorf("the second device has %q, want what was sent since it signed in", got)
	}
}

func TestDeliveredAndReadMarks(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame, desk := w.As("hanna"), w.As("kwame"), w.As("kwame")
	hanna.Say(kwame, "seen?")
	id := func(d *parleytest.Device) string { h := d.History(); return h[len(h)-1].ID }
	hanna.DeliveredUpTo(hanna.With(kwame), id(hanna))
	kwame.Hears(hanna, "seen?")
	kwame.Read(hanna.With(kwame), id(kwame))
	desk.ReadUpTo(hanna.With(kwame), id(kwame))
	var marks webapi.Marks
	if err := hanna.Call("GET", "/api/marks", nil, &marks); err != nil {
		t.Fatal(err)
	}
	if len(marks.Marks) != 1 || len(marks.Marks[0].Delivered) != 1 || marks.Marks[0].Delivered[0].ID != id(hanna) {
		t.Errorf("marks %+v, want the message delivered", marks)
	}
}

func TestTypingIsShown(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	hanna.Types(hanna.With(kwame), true)
	kwame.SeesTyping(hanna, true)
	hanna.Types(hanna.With(kwame), false)
	kwame.SeesTyping(hanna, false)
}

// claim: IM3
func TestIM3TextIsGoneFromTheServer(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame, desk := w.As("hanna"), w.As("kwame"), w.As("kwame")
	canary := "CANARY-" + strings.Repeat("the heron flies at night ", 400) // longer than a page of the database
	hanna.Say(kwame, canary)
	kwame.Hears(hanna, canary)
	desk.Hears(hanna, canary)
	started := time.Now()
	var held []string
	for held = w.Holds("CANARY-"); len(held) > 0 && time.Since(started) < 60*time.Second; held = w.Holds("CANARY-") {
		<-time.After(250 * time.Millisecond)
	}
	if len(held) > 0 {
		t.Errorf("60 s after delivery the text is still in %q", held)
	}
	if also := w.Holds("heron flies"); len(also) > 0 {
		t.Errorf("a part of the text is still in %q", also)
	}
	t.Logf("the text was gone %v after delivery", time.Since(started).Round(time.Millisecond))
	if w.Logged("CANARY-") || w.Logged("heron") {
		t.Error("the server's log holds the text")
	}
}

func TestIM3UndeliveredTextIsKept(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame, desk := w.As("hanna"), w.As("kwame"), w.As("kwame")
	desk.Close()
	hanna.Say(kwame, "CANARY-for-the-desk")
	kwame.Hears(hanna, "CANARY-for-the-desk")
	<-time.After(5 * time.Second) // longer than a purge takes: real time, because the store is real
	desk.Connect()
	desk.Hears(hanna, "CANARY-for-the-desk")
}

// claim: IM3
func TestIM3TimeLimit(t *testing.T) {
	limit := time.Hour
	w := parleytest.Start(t, func(c *server.Config) { c.Policy.MessageLimit = limit })
	hanna := w.As("hanna")
	nobody := hanna.Search("ravi").People[0].ID // never signs in
	hanna.Accepted(hanna.Queue(parleytest.Conversation(hanna.ID(), nobody), "CANARY for the day he comes"))
	w.Restart()
	hanna.Online()
	if len(w.Holds("CANARY")) == 0 {
		t.Error("the text went before its time")
	}
	limit = time.Millisecond
	w.Restart()
	eventually(t, "the text is gone", func() bool { return len(w.Holds("CANARY")) == 0 })
	if ravi := w.As("ravi"); len(ravi.History()) > 0 {
		t.Errorf("ravi gets %+v", ravi.History())
	}
}
