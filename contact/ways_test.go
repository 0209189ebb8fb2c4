package contact

import (
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/policy"
	"parley/privacy"

	"pgregory.net/rapid"
)

func TestSearchByNumberAsDialled(t *testing.T) {
	people := named("Søren Ångström", "Berta Blau", "Carla Coal", "Dora Dunkel")
	people[0].WorkPhone = "+47 22 12 34 56"
	people[1].WorkPhone, people[1].Region = "030/7777-12", "DE"
	people[2].WorkPhone, people[2].Region = "(206) 555-0100 x204", "US"
	people[3].Mobile, people[3].Region = "+44 (0)20 7946 0123", "GB"
	f := fakeRelations{relations: []privacy.Relation{{Owner: 4, Other: 9, Level: privacy.Workgroup}}}
	w := newWorld(t, newFakeStore(people...), policy.Default(), f)
	for text, want := range map[string]string{
		"+47 22 12 34 56": "Søren Ångström", "0047 22123456": "Søren Ångström", "011 47 22 12 34 56": "Søren Ångström", "9011 47 22123456": "Søren Ångström",
		"9 00 47 22 12 34 56": "Søren Ångström", "0 00 47 22123456": "Søren Ångström", "0011 47 2212 3456": "Søren Ångström", "010 47 22123456": "Søren Ångström",
		"810 47 22 12 34 56": "Søren Ångström", "22 12 34 56": "Søren Ångström", "22123456": "Søren Ångström", "0114722": "Søren Ångström", "004722": "Søren Ångström",
		"47-22-12-34": "Søren Ångström", "tel:+4722123456": "Søren Ångström",
		"030 777712": "Berta Blau", "+49 (0)30 7777": "Berta Blau", "0049 (0)30 777712": "Berta Blau", "0 030 777712": "Berta Blau", "00493077": "Berta Blau",
		"206 555 0100": "Carla Coal", "(206) 555-0100": "Carla Coal", "001 206 555 0100": "Carla Coal", "+1 206 555 0100 ext. 204": "Carla Coal",
		"206.555.0100 x204": "Carla Coal", "0100204": "Carla Coal", "206 555 0100 ext 205": "",
		"020 7946 0123": "Dora Dunkel", "+44 (0)20 7946": "Dora Dunkel", "0044 20 79460123": "Dora Dunkel", "011442079460123": "Dora Dunkel",
		"0114822": "", "011 99 22 12": "", "9": "", "011": "", "+4": "",
	} {
		var names []string
		if want != "" {
			names = []string{want}
		}
		w.want(t, as(9), text, names...)
	}
	// A number that is typed in full comes before those that hold it.
	people = named("Anna A", "Berta B", "Carl C")
	people[0].WorkPhone, people[1].WorkPhone, people[2].WorkPhone = "+49 30 123456 78", "+49 30 123456", "+49 30 12345678"
	w = newWorld(t, newFakeStore(people...), policy.Default(), fakeRelations{})
	w.want(t, as(9), "030 123456", "Berta B", "Anna A", "Carl C")
}

