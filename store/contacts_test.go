package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/contact"
	"parley/privacy"
)

func put(c contact.ContactID) contact.ListChange { return contact.ListChange{Contact: c} }

// noticeTo is a change that tells, if anybody is to be told.
func noticeTo(other parley.PersonID) contact.ListChange {
	return contact.ListChange{
		Contact: contact.ContactPerson(other),
		Notice:  &parley.Entry{Stream: parley.PrivateStream(other), Kind: parley.KindNotice, Content: contact.AddedContent, Body: parley.Body("{}")},
	}
}

func relisted(t *testing.T, w *world, owner parley.PersonID, changes ...contact.ListChange) int64 {
	t.Helper()
	return must(w.ChangeContacts(t.Context(), owner, changes, parley.Alongside{}))(t)
}

func listOf(t *testing.T, w *world, owner parley.PersonID) contact.ContactList {
	t.Helper()
	return must(w.ContactList(t.Context(), owner))(t)
}

func edited(t *testing.T, w *world, owner parley.PersonID, edit contact.GroupEdit) contact.GroupID {
	t.Helper()
	edit.Folded = contact.FoldGroupName(edit.Name)
	id, _, err := w.EditGroup(t.Context(), owner, edit, parley.Alongside{})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestContactListComesBackWhole(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		check(t, w.SetRelation(t.Context(), privacy.Relation{Owner: 1, Other: 9, Level: privacy.Blocked}, parley.Alongside{}))
		check(t, w.SetRelation(t.Context(), privacy.Relation{Owner: 2, Other: 3, Level: privacy.Friends, InContacts: true}, parley.Alongside{}))
		if got := listOf(t, w, 1); got.Version != 0 || len(got.Contacts) != 0 || len(got.Groups) != 0 {
			t.Errorf("an empty list is %+v", got)
		}
		one, two := edited(t, w, 1, contact.GroupEdit{Name: "One"}), edited(t, w, 1, contact.GroupEdit{Name: "Two"})
		yes, workgroup := true, privacy.Workgroup
		both := []contact.GroupID{two, one, two}
		first := []contact.GroupID{one}
		relisted(t, w, 1, contact.ListChange{Contact: 2, Favourite: &yes, Groups: &both, Level: &workgroup}, put(3), contact.ListChange{Contact: contact.ContactGroup(5), Groups: &first})
		start := 0
		edited(t, w, 1, contact.GroupEdit{ID: two, Place: &start})
		want := contact.ContactList{Version: 4, Groups: []contact.OwnGroup{{ID: two, Name: "Two"}, {ID: one, Name: "One"}}, Contacts: []contact.Listed{
			{Contact: -5, Groups: []contact.GroupID{one}},
			{Contact: 2, Level: privacy.Workgroup, Groups: []contact.GroupID{contact.Favourites, one, two}},
			{Contact: 3, Level: privacy.Colleagues},
		}}
		if got := listOf(t, w, 1); !reflect.DeepEqual(got, want) {
			t.Errorf("stored\n%+v\nwant\n%+v", got, want)
		}
		version := want.Version
		for _, again := range [][]contact.ListChange{
			{{Contact: 2, Favourite: &yes, Groups: &both, Level: &workgroup}}, {put(3)}, {put(contact.ContactGroup(5))}, {{Contact: 8, Remove: true}}, {{Contact: 9, Remove: true}},
		} {
			if got := relisted(t, w, 1, again...); got != version {
				t.Errorf("what changes nothing makes version %d of %d", got, version)
			}
		}
		relisted(t, w, 1, contact.ListChange{Contact: 2, Remove: true}, contact.ListChange{Contact: -5, Remove: true})
		if got := listOf(t, w, 1); len(got.Contacts) != 1 || got.Contacts[0].Contact != 3 {
			t.Errorf("removed, the list is %+v", got)
		}
		if r := must(w.Relation(t.Context(), 1, 2))(t); r.InContacts || r.Level != privacy.Workgroup {
			t.Errorf("removed, the relation is %+v", r)
		}
		if got := listOf(t, w, 2); len(got.Contacts) != 1 || got.Version != 0 {
			t.Errorf("another list is %+v", got)
		}
	})
}

