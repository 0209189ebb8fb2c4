package server

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"parley"
)

func TestCutOff(t *testing.T) {
	list := func(s string) (names []string) {
		for _, r := range s {
			names = append(names, string(r))
		}
		return names
	}
	for _, test := range []struct {
		self, recorded, heard string
		want                  bool
	}{
		{"a", "", "", false},   // the database does not answer
		{"a", "a", "a", false}, // alone
		{"a", "ab", "ab", false},
		{"b", "ab", "ab", false},
		{"a", "ab", "a", false}, // of two halves the one with the first node stays
		{"b", "ab", "b", true},
		{"b", "a", "b", true},   // its own beat is not in yet
		{"b", "b", "ab", false}, // the other's beat is not in yet
		{"a", "abc", "a", true}, // the smaller side yields
		{"b", "abc", "bc", false},
		{"c", "abc", "bc", false},
		{"a", "abcd", "ab", false},
		{"c", "abcd", "cd", true},
		{"d", "abcd", "d", true},
		{"d", "abcd", "bcd", false},
	} {
		if got := cutOff(test.self, list(test.recorded), list(test.heard)); got != test.want {
			t.Errorf("%s, recorded %q, heard %q: cut off %v, want %v", test.self, test.recorded, test.heard, got, test.want)
		}
	}
}

// sky is what a node sees of the others and of the database.
type sky struct {
	heard, recorded []string
	reach           bool
	failing         bool
	since           time.Time
	told            bool
}

func (s *sky) nodes() []string            { return s.heard }
func (s *sky) reached() bool              { return s.reach }
func (s *sky) tellHealth(failing bool)    { s.told = failing }
func (s *sky) Failing() (time.Time, bool) { return s.since, s.failing }

func (s *sky) Beat(context.Context, string, time.Duration) ([]string, error) { return s.recorded, nil }

func (s *sky) Leave(context.Context, string) error { return nil }

func TestDevicesAreSentAwayAndTakenAgain(t *testing.T) {
	s := &sky{heard: []string{"a", "b"}, recorded: []string{"a", "b"}, reach: true}
	rests := false
	w := &watch{node: "b", roster: s, peers: s, rest: func(on bool) { rests = on }, log: slog.New(slog.DiscardHandler)}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	looks := func(seconds int, want bool, what string) {
		t.Helper()
		for range seconds {
			now = now.Add(time.Second)
			w.look(now, s.recorded)
		}
		if rests != want {
			t.Errorf("%s: rests %v, want %v", what, rests, want)
		}
	}
	looks(10, false, "all is well")
	s.heard = []string{"b"}
	looks(2, false, "the other was not heard for a moment")
	s.heard = []string{"a", "b"}
	looks(2, false, "it is heard again")
	s.heard = []string{"b"}
	looks(5, true, "the other is not heard and the database says that it is there")
	s.recorded = []string{"b"}
	looks(2, true, "the other is gone just now")
	looks(3, false, "the other is gone")
	s.recorded, s.heard = []string{"a", "b"}, []string{"a", "b"}
	s.failing, s.since = true, now
	looks(4, false, "the database does not answer for a moment")
	looks(8, true, "only this node does not reach the database")
	if !s.told {
		t.Error("the others are not told")
	}
	s.reach = false
	looks(8, false, "nobody reaches the database: here is as good as there")
	s.recorded, s.heard = nil, []string{"b"}
	looks(8, true, "this node reaches nobody at all, and others were there")
	s.failing, s.recorded = false, []string{"b"}
	looks(8, false, "the database is there, and nobody else")
	s.failing, s.recorded = true, nil
	looks(8, false, "it is gone again: nobody else was there")
	s.recorded, s.heard = []string{"a", "b"}, []string{"a", "b"}
	s.failing, s.reach = false, true
	looks(8, false, "all is well again")
}

func TestLeader(t *testing.T) {
	for _, test := range []struct {
		nodes, failing []string
		want           string
	}{
		{[]string{"a"}, nil, "a"},
		{[]string{"a", "b"}, nil, "a"},
		{[]string{"a", "b"}, []string{"b"}, "a"},
		{[]string{"a", "b"}, []string{"a"}, "b"}, // what a cannot delete, b does
		{[]string{"a", "b"}, []string{"a", "b"}, ""},
	} {
		failing := map[string]bool{}
		for _, node := range test.failing {
			failing[node] = true
		}
		if got := leader(test.nodes, failing); got != test.want {
			t.Errorf("of %q, with %q failing: %q leads, want %q", test.nodes, test.failing, got, test.want)
		}
	}
}

func peopleChanged(person int) parley.PeopleChanged {
	return parley.PeopleChanged{People: []parley.PersonID{parley.PersonID(person)}}
}

func TestChangesOfPeopleAreJoined(t *testing.T) {
	var e elsewhere
	e.wake = make(chan struct{}, 1)
	for i := range 3 {
		e.add(peopleChanged(i))
	}
	if got := e.take(); len(got) != 1 {
		t.Errorf("%d events, want one of three people", len(got))
	}
}
