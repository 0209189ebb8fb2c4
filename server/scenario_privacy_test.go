package server_test

import (
	"strings"
	"testing"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/privacy"
	"parley/server"
)

func cardOf(t *testing.T, viewer *parleytest.Device, person string) (card webapi.Card, raw string) {
	t.Helper()
	answer := viewer.Ask("GET", "/api/people/"+person, nil)
	answer.Into(t, &card)
	return card, string(answer.Body)
}

func phoneKinds(card webapi.Card) string {
	var kinds []string
	for _, p := range card.Phones {
		kinds = append(kinds, p.Kind)
	}
	return strings.Join(kinds, " ")
}

// Each level sees its column of the matrix, on the card, in a search and in what
// the socket tells. The whole matrix is held cell by cell by privacy's golden
// table; this is the proof that the program asks it.
//
// claim: PR7, CC6
func TestPR7LevelsDecideWhatIsSeen(t *testing.T) {
	w := parleytest.Start(t)
	seun := w.As("seun") // has a mobile and a home phone
	seun.SetState("do-not-disturb")
	seun.SetNote("quarterly figures")
	viewers := map[privacy.Level]*parleytest.Device{
		privacy.Friends: w.As("hanna"), privacy.Workgroup: w.As("kwame"), privacy.Colleagues: w.As("amara"), privacy.External: w.As("jonas"),
	}
	for level, viewer := range viewers {
		w.Relate(seun, viewer, level)
	}
	seun.Online()
	tests := map[privacy.Level]struct {
		phones, note, zone string
		availability       int
	}{
		privacy.Friends:    {"work mobile home", "quarterly figures", "Europe/Berlin", 9500},
		privacy.Workgroup:  {"work mobile", "quarterly figures", "Europe/Berlin", 6900}, // urgent interruptions only
		privacy.Colleagues: {"work", "quarterly figures", "Europe/Berlin", 9500},
		privacy.External:   {"work", "", "", 9500}, // inside the organisation the directory's public part stays public
	}
	for level, want := range tests {
		viewer := viewers[level].Online()
		viewer.Watch(seun.ID())
		viewer.Sees(seun.ID(), "the state", availability(want.availability))
		seen, _ := viewer.Presence(seun.ID())
		card, _ := cardOf(t, viewer, seun.ID())
		if phoneKinds(card) != want.phones || card.Presence == nil || *card.Presence != seen || seen.Note != want.note || seen.TimeZone != want.zone {
			t.Errorf("%s sees phones %q, on the card %+v, by the socket %+v; want %+v", level, phoneKinds(card), card.Presence, seen, want)
		}
		row := viewer.Search("seun@demo.example").People[0]
		if row.Presence != nil && row.Presence.Availability != want.availability {
			t.Errorf("%s sees %+v in a search", level, row.Presence)
		}
	}
}

// claim: PM1, PM2
func TestPM1PrivacyModeHidesFromNonContacts(t *testing.T) {
	offered := true
	w := parleytest.Start(t, func(c *server.Config) { c.Policy.PrivacyMode = offered })
	zoe, contact, other := w.As("zoe"), w.As("hanna"), w.As("kwame")
	zoe.SetNote("at the fair")
	w.RelateAs(zoe, contact, privacy.Relation{Level: privacy.Colleagues, InContacts: true})
	w.Prefer(zoe, privacy.Preferences{OnlyContacts: true, SharePhoto: true, ShareTimeZone: true})
	for _, d := range []*parleytest.Device{zoe, contact, other} {
		d.Online()
	}
	contact.Watch(zoe.ID())
	contact.Sees(zoe.ID(), "the note and the zone", func(p webapi.Presence) bool { return p.Note == "at the fair" && p.TimeZone != "" })
	other.Watch(zoe.ID())
	card, raw := cardOf(t, other, zoe.ID())
	if card.Presence != nil || card.Photo != "" || phoneKinds(card) != "work" || strings.Contains(raw, "at the fair") || strings.Contains(raw, "Europe/Berlin") {
		t.Errorf("who is no contact gets %s", raw)
	}
	if card.DisplayName == "" || card.Mail == "" {
		t.Errorf("who is no contact gets no name and mail: %s", raw)
	}
	fence(t, contact, other)
	if p, told := other.Presence(zoe.ID()); told && p.Availability != 0 {
		t.Errorf("who is no contact is told %+v", p)
	}

	// The administrator decides whether there is such a mode.
	offered = false
	w.Restart()
	zoe.Online()
	other.Online()
	other.Sees(zoe.ID(), "the note", func(p webapi.Presence) bool { return p.Note == "at the fair" })
}

// claim: PP2
func TestPP2PhotoIsNotHandedOutAgainstTheWill(t *testing.T) {
	w := parleytest.Start(t)
	zoe, hanna := w.As("zoe"), w.As("hanna")
	if answer := hanna.Ask("GET", "/api/people/"+zoe.ID()+"/photo", nil); answer.Status != 200 {
		t.Fatalf("the photo is answered %d", answer.Status)
	}
	w.Prefer(zoe, privacy.Preferences{ShareTimeZone: true})
	zoe.Online()
	if answer := hanna.Ask("GET", "/api/people/"+zoe.ID()+"/photo", nil); answer.Status != 404 {
		t.Errorf("a photo that is not shared is answered %d", answer.Status)
	}
	if card, _ := cardOf(t, hanna, zoe.ID()); card.Photo != "" {
		t.Errorf("the card names the photo %s", card.Photo)
	}
	if answer := zoe.Ask("GET", "/api/people/"+zoe.ID()+"/photo", nil); answer.Status != 200 {
		t.Errorf("her own photo is answered %d", answer.Status)
	}
}

// claim: LS1, LS3
func TestLS1TimeZoneIsSharedAsItsOwnerSays(t *testing.T) {
	shared := true
	w := parleytest.Start(t, func(c *server.Config) { c.Policy.Location = shared })
	zoe, hanna := w.As("zoe"), w.As("hanna")
	zone := func() string {
		card, _ := cardOf(t, hanna, zoe.ID())
		if card.Presence == nil {
			return "no presence"
		}
		return card.Presence.TimeZone
	}
	if got := zone(); got != "Europe/Berlin" {
		t.Errorf("hanna sees the zone %q, want that of zoe's device", got)
	}
	w.Prefer(zoe, privacy.Preferences{SharePhoto: true})
	zoe.Online()
	if got := zone(); got != "" {
		t.Errorf("a zone that its owner does not share is %q", got)
	}
	w.Prefer(zoe, privacy.DefaultPreferences)
	zoe.Online()
	if got := zone(); got != "Europe/Berlin" {
		t.Errorf("shared again, the zone is %q", got)
	}
	shared = false
	w.Restart()
	zoe.Online()
	if got := zone(); got != "" {
		t.Errorf("a zone that the administrator switched off is %q", got)
	}
}

// claim: LS2
func TestLS2PageMayNotAskForThePlace(t *testing.T) {
	w := parleytest.Start(t)
	answer := w.Ask("GET", "/", nil)
	if policy := answer.Header.Get("Permissions-Policy"); !strings.Contains(policy, "geolocation=()") {
		t.Errorf("the page's permissions policy is %q", policy)
	}
}
