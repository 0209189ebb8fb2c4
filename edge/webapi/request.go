package webapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"parley"
	"parley/account"
)

// The names of the cookie that holds the device token. A browser keeps the
// prefix __Host- to one host over TLS (RFC 6265bis §4.1.3.2), so nobody in a
// sibling domain can plant one.
const (
	cookieOverTLS = "__Host-parley"
	cookiePlain   = "parley"
)

// caller is who makes a request and from where.
type caller struct {
	id      string     // of the request, for the log
	network netip.Addr // the client's address, behind trusted proxies
	secure  bool       // it reached us, or the proxy, over TLS
	local   bool       // the origin is the device itself, which browsers trust as they trust TLS

	token   parley.Secret
	session account.Session
	refused error // why there is no session
}

type callerKey struct{}

// callerOf gives what Handler found out. It does not travel beyond this package.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// Handler answers everything: the API, the socket, and the app for every other
// path.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/.well-known/parley" {
			s.serveAPI(w, r)
			return
		}
		if s.config.Web == nil {
			http.NotFound(w, r)
			return
		}
		s.config.Web.ServeHTTP(w, r)
	})
}

// serveAPI does what every request of the API needs before it is looked at.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	c := s.identify(r)
	defer s.recoverRequest(w, c)
	s.stats.requests.Add(1)
	setHeaders(w.Header())
	if err := s.admit(w, r, &c); err != nil {
		writeProblem(w, s.refuse(err, "request", c.id))
		return
	}
	s.api.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
}

// setHeaders sets what every answer of the API carries.
func setHeaders(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
}

// admit refuses what no operation would take and reads the body.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, c *caller) error {
	if s.away() {
		return errStopping
	}
	changes := r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
	if changes || r.URL.Path == socketPath {
		if err := s.checkOrigin(r, c.secure); err != nil {
			return err
		}
	}
	s.findSession(r, c)
	if err := s.limitRate(c); err != nil {
		return err
	}
	if changes {
		return readBody(w, r, bodyLimit(r, c))
	}
	return nil
}

// recoverRequest answers a request whose handler panicked, so that one fault is
// one failed request.
func (s *Server) recoverRequest(w http.ResponseWriter, c caller) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault)
	}
	s.stats.panics.Add(1)
	s.log.Error("request panicked", "request", c.id, "fault", faultName(fault), "stack", string(debug.Stack()))
	writeProblem(w, newProblem(parley.Refuse(parley.Internal, "")))
}

// identify finds out where a request comes from.
func (s *Server) identify(r *http.Request) caller {
	c := caller{id: s.requests.next(), secure: r.TLS != nil, local: isLocal(r.Host)}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return c // not TCP: nobody to trust, everybody in one bucket
	}
	c.network = peer.Addr().Unmap()
	if !s.trusted(c.network) {
		return c
	}
	if proto := lastOf(r.Header.Values("X-Forwarded-Proto")); proto != "" {
		c.secure = strings.EqualFold(proto, "https")
	}
	c.network = s.clientBehind(c.network, r.Header.Values("X-Forwarded-For"))
	return c
}

// clientBehind walks X-Forwarded-For from the end, where our own proxies wrote,
// to the first address that is none of them.
func (s *Server) clientBehind(peer netip.Addr, forwarded []string) netip.Addr {
	list := strings.Split(strings.Join(forwarded, ","), ",")
	for _, text := range slices.Backward(list) {
		a, err := parseForwarded(strings.TrimSpace(text))
		if err != nil {
			return peer
		}
		if peer = a.Unmap(); !s.trusted(peer) {
			return peer
		}
	}
	return peer
}

// parseForwarded reads an address with or without a port, as proxies write both.
func parseForwarded(text string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr(), nil
	}
	return netip.ParseAddr(strings.Trim(text, "[]"))
}

