package contact

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// cardWorld makes people and cards that share few enough addresses to meet often.
type cardWorld struct{ *rand.Rand }

var spellings = []func(string) string{
	func(s string) string { return s },
	strings.ToUpper,
	func(s string) string { return "sip:" + s },
	func(s string) string { return " mailto:" + s + "?subject=x" },
	func(s string) string { return "Name <" + s + ">" },
}

func (w cardWorld) address() string {
	return spellings[w.IntN(len(spellings))](fmt.Sprintf("u%d@example.org", w.IntN(8)))
}

func (w cardWorld) some(n int, make func() string) []string {
	var list []string
	for range w.IntN(n + 1) {
		list = append(list, make())
	}
	return list
}

func (w cardWorld) record(kind SourceKind, id string) MergeRecord {
	r := MergeRecord{
		Kind: kind, ID: id, Name: fmt.Sprintf("Name %d", w.IntN(4)), Addresses: w.some(2, w.address), Mails: w.some(3, w.address),
		Title: w.pick("", "Boss", "boss", "Chief"), Company: w.pick("", "Example"), Photo: w.pick("", "one", "two"),
	}
	for range w.IntN(3) {
		r.Phones = append(r.Phones, RecordPhone{Kind: w.pick("work", "mobile"), Number: fmt.Sprintf("030 209%04d", w.IntN(3)), Dial: w.pick("", "+49302090001")})
	}
	return r
}

func (w cardWorld) pick(list ...string) string { return list[w.IntN(len(list))] }

func (w cardWorld) records() []MergeRecord {
	var list []MergeRecord
	for i := range w.IntN(5) {
		id := fmt.Sprintf("p%d", i*7)
		list = append(list, w.record(FromDirectory, id))
		if w.IntN(2) == 0 {
			list = append(list, w.record(FromContacts, id))
		}
	}
	for i := range w.IntN(7) {
		list = append(list, w.record([]SourceKind{FromDevice, FromAddressBook}[w.IntN(2)], fmt.Sprintf("c%d", i)))
	}
	return list
}

func (w cardWorld) decisions(records []MergeRecord) Decisions {
	pairs := func() []Pair {
		var list []Pair
		for range w.IntN(3) {
			if len(records) > 1 {
				list = append(list, Pair{records[w.IntN(len(records))].Key(), records[w.IntN(len(records))].Key()})
			}
		}
		return list
	}
	return Decisions{Apart: pairs(), Together: pairs()}
}