func (w *world) wantPad(t *testing.T, actor parley.Actor, text string, names ...string) {
	t.Helper()
	found, err := w.Search(t.Context(), actor, Query{Text: text, Pad: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range found.People {
		got = append(got, h.View.Card.DisplayName)
	}
	if !slices.Equal(got, names) {
		t.Errorf("%q on the pad finds %s, want %s", text, strings.Join(got, " | "), strings.Join(names, " | "))
	}
}

func TestSearchFromThePad(t *testing.T) {
	people := named("Søren Ångström", "Anna Müller", "Annabelle Ort", "Дмитрий Иванов", "Ιωάννης Νικολάου", "田中 美咲", "Jo Li", "Mary Smith-Jones", "Nummer")
	people[8].WorkPhone = "+49 30 2662 1"
	w := newWorld(t, newFakeStore(people...), policy.Default(), fakeRelations{})
	for text, names := range map[string][]string{
		"76736": {"Søren Ångström"}, "264": {"Søren Ångström"}, "26478766": {"Søren Ångström"}, "767362647": {"Søren Ångström"},
		"76736026478766": {"Søren Ångström"}, "264076736": {"Søren Ångström"}, "763736": {"Søren Ångström"}, "2264": {"Søren Ångström"}, // soeren, aang…
		"2662": {"Anna Müller", "Annabelle Ort", "Nummer"}, // whole words, beginnings, numbers
		"6855": {"Anna Müller"}, "68355": {"Anna Müller"}, "266268": {"Anna Müller"},
		"35466": {"Дмитрий Иванов"}, "42255": {"Дмитрий Иванов"}, "49266": {"Ιωάννης Νικολάου"},
		"5654": {"Jo Li"}, "56": {"Jo Li", "Mary Smith-Jones"}, "54": {"Jo Li"}, "764845663": {"Mary Smith-Jones"}, "6279764845": {"Mary Smith-Jones"},
		"26621": {"Nummer"}, "+4930": {"Nummer"}, "030 2662": {"Nummer"}, "686637": {"Nummer"}, "999": nil, "*": nil, "": nil, "1": nil,
		"anna": {"Anna Müller", "Annabelle Ort"}, // letters are letters
	} {
		w.wantPad(t, as(9), text, names...)
	}
}

// spelling is the pad's rule by itself: a name is found if the digits spell the
// beginning of some of its words in a row.
func spelling(name, digits string) bool {
	words := strings.Fields(name)
	for i := range words {
		spelt := ""
		for _, r := range strings.Join(words[i:], "") {
			spelt += string(rune(padKey(r)))
		}
		if strings.HasPrefix(spelt, digits) {
			return true
		}
	}
	return false
}

func TestPadSpellsNames(t *testing.T) {
	word := rapid.StringMatching(`[a-zäøш]{1,7}`)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(word, 1, 3).Draw(t, "words"), " ")
		}), 1, 30).Draw(t, "names")
		digits := rapid.StringMatching(`[2-9]{1,8}`).Draw(t, "digits")
		if rapid.Bool().Draw(t, "of a name") {
			digits = ""
			for _, p := range pieces(names[0]) {
				digits += padStart(p.plain)
			}
			digits = digits[:rapid.IntRange(1, len(digits)).Draw(t, "length")]
		}
		b := &Book{index: newIndex(), bySource: map[string]parley.PersonID{}, byAddress: map[string]parley.PersonID{},
			reports: map[parley.PersonID][]parley.PersonID{}, departments: map[string][]parley.PersonID{}}
		var want []string
		for i, n := range names {
			e := newEntry(parley.Person{ID: parley.PersonID(i + 1), DisplayName: n}, nil, "")
			b.place(e)
			b.enter(parley.PersonID(i+1), func(list []parley.PersonID) []parley.PersonID { return append(list, parley.PersonID(i+1)) })
			spelt := spelling(e.key, digits)
			for _, w := range indexWords(pieces(n)) {
				spelt = spelt || spelling(w, digits)
			}
			if spelt {
				want = append(want, n)
			}
		}
		candidates := map[parley.PersonID]bool{}
		for _, list := range b.index.padNames(digits, false) {
			for _, id := range list {
				candidates[id] = true
			}
		}
		var got []string
		for i, n := range names {
			if padGrade(b.people[i+1], digits) != noMatch {
				got = append(got, n)
				if !candidates[parley.PersonID(i+1)] {
					t.Errorf("%s: %q is no candidate", digits, n)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s spells %q, want %q", digits, got, want)
		}
	})
}

func TestSearchByInitials(t *testing.T) {
	people := named("Søren Ångström", "Anna Maria Schmidt", "Sandra Berg", "Ångström, Stina", "Saul", "田中 美咲", "J. R. Smith")
	people[3].GivenName, people[3].Surname = "Stina", "Ångström"
	w := newWorld(t, newFakeStore(people...), policy.Default(), fakeRelations{})
	w.want(t, as(9), "sa", "Sandra Berg", "Saul", "Ångström, Stina", "Søren Ångström") // beginnings before initials
	w.want(t, as(9), "as", "Ångström, Stina", "Anna Maria Schmidt")
	w.want(t, as(9), "ams", "Anna Maria Schmidt")
	w.want(t, as(9), "ma", "Anna Maria Schmidt") // a beginning
	w.want(t, as(9), "am", "Anna Maria Schmidt")
	w.want(t, as(9), "sma")
	w.want(t, as(9), "s. ång", "Ångström, Stina", "Søren Ångström")
	w.want(t, as(9), "J.R.", "J. R. Smith")
	w.want(t, as(9), "jrs", "J. R. Smith")
	w.want(t, as(9), "angs sor", "Søren Ångström")
}

func TestSearchByTitleAndDepartment(t *testing.T) {
	people := named("Anna", "Berta", "Carl", "Dora", "Emil")
	for i := range people {
		people[i].Title, people[i].Department = "Senior Bridge Engineer", "Bauwerke & Straßen"
	}
	f := fakeRelations{relations: []privacy.Relation{{Owner: 2, Other: 9, Level: privacy.Blocked}, {Owner: 3, Other: 9, Level: privacy.Friends}}}
	w := newWorld(t, newFakeStore(people...), policy.Default(), f)
	all := []string{"Anna", "Berta", "Carl", "Dora", "Emil"}
	w.want(t, as(9), "engineer", all...)
	w.want(t, as(9), "bridge eng", all...)
	w.want(t, as(9), "strassen", all...)
	w.want(t, as(9), "carl engineer", "Carl")
	w.want(t, as(9), "ridge") // the inside of a word of a title finds nobody
	w.want(t, as(9), "e", "Emil")
	closed := policy.Default()
	closed.DirectoryPublic &^= policy.Title
	w = newWorld(t, newFakeStore(people...), closed, f)
	w.want(t, as(9), "engineer") // a friend sees the title and is found by it no more than anybody
	w.want(t, as(9), "carl engineer")
	w.want(t, as(9), "strassen", all...)
}

