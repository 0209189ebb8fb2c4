package server

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"

	"parley/account"
	"parley/edge/addressbook"
)

// check looks at what values mean together, once each by itself is of the right
// form.
func (r *reading) check() {
	c := &r.config
	r.checkAddress("addr", c.Addr)
	r.fails("data", c.Data == "", "missing; name the folder for the server's data")
	r.checkURL("public_url", c.PublicURL)
	r.fails("public_url", strings.Count(c.PublicURL, "/") > 2, "%q has a path; give only scheme and host", c.PublicURL)
	r.checkOrganisation()
	r.checkURL("operator.privacy_url", c.Operator.PrivacyURL)
	r.fails("operator.name", c.Operator.Name == "" && (c.Operator.Contact != "" || c.Operator.PrivacyURL != ""),
		"missing; a contact or privacy statement needs the operator's name")
	r.checkAdministrators()
	r.checkTLS()
	r.checkDatabase()
	r.checkAddressBooks()
	r.checkLDAP()
	if c.Metrics.Listen != "" {
		r.checkAddress("metrics.listen", c.Metrics.Listen)
		r.fails("metrics.listen", c.Metrics.Listen == c.Addr, "is the address of addr; leave it empty to serve figures there")
	}
	r.fails("metrics.profiles", c.Metrics.Profiles && !onLoopback(c.Metrics.Listen),
		"needs metrics.listen on a loopback address such as 127.0.0.1:9090")
	r.fails("metrics.token", c.Metrics.Token != "" && len(c.Metrics.Token) < 16, "too short; at least 16 characters")
}

func (r *reading) checkAddressBooks() {
	seen := map[string]bool{}
	for _, text := range r.config.AddressBook.Servers {
		s, err := addressbook.ParseServer(text)
		if err != nil {
			r.fails("address_book.servers", true, "%q %v", text, err)
			continue
		}
		r.fails("address_book.servers", seen[s.URL.String()], "%q stands there twice", s.URL)
		seen[s.URL.String()] = true
	}
}

// fails notes a problem with key if it is one.
func (r *reading) fails(key string, wrong bool, format string, args ...any) {
	if wrong {
		r.problem(r.where(key), key, format, args...)
	}
}

func (r *reading) checkAddress(key, address string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		r.fails(key, true, "%q is no address and port such as 127.0.0.1:8080 or :443", address)
		return
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		r.fails(key, true, "port %q is no number from 0 to 65535", port)
	}
	_, err = netip.ParseAddr(host)
	r.fails(key, host != "" && err != nil && !isHost(host), "%q is no address of this machine", host)
}

