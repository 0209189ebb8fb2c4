package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"parley/conversation"
	"parley/parleytest/postgres"
)

func TestRoster(t *testing.T) {
	url := postgres.Database(t)
	open := func() *Roster {
		s, err := Open(t.Context(), Config{Path: t.TempDir(), URL: url})
		check(t, err)
		r, err := s.Roster()
		check(t, err)
		t.Cleanup(func() { check(t, r.Close()); check(t, s.Close()) })
		return r
	}
	a, b := open(), open()
	beats := func(r *Roster, node string, within time.Duration, want ...string) {
		t.Helper()
		got, err := r.Beat(t.Context(), node, within)
		check(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("%s is told of %q, want %q", node, got, want)
		}
	}
	beats(a, "a", time.Minute, "a")
	beats(b, "b", time.Minute, "a", "b")
	beats(a, "a", time.Minute, "a", "b")
	beats(a, "a", -time.Second)
	check(t, b.Leave(t.Context(), "b"))
	beats(a, "a", time.Minute, "a")
}

// A node that was frozen finds a message on a connection that its device has left.
// It was sent again, delivered to everybody and purged meanwhile, so nothing but
// how far the device has read says that it is an old one.
func TestMessageOfALeftConnectionIsNotStoredAgain(t *testing.T) {
	c := onPostgres(t)
	a := start(t, c)
	crowd(t, a, 2)
	b := start(t, node(t, c))
	d := a.signIn(t, 1, "phone")
	stale := message(1, d.ID, 1, "once")
	stale.Seen = 1
	fresh := message(1, d.ID, 1, "once")
	fresh.Seen = 2
	check(t, b.add(fresh))
	check(t, a.add(stale)) // it is in the log, so it is known
	if got := len(all(t, a.Retained(t.Context()))); got != 1 {
		t.Errorf("%d entries are stored, want one", got)
	}
	check(t, b.add(message(1, d.ID, 2, "more")))
	b.Acknowledge(d.ID, 2)
	check(t, b.Purge(t.Context(), upto(1, 2)))
	if err := a.add(stale); !errors.Is(err, conversation.ErrElsewhere) {
		t.Errorf("once it is purged: %v", err)
	}
	if got := len(all(t, a.Retained(t.Context()))); got != 0 {
		t.Errorf("%d entries are stored", got)
	}
	next := message(1, d.ID, 3, "next")
	next.Seen = 2
	check(t, a.add(next))
}
