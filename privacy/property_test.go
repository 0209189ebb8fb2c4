package privacy

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"parley"
	"parley/policy"
	"pgregory.net/rapid"
)

var words = rapid.SampledFrom([]string{"", "a", "Anna", "Müller", "+49 30 1234", "李"})

func genTime(t *rapid.T) time.Time {
	n := rapid.IntRange(0, 3).Draw(t, "time")
	if n == 0 {
		return time.Time{}
	}
	return noon.Add(time.Duration(n) * time.Hour)
}

func genPerson(t *rapid.T) parley.Person {
	w := func(label string) string { return words.Draw(t, label) }
	return parley.Person{
		ID: parley.PersonID(rapid.Uint32Range(1, 9).Draw(t, "id")), SourceID: w("source"), Address: w("address"),
		Disabled: rapid.Bool().Draw(t, "disabled"), Gone: rapid.Bool().Draw(t, "gone"),
		DisplayName: w("display name"), GivenName: w("given name"), Surname: w("surname"), Alias: w("alias"), Mail: w("mail"),
		OtherMail: rapid.SliceOfN(words, 0, 2).Draw(t, "other mail"), Title: w("title"), Department: w("department"),
		Company: w("company"), Office: w("office"), Manager: parley.PersonID(rapid.Uint32Range(0, 9).Draw(t, "manager")),
		WorkPhone: w("work"), Mobile: w("mobile"), HomePhone: w("home"), OtherPhones: rapid.SliceOfN(words, 0, 2).Draw(t, "other phones"),
		Region: w("region"), Photo: parley.PhotoVersion(rapid.Uint64Range(0, 3).Draw(t, "photo")),
	}
}

func genPresence(t *rapid.T) parley.Presence {
	return parley.Presence{
		Availability: rapid.SampledFrom([]parley.Availability{
			0, 3500, 5000, 6500, 6900, 8000, 9500, 9600, 12500, 12600, 15500, 15600, 18500,
		}).Draw(t, "availability"),
		Token:  rapid.SampledFrom([]parley.Token{"", parley.TokenPresenting, parley.TokenOffWork, parley.TokenInAMeeting}).Draw(t, "token"),
		Source: rapid.SampledFrom([]parley.PresenceSource{"", parley.SourceDevice, parley.SourceManual, parley.SourceCalendar}).Draw(t, "presence source"),
		Since:  genTime(t), Until: genTime(t), NoteUntil: genTime(t), LastActive: genTime(t),
		Note: words.Draw(t, "note"), OutOfOffice: words.Draw(t, "out of office"), TimeZone: words.Draw(t, "time zone"),
		Mobile: rapid.Bool().Draw(t, "mobile device"),
	}
}

func genFacts(t *rapid.T) Facts {
	return Facts{Person: genPerson(t), Presence: genPresence(t), Preferences: Preferences{
		SharePhoto: rapid.Bool().Draw(t, "share photo"), OnlyContacts: rapid.Bool().Draw(t, "only contacts"),
		ShareTimeZone: rapid.Bool().Draw(t, "share time zone"), ShowPhotos: rapid.Bool().Draw(t, "show photos"),
	}, Typed: rapid.SliceOfN(rapid.Custom(genTyped), 0, 3).Draw(t, "typed")}
}

func genTyped(t *rapid.T) parley.TypedPhone {
	return parley.TypedPhone{Kind: parley.PhoneKind(rapid.Uint8Range(0, 5).Draw(t, "kind")), Number: words.Draw(t, "number")}
}

func genPolicy(t *rapid.T) policy.Policy {
	p := policy.Default()
	var err error
	names := rapid.SliceOfDistinct(rapid.SampledFrom([]string{
		"title", "company", "department", "office", "work_phone", "manager", "alias", "mobile", "home_phone", "other_phones",
	}), rapid.ID[string]).Draw(t, "public")
	if p.DirectoryPublic, err = policy.ParseAttributes(names); err != nil {
		t.Fatal(err)
	}
	p.Pictures = rapid.Bool().Draw(t, "pictures")
	p.Location = rapid.Bool().Draw(t, "location")
	p.PrivacyMode = rapid.Bool().Draw(t, "privacy mode")
	p.NonContactsMayReach = rapid.Bool().Draw(t, "non-contacts may reach")
	return p
}