// onLoopback reports whether an address to listen on can be reached from this
// machine alone.
func onLoopback(address string) bool {
	addr, err := netip.ParseAddrPort(address)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

func (r *reading) checkURL(key, text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	r.fails(key, err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil,
		"%q is no URL such as https://parley.example.com", text)
}

func (r *reading) checkOrganisation() {
	o := &r.config.Organisation
	if r.config.Demo {
		return
	}
	r.fails("organisation.name", o.Name == "", "missing; give the name of the organisation")
	r.fails("organisation.name", len(o.Name) > 200, "too long; at most 200 bytes")
	r.fails("organisation.domains", len(o.Domains) == 0, "missing; give the domains of the sign-in addresses")
	for i, domain := range o.Domains {
		o.Domains[i] = strings.ToLower(domain)
		_, err := account.NormalDomain(domain)
		r.fails("organisation.domains", err != nil || !isHost(domain), "%q is no domain such as example.com", domain)
		r.fails("organisation.domains", slices.Contains(o.Domains[:i], o.Domains[i]), "%q stands there twice", domain)
	}
	o.DefaultDomain = strings.ToLower(o.DefaultDomain)
	if o.DefaultDomain == "" && len(o.Domains) > 0 {
		o.DefaultDomain = o.Domains[0]
	}
	r.fails("organisation.default_domain", !slices.Contains(o.Domains, o.DefaultDomain) && len(o.Domains) > 0,
		"%q is none of organisation.domains", o.DefaultDomain)
	r.fails("organisation.region", o.Region == "", "missing; give the country as two letters, such as GB")
	o.Region = strings.ToUpper(o.Region)
	r.fails("organisation.region", o.Region != "" && phonenumbers.GetCountryCodeForRegion(o.Region) == 0,
		"%q is no country of ISO 3166, such as GB or DE", o.Region)
}

// checkAdministrators brings the addresses to the form in which people have them.
func (r *reading) checkAdministrators() {
	c := &r.config
	for i, address := range c.Administrators {
		normal, err := account.NormalAddress(address)
		if err != nil {
			r.fails("administrators", true, "%q is no sign-in address such as ann@example.com", address)
			continue
		}
		_, domain, _ := strings.Cut(normal, "@")
		served := slices.ContainsFunc(c.Organisation.Domains, func(d string) bool {
			normal, err := account.NormalDomain(d)
			return err == nil && normal == domain
		})
		r.fails("administrators", !c.Demo && !served, "%q has a domain that is none of organisation.domains", address)
		c.Administrators[i] = normal
	}
}

func (r *reading) checkTLS() {
	t := &r.config.TLS
	r.fails("tls.mode", r.config.LAN && t.Mode != TLSOff, "must be off with --lan, which makes its own certificate")
	switch t.Mode {
	case TLSFiles:
		r.fails("tls.cert", t.Cert == "", "missing; tls.mode files needs a certificate")
		r.fails("tls.key", t.Key == "", "missing; tls.mode files needs a key")
		if t.Cert != "" && t.Key != "" {
			_, err := tls.LoadX509KeyPair(t.Cert, t.Key)
			r.fails("tls.cert", err != nil, "not a certificate and its key: %v", err)
		}
	case TLSACME:
		r.checkACME()
	default:
		r.fails("tls.cert", t.Cert != "", "has no effect while tls.mode is %s; set it to files", t.Mode)
		r.fails("tls.hosts", len(t.Hosts) > 0, "has no effect while tls.mode is %s; set it to acme", t.Mode)
	}
}

func (r *reading) checkACME() {
	t := &r.config.TLS
	_, err := mail.ParseAddress(t.Email)
	r.fails("tls.email", err != nil, "%q is no mail address; tls.mode acme needs one", t.Email)
	if len(t.Hosts) == 0 && r.config.PublicURL != "" {
		if u, err := url.Parse(r.config.PublicURL); err == nil {
			t.Hosts = []string{u.Hostname()}
		}
	}
	r.fails("tls.hosts", len(t.Hosts) == 0, "missing; tls.mode acme needs host names here or a public_url")
	r.checkURL("tls.ca", t.CA)
	for _, host := range t.Hosts {
		_, err := netip.ParseAddr(host)
		r.fails("tls.hosts", err == nil || !isHost(host) || !strings.Contains(host, "."),
			"%q is no public host name such as parley.example.com", host)
	}
	if t.HTTP != "" {
		r.checkAddress("tls.http", t.HTTP)
		r.fails("tls.http", t.HTTP == r.config.Addr, "is the address of addr")
	}
}

// isHost reports whether s is a host name or domain (RFC 1123 §2.1), also one in
// another script.
func isHost(s string) bool {
	ascii, err := idna.Lookup.ToASCII(s)
	return err == nil && ascii != "" && len(ascii) <= 253
}

// baseURL is how people reach the server when public_url does not say it.
func (c *Config) baseURL(bound net.Addr) string {
	if c.PublicURL != "" {
		return strings.TrimSuffix(c.PublicURL, "/")
	}
	scheme := "http"
	if c.TLS.Mode != TLSOff {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(bound.String())
	if err != nil {
		return scheme + "://" + bound.String()
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
	}
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		return fmt.Sprintf("%s://%s", scheme, host)
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(host, port))
}
