package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/privacy"
	"parley/server"
)

func in(groups ...string) webapi.SetContactRequest {
	return webapi.SetContactRequest{Groups: append([]string{}, groups...)}
}

func favourite(on bool) webapi.SetContactRequest { return webapi.SetContactRequest{Favourite: &on} }

func expectList(t *testing.T, d *parleytest.Device, want string) {
	t.Helper()
	if got := d.ContactList(); got != want {
		t.Errorf("the list is\n%s, want\n%s", got, want)
	}
}

// claim: UC5
func TestUC5ContactsAndGroups(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.AtDesk("hanna")
	if got := hanna.ContactList(); !strings.HasPrefix(got, "team (suggested): ") || !strings.Contains(got, " juergen") || !strings.Contains(got, " kwame") {
		t.Errorf("who has no contacts is offered %s", got)
	}
	for _, alias := range []string{"zoe", "kwame", "amara"} {
		hanna.AddContact(alias)
	}
	expectList(t, hanna, "others: amara kwame zoe")

	port, board := hanna.AddGroup("  Port "), hanna.AddGroup("Board")
	hanna.AddContact("kwame", in(port))
	hanna.AddContact("zoe", in(board, port))
	hanna.AddContact("zoe", favourite(true))
	expectList(t, hanna, "favourites: zoe | Port: kwame zoe | Board: zoe | others: amara")
	hanna.AddContact("zoe", in()) // out of the groups, not out of the favourites
	hanna.AddContact("zoe")       // as it is
	expectList(t, hanna, "favourites: zoe | Port: kwame | Board: | others: amara zoe")

	first, name := 0, "Tea board"
	change := func(group string, body webapi.ChangeContactGroupRequest) {
		t.Helper()
		if err := hanna.Call("PUT", "/api/contact-groups/"+group, body, nil); err != nil {
			t.Fatal(err)
		}
	}
	change(board, webapi.ChangeContactGroupRequest{Position: &first})
	change(board, webapi.ChangeContactGroupRequest{Name: name})
	expectList(t, hanna, "favourites: zoe | Tea board: | Port: kwame | others: amara zoe")
	w.Restart()
	hanna.Online()
	expectList(t, hanna, "favourites: zoe | Tea board: | Port: kwame | others: amara zoe")

	if err := hanna.Call("DELETE", "/api/contact-groups/"+port, nil, nil); err != nil {
		t.Fatal(err)
	}
	expectList(t, hanna, "favourites: zoe | Tea board: | others: amara kwame zoe") // nobody is lost with a group
	if again := hanna.AddGroup("Port"); again == port {
		t.Error("a new group has the id of one that was deleted")
	}
	hanna.RemoveContact("zoe")
	hanna.RemoveContact("zoe") // at once twice, as by two devices
	expectList(t, hanna, "Tea board: | Port: | others: amara kwame")
	hanna.AddContact("zoe", favourite(true)) // undone
	expectList(t, hanna, "favourites: zoe | Tea board: | Port: | others: amara kwame zoe")
	expectList(t, w.As("hanna"), "favourites: zoe | Tea board: | Port: | others: amara kwame zoe")
}

// What is set up at a desk is read on a phone and changed at a desk.
//
// claim: UC5
func TestUC5PhonesReadTheList(t *testing.T) {
	w := parleytest.Start(t)
	desk, phone := w.AtDesk("hanna"), w.As("hanna")
	group := desk.AddGroup("Port")
	desk.AddContact("kwame", in(group))
	expectList(t, phone, "Port: kwame")
	const key = "settings.desktop-only"
	phone.Forbidden("PUT", "/api/contacts/"+phone.Who("zoe"), in(), key)
	phone.Forbidden("PUT", "/api/contacts/"+phone.Who("kwame"), favourite(true), key)
	phone.Forbidden("DELETE", "/api/contacts/"+phone.Who("kwame"), nil, key)
	phone.Forbidden("POST", "/api/contact-groups", webapi.ContactGroupRequest{Name: "Board"}, key)
	phone.Forbidden("PUT", "/api/contact-groups/"+group, webapi.ChangeContactGroupRequest{Name: "Board"}, key)
	phone.Forbidden("DELETE", "/api/contact-groups/"+group, nil, key)
	phone.Forbidden("POST", "/api/contacts/import", webapi.ImportContactsRequest{Format: "json", Data: "x"}, key)
	phone.Forbidden("PUT", "/api/people/"+phone.Who("kwame")+"/relationship", webapi.SetRelationshipRequest{Level: "friends"}, key)
	expectList(t, desk, "Port: kwame")
}