func genClass(t *rapid.T) Class { return Class(rapid.Uint8Range(0, NumClasses-1).Draw(t, "class")) }

// Somebody blocked gets what the same viewer would get of somebody who never
// signed in, whatever the blocker did meanwhile.
func TestBlockedSeesTheTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, p := genFacts(t), genPolicy(t)
		never := Facts{Person: f.Person, Preferences: DefaultPreferences}
		never.Preferences.SharePhoto = f.Preferences.SharePhoto
		if f.Presence.Availability != 0 {
			never.Presence = parley.Presence{Availability: parley.Offline}
		}
		for _, inside := range []bool{true, false} {
			blocked, twin := Render(f, ClassOf(Blocked, inside), p), Render(never, ClassOf(DefaultLevel(inside), inside), p)
			if !reflect.DeepEqual(blocked, twin) {
				t.Errorf("inside %t: blocked sees\n%+v, of the twin one sees\n%+v", inside, blocked, twin)
			}
			if a, b := Searchable(ClassOf(Blocked, inside), p), Searchable(ClassOf(DefaultLevel(inside), inside), p); a != b {
				t.Errorf("inside %t: blocked finds through %b, the twin is found through %b", inside, a, b)
			}
			if typed := VisibleTyped(ClassOf(Blocked, inside)); typed != 0 {
				t.Errorf("inside %t: blocked finds through the typed %b", inside, typed)
			}
		}
	})
}

// What a class does not see does not show in its view in any way.
func TestHiddenFactsChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, p, c := genFacts(t), genPolicy(t), genClass(t)
		other := scramble(f, genFacts(t), Visible(c, p))
		other.Typed = scrambleTyped(f.Typed, other.Typed, VisibleTyped(c))
		if c.Level() == Blocked {
			other.Presence = f.Presence
			other.Presence.Note += "!"
		}
		if a, b := Render(f, c, p), Render(other, c, p); !reflect.DeepEqual(a, b) {
			t.Errorf("%s tells apart\n%+v\n%+v: sees\n%+v\n%+v", c, f, other, a, b)
		}
	})
}

// scramble takes every fact that is not visible from another set of facts.
func scramble(f, from Facts, visible Fields) Facts {
	p, q := &f.Person, &from.Person
	p.SourceID, p.Disabled, p.Gone = q.SourceID, q.Disabled, q.Gone
	hidden := func(field Fields, take func()) {
		if !visible.Has(field) {
			take()
		}
	}
	hidden(Name, func() { p.DisplayName, p.GivenName, p.Surname, p.ID = q.DisplayName, q.GivenName, q.Surname, q.ID })
	hidden(Address, func() { p.Address, p.Mail = q.Address, q.Mail })
	hidden(OtherMail, func() { p.OtherMail = q.OtherMail })
	hidden(Title, func() { p.Title = q.Title })
	hidden(Company, func() { p.Company = q.Company })
	hidden(Department, func() { p.Department = q.Department })
	hidden(Office, func() { p.Office = q.Office })
	hidden(Manager, func() { p.Manager = q.Manager })
	hidden(Alias, func() { p.Alias = q.Alias })
	hidden(WorkPhone, func() { p.WorkPhone = q.WorkPhone })
	hidden(Mobile, func() { p.Mobile = q.Mobile })
	hidden(HomePhone, func() { p.HomePhone = q.HomePhone })
	hidden(OtherPhones, func() { p.OtherPhones = q.OtherPhones })
	hidden(Photo, func() { p.Photo = q.Photo })
	if visible&phones == 0 {
		p.Region = q.Region
	}
	hidden(Since, func() {
		f.Presence.Since, f.Presence.Until = from.Presence.Since, from.Presence.Until
		f.Presence.Source, f.Presence.LastActive = from.Presence.Source, from.Presence.LastActive
	})
	hidden(Notes, func() {
		f.Presence.Note, f.Presence.NoteUntil = from.Presence.Note, from.Presence.NoteUntil
		f.Presence.OutOfOffice = from.Presence.OutOfOffice
	})
	hidden(Place, func() { f.Presence.TimeZone, f.Presence.Mobile = from.Presence.TimeZone, from.Presence.Mobile })
	hidden(State, func() { f.Presence.Token = from.Presence.Token })
	if visible&(State|Colour) == 0 {
		f.Presence.Availability = from.Presence.Availability
	}
	return f
}

