package privacy

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"sync"
	"testing"

	"parley"
	"parley/policy"
)

// fakeStore keeps what a Gate stores in memory.
type fakeStore struct {
	mu          sync.Mutex
	relations   map[[2]parley.PersonID]Relation
	preferences map[parley.PersonID]Preferences
	fail        error
	unread      error // reading a single row fails
}

func newFakeStore(relations ...Relation) *fakeStore {
	s := &fakeStore{relations: map[[2]parley.PersonID]Relation{}, preferences: map[parley.PersonID]Preferences{}}
	for _, r := range relations {
		s.relations[[2]parley.PersonID{r.Owner, r.Other}] = r
	}
	return s
}

func (s *fakeStore) Relations(context.Context) iter.Seq2[Relation, error] {
	return func(yield func(Relation, error) bool) {
		for _, r := range s.relations {
			if !yield(r, s.fail) {
				return
			}
		}
	}
}

func (s *fakeStore) SetRelation(_ context.Context, r Relation, _ parley.Alongside) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.relations[[2]parley.PersonID{r.Owner, r.Other}] = r
	}
	return s.fail
}

func (s *fakeStore) Relation(_ context.Context, owner, other parley.PersonID) (Relation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unread != nil {
		return Relation{}, s.unread
	}
	if r, ok := s.relations[[2]parley.PersonID{owner, other}]; ok {
		return r, nil
	}
	return Relation{}, parley.ErrWithheld
}

func (s *fakeStore) PreferencesOf(_ context.Context, id parley.PersonID) (Preferences, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unread != nil {
		return Preferences{}, s.unread
	}
	if p, ok := s.preferences[id]; ok {
		return p, nil
	}
	return DefaultPreferences, nil
}

func (s *fakeStore) AllPreferences(context.Context) iter.Seq2[PersonPreferences, error] {
	return func(yield func(PersonPreferences, error) bool) {
		for id, p := range s.preferences {
			if !yield(PersonPreferences{id, p}, s.fail) {
				return
			}
		}
	}
}

func (s *fakeStore) SetPreferences(_ context.Context, id parley.PersonID, p Preferences, _ parley.Alongside) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.preferences[id] = p
	}
	return s.fail
}

func newGate(t testing.TB, s Store, p policy.Source, announce func(parley.Event)) *Gate {
	t.Helper()
	g, err := NewGate(t.Context(), Config{Store: s, Policy: p, Announce: announce})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func person(id parley.PersonID) parley.Actor {
	return parley.Actor{Kind: parley.ActorPerson, Person: id, Device: 1, Class: parley.Desktop}
}

func TestClassOfActors(t *testing.T) {
	s := newFakeStore(
		Relation{1, 2, Workgroup, true}, Relation{1, 3, Blocked, true}, Relation{1, 4, External, false},
		Relation{1, 5, Friends, true}, Relation{1, 6, Friends, false},
		Relation{9, 2, Workgroup, true}, Relation{9, 3, Blocked, true}, Relation{9, 6, Friends, false})
	s.preferences[9] = Preferences{OnlyContacts: true}
	rules := policy.Default()
	g := newGate(t, s, policy.Fixed(rules), nil)
	rules.PrivacyMode = false
	withoutMode := newGate(t, s, policy.Fixed(rules), nil)

	remote := func(id parley.PersonID) parley.Actor { return parley.Actor{Kind: parley.ActorRemote, Person: id} }
	for _, test := range []struct {
		name   string
		gate   *Gate
		owner  parley.PersonID
		viewer parley.Actor
		want   Class
	}{
		{"nobody", g, 1, parley.Actor{}, Nothing},
		{"nobody with a name", g, 1, parley.Actor{Person: 1}, Nothing},
		{"self", g, 1, person(1), Self},
		{"self under Privacy Mode", g, 9, person(9), Self},
		{"own program", g, 1, parley.Actor{Kind: parley.ActorProgram, Person: 1}, Self},
		{"own number from elsewhere", g, 1, remote(1), ClassOf(External, false)},
		{"default inside", g, 1, person(7), ClassOf(Colleagues, true)},
		{"default outside", g, 1, remote(7), ClassOf(External, false)},
		{"guest", g, 1, parley.Actor{Kind: parley.ActorGuest}, ClassOf(External, false)},
		{"nobody owns anything", g, 4000, person(7), ClassOf(Colleagues, true)},
		{"workgroup", g, 1, person(2), ClassOf(Workgroup, true)},
		{"workgroup outside", g, 1, remote(2), ClassOf(Workgroup, false)},
		{"blocked", g, 1, person(3), ClassOf(Blocked, true)},
		{"external inside", g, 1, person(4), ClassOf(External, true)},
		{"friend", g, 1, person(5), ClassOf(Friends, true)},
		{"the relation is the owner's, not the viewer's", g, 2, person(1), ClassOf(Colleagues, true)},
		{"a program has its owner's level", g, 1, parley.Actor{Kind: parley.ActorProgram, Person: 3}, ClassOf(Blocked, true)},
		{"an administrator has the own level", g, 1, parley.Actor{Kind: parley.ActorAdmin, Person: 3}, ClassOf(Blocked, true)},
		{"an administrator without a person", g, 1, parley.Actor{Kind: parley.ActorAdmin}, ClassOf(Colleagues, true)},
		{"stranger under Privacy Mode", g, 9, person(7), NonContactClass(true)},
		{"stranger outside under Privacy Mode", g, 9, remote(7), NonContactClass(false)},
		{"guest under Privacy Mode", g, 9, parley.Actor{Kind: parley.ActorGuest}, NonContactClass(false)},
		{"administrator under Privacy Mode", g, 9, parley.Actor{Kind: parley.ActorAdmin}, NonContactClass(true)},
		{"contact under Privacy Mode", g, 9, person(2), ClassOf(Workgroup, true)},
		{"blocked under Privacy Mode", g, 9, person(3), ClassOf(Blocked, true)},
		{"friend, but no contact, under Privacy Mode", g, 9, person(6), NonContactClass(true)},
		{"Privacy Mode that is not offered", withoutMode, 9, person(7), ClassOf(Colleagues, true)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.gate.Class(test.owner, test.viewer); got != test.want {
				t.Errorf("class %s, want %s", got, test.want)
			}
		})
	}
}

