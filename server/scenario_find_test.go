package server_test

import (
	"net/url"
	"slices"
	"testing"

	"parley/edge/webapi"
	"parley/parleytest"
)

// onPad searches by what is typed on a dial pad.
func onPad(t *testing.T, d *parleytest.Device, text string) webapi.PeopleFound {
	t.Helper()
	var found webapi.PeopleFound
	if err := d.Call("GET", "/api/people?pad=true&q="+url.QueryEscape(text), nil, &found); err != nil {
		t.Fatalf("%q on the pad: %v", text, err)
	}
	return found
}

// foundFirst gives the display name of the first hit and by what it was found.
func foundFirst(found webapi.PeopleFound) [2]string {
	if len(found.People) == 0 {
		return [2]string{}
	}
	return [2]string{found.People[0].DisplayName, found.People[0].Matched}
}

// claim: UC1
func TestUC1FoundInEveryWay(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.As("hanna")
	for _, test := range []struct{ text, matched string }{
		{"angs sor", ""}, {"Søren Ångström", ""}, {"soren a", ""}, {"SOEREN", ""}, {"aangstroem", ""}, {"sa søren", ""}, {"s. ång", ""},
		{"soren@demo", "soren@demo.example"}, {"pilot", "Harbour Pilot"}, {"soren logistics", "Logistics"},
		{"+47 20 00 11 40", "+47 20 00 11 40"}, {"0047 20001140", "+47 20 00 11 40"}, {"011 47 20 00 11 40", "+47 20 00 11 40"},
		{"9011 47 20001140", "+47 20 00 11 40"}, {"20 00 11 40", "+47 20 00 11 40"}, {"00472000", "+47 20 00 11 40"},
	} {
		if got, want := foundFirst(hanna.Search(test.text)), [2]string{"Søren Ångström", test.matched}; got != want {
			t.Errorf("%q finds first %q, want %q", test.text, got, want)
		}
	}
	if !lists(hits(hanna.Search("sa")), "soren") {
		t.Error("the initials do not find Søren Ångström")
	}
	for _, text := range []string{"76736", "26478766", "264076736", "767362647", "004720001140", "20001140"} {
		if got := foundFirst(onPad(t, hanna, text)); got[0] != "Søren Ångström" {
			t.Errorf("%q on the pad finds first %q", text, got)
		}
	}
	// Among equals the own people come first.
	if got := foundFirst(hanna.Search("shipping")); got[0] != "Kwame Mensah" {
		t.Errorf("of two coordinators hanna finds first %q, want the one of her team", got)
	}
}

// claim: UC1
func TestUC1DirectoryGroupsAreFoundAndOpened(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.As("hanna")
	for _, text := range []string{"tasting", "panel tast", "tasting@demo", "decides bought"} {
		if found := hanna.Search(text); len(found.Groups) != 1 || found.Groups[0].Name != "Tasting Panel" {
			t.Fatalf("%q finds the groups %+v", text, found.Groups)
		}
	}
	var opened webapi.DirectoryGroup
	open := func(id string) {
		t.Helper()
		opened = webapi.DirectoryGroup{}
		if err := hanna.Call("GET", "/api/directory-groups/"+id, nil, &opened); err != nil {
			t.Fatal(err)
		}
	}
	open(hanna.Search("tasting").Groups[0].ID)
	if got, want := names(opened.People), []string{"Teddy Whitcombe-Hale", "陈伟 (Wei Chen)", "田中 美咲"}; opened.More || len(got) != 3 || !sameNames(got, want) {
		t.Errorf("the panel is %v, more %t, want %v", got, opened.More, want)
	}
	if len(opened.Groups) != 1 || opened.Groups[0].Name != "Buyers" {
		t.Fatalf("the groups in it are %+v", opened.Groups)
	}
	open(opened.Groups[0].ID)
	if !lists(opened.People, "ravi") || opened.People[0].Presence == nil {
		t.Errorf("the buyers are %+v", opened.People)
	}
}

func sameNames(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// Whatever the way, a hit counts only through a field that the viewer may see.
//
// claim: CC6, UC1
func TestCC6HiddenFactsFindNobodyInAnyWay(t *testing.T) {
	w := parleytest.Start(t, rulers("seun"))
	seun := rulerOf(w, "seun")
	kwame, hanna := w.AtDesk("kwame"), w.As("hanna")
	typed := webapi.SetPhonesRequest{Phones: []webapi.TypedPhone{{Kind: "home", Number: "+44 20 7946 0877"}, {Kind: "mobile", Number: "+44 7700 900877"}}}
	if err := kwame.Call("PUT", "/api/me/phones", typed, nil); err != nil {
		t.Fatal(err)
	}
	var own webapi.Card
	if err := kwame.Call("GET", "/api/people/"+kwame.ID(), nil, &own); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, p := range own.Phones {
		if p.Kind == "work" {
			continue
		}
		digits := p.Dial[1:]
		for _, text := range []string{p.Dial, "00" + digits, "011" + digits, "9011" + digits, "0" + digits[2:], digits[2:], digits[4:], p.Shown} {
			tried++
			if !lists(hits(kwame.Search(text)), "kwame") && !lists(hits(onPad(t, kwame, text)), "kwame") {
				t.Errorf("kwame does not find himself by %q: the test shows nothing", text)
			}
			if lists(hits(hanna.Search(text)), "kwame") || lists(hits(onPad(t, hanna, text)), "kwame") {
				t.Errorf("a colleague finds kwame by %q, which is of a number that colleagues do not see", text)
			}
		}
	}
	if tried < 20 {
		t.Errorf("only %d ways were tried", tried)
	}
	if !lists(hits(hanna.Search("shipping kwame")), "kwame") {
		t.Error("the public title finds nobody")
	}
	seun.set(t, "directory.public", "department,company,office,work_phone,manager")
	if lists(hits(hanna.Search("shipping kwame")), "kwame") {
		t.Error("a title that is not public finds kwame")
	}
}