// scrambleTyped takes the numbers of every row that is not visible from another
// list. Whoever sees none of a kind does not see how many there are either.
func scrambleTyped(list, from []parley.TypedPhone, visible Fields) []parley.TypedPhone {
	var other []parley.TypedPhone
	for _, p := range from {
		if row := RowOfPhone(p.Kind); row == 0 || !visible.Has(row) {
			other = append(other, p)
		}
	}
	for _, p := range list {
		if row := RowOfPhone(p.Kind); row != 0 && visible.Has(row) {
			other = append(other, p)
		}
	}
	return other
}

// A lower class never sees more than a higher one.
func TestLowerClassNeverSeesMore(t *testing.T) {
	type pair struct{ low, high Class }
	var pairs []pair
	for _, inside := range []bool{true, false} {
		at := func(l Level) Class { return ClassOf(l, inside) }
		pairs = append(pairs,
			pair{NonContactClass(inside), at(External)}, pair{NonContactClass(inside), at(Blocked)},
			pair{at(External), at(Colleagues)}, pair{at(Colleagues), at(Workgroup)}, pair{at(Colleagues), at(Friends)})
	}
	for l := range Level(numLevels) {
		pairs = append(pairs, pair{ClassOf(l, false), ClassOf(l, true)}, pair{ClassOf(l, true), Self})
	}
	for c := range Class(NumClasses) {
		pairs = append(pairs, pair{Nothing, c})
	}
	pairs = append(pairs, pair{NonContactClass(false), NonContactClass(true)})

	rapid.Check(t, func(t *rapid.T) {
		f, p := genFacts(t), genPolicy(t)
		for _, pair := range pairs {
			// Of a blocked twin Self would see the real state, so only the card compares.
			low, high := Render(f, pair.low, p), Render(f, pair.high, p)
			for _, p := range low.Card.Typed {
				if !slices.Contains(high.Card.Typed, p) {
					t.Errorf("%s sees the typed number %v, %s does not", pair.low, p, pair.high)
				}
			}
			low.Card.Typed, high.Card.Typed = nil, nil
			within(t, pair.low, pair.high, reflect.ValueOf(low.Card), reflect.ValueOf(high.Card))
			if pair.low.Level() == Blocked || pair.high.Level() == Blocked {
				continue
			}
			// The number may be the colour's, or the urgent one; there must be one.
			if low.Presence.Availability != 0 && high.Presence.Availability == 0 {
				t.Errorf("%s sees a state, %s none", pair.low, pair.high)
			}
			low.Presence.Availability, low.Presence.Token = high.Presence.Availability, high.Presence.Token
			within(t, pair.low, pair.high, reflect.ValueOf(low.Presence), reflect.ValueOf(high.Presence))
			if a, b := Searchable(pair.low, p), Searchable(pair.high, p); a&^b != 0 {
				t.Errorf("%s finds through %b, %s only through %b", pair.low, a, pair.high, b)
			}
			if a, b := VisibleTyped(pair.low), VisibleTyped(pair.high); a&^b != 0 {
				t.Errorf("%s finds through the typed %b, %s only through %b", pair.low, a, pair.high, b)
			}
		}
	})
}

func within(t *rapid.T, low, high Class, a, b reflect.Value) {
	for _, field := range reflect.VisibleFields(a.Type()) {
		x, y := a.FieldByIndex(field.Index), b.FieldByIndex(field.Index)
		if !x.IsZero() && !reflect.DeepEqual(x.Interface(), y.Interface()) {
			t.Errorf("%s sees %s = %v, %s sees %v", low, field.Name, x, high, y)
		}
	}
}

// Only Workgroup, and the person, ever get through Do Not Disturb; only somebody
// blocked is answered silently.
func TestRights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, c := genPolicy(t), genClass(t)
		r := RightsOf(c, p)
		if through := c == Self || !c.NonContact() && c.Level() == Workgroup; r.BreaksThrough != through {
			t.Errorf("%s breaks through: %t", c, r.BreaksThrough)
		}
		if (r.Reach == ReachSilently) != (c.Level() == Blocked) {
			t.Errorf("%s reaches: %d", c, r.Reach)
		}
		if r.Notices && r.Reach != ReachYes {
			t.Errorf("%s gets notices of somebody it does not reach", c)
		}
	})
}
