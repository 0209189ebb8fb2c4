package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"parley/account"
	"parley/edge/addressbook"
	"parley/edge/webapi"
	"parley/egress"
	"parley/server/jobs"
	"parley/server/lan"
	"parley/web"
)

// How long stopping may take: requests under way, and everything together.
const (
	drainTime = 5 * time.Second
	stopTime  = 10 * time.Second
)

// Server is the whole program over one data folder. Make one with New, then call
// Run.
type Server struct {
	config Config
	log    *slog.Logger
	out    *egress.Egress
	parts  *parts
	jobs   *jobs.Runner
	edge   *webapi.Server
	health health

	main      *endpoint
	page      *endpoint // with LAN: how to trust the authority
	endpoints []*endpoint
	control   net.Listener
	authority *lan.Authority

	encryption encryption
	discovery  *account.Discovery

	reloading sync.Mutex // guards current
	current   Config     // what is in force, after reading the configuration again
}

// New opens the data folder, builds the parts and listens. Connections wait until
// Run. Whoever made a Server runs it: Run closes what New opened.
func New(c Config) (*Server, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Build == "" {
		c.Build = "development"
	}
	s := &Server{config: c, log: c.Logger}
	outside := s.config.Outside
	outside.Log = s.log
	s.out = egress.New(outside)
	var err error
	if s.parts, err = assemble(context.Background(), &s.config, s.out, toServe); err != nil {
		return nil, err
	}
	s.current = s.config
	if err := s.build(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// build makes the edges and opens the addresses.
func (s *Server) build() (err error) {
	c := &s.config
	if s.encryption, err = serverTLS(c, s.out, s.log); err != nil {
		return err
	}
	tlsConfig := s.encryption.config
	if c.LAN {
		if s.authority, err = lan.Open(lanFolder(c.Data)); err != nil {
			return err
		}
		tlsConfig = s.authority.TLS()
	}
	if s.edge, err = s.newEdge(s.out); err != nil {
		return err
	}
	s.parts.events.listeners = append(s.parts.events.listeners, s.edge.Notify)
	s.jobs = jobs.New(jobs.Config{Store: s.parts.store, Kinds: s.parts.kinds(), Log: s.log})
	s.parts.store.OnJobs(s.jobs.Wake)
	if s.parts.peers != nil {
		s.parts.peers.arrived = s.edge.Displace
	}
	figures := newFigures(c.Build)
	figures.watch(s.edge.Stats, s.parts.store.Stats, s.out.Stats)
	if s.parts.follower != nil {
		figures.registry.MustRegister(&directoryFigures{s.parts.follower})
	}
	figures.watchWork(s.jobs.Stats, s.parts.store.CountJobs, &s.parts.trail)
	if s.parts.peers != nil {
		figures.watchNodes(s.parts.peers, &s.health)
	}
	if s.main, err = s.listen("people", c.Addr, s.handler(figures)); err != nil {
		return err
	}
	s.main.server.TLSConfig = tlsConfig
	if err := s.listenBeside(figures); err != nil {
		return err
	}
	s.control, err = listenControl(c.Data)
	return err
}

func (s *Server) listen(name, addr string, handler http.Handler) (*endpoint, error) {
	e, err := listen(name, addr, handler, s.log)
	if err != nil {
		return nil, err
	}
	s.endpoints = append(s.endpoints, e)
	return e, nil
}

// listenBeside opens the addresses beside the main one, where there are any.
func (s *Server) listenBeside(figures *figures) (err error) {
	c := &s.config
	if c.Metrics.Listen != "" {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", figuresFor(c.Metrics.Token, figures.handler()))
		if c.Metrics.Profiles {
			mux.Handle("GET /debug/pprof/", figuresFor(c.Metrics.Token, profiles()))
		}
		if _, err := s.listen("metrics", c.Metrics.Listen, mux); err != nil {
			return err
		}
	}
	if s.encryption.acme != nil && c.TLS.HTTP != "" {
		if _, err := s.listen("plain HTTP", c.TLS.HTTP, s.encryption.acme.redirect()); err != nil {
			return err
		}
	}
	if c.LAN {
		addr := c.LANPage
		if addr == "" {
			addr = ":8080"
		}
		s.page, err = s.listen("the page for phones", addr, s.authority.Page(portOf(s.main.listener)))
	}
	return err
}

// originOf writes a URL as a browser writes its origin (RFC 6454 §6.2): lower
// case, without a port that the scheme implies, without a slash.
func originOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := u.Port(); scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return scheme + "://" + host
}

func (s *Server) newEdge(out *egress.Egress) (*webapi.Server, error) {
	c, p := &s.config, s.parts
	s.discovery = account.NewDiscovery(account.DiscoveryConfig{
		Client: out.Client(egress.Discovery), LookupSRV: out.LookupSRV, Lookups: c.Limits.Lookups, Log: s.log,
	})
	var origins []string
	if c.PublicURL != "" {
		origins = []string{originOf(c.PublicURL)}
	}
	return webapi.New(webapi.Config{
		Accounts: p.accounts, Book: p.book, Lists: p.lists, Board: p.board, Gate: p.gate, Log: p.log, Policy: p.rules, Rules: p.rules, Directory: p.directory(),
		Cursors:        webapi.Cursors{Epoch: p.store.Epoch(), Key: p.store.SealKey()},
		AddressBooks:   c.addressBooks(out),
		Discovery:      s.discovery,
		About:          c.about(),
		Build:          c.Build + "+" + web.Build(),
		URL:            c.PublicURL,
		Region:         c.Organisation.Region,
		Origins:        origins,
		Web:            web.Handler(),
		TrustedProxies: c.TrustedProxies,
		Limits:         c.Limits.edge(),
		Logger:         s.log,
	})
}

// addressBooks reaches the configured servers of address books, each fetch over
// connections of its own.
func (c *Config) addressBooks(out *egress.Egress) webapi.AddressBooks {
	var servers []addressbook.Server
	for _, text := range c.AddressBook.Servers {
		if s, err := addressbook.ParseServer(text); err == nil { // as checked
			servers = append(servers, s)
		}
	}
	return addressbook.New(servers, func() *http.Client { return out.Client(egress.AddressBook) })
}

// about is what anybody is told of this server.
func (c *Config) about() webapi.About {
	return webapi.About{Name: c.Organisation.Name, Operator: c.Operator.wire(), Domains: c.Organisation.Domains, PasswordURL: c.LDAP.PasswordURL}
}

// wire is the operator as everybody is told; nil when it is the organisation
// itself.
func (o OperatorConfig) wire() *webapi.Operator {
	if o.Name == "" {
		return nil
	}
	return &webapi.Operator{Name: o.Name, Contact: o.Contact, PrivacyURL: o.PrivacyURL}
}

// handler answers everything on the main address.
func (s *Server) handler(figures *figures) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health.alive)
	mux.HandleFunc("GET /readyz", s.health.readiness)
	if s.config.Metrics.Listen == "" {
		mux.Handle("GET /metrics", figuresFor(s.config.Metrics.Token, figures.handler()))
	}
	mux.Handle("/", s.edge.Handler())
	return watched(s.onlySecure(mux), newRouteNames(routePatterns()), figures, s.log)
}

