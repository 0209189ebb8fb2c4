package privacy

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/policy"
)

var update = flag.Bool("update", false, "write testdata/matrix.golden anew")

// classes in the order of the matrix, outside after inside.
func classes() []Class {
	list := []Class{Self}
	for _, l := range []Level{External, Colleagues, Workgroup, Friends, Blocked} {
		list = append(list, ClassOf(l, true), ClassOf(l, false))
	}
	return append(list, NonContactClass(true), NonContactClass(false), Nothing)
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func fullPerson() parley.Person {
	return parley.Person{
		ID: 7, SourceID: "4b7c…", Address: "anna@firma.example", DisplayName: "Anna Müller", GivenName: "Anna", Surname: "Müller",
		Alias: "amueller", Mail: "anna.mueller@firma.example", OtherMail: []string{"am@firma.example"},
		Title: "Engineer", Department: "R&D", Company: "Firma", Office: "B 2.14", Manager: 3,
		WorkPhone: "+49 30 1234", Mobile: "+49 170 1234", HomePhone: "+49 30 99", OtherPhones: []string{"+49 30 98"},
		Region: "DE", Photo: 0xabc, Disabled: true, Gone: true,
	}
}

func fullTyped() []parley.TypedPhone {
	return []parley.TypedPhone{
		{Kind: parley.PhoneWork, Number: "w"}, {Kind: parley.PhoneMobile, Number: "m"},
		{Kind: parley.PhoneHome, Number: "h"}, {Kind: parley.PhoneOther, Number: "o"},
	}
}

func fullPresence() parley.Presence {
	return parley.Presence{
		Availability: parley.OffWorkAway, Token: parley.TokenOffWork, Source: parley.SourceManual, Since: noon,
		Until: noon.Add(time.Hour), Note: "home at six", NoteUntil: noon.Add(2 * time.Hour), OutOfOffice: "back on Monday",
		Mobile: true, TimeZone: "Europe/Berlin", LastActive: noon.Add(-time.Minute),
	}
}

// TestMatrix holds the matrix of PRODUCT §2 as this program keeps it. Whoever
// changes a cell changes testdata/matrix.golden with it (-update).
func TestMatrix(t *testing.T) {
	defaults := Facts{Person: fullPerson(), Presence: fullPresence(), Preferences: DefaultPreferences, Typed: fullTyped()}
	private := defaults
	private.Preferences = Preferences{OnlyContacts: true}
	closed := policy.Default()
	closed.DirectoryPublic, closed.Pictures, closed.Location, closed.NonContactsMayReach = 0, false, false, false
	open := policy.Default()
	open.DirectoryPublic |= policy.Alias | policy.Mobile | policy.HomePhone | policy.OtherPhones

	var b strings.Builder
	b.WriteString("What each class of viewers sees. yes: as it is; a value: changed to that; -: withheld.\n")
	section(&b, "The default policy, everything shared", defaults, policy.Default())
	section(&b, "The person shares neither photo nor time zone", private, policy.Default())
	section(&b, "The operator makes nothing public, no pictures, no location, no calls from non-contacts", defaults, closed)
	section(&b, "The operator makes every attribute public", defaults, open)
	states(&b)

	const file = "testdata/matrix.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("the matrix is not %s; got:\n%s", file, got)
	}
}

func section(b *strings.Builder, title string, f Facts, p policy.Policy) {
	fmt.Fprintf(b, "\n%s\n", title)
	header(b)
	everything := View{ID: f.Person.ID, Card: card(&f.Person, allFields), Presence: f.Presence}
	everything.Card.Typed = f.Typed
	full := reflect.ValueOf(everything)
	for _, part := range []string{"Card", "Presence"} {
		for _, field := range reflect.VisibleFields(full.FieldByName(part).Type()) {
			row(b, part+"."+field.Name, func(c Class) string {
				view := reflect.ValueOf(Render(f, c, p))
				return cell(view.FieldByName(part).FieldByIndex(field.Index), full.FieldByName(part).FieldByIndex(field.Index))
			})
		}
	}
	row(b, "may call or message", func(c Class) string {
		return [...]string{ReachNo: "-", ReachYes: "yes", ReachSilently: "silently"}[RightsOf(c, p).Reach]
	})
	row(b, "typing, read marks", func(c Class) string { return yesOr(RightsOf(c, p).Notices) })
	row(b, "breaks through DND", func(c Class) string { return yesOr(RightsOf(c, p).BreaksThrough) })
}