func TestReach(t *testing.T) {
	s := newFakeStore(Relation{1, 3, Blocked, false})
	s.preferences[9] = Preferences{OnlyContacts: true}
	rules := policy.Default()
	g := newGate(t, s, policy.Fixed(rules), nil)
	rules.NonContactsMayReach = false
	strict := newGate(t, s, policy.Fixed(rules), nil)
	for _, test := range []struct {
		name string
		gate *Gate
		from parley.Actor
		to   parley.PersonID
		want Reach
	}{
		{"colleague", g, person(2), 1, ReachYes},
		{"blocked", g, person(3), 1, ReachSilently},
		{"the blocker to the blocked", g, person(1), 3, ReachYes},
		{"non-contact", g, person(2), 9, ReachYes},
		{"non-contact where the operator forbids it", strict, person(2), 9, ReachNo},
		{"nobody", g, parley.Actor{}, 1, ReachNo},
	} {
		if got := test.gate.Reach(test.from, test.to); got != test.want {
			t.Errorf("%s: reach %d, want %d", test.name, got, test.want)
		}
	}
}

func TestOnlyTheOwnerDecides(t *testing.T) {
	s := newFakeStore()
	g := newGate(t, s, policy.Fixed(policy.Default()), nil)
	r := Relation{Owner: 1, Other: 2, Level: Workgroup}
	for _, actor := range []parley.Actor{
		{}, person(2), parley.System, {Kind: parley.ActorAdmin, Person: 1}, {Kind: parley.ActorProgram, Person: 1},
		{Kind: parley.ActorRemote, Person: 1}, {Kind: parley.ActorGuest, Person: 1},
	} {
		if err := g.SetRelation(t.Context(), actor, r); parley.KindOf(err) != parley.Forbidden {
			t.Errorf("%s %s sets a relation of another: %v", actor.Kind, actor.Person, err)
		}
		if err := g.SetPreferences(t.Context(), actor, 1, Preferences{}); parley.KindOf(err) != parley.Forbidden {
			t.Errorf("%s %s sets preferences of another: %v", actor.Kind, actor.Person, err)
		}
	}
	for _, wrong := range []Relation{{1, 1, Friends, false}, {1, 0, Friends, false}, {1, 2, numLevels, false}} {
		if err := g.SetRelation(t.Context(), person(1), wrong); parley.KindOf(err) != parley.Invalid {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	if len(s.relations)+len(s.preferences) != 0 {
		t.Error("a refused change was stored")
	}
}

func TestSetRelationStoresThenCountsThenTells(t *testing.T) {
	s := newFakeStore()
	var told []parley.Event
	var g *Gate
	g = newGate(t, s, policy.Fixed(policy.Default()), func(e parley.Event) {
		if g.Class(1, person(2)) != ClassOf(Workgroup, true) || len(s.relations) != 1 {
			t.Error("told before it was so")
		}
		told = append(told, e)
	})
	r := Relation{Owner: 1, Other: 2, Level: Workgroup, InContacts: true}
	if err := g.SetRelation(t.Context(), person(1), r); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0] != (parley.RelationChanged{Owner: 1, Other: 2}) {
		t.Errorf("told %v", told)
	}
	if got, stored := g.Relation(person(1), 2); !stored || got != r {
		t.Errorf("relation reads back as %+v, %t", got, stored)
	}
	if _, stored := g.Relation(parley.Actor{Kind: parley.ActorAdmin, Person: 1}, 2); stored {
		t.Error("an administrator reads a relation")
	}
	if err := g.SetPreferences(t.Context(), person(1), 1, Preferences{OnlyContacts: true}); err != nil {
		t.Fatal(err)
	}
	if g.Class(1, person(3)) != NonContactClass(true) || g.Class(1, person(2)) != ClassOf(Workgroup, true) {
		t.Error("Privacy Mode does not hold at once")
	}

	again := newGate(t, s, policy.Fixed(policy.Default()), nil)
	if got, _ := again.Relation(person(1), 2); got != r || again.Preferences(1) != (Preferences{OnlyContacts: true}) {
		t.Error("a Gate that starts anew knows otherwise")
	}
	if again.Preferences(2) != DefaultPreferences || again.Preferences(4000) != DefaultPreferences {
		t.Error("preferences of somebody who never chose are not the default")
	}
}

func TestAFailedStoreChangesNothing(t *testing.T) {
	s := newFakeStore(Relation{1, 2, Friends, false})
	g := newGate(t, s, policy.Fixed(policy.Default()), func(parley.Event) { t.Error("told of a failure") })
	s.fail = errors.New("disk full")
	if err := g.SetRelation(t.Context(), person(1), Relation{1, 2, Blocked, false}); !errors.Is(err, s.fail) {
		t.Errorf("SetRelation: %v", err)
	}
	if err := g.SetPreferences(t.Context(), person(1), 1, Preferences{}); !errors.Is(err, s.fail) {
		t.Errorf("SetPreferences: %v", err)
	}
	if got := g.Class(1, person(2)); got != ClassOf(Friends, true) {
		t.Errorf("class is %s after a failed change", got)
	}
	if _, err := NewGate(t.Context(), Config{Store: s, Policy: policy.Fixed(policy.Default())}); !errors.Is(err, s.fail) {
		t.Errorf("NewGate over a broken store: %v", err)
	}
	if _, err := NewGate(t.Context(), Config{Store: newFakeStore(Relation{1, 2, numLevels, false}), Policy: policy.Fixed(policy.Default())}); err == nil {
		t.Error("NewGate takes a level that does not exist")
	}
}

// What was stored holds, also when the database is gone a moment later: no other
// node would ever tell this one of its own change.
func TestWhatWasStoredHoldsThoughItCannotBeReadAgain(t *testing.T) {
	s := newFakeStore()
	rules := policy.Default()
	rules.PrivacyMode = true
	told := 0
	g := newGate(t, s, policy.Fixed(rules), func(parley.Event) { told++ })
	s.unread = errors.New("out of reach")
	if err := g.SetRelation(t.Context(), person(1), Relation{Owner: 1, Other: 2, Level: Blocked}); err != nil {
		t.Errorf("SetRelation: %v", err)
	}
	if got := g.Class(1, person(2)); got.Level() != Blocked {
		t.Errorf("who was blocked is %v", got)
	}
	if err := g.SetPreferences(t.Context(), person(1), 1, Preferences{OnlyContacts: true}); err != nil {
		t.Errorf("SetPreferences: %v", err)
	}
	if got := g.Class(1, person(3)); got != NonContactClass(true) {
		t.Errorf("a stranger is %v to somebody in Privacy Mode", got)
	}
	if told != 3 { // of the relation, of the switches, and of what others see of the person
		t.Errorf("told %d times", told)
	}
}

func TestGateUnderConcurrentChange(t *testing.T) {
	g := newGate(t, newFakeStore(), policy.Fixed(policy.Default()), nil)
	var wg sync.WaitGroup
	for owner := range parley.PersonID(8) {
		wg.Go(func() {
			for other := range parley.PersonID(50) {
				if other == owner {
					continue
				}
				if err := g.SetRelation(t.Context(), person(owner+1), Relation{owner + 1, other + 1, Workgroup, true}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for i := range 2000 {
				c := g.Class(parley.PersonID(i%8+1), person(parley.PersonID(i%60+1)))
				if l := c.Level(); c != Self && l != Colleagues && l != Workgroup {
					t.Errorf("class %s", c)
				}
			}
		})
	}
	wg.Wait()
	for owner := range parley.PersonID(8) {
		if got := g.Class(owner+1, person(50)); got != ClassOf(Workgroup, true) {
			t.Errorf("%s to p50: %s", owner+1, got)
		}
	}
}

func TestClassDoesNotAllocate(t *testing.T) {
	g, viewer := crowd(t), person(17)
	if n := testing.AllocsPerRun(1000, func() { g.Class(3, viewer); g.Class(4, viewer) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// crowd is a Gate of 20,000 people with 80 relations each.
func crowd(tb testing.TB) *Gate {
	g := newGate(tb, newFakeStore(), policy.Fixed(policy.Default()), nil)
	r := rand.New(rand.NewPCG(1, 2))
	for owner := range parley.PersonID(20_000) {
		for range 80 {
			g.remember(Relation{owner + 1, parley.PersonID(r.IntN(20_000) + 1), Level(r.IntN(numLevels)), true})
		}
		if owner%10 == 0 {
			g.owner(owner + 1).preferences.OnlyContacts = true
		}
	}
	return g
}

func BenchmarkClass(b *testing.B) {
	g := crowd(b)
	b.ReportAllocs()
	i := uint32(0)
	for b.Loop() {
		i = i*1664525 + 1013904223
		g.Class(parley.PersonID((i>>8)%20_000+1), person(parley.PersonID((i>>4)%20_000+1)))
	}
}

func BenchmarkRender(b *testing.B) {
	f := Facts{Person: fullPerson(), Presence: fullPresence(), Preferences: DefaultPreferences}
	p := policy.Default()
	b.ReportAllocs()
	for b.Loop() {
		Render(f, ClassOf(Colleagues, true), p)
	}
}

// What a decision leaves open stays as it is stored by then, and only what changed
// is told.
func TestDecide(t *testing.T) {
	s := newFakeStore(Relation{1, 2, Friends, false}, Relation{1, 4, External, true})
	var told []parley.Event
	g := newGate(t, s, policy.Fixed(policy.Default()), func(e parley.Event) { told = append(told, e) })
	yes, level := true, Level(Blocked)
	decisions := []Decision{{Other: 2, InContacts: &yes}, {Other: 3, Level: &level}, {Other: 4, InContacts: &yes}}
	commit := func(context.Context) error {
		for _, d := range decisions {
			was, stored := g.Relation(person(1), d.Other)
			if err := s.SetRelation(t.Context(), d.On(1, was, stored), parley.Alongside{}); err != nil {
				return err
			}
		}
		return nil
	}
	if err := g.Decide(t.Context(), person(1), decisions, commit); err != nil {
		t.Fatal(err)
	}
	for _, want := range []Relation{{1, 2, Friends, true}, {1, 3, Blocked, false}, {1, 4, External, true}} {
		if got, stored := g.Relation(person(1), want.Other); !stored || got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if len(told) != 2 || told[0] != (parley.RelationChanged{Owner: 1, Other: 2}) || told[1] != (parley.RelationChanged{Owner: 1, Other: 3}) {
		t.Errorf("told %v", told)
	}
	wrong := Level(numLevels)
	never := func(context.Context) error { t.Error("what is refused is stored"); return nil }
	for _, d := range []Decision{{Other: 0}, {Other: 1}, {Other: 2, Level: &wrong}} {
		if err := g.Decide(t.Context(), person(1), []Decision{d}, never); parley.KindOf(err) != parley.Invalid {
			t.Errorf("%+v: %v", d, err)
		}
	}
	for _, actor := range []parley.Actor{{}, parley.System, {Kind: parley.ActorProgram, Person: 1}, {Kind: parley.ActorAdmin, Person: 1}} {
		if err := g.Decide(t.Context(), actor, decisions, never); parley.KindOf(err) != parley.Forbidden {
			t.Errorf("%v decides: %v", actor.Kind, err)
		}
	}
}
