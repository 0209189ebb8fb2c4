package server

import (
	"bufio"
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"parley"
)

// The times that a client has, so that slow ones hold no connection for ever.
// Sockets leave the HTTP server and have their own.
const (
	headerTime    = 10 * time.Second
	requestTime   = 30 * time.Second
	answerTime    = 60 * time.Second
	idleTime      = 2 * time.Minute
	maxHeaderSize = 32 << 10
)

// endpoint is one address that the server listens on.
type endpoint struct {
	name     string
	listener net.Listener
	server   *http.Server
}

// listen opens an address; nothing is answered before serve.
func listen(name, addr string, handler http.Handler, log *slog.Logger) (*endpoint, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening for %s: %w", name, err)
	}
	return &endpoint{name: name, listener: listener, server: newHTTPServer(handler, log)}, nil
}

func newHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       requestTime,
		WriteTimeout:      answerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeaderSize,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // broken handshakes and the like
	}
}

// serve answers until ctx ends, then finishes the requests under way.
func (e *endpoint) serve(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- e.answer() }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := e.server.Shutdown(grace); err != nil {
		e.server.Close() // requests that take longer are cut off
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (e *endpoint) answer() error {
	if e.server.TLSConfig != nil {
		return e.server.ServeTLS(e.listener, "", "")
	}
	return e.server.Serve(e.listener)
}

// health tells monitors how the server is.
type health struct {
	ready   atomic.Bool // everything is up and nothing is stopping
	resting atomic.Bool // other nodes serve better
}

// alive answers as long as the process does.
func (h *health) alive(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") }

// readiness says whether new work is welcome.
func (h *health) readiness(w http.ResponseWriter, _ *http.Request) {
	if !h.ready.Load() {
		plain(w, http.StatusServiceUnavailable, "starting or stopping")
		return
	}
	if h.resting.Load() {
		plain(w, http.StatusServiceUnavailable, "cut off from the other nodes or the database")
		return
	}
	plain(w, http.StatusOK, "ready")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// figuresFor guards the metrics: whoever has the token, and without a token this
// machine alone. A request that a proxy passed on is not from this machine,
// whatever its address.
func figuresFor(token parley.Secret, metrics http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := false
		if token != "" {
			given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			allowed = ok && subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
		} else {
			peer, err := netip.ParseAddrPort(r.RemoteAddr)
			allowed = err == nil && peer.Addr().Unmap().IsLoopback() && !passedOn(r.Header)
		}
		if !allowed {
			http.NotFound(w, r) // as if there were nothing
			return
		}
		metrics.ServeHTTP(w, r)
	})
}

func passedOn(h http.Header) bool {
	return cmp.Or(h.Get("X-Forwarded-For"), h.Get("X-Forwarded-Proto"), h.Get("X-Forwarded-Host"),
		h.Get("Forwarded"), h.Get("X-Real-Ip"), h.Get("Via")) != ""
}

// watched counts and, at debug level, logs every request: method, route, status
// and time, never the path itself, whose ids and codes are nobody's business, nor
// the query.
func watched(next http.Handler, routes *routeNames, figures *figures, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route, began := routes.of(r), time.Now()
		answer := &answer{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			took := time.Since(began)
			figures.request(route, answer.status, took)
			log.LogAttrs(r.Context(), slog.LevelDebug, "request", slog.String("route", route),
				slog.Int("status", answer.status), slog.Duration("took", took))
		}()
		next.ServeHTTP(answer, r)
	})
}

// answer remembers the status of an answer.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Hijack hands the connection to a socket.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.status = http.StatusSwitchingProtocols
	return http.NewResponseController(a.ResponseWriter).Hijack()
}

// routeNames tells under which route a request counts, without serving it.
type routeNames struct{ mux *http.ServeMux }

// newRouteNames knows the given patterns, such as "GET /api/people/{who}".
func newRouteNames(patterns []string) *routeNames {
	names := &routeNames{mux: http.NewServeMux()}
	for _, pattern := range patterns {
		names.mux.Handle(pattern, http.NotFoundHandler())
	}
	return names
}

func (n *routeNames) of(r *http.Request) string {
	if _, pattern := n.mux.Handler(r); pattern != "" {
		return pattern
	}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return "unknown"
	}
	return "app"
}
