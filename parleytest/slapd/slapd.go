//go:build linux

// Package slapd runs OpenLDAP for tests, as a process of the test's own: real
// TLS, real password policy, real replication to listeners.
//
// It decides nothing about what a test asks the server for, and leaves nothing
// running behind a test.
package slapd

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/parleytest/certs"
	"parley/parleytest/ldapclient"
	"parley/parleytest/org"
)

// Base is the DN that everything stands below, if Options do not say another.
const Base = "dc=example,dc=test"

// startTime is how long the server may take to answer.
const startTime = 20 * time.Second

// Options say what a server holds and how it is set up. The zero value is an
// empty directory.
type Options struct {
	Base   string
	People int       // so many of package org
	Photos int       // every so many have one
	LDIF   io.Reader // instead of People: what to load

	SizeLimit  int  // entries of a search without pages; 0: 500
	NoPages    bool // the limit holds for pages, too
	NoSyncrepl bool

	Authority   *certs.Authority // nil: one of its own
	Certificate string           // with Key: the files of its certificate; empty: one for 127.0.0.1 and localhost
	Key         string
}

// Server is a running slapd.
type Server struct {
	*ldapclient.Client // as the account that may do everything

	Base     string
	URL      string // ldap://
	TLSURL   string // ldaps://
	CA       string // file with the authority's certificate
	Roots    *x509.CertPool
	Admin    string // DN of the account that may do everything
	Password string // its password

	t       testing.TB
	dir     string
	process *exec.Cmd
	said    *bytes.Buffer
	ended   chan error
}

// Start starts a server that ends with the test. Without slapd on the machine the
// test is skipped, unless PARLEY_CI says that there has to be one.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	for _, program := range []string{"slapd", "slapadd"} {
		if _, err := os.Stat(sbin(program)); err != nil {
			if os.Getenv("PARLEY_CI") != "" {
				t.Fatalf("%s is not installed; run test/install.sh", program)
			}
			t.Skip("OpenLDAP is not installed; on Debian: apt-get install slapd")
		}
	}
	if o.Base == "" {
		o.Base = Base
	}
	authority := o.Authority
	if authority == nil {
		authority = certs.New(t)
	}
	if o.Certificate == "" {
		o.Certificate, o.Key = authority.Issue(t, "127.0.0.1", "localhost")
	}
	s := &Server{
		Base: o.Base, CA: authority.File, Roots: authority.Roots, Admin: "cn=admin," + o.Base, Password: "admin secret",
		URL: "ldap://" + freeAddress(t), TLSURL: "ldaps://" + freeAddress(t), t: t, dir: t.TempDir(),
	}
	s.Client = ldapclient.New(t, s.URL, nil, s.Admin, s.Password)
	s.configure(o)
	s.load(o)
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// sbin is where Debian keeps the programs, out of PATH.
func sbin(program string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	return "/usr/sbin/" + program
}

