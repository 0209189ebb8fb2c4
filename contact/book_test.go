package contact

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"parley"
	"parley/policy"
	"parley/privacy"
)

func TestCard(t *testing.T) {
	people := named("Chef", "Anna", "Berta", "Carl", "Dora")
	people[0].Manager = 1 // their own
	for i := 1; i < 4; i++ {
		people[i].Manager = 1
	}
	people[0].Mobile, people[0].Photo = "+49 151 1", 7
	f := fakeRelations{relations: []privacy.Relation{{Owner: 1, Other: 5, Level: privacy.Workgroup}, {Owner: 2, Other: 1, Level: privacy.Friends},
		{Owner: 3, Other: 5, Level: privacy.External}}}
	w := newWorld(t, newFakeStore(people...), policy.Default(), f)

	c, err := w.Card(t.Context(), as(5), 1)
	if err != nil || c.View.Card.Mobile == "" || c.Manager != nil || len(c.Reports) != 3 || c.Decided {
		t.Errorf("the manager's card: %+v, %v", c, err)
	}
	if c.View.Presence != (parley.Presence{}) {
		t.Errorf("a card has presence: %+v", c.View.Presence)
	}
	c, err = w.Card(t.Context(), as(1), 2)
	if err != nil || c.Manager == nil || c.Manager.Card.DisplayName != "Chef" || len(c.Reports) != 0 {
		t.Errorf("a report's card: %+v, %v", c, err)
	}
	if c.Decided {
		t.Error("the card tells what the other side decided")
	}
	if c, _ = w.Card(t.Context(), as(2), 1); !c.Decided || c.Relationship.Level != privacy.Friends {
		t.Errorf("the card does not tell what the viewer decided: %+v", c.Relationship)
	}
	for _, test := range []struct {
		actor parley.Actor
		id    parley.PersonID
	}{{as(1), 0}, {as(1), 6}, {as(1), 1 << 30}, {parley.Actor{}, 1}, {parley.Actor{Kind: parley.ActorGuest}, 1}, {parley.Actor{Kind: parley.ActorGuest, Person: 5}, 1}} {
		if _, err := w.Card(t.Context(), test.actor, test.id); err != parley.ErrWithheld {
			t.Errorf("%s asks for %s: %v", test.actor.Kind, test.id, err)
		}
		if view, ok := w.View(test.actor, test.id, parley.Presence{Availability: parley.Busy}); ok {
			t.Errorf("%s looks at %s and sees %+v", test.actor.Kind, test.id, view)
		}
		if _, _, err := w.Photo(t.Context(), test.actor, test.id, false); err != parley.ErrWithheld {
			t.Errorf("%s asks for the photo of %s: %v", test.actor.Kind, test.id, err)
		}
	}

	closed := policy.Default()
	closed.DirectoryPublic = 0
	w = newWorld(t, newFakeStore(people...), closed, f)
	if c, _ = w.Card(t.Context(), as(5), 1); len(c.Reports) != 2 {
		t.Errorf("a report who hides the manager is among %d reports", len(c.Reports))
	}
	if c, _ = w.Card(t.Context(), as(5), 3); c.Manager != nil {
		t.Error("a hidden manager is on the card")
	}
	remote := parley.Actor{Kind: parley.ActorRemote, Person: 77}
	if c, _ = w.Card(t.Context(), remote, 1); len(c.Reports) != 0 || c.View.Card.Mobile != "" || c.View.Card.DisplayName != "Chef" {
		t.Errorf("somebody outside sees %+v", c)
	}
}

func TestAPersonWhoIsGoneHasANameOnly(t *testing.T) {
	people := named("Anna", "Berta", "Chef")
	people[0].Gone, people[0].Photo, people[0].Title, people[0].Manager = true, 5, "Engineer", 3
	people[1].Manager = 1
	w := newWorld(t, newFakeStore(people...), policy.Default(), fakeRelations{})
	c, err := w.Card(t.Context(), as(2), 1)
	want := privacy.View{ID: 1, Card: privacy.Card{DisplayName: "Anna"}}
	if err != nil || !reflect.DeepEqual(c.View, want) || c.Manager != nil || c.Reports != nil {
		t.Errorf("the card of somebody gone: %+v, %v", c, err)
	}
	if _, _, err := w.Photo(t.Context(), as(2), 1, false); err != parley.ErrWithheld {
		t.Errorf("the photo of somebody gone: %v", err)
	}
	if c, _ := w.Card(t.Context(), as(2), 2); c.Manager != nil {
		t.Error("somebody gone manages")
	}
	if _, found := w.ByAddress("u1@firma.example"); found {
		t.Error("somebody gone has an address")
	}
	if p, found := w.BySource("source-1"); !found || p.ID != 1 {
		t.Error("somebody gone is not found by the directory's id")
	}
	if groups, err := w.Groups(t.Context(), as(1)); err != nil || groups != nil {
		t.Errorf("somebody gone has groups: %v, %v", groups, err)
	}
}

