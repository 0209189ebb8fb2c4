package contact

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"testing"

	"parley"
	"parley/policy"
)

// export is a directory's export: records, and errors among them.
type export []any

func (e export) records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, item := range e {
			var goOn bool
			switch item := item.(type) {
			case Record:
				goOn = yield(item, nil)
			case badRecord:
				goOn = yield(Record{Person: parley.Person{SourceID: item.source}, DN: item.dn}, &BadRecord{errBroken})
			case error:
				goOn = yield(Record{}, item)
			}
			if !goOn {
				return
			}
		}
	}
}

type badRecord struct{ source, dn string }

var errBroken = errors.New("broken")

// rec makes a record: its id is also its DN and name.
func rec(id, manager string) Record {
	return Record{DN: "cn=" + id, ManagerDN: dn(manager), Person: parley.Person{
		SourceID: id, Address: id + "@firma.example", DisplayName: id,
	}}
}

func dn(id string) string {
	if id == "" {
		return ""
	}
	return "cn=" + id
}

type importing struct {
	*world
	importer Importer
	problems []Problem
}

func newImport(t *testing.T) *importing {
	im := &importing{world: newWorld(t, newFakeStore(), policy.Default(), fakeRelations{})}
	im.importer = Importer{
		Book: im.Book,
		Photo: func(raw []byte) (Photo, error) {
			if string(raw) == "bad" {
				return Photo{}, errBroken
			}
			return Photo{Small: raw, Large: raw, Version: parley.PhotoVersion(len(raw))}, nil
		},
		Problem: func(p Problem) { im.problems = append(im.problems, p) },
	}
	return im
}

func (im *importing) run(t *testing.T, complete bool, items ...any) Report {
	t.Helper()
	im.problems = nil
	r, err := im.importer.Import(t.Context(), parley.System, export(items).records(), complete)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (im *importing) manager(id string) string {
	p, _ := im.BySource(id)
	m, _ := im.Person(p.Manager)
	return m.SourceID
}

func wantReport(t *testing.T, got, want Report) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("report\n%+v, want\n%+v", got, want)
	}
}

func TestImportTwiceChangesNothing(t *testing.T) {
	im := newImport(t)
	items := []any{rec("a", "d"), rec("b", "a"), rec("c", "c"), rec("d", "b"), rec("e", "nobody"), rec("f", "")}
	wantReport(t, im.run(t, false, items...), Report{Added: 6, UnknownManagers: 1})
	for id, want := range map[string]string{"a": "d", "b": "a", "c": "c", "d": "b", "e": "", "f": ""} {
		if got := im.manager(id); got != want {
			t.Errorf("the manager of %s is %q, want %q", id, got, want)
		}
	}
	if len(im.store.audit) == 0 || im.store.audit[0].Actor.Kind != parley.ActorSystem || im.store.audit[0].Action != parley.AuditPeopleImported {
		t.Errorf("audit: %+v", im.store.audit)
	}
	before, chunks, events := len(im.store.audit), len(im.store.chunks), len(im.events)
	wantReport(t, im.run(t, true, items...), Report{Unchanged: 6, UnknownManagers: 1})
	if len(im.store.audit) != before || len(im.store.chunks) != chunks || len(im.events) != events {
		t.Error("an import that changes nothing stored or told something")
	}
	if len(im.problems) != 0 {
		t.Errorf("problems: %v", im.problems)
	}
	// A manager who comes later in the export, and changed.
	items[0] = rec("a", "f")
	wantReport(t, im.run(t, true, items...), Report{Changed: 1, Unchanged: 5, UnknownManagers: 1})
	if got := im.manager("a"); got != "f" {
		t.Errorf("the manager of a is %q", got)
	}
	renamed := rec("a", "f")
	renamed.Person.DisplayName, renamed.Person.Barred = "A.", true
	items[0] = renamed
	wantReport(t, im.run(t, true, items...), Report{Changed: 1, Unchanged: 5, UnknownManagers: 1})
	if a, _ := im.BySource("a"); !a.Barred || a.Disabled {
		t.Errorf("a is %+v", a)
	}
}

