package contact

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/policy"
	"parley/privacy"
)

func TestSearchByName(t *testing.T) {
	w := newWorld(t, newFakeStore(named(
		"Müller, Jörg", "Anna Mueller", "Siobhán O'Neill", "Mary Smith-Jones", "Łukasz Kowalczyk", "Søren Østergård",
		"Đặng Nguyễn", "Ağça Şahin", "İbrahim Işık", "Weiß, Æthel", "Дмитрий Иванов", "Ёлкин Йосиф", "محمد الفارسي", "רות כהן",
		"田中 美咲", "王伟", "김민준", "Jean-Luc D’Arc", "ﬁlip Ｗide", "Ιωάννης Παπαδόπουλος", "Zoë Garçía Márquez", "J. R. Smith")...),
		policy.Default(), fakeRelations{})
	for text, want := range map[string]string{
		"jörg müller": "Müller, Jörg", "muller jorg": "Müller, Jörg", "joerg mueller": "Müller, Jörg", "MÜLLER, JÖRG": "Müller, Jörg",
		"jor": "Müller, Jörg", "mul": "Müller, Jörg",
		"o'neill": "Siobhán O'Neill", "oneill": "Siobhán O'Neill", "o’neill": "Siobhán O'Neill", "neill siobhan": "Siobhán O'Neill",
		"smith jones": "Mary Smith-Jones", "smithjones": "Mary Smith-Jones", "smith-jones": "Mary Smith-Jones", "jones m": "Mary Smith-Jones",
		"lukasz": "Łukasz Kowalczyk", "łuk": "Łukasz Kowalczyk", "soren ostergard": "Søren Østergård", "soeren": "Søren Østergård", "oestergaard": "Søren Østergård",
		"dang": "Đặng Nguyễn", "nguyen dang": "Đặng Nguyễn", "agca": "Ağça Şahin", "sahin": "Ağça Şahin", "ibrahim": "İbrahim Işık", "isik": "İbrahim Işık",
		"weiss": "Weiß, Æthel", "aethel weiß": "Weiß, Æthel", "WEISS": "Weiß, Æthel",
		"иван": "Дмитрий Иванов", "ДМИТРИЙ": "Дмитрий Иванов", "елкин": "Ёлкин Йосиф", "йосиф": "Ёлкин Йосиф",
		"محمد": "محمد الفارسي", "الفار": "محمد الفارسي", "מחמד": "", "כהן רות": "רות כהן",
		"田": "田中 美咲", "中": "田中 美咲", "美咲": "田中 美咲", "田中美咲": "田中 美咲", "田中美": "田中 美咲", "伟": "王伟", "王伟": "王伟",
		"김민": "김민준", "민준": "김민준", "darc": "Jean-Luc D’Arc", "jeanluc": "Jean-Luc D’Arc", "luc": "Jean-Luc D’Arc", "filip wide": "ﬁlip Ｗide",
		"ΠΑΠΑΔΟΠΟΥΛΟΣ": "Ιωάννης Παπαδόπουλος", "ιωαννης": "Ιωάννης Παπαδόπουλος", "marquez zoe": "Zoë Garçía Márquez", "garcia": "Zoë Garçía Márquez",
		"kowal": "Łukasz Kowalczyk", "walcz": "Łukasz Kowalczyk", "alczy": "Łukasz Kowalczyk", "j r smith": "J. R. Smith", "j.r.": "J. R. Smith",
		"": "", "   ": "", "'": "", "--": "", "zz": "", "smith zz": "", "lcz": "Łukasz Kowalczyk", "cz": "", "firma": "", "example": "", "@": "",
	} {
		var names []string
		if want != "" {
			names = []string{want}
		}
		w.want(t, as(1), text, names...)
	}
	w.want(t, as(9), "mueller", "Anna Mueller", "Müller, Jörg")
	w.want(t, as(9), "müller", "Anna Mueller", "Müller, Jörg")
	w.want(t, as(9), "smith", "J. R. Smith", "Mary Smith-Jones")
}

