package parleytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"parley"
	"parley/contact"
	"parley/edge/webapi"
)

// Contacts lists, as people arrange them.

// AtDesk signs somebody of the demo organisation in on a new computer, connected.
func (w *World) AtDesk(alias string) *Device {
	w.Helper()
	request := demoSignIn(alias)
	request.DeviceName, request.DeviceClass = alias+"'s computer", parley.Desktop.String()
	return SignIn(w.TB, w.next(), request).Online()
}

// AddContact puts somebody, by id or alias, into the person's list or changes where
// they stand.
func (d *Device) AddContact(who string, set ...webapi.SetContactRequest) {
	d.t.Helper()
	var body webapi.SetContactRequest
	if len(set) == 1 {
		body = set[0]
	}
	if err := d.Call("PUT", "/api/contacts/"+d.Who(who), body, nil); err != nil {
		d.t.Fatalf("adding %s to the contacts: %v", who, err)
	}
}

// RemoveContact takes somebody, by id or alias, out of the list.
func (d *Device) RemoveContact(who string) {
	d.t.Helper()
	if err := d.Call("DELETE", "/api/contacts/"+d.Who(who), nil, nil); err != nil {
		d.t.Fatalf("removing %s from the contacts: %v", who, err)
	}
}

// AddGroup makes a group and returns its id.
func (d *Device) AddGroup(name string) string {
	d.t.Helper()
	var made webapi.ContactsChange
	if err := d.Call("POST", "/api/contact-groups", webapi.ContactGroupRequest{Name: name}, &made); err != nil {
		d.t.Fatalf("making the group %q: %v", name, err)
	}
	return made.Group
}

// Who is how a person is named in a path: an id as it is, an alias as the address.
func (d *Device) Who(who string) string {
	if _, err := parley.ParsePersonID(who); err == nil {
		return who
	}
	_, domain, _ := strings.Cut(d.Session.Address, "@")
	return who + "@" + domain
}

// Contacts fetches the Contacts tab.
func (d *Device) Contacts() webapi.Groups {
	d.t.Helper()
	var groups webapi.Groups
	if err := d.Call("GET", "/api/contacts", nil, &groups); err != nil {
		d.t.Fatalf("fetching the contacts: %v", err)
	}
	return groups
}

// ContactList is the Contacts tab in one line, "Site: kwame zoe | others: amara":
// groups in their order, people by the aliases of their addresses.
func (d *Device) ContactList() string {
	d.t.Helper()
	var groups []string
	for _, g := range d.Contacts().Groups {
		title := g.ID
		if g.Name != "" {
			title = g.Name
		}
		if g.Suggested {
			title += " (suggested)"
		}
		line := title + ":"
		for _, p := range g.People {
			alias, _, _ := strings.Cut(p.Address, "@")
			line += " " + alias
		}
		groups = append(groups, line)
	}
	return strings.Join(groups, " | ")
}

// HearsOfList waits until the device was told of this version of the list, or a
// later one.
func (d *Device) HearsOfList(version int64) {
	d.t.Helper()
	d.Wait(fmt.Sprintf("version %d of the contacts", version), func() bool { return d.listVersion >= version })
}

// AddedBy waits until the device was told that somebody added the person.
func (d *Device) AddedBy(person string) {
	d.t.Helper()
	d.Wait("being added by "+person, func() bool { return slices.Contains(d.added(), person) })
}

// Added gives who added the person, as far as the device was told, in the order of
// the news.
func (d *Device) Added() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.added()
}

// added is Added. Call it with mu held.
func (d *Device) added() []string {
	var people []string
	for _, m := range d.history {
		if m.Kind != parley.KindNotice.String() || m.Content != contact.AddedContent {
			continue
		}
		var body struct {
			Person string `json:"person"`
		}
		if err := json.Unmarshal([]byte(m.Text), &body); err != nil {
			d.t.Errorf("the body of a notice is %q: %v", m.Text, err)
		}
		people = append(people, body.Person)
	}
	return people
}

// Forbidden checks that something is refused to the device with this key.
func (d *Device) Forbidden(method, path string, body any, key string) {
	d.t.Helper()
	answer := d.Ask(method, path, body)
	if p := answer.Problem(); answer.Status != http.StatusForbidden || p.Key != key {
		d.t.Errorf("%s %s is answered %d %s, want %d %s", method, path, answer.Status, p.Key, http.StatusForbidden, key)
	}
}