func (s *Server) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(s.config.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// lastOf is the last element of a list header, which the nearest proxy wrote.
func lastOf(values []string) string {
	list := strings.Split(strings.Join(values, ","), ",")
	return strings.TrimSpace(list[len(list)-1])
}

// isLocal reports whether browsers take the host for the device itself (Secure
// Contexts §3.1).
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// checkOrigin refuses what another site's page asks for. Programs send neither
// header.
func (s *Server) checkOrigin(r *http.Request, secure bool) error {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" && !s.ownOrigin(r, secure) {
		return errOrigin
	}
	if r.Header.Get("Origin") != "" && !s.ownOrigin(r, secure) {
		return errOrigin
	}
	return nil
}

var errOrigin error = parley.Refuse(parley.Forbidden, "origin.wrong")

func (s *Server) ownOrigin(r *http.Request, secure bool) bool {
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	origin := r.Header.Get("Origin")
	return strings.EqualFold(origin, scheme+r.Host) || slices.Contains(s.config.Origins, origin)
}

// findSession looks for a device token and whose it is. A header counts before a
// cookie.
func (s *Server) findSession(r *http.Request, c *caller) {
	c.token = tokenOf(r, c.secure)
	if c.token == "" {
		c.refused = errNoSession
		return
	}
	c.session, c.refused = s.config.Accounts.Session(r.Context(), c.token)
}

var errNoSession error = parley.Refuse(parley.SignIn, "sign-in.required")

func tokenOf(r *http.Request, secure bool) parley.Secret {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return ""
		}
		return parley.Secret(strings.TrimSpace(token))
	}
	cookie, err := r.Cookie(cookieName(secure))
	if err != nil {
		return ""
	}
	return parley.Secret(cookie.Value)
}

func cookieName(secure bool) string {
	if secure {
		return cookieOverTLS
	}
	return cookiePlain
}

// limitRate counts a request for its device and its person or, without a session,
// for its network: colleagues behind one address do not slow each other down.
func (s *Server) limitRate(c *caller) error {
	limits, now := s.limits.Load(), time.Now()
	if c.refused != nil {
		return s.networks.take(networkOf(c.network), now, limits.NetworkBurst, limits.NetworkRate)
	}
	if err := s.devices.take(c.session.Actor.Device, now, limits.DeviceBurst, limits.DeviceRate); err != nil {
		return err
	}
	return s.people.take(c.session.Actor.Person, now, limits.PersonBurst, limits.PersonRate)
}

// importPath is where a file may be brought that is larger than any other body.
const importPath = "/api/contacts/import"

// bodyLimit is how large the body of a request may be. Nobody without a session may
// send much.
func bodyLimit(r *http.Request, c *caller) int64 {
	if r.URL.Path == importPath && c.refused == nil {
		return maxImportBody
	}
	return maxRequestBody
}

// readBody reads the whole body before anything decodes it: within its limit, in
// time, JSON by its type and not too deep.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) error {
	// Not every writer has deadlines; the server's own time-outs hold then.
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(bodyReadWithin))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	_ = connection.SetReadDeadline(time.Time{}) // else it would cancel a request that waits for its turn
	switch _, tooLarge := errors.AsType[*http.MaxBytesError](err); {
	case tooLarge:
		return parley.Refuse(parley.TooLarge, "body.too-large")
	case err != nil:
		return &parley.Error{Kind: parley.Invalid, Key: "body.incomplete", Err: err}
	case len(body) > 0 && !isJSON(r.Header.Get("Content-Type")):
		return parley.Refuse(parley.Unsupported, "body.not-json")
	case tooDeep(body, maxDepth):
		return parley.Refuse(parley.Invalid, "body.too-deep")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// isJSON refuses among others the types that a form of another site can send
// without asking first.
func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}

// requestIDs numbers requests for the log: a random beginning that differs from
// one start of the server to the next, and a count.
type requestIDs struct {
	prefix string
	count  *atomic.Uint64
}

func newRequestIDs() requestIDs {
	var start [4]byte
	rand.Read(start[:]) // never fails
	return requestIDs{prefix: hex.EncodeToString(start[:]) + "-", count: new(atomic.Uint64)}
}

func (r requestIDs) next() string { return r.prefix + strconv.FormatUint(r.count.Add(1), 10) }
