package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"parley"
)

const (
	discoveryTime   = 8 * time.Second  // for the document and the SRV record together
	foundFor        = 10 * time.Minute // how long an answer is kept
	unknownFor      = time.Minute
	maxKnownDomains = 10_000
	maxWellKnown    = 64 << 10
	maxServerURL    = 300 // bytes
)

// DiscoveryConfig is what a Discovery is built from. Domains come from whoever
// signs in, so both means must refuse addresses inside this network.
type DiscoveryConfig struct {
	// Client fetches the well-known document.
	Client *http.Client

	// LookupSRV has the form of net.Resolver.LookupSRV, sorted likewise.
	LookupSRV func(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)

	Log *slog.Logger // nil: no log

	// Lookups is how many questions from one network are answered in 15 minutes,
	// those answered from memory included. 0: 60.
	Lookups int

	// AllowLoopback accepts plain HTTP and addresses of this machine in a
	// well-known document, for tests with two servers on one machine.
	AllowLoopback bool
}

// Discovery finds the server of another domain from a sign-in address (PRODUCT
// AC2): from https://DOMAIN/.well-known/parley, then from the SRV record
// _parley._tcp.DOMAIN. It is safe for concurrent use.
type Discovery struct {
	config  DiscoveryConfig
	limiter *limiter
	lookups atomic.Int64
	flights singleflight.Group

	mu    sync.Mutex
	known map[string]found
}

// found is a kept answer.
type found struct {
	server string // "": there is none
	until  time.Time
}

// NewDiscovery builds a Discovery.
func NewDiscovery(c DiscoveryConfig) *Discovery {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d := &Discovery{config: c, limiter: newLimiter(failureWindow), known: map[string]found{}}
	d.SetLookups(c.Lookups)
	return d
}

// SetLookups changes DiscoveryConfig.Lookups while the Discovery works.
func (d *Discovery) SetLookups(n int) {
	d.lookups.Store(int64(Limits{Lookups: n}.withDefaults().Lookups))
}

// FindServer returns the address of the server of a domain, "https://host" or
// "https://host:port". A domain without one, and one that cannot be reached, is
// withheld. Past the limit of questions from one network it is TooMany.
func (d *Discovery) FindServer(ctx context.Context, domain string, network netip.Addr) (string, error) {
	name, err := NormalDomain(domain)
	if err != nil {
		return "", err
	}
	limit := d.limiter.rule(int(d.lookups.Load()), networkOf(network))
	if wait := d.limiter.begin(limit); wait > 0 {
		return "", &parley.Error{Kind: parley.TooMany, Key: "discover.too-many", RetryAfter: wait}
	}
	d.limiter.counts(limit)
	if !strings.Contains(name, ".") || isIP(name) {
		return "", parley.ErrWithheld // names of this network and addresses are nobody's domain
	}
	server, ok := d.remembered(name)
	if !ok {
		// Whoever asks first asks for all: their leaving must not spoil it.
		answer, _, _ := d.flights.Do(name, func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discoveryTime)
			defer cancel()
			return d.ask(ctx, name), nil
		})
		server = answer.(string)
	}
	if server == "" {
		return "", parley.ErrWithheld
	}
	return server, nil
}

// ask looks a server up and remembers the answer.
func (d *Discovery) ask(ctx context.Context, domain string) string {
	server, err := d.fromDocument(ctx, domain)
	if err != nil {
		var srvErr error
		if server, srvErr = d.fromRecord(ctx, domain); srvErr != nil {
			// The domain is what somebody typed in: it stays out of the log.
			d.config.Log.Debug("no server found for a domain", "document", kindOfFailure(err), "record", kindOfFailure(srvErr))
		}
	}
	d.remember(domain, server)
	return server
}

func (d *Discovery) fromDocument(ctx context.Context, domain string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+domain+"/.well-known/parley", nil)
	if err != nil {
		return "", fmt.Errorf("asking for the well-known document: %w", err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := d.config.Client.Do(request)
	if err != nil {
		return "", fmt.Errorf("fetching the well-known document: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", errNoServer
	}
	document, err := io.ReadAll(io.LimitReader(response.Body, maxWellKnown+1))
	if err != nil {
		return "", fmt.Errorf("reading the well-known document: %w", err)
	}
	return parseWellKnown(document, d.config.AllowLoopback)
}

func (d *Discovery) fromRecord(ctx context.Context, domain string) (string, error) {
	// The dot keeps the search domains of this machine out of it.
	_, records, err := d.config.LookupSRV(ctx, "parley", "tcp", domain+".")
	if err != nil {
		return "", fmt.Errorf("looking up the SRV record: %w", err)
	}
	for _, record := range records {
		target, err := NormalDomain(record.Target)
		if err != nil || record.Port == 0 || isIP(target) { // the target "." says: no such service (RFC 2782)
			continue
		}
		return origin("https", target, record.Port), nil
	}
	return "", errNoServer
}

// remembered returns a kept answer.
func (d *Discovery) remembered(domain string) (server string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	answer, ok := d.known[domain]
	if !ok || !time.Now().Before(answer.until) {
		return "", false
	}
	return answer.server, true
}

func (d *Discovery) remember(domain, server string) {
	keep := foundFor
	if server == "" {
		keep = unknownFor
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) >= maxKnownDomains {
		for other := range d.known {
			delete(d.known, other)
			break
		}
	}
	d.known[domain] = found{server: server, until: time.Now().Add(keep)}
}

// errNoServer says that an answer came and names no server.
var errNoServer = errors.New("no server is named")

// kindOfFailure describes an error without what it quotes.
func kindOfFailure(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return "no such name"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "too slow"
	}
	if errors.Is(err, errNoServer) {
		return "no server named"
	}
	return "not reachable"
}

// parseWellKnown reads the document {"server": URL}; other members are ignored.
// The URL must be an origin: https, a host name, perhaps a port, nothing else.
func parseWellKnown(document []byte, allowLoopback bool) (string, error) {
	if len(document) > maxWellKnown {
		return "", errNoServer
	}
	var body struct {
		Server string `json:"server"`
	}
	if err := json.Unmarshal(document, &body); err != nil || body.Server == "" || len(body.Server) > maxServerURL {
		return "", errNoServer
	}
	u, err := url.Parse(body.Server)
	if err != nil || u.User != nil || u.Opaque != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || (u.Path != "" && u.Path != "/") {
		return "", errNoServer
	}
	port, err := portOf(u)
	if err != nil {
		return "", err
	}
	if allowLoopback && isLoopback(u.Hostname()) && (u.Scheme == "http" || u.Scheme == "https") {
		return u.Scheme + "://" + u.Host, nil
	}
	host, err := NormalDomain(u.Hostname())
	if err != nil || u.Scheme != "https" || isIP(host) || !strings.Contains(host, ".") {
		return "", errNoServer
	}
	return origin("https", host, port), nil
}

func portOf(u *url.URL) (uint16, error) {
	if u.Port() == "" {
		return 443, nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return 0, errNoServer
	}
	return uint16(port), nil
}

func origin(scheme, host string, port uint16) string {
	if port == 443 {
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// isIP reports whether a host is an address, or would be taken for one by a
// resolver: a last label of digits only is never a domain (RFC 3696 §2).
func isIP(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x")
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || host == "localhost"
}
