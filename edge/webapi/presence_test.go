package webapi

import (
	"testing"

	"parley"
	"parley/policy"
	"parley/privacy"
)

func TestEncodedPresence(t *testing.T) {
	e := newEncodedPresence()
	rules := policy.Default()
	facts := privacy.Facts{
		Person:      parley.Person{ID: 5},
		Presence:    parley.Presence{Availability: parley.Busy, Note: "away soon", TimeZone: "Europe/Berlin"},
		Preferences: privacy.DefaultPreferences,
	}
	colleague := privacy.ClassOf(privacy.Colleagues, true)
	first := e.event(facts, colleague, rules)
	sameJSON(t, first.bytes, PresenceEvent{Type: "presence", Person: "p5", Presence: Presence{
		Availability: 6500, Note: "away soon", TimeZone: "Europe/Berlin",
	}})
	if again := e.event(facts, colleague, rules); &again.bytes[0] != &first.bytes[0] {
		t.Error("the same facts are encoded twice")
	}
	external := e.event(facts, privacy.ClassOf(privacy.External, false), rules)
	sameJSON(t, external.bytes, PresenceEvent{Type: "presence", Person: "p5", Presence: Presence{Availability: 6500}})
	if external.sum == first.sum {
		t.Error("two classes share a sum")
	}
	withheld := e.event(facts, privacy.NonContactClass(true), rules)
	sameJSON(t, withheld.bytes, PresenceEvent{Type: "presence", Person: "p5"})

	changes := map[string]func(){
		"the state":       func() { facts.Presence.Availability = parley.Away },
		"the preferences": func() { facts.Preferences.ShareTimeZone = false },
		"the policy":      func() { rules.Location = false },
	}
	for name, change := range changes {
		before := e.event(facts, colleague, rules)
		change()
		if after := e.event(facts, colleague, rules); name != "the policy" && &after.bytes[0] == &before.bytes[0] {
			t.Errorf("%s changed and the old encoding is used", name)
		}
	}
	if after := e.event(facts, colleague, rules); after.sum == first.sum {
		t.Error("another state has the same sum")
	}
}

func TestEncodedPresenceIsBounded(t *testing.T) {
	e := newEncodedPresence()
	facts := privacy.Facts{Presence: parley.Presence{Availability: parley.Busy}}
	for id := range parley.PersonID(2 * encodedShards * maxEncoded) {
		facts.Person.ID = id
		e.event(facts, privacy.Self, policy.Default())
	}
	for i := range e.shards {
		if n := len(e.shards[i].people); n > maxEncoded {
			t.Fatalf("a shard remembers %d people, want at most %d", n, maxEncoded)
		}
	}
}
