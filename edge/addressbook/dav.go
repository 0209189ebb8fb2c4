package addressbook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"parley"
	"parley/contact"
)

const (
	maxRedirects   = 4
	maxCollections = 32
	cardsTogether  = 100 // asked for in one request
)

// credentials are what somebody signs in to their address book with. They exist
// for one fetch.
type credentials struct {
	user     string
	password parley.Secret
}

// dav talks to one server as one person.
type dav struct {
	client *http.Client
	base   *url.URL
	as     credentials
	most   int // bytes of all cards
}

// read gives every card of every address book of the person.
func (d *dav) read(ctx context.Context, etag string) (contact.BookCards, error) {
	books, err := d.books(ctx)
	if err != nil {
		return contact.BookCards{}, err
	}
	var out contact.BookCards
	var entries []entry
	for _, book := range books {
		list, err := d.entries(ctx, book)
		if err != nil {
			return contact.BookCards{}, err
		}
		entries = append(entries, list...)
	}
	if out.ETag = etagOf(entries); out.ETag != "" && out.ETag == etag {
		out.Unchanged = true
		return out, nil
	}
	if len(entries) > MaxCards {
		out.Skipped = len(entries) - MaxCards
		entries = entries[:MaxCards]
	}
	var cards bytes.Buffer
	for chunk := range slices.Chunk(entries, cardsTogether) {
		had, err := d.cards(ctx, chunk, &cards)
		if err != nil {
			return contact.BookCards{}, err
		}
		out.Skipped += max(len(chunk)-had, 0)
	}
	out.Cards = cards.String()
	return out, nil
}

// entry is a card in an address book.
type entry struct {
	book *url.URL
	href string
	etag string
}

// etagOf changes when any card does; empty when the server does not say.
func etagOf(entries []entry) string {
	lines := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.etag == "" {
			return ""
		}
		lines = append(lines, e.href+"\n"+e.etag+"\n")
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:16])
}

const (
	askWho     = `<d:propfind xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop><d:resourcetype/><d:current-user-principal/><c:addressbook-home-set/></d:prop></d:propfind>`
	askBooks   = `<d:propfind xmlns:d="DAV:"><d:prop><d:resourcetype/></d:prop></d:propfind>`
	askEntries = `<d:propfind xmlns:d="DAV:"><d:prop><d:resourcetype/><d:getetag/></d:prop></d:propfind>`
)

// books finds the person's address books: the configured address may be one, or
// the way to the person's own (RFC 6352 §7.1.1, RFC 6764 §5).
func (d *dav) books(ctx context.Context) ([]*url.URL, error) {
	at, found, err := d.whoAmI(ctx, d.base)
	if errors.Is(err, errNoBook) || err == nil && found.nothing() {
		at, found, err = d.whoAmI(ctx, d.base.ResolveReference(&url.URL{Path: "/.well-known/carddav"}))
	}
	if err != nil {
		return nil, err
	}
	if found.Type.Book != nil {
		return []*url.URL{at}, nil
	}
	if found.Home.Href == "" && found.Principal.Href != "" {
		principal, err := d.resolve(at, found.Principal.Href)
		if err != nil {
			return nil, err
		}
		if at, found, err = d.whoAmI(ctx, principal); err != nil {
			return nil, err
		}
	}
	if found.Home.Href == "" {
		return nil, errNoBook
	}
	home, err := d.resolve(at, found.Home.Href)
	if err != nil {
		return nil, err
	}
	return d.booksIn(ctx, home)
}

func (d *dav) whoAmI(ctx context.Context, at *url.URL) (*url.URL, props, error) {
	var found props
	end, err := d.ask(ctx, "PROPFIND", at, "0", askWho, func(r response) error {
		found = r.props()
		return nil
	})
	return end, found, err
}