func TestSearchByAddressAliasAndNumber(t *testing.T) {
	people := named("Berta Blau", "Carl Coal", "Dora Dunkel", "Emil Ernst", "Fay Falk")
	people[0].Address, people[0].Mail, people[0].Alias = "bblau@firma.example", "berta.blau@firma.example", "bbl42"
	people[1].WorkPhone, people[1].OtherMail = "+49 30 2093 0004", []string{"charly@else.example"}
	people[2].WorkPhone = "-0004"
	people[3].WorkPhone, people[3].Region = "(212) 555-0123", "US"
	people[4].WorkPhone, people[4].Alias = "030/7777-12", "301"
	w := newWorld(t, newFakeStore(people...), policy.Default(), fakeRelations{})
	for text, want := range map[string][]string{
		"bblau@firma.example": {"Berta Blau"}, "BBlau@Fir": {"Berta Blau"}, "berta.blau@firma.example": {"Berta Blau"}, "berta.b": {"Berta Blau"},
		"bblau@elsewhere": nil, "@firma.example": nil, "bbl42": {"Berta Blau"}, "bbl": {"Berta Blau"}, "charly@e": {"Carl Coal"}, "charly": {"Carl Coal"},
		"+49 30 2093 0004": {"Carl Coal"}, "030 2093 0004": {"Carl Coal"}, "030/2093": {"Carl Coal"}, "2093 0004": {"Carl Coal"}, "2093-0004": {"Carl Coal"}, "+49 (0)30 2093": {"Carl Coal"},
		"0049 30 2093": {"Carl Coal"}, "0004": {"Dora Dunkel", "Carl Coal"}, "04": nil, "+1 212 555": {"Emil Ernst"}, "(212) 555": {"Emil Ernst"},
		"555-0123": {"Emil Ernst"}, "030 7777": {"Fay Falk"}, "+49 30 7777": {"Fay Falk"}, "٧٧٧٧": {"Fay Falk"}, "fay 7777": {"Fay Falk"}, "7777 fay": {"Fay Falk"},
		"carl 7777": nil, "301": {"Fay Falk"}, "3020": {"Carl Coal"}, "99999": nil,
	} {
		w.want(t, as(1), text, want...)
	}
}

func TestSearchRanksAndCutsOff(t *testing.T) {
	people := named("Li Wei", "Linda Ash", "Ash Linda", "Oli Zander", "Charlie Lin", "Emily Li", "Lindner")
	people[3].Alias = "li"
	people[4].Manager, people[5].Manager = 0, 0
	w := newWorld(t, newFakeStore(people...), policy.Default(), fakeRelations{})
	// Whole alias or name; whole words; beginnings of names; anything else.
	w.want(t, as(9), "li", "Oli Zander", "Emily Li", "Li Wei", "Ash Linda", "Charlie Lin", "Linda Ash", "Lindner")
	w.want(t, as(9), "linda ash", "Ash Linda", "Linda Ash")
	w.want(t, as(9), "lin", "Charlie Lin", "Ash Linda", "Linda Ash", "Lindner")
	w.want(t, as(9), "lindner", "Lindner")

	found, err := w.Search(t.Context(), as(9), Query{Text: "li", Limit: 2})
	if err != nil || len(found.People) != 2 || !found.More {
		t.Errorf("two of seven: %d, more %t, %v", len(found.People), found.More, err)
	}
	found, err = w.Search(t.Context(), as(9), Query{Text: "li", Limit: 7})
	if err != nil || len(found.People) != 7 || found.More {
		t.Errorf("seven of seven: %d, more %t, %v", len(found.People), found.More, err)
	}
}

func TestOwnTeamComesFirstAmongEquals(t *testing.T) {
	people := named("Chef", "Anna A", "Anna B", "Anna C", "Ich")
	people[3].Manager, people[4].Manager = 1, 1
	hidden := fakeRelations{relations: []privacy.Relation{{Owner: 3, Other: 5, Level: privacy.External}}}
	people[2].Manager = 5
	w := newWorld(t, newFakeStore(people...), policy.Default(), hidden)
	w.want(t, as(5), "anna", "Anna B", "Anna C", "Anna A")
	closed := policy.Default()
	closed.DirectoryPublic = 0
	w = newWorld(t, newFakeStore(people...), closed, hidden)
	// Who hides their manager does not come first, or that would tell.
	w.want(t, as(5), "anna", "Anna C", "Anna A", "Anna B")
}

