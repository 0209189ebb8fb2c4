//go:build linux

package directory

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley"
	"parley/parleytest/certs"
	"parley/parleytest/org"
	"parley/parleytest/slapd"
)

func noDial(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no network") }

// reach is the directory of a slapd, over StartTLS.
func reach(t *testing.T, s *slapd.Server, change ...func(*LDAPConfig)) *LDAP {
	t.Helper()
	c := LDAPConfig{
		Servers: []string{s.URL}, StartTLS: true, RootCAs: s.Roots, BindDN: s.Admin, BindPassword: parley.Secret(s.Password),
		Mapping: DefaultMapping("example.test"), Dial: (&net.Dialer{}).DialContext,
	}
	for _, f := range change {
		f(&c)
	}
	l, err := NewLDAP(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// says checks what the directory says of a login and a password.
func says(t *testing.T, l *LDAP, login, password string, want Outcome) Verdict {
	t.Helper()
	got, err := l.Authenticate(t.Context(), login, parley.Secret(password))
	if err != nil {
		t.Errorf("%s: %v", login, err)
	} else if got.Outcome != want || want != Wrong && got.SourceID == "" {
		t.Errorf("%s: %v, want %v", login, got.Outcome, want)
	}
	return got
}

func fails(t *testing.T, l *LDAP, login, password string) error {
	t.Helper()
	got, err := l.Authenticate(t.Context(), login, parley.Secret(password))
	if err == nil {
		t.Errorf("%s: %v without an error", login, got)
	}
	return err
}

func TestOpenLDAP(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 20})
	people := org.People(org.Options{People: 20, Base: s.Base})
	soren, special, mailless := people[org.Soren], people[org.Special], people[5]
	s.Set(mailless.DN, "mail")
	s.Set(people[6].DN, "mail", people[7].Mail) // two with one address
	weird := "cn=\\ ,\\+\\\"\\\\\\<\\>\\;=\\#\\20ø\\ ,OU=People," + s.Base
	weird = strings.Replace(weird, "\\ ,", "\\ \\,", 1)
	s.Add(weird, map[string][]string{
		"objectClass": {"inetOrgPerson"}, "cn": {" ,+\"\\<>;=# ø "}, "sn": {"x"}, "uid": {"weird"}, "userPassword": {org.Password},
	})
	for name, l := range map[string]*LDAP{
		"StartTLS":  reach(t, s),
		"ldaps":     reach(t, s, func(c *LDAPConfig) { c.Servers = []string{s.TLSURL} }),
		"plain":     reach(t, s, func(c *LDAPConfig) { c.StartTLS = false }), // to this machine
		"anonymous": reach(t, s, func(c *LDAPConfig) { c.BindDN, c.BindPassword = "", "" }),
		"bases": reach(t, s, func(c *LDAPConfig) {
			c.PeopleBases = []string{"OU=Groups," + s.Base, "OU=People," + s.Base, s.Base, "ou=none,dc=x"}
		}),
		"domain": reach(t, s, func(c *LDAPConfig) { c.Domain = "Example" }),
	} {
		t.Run(name, func(t *testing.T) {
			first := says(t, l, soren.Mail, org.Password, Right)
			if second := says(t, l, " "+strings.ToUpper(soren.Login), org.Password, Right); second != first || !isUUID(first.SourceID) {
				t.Errorf("%v and %v", first, second)
			}
			says(t, l, soren.Login+"@example.test", org.Password, Right)
			says(t, l, special.Mail, org.Password, Right)
			says(t, l, "weird", org.Password, Right)
			says(t, l, mailless.Login, org.Password, Right)
			says(t, l, soren.Mail, "wrong", Wrong)
			says(t, l, soren.Mail, "", Wrong)
			says(t, l, soren.Mail, org.Password+"\x00", Wrong)
			says(t, l, soren.Mail, strings.Repeat("a", 1025), Wrong)
			says(t, l, people[7].Mail, org.Password, Wrong)
			says(t, l, people[7].Login, org.Password, Right)
			says(t, l, "nobody@example.test", org.Password, Wrong)
			want := Wrong
			if name == "domain" {
				want = Right
			}
			says(t, l, `EXAMPLE\`+soren.Login, org.Password, want)
			says(t, l, `OTHER\`+soren.Login, org.Password, Wrong)
			for _, login := range hostileLogins {
				says(t, l, login, org.Password, Wrong)
			}
		})
	}
}

func TestOpenLDAPPasswordPolicy(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 8})
	people := org.People(org.Options{People: 8, Base: s.Base})
	s.Policy(map[string]string{"pwdLockout": "TRUE", "pwdMaxFailure": "3", "pwdLockoutDuration": "600", "pwdMustChange": "TRUE", "pwdMaxAge": "0"})
	l := reach(t, s)
	for range 3 {
		says(t, l, people[3].Login, "wrong", Wrong)
	}
	says(t, l, people[3].Login, org.Password, Wrong) // locked, which nobody is told
	says(t, l, people[4].Login, org.Password, Right)
	s.Set(people[4].DN, "pwdReset", "TRUE")
	says(t, l, people[4].Login, org.Password, MustChange)
	says(t, l, people[4].Login, "wrong", Wrong)
	s.Set(people[5].DN, "userPassword", "another password")
	says(t, l, people[5].Login, org.Password, Wrong)
	s.Set(people[5].DN, "pwdReset")                           // which an administrator's change sets
	s.Set("cn=default,ou=Policies,"+s.Base, "pwdMaxAge", "1") // second
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for range 200 { // people[5] has a password whose age the server knows
		if got, err := l.Authenticate(t.Context(), people[5].Login, "another password"); err != nil || got.Outcome == PasswordExpired {
			break
		}
		<-again.C
	}
	says(t, l, people[5].Login, "another password", PasswordExpired)
	says(t, l, people[5].Login, "wrong", Wrong)
}

// A certificate that proves nothing ends it before a password is sent.
func TestOpenLDAPCertificates(t *testing.T) {
	authority := certs.New(t)
	certificate, key := authority.Issue(t, "ldap.example.test")
	elsewhere := slapd.Start(t, slapd.Options{People: 3, Authority: authority, Certificate: certificate, Key: key})
	certificate, key = authority.IssueUntil(t, time.Now().Add(-time.Hour), "127.0.0.1")
	expired := slapd.Start(t, slapd.Options{People: 3, Authority: authority, Certificate: certificate, Key: key})
	good := slapd.Start(t, slapd.Options{People: 3, Authority: authority})
	for _, secure := range []bool{false, true} {
		over := func(s *slapd.Server) func(*LDAPConfig) {
			return func(c *LDAPConfig) {
				if secure {
					c.Servers = []string{s.TLSURL}
				}
			}
		}
		if err := fails(t, reach(t, elsewhere, over(elsewhere)), "u000001", org.Password); err != nil {
			if _, ok := errors.AsType[x509.HostnameError](err); !ok {
				t.Errorf("another host's: %v", err)
			}
		}
		if err := fails(t, reach(t, expired, over(expired)), "u000001", org.Password); err != nil {
			if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); !ok || invalid.Reason != x509.Expired {
				t.Errorf("expired: %v", err)
			}
		}
		others := func(c *LDAPConfig) { c.RootCAs = certs.New(t).Roots }
		if err := fails(t, reach(t, good, over(good), others), "u000001", org.Password); err != nil {
			if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
				t.Errorf("another authority's: %v", err)
			}
		}
		system := func(c *LDAPConfig) { c.RootCAs = nil }
		fails(t, reach(t, good, over(good), system), "u000001", org.Password)
		says(t, reach(t, good, over(good)), "u000001", org.Password, Right)
	}
}

// No password goes over a connection that others can read, unless the operator
// wants it so.
func TestNoPasswordInTheClear(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 3})
	address := strings.TrimPrefix(s.URL, "ldap://")
	var dialled atomic.Int64
	far := func(c *LDAPConfig) { // the same server under a name of another machine
		c.Servers, c.StartTLS = []string{"ldap://ldap.example.test"}, false
		c.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			dialled.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	}
	if err := fails(t, reach(t, s, far), "u000001", org.Password); !errors.Is(err, ErrPlaintext) {
		t.Error(err)
	}
	anonymous := func(c *LDAPConfig) { c.BindDN, c.BindPassword = "", "" }
	if err := fails(t, reach(t, s, far, anonymous), "u000001", org.Password); !errors.Is(err, ErrPlaintext) {
		t.Error(err)
	}
	says(t, reach(t, s, far, func(c *LDAPConfig) { c.Plaintext = true }), "u000001", org.Password, Right)
	if dialled.Load() == 0 {
		t.Error("the server was never dialled")
	}
}

func TestOpenLDAPFailOver(t *testing.T) {
	authority := certs.New(t)
	first := slapd.Start(t, slapd.Options{People: 3, Authority: authority})
	second := slapd.Start(t, slapd.Options{People: 3, Authority: authority})
	var asked atomic.Int64
	l := reach(t, first, func(c *LDAPConfig) {
		c.Servers = []string{first.URL, second.URL}
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if "ldap://"+address == first.URL {
				asked.Add(1)
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	})
	second.Set("uid=u000001,OU=People,"+second.Base, "userPassword", "on the second server")
	says(t, l, "u000001", org.Password, Right)
	says(t, l, "u000001", "on the second server", Wrong) // an answer is an answer
	first.Stop()
	before := asked.Load()
	says(t, l, "u000001", "on the second server", Right)
	says(t, l, "u000001", org.Password, Wrong)
	if n := asked.Load() - before; n != 1 {
		t.Errorf("the server that is down was tried %d times, want once", n)
	}
	second.Stop()
	fails(t, l, "u000001", org.Password)
	first.Restart()
	says(t, l, "u000001", org.Password, Right)
}

// The account of the configuration being wrong is no verdict about anybody.
func TestOpenLDAPWrongReader(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 3})
	err := fails(t, reach(t, s, func(c *LDAPConfig) { c.BindPassword = "not it" }), "u000001", org.Password)
	if err != nil && strings.Contains(err.Error(), "not it") {
		t.Errorf("the error quotes the password: %v", err)
	}
}

// A server that takes connections and says nothing does not hold anybody for long.
func TestSilentServer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, scheme := range []string{"ldap://", "ldaps://"} {
		l, err := NewLDAP(LDAPConfig{Servers: []string{scheme + silent.Addr().String()}, StartTLS: true, Dial: (&net.Dialer{}).DialContext})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		if _, _, err := l.Dial(ctx); err == nil {
			t.Error("a silent server answers")
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
		cancel()
	}
}