func TestViewJoinsPresence(t *testing.T) {
	f := fakeRelations{relations: []privacy.Relation{{Owner: 1, Other: 3, Level: privacy.Blocked}}}
	w := newWorld(t, newFakeStore(named("Anna", "Berta", "Carl")...), policy.Default(), f)
	busy := parley.Presence{Availability: parley.Busy, Note: "in the lab"}
	if v, ok := w.View(as(2), 1, busy); !ok || v.Presence != busy {
		t.Errorf("a colleague sees %+v", v.Presence)
	}
	if v, ok := w.View(as(3), 1, busy); !ok || v.Presence != (parley.Presence{Availability: parley.Offline}) {
		t.Errorf("somebody blocked sees %+v", v.Presence)
	}
	if _, ok := w.View(as(3), 9, busy); ok {
		t.Error("nobody has a view")
	}
}

func TestGroups(t *testing.T) {
	people := named("Ich", "Chef", "Zoe", "Adam", "Praktikant", "Fremder", "Andere Firma")
	people[0].Manager, people[2].Manager, people[3].Manager, people[4].Manager = 2, 2, 2, 1
	for i := range people[:6] {
		people[i].Department, people[i].Company = "Forschung", "Firma"
	}
	people[6].Department, people[6].Company = "Forschung", "Andere"
	w := newWorld(t, newFakeStore(people...), policy.Default(), fakeRelations{})
	groups, err := w.Groups(t.Context(), as(1))
	if err != nil || len(groups) != 2 {
		t.Fatalf("%d groups, %v", len(groups), err)
	}
	for i, want := range [][]string{{"Adam", "Chef", "Praktikant", "Zoe"}, {"Adam", "Chef", "Fremder", "Praktikant", "Zoe"}} {
		var got []string
		for _, v := range groups[i].People {
			got = append(got, v.Card.DisplayName)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", groups[i].ID, got, want)
		}
	}
	if groups[0].ID != "team" || groups[1].ID != "department" || groups[1].Name != "Forschung" {
		t.Errorf("groups are called %+v", groups)
	}
	if groups, _ := w.Groups(t.Context(), as(7)); len(groups) != 0 {
		t.Errorf("somebody alone has %+v", groups)
	}
	for _, a := range []parley.Actor{{}, {Kind: parley.ActorRemote, Person: 1}, {Kind: parley.ActorAdmin}, as(99),
		{Kind: parley.ActorAdmin, Person: 1}, {Kind: parley.ActorProgram, Person: 1}, {Kind: parley.ActorGuest, Person: 1}} {
		if groups, err := w.Groups(t.Context(), a); err != nil || groups != nil {
			t.Errorf("%s %s has groups %v, %v", a.Kind, a.Person, groups, err)
		}
	}
}

func TestLongListsEnd(t *testing.T) {
	people := named("Chef")
	for i := range 400 {
		p := named(fmt.Sprintf("Person %03d", 399-i))[0]
		p.ID, p.SourceID, p.Address = parley.PersonID(i+2), fmt.Sprint("s", i), fmt.Sprintf("p%d@firma.example", i)
		p.Manager, p.Department = 1, "Alle"
		people = append(people, p)
	}
	w := newWorld(t, newFakeStore(people...), policy.Default(), fakeRelations{})
	c, err := w.Card(t.Context(), as(5), 1)
	if err != nil || len(c.Reports) != MaxReports || c.Reports[0].Card.DisplayName != "Person 000" {
		t.Errorf("%d reports, the first %q, %v", len(c.Reports), c.Reports[0].Card.DisplayName, err)
	}
	groups, err := w.Groups(t.Context(), as(5))
	if err != nil || len(groups[1].People) != MaxDepartment {
		t.Errorf("%d in the department, %v", len(groups[1].People), err)
	}
}