func TestSearchOnlyThroughVisibleFields(t *testing.T) {
	people := named("Anna", "Berta", "Carl", "Dora", "Emil")
	for i := range people {
		people[i].Mobile, people[i].HomePhone, people[i].WorkPhone = "+49 151 5551", "+49 30 4441", "+49 30 3331"
		people[i].Alias, people[i].OtherMail = "alias", []string{"second@firma.example"}
	}
	f := fakeRelations{relations: []privacy.Relation{
		{Owner: 1, Other: 9, Level: privacy.Workgroup}, {Owner: 2, Other: 9, Level: privacy.Friends},
		{Owner: 3, Other: 9, Level: privacy.External}, {Owner: 4, Other: 9, Level: privacy.Blocked},
	}, preferences: []privacy.PersonPreferences{{Person: 5, Preferences: privacy.Preferences{OnlyContacts: true}}}}
	closed := policy.Default()
	closed.DirectoryPublic = 0
	w := newWorld(t, newFakeStore(people...), closed, f)
	w.want(t, as(9), "1515551", "Anna", "Berta")
	w.want(t, as(9), "304441", "Berta")
	w.want(t, as(9), "303331", "Anna", "Berta", "Dora") // blocked: what a colleague sees
	w.want(t, as(9), "alias", "Anna", "Berta", "Dora")
	w.want(t, as(9), "second@", "Anna", "Berta", "Dora")
	w.want(t, as(9), "emil", "Emil") // Privacy Mode hides no name
	w.want(t, as(9), "emil 303331")
	w.want(t, as(5), "emil 304441", "Emil") // oneself
	w.want(t, as(8), "1515551")

	open := policy.Default()
	w = newWorld(t, newFakeStore(people...), open, f)
	w.want(t, as(9), "303331", "Anna", "Berta", "Carl", "Dora", "Emil")
}

func TestWhoIsFound(t *testing.T) {
	people := named("Anna Da", "Anna Fort", "Anna Gesperrt")
	people[1].Gone, people[2].Disabled = true, true
	w := newWorld(t, newFakeStore(people...), policy.Default(), fakeRelations{})
	w.want(t, as(1), "anna", "Anna Da", "Anna Gesperrt")

	for _, test := range []struct {
		actor parley.Actor
		text  string
		want  parley.Kind
	}{
		{parley.Actor{}, "anna", parley.SignIn},
		{parley.Actor{Kind: parley.ActorRemote, Person: 1}, "anna", parley.Forbidden},
		{parley.Actor{Kind: parley.ActorGuest}, "anna", parley.Forbidden},
		{as(1), strings.Repeat("ä", MaxQuery+1), parley.Invalid},
	} {
		if _, err := w.Search(t.Context(), test.actor, Query{Text: test.text, Limit: 10}); err == nil || parley.KindOf(err) != test.want {
			t.Errorf("%s searches %.10q: %v, want %s", test.actor.Kind, test.text, err, test.want)
		}
	}
}

func TestSearchEndsWithItsContext(t *testing.T) {
	w := newWorld(t, newFakeStore(crowd(3*lookBeforeAsking)...), policy.Default(), fakeRelations{})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := w.Search(ctx, as(1), Query{Text: "firma7 u", Limit: 10}); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := w.find(ctx, as(1), query{terms: []term{{forms: []string{"xyzzy"}}, {forms: []string{"u"}}}}, 10, policy.Default()); err != nil {
		t.Errorf("nothing to look at: %v", err)
	}
	s := finder{ctx: ctx, book: w.Book, n: 1, query: parseQuery("nobodyiscalledthis", "DE")}
	var err error
	for range lookBeforeAsking {
		err = s.look(w.people[1], exact)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after %d people: %v", lookBeforeAsking, err)
	}
}

