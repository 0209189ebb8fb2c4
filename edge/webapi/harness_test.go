package webapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/account"
	"parley/contact"
	"parley/conversation"
	"parley/policy"
	"parley/presence"
	"parley/privacy"
	"parley/store"
)

// patience is how long a test waits for what must happen. It only ends a test
// that would wait for ever.
const patience = 10 * time.Second

const testPassword = "correct horse battery"

// plainHasher makes sign-in fast; what argon2id does is tested where it lives.
type plainHasher struct{}

func (plainHasher) Hash(password string) (string, error) { return "plain:" + password, nil }

func (plainHasher) Check(password, hash string) (match, outdated bool, err error) {
	return "plain:"+password == hash, false, nil
}

// world is a server with the real services over a real database.
type world struct {
	testing.TB
	server *Server
	web    *httptest.Server
	store  *store.Store
	path   string // the data folder
	gate   *privacy.Gate
	board  *presence.Board
	lists  *contact.Lists
	book   *contact.Book
	log    *conversation.Log
	auth   *account.Authority
	logged *lockedBuffer
	ids    map[string]parley.PersonID
	stop   func()

	mu     sync.Mutex
	listen []func(parley.Event)
}

func (w *world) announce(e parley.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.listen {
		f(e)
	}
}

// newWorld starts everything. Each change may alter the configuration and the
// pace.
func newWorld(t testing.TB, change ...func(*Config, *pace)) *world {
	t.Helper()
	w := &world{TB: t, ids: map[string]parley.PersonID{}, logged: &lockedBuffer{}}
	ctx, cancel := context.WithCancel(context.Background())
	logger := slog.New(slog.NewTextHandler(w.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	check := func() {
		t.Helper()
		if err != nil {
			cancel()
			t.Fatal(err)
		}
	}
	w.path = filepath.Join(t.TempDir(), "parley.db")
	w.store, err = store.Open(ctx, store.Config{Path: w.path, Log: logger})
	check()
	rules, err := policy.NewRulebook(ctx, policy.Config{Store: w.store, Announce: w.announce, Log: logger})
	check()
	w.gate, err = privacy.NewGate(ctx, privacy.Config{Store: w.store, Policy: rules, Announce: w.announce})
	check()
	w.auth, err = account.NewAuthority(account.Config{
		Store: w.store, Policy: rules, Announce: w.announce, Log: logger, Domains: []string{"example.org"}, Hasher: plainHasher{},
	})
	check()
	w.book, err = contact.NewBook(ctx, contact.Config{Store: w.store, Gate: w.gate, Policy: rules, Announce: w.announce, Region: "DE"})
	check()
	w.board, err = presence.NewBoard(ctx, presence.Config{Store: w.store, Policy: rules, Announce: w.announce})
	check()
	w.log, err = conversation.NewLog(ctx, conversation.Config{Store: w.store, Gate: w.gate, People: w.book, Policy: rules, Log: logger})
	check()
	w.lists = contact.NewLists(contact.ListsConfig{Store: w.store, Gate: w.gate, Book: w.book, Announce: w.announce})
	c := Config{
		Accounts: w.auth, Book: w.book, Lists: w.lists, Board: w.board, Gate: w.gate, Log: w.log, Policy: rules, Rules: rules, Directory: oneDirectory{}, Logger: logger, Build: "test",
		Cursors: Cursors{Epoch: w.store.Epoch(), Key: w.store.SealKey()},
		About:   About{Name: "Example", Domains: []string{"example.org"}},
		Limits:  Limits{DeviceBurst: 1 << 20, NetworkBurst: 1 << 20},
	}
	fast := defaultPace
	fast.tick = 5 * time.Millisecond
	for _, f := range change {
		f(&c, &fast)
	}
	w.server, err = New(c)
	check()
	w.server.pace = fast
	w.listen = []func(parley.Event){w.log.Notify, w.server.Notify}
	w.run(ctx, cancel)
	w.addPeople(ctx)
	return w
}

// run starts every service; the test's end stops them, the edge first.
func (w *world) run(ctx context.Context, cancel context.CancelFunc) {
	edge, stopEdge := context.WithCancel(ctx)
	var group, edges sync.WaitGroup
	start := func(g *sync.WaitGroup, ctx context.Context, name string, run func(context.Context) error) {
		g.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				w.Errorf("%s: %v", name, err)
			}
		})
	}
	start(&group, ctx, "store", w.store.Run)
	start(&group, ctx, "accounts", w.auth.Run)
	start(&group, ctx, "board", w.board.Run)
	start(&group, ctx, "log", w.log.Run)
	start(&edges, edge, "edge", w.server.Run)
	w.web = httptest.NewServer(w.server.Handler())
	w.stop = sync.OnceFunc(func() {
		stopEdge()
		edges.Wait()
		w.web.Close()
		cancel()
		group.Wait()
		if err := w.store.Close(); err != nil {
			w.Errorf("closing the store: %v", err)
		}
	})
	w.Cleanup(w.stop)
}

var testPhoto = &contact.Photo{Small: []byte("small picture"), Large: []byte("large picture"), Version: 0xabc}

