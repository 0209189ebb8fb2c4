//go:build linux

package server_test

import (
	"strings"
	"testing"
	"time"

	"parley"
	"parley/edge/webapi"
	"parley/parleytest"
	"parley/parleytest/certs"
	"parley/parleytest/org"
	"parley/parleytest/samba"
	"parley/parleytest/slapd"
	"parley/server"
)

// inOpenLDAP lets a server use an OpenLDAP directory.
func inOpenLDAP(servers ...*slapd.Server) func(*server.Config) {
	return func(c *server.Config) {
		s := servers[0]
		c.LDAP.Servers = nil
		for _, s := range servers {
			c.LDAP.Servers = append(c.LDAP.Servers, s.URL)
		}
		c.LDAP.CA, c.LDAP.BindDN, c.LDAP.BindPassword = s.CA, s.Admin, parley.Secret(s.Password)
		c.LDAP.Domain, c.LDAP.PasswordURL = "EXAMPLE", "https://password.example.test"
	}
}

// inActiveDirectory lets a server use a domain.
func inActiveDirectory(s *samba.Server) func(*server.Config) {
	return func(c *server.Config) {
		c.LDAP.Servers, c.LDAP.CA, c.LDAP.BindDN, c.LDAP.BindPassword = []string{s.TLSURL}, s.CA, s.Admin, parley.Secret(s.Password)
	}
}

// aDirectoryOffice is a server of an organisation whose people are in a directory.
// Whoever signs in before they are read is taken over then.
func aDirectoryOffice(t *testing.T, domain string, change ...func(*server.Config)) *parleytest.World {
	t.Helper()
	return parleytest.Start(t, append(change, parleytest.Organisation(domain), behindProxy)...)
}

// answers wants a sign-in to be answered with a status and a refusal.
func answers(t *testing.T, w *parleytest.World, who, password string, status int, key string) parleytest.Answer {
	t.Helper()
	got := signIn(w, "192.0.2.1", who, password)
	if got.Status != status || got.Problem().Key != key {
		t.Errorf("%q is answered %d %s, want %d %s", who, got.Status, got.Body, status, key)
	}
	return got
}

