package webapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/contact"
)

// BenchmarkContacts fetches the list of somebody with 1,000 contacts in ten groups.
func BenchmarkContacts(b *testing.B) {
	w := newWorld(b, func(c *Config, _ *pace) { c.Limits.PersonBurst = 1 << 20 })
	c := w.contactsOf(contact.MaxContacts)
	b.ReportAllocs()
	for b.Loop() {
		r := c.call("GET", "/api/contacts", nil)
		b.ReportMetric(float64(len(c.text(r)))/1024, "KiB")
	}
}

// crowd adds people to the directory.
func (w *world) crowd(n int) {
	w.Helper()
	var people []contact.Change
	for i := range n {
		people = append(people, contact.Change{Person: parley.Person{
			SourceID: fmt.Sprintf("many-%d", i), Address: fmt.Sprintf("many%d@example.org", i), DisplayName: fmt.Sprintf("Many %d", i),
			Mail: fmt.Sprintf("many%d@example.org", i), Title: "Mason", Department: "Yard",
		}})
	}
	for chunk := range slices.Chunk(people, contact.MaxChunk) {
		if _, err := w.book.Apply(w.Context(), chunk, parley.Alongside{}); err != nil {
			w.Fatal(err)
		}
	}
}

// contactsOf gives anna so many contacts, in ten groups, and her computer.
func (w *world) contactsOf(n int) *client {
	w.Helper()
	w.crowd(n)
	c := w.atDesk("anna")
	var file strings.Builder
	for i := range n {
		fmt.Fprintf(&file, "BEGIN:VCARD\nVERSION:4.0\nEMAIL:many%d@example.org\nCATEGORIES:Group %d\nEND:VCARD\n", i, i%10)
	}
	began := time.Now()
	var out ContactsImported
	c.get(c.call("POST", "/api/contacts/import", ImportContactsRequest{Format: "vcard", Data: file.String()}), http.StatusOK, &out)
	if out.Added != n || out.Groups != 10 {
		w.Errorf("the import says %+v", out)
	}
	w.Logf("%d contacts imported in %v", n, time.Since(began).Round(time.Millisecond))
	return c
}

// TestThousandContacts fills a list and looks that it stays full.
//
// claim: UC5
func TestThousandContacts(t *testing.T) {
	w := newWorld(t)
	c := w.contactsOf(contact.MaxContacts)
	began := time.Now()
	var groups Groups
	c.get(c.call("GET", "/api/contacts", nil), http.StatusOK, &groups)
	t.Logf("fetched in %v", time.Since(began).Round(100*time.Microsecond))
	people := 0
	for _, g := range groups.Groups {
		people += len(g.People)
		if !slices.IsSortedFunc(g.People, func(a, b PersonRow) int { return strings.Compare(a.DisplayName, b.DisplayName) }) {
			t.Errorf("the people of %s are in no order", g.Name)
		}
	}
	if people != contact.MaxContacts || len(groups.Groups) != 10 {
		t.Errorf("%d people in %d groups", people, len(groups.Groups))
	}
	c.refused(c.call("PUT", "/api/contacts/ben@example.org", SetContactRequest{}), http.StatusRequestEntityTooLarge, "too-large", "contacts.too-many")
	card := "BEGIN:VCARD\nVERSION:4.0\nEMAIL:%s@example.org\nCATEGORIES:One more\nEND:VCARD\n"
	for _, data := range []string{fmt.Sprintf(card, "ben"), strings.Repeat(fmt.Sprintf(card, "many1"), contact.MaxContacts+1)} {
		body := ImportContactsRequest{Format: "vcard", Data: data}
		c.refused(c.call("POST", "/api/contacts/import", body), http.StatusRequestEntityTooLarge, "too-large", "contacts.too-many")
	}
	var after Groups
	if c.get(c.call("GET", "/api/contacts", nil), http.StatusOK, &after); after.Version != groups.Version {
		t.Errorf("what was refused made version %d of %d", after.Version, groups.Version)
	}
	c.get(c.call("DELETE", "/api/contacts/many1@example.org", nil), http.StatusOK, nil)
	c.get(c.call("PUT", "/api/contacts/ben@example.org", SetContactRequest{}), http.StatusOK, nil)
}