func TestSearchMatched(t *testing.T) {
	people := named("Søren Ångström", "Berta Blau")
	people[0].WorkPhone, people[0].Alias, people[0].Title, people[0].Mail = "+47 22 12 34 56", "soan", "Welder", "s.angstrom@firma.example"
	people[0].OtherMail, people[0].Mobile = []string{"x@else.example", "welder@else.example"}, "+49 151 23456789"
	f := fakeRelations{relations: []privacy.Relation{{Owner: 1, Other: 8, Level: privacy.Workgroup}}}
	w := newWorld(t, newFakeStore(people...), policy.Default(), f)
	w.typed[1] = []parley.TypedPhone{{Kind: parley.PhoneMobile, Number: "+49 30 99887766"}}
	w.retype(1, w.typed[1])
	for _, test := range []struct {
		viewer        parley.PersonID
		text, matched string
	}{
		{9, "angs sor", ""}, {9, "sa", ""}, {9, "soan", "soan"}, {9, "welder", "welder@else.example"}, {9, "weld soren", "welder@else.example"},
		{9, "011 47 22123456", "+47 22 12 34 56"}, {9, "s.angstrom@f", "s.angstrom@firma.example"}, {9, "u1@firma", "u1@firma.example"},
		{8, "15123456789", "01512 3456789"}, {8, "30998877", "030 99887766"},
	} {
		found, err := w.Search(t.Context(), as(test.viewer), Query{Text: test.text})
		if err != nil || len(found.People) != 1 || found.People[0].Matched != test.matched {
			t.Errorf("%q: %+v, %v, want %q", test.text, found.People, err, test.matched)
		}
	}
	w.want(t, as(9), "15123456789")
	w.want(t, as(9), "30998877")
}

func TestCloserOnesComeFirst(t *testing.T) {
	people := named("Chef", "Anna A", "Anna B", "Anna C", "Anna D", "Ich", "Anna E")
	people[4].Manager, people[5].Manager = 1, 1
	people[3].Department, people[5].Department, people[6].Department = "Yard", "Yard", "Yard"
	f := fakeRelations{relations: []privacy.Relation{{Owner: 6, Other: 3, InContacts: true}}}
	w := newWorld(t, newFakeStore(people...), policy.Default(), f)
	w.want(t, as(6), "anna", "Anna B", "Anna D", "Anna C", "Anna E", "Anna A")
	// A department that is not shown brings nobody forward.
	closed := policy.Default()
	closed.DirectoryPublic = 0
	f.preferences = []privacy.PersonPreferences{{Person: 4, Preferences: privacy.Preferences{OnlyContacts: true}}}
	w = newWorld(t, newFakeStore(people...), closed, f)
	w.want(t, as(6), "anna", "Anna B", "Anna D", "Anna E", "Anna A", "Anna C")
}

func TestShownNumber(t *testing.T) {
	for _, test := range []struct{ number, region, organisation, want string }{
		{"+49 30 2093 0004", "", "DE", "030 20930004"}, {"+49 30 2093 0004", "", "NO", "+49 30 20930004"}, {"030/2093-0004", "DE", "", "+49 30 20930004"},
		{"+47 22 12 34 56", "", "NO", "22 12 34 56"}, {"+47 22 12 34 56", "", "DE", "+47 22 12 34 56"}, {"(206) 555-0100 x204", "US", "us", "(206) 555-0100 ext. 204"},
		{"+1 206 555 0100 ext. 204", "", "DE", "+1 206-555-0100 ext. 204"}, {"-0004", "DE", "DE", "-0004"}, {" 4711 ", "DE", "DE", "4711"}, {"call me", "DE", "DE", "call me"},
		{"+49 40 66969 125", "", "DE", "040 66969125"}, {"+1 416 555 0114", "", "US", "+1 416-555-0114"}, {"", "DE", "DE", ""}, {"tel:+49-30-20930004", "DE", "DE", "030 20930004"},
	} {
		if got := ShownNumber(test.number, test.region, test.organisation); got != test.want {
			t.Errorf("%q of %s is shown in %q as %q, want %q", test.number, test.region, test.organisation, got, test.want)
		}
	}
}
