package directory

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"parley"
)

// Kind is what sort of directory a server is, as far as it makes a difference.
type Kind string

// The kinds. KindAuto is for a configuration only: the server says what it is.
const (
	KindAuto     Kind = "auto"
	KindAD       Kind = "ad" // Active Directory, Samba
	KindOpenLDAP Kind = "openldap"
	KindOther    Kind = "other"
)

const (
	// connectTime bounds reaching a server: name, connection and TLS together.
	connectTime = 5 * time.Second

	// operationTime bounds one operation, until its answer is complete.
	operationTime = 10 * time.Second

	// failedFor is how long a server that failed is asked after all others.
	failedFor = 30 * time.Second
)

// LDAPConfig says which directory there is and how it is reached.
type LDAPConfig struct {
	// Servers are URLs such as ldaps://dc1.example.com or ldap://10.0.0.1:389,
	// in the order in which they are tried.
	Servers []string

	// StartTLS encrypts the connections to the servers of ldap:// URLs. Without it
	// no password is sent to them, unless they are on this machine or Plaintext
	// allows it.
	StartTLS  bool
	Plaintext bool

	// RootCAs says whose certificates are believed; nil: those that the machine
	// trusts.
	RootCAs *x509.CertPool

	// BindDN and BindPassword are the account that the directory is read with.
	// Without them it is read anonymously.
	BindDN       string
	BindPassword parley.Secret

	Kind   Kind   // KindAuto or empty: found out
	Domain string // NetBIOS name of DOMAIN\name; empty: Active Directory says it

	PeopleBases  []string // where people are; empty: the whole directory
	PeopleFilter string   // which entries are people; empty: by kind
	GroupBases   []string // likewise for groups
	GroupFilter  string

	Mapping Mapping

	// Dial opens connections: the dialer of egress for the directory.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Log *slog.Logger // nil: no log
}

// LDAP reaches a directory over LDAP v3 (RFC 4511). It keeps no connections: each
// one is its caller's. It is safe for concurrent use.
type LDAP struct {
	config  LDAPConfig
	servers []server

	mu      sync.Mutex
	failed  map[string]time.Time // by URL: when a server failed last
	domains map[string]string    // NetBIOS name in lower case to the normal DN of the domain; nil: not asked yet
}

// server is one server of the directory.
type server struct {
	url     string
	host    string // for the certificate
	address string // host and port
	tls     bool   // from the first byte on
}

// ErrPlaintext says that a password would have to be sent in the clear.
var ErrPlaintext = errors.New("the connection is not encrypted, so no password is sent over it")

// NewLDAP checks the configuration. Nothing is dialled yet.
func NewLDAP(c LDAPConfig) (*LDAP, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Dial == nil {
		return nil, errors.New("directory: no dialer")
	}
	if len(c.Servers) == 0 {
		return nil, errors.New("directory: no server")
	}
	if (c.BindDN == "") != (c.BindPassword == "") {
		return nil, errors.New("directory: bind_dn and bind_password go together")
	}
	l := &LDAP{config: c, failed: map[string]time.Time{}}
	for _, text := range c.Servers {
		s, err := parseServer(text)
		if err != nil {
			return nil, err
		}
		l.servers = append(l.servers, s)
	}
	return l, nil
}

// CheckServer says what is wrong with the URL of a server; nil: nothing.
func CheckServer(text string) error {
	_, err := parseServer(text)
	return err
}

// Local reports whether the URL of a server names this machine by an address or
// as localhost, so that what is sent there stays here.
func Local(text string) bool {
	s, err := parseServer(text)
	return err == nil && s.local()
}

// ValidFilter reports whether text is an LDAP filter (RFC 4515).
func ValidFilter(text string) bool {
	_, err := ldap.CompileFilter(text)
	return err == nil
}

func parseServer(text string) (server, error) {
	u, err := url.Parse(text)
	wrong := fmt.Errorf("%.200q is no URL such as ldaps://ldap.example.com or ldap://ldap.example.com:389", text)
	if err != nil { // without the text, which may hold a password
		return server{}, errors.New("no URL such as ldaps://ldap.example.com or ldap://ldap.example.com:389")
	}
	if u.User != nil {
		return server{}, errors.New("a URL holds a user or password; they have settings of their own")
	}
	s := server{url: text, host: u.Hostname(), tls: u.Scheme == "ldaps"}
	if u.Scheme != "ldap" && u.Scheme != "ldaps" || s.host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return server{}, wrong
	}
	port := u.Port()
	switch {
	case port == "" && s.tls:
		port = "636"
	case port == "":
		port = "389"
	}
	s.address = net.JoinHostPort(s.host, port)
	return s, nil
}

func (s server) local() bool {
	addr, err := netip.ParseAddr(s.host)
	return err == nil && addr.Unmap().IsLoopback() || strings.EqualFold(s.host, "localhost")
}

// order lists the servers as they are to be tried now: those that failed a moment
// ago come last.
func (l *LDAP) order(now time.Time) []server {
	l.mu.Lock()
	defer l.mu.Unlock()
	waits := func(s server) bool {
		at, failed := l.failed[s.url]
		return failed && now.Sub(at) < failedFor
	}
	servers := slices.Clone(l.servers)
	slices.SortStableFunc(servers, func(a, b server) int {
		switch aw, bw := waits(a), waits(b); {
		case aw == bw:
			return 0
		case aw:
			return 1
		default:
			return -1
		}
	})
	return servers
}

// note remembers whether a server works, and tells the log when that changes.
func (l *LDAP) note(s server, err error) {
	l.mu.Lock()
	_, was := l.failed[s.url]
	if err == nil {
		delete(l.failed, s.url)
	} else {
		l.failed[s.url] = time.Now()
	}
	l.mu.Unlock()
	switch {
	case err != nil && !was:
		l.config.Log.Warn("a directory server does not work", "server", s.address, "error", err)
	case err == nil && was:
		l.config.Log.Info("a directory server works again", "server", s.address)
	}
}
