package webapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/account"
	"parley/contact"
	"parley/conversation"
	"parley/policy"
	"parley/presence"
	"parley/privacy"
)

// Discovery finds the server of a sign-in domain that is not this server's.
// account.Discovery is it.
type Discovery interface {
	// FindServer returns the server's URL. A domain without one is withheld. The
	// network is the asker's, for limits.
	FindServer(ctx context.Context, domain string, network netip.Addr) (string, error)
}

// Config is what a Server needs.
type Config struct {
	Accounts *account.Authority
	Book     *contact.Book
	Board    *presence.Board
	Lists    *contact.Lists
	Gate     *privacy.Gate
	Log      *conversation.Log
	Policy   policy.Source
	Rules    *policy.Rulebook // for administrators; nil: nobody changes rules
	Cursors  Cursors

	AddressBooks AddressBooks // nil: none are configured
	Directory    Directory    // nil: there is no corporate directory

	Discovery Discovery // nil: the servers of other domains are unknown
	About     About     // Build, Protocol and Secure are filled in
	Build     string    // of server and app
	URL       string    // of this server, as the well-known document gives it; empty: there is none
	Region    string    // ISO 3166 code that completes phone numbers of offices without a country; empty: none
	Origins   []string  // further origins that the app may be served from, "https://chat.example.org"

	Web            http.Handler   // the app, for every other path; nil: nothing there
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and -Proto count
	Limits         Limits
	Logger         *slog.Logger // nil: no log
}

// Server is the HTTP and WebSocket edge. Make one with New, mount Handler, and
// call Run.
type Server struct {
	config  Config
	limits  atomic.Pointer[Limits]
	about   atomic.Pointer[About]
	log     *slog.Logger
	sealer  *sealer
	api     http.Handler
	sockets *sockets
	encoded *encodedPresence
	workers *workers
	stats   stats
	pace    pace

	devices  *buckets[parley.DeviceID]
	people   *buckets[parley.PersonID]
	networks *buckets[netip.Prefix]

	draining atomic.Bool
	resting  atomic.Bool // devices are better off on another node
	requests requestIDs

	// base ends when Run does; the work of sockets hangs on it.
	base context.Context
	stop context.CancelFunc
	work sync.WaitGroup // readers, writers and closers of sockets
}

// New makes a Server. It fails when the configuration makes no sense.
func New(c Config) (*Server, error) {
	seal, err := newSealer(c.Cursors)
	if err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		config: c, log: c.Logger, sealer: seal, encoded: newEncodedPresence(), workers: newWorkers(), pace: defaultPace,
		devices: newBuckets[parley.DeviceID](), people: newBuckets[parley.PersonID](), networks: newBuckets[netip.Prefix](),
		requests: newRequestIDs(),
	}
	s.SetLimits(c.Limits)
	s.SetAbout(c.About)
	s.base, s.stop = context.WithCancel(context.Background())
	s.sockets = newSockets(s)
	if s.api, err = s.routes(); err != nil {
		return nil, err
	}
	return s, nil
}

// SetAbout changes what anybody is told of this server.
func (s *Server) SetAbout(a About) {
	a.Build, a.Protocol = s.config.Build, ProtocolVersion
	a.Domains, a.Features = notNil(a.Domains), notNil(a.Features)
	s.about.Store(&a)
}

// SetLimits changes the rates while the server runs. They hold from the next
// request and frame on; what a welcome has told stands until the next one.
func (s *Server) SetLimits(l Limits) {
	l = l.withDefaults()
	s.limits.Store(&l)
}

// routes makes the handler of everything under /api.
func (s *Server) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	api := s.newAPI(mux)
	document, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("writing the OpenAPI document: %w", err)
	}
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json")
		if _, err := w.Write(document); err != nil {
			return // the client has gone
		}
	})
	mux.HandleFunc("GET /api/ws", s.serveSocket)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { writeProblem(w, problemOf(parley.ErrWithheld)) })
	return mux, nil
}

// Run does what time demands of open sockets until ctx ends; then it closes them
// with 1001 and returns when all have ended. Call Drain some time before.
func (s *Server) Run(ctx context.Context) error {
	s.sockets.keep(ctx)
	s.Drain()
	s.sockets.closeAll()
	s.work.Wait()
	s.stop()
	s.workers.crew.Wait()
	return nil
}

// Drain is the first stage of stopping: new requests and sockets are refused
// with 503, and messages with unavailable, while what is under way is completed.
func (s *Server) Drain() { s.draining.Store(true) }

// Rest sends devices to other nodes, or takes them again: while the Server rests,
// sockets are closed with 1001 and new work is refused with 503, because this node
// cannot reach what the others can.
func (s *Server) Rest(on bool) {
	if s.resting.Swap(on) == on {
		return
	}
	if on {
		s.sockets.sendAway()
	}
}

// away reports whether new work is refused.
func (s *Server) away() bool { return s.draining.Load() || s.resting.Load() }

// Displace ends the connection of a device that has connected to another node
// meanwhile. What is told of that may be late: the device may have come back since,
// or what connected there may be a frame that lay in the buffer of a node that was
// frozen. So a connection that is younger than that may be late is not told that
// another took its place, after which a device would not dial again.
func (s *Server) Displace(device parley.DeviceID) {
	c := s.sockets.of(device)
	switch {
	case c == nil:
	case time.Since(c.opened) < s.pace.doubtful:
		c.end(CloseGoingAway, nil)
	default:
		c.end(CloseReplaced, nil)
	}
}

// Notify tells the Server what happened elsewhere. It returns at once.
func (s *Server) Notify(event parley.Event) {
	switch e := event.(type) {
	case parley.DevicesEnded:
		s.sockets.endDevices(e)
	case parley.PeopleChanged:
		s.sockets.peopleChanged(e.People)
	case parley.PreferencesChanged:
		s.sockets.preferencesChanged(e.Person)
	case parley.RelationChanged:
		s.sockets.relationChanged(e.Owner, e.Other)
	case parley.ContactsChanged:
		s.sockets.contactsChanged(e)
	case parley.PolicyChanged:
		if policy.Shows(e.Keys) {
			s.sockets.lookAgain()
		}
	}
}

// errStopping refuses new work while the server stops.
var errStopping error = &parley.Error{Kind: parley.Unavailable, Key: "server.stopping", RetryAfter: 5 * time.Second}

// refuse turns an error into the answer and logs a fault of ours, once.
func (s *Server) refuse(err error, what ...any) *Problem {
	p := problemOf(err)
	s.stats.refused(p.Title)
	if p.Status == http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		s.log.Error("request failed", append(what, "error", err)...)
	}
	return p
}

// notNil makes an empty list of nil, which JSON would write as null.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