func (d *dav) booksIn(ctx context.Context, home *url.URL) ([]*url.URL, error) {
	var books []*url.URL
	at := home
	_, err := d.ask(ctx, "PROPFIND", at, "1", askBooks, func(r response) error {
		if r.props().Type.Book == nil || len(books) == maxCollections {
			return nil
		}
		book, err := d.resolve(at, r.Href)
		books = append(books, book)
		return err
	})
	if err == nil && len(books) == 0 {
		err = errNoBook
	}
	return books, err
}

// entries lists the cards of an address book without them.
func (d *dav) entries(ctx context.Context, book *url.URL) ([]entry, error) {
	var list []entry
	_, err := d.ask(ctx, "PROPFIND", book, "1", askEntries, func(r response) error {
		if p := r.props(); p.Type.Collection == nil && strings.Trim(r.Href, "/ ") != strings.Trim(book.EscapedPath(), "/") {
			list = append(list, entry{book, strings.TrimSpace(r.Href), p.ETag})
		}
		if len(list) > 4*MaxCards {
			return errTooLarge
		}
		return nil
	})
	return list, err
}

// cards appends some cards, all of one request, and says how many there were.
func (d *dav) cards(ctx context.Context, entries []entry, into *bytes.Buffer) (had int, err error) {
	for len(entries) > 0 {
		book := entries[0].book
		end := slices.IndexFunc(entries, func(e entry) bool { return e.book != book })
		if end < 0 {
			end = len(entries)
		}
		var ask strings.Builder
		ask.WriteString(`<c:addressbook-multiget xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop><c:address-data/></d:prop>`)
		for _, e := range entries[:end] {
			ask.WriteString("<d:href>")
			if err := xml.EscapeText(&ask, []byte(e.href)); err != nil {
				return had, err
			}
			ask.WriteString("</d:href>")
		}
		ask.WriteString("</c:addressbook-multiget>")
		_, err := d.ask(ctx, "REPORT", book, "0", ask.String(), func(r response) error {
			card := strings.TrimSpace(r.props().Card)
			if card == "" || len(card) > maxCard {
				return nil
			}
			if into.Len()+len(card) > d.most {
				return errTooLarge
			}
			had++
			into.WriteString(card)
			into.WriteString("\r\n")
			return nil
		})
		if err != nil {
			return had, err
		}
		entries = entries[end:]
	}
	return had, nil
}

// resolve makes an address that the server named one of this server. Another one
// is not followed: the operator did not configure it.
func (d *dav) resolve(at *url.URL, href string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(href))
	if err != nil {
		return nil, errNoBook
	}
	u = at.ResolveReference(u)
	if u.Scheme != d.base.Scheme || !strings.EqualFold(u.Host, d.base.Host) {
		return nil, errElsewhere
	}
	u.User, u.Fragment = nil, ""
	return u, nil
}

// ask sends one request, following redirects within the server, and gives the
// responses of its multi-status (RFC 4918 §13) to use. It returns the address that
// answered.
func (d *dav) ask(ctx context.Context, method string, at *url.URL, depth, body string, use func(response) error) (*url.URL, error) {
	for range maxRedirects {
		request, err := http.NewRequestWithContext(ctx, method, at.String(), strings.NewReader(xml.Header+body))
		if err != nil {
			return nil, errNoBook
		}
		request.Header.Set("Content-Type", "application/xml; charset=utf-8")
		request.Header.Set("Depth", depth)
		request.SetBasicAuth(d.as.user, string(d.as.password))
		answer, err := d.client.Do(request)
		if err != nil {
			return nil, unreachable(withoutAddress(err))
		}
		location := answer.Header.Get("Location")
		err = readAnswer(answer, use)
		if !errors.Is(err, errMoved) {
			return at, err
		}
		if at, err = d.resolve(at, location); err != nil {
			return nil, err
		}
	}
	return nil, errNoBook
}

// withoutAddress leaves out of an error whom it was about: the path of an address
// book often holds a name.
func withoutAddress(err error) error {
	var about *url.Error
	if errors.As(err, &about) {
		return about.Err
	}
	return err
}
