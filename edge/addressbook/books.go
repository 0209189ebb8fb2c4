package addressbook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"parley"
	"parley/contact"
)

// The limits of one fetch.
const (
	MaxCards = 5_000
	MaxBytes = 20 << 20 // of all cards
	maxCard  = 1 << 20  // of one; a longer one is left out

	fetchTime = 50 * time.Second // less than the server gives an answer
)

// Nobody finds out passwords of an address book through this server, nor keeps it
// busy.
const (
	maxFetches = 20
	perWindow  = 15 * time.Minute
	maxAtOnce  = 4 // of all people; each may take MaxBytes and as much again
)

// Server is a configured server.
type Server struct {
	Name string
	URL  *url.URL // https, or http on this machine
}

// ParseServer reads "Name=https://dav.example.com/path/".
func ParseServer(text string) (Server, error) {
	name, address, found := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case !found || name == "" || strings.ContainsAny(text, `"[]<>`): // a list where one server is wanted
		return Server{}, errors.New(`is not of the form "Name=https://dav.example.com/"`)
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return Server{}, errors.New("has no address such as https://dav.example.com/")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return Server{}, errors.New("has to be reached by https://, since people's passwords go there")
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return Server{Name: name, URL: u}, nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// id names the server for as long as its address stays.
func (s Server) id() string {
	sum := sha256.Sum256([]byte(s.URL.String()))
	return hex.EncodeToString(sum[:6])
}

// Books reaches the configured servers for people. It is safe for concurrent use
// and keeps nothing but how often somebody asked.
type Books struct {
	servers []Server
	client  func() *http.Client
	slots   chan struct{}
	most    int // bytes of all cards

	mu    sync.Mutex
	asked map[parley.PersonID][]time.Time // within perWindow
}

// New makes Books. client gives a client of its own for every fetch, with
// connections that nobody else uses.
func New(servers []Server, client func() *http.Client) *Books {
	return &Books{servers: servers, client: client, slots: make(chan struct{}, maxAtOnce), most: MaxBytes, asked: map[parley.PersonID][]time.Time{}}
}

// List gives the configured servers.
func (b *Books) List() []contact.AddressBook {
	list := make([]contact.AddressBook, 0, len(b.servers))
	for _, s := range b.servers {
		list = append(list, contact.AddressBook{ID: s.id(), Name: s.Name})
	}
	return list
}

// Fetch reads all address books that a person has at a server. etag is that of
// the last time, or empty. A server that is not configured is withheld; what else
// goes wrong has a key address-book.*.
func (b *Books) Fetch(ctx context.Context, who parley.PersonID, id, user string, password parley.Secret, etag string) (contact.BookCards, error) {
	for _, s := range b.servers {
		if s.id() == id {
			return b.fetch(ctx, who, s, credentials{user, password}, etag)
		}
	}
	return contact.BookCards{}, parley.ErrWithheld
}

func (b *Books) fetch(ctx context.Context, who parley.PersonID, s Server, as credentials, etag string) (contact.BookCards, error) {
	if err := b.admit(who, time.Now()); err != nil {
		return contact.BookCards{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	select {
	case b.slots <- struct{}{}:
		defer func() { <-b.slots }()
	case <-ctx.Done():
		return contact.BookCards{}, unreachable(ctx.Err())
	}
	client := b.client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer client.CloseIdleConnections()
	d := &dav{client: client, base: s.URL, as: as, most: b.most}
	cards, err := d.read(ctx, etag)
	if err != nil && ctx.Err() != nil {
		err = unreachable(ctx.Err())
	}
	return cards, err
}

// admit counts how often somebody asks.
func (b *Books) admit(who parley.PersonID, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for person, times := range b.asked {
		if now.Sub(times[len(times)-1]) >= perWindow {
			delete(b.asked, person)
		}
	}
	recent := b.asked[who]
	for len(recent) > 0 && now.Sub(recent[0]) >= perWindow {
		recent = recent[1:]
	}
	if len(recent) >= maxFetches {
		return &parley.Error{Kind: parley.TooMany, Key: "address-book.too-many", RetryAfter: perWindow - now.Sub(recent[0])}
	}
	b.asked[who] = append(recent, now)
	return nil
}

// The refusals. None of them carries what the server said: that may be anything.
func unreachable(cause error) error {
	return &parley.Error{Kind: parley.Unavailable, Key: "address-book.unreachable", RetryAfter: time.Minute, Err: fmt.Errorf("reaching an address book: %w", cause)}
}

var (
	errPassword  = &parley.Error{Kind: parley.Invalid, Key: "address-book.password", Field: "password"}
	errElsewhere = parley.Refuse(parley.Unsupported, "address-book.elsewhere")
	errNoBook    = parley.Refuse(parley.Unsupported, "address-book.none")
	errTooLarge  = parley.Refuse(parley.TooLarge, "address-book.too-large")
)
