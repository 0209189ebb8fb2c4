package contact

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/policy"
	"parley/privacy"
)

func TestGroupName(t *testing.T) {
	tests := []struct{ name, want, key string }{
		{"Site", "Site", ""},
		{"  Site \t", "Site", ""},
		{"e\u0301quipe", "équipe", ""},
		{strings.Repeat("ä", 64), strings.Repeat("ä", 64), ""},
		{"👩‍🔧 works", "👩‍🔧 works", ""},
		{strings.Repeat("ä", 65), "", "contact-groups.name-long"},
		{"", "", "contact-groups.name-empty"},
		{" \u00a0 ", "", "contact-groups.name-empty"},
		{"a\x00b", "", "contact-groups.name-wrong"},
		{"a\nb", "", "contact-groups.name-wrong"},
		{"a\u2028b", "", "contact-groups.name-wrong"},
		{"a\xffb", "", "contact-groups.name-wrong"},
	}
	for _, test := range tests {
		got, err := GroupName(test.name)
		key := ""
		if refusal, ok := err.(*parley.Error); ok {
			key = refusal.Key
		}
		if got != test.want || key != test.key {
			t.Errorf("%q: %q, %q; want %q, %q", test.name, got, key, test.want, test.key)
		}
	}
}

func TestFoldGroupName(t *testing.T) {
	for _, same := range [][]string{
		{"Straße", "STRASSE", "strasse"}, {"ΣΊΣΥΦΟΣ", "Σίσυφος"}, {"Équipe", "e\u0301quipe"}, {"ﬁnance", "FINANCE"}, {"Site", "sITE"},
	} {
		for _, name := range same[1:] {
			if FoldGroupName(name) != FoldGroupName(same[0]) {
				t.Errorf("%q and %q are two groups", name, same[0])
			}
		}
	}
	if FoldGroupName("Bar") == FoldGroupName("Bär") {
		t.Error("accents do not count")
	}
}

func TestTellsOfAdding(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	listed, blocked := privacy.Relation{InContacts: true}, privacy.Relation{Level: privacy.Blocked}
	tests := []struct {
		name         string
		was, is, and privacy.Relation
		last         time.Time
		want         bool
	}{
		{name: "added", is: listed, want: true},
		{name: "was added before", was: listed, is: listed},
		{name: "only a level", is: privacy.Relation{Level: privacy.Friends}},
		{name: "blocks the one who adds", is: listed, and: blocked},
		{name: "has the one who adds", is: listed, and: listed},
		{name: "is blocked", is: privacy.Relation{Level: privacy.Blocked, InContacts: true}},
		{name: "was told a day ago", is: listed, last: now.Add(-24 * time.Hour)},
		{name: "was told 30 days ago", is: listed, last: now.Add(-toldAgainAfter), want: true},
	}
	for _, test := range tests {
		if got := TellsOfAdding(test.was, test.is, test.and, test.last, now); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestContactIDsTellTheirKind(t *testing.T) {
	p, person := ContactPerson(17).Person()
	_, group := ContactPerson(17).Group()
	if p != 17 || !person || group {
		t.Errorf("a person is %v %v %v", p, person, group)
	}
	g, group := ContactGroup(17).Group()
	_, person = ContactGroup(17).Person()
	if g != 17 || !group || person {
		t.Errorf("a group is %v %v %v", g, group, person)
	}
	for _, none := range []ContactID{0, 1 << 31, -1 << 31} {
		_, person := none.Person()
		_, group := none.Group()
		if person || group {
			t.Errorf("%d is somebody", none)
		}
	}
}

func TestMatchFindsByAddressAlone(t *testing.T) {
	people := named("Anna Ahrens", "Ben Brandt", "Carla Conte", "Dora Dahl", "Emil Ernst", "Fay Falk")
	people[0].Mail, people[0].OtherMail = "anna@Bücher.example", []string{"sip:old.anna@firma.example"}
	people[1].Mail = "both@firma.example"
	people[2].Mail = "both@firma.example"
	people[3].Mail = "u1@firma.example" // which is Anna's to sign in with
	people[4].Gone = true
	people[4].Mail = "emil@firma.example"
	people[5].OtherMail = []string{"fay@private.example"}
	w := newWorld(t, newFakeStore(people...), policy.Default(), fakeRelations{relations: []privacy.Relation{{Owner: 6, Other: 2, Level: privacy.External}}})
	asked := []string{
		"U1@firma.example", "mailto:anna@xn--bcher-kva.example", "Old.Anna@firma.example", "both@firma.example", "emil@firma.example", "fay@private.example",
		"Ben Brandt", "", "nobody@firma.example",
	}
	want := map[string]parley.PersonID{"u1@firma.example": 1, "anna@xn--bcher-kva.example": 1, "old.anna@firma.example": 1, "fay@private.example": 6}
	if got := w.Match(as(3), asked); !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	delete(want, "fay@private.example") // a further address is not for External
	if got := w.Match(as(2), asked); !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if got := w.Match(parley.Actor{Kind: parley.ActorGuest}, asked); len(got) > 0 {
		t.Errorf("a guest finds %v", got)
	}
}

// The quick way to an identifier gives the same, or what is none.
func TestMailIdentifierIsIdentifier(t *testing.T) {
	data, err := os.ReadFile("testdata/merge/identifiers.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Text, Identifier string }
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if got := mailIdentifier(c.Text); got != c.Identifier && (got == "" || Identifier(got) == got) {
			t.Errorf("mailIdentifier(%q) = %q, want %q", c.Text, got, c.Identifier)
		}
	}
}

// BenchmarkMatch looks for 1,000 addresses among 100,000 people.
func BenchmarkMatch(b *testing.B) {
	w := newWorld(b, newFakeStore(crowd(many)...), policy.Default(), fakeRelations{})
	asked := make([]string, MaxContacts)
	for i := range asked {
		p, _ := w.Person(parley.PersonID(1 + i*97))
		asked[i] = "x" + p.Mail
	}
	for b.Loop() {
		w.Match(as(4711), asked)
	}
}
