package contact

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/policy"
)

// countingStore counts how often it is asked for single people.
type countingStore struct {
	*fakeStore
	asked int
}

func (s *countingStore) PeopleByID(ctx context.Context, ids []parley.PersonID) ([]parley.Person, error) {
	s.asked++
	return s.fakeStore.PeopleByID(ctx, ids)
}

// Somebody whom another node has just added is known at once, and invented ids
// cost nothing.
func TestNewcomersAreMet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &countingStore{fakeStore: newFakeStore(named("Anna", "Boris")...)}
		w := newWorld(t, s.fakeStore, policy.Default(), fakeRelations{})
		w.Book.store = s
		clara := named("", "", "Clara")[2]
		s.people[3] = clara
		time.Sleep(time.Second)
		if _, known := w.Person(3); known {
			t.Error("known although nobody else adds people")
		}
		w.Book.newcomers.shared = true
		if p, known := w.Person(3); !known || p.DisplayName != "Clara" {
			t.Errorf("the newcomer is %+v, %v", p, known)
		}
		if found := w.search(t, as(1), "clara"); len(found) != 1 {
			t.Errorf("a search finds %v", found)
		}
		asked := s.asked
		for id := range parley.PersonID(1000) {
			w.Person(1000 + id)
		}
		if s.asked > asked+1 {
			t.Errorf("invented ids asked the store %d times", s.asked-asked)
		}
		time.Sleep(time.Second)
		w.Person(2000)
		if s.asked < asked+1 {
			t.Error("nobody new is looked for any more")
		}
	})
}