// The limits hold within the commit, and what is refused leaves nothing.
func TestContactListHasLimits(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		for n := 2; n < 2+contact.MaxContacts; n += contact.MaxListChanges {
			var changes []contact.ListChange
			for i := range contact.MaxListChanges {
				changes = append(changes, put(contact.ContactID(n+i)))
			}
			relisted(t, w, 1, changes...)
		}
		version := listOf(t, w, 1).Version
		for _, more := range [][]contact.ListChange{{put(5000)}, {put(contact.ContactGroup(7))}, {{Contact: 5, Remove: true}, put(5000), put(5001)}} {
			if _, err := w.ChangeContacts(t.Context(), 1, more, parley.Alongside{}); !errors.Is(err, contact.ErrTooManyContacts) {
				t.Errorf("one too many: %v", err)
			}
		}
		if _, err := w.ChangeContacts(t.Context(), 1, []contact.ListChange{{Contact: 5, Groups: &[]contact.GroupID{3}}}, parley.Alongside{}); !errors.Is(err, contact.ErrNoGroup) {
			t.Errorf("a group that there is not: %v", err)
		}
		if got := listOf(t, w, 1); got.Version != version || len(got.Contacts) != contact.MaxContacts {
			t.Errorf("version %d of %d contacts, was %d", got.Version, len(got.Contacts), version)
		}
		relisted(t, w, 1, contact.ListChange{Contact: 5, Remove: true}, put(5000)) // one goes, one comes

		// A group that the directory has no longer takes no room, nor one that is not shown.
		groups := must(w.ApplyGroups(t.Context(), []contact.GroupRows{
			{Group: contact.StoredGroup{SourceID: "crew", Name: "Crew", Listed: true}}, {Group: contact.StoredGroup{SourceID: "rule", Name: "Rule"}},
		}, parley.Alongside{}))(t)
		relisted(t, w, 1, contact.ListChange{Contact: 6, Remove: true}, put(contact.ContactGroup(groups[0])))
		if _, err := w.ChangeContacts(t.Context(), 1, []contact.ListChange{put(5001)}, parley.Alongside{}); !errors.Is(err, contact.ErrTooManyContacts) {
			t.Errorf("one too many beside a group: %v", err)
		}
		must(w.ApplyGroups(t.Context(), []contact.GroupRows{{Group: contact.StoredGroup{ID: groups[0], SourceID: "crew", Name: "Crew", Listed: true, Gone: true}}}, parley.Alongside{}))(t)
		relisted(t, w, 1, contact.ListChange{Contact: 7, Remove: true}, put(contact.ContactGroup(groups[1])))
		relisted(t, w, 1, put(5001), put(5002))

		var ids []contact.GroupID
		for n := range contact.MaxOwnGroups {
			ids = append(ids, edited(t, w, 1, contact.GroupEdit{Name: fmt.Sprint(n)}))
		}
		for _, refused := range []struct {
			edit contact.GroupEdit
			want error
		}{
			{contact.GroupEdit{Name: "more", Folded: "more"}, contact.ErrTooManyGroups},
			{contact.GroupEdit{ID: ids[3], Name: "4", Folded: "4"}, contact.ErrGroupName},
			{contact.GroupEdit{ID: 99, Name: "x", Folded: "x"}, parley.ErrWithheld},
			{contact.GroupEdit{ID: 99, Delete: true}, parley.ErrWithheld},
		} {
			if _, _, err := w.EditGroup(t.Context(), 1, refused.edit, parley.Alongside{}); !errors.Is(err, refused.want) {
				t.Errorf("%+v: %v, want %v", refused.edit, err, refused.want)
			}
		}
		edited(t, w, 1, contact.GroupEdit{ID: ids[0], Delete: true})
		if id := edited(t, w, 1, contact.GroupEdit{Name: "0"}); slices.Contains(ids, id) {
			t.Errorf("the number %d is given again", id)
		}
	})
}

// Who is added is told within the commit, as contact.TellsOfAdding says, with what
// is stored by then.
func TestWhoIsAddedIsToldOnce(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ctx := t.Context()
		check(t, w.SetRelation(ctx, privacy.Relation{Owner: 3, Other: 1, Level: privacy.Blocked}, parley.Alongside{}))
		check(t, w.SetRelation(ctx, privacy.Relation{Owner: 4, Other: 1, InContacts: true}, parley.Alongside{}))
		check(t, w.SetRelation(ctx, privacy.Relation{Owner: 1, Other: 5, Level: privacy.Blocked}, parley.Alongside{}))
		relisted(t, w, 1, noticeTo(2), noticeTo(3), noticeTo(4), noticeTo(5), put(6))
		relisted(t, w, 1, noticeTo(2))
		relisted(t, w, 1, contact.ListChange{Contact: 2, Remove: true})
		relisted(t, w, 1, noticeTo(2))
		var told []parley.StreamID
		for _, e := range w.entries() {
			told = append(told, e.Stream)
		}
		if !slices.Equal(told, []parley.StreamID{2}) {
			t.Errorf("told in the streams %v, want that of 2 once", told)
		}
		for other, want := range map[parley.PersonID]bool{2: true, 3: false, 4: false, 5: false, 6: false} {
			if got := must(w.Told(ctx, 1, other))(t); got != want {
				t.Errorf("%v was told: %v", other, got)
			}
		}
	})
}

func TestWhoIsAddedIsToldAgainLater(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, inDir(dir))
		for range 3 {
			relisted(t, w, 1, noticeTo(2))
			relisted(t, w, 1, contact.ListChange{Contact: 2, Remove: true})
			time.Sleep(16 * 24 * time.Hour)
		}
		if got := len(w.entries()); got != 2 {
			t.Errorf("told %d times in 32 days, want twice", got)
		}
		w.close()
	})
}

// A level and the place in the list are two decisions: neither takes the other back.
func TestLevelAndListAreApart(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		relisted(t, w, 1, put(2))
		check(t, w.SetLevel(t.Context(), 1, 2, privacy.Friends, parley.Alongside{}))
		relisted(t, w, 1, put(2))
		if r := must(w.Relation(t.Context(), 1, 2))(t); !r.InContacts || r.Level != privacy.Friends {
			t.Errorf("%+v", r)
		}
		check(t, w.SetLevel(t.Context(), 1, 3, privacy.External, parley.Alongside{}))
		if r := must(w.Relation(t.Context(), 1, 3))(t); r.InContacts || r.Level != privacy.External {
			t.Errorf("%+v", r)
		}
	})
}