// claim: UC5
func TestUC5BadInputsChangeNothing(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.AtDesk("hanna")
	group := hanna.AddGroup("Port")
	hanna.AddGroup("Straße")
	hanna.AddContact("kwame", in(group))
	before := hanna.Contacts().Version
	name := func(s string) webapi.ContactGroupRequest { return webapi.ContactGroupRequest{Name: s} }
	tests := []struct {
		method, path string
		body         any
		status       int
		key          string
	}{
		{"POST", "/api/contact-groups", name("pORT"), 409, "contact-groups.name-taken"},
		{"POST", "/api/contact-groups", name("STRASSE"), 409, "contact-groups.name-taken"},
		{"POST", "/api/contact-groups", name(" \t "), 422, "contact-groups.name-empty"},
		{"POST", "/api/contact-groups", name(""), 422, "invalid"},
		{"POST", "/api/contact-groups", name("a\nb"), 422, "contact-groups.name-wrong"},
		{"POST", "/api/contact-groups", name("a\u2028b"), 422, "contact-groups.name-wrong"},
		{"POST", "/api/contact-groups", name("a\x00b"), 422, "contact-groups.name-wrong"},
		{"POST", "/api/contact-groups", name(strings.Repeat("ä", 65)), 422, "contact-groups.name-long"},
		{"PUT", "/api/contact-groups/" + group, map[string]any{"position": -1}, 422, "invalid"},
		{"PUT", "/api/contact-groups/" + group, name("strasse"), 409, "contact-groups.name-taken"},
		{"PUT", "/api/contact-groups/c99", name("x"), 404, "not-found"},
		{"PUT", "/api/contact-groups/c01", name("x"), 404, "not-found"},
		{"PUT", "/api/contact-groups/favourites", name("x"), 404, "not-found"},
		{"DELETE", "/api/contact-groups/others", nil, 404, "not-found"},
		{"DELETE", "/api/contact-groups/c99999999999", nil, 404, "not-found"},
		{"PUT", "/api/contacts/p99999", in(), 404, "not-found"},
		{"PUT", "/api/contacts/p0", in(), 404, "not-found"},
		{"PUT", "/api/contacts/nobody@demo.example", in(), 404, "not-found"},
		{"PUT", "/api/contacts/" + hanna.ID(), in(), 422, "relation.other-wrong"},
		{"PUT", "/api/contacts/kwame@demo.example", in("c99"), 409, "contact-groups.unknown"},
		{"PUT", "/api/contacts/kwame@demo.example", in("favourites"), 409, "contact-groups.unknown"},
		{"PUT", "/api/contacts/kwame@demo.example", map[string]any{"groups": make([]string, 65)}, 422, "invalid"},
		{"PUT", "/api/contacts/kwame@demo.example", map[string]any{"level": "boss"}, 422, "invalid"},
		{"PUT", "/api/people/kwame@demo.example/relationship", map[string]any{"level": ""}, 422, "invalid"},
		{"PUT", "/api/people/p99999/relationship", map[string]any{"level": "friends"}, 404, "not-found"},
		{"POST", "/api/contacts/import", map[string]any{"format": "vcard", "data": "hello"}, 422, "contacts-import.unreadable"},
		{"POST", "/api/contacts/import", map[string]any{"format": "json", "data": "{}"}, 422, "contacts-import.unreadable"},
		{"POST", "/api/contacts/import", map[string]any{"format": "csv", "data": "x"}, 422, "invalid"},
		{"POST", "/api/contacts/import", map[string]any{"format": "vcard", "data": strings.Repeat("x", 2<<20+1)}, 422, "invalid"},
		{"POST", "/api/contacts/import", map[string]any{"format": "vcard", "data": strings.Repeat("ä", 1<<20+1)}, 413, "contacts-import.too-large"},
		{"POST", "/api/contacts/import", map[string]any{"format": "vcard", "data": strings.Repeat("x", 6<<20)}, 413, "body.too-large"},
	}
	for i, test := range tests {
		answer := hanna.Ask(test.method, test.path, test.body)
		if answer.Status != test.status || answer.Problem().Key != test.key {
			t.Errorf("%d: %s %s is answered %d %.300s, want %d %s", i, test.method, test.path, answer.Status, answer.Body, test.status, test.key)
		}
	}
	if answer := w.Ask("POST", "/api/contacts/import", map[string]any{"format": "vcard", "data": strings.Repeat("x", 300<<10)}); answer.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("much from somebody without a session is answered %d", answer.Status)
	}
	expectList(t, hanna, "Port: kwame | Straße:")
	if after := hanna.Contacts().Version; after != before {
		t.Errorf("the version is %d, was %d", after, before)
	}
}

