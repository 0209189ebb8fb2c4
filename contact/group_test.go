package contact

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"parley"
	"parley/policy"
	"parley/privacy"
)

func (w *world) applyGroups(t testing.TB, changes ...GroupChange) Outcome {
	t.Helper()
	o, err := w.ApplyGroups(t.Context(), changes, parley.Alongside{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func ids(people ...parley.PersonID) []parley.PersonID { return people }

func TestApplyGroups(t *testing.T) {
	w := newWorld(t, newFakeStore(named("Anna", "Berta", "Carl")...), policy.Default(), fakeRelations{})
	crew := GroupChange{SourceID: "crew", Name: "Crew", Mail: "Crew@Firma.example", Description: "Everybody outdoors", Listed: true,
		People: ids(3, 1, 3), GroupSources: []string{"masons", "nobody"}}
	masons := GroupChange{SourceID: "masons", Name: "Masons", Listed: true, People: ids(2), GroupSources: []string{"crew"}}
	if o := w.applyGroups(t, crew); o != (Outcome{Added: 1}) {
		t.Errorf("first: %+v", o)
	}
	if o := w.applyGroups(t, crew, masons); o != (Outcome{Added: 1, Unchanged: 1}) || len(w.events) != 2 {
		t.Errorf("second: %+v, %d events", o, len(w.events))
	}
	g, ok := w.GroupBySource("crew")
	if !ok || !slices.Equal(g.People, ids(1, 3)) || len(g.Groups) != 1 || g.Gone {
		t.Errorf("the crew is %+v", g)
	}
	for person, want := range map[parley.PersonID]bool{1: true, 2: true, 3: true, 4: false} {
		if w.InGroup(person, "crew") != want || w.InGroup(person, "masons") != want { // a circle
			t.Errorf("%s is in the circle: %t", person, !want)
		}
	}
	if w.InGroup(1, "nobody") || w.InGroup(1, "") {
		t.Error("somebody is in a group that there is not")
	}
	crew.People = ids(2)
	again := crew
	if o := w.applyGroups(t, GroupChange{SourceID: "crew", Name: "before"}, again, GroupChange{SourceID: "never", Gone: true}); o != (Outcome{Updated: 1, Unchanged: 1}) {
		t.Errorf("a group that comes twice: %+v", o)
	}
	if o := w.applyGroups(t, GroupChange{SourceID: "crew", Gone: true}); o != (Outcome{Gone: 1}) {
		t.Errorf("gone: %+v", o)
	}
	if g, ok := w.DirectoryGroup(g.ID); !ok || !g.Gone || g.Name != "Crew" || len(g.People) != 0 || w.InGroup(2, "crew") || !w.InGroup(2, "masons") {
		t.Errorf("a group that is gone is %+v", g)
	}
	if o := w.applyGroups(t, again); o != (Outcome{Updated: 1}) || !w.InGroup(2, "crew") {
		t.Errorf("back again: %+v", o)
	}
	if _, err := w.ApplyGroups(t.Context(), []GroupChange{{Name: "x"}}, parley.Alongside{}); !errors.Is(err, ErrNoSource) {
		t.Errorf("a group without an id: %v", err)
	}
	// What another node or a start reads is the same.
	other := newWorld(t, w.store, policy.Default(), fakeRelations{})
	for _, source := range []string{"crew", "masons"} {
		a, _ := w.GroupBySource(source)
		b, ok := other.GroupBySource(source)
		if !ok || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%s: %+v, read again %+v", source, a, b)
		}
	}
	w.applyGroups(t, GroupChange{SourceID: "masons", Name: "Renamed", Listed: true, People: ids(1)})
	m, _ := w.GroupBySource("masons")
	if err := other.RefreshGroups(t.Context(), []parley.DirectoryGroupID{m.ID}); err != nil {
		t.Fatal(err)
	}
	if b, _ := other.GroupBySource("masons"); fmt.Sprint(b) != fmt.Sprint(m) || other.InGroup(2, "masons") {
		t.Errorf("refreshed %+v, want %+v", b, m)
	}
}

// A group of everybody is stored in transactions that messages do not wait for.
func TestLargeGroupsComeInParts(t *testing.T) {
	w := newWorld(t, newFakeStore(crowd(2500)...), policy.Default(), fakeRelations{})
	var all []parley.PersonID
	for i := range parley.PersonID(2500) {
		all = append(all, i+1)
	}
	audit := parley.Alongside{Audit: []parley.Audit{{Action: parley.AuditPeopleImported}}}
	if _, err := w.ApplyGroups(t.Context(), []GroupChange{{SourceID: "a"}, {SourceID: "all", Name: "All", Listed: true, People: all}, {SourceID: "b"}}, audit); err != nil {
		t.Fatal(err)
	}
	if len(w.store.rows) < 3 || slices.Max(w.store.rows) > maxGroupRows+1 || len(w.store.besides) != 1 {
		t.Errorf("transactions of %v rows, %d audit records", w.store.rows, len(w.store.besides))
	}
	if g, _ := w.GroupBySource("all"); !slices.Equal(g.People, all) {
		t.Errorf("%d people are in it", len(g.People))
	}
	if len(w.events) != 1 {
		t.Errorf("told %d times", len(w.events))
	}
	// Page by page it gives everybody once, by name.
	g, _ := w.GroupBySource("all")
	var got []parley.PersonID
	for after, more := parley.PersonID(0), true; more; {
		c, err := w.Expand(t.Context(), as(9), g.ID, after)
		if err != nil || len(c.People) == 0 || len(c.People) > GroupPage {
			t.Fatalf("%d people, %v", len(c.People), err)
		}
		for _, v := range c.People {
			got = append(got, v.ID)
		}
		after, more = got[len(got)-1], c.More
	}
	if !slices.Equal(got, w.byName) {
		t.Errorf("the pages give %d people, or in another order", len(got))
	}
	w.store.failNext = errors.New("disk")
	if _, err := w.ApplyGroups(t.Context(), []GroupChange{{SourceID: "all", Gone: true}}, audit); err == nil || !w.InGroup(1, "all") {
		t.Errorf("a store that fails: %v", err)
	}
}

func TestExpand(t *testing.T) {
	people := named("Carl", "Anna", "Berta", "Dora", "Gone")
	people[4].Gone = true
	people[1].Title = "Mason"
	f := fakeRelations{relations: []privacy.Relation{{Owner: 2, Other: 9, Level: privacy.Blocked}}}
	w := newWorld(t, newFakeStore(people...), policy.Default(), f)
	w.applyGroups(t, GroupChange{SourceID: "crew", Name: "Crew", Listed: true, People: ids(1, 2, 3, 5), GroupSources: []string{"z", "a", "rule", "gone"}},
		GroupChange{SourceID: "z", Name: "Zeta", Listed: true}, GroupChange{SourceID: "a", Name: "Alpha", Listed: true},
		GroupChange{SourceID: "rule", Name: "Rule", People: ids(1)})
	crew, _ := w.GroupBySource("crew")
	rule, _ := w.GroupBySource("rule")
	c, err := w.Expand(t.Context(), as(9), crew.ID, 0)
	if err != nil || len(c.People) != 3 || c.People[0].Card.DisplayName != "Anna" || c.People[0].Card.Title != "Mason" || c.More || len(c.Group.People) > 0 {
		t.Errorf("the crew is %+v, %v", c, err)
	}
	if len(c.Groups) != 2 || c.Groups[0].Name != "Alpha" || c.Groups[1].Name != "Zeta" {
		t.Errorf("the groups in it are %+v", c.Groups)
	}
	if c, err = w.Expand(t.Context(), as(9), crew.ID, 3); err != nil || len(c.People) != 1 || c.People[0].ID != 1 {
		t.Errorf("behind Berta: %+v, %v", c.People, err)
	}
	for what, ask := range map[string]func() error{
		"a group of a rule": func() error { _, err := w.Expand(t.Context(), as(9), rule.ID, 0); return err },
		"no group":          func() error { _, err := w.Expand(t.Context(), as(9), 4711, 0); return err },
		"somebody from outside": func() error {
			_, err := w.Expand(t.Context(), parley.Actor{Kind: parley.ActorRemote, Person: 1}, crew.ID, 0)
			return err
		},
		"nobody": func() error { _, err := w.Expand(t.Context(), parley.Actor{}, crew.ID, 0); return err },
	} {
		if err := ask(); parley.KindOf(err) != parley.NotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, ok := w.ShownGroup(as(9), rule.ID); ok {
		t.Error("a group of a rule is shown")
	}
	found, err := w.Search(t.Context(), as(9), Query{Text: "crew"})
	if err != nil || len(found.Groups) != 1 || found.Groups[0].Name != "Crew" || found.Groups[0].People != nil {
		t.Errorf("the search finds %+v, %v", found.Groups, err)
	}
}