// addPeople makes anna, ben, carla and dora of example.org; anna manages the
// others, and dora has a photo.
func (w *world) addPeople(ctx context.Context) {
	w.Helper()
	for _, p := range []parley.Person{
		{GivenName: "Anna", Surname: "Ahrens", Mobile: "+49 170 1111111", WorkPhone: "+49 30 11111"},
		{GivenName: "Ben", Surname: "Brandt", WorkPhone: "+49 30 22222", Title: "Mason"},
		{GivenName: "Carla", Surname: "Conte"},
		{GivenName: "Dora", Surname: "Dahl"},
	} {
		name := strings.ToLower(p.GivenName)
		p.SourceID, p.Address, p.Mail = "source-"+name, name+"@example.org", name+"@example.org"
		p.DisplayName, p.Department, p.Manager = p.GivenName+" "+p.Surname, "Yard", w.ids["anna"]
		var photo *contact.Photo
		if name == "dora" {
			photo = testPhoto
		}
		w.addPerson(ctx, p, photo)
	}
}

// addPerson adds somebody with a password. In ids they stand under what is before
// the @ of their address.
func (w *world) addPerson(ctx context.Context, p parley.Person, photo *contact.Photo) {
	w.Helper()
	if _, err := w.book.Apply(ctx, []contact.Change{{Person: p, Photo: photo}}, parley.Alongside{}); err != nil {
		w.Fatalf("adding %s: %v", p.Address, err)
	}
	person, ok := w.book.ByAddress(p.Address)
	if !ok {
		w.Fatalf("%s is not in the book", p.Address)
	}
	name, _, _ := strings.Cut(p.Address, "@")
	w.ids[name] = person.ID
	if err := w.auth.SetPassword(ctx, parley.System, person.ID, testPassword); err != nil {
		w.Fatalf("setting the password of %s: %v", p.Address, err)
	}
}

func (w *world) actor(name string) parley.Actor {
	return parley.Actor{Kind: parley.ActorPerson, Person: w.ids[name]}
}

// client makes requests, with a token if it has one.
type client struct {
	*world
	base    string // empty: the server itself
	token   string
	session Session
	tap     func(frame []byte) // sees every frame that comes to the client's sockets; nil: nobody does
}

// url is where the client sends its requests.
func (c *client) url() string {
	if c.base != "" {
		return c.base
	}
	return c.web.URL
}

// signIn signs a fresh device in.
func (w *world) signIn(name string) *client {
	w.Helper()
	return w.signInAt(name, fmt.Sprintf("%022d", time.Now().UnixNano()%1e15))
}

func (w *world) signInAt(name, installation string) *client {
	w.Helper()
	return w.signInWith(name, installation, "mobile")
}

// atDesk signs a fresh device of the class desktop in.
func (w *world) atDesk(name string) *client {
	w.Helper()
	return w.signInWith(name, fmt.Sprintf("%022d", time.Now().UnixNano()%1e15), "desktop")
}

func (w *world) signInWith(name, installation, class string) *client {
	w.Helper()
	c := &client{world: w}
	body := SignInRequest{
		Address: name + "@example.org", Password: testPassword, Installation: installation, DeviceName: "test", DeviceClass: class,
		TimeZone: "Europe/Berlin", Token: true,
	}
	c.get(c.call("POST", "/api/session", body), http.StatusOK, &c.session)
	c.token = c.session.Token
	return c
}

// call makes a request with a JSON body, if there is one.
func (c *client) call(method, path string, body any, headers ...string) *http.Response {
	c.Helper()
	var reader io.Reader
	if body != nil {
		text, isText := body.(string)
		if !isText {
			text = string(mustEncode(body))
		}
		reader = strings.NewReader(text)
		headers = append([]string{"Content-Type", "application/json"}, headers...)
	}
	r, err := http.NewRequest(method, c.url()+path, reader)
	if err != nil {
		c.Fatal(err)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		c.Fatal(err)
	}
	return response
}

// get reads an answer of the expected status into a value.
func (c *client) get(r *http.Response, status int, into any) {
	c.Helper()
	text := c.text(r)
	if r.StatusCode != status {
		c.Fatalf("status %d, want %d: %s", r.StatusCode, status, text)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(text, into); err != nil {
		c.Fatalf("%s: %v", text, err)
	}
}

func (c *client) text(r *http.Response) []byte {
	c.Helper()
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		c.Fatal(err)
	}
	return text
}

// refused checks that an answer is the documented refusal.
func (c *client) refused(r *http.Response, status int, kind, key string) Problem {
	c.Helper()
	text := c.text(r)
	var p Problem
	if err := json.Unmarshal(text, &p); err != nil || r.Header.Get("Content-Type") != problemMedia {
		c.Errorf("status %d with %q, want a problem: %s", r.StatusCode, r.Header.Get("Content-Type"), text)
		return p
	}
	if r.StatusCode != status || p.Status != status || p.Title != kind || p.Key != key || p.Type != "tag:parley,2026:"+kind {
		c.Errorf("status %d with %+v, want %d %s %s", r.StatusCode, p, status, kind, key)
	}
	return p
}

// until waits for a condition.
func (w *world) until(what string, condition func() bool) {
	w.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			w.Fatalf("waited in vain until %s\n%s", what, w.logged)
		}
		<-tick.C
	}
}

// lockedBuffer is a log that a test can read.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
