package parleytest

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/egress"
	"parley/server"
)

// Outside is the internet as the server under test meets it: a name server, and
// one HTTPS server for every host of example.com.
type Outside struct {
	mu        sync.Mutex
	addresses map[string][]netip.Addr // of a host, "example.com"
	records   map[string][]*net.SRV   // of a domain
	dialled   []string

	roots *x509.CertPool
	serve string // where the HTTPS server listens

	// Lookup is called before every question for SRV records; nil: nothing is.
	Lookup func(domain string)
}

// NewOutside makes an internet in which handler answers for example.com and the
// hosts below it.
func NewOutside(t testing.TB, handler http.Handler) *Outside {
	site := httptest.NewTLSServer(handler)
	t.Cleanup(site.Close)
	roots := x509.NewCertPool()
	roots.AddCert(site.Certificate())
	return &Outside{
		addresses: map[string][]netip.Addr{}, records: map[string][]*net.SRV{},
		roots: roots, serve: site.Listener.Addr().String(),
	}
}

// Host puts a host at addresses.
func (o *Outside) Host(name string, addresses ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range addresses {
		o.addresses[name] = append(o.addresses[name], netip.MustParseAddr(a))
	}
}

// Record gives a domain an SRV record.
func (o *Outside) Record(domain, target string, port uint16) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.records[domain] = append(o.records[domain], &net.SRV{Target: target, Port: port})
}

// Dialled are the addresses that the server opened connections to.
func (o *Outside) Dialled() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.dialled)
}

// Use makes a server live in this internet.
func (o *Outside) Use(c *server.Config) {
	c.Outside = egress.Config{Resolver: o, Dial: o.dial, RootCAs: o.roots}
}

// dial takes what goes outside to the one server there; the database is on this
// machine.
func (o *Outside) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if to, err := netip.ParseAddrPort(address); err == nil && to.Addr().IsLoopback() {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	o.mu.Lock()
	o.dialled = append(o.dialled, address)
	o.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, network, o.serve)
}

// LookupNetIP implements egress.Resolver.
func (o *Outside) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if found := o.addresses[strings.TrimSuffix(host, ".")]; found != nil {
		return slices.Clone(found), nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// LookupSRV implements egress.Resolver.
func (o *Outside) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	domain := strings.TrimSuffix(name, ".")
	if o.Lookup != nil {
		o.Lookup(domain)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if found := o.records[domain]; found != nil {
		return "", found, nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}
