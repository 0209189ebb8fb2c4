package contact

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/policy"
)

func atDesk(id parley.PersonID) parley.Actor {
	return parley.Actor{Kind: parley.ActorPerson, Person: id, Device: 1, Class: parley.Desktop}
}

func work(number string) parley.TypedPhone {
	return parley.TypedPhone{Kind: parley.PhoneWork, Number: number}
}

func TestSetPhonesRefuses(t *testing.T) {
	people := named("Anna", "Gone")
	people[1].Gone = true
	w := newWorld(t, newFakeStore(people...), policy.Default(), fakeRelations{})
	for _, test := range []struct {
		phone parley.TypedPhone
		key   string
	}{
		{work("112"), "phones.emergency"}, {work("1-1-0"), "phones.emergency"}, {work("tel:911"), "phones.emergency"}, {work("999"), "phones.emergency"},
		{work("+49 112"), "phones.emergency"}, {work("0049110"), "phones.emergency"}, {work("+1911"), "phones.emergency"}, {work("000"), "phones.emergency"}, {work("١١٢"), "phones.emergency"},
		{work(""), "phones.not-a-number"}, {work("  "), "phones.not-a-number"}, {work("4711"), "phones.not-a-number"}, {work("call me"), "phones.not-a-number"},
		{work("2093 0004"), "phones.not-a-number"}, {work("+49 1"), "phones.not-a-number"}, {work("+49 30 2093\x00"), "phones.not-a-number"},
		{work("+49 30 " + strings.Repeat("1", 40)), "phones.not-a-number"}, {work("+999 30 20930004"), "phones.not-a-number"},
		{parley.TypedPhone{Kind: 0, Number: "+49 30 20930004"}, "phones.kind"}, {parley.TypedPhone{Kind: 5, Number: "+49 30 20930004"}, "phones.kind"},
	} {
		err := w.SetPhones(t.Context(), atDesk(1), []parley.TypedPhone{test.phone})
		if refusal, ok := errors.AsType[*parley.Error](err); !ok || refusal.Key != test.key {
			t.Errorf("%v: %v, want %s", test.phone, err, test.key)
		}
	}
	if err := w.SetPhones(t.Context(), as(1), nil); parley.KindOf(err) != parley.Forbidden {
		t.Errorf("on a phone: %v", err)
	}
	if err := w.SetPhones(t.Context(), atDesk(2), nil); parley.KindOf(err) != parley.NotFound {
		t.Errorf("somebody who is gone: %v", err)
	}
	if err := w.SetPhones(t.Context(), atDesk(1), make([]parley.TypedPhone, MaxTypedPhones+1)); parley.KindOf(err) != parley.Invalid {
		t.Errorf("too many: %v", err)
	}
	if len(w.events) > 0 || len(w.store.typed) > 0 {
		t.Error("what is refused leaves something")
	}
	w.store.failNext = errors.New("disk")
	if err := w.SetPhones(t.Context(), atDesk(1), []parley.TypedPhone{work("+49 30 20930004")}); err == nil || len(w.TypedPhones(1)) > 0 {
		t.Errorf("a store that fails: %v", err)
	}
}

func TestSetPhones(t *testing.T) {
	w := newWorld(t, newFakeStore(named("Anna", "Berta")...), policy.Default(), fakeRelations{})
	set := func(phones ...parley.TypedPhone) {
		t.Helper()
		if err := w.SetPhones(t.Context(), atDesk(1), phones); err != nil {
			t.Fatal(err)
		}
	}
	set(work(" 030  2093-0004 "), work("+49 (0)30 20930004"), parley.TypedPhone{Kind: parley.PhoneHome, Number: "+47 22 12 34 56"}, work("+1 911 555 0100"))
	want := []parley.TypedPhone{work("+49 30 20930004"), {Kind: parley.PhoneHome, Number: "+47 22 12 34 56"}, work("+1 911 555 0100")}
	if got := w.TypedPhones(1); !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	if len(w.events) != 1 {
		t.Errorf("told %d times", len(w.events))
	}
	set(want...)
	if len(w.events) != 1 {
		t.Error("the same again is told")
	}
	w.want(t, as(2), "2093 0004", "Anna")
	w.want(t, as(2), "22123456") // a colleague sees no number at home
	w.want(t, as(1), "22123456", "Anna")

	// A change of the directory leaves them, as does a start.
	p, _ := w.Person(1)
	p.Title = "Mason"
	if _, err := w.Apply(t.Context(), []Change{{Person: p}}, parley.Alongside{}); err != nil {
		t.Fatal(err)
	}
	w.want(t, as(2), "2093 0004", "Anna")
	other := newWorld(t, w.store, policy.Default(), fakeRelations{})
	other.want(t, as(2), "2093 0004", "Anna")
	set()
	if err := other.Refresh(t.Context(), ids(1)); err != nil {
		t.Fatal(err)
	}
	w.want(t, as(2), "2093 0004")
	other.want(t, as(2), "2093 0004")
	if len(other.TypedPhones(1)) > 0 {
		t.Errorf("another node still has %v", other.TypedPhones(1))
	}
}
