package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/account"
	"parley/contact"
	"parley/presence"
	"parley/privacy"
)

func anna() parley.Person {
	return parley.Person{
		SourceID: "6f9619ff-8b86-d011-b42d-00cf4fc964ff", Address: "anna@example.org",
		DisplayName: "Anna Müller", GivenName: "Anna", Surname: "Müller", Alias: "anna", Mail: "anna.mueller@example.org",
		OtherMail: []string{"a@example.org", `quoted "x", y@example.org`}, Title: "Engineer", Department: "R&D", Company: "Example", Office: "1.17",
		Manager: 7, WorkPhone: "+49 30 1", Mobile: "+49 170 1", HomePhone: "1", OtherPhones: []string{"2", "3"}, Region: "DE",
	}
}

func apply(t testing.TB, w *world, changes ...contact.Change) []parley.PersonID {
	t.Helper()
	return must(w.ApplyPeople(t.Context(), changes, parley.Alongside{}))(t)
}

func TestPeopleComeBackWhole(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		p := anna()
		p.ID = apply(t, w, contact.Change{Person: p})[0]
		if got := all(t, w.People(t.Context())); len(got) != 1 || !reflect.DeepEqual(got[0], p) {
			t.Errorf("stored\n%+v\nread\n%+v", p, got)
		}
		p = parley.Person{ID: p.ID, SourceID: "another", Address: "New@Example.org"}
		apply(t, w, contact.Change{Person: p})
		p.Address = "new@example.org"
		if got := all(t, w.People(t.Context())); !reflect.DeepEqual(got[0], p) {
			t.Errorf("after an update\n%+v\nread\n%+v", p, got)
		}
	})
}

func TestUnchangedPeopleWriteNothing(t *testing.T) {
	w := start(t, inDir(t.TempDir()))
	change := contact.Change{Person: anna(), Photo: &contact.Photo{Small: []byte("s"), Large: []byte("l"), Version: 1 << 63}}
	change.Person.ID = apply(t, w, change)[0]
	written := func() (n int) {
		w.between(func(s *session) error {
			return s.queryRow(t.Context(), `SELECT total_changes()`).Scan(&n)
		})
		return n
	}
	before := written()
	apply(t, w, change)
	if n := written() - before; n != 0 {
		t.Errorf("an unchanged person wrote %d rows", n)
	}
	change.Person.Region = "AT"
	apply(t, w, change)
	if n := written() - before; n != 1 {
		t.Errorf("a changed person wrote %d rows", n)
	}
}

func TestPhotos(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ctx := t.Context()
		change := contact.Change{Person: anna(), Photo: &contact.Photo{Small: []byte("small"), Large: []byte("large"), Version: 5}}
		id := apply(t, w, change)[0]
		change.Person.ID = id
		expect := func(what, small, large string, version parley.PhotoVersion) {
			t.Helper()
			for big, want := range map[bool]string{false: small, true: large} {
				got, v, err := w.Photo(ctx, id, big)
				if want == "" {
					if err != parley.ErrWithheld {
						t.Errorf("%s: %v", what, err)
					}
				} else if err != nil || string(got) != want || v != version {
					t.Errorf("%s: %q of version %d, %v", what, got, v, err)
				}
			}
			if got := all(t, w.People(ctx))[0].Photo; got != version {
				t.Errorf("%s: listed as version %d", what, got)
			}
		}
		expect("added", "small", "large", 5)
		change.Photo, change.KeepPhoto = nil, true
		apply(t, w, change)
		expect("kept", "small", "large", 5)
		change.Photo, change.KeepPhoto = &contact.Photo{Small: []byte("s2"), Large: []byte("l2"), Version: 6}, false
		apply(t, w, change)
		expect("replaced", "s2", "l2", 6)
		change.Photo = nil
		apply(t, w, change)
		expect("removed", "", "", 0)
		if _, _, err := w.Photo(ctx, 99, false); err != parley.ErrWithheld {
			t.Errorf("photo of nobody: %v", err)
		}
	})
}

