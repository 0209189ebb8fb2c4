package contact

import (
	"errors"
	"slices"
	"testing"

	"parley"
)

// update runs Update with records and the ids of those who ended.
func (im *importing) update(t *testing.T, ended []string, items ...any) Report {
	t.Helper()
	im.problems = nil
	r, err := im.importer.Update(t.Context(), parley.System, export(items).records(), ended)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newFollowing(t *testing.T, items ...any) *importing {
	im := newImport(t)
	im.importer.Directory = parley.LDAP
	im.run(t, true, items...)
	return im
}

func TestUpdateChangesWhoChanged(t *testing.T) {
	im := newFollowing(t, rec("a", ""), rec("b", "a"), rec("c", "a"))
	renamed := rec("b", "a")
	renamed.DN, renamed.Person.DisplayName = "cn=b,ou=new", "B."
	wantReport(t, im.update(t, []string{"c", "nobody"}, renamed, rec("d", "b")), Report{Added: 1, Changed: 1, Gone: 1, UnknownManagers: 1})
	for id, gone := range map[string]bool{"a": false, "b": false, "c": true, "d": false} {
		if p, _ := im.BySource(id); p.Gone != gone || p.Directory != parley.LDAP {
			t.Errorf("%s is %+v", id, p)
		}
	}
	// The old name is nobody's; whoever gets it has the report that waits.
	other := rec("e", "")
	other.DN = "cn=b"
	im.update(t, nil, other)
	if got := im.manager("d"); got != "e" {
		t.Errorf("the manager of d is %q", got)
	}
	late := rec("f", "")
	late.ManagerDN = "cn=b,ou=new"
	im.update(t, nil, late)
	if got := im.manager("f"); got != "b" {
		t.Errorf("the manager of f is %q", got)
	}
	if id, ok := im.importer.At(im.importer.Place("cn=b,ou=new")); !ok || id == 0 {
		t.Error("the new name finds nobody")
	}
	// Twice in one update: the last one holds.
	first, second := rec("a", ""), rec("a", "")
	first.Person.Title, second.Person.Title = "First", "Second"
	wantReport(t, im.update(t, []string{"a"}, first, second), Report{Changed: 2})
	if a, _ := im.BySource("a"); a.Title != "Second" || a.Gone {
		t.Errorf("a is %+v", a)
	}
}

func TestUpdateOfBarredPeople(t *testing.T) {
	im := newFollowing(t, rec("a", ""), rec("b", ""))
	barred := rec("a", "")
	barred.Person.Barred = true
	im.update(t, nil, barred)
	if a, _ := im.BySource("a"); !a.Barred || a.Enabled() {
		t.Errorf("a is %+v", a)
	}
	im.update(t, nil, rec("a", ""))
	if a, _ := im.BySource("a"); a.Barred || !a.Enabled() {
		t.Errorf("a is %+v", a)
	}
	// A record of which nothing else can be used bars all the same.
	records := func(yield func(Record, error) bool) {
		yield(Record{DN: "cn=b", Person: parley.Person{SourceID: "b", Barred: true}}, &BadRecord{errBroken})
	}
	if _, err := im.importer.Update(t.Context(), parley.System, records, nil); err != nil {
		t.Fatal(err)
	}
	if b, _ := im.BySource("b"); !b.Barred || b.DisplayName != "b" {
		t.Errorf("b is %+v", b)
	}
}

// A second person with an address stays out, or keeps their own, until the first
// one gives it up.
func TestUpdateOfAddressesThatAreTaken(t *testing.T) {
	im := newFollowing(t, rec("a", ""), rec("b", ""))
	var settled []string
	im.importer.Settled = func(source string) { settled = append(settled, source) }
	second, b := rec("c", ""), rec("b", "")
	second.Person.Address, b.Person.Address, b.Person.Title = "a@firma.example", "A@firma.example", "Clerk"
	wantReport(t, im.update(t, nil, second, b), Report{Changed: 1, Skipped: 1})
	if len(im.problems) != 2 || !errors.Is(im.problems[0].Err, ErrAddressTaken) || !errors.Is(im.problems[1].Err, ErrAddressTaken) {
		t.Errorf("problems: %v", im.problems)
	}
	if p, known := im.BySource("c"); known {
		t.Errorf("c is in as %+v", p)
	}
	if p, _ := im.BySource("b"); p.Address != "b@firma.example" || p.Title != "Clerk" {
		t.Errorf("b is %+v", p)
	}
	wantReport(t, im.update(t, nil, rec("d", "")), Report{Added: 1})
	if len(im.problems) != 0 || settled != nil {
		t.Errorf("told again: %v, settled %v", im.problems, settled)
	}
	// b waits, too, and comes first.
	a := rec("a", "")
	a.Person.Address = "other@firma.example"
	im.update(t, nil, a)
	if p, _ := im.ByAddress("a@firma.example"); p.SourceID != "b" || !slices.Equal(settled, []string{"b"}) {
		t.Errorf("the address is %s's, settled %v", p.SourceID, settled)
	}
	im.update(t, []string{"b"})
	if p, _ := im.ByAddress("a@firma.example"); p.SourceID != "c" || !slices.Equal(settled, []string{"b", "c"}) {
		t.Errorf("the address is %s's, settled %v", p.SourceID, settled)
	}
	// Whoever leaves while waiting is settled, and an exchange needs one update.
	im.update(t, nil, second)
	x, y := rec("x", ""), rec("a", "")
	x.Person.Address = "other@firma.example"
	im.update(t, nil, x)
	im.update(t, []string{"x"})
	if settled[len(settled)-1] != "x" {
		t.Errorf("settled %v", settled)
	}
	y.Person.Address, second.Person.Address = "a@firma.example", "other@firma.example"
	wantReport(t, im.update(t, nil, second, y), Report{Changed: 2})
	if p, _ := im.ByAddress("a@firma.example"); p.SourceID != "a" {
		t.Errorf("the address is %s's", p.SourceID)
	}
}

func TestManyWhoAreMissingAreHeldBack(t *testing.T) {
	im := newFollowing(t, rec("a", ""), rec("b", ""), rec("c", ""))
	asked := 0
	im.importer.MayGo = func(missing, people int) bool {
		asked++
		if missing != 2 || people != 3 {
			t.Errorf("asked about %d of %d", missing, people)
		}
		return asked > 2
	}
	wantReport(t, im.run(t, true, rec("a", "")), Report{Unchanged: 1, HeldBack: 2})
	if len(im.problems) != 1 || !errors.Is(im.problems[0].Err, ErrHeldBack) {
		t.Errorf("problems: %v", im.problems)
	}
	wantReport(t, im.update(t, []string{"b", "c", "c"}), Report{HeldBack: 2})
	wantReport(t, im.update(t, []string{"b", "c"}), Report{Gone: 2})
	if im.Size(parley.LDAP) != 1 {
		t.Errorf("%d people", im.Size(parley.LDAP))
	}
}

// What one directory says marks nobody of another one gone.
func TestDirectoriesAreApart(t *testing.T) {
	im := newImport(t)
	im.run(t, true, rec("a", ""), rec("b", ""))
	im.importer.Directory = parley.LDAP
	wantReport(t, im.run(t, true, rec("b", ""), rec("c", "")), Report{Added: 1, Changed: 1})
	for id, directory := range map[string]string{"a": "", "b": parley.LDAP, "c": parley.LDAP} {
		if p, _ := im.BySource(id); p.Gone || p.Directory != directory {
			t.Errorf("%s is %+v", id, p)
		}
	}
	wantReport(t, im.update(t, []string{"a"}), Report{})
	im.importer.Directory = ""
	im.importer.Leaves = func(directory string) bool { return directory == parley.LDAP }
	wantReport(t, im.run(t, true, rec("a", ""), rec("b", "")), Report{Unchanged: 1, Skipped: 1})
	if len(im.problems) != 1 || !errors.Is(im.problems[0].Err, ErrElsewhere) {
		t.Errorf("problems: %v", im.problems)
	}
	im.importer.Leaves = nil
	wantReport(t, im.run(t, true, rec("a", ""), rec("b", "")), Report{Unchanged: 1, Changed: 1})
}

func TestUnchangedPhotoIsNotMadeAgain(t *testing.T) {
	im := newImport(t)
	made := 0
	make := im.importer.Photo
	im.importer.Photo = func(raw []byte) (Photo, error) { made++; return make(raw) }
	r := rec("a", "")
	r.Photo = []byte("12345")
	im.run(t, true, r)
	wantReport(t, im.run(t, true, r), Report{Unchanged: 1})
	if made != 1 {
		t.Errorf("made %d times", made)
	}
	r.Photo = []byte("54321") // the same came of it
	im.run(t, true, r)
	wantReport(t, im.run(t, true, r), Report{Unchanged: 1})
	if made != 2 {
		t.Errorf("made %d times", made)
	}
	r.Photo = nil
	wantReport(t, im.run(t, true, r), Report{Changed: 1})
	r.Photo = []byte("54321")
	im.run(t, true, r)
	if p, _ := im.BySource("a"); p.Photo != 5 || made != 3 {
		t.Errorf("photo %d, made %d times", p.Photo, made)
	}
}
