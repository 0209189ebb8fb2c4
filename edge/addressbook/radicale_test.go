package addressbook

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/egress"
	"parley/parleytest/radicale"
)

func card(uid, name string) string {
	return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:%s\r\nN:%s;;;;\r\nEMAIL:%s@home.example\r\nEND:VCARD\r\n", uid, name, name, uid)
}

func booksAt(t *testing.T, urls ...string) *Books {
	t.Helper()
	out := egress.New(egress.Config{})
	var servers []Server
	for i, u := range urls {
		s, err := ParseServer(fmt.Sprintf("Server %d=%s", i, u))
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, s)
	}
	return New(servers, func() *http.Client { return out.Client(egress.AddressBook) })
}

// TestRadicale reads address books of a real server: found from the server's
// address alone, several of them, only the person's own; and sees by the ETag
// whether anything changed.
func TestRadicale(t *testing.T) {
	s := radicale.Start(t, "ann:right horse", "ben:other horse")
	s.MakeBook(t, "ann", "right horse", "private")
	s.MakeBook(t, "ann", "right horse", "club & friends")
	s.MakeBook(t, "ben", "other horse", "private")
	s.Put(t, "ann", "right horse", "private", "one.vcf", card("one", "Émile Ünal"))
	s.Put(t, "ann", "right horse", "private", "two.vcf", card("two", "Two"))
	s.Put(t, "ann", "right horse", "club & friends", "three.vcf", card("three", "Three"))
	s.Put(t, "ben", "other horse", "private", "secret.vcf", card("secret", "Ben's"))
	var many strings.Builder
	for i := range 120 { // more than one request asks for
		many.WriteString(card(fmt.Sprintf("many%d", i), "Many"))
	}
	s.PutBook(t, "ann", "right horse", "many", many.String())
	b := booksAt(t, s.URL)
	id := b.List()[0].ID
	got, err := b.Fetch(t.Context(), 1, id, "ann", "right horse", "")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(got.Cards, "BEGIN:VCARD"); n != 123 || got.Skipped != 0 || got.ETag == "" || got.Unchanged {
		t.Errorf("%d cards, %d skipped, etag %q, unchanged %v", n, got.Skipped, got.ETag, got.Unchanged)
	}
	for _, want := range []string{"Émile Ünal", "two@home.example", "three@home.example", "many119@home.example"} {
		if !strings.Contains(got.Cards, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(got.Cards, "secret") {
		t.Error("somebody else's card is there")
	}
	again, err := b.Fetch(t.Context(), 1, id, "ann", "right horse", got.ETag)
	if err != nil || !again.Unchanged || again.Cards != "" || again.ETag != got.ETag {
		t.Errorf("again: %v, unchanged %v, %d bytes", err, again.Unchanged, len(again.Cards))
	}
	s.Put(t, "ann", "right horse", "private", "two.vcf", card("two", "Two anew"))
	if changed, err := b.Fetch(t.Context(), 1, id, "ann", "right horse", got.ETag); err != nil || changed.Unchanged || !strings.Contains(changed.Cards, "Two anew") {
		t.Errorf("changed: %v, unchanged %v", err, changed.Unchanged)
	}
	s.Delete(t, "ann", "right horse", "private", "two.vcf")
	if gone, err := b.Fetch(t.Context(), 1, id, "ann", "right horse", got.ETag); err != nil || strings.Contains(gone.Cards, "two@home.example") {
		t.Errorf("gone: %v, or the card is still there", err)
	}
	for _, direct := range []string{s.URL + "ann/private/", s.URL + "ann/"} {
		b := booksAt(t, direct)
		if got, err := b.Fetch(t.Context(), 1, b.List()[0].ID, "ann", "right horse", ""); err != nil || !strings.Contains(got.Cards, "one@home.example") {
			t.Errorf("from %s: %v", strings.TrimPrefix(direct, s.URL), err)
		}
	}
	_, err = b.Fetch(t.Context(), 1, id, "ann", "other horse", "")
	wantKey(t, err, "address-book.password")
	_, err = b.Fetch(t.Context(), 1, id, "nobody", "other horse", "")
	wantKey(t, err, "address-book.password")
}
