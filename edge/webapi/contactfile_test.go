package webapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/contact"
	"parley/privacy"
)

func TestReadVCards(t *testing.T) {
	tests := []struct {
		name, data string
		want       []contact.Imported
	}{
		{"4.0", "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Anna\r\nIMPP:sip:anna@example.org\r\nEMAIL;TYPE=work:a@example.org\r\nCATEGORIES:Site,Board\r\nEND:VCARD\r\n",
			[]contact.Imported{{Addresses: []string{"a@example.org", "sip:anna@example.org"}, Groups: []string{"Site", "Board"}}}},
		{"3.0, grouped, unix lines", "BEGIN:VCARD\nVERSION:3.0\nN:A;B;;;\nitem1.EMAIL;type=INTERNET:a@example.org\nitem1.X-ABLabel:x\nEND:VCARD\n",
			[]contact.Imported{{Addresses: []string{"a@example.org"}}}},
		{"folded", "BEGIN:VCARD\nVERSION:3.0\nEMAIL:a@exa\n mple.org\nPHOTO;ENCODING=b:AAAA\n BBBB\n CCCC\nCATEGORIES:One\\, two,\n Three\nEND:VCARD\n",
			[]contact.Imported{{Addresses: []string{"a@example.org"}, Groups: []string{"One, two", "Three"}}}},
		{"two, one without an address", "BEGIN:VCARD\nVERSION:3.0\nFN:A\nEND:VCARD\nBEGIN:VCARD\nVERSION:3.0\nEMAIL:b@example.org\nEND:VCARD\n",
			[]contact.Imported{{Addresses: []string{"b@example.org"}}}},
		{"an address that is none", "BEGIN:VCARD\nVERSION:3.0\nEMAIL:anna\nEMAIL:b@example.org\nEND:VCARD",
			[]contact.Imported{{Addresses: []string{"b@example.org"}}}},
		{"nobody", "BEGIN:VCARD\nVERSION:3.0\nEND:VCARD\n", []contact.Imported{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := readVCards(test.data)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%+v, %v; want %+v", got, err, test.want)
			}
		})
	}
	for _, bad := range []string{"", "hello", "BEGIN:VCARD\nEMAIL:a@b.c\n", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "EMAIL:a@b.c\n"} {
		if got, err := readVCards(bad); err == nil {
			t.Errorf("%q is read as %+v", bad, got)
		}
	}
}

// A card with a picture of two megabytes is read in the time of its length.
func TestReadVCardsPassesPicturesOver(t *testing.T) {
	line := "\n " + strings.Repeat("A", 74)
	data := "BEGIN:VCARD\nVERSION:3.0\nPHOTO;ENCODING=b:AAAA" + strings.Repeat(line, (2<<20)/len(line)-4) + "\nEMAIL:a@example.org\nEND:VCARD\n"
	began := time.Now()
	got, err := readVCards(data)
	if err != nil || len(got) != 1 || time.Since(began) > 2*time.Second {
		t.Errorf("%d cards after %v, %v", len(got), time.Since(began), err)
	}
}

// What is hostile costs no more than it is long, and is refused or cut.
func TestContactFileOfTooMuch(t *testing.T) {
	many := "BEGIN:VCARD\nVERSION:3.0\n" + strings.Repeat("EMAIL:a@example.org\n", 50_000) + "CATEGORIES:" + strings.Repeat("x,", 100) + "\nEND:VCARD\n"
	people, err := readVCards(many)
	if err != nil || len(people) != 1 || len(people[0].Addresses) != maxVCardValues {
		t.Errorf("%d cards, %v", len(people), err)
	}
	if _, err := readVCards(strings.Repeat("BEGIN:VCARD\nEMAIL:a@b.c\nEND:VCARD\n", contact.MaxContacts+1)); !errors.Is(err, contact.ErrTooManyContacts) {
		t.Errorf("a card too many: %v", err)
	}
	w := newWorld(t)
	c := w.atDesk("anna")
	groups := `"` + strings.Repeat(`x","`, contact.MaxOwnGroups) + `x"`
	for _, data := range []string{
		`{"type": "parley-contacts", "version": 1, "groups": [` + groups + `]}`,
		`{"type": "parley-contacts", "version": 1, "contacts": [{"address": "ben@example.org", "groups": [` + groups + `]}]}`,
	} {
		body := ImportContactsRequest{Format: "json", Data: data}
		c.refused(c.call("POST", "/api/contacts/import", body), http.StatusRequestEntityTooLarge, "too-large", "contact-groups.too-many")
	}
}

