package server_test

import (
	"net/http"
	"strings"
	"testing"

	"parley/edge/webapi"
	"parley/egress"
	"parley/parleytest"
	"parley/parleytest/radicale"
	"parley/server"
)

// Somebody's own address book comes through the server to their device, and
// nothing of it, nor of how they sign in there, stays on the server: not in a file,
// not in the database, not in the log.
//
// claim: UC6
func TestUC6AddressBookPassesThrough(t *testing.T) {
	const secret, name = "PASSWORD-of-the-hedge", "Penelope Canary-Hedgerow"
	books := radicale.Start(t, "hanna.private:"+secret)
	books.MakeBook(t, "hanna.private", secret, "home")
	books.Put(t, "hanna.private", secret, "home", "one.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:one\r\nFN:"+name+"\r\nN:Canary-Hedgerow;Penelope;;;\r\nEND:VCARD\r\n")
	w := parleytest.Start(t, func(c *server.Config) { c.AddressBook.Servers = []string{"At home=" + books.URL} })
	hanna, kwame := w.As("hanna"), w.As("kwame")

	var list webapi.AddressBookList
	hanna.Ask("GET", "/api/address-books", nil).Into(t, &list)
	if len(list.Books) != 1 || list.Books[0].Name != "At home" {
		t.Fatalf("address books %+v", list)
	}
	path := "/api/address-books/" + list.Books[0].ID + "/fetch"
	var got, again webapi.FetchedAddressBook
	hanna.Ask("POST", path, webapi.FetchAddressBookRequest{User: "hanna.private", Password: secret}).Into(t, &got)
	if !strings.Contains(got.Cards, name) || got.ETag == "" || got.Skipped != 0 {
		t.Errorf("fetched %+v", got)
	}
	hanna.Ask("POST", path, webapi.FetchAddressBookRequest{User: "hanna.private", Password: secret, ETag: got.ETag}).Into(t, &again)
	if !again.Unchanged || again.Cards != "" {
		t.Errorf("fetched again %+v", again)
	}
	refused := kwame.Ask("POST", path, webapi.FetchAddressBookRequest{User: "hanna.private", Password: "a guess"})
	if p := refused.Problem(); refused.Status != http.StatusUnprocessableEntity || p.Key != "address-book.password" || p.Field != "password" {
		t.Errorf("a wrong password: %d %+v", refused.Status, p)
	}
	if other := hanna.Ask("POST", "/api/address-books/ffffffffffff/fetch", webapi.FetchAddressBookRequest{User: "a", Password: "b"}); other.Status != http.StatusNotFound {
		t.Errorf("a server that is not configured: %d", other.Status)
	}
	if line := ledger(t, w)[egress.AddressBook]; line.Connections == 0 || line.Refused != 0 {
		t.Errorf("the ledger shows %+v", line)
	}
	for _, text := range []string{secret, name, "Hedgerow", "hanna.private", "a guess"} {
		if found := w.Holds(text); len(found) > 0 {
			t.Errorf("the server keeps %q in %v", text, found)
		}
		if w.Logged(text) {
			t.Errorf("the log holds %q", text)
		}
	}
}
