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
	"strings"
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
	Connections    int64 // opened; for Names the questions asked, for a Ledger the requests
	Refused        int64 // attempts that the rules did not allow
	Sent, Received int64 // bytes, TLS included; 0 where the connection is not ours
	LastUsed       time.Time
}

// ErrRefused says that the rules of a purpose do not allow what was tried.
var ErrRefused = errors.New("egress refused")

// errTooLarge says that a response is over the limit of its purpose.
var errTooLarge = errors.New("response is over the limit of its purpose")

// maxAddresses is how many addresses of one name are tried.
const maxAddresses = 4

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

// Dialer returns the dialer of a purpose. For a purpose that is not declared it
// refuses every dial.
func (e *Egress) Dialer(purpose Purpose) DialFunc {
	a := e.lines[purpose]
	if a == nil {
		return func(context.Context, string, string) (net.Conn, error) { return nil, undeclared(purpose) }
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, a.Timeout)
		defer cancel()
		conn, err := e.dial(ctx, a, network, address)
		if err != nil {
			return nil, e.failure(a, err)
		}
		a.used()
		return &countedConn{Conn: conn, line: a}, nil
	}
}

// Client returns an HTTP client for a purpose. It keeps no cookies, follows no
// proxy of the environment, and for untrusted hosts speaks HTTPS only and keeps
// no connection open.
func (e *Egress) Client(purpose Purpose) *http.Client {
	a := e.lines[purpose]
	if a == nil {
		return &http.Client{Transport: refusing{purpose}}
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
// purpose whose hosts are configured. It has the form of http.Transport.Proxy:
// it names no proxy, and refuses a purpose that is not declared or whose hosts
// are not trusted. Bytes are not counted.
func (e *Egress) Ledger(purpose Purpose) func(*http.Request) (*url.URL, error) {
	a := e.lines[purpose]
	return func(*http.Request) (*url.URL, error) {
		if a == nil {
			return nil, undeclared(purpose)
		}
		if a.Untrusted {
			return nil, e.failure(a, fmt.Errorf("%w: %s dials through its own client only", ErrRefused, purpose))
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

// dial resolves the name of an untrusted host itself and dials the very address
// that it vetted, so that a second answer of the name server changes nothing.
func (e *Egress) dial(ctx context.Context, a *line, network, address string) (net.Conn, error) {
	if !a.Untrusted {
		return e.config.Dial(ctx, network, address)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: address without a port", ErrRefused)
	}
	if !strings.HasPrefix(network, "tcp") || port != "443" {
		return nil, fmt.Errorf("%w: port %s over %s", ErrRefused, port, network)
	}
	addresses, err := e.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var last error
	for _, addr := range addresses[:min(len(addresses), maxAddresses)] {
		conn, err := e.config.Dial(ctx, "tcp", netip.AddrPortFrom(addr, 443).String())
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

// resolve returns the public addresses of a host. That a host has other ones
// too is refused: nobody's public server needs them.
func (e *Egress) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if !public(addr) {
			return nil, fmt.Errorf("%w: address is not public", ErrRefused)
		}
		return []netip.Addr{addr.Unmap()}, nil
	}
	// The dot keeps the search domains of this machine out of it.
	addresses, err := e.config.Resolver.LookupNetIP(ctx, "ip", strings.TrimSuffix(host, ".")+".")
	if err != nil {
		return nil, fmt.Errorf("resolving a host: %w", err)
	}
	if len(addresses) == 0 {
		return nil, errors.New("resolving a host: no address")
	}
	for i, addr := range addresses {
		if !public(addr) {
			return nil, fmt.Errorf("%w: address is not public", ErrRefused)
		}
		addresses[i] = addr.Unmap()
	}
	return addresses, nil
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
	return fmt.Errorf("%w: purpose %q is not declared", ErrRefused, string(purpose))
}
