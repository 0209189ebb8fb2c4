package egress

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"
)

// DialFunc has the form of net.Dialer.DialContext.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Resolver is what Egress needs of net.Resolver.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// Config is what an Egress is built from.
type Config struct {
	Log      *slog.Logger   // nil: no log
	Resolver Resolver       // nil: the machine's
	Dial     DialFunc       // opens a connection to an address that was vetted; nil: the network
	RootCAs  *x509.CertPool // whom HTTPS trusts; nil: the machine's
}

// Egress hands out the means to reach the outside, one purpose each, and keeps
// the ledger. It is safe for concurrent use.
type Egress struct {
	config Config
	lines  map[Purpose]*line
}

// line is one purpose in the ledger, with what has happened for it.
type line struct {
	Declaration
	slots chan struct{} // nil: no limit

	connections, refused atomic.Int64
	sent, received       atomic.Int64
	lastUsed             atomic.Int64 // Unix nanoseconds; 0: never
}

// Stat is one purpose's line in the ledger, since the server started.
type Stat struct {
	Declaration

	// Connections counts those that were opened; for Names the questions, for a
	// purpose with Past the requests, as far as its library tells.
	Connections    int64
	Refused        int64 // attempts that the rules did not allow
	Sent, Received int64 // bytes, TLS included; 0 for a purpose with Past
	LastUsed       time.Time
}

// ErrRefused says that the rules of a purpose do not allow what was tried.
var ErrRefused = errors.New("egress refused")

// errTooLarge says that a response is over the limit of its purpose.
var errTooLarge = errors.New("response is over the limit of its purpose")

// New builds an Egress.
func New(c Config) *Egress {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	e := &Egress{config: c, lines: map[Purpose]*line{}}
	for _, d := range declarations {
		a := &line{Declaration: d}
		if d.Together > 0 {
			a.slots = make(chan struct{}, d.Together)
		}
		e.lines[d.Purpose] = a
	}
	return e
}

// Stats returns the ledger, in the order of the declarations.
func (e *Egress) Stats() []Stat {
	stats := make([]Stat, 0, len(declarations))
	for _, d := range declarations {
		a := e.lines[d.Purpose]
		stat := Stat{
			Declaration: d, Connections: a.connections.Load(), Refused: a.refused.Load(),
			Sent: a.sent.Load(), Received: a.received.Load(),
		}
		if at := a.lastUsed.Load(); at != 0 {
			stat.LastUsed = time.Unix(0, at).UTC()
		}
		stats = append(stats, stat)
	}
	return stats
}

// Client returns an HTTP client for a purpose. It keeps no cookies, follows no
// proxy of the environment, and for untrusted hosts speaks HTTPS only and keeps
// no connection open.
func (e *Egress) Client(purpose Purpose) *http.Client {
	a := e.lines[purpose]
	if a == nil {
		return &http.Client{Transport: refusing{undeclared(purpose)}}
	}
	if a.Past != "" {
		return &http.Client{Transport: refusing{past(a)}}
	}
	base := &http.Transport{
		DialContext:            e.Dialer(purpose),
		TLSHandshakeTimeout:    a.Timeout,
		ResponseHeaderTimeout:  a.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
		DisableKeepAlives:      a.Untrusted,
		DisableCompression:     a.Untrusted, // a small body must not grow behind the limit
		ForceAttemptHTTP2:      !a.Untrusted,
		TLSClientConfig:        tlsConfig(e.config.RootCAs),
	}
	return &http.Client{
		Transport: &limitedTransport{egress: e, line: a, base: base},
		Timeout:   a.Timeout,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > a.Redirects {
				return http.ErrUseLastResponse
			}
			r.Header.Del("Referer")
			return nil
		},
	}
}

// Ledger counts requests of a library that opens its connections itself, for a
// purpose that is declared so. It has the form of http.Transport.Proxy: it names
// no proxy, and refuses every other purpose. Bytes are not counted.
func (e *Egress) Ledger(purpose Purpose) func(*http.Request) (*url.URL, error) {
	a := e.lines[purpose]
	return func(*http.Request) (*url.URL, error) {
		if a == nil {
			return nil, undeclared(purpose)
		}
		if a.Past == "" {
			return nil, e.failure(a, fmt.Errorf("%w: %s dials through its own dialer only", ErrRefused, purpose))
		}
		a.used()
		return nil, nil
	}
}

// LookupSRV asks for SRV records, for the purpose Names. It has the form of
// net.Resolver.LookupSRV.
func (e *Egress) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	a := e.lines[Names]
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	if err := a.take(ctx); err != nil {
		return "", nil, err
	}
	defer a.release()
	a.used()
	cname, records, err := e.config.Resolver.LookupSRV(ctx, service, proto, name)
	if err != nil {
		return "", nil, fmt.Errorf("asking for SRV records: %w", err)
	}
	return cname, records, nil
}

// failure counts and logs an attempt that the rules refused, and returns err.
func (e *Egress) failure(a *line, err error) error {
	if errors.Is(err, ErrRefused) {
		a.refused.Add(1)
		e.config.Log.Warn("outbound connection refused", "purpose", string(a.Purpose), "reason", err)
	}
	return err
}

func (a *line) used() {
	a.connections.Add(1)
	a.lastUsed.Store(time.Now().UnixNano())
}

// take waits for one of the places that the purpose has.
func (a *line) take(ctx context.Context) error {
	if a.slots == nil {
		return nil
	}
	select {
	case a.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting to connect for %s: %w", a.Purpose, ctx.Err())
	}
}

func (a *line) release() {
	if a.slots != nil {
		<-a.slots
	}
}

func undeclared(purpose Purpose) error {
	return fmt.Errorf("%w: purpose %q is not declared in egress/purpose.go", ErrRefused, string(purpose))
}

func past(a *line) error {
	return fmt.Errorf("%w: connections for %s are declared to be opened elsewhere: %s", ErrRefused, a.Purpose, a.Past)
}