// slowSearch is what find has to give: everybody is ranked, then the best are
// taken.
func (w *world) slowSearch(actor parley.Actor, q query, n int, rules policy.Policy) []found {
	var all []found
	me, _ := w.Person(actor.Person)
	for _, e := range w.people {
		if e == nil || e.text == "" || len(q.terms)+len(q.pad) == 0 {
			continue
		}
		class := w.gate.Class(e.person.ID, actor)
		r := q.rank(e, sightOf(class, rules))
		if r == unmatched {
			continue
		}
		f := found{e, r, nowhereNear}
		relation, _ := w.gate.Relation(actor, e.person.ID)
		switch {
		case relation.InContacts:
			f.near = inContacts
		case slices.Contains(w.team(actor, rules), e.person.ID):
			f.near = inTeam
		case me.Department != "" && e.person.Department == me.Department && e.person.Company == me.Company &&
			privacy.Visible(class, rules).Has(privacy.Department|privacy.Company):
			f.near = inDepartment
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b found) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	return all[:min(n, len(all))]
}

// The index and its short cuts leave nobody out and change no order.
func TestFindGivesWhatLookingAtEverybodyGives(t *testing.T) {
	rules := policy.Default()
	f := fakeRelations{}
	for i := range parley.PersonID(200) {
		f.relations = append(f.relations, privacy.Relation{Owner: i*7 + 1, Other: 9, Level: privacy.Level(i % 5)})
	}
	for i := range parley.PersonID(30) {
		f.relations = append(f.relations, privacy.Relation{Owner: 9, Other: 20 + i*23, InContacts: i%3 > 0})
	}
	w := newWorld(t, newFakeStore(crowd(800)...), rules, f)
	var all []query
	for _, text := range queries(w.Book, 12) {
		all = append(all, parseQuery(text, "DE"))
	}
	for _, text := range padQueries(w.Book, 12) {
		all = append(all, parsePad(text, "DE"))
	}
	for _, q := range all {
		for _, n := range []int{8, MaxHits + 1} {
			got, err := w.find(t.Context(), as(9), q, n, rules)
			if err != nil {
				t.Fatal(err)
			}
			if want := w.slowSearch(as(9), q, n, rules); !slices.Equal(got, want) {
				t.Errorf("%+v, %d hits: got %s\nwant %s", q, n, show(got), show(want))
			}
		}
	}
}

func show(list []found) string {
	var b strings.Builder
	for _, f := range list {
		b.WriteString(f.entry.person.DisplayName + " " + f.entry.person.ID.String() + ", ")
	}
	return b.String()
}

func FuzzSearch(f *testing.F) {
	for _, text := range []string{"müller", "a b c", "+49 (0)30", "x@y", "田中", "o'-'", "\x1f\x02a", "00", "(((", "2674 0 76736", "01147221", "9 00 49 30", "+1 212 555 0100 ext. 4", "*#", "\xff\xfe", strings.Repeat("a ", 100)} {
		f.Add(text)
	}
	rules := policy.Default()
	w := newWorld(f, newFakeStore(crowd(500)...), rules, fakeRelations{})
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4*MaxQuery {
			return
		}
		for _, q := range []query{parseQuery(text, "DE"), parsePad(text, "US")} {
			got, err := w.find(t.Context(), as(9), q, 10, rules)
			if want := w.slowSearch(as(9), q, 10, rules); err != nil || !slices.Equal(got, want) {
				t.Errorf("%q: %s, %v; want %s", text, show(got), err, show(want))
			}
		}
	})
}

func FuzzDialString(f *testing.F) {
	for _, number := range []string{"+49 30 2093", "-0004", "tel:+41446681234", "x12", "00 33 1", "(212) 555-0123 ext. 4", "+", "٠٣٠"} {
		f.Add(number, "DE")
	}
	f.Fuzz(func(t *testing.T, number, region string) {
		if d := DialString(number, region); d != "" && (d[0] != '+' || len(d) < 4 || len(d) > 20 || !onlyDigits(d[1:])) {
			t.Errorf("%q in %q dials %q", number, region, d)
		}
		for _, run := range searchDigits(number, region) {
			if len(run) < minRun || !onlyDigits(run) {
				t.Errorf("%q in %q is found by %q", number, region, run)
			}
		}
	})
}

func TestDialString(t *testing.T) {
	for _, test := range []struct{ number, region, want string }{
		{"+49 30 2093 0004", "", "+493020930004"}, {"+49 (0)30 2093-0004", "", "+493020930004"}, {"030/2093-0004", "DE", "+493020930004"},
		{"(030) 2093 0004", "de", "+493020930004"}, {"004930 20930004", "DE", "+493020930004"}, {"-0004", "DE", ""}, {"2093 0004", "DE", ""},
		{"0004", "DE", ""}, {"x0004", "US", ""}, {"", "DE", ""}, {"call me", "DE", ""}, {"030 2093 0004", "", ""},
		{"+1 212 555 0123", "", "+12125550123"}, {"(212) 555-0123", "US", "+12125550123"}, {"212.555.0123", "US", "+12125550123"},
		{"1-212-555-0123 x22", "US", "+12125550123"}, {"+1 (212) 555-0123 ext. 417", "US", "+12125550123"},
		{"020 7946 0123", "GB", "+442079460123"}, {"01.70.18.01.23", "FR", "+33170180123"}, {"00 33 1 70 18 01 23", "FR", "+33170180123"},
		{"03-5555-0123", "JP", "+81355550123"}, {"tel:+41446680123", "CH", "+41446680123"}, {"02 5550 0123", "IT", "+390255500123"},
		{"(11) 5555-0123", "BR", "+551155550123"}, {strings.Repeat("1", 100), "DE", ""}, {"112", "DE", ""}, {"911", "US", ""}, {"+49 112", "DE", ""},
	} {
		if got := DialString(test.number, test.region); got != test.want {
			t.Errorf("%q in %q dials %q, want %q", test.number, test.region, got, test.want)
		}
	}
}