func TestPhotoOnlyForWhoMaySee(t *testing.T) {
	people := named("Anna", "Berta", "Carl")
	people[0].Photo, people[1].Photo = 5, 6
	s := newFakeStore(people...)
	s.photos[1] = Photo{Small: []byte("s"), Large: []byte("l"), Version: 5}
	f := fakeRelations{preferences: []privacy.PersonPreferences{{Person: 2}}}
	w := newWorld(t, s, policy.Default(), f)
	for _, test := range []struct {
		large bool
		want  string
	}{{false, "s"}, {true, "l"}} {
		if got, v, err := w.Photo(t.Context(), as(3), 1, test.large); err != nil || string(got) != test.want || v != 5 {
			t.Errorf("large %t: %q version %d, %v", test.large, got, v, err)
		}
	}
	delete(s.photos, 1)
	for id, why := range map[parley.PersonID]string{1: "taken away meanwhile", 2: "not shared", 3: "none", 9: "nobody"} {
		if _, _, err := w.Photo(t.Context(), as(3), id, false); err != parley.ErrWithheld {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestApply(t *testing.T) {
	w := newWorld(t, newFakeStore(named("Anna", "Berta")...), policy.Default(), fakeRelations{})
	carl := parley.Person{SourceID: "c", DisplayName: "Carl", Address: "Carl@Firma.example", Department: "Neu", Manager: 1}
	anna, _ := w.Person(1)
	annaNow := anna
	annaNow.DisplayName, annaNow.Title = "Anna Neumann", "Chefin"
	berta, _ := w.Person(2)
	with := parley.Alongside{Audit: []parley.Audit{{Action: parley.AuditPeopleImported}}}
	o, err := w.Apply(t.Context(), []Change{
		{Person: carl, Photo: &Photo{Version: 9, Small: []byte("x")}}, {Person: annaNow, KeepPhoto: true}, {Person: berta},
	}, with)
	if err != nil || o != (Outcome{Added: 1, Updated: 1, Unchanged: 1}) {
		t.Fatalf("%+v, %v", o, err)
	}
	if !slices.Equal(w.store.chunks, []int{2}) || len(w.store.audit) != 1 {
		t.Errorf("stored %v with %d audit records", w.store.chunks, len(w.store.audit))
	}
	if len(w.events) != 1 || !reflect.DeepEqual(w.events[0], parley.PeopleChanged{People: []parley.PersonID{3, 1}}) {
		t.Errorf("told %+v", w.events)
	}
	if p, ok := w.ByAddress("carl@firma.EXAMPLE"); !ok || p.ID != 3 || p.Photo != 9 || p.SourceID != "c" {
		t.Errorf("Carl is %+v", p)
	}
	w.want(t, as(2), "neumann", "Anna Neumann")
	w.want(t, as(2), "carl", "Carl")

	// By the directory's id, without ours; then gone; then back.
	carl.DisplayName = "Karl"
	steps := []struct {
		change Change
		want   Outcome
		found  []string
	}{
		{Change{Person: carl, KeepPhoto: true}, Outcome{Updated: 1}, []string{"Karl"}},
		{Change{Person: carl, KeepPhoto: true}, Outcome{Unchanged: 1}, []string{"Karl"}},
		{Change{Person: parley.Person{ID: 3}, Gone: true}, Outcome{Gone: 1}, nil},
		{Change{Person: parley.Person{ID: 3}, Gone: true}, Outcome{Unchanged: 1}, nil},
		{Change{Person: carl, KeepPhoto: true}, Outcome{Updated: 1}, []string{"Karl"}},
	}
	for i, step := range steps {
		if o, err := w.Apply(t.Context(), []Change{step.change}, parley.Alongside{}); err != nil || o != step.want {
			t.Errorf("step %d: %+v, %v", i, o, err)
		}
		w.want(t, as(2), "karl", step.found...)
	}
	if c, _ := w.Card(t.Context(), as(2), 1); len(c.Reports) != 1 {
		t.Errorf("Anna has %d reports", len(c.Reports))
	}
}

// The address of a card's link may be written as people write it.
func TestByAddressInItsOtherForms(t *testing.T) {
	w := newWorld(t, newFakeStore(parley.Person{ID: 1, SourceID: "j", Address: "jörg@xn--exmple-cua.test", DisplayName: "Jörg"}), policy.Default(), fakeRelations{})
	for _, form := range []string{"jörg@xn--exmple-cua.test", "Jörg@XN--exmple-cua.test", "Jörg@Exämple.test", " jo\u0308rg@exämple.test"} {
		if p, ok := w.ByAddress(form); !ok || p.SourceID != "j" {
			t.Errorf("%q finds %+v", form, p)
		}
	}
	for _, none := range []string{"", "@", "jörg", "jorg@exämple.test"} {
		if p, ok := w.ByAddress(none); ok {
			t.Errorf("%q finds %+v", none, p)
		}
	}
}

func TestApplyRefusesAndFails(t *testing.T) {
	w := newWorld(t, newFakeStore(named("Anna")...), policy.Default(), fakeRelations{})
	for name, changes := range map[string][]Change{
		"too many":     make([]Change, MaxChunk+1),
		"unknown id":   {{Person: parley.Person{ID: 9}}},
		"nobody, gone": {{Gone: true}},
	} {
		if _, err := w.Apply(t.Context(), changes, parley.Alongside{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	w.store.fail = errors.New("disk full")
	anna, _ := w.Person(1)
	anna.DisplayName = "Berta"
	if _, err := w.Apply(t.Context(), []Change{{Person: anna}}, parley.Alongside{}); !errors.Is(err, w.store.fail) {
		t.Errorf("a failing store: %v", err)
	}
	if len(w.events) != 0 {
		t.Errorf("told of nothing: %v", w.events)
	}
	w.want(t, as(1), "anna", "Anna")
	w.want(t, as(1), "berta")
}

// After any order of changes the Book is as if it had started with the result.
func TestABookThatChangedIsLikeOneThatStarted(t *testing.T) {
	people := crowd(300)
	w := newWorld(t, newFakeStore(), policy.Default(), fakeRelations{})
	for round := range 4 {
		var changes []Change
		for i, p := range people {
			p.ID, p.Manager = 0, 0
			if i%3 == round%3 {
				p.DisplayName, p.Department = people[(i+round*7)%300].DisplayName, people[(i+round)%300].Department
			}
			if round > 0 && i%11 == round {
				known, _ := w.BySource(p.SourceID)
				changes = append(changes, Change{Person: parley.Person{ID: known.ID}, Gone: true})
				continue
			}
			p.Manager = parley.PersonID((i*round)%37 + 1)
			changes = append(changes, Change{Person: p})
		}
		for chunk := range slices.Chunk(changes, importChunk) {
			if _, err := w.Apply(t.Context(), chunk, parley.Alongside{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	fresh := newWorld(t, w.store, policy.Default(), fakeRelations{})
	w.shared, fresh.shared = nil, nil
	for name, pair := range map[string][2]any{
		"people": {w.people, fresh.people}, "words": {w.index.words, fresh.index.words}, "grams": {w.index.grams, fresh.index.grams},
		"byName": {w.byName, fresh.byName}, "bySource": {w.bySource, fresh.bySource}, "byAddress": {w.byAddress, fresh.byAddress},
		"reports": {w.reports, fresh.reports}, "departments": {w.departments, fresh.departments},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s differ", name)
		}
	}
}

func TestSearchWhilePeopleChange(t *testing.T) {
	people := crowd(600)
	w := newWorld(t, newFakeStore(people[:300]...), policy.Default(), fakeRelations{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for round := range 3 {
			for chunk := range slices.Chunk(people, 50) {
				changes := make([]Change, len(chunk))
				for i, p := range chunk {
					p.ID, p.Manager = 0, 0
					p.Title = fmt.Sprint(round)
					changes[i] = Change{Person: p}
				}
				if _, err := w.Apply(t.Context(), changes, parley.Alongside{}); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for viewer := range parley.PersonID(4) {
		wg.Go(func() {
			for i := range 100 {
				p := people[(i*7)%300]
				found, err := w.Search(t.Context(), as(viewer+1), Query{Text: p.Alias, Limit: 5})
				if err != nil || len(found.People) != 1 || found.People[0].View.ID != p.ID {
					t.Errorf("%q finds %d people, %v", p.Alias, len(found.People), err)
				}
				if _, err := w.Groups(t.Context(), as(viewer+1)); err != nil {
					t.Error(err)
				}
				if _, err := w.Card(t.Context(), as(viewer+1), p.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