// claim: UC5
func TestUC5GroupsHaveALimit(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.AtDesk("hanna")
	for i := range 64 {
		hanna.AddGroup(fmt.Sprintf("Group %d", i))
	}
	answer := hanna.Ask("POST", "/api/contact-groups", webapi.ContactGroupRequest{Name: "one more"})
	if answer.Status != http.StatusRequestEntityTooLarge || answer.Problem().Key != "contact-groups.too-many" {
		t.Errorf("the 65th group is answered %d %s", answer.Status, answer.Body)
	}
	if n := len(hanna.Contacts().Groups); n < 64 || slices.ContainsFunc(hanna.Contacts().Groups[:64], func(g webapi.Group) bool { return g.Suggested }) {
		t.Errorf("%d groups", n)
	}
}

// Who is added learns it, once, and answers from a phone: adds the other back with
// a level, or blocks.
//
// claim: UC5
func TestUC5BeingAddedIsTold(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame, amara := w.AtDesk("hanna"), w.As("kwame"), w.As("amara")
	second := w.As("kwame")
	kwame.Forbidden("PUT", "/api/contacts/"+hanna.ID(), webapi.SetContactRequest{Level: "workgroup"}, "settings.desktop-only")

	hanna.AddContact("kwame")
	for _, d := range []*parleytest.Device{kwame, second} {
		d.AddedBy(hanna.ID())
	}
	hanna.AddContact("kwame", favourite(true))
	hanna.RemoveContact("kwame")
	hanna.AddContact("kwame")
	fence(t, hanna, kwame)
	if got := kwame.Added(); !slices.Equal(got, []string{hanna.ID()}) {
		t.Errorf("kwame was told of %q, want of hanna once", got)
	}

	// Back, with a level; hanna has kwame already and is not told.
	kwame.AddContact("hanna", webapi.SetContactRequest{Level: "workgroup"})
	if card, _ := cardOf(t, kwame, hanna.ID()); card.Relationship != "workgroup" {
		t.Errorf("hanna is %q to kwame", card.Relationship)
	}
	expectList(t, second, "others: hanna")
	fence(t, kwame, amara)
	if got := hanna.Added(); len(got) > 0 {
		t.Errorf("hanna was told of %q, whom she has", got)
	}
	kwame.Forbidden("PUT", "/api/contacts/"+hanna.ID(), favourite(true), "settings.desktop-only")
	kwame.Forbidden("DELETE", "/api/contacts/"+hanna.ID(), nil, "settings.desktop-only")

	// Or blocked, which is for everybody.
	zoe := w.AtDesk("zoe")
	zoe.AddContact("amara")
	amara.AddedBy(zoe.ID())
	if err := amara.Call("PUT", "/api/people/"+zoe.ID()+"/relationship", webapi.SetRelationshipRequest{Level: "blocked"}, nil); err != nil {
		t.Error(err)
	}
	talk := zoe.With(amara)
	zoe.Accepted(zoe.Queue(talk, "hello"))
	fence(t, amara, kwame)
	if got := amara.Texts(talk); len(got) > 0 {
		t.Errorf("amara got %q of somebody she blocks", got)
	}
	// A level may be given by whoever was added, also on a phone.
	if err := kwame.Call("PUT", "/api/people/"+hanna.ID()+"/relationship", webapi.SetRelationshipRequest{Level: "friends"}, nil); err != nil {
		t.Error(err)
	}
}

// The news waits for whoever has no device, and is purged when it has arrived.
//
// claim: UC5
func TestUC5NewsOfBeingAddedWaits(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.AtDesk("hanna")
	hanna.AddContact("kwame")
	w.Restart()
	hanna.Online()
	w.As("kwame").AddedBy(hanna.ID())
	var page webapi.Synced
	if err := hanna.Call("GET", "/api/sync?after=", nil, &page); err != nil || len(page.Entries) != 0 {
		t.Errorf("hanna reads %d entries, %v", len(page.Entries), err)
	}
}

