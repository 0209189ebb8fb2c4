package server_test

import (
	"testing"
	"time"

	"parley/edge/webapi"
	"parley/parleytest"
)

func availability(want int) func(webapi.Presence) bool {
	return func(p webapi.Presence) bool { return p.Availability == want }
}

// claim: PR2
func TestPR2ChosenStatesReachTheWatchers(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	hanna.Watch(kwame.ID())
	hanna.Sees(kwame.ID(), "Available", availability(3500))
	tests := []struct {
		state        string
		availability int
		activity     string
	}{
		{"busy", 6500, ""},
		{"do-not-disturb", 9500, ""},
		{"be-right-back", 12500, ""},
		{"off-work", 15600, "off-work"},
		{"appear-away", 15500, ""},
		{"available", 3500, ""},
		{"reset", 3500, ""},
	}
	for _, test := range tests {
		started := time.Now()
		kwame.SetState(test.state)
		hanna.Sees(kwame.ID(), test.state, func(p webapi.Presence) bool {
			return p.Availability == test.availability && p.Activity == test.activity
		})
		t.Logf("%s was seen after %v", test.state, time.Since(started).Round(100*time.Microsecond))
	}
}

// claim: PR1, CC4
func TestPR1NoteIsShown(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	hanna.Watch(kwame.ID())
	kwame.SetNote("At the harbour until noon")
	hanna.Sees(kwame.ID(), "the note", func(p webapi.Presence) bool {
		return p.Note == "At the harbour until noon" && p.Availability == 3500
	})
	var card webapi.Card
	if err := hanna.Call("GET", "/api/people/"+kwame.ID(), nil, &card); err != nil {
		t.Fatal(err)
	}
	if card.Presence == nil || card.Presence.Note != "At the harbour until noon" || card.Presence.TimeZone != "Europe/Berlin" || card.Presence.Since == "" {
		t.Errorf("the card shows %+v, want note, time zone and since when", card.Presence)
	}
	kwame.SetNote("")
	hanna.Sees(kwame.ID(), "no note", func(p webapi.Presence) bool { return p.Note == "" })
}

// claim: PR5
func TestPR5OfflineWhenTheLastDeviceLeaves(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame, desk := w.As("hanna"), w.As("kwame"), w.As("kwame")
	hanna.Watch(kwame.ID())
	hanna.Sees(kwame.ID(), "Available", availability(3500))
	kwame.Close()
	desk.Activity(true, true)
	if p, _ := hanna.Presence(kwame.ID()); p.Availability != 3500 {
		t.Errorf("with a device left kwame is at %d", p.Availability)
	}
	desk.Close()
	hanna.Sees(kwame.ID(), "Offline", availability(18500))
	desk.Connect()
	hanna.Sees(kwame.ID(), "Available again", availability(3500))
}

// No state outlives the server: what was Available before a restart is shown again
// only when a device says so.
//
// claim: PR5
func TestPR5NothingStaleAfterARestart(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	kwame.SetState("busy")
	kwame.SetNote("inventory")
	hanna.Watch(kwame.ID())
	hanna.Sees(kwame.ID(), "Busy", availability(6500))
	kwame.Close()
	w.Restart()
	hanna.Online()
	hanna.Sees(kwame.ID(), "Offline", availability(18500))
	kwame.Connect()
	hanna.Sees(kwame.ID(), "Busy, as chosen before", func(p webapi.Presence) bool { return p.Availability == 6500 && p.Note == "inventory" })
}

// Of several devices the most available one counts.
//
// claim: PR3
func TestPR3TheMostAvailableDeviceCounts(t *testing.T) {
	w := parleytest.Start(t)
	hanna, phone, desk := w.As("hanna"), w.As("kwame"), w.As("kwame")
	hanna.Watch(phone.ID())
	hanna.Sees(phone.ID(), "Available", availability(3500))
	phone.Activity(false, false) // the screen goes dark; the other is in use
	desk.SetState("busy")        // chosen for the person, whatever the device
	hanna.Sees(phone.ID(), "Busy", availability(6500))
	phone.SetState("reset")
	hanna.Sees(phone.ID(), "Available again", availability(3500))
	desk.Close()
	phone.Activity(true, true)
	hanna.Sees(phone.ID(), "Available by the phone", availability(3500))
	phone.Close()
	hanna.Sees(phone.ID(), "Offline", availability(18500))
}