func TestImportOfSomeAndOfAll(t *testing.T) {
	im := newImport(t)
	im.run(t, true, rec("a", ""), rec("b", ""), rec("c", ""))
	wantReport(t, im.run(t, false, rec("a", "")), Report{Unchanged: 1, LeftAlone: 2})
	wantReport(t, im.run(t, true, rec("a", ""), badRecord{"b", "cn=b"}), Report{Unchanged: 1, Skipped: 1, Gone: 1})
	if b, _ := im.BySource("b"); b.Gone {
		t.Error("somebody whose record is bad is gone")
	}
	if c, _ := im.BySource("c"); !c.Gone {
		t.Error("somebody missing is not gone")
	}
	wantReport(t, im.run(t, true, rec("a", "b"), badRecord{}, rec("c", "")), Report{Changed: 1, Unchanged: 1, Skipped: 1, LeftAlone: 1, UnknownManagers: 1})
	if last := im.problems[len(im.problems)-1]; !errors.Is(last.Err, ErrNoMarkingGone) {
		t.Errorf("the last problem is %v", last)
	}
	// A bad record still says whose manager it is.
	im.run(t, false, badRecord{"b", "cn=b"}, rec("a", "b"))
	if got := im.manager("a"); got != "b" {
		t.Errorf("the manager of a is %q", got)
	}
}

func TestImportOfBadRecords(t *testing.T) {
	im := newImport(t)
	noAddress, noSource := rec("x", ""), rec("", "")
	noAddress.Person.Address = ""
	taken := rec("y", "")
	taken.Person.Address = "A@firma.example"
	photo, badPhoto := rec("p", ""), rec("q", "")
	photo.Photo, badPhoto.Photo = []byte("12345"), []byte("bad")
	r := im.run(t, false, rec("a", ""), rec("a", ""), noAddress, noSource, taken, badRecord{"z", ""}, photo, badPhoto)
	wantReport(t, r, Report{Added: 3, Skipped: 5})
	want := []Problem{
		{SourceID: "a", Err: ErrTwice}, {SourceID: "x", Err: ErrNoAddress}, {Err: ErrNoSource},
		{SourceID: "z", Err: errBroken}, {SourceID: "q", Err: errBroken}, {SourceID: "y", Err: ErrAddressTaken},
	}
	if len(im.problems) != len(want) {
		t.Fatalf("problems: %v", im.problems)
	}
	for i, p := range im.problems {
		if p.SourceID != want[i].SourceID || !errors.Is(p.Err, want[i].Err) {
			t.Errorf("problem %d: %v, want %v", i, p, want[i])
		}
	}
	if p, _ := im.BySource("p"); p.Photo != 5 {
		t.Errorf("the photo's version is %d", p.Photo)
	}
	badPhoto.DN, badPhoto.Person = photo.DN, photo.Person
	wantReport(t, im.run(t, false, badPhoto), Report{Unchanged: 1, LeftAlone: 2})
	photo.Photo = nil
	wantReport(t, im.run(t, false, photo), Report{Changed: 1, LeftAlone: 2})
}

func TestImportMovesAddresses(t *testing.T) {
	im := newImport(t)
	im.run(t, true, rec("a", ""), rec("b", ""))
	// b takes a's address, before a's record says that it is free.
	b, a := rec("b", ""), rec("a", "b")
	b.Person.Address, a.Person.Address = "a@firma.example", "new@firma.example"
	wantReport(t, im.run(t, true, b, a), Report{Changed: 2})
	wantReport(t, im.run(t, true, b, a), Report{Unchanged: 2})
	if p, _ := im.ByAddress("a@firma.example"); p.SourceID != "b" {
		t.Errorf("the address is %s's", p.SourceID)
	}
	if got := im.manager("a"); got != "b" {
		t.Errorf("the manager of a is %q", got)
	}
	// Somebody comes back under another id.
	again := rec("c", "")
	again.Person.Address = "a@firma.example"
	wantReport(t, im.run(t, true, again, a), Report{Added: 1, Unchanged: 1, Gone: 1, UnknownManagers: 1})
	// Two swap, and three.
	again.Person.Address, a.Person.Address = a.Person.Address, again.Person.Address
	wantReport(t, im.run(t, true, again, a), Report{Changed: 2, UnknownManagers: 1})
	c, b, d := again, rec("b", ""), rec("d", "")
	im.run(t, true, a, b, c, d)
	a.Person.Address, b.Person.Address, c.Person.Address = b.Person.Address, c.Person.Address, a.Person.Address
	wantReport(t, im.run(t, true, a, b, c, d), Report{Changed: 3, Unchanged: 1})
	for _, r := range []Record{a, b, c, d} {
		if p, _ := im.ByAddress(r.Person.Address); p.SourceID != r.Person.SourceID {
			t.Errorf("%s is %s's, want %s", r.Person.Address, p.SourceID, r.Person.SourceID)
		}
	}
	if len(im.problems) != 0 {
		t.Errorf("problems: %v", im.problems)
	}
}