// Whoever is blocked adds somebody as anybody does: the answers are the same, and
// so is everything they see afterwards. The other learns nothing, then or when the
// block is over.
//
// claim: UC5, PR7
func TestUC5BlockedAddsInSilence(t *testing.T) {
	w := parleytest.Start(t)
	hanna, amara := w.AtDesk("hanna"), w.As("amara")
	kwame, twin := w.AtDesk("kwame"), hanna.Search("eleni").People[0].ID // who never signed in
	if err := kwame.Call("PUT", "/api/people/"+hanna.ID()+"/relationship", webapi.SetRelationshipRequest{Level: "blocked"}, nil); err != nil {
		t.Fatal(err)
	}
	steps := func(who string) (all []string) { // with versions counted from the first
		before := hanna.Contacts().Version
		for _, step := range []struct {
			method, path string
			body         any
		}{
			{"PUT", "/api/contacts/" + who, webapi.SetContactRequest{Level: "friends"}},
			{"PUT", "/api/contacts/" + who, in()},
			{"PUT", "/api/people/" + who + "/relationship", webapi.SetRelationshipRequest{Level: "workgroup"}},
			{"DELETE", "/api/contacts/" + who, nil},
			{"PUT", "/api/contacts/" + who, in()},
			{"DELETE", "/api/contacts/" + who, nil},
		} {
			answer := hanna.Ask(step.method, step.path, step.body)
			var change webapi.ContactsChange
			if answer.Status == http.StatusOK {
				answer.Into(t, &change)
				answer.Body = fmt.Appendf(nil, "%d: %d", len(answer.Body), change.Version-before)
			}
			all = append(all, answer.Signature())
		}
		return all
	}
	of := steps(twin)
	if blocked := steps(kwame.ID()); !slices.Equal(of, blocked) {
		t.Errorf("of a twin\n%q, blocked\n%q", of, blocked)
	}
	fence(t, kwame, amara)
	if got := kwame.Added(); len(got) > 0 {
		t.Errorf("kwame is told that %q added him, whom he blocks", got)
	}
	if err := kwame.Call("PUT", "/api/people/"+hanna.ID()+"/relationship", webapi.SetRelationshipRequest{Level: "default"}, nil); err != nil {
		t.Fatal(err)
	}
	fence(t, amara, kwame)
	if got := kwame.Added(); len(got) > 0 {
		t.Errorf("when the block is over, kwame is told that %q added him", got)
	}
	phone := w.As("kwame")
	phone.Forbidden("PUT", "/api/contacts/"+hanna.ID(), in(), "settings.desktop-only") // nor may he find it out
}

// The list and its file show whoever blocks one as a person who never signed in.
//
// claim: UC5, PR7
func TestUC5ListShowsATwin(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.AtDesk("hanna")
	id := hanna.Search("kwame").People[0].ID
	hanna.AddContact(id)
	hanna.Watch(id)
	shown := func() (all string) {
		for _, path := range []string{"/api/contacts", "/api/contacts/export?format=json", "/api/contacts/export?format=vcard"} {
			all += hanna.Ask("GET", path, nil).Signature() + "\n"
		}
		return all
	}
	before := shown()
	kwame := w.AtDesk("kwame")
	kwame.SetState("busy")
	kwame.SetNote("at the dentist")
	hanna.Sees(id, "the note", func(p webapi.Presence) bool { return p.Note == "at the dentist" })
	if shown() == before {
		t.Fatal("hanna sees nothing of kwame: the test shows nothing")
	}
	if err := kwame.Call("PUT", "/api/people/"+hanna.ID()+"/relationship", webapi.SetRelationshipRequest{Level: "blocked"}, nil); err != nil {
		t.Fatal(err)
	}
	hanna.Sees(id, "nothing", func(p webapi.Presence) bool { return p == (webapi.Presence{Availability: 18500}) })
	if after := shown(); after != before {
		t.Errorf("blocked, hanna gets\n%s\nunlike a person who never signed in\n%s", after, before)
	}
}

