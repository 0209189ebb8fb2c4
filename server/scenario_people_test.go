package server_test

import (
	"bytes"
	"errors"
	"image/jpeg"
	"strings"
	"testing"

	"parley/edge/webapi"
	"parley/parleytest"
)

// claim: UC1
func TestUC1PeopleAreFoundByAnyPart(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.As("hanna")
	tests := []struct{ query, want string }{
		{"Mens", "kwame"},               // half a surname
		{"mensah kwame", "kwame"},       // parts in any order
		{"lindq", "zoe"},                // and with the accent dropped:
		{"zoe lindqvist", "zoe"},        //
		{"grossmann", "juergen"},        // ß
		{"Wisniewski", "pawel"},         // ś
		{"oneill", "siobhan"},           // apostrophe left out
		{"chateau renard", "ines"},      // hyphen left out
		{"ostergard", "birgit"},         // Ø, å
		{"陈", "wei"},                    // one character
		{"Соко", "dmitri"},              // another script
		{"kwame@demo.example", "kwame"}, // the whole address
		{"+44 20 7946", "kwame"},        // the beginning of a number
	}
	for _, test := range tests {
		found := hanna.Search(test.query)
		if !lists(hits(found), test.want) {
			t.Errorf("%q finds %v, want %s among them", test.query, names(hits(found)), test.want)
		}
	}
	if found := hanna.Search("nobody is called thus"); len(found.People) > 0 || found.More {
		t.Errorf("a name that nobody has finds %v", names(hits(found)))
	}
}

// hits are the rows of what a search has found.
func hits(found webapi.PeopleFound) []webapi.PersonRow {
	var rows []webapi.PersonRow
	for _, p := range found.People {
		rows = append(rows, p.PersonRow)
	}
	return rows
}

func lists(people []webapi.PersonRow, alias string) bool {
	for _, p := range people {
		if strings.HasPrefix(p.Address, alias+"@") {
			return true
		}
	}
	return false
}

func names(people []webapi.PersonRow) []string {
	var list []string
	for _, p := range people {
		list = append(list, p.DisplayName)
	}
	return list
}

// A hit counts only through a field that the viewer may see: the digits of a
// hidden mobile would else tell whose it is.
//
// claim: CC6
func TestCC6HiddenNumberIsNotFound(t *testing.T) {
	w := parleytest.Start(t)
	kwame, hanna := w.As("kwame"), w.As("hanna")
	var own webapi.Card
	if err := kwame.Call("GET", "/api/people/"+kwame.ID(), nil, &own); err != nil {
		t.Fatal(err)
	}
	var mobile string
	for _, p := range own.Phones {
		if p.Kind == "mobile" {
			mobile = p.Dial
		}
	}
	if mobile == "" {
		t.Fatal("kwame does not see the own mobile")
	}
	if !lists(hits(kwame.Search(mobile)), "kwame") {
		t.Errorf("kwame does not find himself by %s", mobile)
	}
	if lists(hits(hanna.Search(mobile)), "kwame") {
		t.Error("a colleague finds kwame by his mobile, which colleagues do not see")
	}
	var card webapi.Card
	if err := hanna.Call("GET", "/api/people/"+kwame.ID(), nil, &card); err != nil {
		t.Fatal(err)
	}
	for _, p := range card.Phones {
		if p.Kind == "mobile" || p.Kind == "home" {
			t.Errorf("a colleague sees the %s number", p.Kind)
		}
	}
}

// claim: CC1, CC3, CC5
func TestCC3CardShowsTheDirectory(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.As("hanna")
	var card webapi.Card
	if err := hanna.Call("GET", "/api/people/zoe@demo.example", nil, &card); err != nil {
		t.Fatal(err)
	}
	if card.DisplayName != "Zoë Lindqvist" || card.Title != "Head of Technology" || card.Department != "Technology" ||
		card.Company == "" || card.Office == "" || card.Mail == "" {
		t.Errorf("the card is %+v", card)
	}
	if card.Manager == nil || card.Manager.DisplayName != "Maren Finch" {
		t.Errorf("the manager is %+v", card.Manager)
	}
	if !lists(card.Reports, "jonas") || !lists(card.Reports, "amara") {
		t.Errorf("the reports are %v", names(card.Reports))
	}
	for _, p := range card.Phones {
		if p.Kind == "work" && (p.Number == "" || !strings.HasPrefix(p.Dial, "+46")) {
			t.Errorf("the work phone is %+v, want a number that dials", p)
		}
	}
}

// claim: PP1
func TestPP1PhotoComesFromTheDirectory(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.As("hanna")
	row := hanna.Search("zoe").People[0]
	if row.Photo == "" {
		t.Fatal("zoe has no photo")
	}
	for size, pixels := range map[string]int{"small": 96, "large": 320} {
		var raw []byte
		if err := hanna.Call("GET", "/api/people/"+row.ID+"/photo?size="+size, nil, &raw); err != nil {
			t.Fatal(err)
		}
		picture, err := jpeg.DecodeConfig(bytes.NewReader(raw))
		if err != nil || picture.Width != pixels || picture.Height != pixels {
			t.Errorf("the %s photo is %dx%d (%v), want %d", size, picture.Width, picture.Height, err, pixels)
		}
	}
	err := parleytest.Anonymous(w.Base, "GET", "/api/people/"+row.ID+"/photo", nil, nil)
	if refusal, ok := errors.AsType[*parleytest.Refusal](err); !ok || refusal.Status != 401 {
		t.Errorf("somebody without a session gets %v", err)
	}
}

// Absent and withheld are one answer, whatever is asked for.
//
// claim: CC6
func TestCC6AbsentIsOneAnswer(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.As("hanna")
	for _, path := range []string{"/api/people/p4711", "/api/people/nobody@demo.example", "/api/people/p4711/photo", "/api/people/0", "/api/people/p-1"} {
		err := hanna.Call("GET", path, nil, nil)
		refusal, ok := errors.AsType[*parleytest.Refusal](err)
		if !ok || refusal.Status != 404 || refusal.Problem.Key != "not-found" {
			t.Errorf("%s: %v, want 404 not-found", path, err)
		}
	}
}