// onlySecure tells browsers that came over TLS never to come without it (RFC
// 6797). With LAN it does not: the same address may hold something else tomorrow.
func (s *Server) onlySecure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil && !s.config.LAN {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// warn tells the operator what works and should not be left so.
func (s *Server) warn() {
	addr, ok := s.main.listener.Addr().(*net.TCPAddr)
	plain := s.config.TLS.Mode == TLSOff && !s.config.LAN
	if ok && plain && !addr.IP.IsLoopback() && len(s.config.TrustedProxies) == 0 {
		s.log.Warn("people reach this address without encryption; set tls, or trusted_proxies for a proxy in front", "addr", s.Addr())
	}
}

// routePatterns are the routes that requests are counted under.
func routePatterns() []string {
	patterns := []string{"GET /healthz", "GET /readyz", "GET /metrics"}
	for path, item := range webapi.Describe().OpenAPI.Paths {
		for method, operation := range map[string]bool{
			"GET": item.Get != nil, "POST": item.Post != nil, "PUT": item.Put != nil, "DELETE": item.Delete != nil, "PATCH": item.Patch != nil,
		} {
			if operation {
				patterns = append(patterns, method+" "+path)
			}
		}
	}
	return patterns
}

// Addr is the main address, host and port.
func (s *Server) Addr() string { return s.main.listener.Addr().String() }

// URL is how people reach the server.
func (s *Server) URL() string {
	if host, ok := s.lanHost(); ok && s.config.LAN {
		return "https://" + net.JoinHostPort(host, portOf(s.main.listener))
	}
	return s.config.baseURL(s.main.listener.Addr())
}

// Run serves until ctx ends or a part fails. Then it stops in two stages: at once
// it refuses new work, tells open sockets to come back later (1001) and finishes
// what is under way; then the parts stop, the store last. It takes at most 10
// seconds; when it would take longer Run returns an error, and the process should
// end.
func (s *Server) Run(ctx context.Context) error {
	handler := (&control{parts: s.parts, base: s.URL, ledger: s.out.Stats, log: s.log}).handler()
	top := []task{
		{"sockets", s.edge.Run},
		{"jobs", s.jobs.Run},
		{"control", func(ctx context.Context) error { return serveControl(ctx, s.control, handler) }},
	}
	for _, e := range s.endpoints {
		top = append(top, task{e.name, e.serve})
	}
	if s.encryption.acme != nil {
		top = append(top, task{"certificates", s.encryption.acme.run})
	}
	if s.parts.peers != nil {
		w := &watch{node: s.config.Cluster.Node, roster: s.parts.roster, peers: s.parts.peers, rest: s.rest, log: s.log}
		top = append(top, task{"watch", w.run})
	}
	stack := append(s.parts.layers(), top)
	stopping := context.AfterFunc(ctx, func() {
		s.health.ready.Store(false)
		s.edge.Drain()
	})
	defer stopping()
	err := stack.run(ctx, stopTime, func(ctx context.Context, started int) error { return s.started(ctx, started, len(stack)) }, s.close)
	s.health.ready.Store(false)
	s.log.Info("stopped")
	return err
}

// started is called when a layer is up. The demo organisation goes in before
// anybody can sign in.
func (s *Server) started(ctx context.Context, layer, layers int) error {
	switch {
	case layer == layers-2 && s.config.Demo:
		return s.parts.fillDemo(ctx)
	case layer == layers-1:
		s.log.Info("serving", "addr", s.Addr(), "version", s.config.Build)
		s.warn()
		if s.config.Out != nil {
			if err := s.notice(s.config.Out); err != nil {
				return err
			}
		}
		s.health.ready.Store(ctx.Err() == nil)
	}
	return nil
}

// rest sends devices to other nodes, or takes them again.
func (s *Server) rest(on bool) {
	s.health.resting.Store(on)
	s.edge.Rest(on)
}

// Nodes are the names of the nodes that this one hears, itself included; nil when
// it is the only one.
func (s *Server) Nodes() []string {
	if s.parts.peers == nil {
		return nil
	}
	return s.parts.peers.nodes()
}

// close closes what New opened and Run has not closed.
func (s *Server) close() error {
	for _, e := range s.endpoints {
		e.listener.Close() // closed twice is closed
	}
	if s.control != nil {
		s.control.Close()
	}
	return s.parts.close()
}