func TestAddressesAreUnique(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		a, b := anna(), anna()
		b.SourceID, b.Address = "source of b", "b@example.org"
		ids := apply(t, w, contact.Change{Person: a}, contact.Change{Person: b})
		b.ID, b.Address = ids[1], "ANNA@example.org"
		also := parley.Alongside{Audit: []parley.Audit{{Action: parley.AuditPeopleImported}}}
		_, err := w.ApplyPeople(t.Context(), []contact.Change{{Person: parley.Person{SourceID: "c", Address: "c@example.org"}}, {Person: b}}, also)
		if parley.KindOf(err) != parley.Conflict {
			t.Fatalf("a second person with the address: %v", err)
		}
		for _, party := range []string{a.SourceID, b.SourceID, ids[0].String(), "anna@example.org"} {
			if !strings.Contains(err.Error(), party) {
				t.Errorf("%q does not name %s", err, party)
			}
		}
		if n := count(t, w, "people"); n != 2 || count(t, w, "audit") != 0 {
			t.Errorf("%d people after a failed chunk", n)
		}
		// Somebody who is gone is not in the way, and comes back only to a free one.
		apply(t, w, contact.Change{Person: parley.Person{ID: ids[0]}, Gone: true}, contact.Change{Person: b})
		a.ID = ids[0]
		if _, err := w.ApplyPeople(t.Context(), []contact.Change{{Person: a}}, parley.Alongside{}); parley.KindOf(err) != parley.Conflict {
			t.Errorf("came back to a taken address: %v", err)
		}
		a.Address = "anna2@example.org"
		apply(t, w, contact.Change{Person: a})
		if got := all(t, w.People(t.Context()))[0]; got.Gone || got.Address != a.Address {
			t.Errorf("came back as %+v", got)
		}
	})
}

// Two nodes may hear of somebody new in the same moment.
func TestPersonWhomAnotherNodeHasAdded(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		first := apply(t, w, contact.Change{Person: anna()})
		for _, address := range []string{anna().Address, "moved@example.org"} {
			again := anna()
			again.Address, again.Title = address, "Title at "+address
			ids := apply(t, w, contact.Change{Person: again})
			if ids[0] != first[0] {
				t.Errorf("%s: added as %v and %v", address, first[0], ids[0])
			}
			if people := all(t, w.People(t.Context())); len(people) != 1 || people[0].Address != address || people[0].Title != again.Title {
				t.Errorf("%s: stored are %+v", address, people)
			}
		}
	})
}

// Whoever has a password here is not handed to a directory by an entry of the same
// id: what updatePerson does with the password would be passed over.
func TestPersonOfAnotherDirectoryIsNotTakenOver(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		apply(t, w, contact.Change{Person: anna()})
		before := all(t, w.People(t.Context()))
		taken := anna()
		taken.Directory, taken.Title = "ldap", "Somebody else"
		if _, err := w.ApplyPeople(t.Context(), []contact.Change{{Person: taken}}, parley.Alongside{}); err == nil {
			t.Error("somebody of one directory was added again by another")
		}
		if after := all(t, w.People(t.Context())); !reflect.DeepEqual(after, before) {
			t.Errorf("stored are %+v, were %+v", after, before)
		}
	})
}

func TestUnknownPeople(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		p := anna()
		p.ID = 9
		for _, c := range []contact.Change{{Person: p}, {Person: p, Gone: true}} {
			if _, err := w.ApplyPeople(t.Context(), []contact.Change{c}, parley.Alongside{}); parley.KindOf(err) != parley.NotFound {
				t.Errorf("changing nobody: %v", err)
			}
		}
		if _, err := w.ApplyPeople(t.Context(), make([]contact.Change, contact.MaxChunk+1), parley.Alongside{}); err == nil {
			t.Error("a chunk over the limit was taken")
		}
	})
}

func TestImportKeepsDisabled(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		p := anna()
		p.ID = apply(t, w, contact.Change{Person: p})[0]
		must(w.SetDisabled(t.Context(), p.ID, true, parley.Alongside{}))(t)
		p.Title = "Director"
		apply(t, w, contact.Change{Person: p})
		if got := all(t, w.People(t.Context()))[0]; !got.Disabled || got.Title != "Director" {
			t.Errorf("after an import: %+v", got)
		}
	})
}

func TestPeopleAreReadInPages(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		var changes []contact.Change
		for i := range 2*pageRows + 3 {
			changes = append(changes, contact.Change{Person: parley.Person{SourceID: fmt.Sprint(i), Address: fmt.Sprintf("%d@example.org", i)}})
		}
		for chunk := range slices.Chunk(changes, contact.MaxChunk) {
			apply(t, w, chunk...)
		}
		for i, p := range all(t, w.People(t.Context())) {
			if int(p.ID) != i+1 || p.SourceID != fmt.Sprint(i) {
				t.Fatalf("person %d is %v", i, p)
			}
		}
	})
}