func TestReadContactJSON(t *testing.T) {
	friends := privacy.Friends
	groups, people, err := readContactJSON(`{"type": "parley-contacts", "version": 1, "groups": ["Site"], "later": 1,
		"contacts": [{"address": "a@example.org", "name": "A", "favourite": true, "groups": ["Site"], "level": "friends"}, {"address": " "}]}`)
	want := []contact.Imported{{Addresses: []string{"a@example.org"}, Groups: []string{"Site"}, Favourite: true, Level: &friends}}
	if err != nil || !reflect.DeepEqual(groups, []string{"Site"}) || !reflect.DeepEqual(people, want) {
		t.Errorf("%q, %+v, %v", groups, people, err)
	}
	for _, bad := range []string{
		"", "null", "[]", `{"type": "parley-contacts", "version": 2}`, `{"version": 1}`, `{"type": "parley-contacts", "version": 1, "groups": 7}`,
		`{"type": "parley-contacts", "version": 1, "contacts": [{"address": "a@b.c", "level": "boss"}]}`,
		`{"type": "parley-contacts", "version": 1, "x": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}",
	} {
		if _, _, err := readContactJSON(bad); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

// What is written comes back, whatever names hold.
func TestContactFilesComeBack(t *testing.T) {
	people := []listedRow{
		{row: PersonRow{DisplayName: "Ångström, Søren; \\ \r\nEND:VCARD", Address: "soren@example.org"}, mails: []string{"s@example.org", "soren@example.org"},
			groups: []string{"One, two", "Three; four", `five \, six`}, favourite: true, level: privacy.Workgroup},
		{row: PersonRow{DisplayName: "B", Address: "b@example.org"}, level: privacy.Blocked},
	}
	text, err := writeContactJSON([]string{"One, two", "empty"}, people, nil)
	if err != nil {
		t.Fatal(err)
	}
	groups, back, err := readContactFile("json", string(text))
	if err != nil || len(back) != 2 || !reflect.DeepEqual(groups, []string{"One, two", "empty"}) || !reflect.DeepEqual(back[0].Groups, people[0].groups) ||
		!back[0].Favourite || *back[0].Level != privacy.Workgroup || *back[1].Level != privacy.Blocked || back[1].Addresses[0] != "b@example.org" {
		t.Errorf("%q, %+v, %v of %s", groups, back, err, text)
	}
	text, err = writeVCards(people)
	if err != nil {
		t.Fatal(err)
	}
	_, back, err = readContactFile("vcard", string(text))
	if err != nil || len(back) != 2 || !reflect.DeepEqual(back[0].Groups, people[0].groups) ||
		!slices.Contains(back[0].Addresses, "s@example.org") || !slices.Contains(back[1].Addresses, "sip:b@example.org") {
		t.Errorf("%+v, %v of %s", back, err, text)
	}
}

func FuzzReadContactFile(f *testing.F) {
	f.Add("vcard", "BEGIN:VCARD\nVERSION:3.0\nitem1.EMAIL;type=INTERNET:a@example.org\nCATEGORIES:a\\,b,c\nEND:VCARD\n")
	f.Add("vcard", "BEGIN:VCARD\nEMAIL;X=\"\\\":a@b.c\n\tfolded\nEND:VCARD")
	f.Add("json", `{"type": "parley-contacts", "version": 1, "contacts": [{"address": "a@example.org", "level": "friends"}]}`)
	f.Add("json", `{"type": "parley-contacts", "version": 1, "lists": [{"mail": "crew@example.org", "name": "Crew"}, {"name": "x"}, {"mail": " "}]}`)
	f.Fuzz(func(t *testing.T, format, data string) {
		_, people, err := readContactFile(format, data)
		if err != nil {
			if kind := parley.KindOf(err); kind != parley.Invalid && kind != parley.TooLarge {
				t.Errorf("%q: %v", data, err)
			}
			return
		}
		for _, p := range people {
			if named := p.List && p.Name != ""; !named && len(p.Addresses) == 0 || len(p.Addresses) > 0 && strings.TrimSpace(p.Addresses[0]) == "" {
				t.Errorf("%q: a contact without an address: %+v", data, p)
			}
		}
	})
}

// The file of somebody's list holds what they may see of each, and only their own
// devices get it.
func TestContactFileHoldsWhatIsSeen(t *testing.T) {
	w := newMatrixWorld(t)
	for name, sees := range map[string]bool{"colleague": true, "friend": true, "stranger": false, "external": false} {
		desk := w.atDesk(name)
		desk.get(desk.call("POST", "/api/contact-groups", ContactGroupRequest{Name: "Yard"}), http.StatusOK, nil)
		set := SetContactRequest{Groups: []string{"c1"}, Level: "workgroup"}
		desk.get(desk.call("PUT", "/api/contacts/"+w.ids[subjectName].String(), set), http.StatusOK, nil)
		r := desk.call("GET", "/api/contacts/export?format=vcard", nil)
		card := string(desk.text(r))
		if r.Header.Get("Content-Type") != "text/vcard; charset=utf-8" || r.Header.Get("Content-Disposition") != `attachment; filename="contacts.vcf"` {
			t.Errorf("the headers are %v", r.Header)
		}
		want := []string{"VERSION:4.0", "FN:Sofia Sandoval", "IMPP:sip:sofia@example.org", "EMAIL:sofia.sandoval@example.org", "CATEGORIES:Yard"}
		if sees {
			want = append(want, "EMAIL:sosa@example.org")
		}
		for _, line := range want {
			if !strings.Contains(card, line+"\r\n") {
				t.Errorf("%s has no line %s in %s", name, line, card)
			}
		}
		if lines := strings.Count(card, "\r\n"); lines != len(want)+2 {
			t.Errorf("%s has %d lines in %s", name, lines, card)
		}
		var file contactFile
		if err := json.Unmarshal(desk.text(desk.call("GET", "/api/contacts/export", nil)), &file); err != nil {
			t.Fatal(err)
		}
		item := contactFileItem{Address: "sofia@example.org", Name: "Sofia Sandoval", Groups: []string{"Yard"}, Level: "workgroup"}
		if file.Type != contactFileType || !reflect.DeepEqual(file.Groups, []string{"Yard"}) || !reflect.DeepEqual(file.Contacts, []contactFileItem{item}) {
			t.Errorf("%s has %+v", name, file)
		}
	}
}

// People are found by addresses that the asker may see, and by nothing else.
func TestImportFindsByVisibleAddresses(t *testing.T) {
	w := newMatrixWorld(t)
	card := func(lines ...string) ImportContactsRequest {
		return ImportContactsRequest{Format: "vcard", Data: "BEGIN:VCARD\nVERSION:3.0\n" + strings.Join(lines, "\n") + "\nEND:VCARD\n"}
	}
	tests := []struct {
		who   string
		body  ImportContactsRequest
		added bool
	}{
		{"colleague", card("EMAIL:Sofia@Example.ORG"), true}, // the sign-in address
		{"colleague", card("EMAIL:sofia.sandoval@example.org"), true},
		{"colleague", card("EMAIL:sosa@example.org"), true},
		{"colleague", card("IMPP:sip:sofia@example.org"), true},
		{"external", card("EMAIL:sosa@example.org"), false}, // further addresses are not for External
		{"stranger", card("EMAIL:sosa@example.org"), false},
		{"stranger", card("EMAIL:sofia.sandoval@example.org"), true},
		{"colleague", card("FN:Sofia Sandoval", "EMAIL:somebody@example.net"), false},
		{"blocked", card("EMAIL:sosa@example.org"), true}, // as a twin's
	}
	for i, test := range tests {
		t.Run(fmt.Sprintf("%d %s", i, test.who), func(t *testing.T) {
			desk := w.within(t).atDesk(test.who)
			var out ContactsImported
			desk.get(desk.call("POST", "/api/contacts/import", test.body), http.StatusOK, &out)
			if test.added != (out.Added == 1) || test.added == (len(out.Unknown) == 1) {
				t.Errorf("%+v", out)
			}
			version := out.Version
			desk.get(desk.call("POST", "/api/contacts/import", test.body), http.StatusOK, &out)
			if out.Version != version || out.Added != 0 || test.added != (out.Known == 1) {
				t.Errorf("brought again: %+v, it was version %d", out, version)
			}
			desk.get(desk.call("DELETE", "/api/contacts/"+w.ids[subjectName].String(), nil), http.StatusOK, nil)
		})
	}
}
