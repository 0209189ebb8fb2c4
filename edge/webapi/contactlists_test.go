package webapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"

	"parley"
	"parley/contact"
)

// export reads the file of the client's list.
func (c *client) export() contactFile {
	c.Helper()
	var file contactFile
	if err := json.Unmarshal(c.text(c.call("GET", "/api/contacts/export", nil)), &file); err != nil {
		c.Fatal(err)
	}
	return file
}

// bring has a file taken.
func (c *client) bring(file contactFile) (out ContactsImported) {
	c.Helper()
	file.Type, file.Version = contactFileType, 1
	data, err := json.Marshal(file)
	if err != nil {
		c.Fatal(err)
	}
	c.get(c.call("POST", "/api/contacts/import", ImportContactsRequest{Format: "json", Data: string(data)}), http.StatusOK, &out)
	return out
}

// A file takes the groups of the directory along, and finds them by their mail address
// alone.
//
// claim: UC5
func TestContactFileHoldsGroupsOfTheDirectory(t *testing.T) {
	w := newMatrixWorld(t)
	desk := w.atDesk("colleague")
	desk.get(desk.call("POST", "/api/contact-groups", ContactGroupRequest{Name: "Yard"}), http.StatusOK, nil)
	yes := true
	desk.get(desk.call("PUT", "/api/contacts/"+w.groupID("group-crew"), SetContactRequest{Groups: []string{"c1"}, Favourite: &yes}), http.StatusOK, nil)
	desk.get(desk.call("PUT", "/api/contacts/"+w.groupID("group-masons"), SetContactRequest{}), http.StatusOK, nil)
	file := desk.export()
	want := []contactFileList{{Mail: "masons@example.org", Name: "Masons"}, {Mail: "crew@example.org", Name: "Crew", Favourite: true, Groups: []string{"Yard"}}}
	if !reflect.DeepEqual(file.Lists, want) || len(file.Contacts) != 0 {
		t.Fatalf("the file holds %+v", file)
	}
	if out := desk.bring(file); out.Added != 0 || out.Known != 2 || len(out.Unknown) != 0 {
		t.Errorf("brought to whoever has it: %+v", out)
	}

	other := w.atDesk("friend")
	file.Lists[1].Mail = " Crew@EXAMPLE.org"
	file.Lists = append(file.Lists,
		contactFileList{Mail: "rule@example.org", Name: "Rule holders"}, // serves a rule and is shown to nobody
		contactFileList{Name: "Crew"}, contactFileList{Mail: "sofia@example.org", Name: "a person"}, contactFileList{})
	file.Contacts = append(file.Contacts, contactFileItem{Address: "masons@example.org"}) // no person
	unknown := []string{"masons@example.org", "rule@example.org", "Crew", "sofia@example.org"}
	if out := other.bring(file); out.Added != 2 || out.Groups != 1 || !reflect.DeepEqual(out.Unknown, unknown) {
		t.Errorf("brought to somebody else: %+v", out)
	}
	if got := other.export(); !reflect.DeepEqual(got.Lists, want) {
		t.Errorf("they have %+v", got.Lists)
	}
	if out := other.bring(file); out.Added != 0 || out.Known != 2 || out.Groups != 0 {
		t.Errorf("brought again: %+v", out)
	}

	if _, err := w.book.ApplyGroups(t.Context(), []contact.GroupChange{
		{SourceID: "group-twin", Name: "Crew of old", Mail: "crew@example.org", Listed: true},
	}, parley.Alongside{}); err != nil {
		t.Fatal(err)
	}
	if out := w.atDesk("stranger").bring(contactFile{Lists: want}); out.Added != 1 || !reflect.DeepEqual(out.Unknown, []string{"crew@example.org"}) {
		t.Errorf("an address that two groups have: %+v", out)
	}
}

// A group that the directory has no longer is in no list, as if it had been taken out,
// and is back when the directory has it again.
func TestGroupsThatAreGoneAreInNoList(t *testing.T) {
	w := newMatrixWorld(t)
	desk := w.atDesk("colleague")
	desk.get(desk.call("PUT", "/api/contacts/"+w.groupID("group-masons"), SetContactRequest{}), http.StatusOK, nil)
	shown := func() (groups, suggested int) {
		t.Helper()
		var list Groups
		desk.get(desk.call("GET", "/api/contacts", nil), http.StatusOK, &list)
		for _, g := range list.Groups {
			if groups += len(g.Lists); g.Suggested {
				suggested++
			}
		}
		return groups, suggested
	}
	if groups, suggested := shown(); groups != 1 || suggested != 0 {
		t.Errorf("%d groups, %d suggestions", groups, suggested)
	}
	file := desk.export()
	masons := contact.GroupChange{SourceID: "group-masons", Name: "Masons", Mail: "masons@example.org", Listed: true}
	for _, change := range []contact.GroupChange{{SourceID: "group-masons", Gone: true}, {SourceID: "group-masons", Name: "Masons", Mail: "masons@example.org"}} {
		if _, err := w.book.ApplyGroups(t.Context(), []contact.GroupChange{change}, parley.Alongside{}); err != nil {
			t.Fatal(err)
		}
		if groups, suggested := shown(); groups != 0 || suggested == 0 {
			t.Errorf("gone %v: %d groups, %d suggestions", change.Gone, groups, suggested)
		}
		if got := desk.export(); len(got.Lists) != 0 {
			t.Errorf("gone %v: the file holds %+v", change.Gone, got.Lists)
		}
		if out := desk.bring(file); out.Added != 0 || out.Known != 0 || len(out.Unknown) != 1 {
			t.Errorf("gone %v: brought %+v", change.Gone, out)
		}
	}
	if _, err := w.book.ApplyGroups(t.Context(), []contact.GroupChange{masons}, parley.Alongside{}); err != nil {
		t.Fatal(err)
	}
	if groups, suggested := shown(); groups != 1 || suggested != 0 {
		t.Errorf("back: %d groups, %d suggestions", groups, suggested)
	}
}