// Everybody takes the address of the next, in the worst order.
func TestImportMovesAChainOfAddresses(t *testing.T) {
	im := newImport(t)
	var before, after []any
	for i := range 5 {
		r := rec(fmt.Sprint("p", i), "")
		before = append(before, r)
		r.Person.Address = fmt.Sprintf("p%d@firma.example", i+1)
		after = append(after, r)
	}
	im.run(t, true, before...)
	wantReport(t, im.run(t, true, after...), Report{Changed: 5})
	wantReport(t, im.run(t, true, after...), Report{Unchanged: 5})
	late := rec("late", "")
	late.Person.Address = "p3@firma.example"
	wantReport(t, im.run(t, false, late), Report{Skipped: 1, LeftAlone: 5})
	if !errors.Is(im.problems[0].Err, ErrAddressTaken) {
		t.Errorf("problem %v", im.problems[0])
	}
}

// What the store refuses of one person costs nobody else their place.
func TestImportIsolatesWhomTheStoreRefuses(t *testing.T) {
	im := newImport(t)
	var items []any
	for i := range 150 {
		items = append(items, rec(fmt.Sprint("p", i), ""))
	}
	im.store.refuse = "p70@firma.example"
	wantReport(t, im.run(t, true, items...), Report{Added: 149, Skipped: 1})
	if len(im.problems) != 1 || im.problems[0].SourceID != "p70" || parley.KindOf(im.problems[0].Err) != parley.Conflict {
		t.Errorf("problems: %v", im.problems)
	}
	im.store.refuse = ""
	wantReport(t, im.run(t, true, items...), Report{Added: 1, Unchanged: 149})
}

func TestImportGoesInSmallChunks(t *testing.T) {
	im := newImport(t)
	var items []any
	for i := range 950 {
		items = append(items, rec(fmt.Sprintf("p%d", i), fmt.Sprintf("p%d", 949-i)))
	}
	wantReport(t, im.run(t, true, items...), Report{Added: 950})
	if slices.Max(im.store.chunks) > importChunk {
		t.Errorf("chunks: %v", im.store.chunks)
	}
	for i := range 950 {
		if got, want := im.manager(fmt.Sprintf("p%d", i)), fmt.Sprintf("p%d", 949-i); got != want {
			t.Fatalf("the manager of p%d is %s, want %s", i, got, want)
		}
	}
	wantReport(t, im.run(t, true), Report{Gone: 950})
	wantReport(t, im.run(t, true, items...), Report{Changed: 950})
}

func TestImportEnds(t *testing.T) {
	im := newImport(t)
	cut := errors.New("connection lost")
	r, err := im.importer.Import(t.Context(), parley.System, export{rec("a", ""), cut, rec("b", "")}.records(), true)
	if !errors.Is(err, cut) || r.Gone != 0 {
		t.Errorf("an export that breaks off: %+v, %v", r, err)
	}
	im.store.fail = errors.New("disk full")
	if _, err := im.importer.Import(t.Context(), parley.System, export{rec("a", "")}.records(), false); !errors.Is(err, im.store.fail) {
		t.Errorf("a failing store: %v", err)
	}
	im.store.fail = nil
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := im.importer.Import(ctx, parley.System, export{rec("a", "")}.records(), false); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, a := range []parley.Actor{{}, as(1), {Kind: parley.ActorProgram, Person: 1}} {
		if _, err := im.importer.Import(t.Context(), a, export{}.records(), false); parley.KindOf(err) != parley.Forbidden || err == nil {
			t.Errorf("%s imports: %v", a.Kind, err)
		}
	}
}