// claim: AC1
func TestAC1SignInWithOpenLDAP(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 12})
	people := org.People(org.Options{People: 12, Base: s.Base})
	soren := people[org.Soren]
	w := aDirectoryOffice(t, "example.test", inOpenLDAP(s))

	for _, name := range []string{soren.Mail, " Soren.Angstroem@EXAMPLE.test", soren.Login, `EXAMPLE\` + soren.Login, people[org.Special].Mail} {
		answers(t, w, name, org.Password, 200, "")
	}
	wrong := answers(t, w, soren.Mail, "not the password", 401, "sign-in.wrong")
	for _, name := range []string{"nobody@example.test", "nobody", `EXAMPLE\nobody`, `OTHER\` + soren.Login, "u000001*@example.test", "*"} {
		if got := signIn(w, "192.0.2.2", name, org.Password); got.Signature() != wrong.Signature() {
			t.Errorf("%q is answered\n%s\nunlike a wrong password\n%s", name, got.Signature(), wrong.Signature())
		}
	}
	for _, name := range []string{"*)(uid=*", `\`, `EXAMPLE\*`, "u0000\x0001", `EXAMPLE\` + strings.Repeat("u", 400)} {
		if got := signIn(w, "192.0.2.3", name, org.Password); got.Status != 422 {
			t.Errorf("%q is answered %d %s", name, got.Status, got.Body)
		}
	}
	if got := signIn(w, "192.0.2.4", soren.Mail, ""); got.Status != 422 {
		t.Errorf("no password is answered %d %s", got.Status, got.Body)
	}
	for _, secret := range []string{org.Password, "not the password", s.Password} {
		if w.Logged(secret) || len(w.Holds(secret)) > 0 {
			t.Errorf("the server's log or files hold a password")
		}
	}
}

// What the directory's password policy says, and a password that is changed there.
//
// claim: AC1
func TestAC1DirectoryPasswordPolicy(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 8})
	people := org.People(org.Options{People: 8, Base: s.Base})
	s.Policy(map[string]string{"pwdLockout": "TRUE", "pwdMaxFailure": "3", "pwdLockoutDuration": "600", "pwdMustChange": "TRUE"})
	w := aDirectoryOffice(t, "example.test", inOpenLDAP(s))

	locked := people[3]
	var wrong parleytest.Answer
	for range 3 {
		wrong = answers(t, w, locked.Mail, "not the password", 401, "sign-in.wrong")
	}
	if got := signIn(w, "192.0.2.1", locked.Mail, org.Password); got.Signature() != wrong.Signature() {
		t.Errorf("somebody locked, with the right password, is answered\n%s", got.Signature())
	}
	phone := parleytest.SignIn(t, w.Base, parleytest.SignInAs(people[4].Mail, org.Password)).Online()
	s.Set(people[4].DN, "userPassword", "another password")
	answers(t, w, people[4].Mail, "another password", 403, "sign-in.password-must-change")
	s.Set(people[4].DN, "pwdReset")
	answers(t, w, people[4].Mail, "another password", 200, "")
	answers(t, w, people[4].Mail, org.Password, 401, "sign-in.wrong")
	if answer := phone.Ask("GET", "/api/session", nil); answer.Status != 200 {
		t.Errorf("the device of before is answered %d", answer.Status)
	}
}

// claim: AC1
func TestAC1SignInWithActiveDirectory(t *testing.T) {
	s := samba.Start(t, samba.Options{People: 40, Photos: 10})
	people := org.People(org.Options{People: 40, Base: samba.Base, AD: true})
	w := aDirectoryOffice(t, samba.Realm, inActiveDirectory(s))
	login := func(i int) string { return people[i].Login + "@" + samba.Realm }
	s.Disable(people[3].Login, true)
	s.MustChange(people[4].Login)
	s.Expire(people[5].Login)
	s.NoHours(people[6].Login)
	s.OnlyAt(people[7].Login, "PC1")
	s.ExpirePassword(people[8].Login)
	s.Lock(people[9].Login)
	soren := people[org.Soren]
	for _, name := range []string{login(org.Soren), soren.Mail, soren.Login, samba.Domain + `\` + soren.Login, login(org.Special)} {
		answers(t, w, name, org.Password, 200, "")
	}
	for i, key := range map[int]string{
		3: "sign-in.disabled", 4: "sign-in.password-must-change", 5: "sign-in.account-expired", 6: "sign-in.hours",
		7: "sign-in.workstation", 8: "sign-in.password-expired",
	} {
		answers(t, w, login(i), org.Password, 403, key)
	}
	wrong := answers(t, w, login(org.Soren), "not the password", 401, "sign-in.wrong")
	for i := 3; i <= 9; i++ {
		password := "not the password"
		if i == 9 { // locked
			password = org.Password
		}
		if got := signIn(w, "192.0.2.1", login(i), password); got.Signature() != wrong.Signature() {
			t.Errorf("%d is answered\n%s\nunlike a wrong password\n%s", i, got.Signature(), wrong.Signature())
		}
	}
	s.SetPassword(people[10].Login, "An0ther one")
	answers(t, w, login(10), org.Password, 401, "sign-in.wrong")
	answers(t, w, login(10), "An0ther one", 200, "")
}

// While the directory is down nobody is signed out, people of this server sign in,
// and whoever needs the directory is told so.
//
// claim: AC1
func TestAC1DirectoryDown(t *testing.T) {
	authority := certs.New(t)
	first := slapd.Start(t, slapd.Options{People: 6, Authority: authority})
	second := slapd.Start(t, slapd.Options{LDIF: first.Export(), Authority: authority})
	people := org.People(org.Options{People: 6, Base: first.Base})
	w := aDirectoryOffice(t, "example.test", inOpenLDAP(first, second))
	ann, bob := people[1], people[2]
	annsPhone := parleytest.SignIn(t, w.Base, parleytest.SignInAs(ann.Mail, org.Password)).Online()
	bobsPhone := parleytest.SignIn(t, w.Base, parleytest.SignInAs(bob.Mail, org.Password)).Online()

	first.Stop()
	answers(t, w, ann.Mail, org.Password, 200, "") // by the second
	answers(t, w, ann.Mail, "not the password", 401, "sign-in.wrong")
	second.Stop()
	answers(t, w, ann.Mail, org.Password, 503, "sign-in.directory-unreachable")
	answers(t, w, ann.Mail, "not the password", 503, "sign-in.directory-unreachable")
	answers(t, w, "nobody@example.test", org.Password, 503, "sign-in.directory-unreachable")
	annsPhone.Say(bobsPhone, "the directory is down")
	bobsPhone.Hears(annsPhone, "the directory is down")
	first.Restart()
	answers(t, w, ann.Mail, org.Password, 200, "")
	annsPhone.Say(bobsPhone, "and up again")
	bobsPhone.Hears(annsPhone, "and up again")
}

// A password of the directory is changed there, and the app is told where.
//
// claim: AC1
func TestAC1DirectoryPasswordsAreNotHere(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 3})
	soren := org.People(org.Options{People: 3, Base: s.Base})[org.Soren]
	w := aDirectoryOffice(t, "example.test", inOpenLDAP(s))
	phone := parleytest.SignIn(t, w.Base, parleytest.SignInAs(soren.Mail, org.Password))
	got := phone.Ask("PUT", "/api/me/password", webapi.ChangePasswordRequest{Current: org.Password, Password: "a password of this server"})
	if got.Status != 409 || got.Problem().Key != "password.in-directory" {
		t.Errorf("changing it is answered %d %s", got.Status, got.Body)
	}
	control := w.Control()
	defer control.Close()
	if err := control.SetPassword(t.Context(), soren.Mail, "a password of this server"); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("the command line says %v", err)
	}
	if _, err := control.Invite(t.Context(), soren.Mail); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("the command line says %v", err)
	}
	forgotten := func(address string) string {
		return w.Ask("POST", "/api/password/forgotten", webapi.ForgottenRequest{Address: address}).Signature()
	}
	if forgotten(soren.Mail) != forgotten("nobody@example.test") {
		t.Error("a forgotten password of the directory is answered otherwise than one of nobody")
	}
	var about webapi.About
	w.Ask("GET", "/api/about", nil).Into(t, &about)
	if about.PasswordURL != "https://password.example.test" {
		t.Errorf("passwords are said to be changed at %q", about.PasswordURL)
	}
	for _, name := range []string{soren.Mail, `EXAMPLE\` + soren.Login, soren.Login} {
		var found webapi.Discovered
		w.Ask("POST", "/api/discover", webapi.DiscoverRequest{Address: name}).Into(t, &found)
		if found.Where != "here" {
			t.Errorf("%q signs in %s", name, found.Where)
		}
	}
}

// claim: AC1
func TestAC1DirectoryCertificateIsChecked(t *testing.T) {
	authority := certs.New(t)
	certificate, key := authority.IssueUntil(t, time.Now().Add(-time.Hour), "127.0.0.1")
	s := slapd.Start(t, slapd.Options{People: 3, Authority: authority, Certificate: certificate, Key: key})
	soren := org.People(org.Options{People: 3, Base: s.Base})[org.Soren]
	w := aDirectoryOffice(t, "example.test", inOpenLDAP(s))
	answers(t, w, soren.Mail, org.Password, 503, "sign-in.directory-unreachable")
	if !w.Logged("certificate has expired") {
		t.Error("the log does not say why")
	}
}