func TestPeopleByID(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 3)
		want := all(t, w.People(t.Context()))
		ids := []parley.PersonID{3, 99, 1, 3}
		for i := range parley.PersonID(2 * maxListed) {
			ids = append(ids, 1000+i)
		}
		got := must(w.PeopleByID(t.Context(), ids))(t)
		if len(got) != 2 || !reflect.DeepEqual(got[0], want[0]) || !reflect.DeepEqual(got[1], want[2]) {
			t.Errorf("found %+v", got)
		}
		if got := must(w.PeopleByID(t.Context(), nil))(t); len(got) != 0 {
			t.Errorf("found %+v unasked", got)
		}
	})
}

func TestRelations(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ctx := t.Context()
		var want []privacy.Relation
		for i := range 3 * pageRows / 2 {
			r := privacy.Relation{Owner: parley.PersonID(1 + i/7), Other: parley.PersonID(1 + i%7), Level: privacy.Level(i % 5), InContacts: i%2 == 0}
			want = append(want, r)
		}
		w.between(func(s *session) error { // quicker than one commit for each
			for _, r := range want[1:] {
				if _, err := s.exec(ctx, `INSERT INTO relations VALUES ($1, $2, $3, $4)`, int64(r.Owner), int64(r.Other), int64(r.Level), number(r.InContacts)); err != nil {
					return err
				}
			}
			return nil
		})
		check(t, w.SetRelation(ctx, privacy.Relation{Owner: 1, Other: 1, Level: privacy.Blocked}, parley.Alongside{}))
		check(t, w.SetRelation(ctx, want[0], parley.Alongside{}))
		if got := all(t, w.Relations(ctx)); !slices.Equal(got, want) {
			t.Errorf("%d relations of %d", len(got), len(want))
		}
		if got := must(w.Relation(ctx, want[20].Owner, want[20].Other))(t); got != want[20] {
			t.Errorf("relation %+v, want %+v", got, want[20])
		}
		if _, err := w.Relation(ctx, 1, 99); err != parley.ErrWithheld {
			t.Errorf("relation to a stranger: %v", err)
		}
	})
}

func TestPreferencesAndChoices(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ctx := t.Context()
		pref := privacy.Preferences{SharePhoto: true, OnlyContacts: true}
		check(t, w.SetPreferences(ctx, 3, privacy.DefaultPreferences, parley.Alongside{}))
		check(t, w.SetPreferences(ctx, 3, pref, parley.Alongside{}))
		if got := all(t, w.AllPreferences(ctx)); !slices.Equal(got, []privacy.PersonPreferences{{Person: 3, Preferences: pref}}) {
			t.Errorf("preferences %v", got)
		}
		if got := must(w.PreferencesOf(ctx, 3))(t); got != pref {
			t.Errorf("preferences %+v", got)
		}
		if got := must(w.PreferencesOf(ctx, 4))(t); got != privacy.DefaultPreferences {
			t.Errorf("preferences of somebody who set none %+v", got)
		}
		at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
		choice := presence.Choice{State: presence.ChooseBusy, SetAt: at, Note: "hier", NoteUntil: at.Add(time.Hour)}
		first := presence.Choice{State: presence.ChooseAvailable, SetAt: at, Until: at}
		check(t, w.SetChoice(ctx, 4, presence.Choice{}, first, parley.Alongside{}))
		check(t, w.SetChoice(ctx, 4, first, choice, parley.Alongside{}))
		for _, was := range []presence.Choice{{}, first} {
			err := w.SetChoice(ctx, 4, was, presence.Choice{Note: "late"}, parley.Alongside{Audit: []parley.Audit{{Action: "late"}}})
			if !errors.Is(err, presence.ErrStale) {
				t.Errorf("decided on %+v: %v", was, err)
			}
		}
		if n := count(t, w, "audit"); n != 0 {
			t.Errorf("refused choices left %d audit records", n)
		}
		if got := must(w.Choice(ctx, 4))(t); got != choice {
			t.Errorf("choice %+v", got)
		}
		if got := must(w.Choice(ctx, 5))(t); got != (presence.Choice{}) {
			t.Errorf("choice of somebody who made none %+v", got)
		}
		if got := all(t, w.Choices(ctx)); !slices.Equal(got, []presence.PersonChoice{{Person: 4, Choice: choice}}) {
			t.Errorf("choices %v", got)
		}
	})
}