// Every device has the same list, whichever changed it and wherever it is
// connected. Of two changes at once none is lost but the earlier of one contact.
//
// claim: UC5
func TestUC5ListIsTheSameOnEveryDevice(t *testing.T) {
	w := parleytest.Start(t)
	one, two, phone, other := w.AtDesk("hanna"), w.AtDesk("hanna"), w.As("hanna"), w.AtDesk("kwame")
	one.AddContact("kwame")
	version := one.Contacts().Version
	for _, d := range []*parleytest.Device{one, two, phone} {
		d.HearsOfList(version)
	}
	group := two.AddGroup("Port")
	one.AddContact("kwame", in(group))
	phone.HearsOfList(version + 2)
	expectList(t, phone, "Port: kwame")

	aliases := []string{"zoe", "amara", "seun", "priya", "luc", "ravi"}
	var both sync.WaitGroup
	for i, d := range []*parleytest.Device{one, two} {
		both.Go(func() {
			for j, alias := range aliases {
				d.AddContact(alias, in(group))
				if j%2 == i {
					d.AddGroup(fmt.Sprintf("Group %d of %d", j, i))
				}
			}
		})
	}
	both.Wait()
	one.HearsOfList(one.Contacts().Version)
	two.HearsOfList(one.Contacts().Version)
	if got, want := one.ContactList(), two.ContactList(); got != want {
		t.Errorf("one device has %s, the other %s", got, want)
	}
	groups := one.Contacts().Groups
	if len(groups) != 7 || len(groups[0].People) != 7 {
		t.Errorf("the list is %s", one.ContactList())
	}
	fence(t, phone, other)
	if n := other.Heard("contacts"); n != 0 {
		t.Errorf("somebody else's device was told %d times", n)
	}
}

// Nobody but its owner reads or changes a list.
//
// claim: UC5
func TestUC5ListIsItsOwnersAlone(t *testing.T) {
	w := parleytest.Start(t, func(c *server.Config) { c.Administrators = []string{"kwame@demo.example"} })
	hanna, kwame := w.AtDesk("hanna"), w.AtDesk("kwame")
	group := hanna.AddGroup("Suspects")
	hanna.AddContact("kwame", webapi.SetContactRequest{Groups: []string{group}, Level: "external"})
	for _, path := range []string{"/api/contacts", "/api/contacts/export", "/api/contacts/export?format=vcard", "/api/people/" + hanna.ID(), "/api/admin/policies"} {
		if answer := kwame.Ask("GET", path, nil); answer.Status != http.StatusOK || strings.Contains(string(answer.Body), "Suspects") || strings.Contains(string(answer.Body), "external\"") {
			t.Errorf("%s gives an administrator %d %s", path, answer.Status, answer.Body)
		}
	}
	if answer := kwame.Ask("DELETE", "/api/contact-groups/"+group, nil); answer.Status != http.StatusNotFound {
		t.Errorf("somebody else's group is answered %d", answer.Status)
	}
	expectList(t, hanna, "Suspects: kwame")
	if w.Logged("Suspects") {
		t.Error("the server's log holds the name of a group")
	}
}

