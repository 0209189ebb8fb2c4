//go:build linux

package samba

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"parley/parleytest/org"
)

// DN finds the entry of an account by its name.
func (s *Server) DN(login string) string {
	s.t.Helper()
	conn := s.Conn()
	defer conn.Close()
	found, err := conn.Search(ldap.NewSearchRequest(s.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(sAMAccountName="+ldap.EscapeFilter(login)+")", []string{"1.1"}, nil))
	if err != nil || len(found.Entries) != 1 {
		s.t.Fatalf("looking for %s: %v, %v", login, found, err)
	}
	return found.Entries[0].DN
}

// SetPassword gives an account another password.
func (s *Server) SetPassword(login, password string) {
	s.t.Helper()
	s.Set(s.DN(login), "unicodePwd", org.UnicodePassword(password))
}

// Disable shuts an account, or opens it again.
func (s *Server) Disable(login string, disabled bool) {
	s.t.Helper()
	control := "512"
	if disabled {
		control = "514"
	}
	s.Set(s.DN(login), "userAccountControl", control)
}

// MustChange says that the account needs another password before anything else.
func (s *Server) MustChange(login string) { s.t.Helper(); s.Set(s.DN(login), "pwdLastSet", "0") }

// Expire ends an account, in 2019.
func (s *Server) Expire(login string) {
	s.t.Helper()
	s.Set(s.DN(login), "accountExpires", "132000000000000000")
}

// NoHours allows an account no hour of the week.
func (s *Server) NoHours(login string) {
	s.t.Helper()
	s.Set(s.DN(login), "logonHours", string(make([]byte, 21)))
}

// OnlyAt allows an account one machine.
func (s *Server) OnlyAt(login, workstation string) {
	s.t.Helper()
	s.Set(s.DN(login), "userWorkstations", workstation)
}

// ExpirePassword makes an account's password too old. That cannot be written over
// LDAP, so it is written into the database of the running server, with Samba's own
// control for it.
func (s *Server) ExpirePassword(login string) {
	s.t.Helper()
	dn := s.DN(login)
	s.Set(s.Base, "maxPwdAge", "-36288000000000") // 42 days; less than one counts as never
	change := filepath.Join(s.dir, "password.ldif")
	text := fmt.Sprintf("dn:: %s\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: 130000000000000000\n\n", base64.StdEncoding.EncodeToString([]byte(dn)))
	if err := os.WriteFile(change, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := run("ldbmodify", "-H", filepath.Join(s.dir, "private", "sam.ldb"), "--controls=local_oid:1.3.6.1.4.1.7165.4.3.20:1", change); err != nil {
		s.t.Fatal(err)
	}
}

// Lock tries wrong passwords until the account is locked, which is after three
// from then on, for every account.
func (s *Server) Lock(login string) {
	s.t.Helper()
	for attribute, value := range map[string]string{
		"lockoutThreshold": "3", "lockoutDuration": "-18000000000", "lockOutObservationWindow": "-18000000000",
	} {
		s.Set(s.Base, attribute, value)
	}
	for range 3 {
		if s.Bind(login, "wrong password") == nil {
			s.t.Fatal("a wrong password is right")
		}
	}
}

// Bind tries a password and returns the directory's own answer.
func (s *Server) Bind(login, password string) error {
	s.t.Helper()
	conn := s.Conn()
	defer conn.Close()
	return conn.Bind(login+"@"+strings.ToLower(Realm), password)
}