// What the directory says of somebody, and an exchange of addresses in one chunk.
func TestPeopleOfADirectory(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ctx := t.Context()
		a, b := anna(), anna()
		b.SourceID, b.Address = "source of b", "b@example.org"
		a.Directory, a.Barred, b.Directory = parley.LDAP, true, parley.LDAP
		photo := &contact.Photo{Small: []byte("s"), Large: []byte("l"), Version: 5, Source: 1 << 63}
		ids := apply(t, w, contact.Change{Person: a, Photo: photo}, contact.Change{Person: b})
		if who := must(w.Identity(ctx, ids[0]))(t); !who.Barred || who.Enabled() || who.Directory != parley.LDAP {
			t.Errorf("barred: %+v", who)
		}
		if who := must(w.IdentityBySource(ctx, b.SourceID))(t); who.Person != ids[1] {
			t.Errorf("by source: %+v", who)
		}
		here := anna()
		here.SourceID, here.Address = "source of one here", "here@example.org"
		apply(t, w, contact.Change{Person: here})
		for _, source := range []string{here.SourceID, "nobody's", ""} {
			if _, err := w.IdentityBySource(ctx, source); err != parley.ErrWithheld {
				t.Errorf("by the source %q: %v", source, err)
			}
		}
		if got := must(w.PhotoSources(ctx, ids))(t); len(got) != 1 || got[ids[0]] != 1<<63 {
			t.Errorf("photos are made of %v", got)
		}
		a.ID, b.ID, a.Barred = ids[0], ids[1], false
		a.Address, b.Address = b.Address, a.Address
		photo.Source = 7
		apply(t, w, contact.Change{Person: a, Photo: photo, Moves: true}, contact.Change{Person: b, Moves: true})
		people := all(t, w.People(ctx))
		if people[0].Address != a.Address || people[1].Address != b.Address || people[0].Barred || !people[0].Enabled() {
			t.Errorf("exchanged: %+v", people)
		}
		if got := must(w.PhotoSources(ctx, ids))(t); got[ids[0]] != 7 {
			t.Errorf("photos are made of %v", got)
		}
		a.Address = b.Address
		if _, err := w.ApplyPeople(ctx, []contact.Change{{Person: a, Moves: true}}, parley.Alongside{}); parley.KindOf(err) != parley.Conflict {
			t.Errorf("moved to a taken address: %v", err)
		}
		if got := all(t, w.People(ctx)); !reflect.DeepEqual(got, people) {
			t.Errorf("a refused chunk left %+v", got)
		}
	})
}

// Whoever comes to a directory has no password here any more; one that is set later is
// not touched by what the directory says then.
func TestPasswordsGoToTheDirectory(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		a := anna()
		a.ID = apply(t, w, contact.Change{Person: a})[0]
		set := func(hash string) {
			t.Helper()
			must(w.SetPasswordHash(t.Context(), account.PasswordChange{Person: a.ID, Hash: hash}, parley.Alongside{}))(t)
		}
		wants := func(hash string) {
			t.Helper()
			if got := must(w.PasswordHash(t.Context(), a.ID))(t); got != hash {
				t.Errorf("the hash is %q, want %q", got, hash)
			}
		}
		set("before")
		a.Title = "Clerk"
		apply(t, w, contact.Change{Person: a})
		wants("before")
		a.Directory = parley.LDAP
		apply(t, w, contact.Change{Person: a})
		wants("")
		set("since")
		a.Title = "Head"
		apply(t, w, contact.Change{Person: a})
		wants("since")
	})
}

func TestDirectoryState(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ctx := t.Context()
		if got := must(w.DirectoryState(ctx, parley.LDAP))(t); !reflect.DeepEqual(got, contact.DirectoryState{Directory: parley.LDAP}) {
			t.Errorf("never followed: %+v", got)
		}
		at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
		want := contact.DirectoryState{
			Directory: parley.LDAP, Mode: "poll", Kind: "ad", Server: "dc1", LastSync: at, FailingSince: at.Add(time.Hour),
			Problem: "directory.no-base", Detail: "d", Problems: []contact.EntryProblem{{DN: "cn=a", Text: "b"}, {Text: "c"}},
		}
		check(t, w.SetDirectoryState(ctx, want))
		check(t, w.SetDirectoryState(ctx, contact.DirectoryState{Directory: "other"}))
		if got := must(w.DirectoryState(ctx, parley.LDAP))(t); !reflect.DeepEqual(got, want) {
			t.Errorf("stored %+v, want %+v", got, want)
		}
		want = contact.DirectoryState{Directory: parley.LDAP, LastFull: at}
		check(t, w.SetDirectoryState(ctx, want))
		if got := must(w.DirectoryState(ctx, parley.LDAP))(t); !reflect.DeepEqual(got, want) {
			t.Errorf("stored %+v, want %+v", got, want)
		}
	})
}
