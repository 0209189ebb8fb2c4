//go:build linux

// Package samba runs Samba as an Active Directory domain controller for tests, as
// a process of the test's own: real sub-codes of a refused bind, real DirSync,
// real objectGUIDs.
//
// It decides nothing about what a test asks the server for, and leaves nothing
// running behind a test. What takes long, making the domain, is kept in the
// folder for temporary files and copied.
package samba

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/parleytest/certs"
	"parley/parleytest/ldapclient"
)

// What every domain is called.
const (
	Base   = "DC=ad,DC=example,DC=test"
	Realm  = "ad.example.test"
	Domain = "ADTEST" // of DOMAIN\name

	adminName     = "administrator@" + Realm
	adminPassword = "Passw0rd!"
	host          = "dc1"
)

// startTime is how long the server may take to answer.
const startTime = time.Minute

// Options say what a domain holds. The zero value is an empty one.
type Options struct {
	People int // so many of package org
	Photos int // every so many have one

	Authority *certs.Authority // nil: one of its own
}

// Server is a running domain controller.
type Server struct {
	*ldapclient.Client // as the domain's administrator

	Base     string
	IP       string // on which it listens, and nobody else
	URL      string // ldap://
	TLSURL   string // ldaps://
	CA       string // file with the authority's certificate
	Roots    *x509.CertPool
	Admin    string // name of the domain's administrator
	Password string // that account's

	t       testing.TB
	dir     string
	process *exec.Cmd
	said    *bytes.Buffer
	ended   chan error
}

// Start starts a domain controller that ends with the test. It needs root, for
// its ports, and Samba; without them the test is skipped, unless PARLEY_CI says
// that they have to be there.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if missing := lacks(); missing != "" {
		if os.Getenv("PARLEY_CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	from, err := template(o)
	if err != nil {
		t.Fatal(err)
	}
	authority := o.Authority
	if authority == nil {
		authority = certs.New(t)
	}
	ip := freeAddress(t)
	s := &Server{
		Base: Base, IP: ip, URL: "ldap://" + ip, TLSURL: "ldaps://" + ip, CA: authority.File, Roots: authority.Roots,
		Admin: adminName, Password: adminPassword, t: t, dir: filepath.Join(t.TempDir(), "domain"),
	}
	s.Client = ldapclient.New(t, s.TLSURL, s.Roots, s.Admin, s.Password)
	if out, err := exec.Command("cp", "-a", from, s.dir).CombinedOutput(); err != nil {
		t.Fatalf("copying the domain: %v\n%s", err, out)
	}
	certificate, key := authority.Issue(t, ip, host+"."+Realm)
	s.configure(certificate, key)
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// lacks says what is missing; empty: nothing.
func lacks() string {
	for program, pack := range map[string]string{"samba": "samba", "samba-tool": "samba", "ldbadd": "ldb-tools", "ldbmodify": "ldb-tools"} {
		if _, err := exec.LookPath(program); err != nil {
			if _, err := os.Stat("/usr/sbin/" + program); err != nil {
				return "Samba's " + program + " is not installed; on Debian: apt-get install samba samba-dsdb-modules samba-ad-provision " + pack
			}
		}
	}
	if _, err := os.Stat("/usr/share/samba/setup"); err != nil {
		return "Samba cannot make a domain; on Debian: apt-get install samba-ad-provision"
	}
	if os.Geteuid() != 0 {
		return "Samba serves Active Directory on ports that only root may use; run the tests as root"
	}
	return ""
}

// freeAddress finds an address of this machine on which nobody serves LDAP.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		var b [3]byte
		rand.Read(b[:])
		ip := fmt.Sprintf("127.%d.%d.%d", 100+b[0]%100, b[1], 1+b[2]%250)
		l, err := net.Listen("tcp", ip+":389")
		if err == nil {
			l.Close()
			return ip
		}
	}
	t.Fatal("no address of this machine can be listened on at port 389")
	return ""
}

// settings is smb.conf. Only what is needed for LDAP serves, on one address. By
// default a password that was changed works for another hour, as in Windows.
const settings = `[global]
	netbios name = DC1
	realm = REALM
	workgroup = DOMAIN
	server role = active directory domain controller
	server services = ldap, cldap, kdc
	interfaces = IP/8
	bind interfaces only = yes
	private dir = DIR/private
	state directory = DIR/state
	cache directory = DIR/cache
	lock directory = DIR
	pid directory = DIR
	ncalrpc dir = DIR/ncalrpc
	disable netbios = yes
	load printers = no
	printing = bsd
	ldap server require strong auth = no
	tls cafile = AUTHORITY
	tls certfile = CERTIFICATE
	tls keyfile = KEY
	old password allowed period = 0
	log level = 0
`

func (s *Server) configure(certificate, key string) {
	s.t.Helper()
	text := strings.NewReplacer("REALM", strings.ToUpper(Realm), "DOMAIN", Domain, "IP", s.IP, "DIR", s.dir,
		"AUTHORITY", s.CA, "CERTIFICATE", certificate, "KEY", key).Replace(settings)
	if err := os.WriteFile(s.settings(), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) settings() string { return filepath.Join(s.dir, "etc", "smb.conf") }

// Restart starts the server after Stop, at its former address.
func (s *Server) Restart() {
	s.t.Helper()
	s.said = &bytes.Buffer{}
	s.process = exec.Command("/usr/sbin/samba", "-i", "-M", "single", "--debug-stdout", "-s", s.settings())
	s.process.Stdout, s.process.Stderr = s.said, s.said
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM} // the test may end without its clean-up
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan error, 1)
	go func(process *exec.Cmd, ended chan error) { ended <- process.Wait() }(s.process, s.ended)
	s.await()
}

// await waits until the server takes connections, with TLS, too.
func (s *Server) await() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var err error
		for _, port := range []string{"389", "636"} {
			var conn net.Conn
			if conn, err = net.DialTimeout("tcp", s.IP+":"+port, time.Second); err != nil {
				break
			}
			conn.Close()
		}
		if err == nil {
			return
		}
		select {
		case err := <-s.ended:
			s.ended <- err
			s.t.Fatalf("samba ended: %v\n%s", err, s.said)
		case <-ctx.Done():
			s.t.Fatalf("samba does not answer: %v\n%s", err, s.said)
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
	group := -s.process.Process.Pid
	syscall.Kill(group, syscall.SIGTERM) // an error says that it has ended
	select {
	case err := <-s.ended:
		s.ended <- err
	case <-time.After(10 * time.Second):
		syscall.Kill(group, syscall.SIGKILL)
		<-s.ended
		s.t.Error("samba does not end by itself")
	}
	s.process = nil
}