// states shows what becomes of each state.
func states(b *strings.Builder) {
	fmt.Fprint(b, "\nStates\n")
	header(b)
	for _, s := range []parley.Presence{
		{Availability: parley.Available}, {Availability: parley.Inactive}, {Availability: parley.Busy},
		{Availability: parley.Busy, Token: parley.TokenOnThePhone}, {Availability: parley.BusyInactive},
		{Availability: parley.DoNotDisturb}, {Availability: parley.DoNotDisturb, Token: parley.TokenPresenting},
		{Availability: parley.BeRightBack}, {Availability: 12600, Token: parley.TokenOutOfOffice},
		{Availability: parley.Away}, {Availability: parley.OffWorkAway, Token: parley.TokenOffWork}, {Availability: parley.Offline},
	} {
		row(b, strings.TrimSpace(fmt.Sprintf("%d %.13s", s.Availability, s.Token)), func(c Class) string {
			p := Render(Facts{Person: fullPerson(), Presence: s}, c, policy.Default()).Presence
			if p.Availability == 0 && p.Token == "" {
				return "-"
			}
			return strings.TrimSpace(fmt.Sprintf("%d %.6s", p.Availability, p.Token))
		})
	}
}

func header(b *strings.Builder) {
	row(b, "", func(c Class) string {
		side, short := "", strings.NewReplacer("colleagues", "colleague", "non-contact", "stranger").Replace(c.String())
		short, side, _ = strings.Cut(short, " ")
		if side == "outside" {
			return short + "/o"
		}
		return short
	})
}

func row(b *strings.Builder, name string, of func(Class) string) {
	line := fmt.Sprintf("%-22s", name)
	for _, c := range classes() {
		line += fmt.Sprintf("%-13s", of(c))
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

func cell(got, full reflect.Value) string {
	switch {
	case got.IsZero():
		return "-"
	case reflect.DeepEqual(got.Interface(), full.Interface()):
		return "yes"
	default:
		if typed, ok := got.Interface().([]parley.TypedPhone); ok {
			var kinds []string
			for _, p := range typed {
				kinds = append(kinds, p.Kind.String())
			}
			return strings.Join(kinds, ",")
		}
		return fmt.Sprint(got.Interface())
	}
}

func yesOr(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

func TestBase(t *testing.T) {
	for _, test := range []struct{ in, want parley.Availability }{
		{-1, 0}, {0, 0}, {2999, 0}, {3000, parley.Available}, {4499, parley.Available}, {4500, parley.Inactive},
		{5999, parley.Inactive}, {6000, parley.Busy}, {parley.Urgent, parley.Busy}, {7499, parley.Busy},
		{7500, parley.BusyInactive}, {8999, parley.BusyInactive}, {9000, parley.DoNotDisturb}, {11999, parley.DoNotDisturb},
		{12000, parley.BeRightBack}, {14999, parley.BeRightBack}, {15000, parley.Away}, {parley.OffWorkAway, parley.Away},
		{17999, parley.Away}, {18000, parley.Offline}, {99999, parley.Offline},
	} {
		if got := Base(test.in); got != test.want {
			t.Errorf("Base(%d) = %d, want %d", test.in, got, test.want)
		}
	}
}

func TestClass(t *testing.T) {
	seen := map[string]Class{}
	for c := range Class(NumClasses) {
		if other, twice := seen[c.String()]; twice {
			t.Errorf("classes %d and %d are both %q", other, c, c)
		}
		seen[c.String()] = c
	}
	for _, inside := range []bool{true, false} {
		for l := range Level(numLevels) {
			c := ClassOf(l, inside)
			if c.Level() != l || c.Inside() != inside || c.NonContact() || c == Self || c == Nothing {
				t.Errorf("%s, inside %t: class %d is %s", l, inside, c, c)
			}
			if parsed, ok := ParseLevel(l.String()); !ok || parsed != l {
				t.Errorf("level %d reads back as %d", l, parsed)
			}
		}
		c := NonContactClass(inside)
		if !c.NonContact() || c.Inside() != inside || c.Level() == Blocked || c >= NumClasses {
			t.Errorf("non-contact, inside %t: class %d is %s", inside, c, c)
		}
	}
	if !Self.Inside() || Nothing.Inside() || Self.Level() == Blocked || Nothing.Level() == Blocked {
		t.Error("Self or Nothing lies on the wrong side")
	}
	if got := Render(Facts{Person: fullPerson(), Presence: fullPresence()}, NumClasses, policy.Default()); !reflect.ValueOf(got).IsZero() {
		t.Errorf("a class that does not exist sees %+v", got)
	}
	if _, ok := ParseLevel(""); ok || Level(numLevels).Valid() || Level(numLevels).String() != "" {
		t.Error("a level that does not exist passes")
	}
}