// freeAddress is an address that nobody listens on right now.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// settings is slapd.conf. limits must stand behind database: before it they are
// passed over without a word.
const settings = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
moduleload memberof
moduleload ppolicy
moduleload refint
pidfile DIR/slapd.pid
argsfile DIR/slapd.args
TLSCACertificateFile AUTHORITY
TLSCertificateFile CERTIFICATE
TLSCertificateKeyFile KEY
sizelimit LIMIT
loglevel none
database mdb
suffix "BASE"
rootdn "cn=admin,BASE"
rootpw "admin secret"
directory DIR/db
limits * size.soft=LIMIT size.hard=LIMIT size.pr=PAGE size.prtotal=PAGES
maxsize 4294967296
dbnosync
index objectClass,entryCSN,entryUUID eq
index modifyTimestamp eq
index uid,mail,cn,sn,givenName,displayName eq,sub
index manager,member eq
access to attrs=userPassword by anonymous auth by self write by * none
access to * by * read
SYNCPROV
overlay memberof
overlay refint
refint_attributes member manager
overlay ppolicy
ppolicy_default "cn=default,ou=Policies,BASE"
ppolicy_use_lockout
`

func (s *Server) configure(o Options) {
	s.t.Helper()
	limit, page, pages, syncprov := "500", "1000", "unlimited", "overlay syncprov\nsyncprov-checkpoint 100 10\nsyncprov-sessionlog 100000"
	if o.SizeLimit > 0 {
		limit = fmt.Sprint(o.SizeLimit)
	}
	if o.NoPages {
		pages = "disabled"
	}
	if o.NoSyncrepl {
		syncprov = ""
	}
	text := strings.NewReplacer("DIR", s.dir, "AUTHORITY", s.CA, "CERTIFICATE", o.Certificate, "KEY", o.Key,
		"BASE", s.Base, "LIMIT", limit, "PAGES", pages, "PAGE", page, "SYNCPROV", syncprov).Replace(settings)
	if err := os.WriteFile(s.settings(), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(s.dir, "db"), 0o700); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) settings() string { return filepath.Join(s.dir, "slapd.conf") }

// load fills the directory before the server starts, which is quicker than asking
// it to.
func (s *Server) load(o Options) {
	s.t.Helper()
	in := o.LDIF
	if in == nil {
		var b bytes.Buffer
		if err := org.WriteLDIF(&b, org.Options{People: o.People, Base: s.Base, Photos: o.Photos}); err != nil {
			s.t.Fatal(err)
		}
		in = &b
	}
	load := exec.Command(sbin("slapadd"), "-q", "-w", "-f", s.settings())
	load.Stdin = in
	if said, err := load.CombinedOutput(); err != nil {
		s.t.Fatalf("slapadd: %v\n%s", err, said)
	}
}

// LoadAnew puts other entries in the place of all that the server holds. It does
// not run meanwhile.
func (s *Server) LoadAnew(o Options) {
	s.t.Helper()
	db := filepath.Join(s.dir, "db")
	if err := os.RemoveAll(db); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Mkdir(db, 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.load(o)
}

// Restart starts the server after Stop, at its former addresses.
func (s *Server) Restart() {
	s.t.Helper()
	s.said = &bytes.Buffer{}
	host := func(u string) string {
		parsed, err := url.Parse(u)
		if err != nil {
			s.t.Fatal(err)
		}
		return parsed.Host
	}
	s.process = exec.Command(sbin("slapd"), "-d", "0", "-f", s.settings(), "-h", s.URL+" "+s.TLSURL)
	s.process.Stdout, s.process.Stderr = s.said, s.said
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // the test may end without its clean-up
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan error, 1)
	go func(process *exec.Cmd, ended chan error) { ended <- process.Wait() }(s.process, s.ended)
	s.await(host(s.URL))
}

// await waits until the server takes connections.
func (s *Server) await(address string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case err := <-s.ended:
			s.ended <- err
			s.t.Fatalf("slapd ended: %v\n%s", err, s.said)
		case <-ctx.Done():
			s.t.Fatalf("slapd does not answer: %v\n%s", err, s.said)
		case <-again.C:
		}
	}
}

// Stop ends the server. What it holds stays. Stopping one that has ended does
// nothing.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	s.process.Process.Signal(syscall.SIGTERM) // an error says that it has ended
	select {
	case err := <-s.ended:
		s.ended <- err
	case <-time.After(10 * time.Second):
		s.process.Process.Kill()
		<-s.ended
		s.t.Error("slapd does not end by itself")
	}
	s.process = nil
}

// Export is everything that the server holds, for another one that is to be its
// copy.
func (s *Server) Export() io.Reader {
	s.t.Helper()
	out, err := exec.Command(sbin("slapcat"), "-f", s.settings()).Output()
	if err != nil {
		s.t.Fatalf("slapcat: %v", err)
	}
	return bytes.NewReader(out)
}

// Policy sets the password policy of everybody: attributes of pwdPolicy.
func (s *Server) Policy(attributes map[string]string) {
	s.t.Helper()
	s.Add("ou=Policies,"+s.Base, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"Policies"}})
	entry := map[string][]string{"objectClass": {"device", "pwdPolicy"}, "cn": {"default"}, "pwdAttribute": {"userPassword"}}
	for name, value := range attributes {
		entry[name] = []string{value}
	}
	s.Add("cn=default,ou=Policies,"+s.Base, entry)
}