// claim: UC5
func TestUC5ExportAndImport(t *testing.T) {
	w := parleytest.Start(t)
	hanna, seun := w.AtDesk("hanna"), w.AtDesk("seun")
	port, board := hanna.AddGroup("Port"), hanna.AddGroup("Board, tea")
	hanna.AddContact("kwame", webapi.SetContactRequest{Groups: []string{port, board}, Level: "workgroup"})
	hanna.AddContact("zoe", favourite(true))
	hanna.AddContact("seun")
	file := string(hanna.Ask("GET", "/api/contacts/export?format=json", nil).Body)
	cards := string(hanna.Ask("GET", "/api/contacts/export?format=vcard", nil).Body)

	bring := func(d *parleytest.Device, format, data string) (out webapi.ContactsImported) {
		t.Helper()
		if err := d.Call("POST", "/api/contacts/import", webapi.ImportContactsRequest{Format: format, Data: data}, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	unknown := strings.ReplaceAll(file, "zoe@demo.example", "zoe@elsewhere.example")
	if out := bring(seun, "json", unknown); out.Added != 1 || out.Groups != 2 || !slices.Equal(out.Unknown, []string{"zoe@elsewhere.example"}) {
		t.Errorf("the import says %+v", out) // seun is no contact of his own
	}
	if out := bring(seun, "json", file); out.Added != 1 || out.Known != 1 || out.Groups != 0 || len(out.Unknown) != 0 {
		t.Errorf("the import says %+v", out)
	}
	expectList(t, seun, "favourites: zoe | Port: kwame | Board, tea: kwame | others: zoe")
	version := seun.Contacts().Version
	if out := bring(seun, "json", file); out.Version != version || out.Known != 2 {
		t.Errorf("brought again: %+v, it was version %d", out, version)
	}
	if card, _ := cardOf(t, seun, "kwame@demo.example"); card.Relationship != "workgroup" {
		t.Errorf("kwame is %q to seun", card.Relationship)
	}
	w.As("kwame").AddedBy(seun.ID())

	// vCards bring people and groups, and change no level.
	amara := w.AtDesk("amara")
	if err := amara.Call("PUT", "/api/people/kwame@demo.example/relationship", webapi.SetRelationshipRequest{Level: "blocked"}, nil); err != nil {
		t.Fatal(err)
	}
	if out := bring(amara, "vcard", cards); out.Added != 3 || out.Groups != 2 {
		t.Errorf("the import says %+v", out)
	}
	expectList(t, amara, "Port: kwame | Board, tea: kwame | others: seun zoe")
	if card, _ := cardOf(t, amara, "kwame@demo.example"); card.Relationship != "blocked" {
		t.Errorf("kwame is %q to amara", card.Relationship)
	}
	if q := url.QueryEscape("kwame"); len(amara.Search(q).People) == 0 {
		t.Error("kwame is not found any more")
	}
}

// A contact who leaves the organisation stays in the list by name, and can be
// removed.
//
// claim: UC5
func TestUC5ContactWhoHasLeft(t *testing.T) {
	w := parleytest.Start(t, parleytest.Organisation("example.test"))
	both, one := &export{}, &export{}
	for _, e := range []*export{both, one} {
		e.WriteString("version: 1\n\n")
		e.person("anna", "mail: anna@example.test")
	}
	both.person("ben", "mail: ben@example.test")
	w.Import(both.String(), server.ImportOptions{})
	w.SetPassword("anna@example.test", "correct horse battery")
	request := parleytest.SignInAs("anna@example.test", "correct horse battery")
	request.DeviceClass = "desktop"
	anna := parleytest.SignIn(t, w.Base, request).Online()
	anna.AddContact("ben")
	ben := anna.Contacts().Groups[0].People[0].ID
	w.Import(one.String(), server.ImportOptions{Complete: true})
	people := anna.Contacts().Groups[0].People
	if len(people) != 1 || people[0].ID != ben || people[0].DisplayName != "Ben Example" || people[0].Address != "" {
		t.Errorf("who has left is shown as %+v", people)
	}
	if file := string(anna.Ask("GET", "/api/contacts/export", nil).Body); strings.Contains(file, "ben") {
		t.Errorf("the file holds who has left: %s", file)
	}
	anna.RemoveContact(ben)
	if got := anna.ContactList(); strings.Contains(got, "others") {
		t.Errorf("removed, the list is %s", got)
	}
}

// In Privacy Mode who is removed from the list sees nothing from then on, and who is
// added sees at once.
//
// claim: PM1, PM2, UC5
func TestPM1TheListDecidesWhoSees(t *testing.T) {
	w := parleytest.Start(t, func(c *server.Config) { c.Policy.PrivacyMode = true })
	zoe, hanna, amara := w.AtDesk("zoe"), w.As("hanna"), w.As("amara")
	zoe.SetNote("at the fair")
	zoe.AddContact("hanna")
	w.Prefer(zoe, privacy.Preferences{OnlyContacts: true, SharePhoto: true, ShareTimeZone: true})
	for _, d := range []*parleytest.Device{zoe, hanna, amara} {
		d.Online()
	}
	hanna.Watch(zoe.ID())
	amara.Watch(zoe.ID())
	atTheFair := func(p webapi.Presence) bool { return p.Note == "at the fair" }
	hidden := func(p webapi.Presence) bool { return p.Availability == 0 }
	hanna.Sees(zoe.ID(), "the note", atTheFair)
	zoe.AddContact("amara")
	amara.Sees(zoe.ID(), "the note", atTheFair)
	zoe.RemoveContact("hanna")
	hanna.Sees(zoe.ID(), "nothing", hidden)
	if card, raw := cardOf(t, hanna, zoe.ID()); card.Presence != nil || card.Photo != "" {
		t.Errorf("removed, hanna gets %s", raw)
	}
	zoe.AddContact("hanna")
	hanna.Sees(zoe.ID(), "the note", atTheFair)
}
