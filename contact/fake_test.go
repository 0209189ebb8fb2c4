package contact

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley"
	"parley/policy"
	"parley/privacy"
)

// fakeStore keeps people in memory as a Store has to.
type fakeStore struct {
	beside
	mu     sync.Mutex
	people map[parley.PersonID]parley.Person
	photos map[parley.PersonID]Photo
	next   parley.PersonID
	chunks []int // sizes of what was applied
	audit  []parley.Audit
	fail   error
	refuse string // an address that is refused
}

func newFakeStore(people ...parley.Person) *fakeStore {
	s := &fakeStore{people: make(map[parley.PersonID]parley.Person), photos: make(map[parley.PersonID]Photo), next: 1}
	for _, p := range people {
		s.people[p.ID] = p
		s.next = max(s.next, p.ID+1)
	}
	return s
}

func (s *fakeStore) People(context.Context) iter.Seq2[parley.Person, error] {
	return func(yield func(parley.Person, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(s.people)) {
			if !yield(s.people[id], s.fail) {
				return
			}
		}
	}
}

func (s *fakeStore) PeopleByID(_ context.Context, ids []parley.PersonID) ([]parley.Person, error) {
	var found []parley.Person
	for _, id := range ids {
		if p, ok := s.people[id]; ok {
			found = append(found, p)
		}
	}
	return found, nil
}

func (s *fakeStore) ApplyPeople(_ context.Context, changes []Change, with parley.Alongside) ([]parley.PersonID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	for _, c := range changes {
		if s.refuse != "" && c.Person.Address == s.refuse {
			return nil, parley.Refuse(parley.Conflict, "people.address-taken")
		}
	}
	var ids []parley.PersonID
	for _, c := range changes {
		if p := s.people[c.Person.ID]; c.Moves {
			p.Address = "moving " + p.ID.String()
			s.people[p.ID] = p
		}
	}
	for _, c := range changes {
		id := c.Person.ID
		if id == 0 {
			id = s.next
			s.next++
		}
		p := c.result(s.people[id])
		p.ID = id
		for other, o := range s.people {
			if other != id && !p.Gone && !o.Gone && o.Address == p.Address {
				return nil, fmt.Errorf("address %s twice", p.Address)
			}
		}
		s.people[id] = p
		if c.Photo != nil {
			s.photos[id] = *c.Photo
		} else if !c.KeepPhoto && !c.Gone {
			delete(s.photos, id)
		}
		ids = append(ids, id)
	}
	s.chunks = append(s.chunks, len(changes))
	s.audit = append(s.audit, with.Audit...)
	return ids, nil
}

func (s *fakeStore) PhotoSources(_ context.Context, ids []parley.PersonID) (map[parley.PersonID]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sources := map[parley.PersonID]uint64{}
	for _, id := range ids {
		if p, ok := s.photos[id]; ok && p.Source != 0 {
			sources[id] = p.Source
		}
	}
	return sources, s.fail
}

func (s *fakeStore) Photo(_ context.Context, id parley.PersonID, large bool) ([]byte, parley.PhotoVersion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.photos[id]
	if !ok {
		return nil, 0, parley.ErrWithheld
	}
	if large {
		return p.Large, p.Version, nil
	}
	return p.Small, p.Version, nil
}

// fakeRelations is a privacy.Store.
type fakeRelations struct {
	relations   []privacy.Relation
	preferences []privacy.PersonPreferences
}

func (f fakeRelations) Relations(context.Context) iter.Seq2[privacy.Relation, error] {
	return func(yield func(privacy.Relation, error) bool) {
		for _, r := range f.relations {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (f fakeRelations) AllPreferences(context.Context) iter.Seq2[privacy.PersonPreferences, error] {
	return func(yield func(privacy.PersonPreferences, error) bool) {
		for _, p := range f.preferences {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (f fakeRelations) Relation(context.Context, parley.PersonID, parley.PersonID) (privacy.Relation, error) {
	return privacy.Relation{}, parley.ErrWithheld
}

func (f fakeRelations) PreferencesOf(context.Context, parley.PersonID) (privacy.Preferences, error) {
	return privacy.DefaultPreferences, nil
}

func (f fakeRelations) SetRelation(context.Context, privacy.Relation, parley.Alongside) error {
	return nil
}

func (f fakeRelations) SetPreferences(context.Context, parley.PersonID, privacy.Preferences, parley.Alongside) error {
	return nil
}

// world is a Book and what it stands on.
type world struct {
	*Book
	store  *fakeStore
	events []parley.Event
}

func newWorld(t testing.TB, s *fakeStore, rules policy.Policy, f fakeRelations) *world {
	t.Helper()
	gate, err := privacy.NewGate(t.Context(), privacy.Config{Store: f, Policy: policy.Fixed(rules)})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: s}
	w.Book, err = NewBook(t.Context(), Config{
		Store: s, Gate: gate, Policy: policy.Fixed(rules), Region: "DE",
		Announce: func(e parley.Event) { w.events = append(w.events, e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func as(id parley.PersonID) parley.Actor {
	return parley.Actor{Kind: parley.ActorPerson, Person: id, Device: 1, Class: parley.Mobile}
}

// named makes people of display names; ids count from 1.
func named(names ...string) []parley.Person {
	people := make([]parley.Person, len(names))
	for i, n := range names {
		people[i] = parley.Person{
			ID: parley.PersonID(i + 1), SourceID: fmt.Sprintf("source-%d", i+1), DisplayName: n,
			Address: fmt.Sprintf("u%d@firma.example", i+1),
		}
	}
	return people
}

// search gives the display names of the hits.
func (w *world) search(t testing.TB, actor parley.Actor, text string) []string {
	t.Helper()
	found, err := w.Search(t.Context(), actor, Query{Text: text, Limit: MaxHits})
	if err != nil {
		t.Fatalf("search %q: %v", text, err)
	}
	names := make([]string, len(found.People))
	for i, h := range found.People {
		names[i] = h.View.Card.DisplayName
	}
	return names
}

func (w *world) want(t testing.TB, actor parley.Actor, text string, names ...string) {
	t.Helper()
	if got := w.search(t, actor, text); !slices.Equal(got, names) {
		t.Errorf("%q finds %s, want %s", text, strings.Join(got, " | "), strings.Join(names, " | "))
	}
}

// quickStore does not look for addresses that are there twice.
type quickStore struct{ *fakeStore }

func (s quickStore) ApplyPeople(_ context.Context, changes []Change, _ parley.Alongside) ([]parley.PersonID, error) {
	ids := make([]parley.PersonID, len(changes))
	for i, c := range changes {
		if ids[i] = c.Person.ID; ids[i] == 0 {
			ids[i] = s.next
			s.next++
		}
	}
	return ids, nil
}