// eachWorld runs a property in many worlds.
func eachWorld(t *testing.T, holds func(w cardWorld, records []MergeRecord, d Decisions)) {
	t.Helper()
	for seed := range uint64(400) {
		w := cardWorld{rand.New(rand.NewPCG(seed, 4))}
		records := w.records()
		holds(w, records, w.decisions(records))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func shuffled[T any](w cardWorld, list []T) []T {
	list = slices.Clone(list)
	w.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// TestMergeOrderAndRepetition holds that neither the order of what is known nor
// hearing it twice changes anything.
func TestMergeOrderAndRepetition(t *testing.T) {
	eachWorld(t, func(w cardWorld, records []MergeRecord, d Decisions) {
		want := Merge(records, d)
		turned := Decisions{Apart: shuffled(w, d.Apart), Together: shuffled(w, d.Together)}
		for i, p := range turned.Apart {
			turned.Apart[i] = Pair{p[1], p[0]}
		}
		if got := Merge(shuffled(w, records), turned); !reflect.DeepEqual(got, want) {
			t.Errorf("in another order: %+v, want %+v", got, want)
		}
		if got := Merge(shuffled(w, append(slices.Clone(records), records...)), d); !reflect.DeepEqual(got, want) {
			t.Errorf("heard twice: %+v, want %+v", got, want)
		}
	})
}

// TestMergeWhole holds that every record is in exactly one person, that nobody is
// two people of the directory, and that what was decided holds.
func TestMergeWhole(t *testing.T) {
	eachWorld(t, func(_ cardWorld, records []MergeRecord, d Decisions) {
		of := map[RecordKey]int{}
		for i, m := range Merge(records, d) {
			directory := 0
			for _, key := range m.Records {
				if _, twice := of[key]; twice {
					t.Errorf("%s is in two people", key)
				}
				of[key] = i
				if strings.HasPrefix(string(key), string(FromDirectory)) {
					directory++
				}
			}
			if directory > 1 {
				t.Errorf("%v is two people of the directory", m.Records)
			}
		}
		for _, r := range records {
			if _, there := of[r.Key()]; !there {
				t.Errorf("%s is lost", r.Key())
			}
		}
		for _, p := range d.Apart {
			if p[0] != p[1] && of[p[0]] == of[p[1]] {
				t.Errorf("%v are one person", p)
			}
		}
	})
}

// TestMergeUnlinkRestores holds that a record that was unlinked from everybody
// stands as if it were alone, and everybody else as if it were not there. Somebody
// of the directory stays who has the addresses that a card of several people has.
func TestMergeUnlinkRestores(t *testing.T) {
	eachWorld(t, func(w cardWorld, records []MergeRecord, d Decisions) {
		cards := slices.DeleteFunc(slices.Clone(records), func(r MergeRecord) bool { return r.Kind == FromDirectory })
		if len(cards) == 0 {
			return
		}
		out := cards[w.IntN(len(cards))]
		var rest []MergeRecord
		var others []RecordKey
		for _, r := range records {
			if r.Key() != out.Key() {
				rest = append(rest, r)
				others = append(others, r.Key())
			}
		}
		var got []Merged
		for _, m := range Merge(records, d.Unlink(out.Key(), others...)) {
			if !slices.Equal(m.Records, []RecordKey{out.Key()}) {
				got = append(got, m)
			}
		}
		want := append([]Merged(nil), Merge(rest, d)...)
		if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("without %s: %+v, want %+v", out.Key(), got, want)
		}
	})
}

// TestMergeSeveralPeople holds that a card that names several people of the
// directory is alone until somebody decides, that it says so, and that linking
// joins it.
func TestMergeSeveralPeople(t *testing.T) {
	seen := 0
	eachWorld(t, func(w cardWorld, records []MergeRecord, _ Decisions) {
		people := Merge(records, Decisions{})
		for _, r := range records {
			names := namedBy(records, r)
			if r.Kind == FromDirectory || r.Kind == FromContacts || len(names) < 2 {
				continue
			}
			seen++
			at := slices.IndexFunc(people, func(m Merged) bool { return slices.Contains(m.Records, r.Key()) })
			if len(people[at].Records) != 1 || len(people[at].Contested) != 1 || len(people[at].Contested[0].With) < len(names) {
				t.Errorf("%s names %v and became %v, contested %v", r.Key(), names, people[at].Records, people[at].Contested)
			}
			to := names[w.IntN(len(names))]
			linked := Merge(records, Decisions{}.Link(records, r.Key(), to))
			if !slices.ContainsFunc(linked, func(m Merged) bool { return slices.Contains(m.Records, r.Key()) && slices.Contains(m.Records, to) }) {
				t.Errorf("%s was linked with %s and is not", r.Key(), to)
			}
		}
	})
	if seen < 100 {
		t.Errorf("only %d such cards", seen)
	}
}

// namedBy gives the people whom a card's addresses name, found in another way than
// Merge does.
func namedBy(records []MergeRecord, card MergeRecord) []RecordKey {
	var names []RecordKey
	for _, id := range identifiersOf(&card) {
		var has, signs []RecordKey
		for _, r := range records {
			if r.Kind != FromDirectory || !slices.Contains(identifiersOf(&r), id) {
				continue
			}
			has = append(has, r.Key())
			if len(r.Addresses) > 0 && Identifier(r.Addresses[0]) == id {
				signs = append(signs, r.Key())
			}
		}
		if len(signs) > 0 {
			has = signs
		}
		if len(has) == 1 && !slices.Contains(names, has[0]) {
			names = append(names, has[0])
		}
	}
	return names
}

// TestMergeLinkRestores holds that linking again what was unlinked gives what was
// there before.
func TestMergeLinkRestores(t *testing.T) {
	eachWorld(t, func(w cardWorld, records []MergeRecord, _ Decisions) {
		before := Merge(records, Decisions{})
		for _, m := range before {
			if len(m.Records) < 2 {
				continue
			}
			out := m.Records[1+w.IntN(len(m.Records)-1)]
			unlinked := Decisions{}.Unlink(out, m.Records...)
			after := Merge(records, unlinked.Link(records, out, m.Records[0]))
			for _, n := range after {
				if slices.Contains(n.Records, out) && !slices.Contains(n.Records, m.Records[0]) {
					t.Errorf("linked %s again with %s: %v", out, m.Records[0], n.Records)
				}
			}
			if len(m.Records) == 2 && !reflect.DeepEqual(after, before) {
				t.Errorf("linked %s again: %+v, want %+v", out, after, before)
			}
		}
	})
}

// TestMergeHostileCards holds that no card, whatever it claims, changes the name,
// the picture, or anything else that the directory says about somebody, nor takes a
// number away.
func TestMergeHostileCards(t *testing.T) {
	eachWorld(t, func(_ cardWorld, records []MergeRecord, d Decisions) {
		honest := map[RecordKey]Merged{}
		var directory []MergeRecord
		for _, r := range records {
			if r.Kind == FromDirectory {
				directory = append(directory, r)
			}
		}
		for _, m := range Merge(directory, Decisions{}) {
			honest[m.Records[0]] = m
		}
		for _, m := range Merge(records, d) {
			was, known := honest[m.Records[0]]
			if !known {
				continue
			}
			if m.Name.Text != was.Name.Text || !reflect.DeepEqual(m.Photo, was.Photo) || was.Title.Text != "" && m.Title.Text != was.Title.Text {
				t.Errorf("%s became %+v, was %+v", m.Records[0], m, was)
			}
			for i, p := range was.Phones {
				if m.Phones[i].Text != p.Text || m.Phones[i].Dial != p.Dial || m.Phones[i].Sources[0] != m.Records[0] {
					t.Errorf("number %+v became %+v", p, m.Phones[i])
				}
			}
			for i, a := range was.Mails {
				if m.Mails[i].Text != a.Text {
					t.Errorf("mail %+v became %+v", a, m.Mails[i])
				}
			}
		}
		if count := len(honest); count > 0 && len(Merge(records, d)) < count {
			t.Errorf("people of the directory are gone")
		}
	})
}
