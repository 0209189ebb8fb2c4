//go:build linux

package server_test

import (
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/parleytest"
	"parley/parleytest/certs"
	"parley/parleytest/org"
	"parley/parleytest/samba"
	"parley/parleytest/slapd"
	"parley/server"
)

// varying is what differs from run to run in what the examination says.
var varying = []struct {
	pattern *regexp.Regexp
	as      string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC`), "THEN"},
	{regexp.MustCompile(`127\.\d+\.\d+\.\d+:\d+`), "HOST:PORT"},
	{regexp.MustCompile(`127\.\d+\.\d+\.\d+`), "HOST"},
	{regexp.MustCompile(`Of \d+ of them so many have: .*\.`), "Of some."},
}

// examine gives what the examination of a configuration says, and how it ends.
func examine(t *testing.T, as, password string, change ...func(*server.Config)) (said string, err error) {
	t.Helper()
	c := server.DefaultConfig()
	for _, f := range append([]func(*server.Config){parleytest.Organisation("example.test")}, change...) {
		f(&c)
	}
	var out strings.Builder
	err = server.ExamineDirectory(t.Context(), c, as, password, &out)
	said = out.String()
	for _, secret := range []string{string(c.LDAP.BindPassword), password} {
		if secret != "" && (strings.Contains(said, secret) || err != nil && strings.Contains(err.Error(), secret)) {
			t.Errorf("a password is shown:\n%s\n%v", said, err)
		}
	}
	for _, v := range varying {
		said = v.pattern.ReplaceAllString(said, v.as)
	}
	return said, err
}

const openLDAPIsGood = `ok     ldap://HOST:PORT
ok     HOST:PORT answers.
ok     TLS 1.3; the certificate is good until THEN.
note   The certificate ends soon.
       Renew it in time.
ok     The account cn=admin,dc=example,dc=test signs in.
ok     The directory is OpenLDAP, below dc=example,dc=test.
ok     People: 60.
ok     Of some.
note   None of them has: address, other_mail, home_phone, other_phones, region.
       Map other attributes under [ldap.attributes] if the directory has these facts elsewhere, or let the account see them.
ok     A photo was read.
ok     Groups: 12, of which people find 12.
ok     The group cn=Administrators of Parley,OU=Groups,dc=example,dc=test of ldap.administrators has 2 direct members.
ok     Changes: by syncrepl.
ok     "u000001" is uid=u000001,ou=People,dc=example,dc=test.
ok     Signing in as "u000001" works.
The directory can be used.
`

const activeDirectoryIsGood = `ok     ldaps://HOST
ok     HOST:PORT answers.
ok     TLS 1.3; the certificate is good until THEN.
note   The certificate ends soon.
       Renew it in time.
ok     The account administrator@ad.example.test signs in.
ok     The directory is Active Directory, below DC=ad,DC=example,DC=test.
ok     The base OU=People,DC=ad,DC=example,DC=test exists.
ok     People: 40.
ok     Of some.
note   None of them has: home_phone, other_phones.
       Map other attributes under [ldap.attributes] if the directory has these facts elsewhere, or let the account see them.
ok     A photo was read.
ok     Groups: SOME.
ok     Changes: by dirsync.
note   The directory locks an account after 3 wrong passwords; this server lets 10 through, so whoever guesses here locks people out there.
       Set limits.sign_in_failures and limits.address_sign_in_failures below 3.
The directory can be used.
`

func TestDoctorOnWhatIsGood(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 60, Photos: 10})
	said, err := examine(t, "u000001", org.Password, inOpenLDAP(s), func(c *server.Config) {
		c.LDAP.Administrators = []string{"cn=Administrators of Parley,OU=Groups," + s.Base}
	})
	if said != openLDAPIsGood || err != nil {
		t.Errorf("OpenLDAP: %v\n%s", err, said)
	}
	ad := samba.Start(t, samba.Options{People: 40, Photos: 10})
	ad.Lock("u000009")
	said, err = examine(t, "", "", inActiveDirectory(ad), func(c *server.Config) { c.LDAP.PeopleBases = []string{"OU=People," + ad.Base} })
	said = regexp.MustCompile(`Groups: .*\.`).ReplaceAllString(said, "Groups: SOME.")
	if said != activeDirectoryIsGood || err != nil {
		t.Errorf("Active Directory: %v\n%s", err, said)
	}
}

func TestDoctorOnWhatIsWrong(t *testing.T) {
	authority := certs.New(t)
	s := slapd.Start(t, slapd.Options{People: 12, Authority: authority})
	certificate, key := authority.Issue(t, "ldap.example.test", "ldap2.example.test")
	elsewhere := slapd.Start(t, slapd.Options{People: 12, Authority: authority, Certificate: certificate, Key: key})
	certificate, key = authority.IssueUntil(t, time.Now().Add(-time.Hour), "127.0.0.1")
	expired := slapd.Start(t, slapd.Options{People: 12, Authority: authority, Certificate: certificate, Key: key})
	small := slapd.Start(t, slapd.Options{People: 30, SizeLimit: 10, NoPages: true, NoSyncrepl: true, Authority: authority})
	s.Add("ou=Empty,"+s.Base, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"Empty"}})
	// The root account, which may everything, has no limits.
	reader := "uid=u000001,OU=People," + small.Base
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()

	tests := []struct {
		name         string
		as, password string
		change       []func(*server.Config)
		want         string // among what is said, if anything
		end          string // of the error
	}{
		{"nothing configured", "", "", nil, "", "there is no corporate directory; ldap.servers says where one is"},
		{"a name that nobody knows", "", "", set(inOpenLDAP(s), func(c *server.Config) { c.LDAP.Servers = []string{"ldap://ldap.invalid"} }),
			"WRONG  The name ldap.invalid is not known.\n       Correct the name in ldap.servers, or the resolver of this machine.\n", "one thing has to be changed"},
		{"a port that nobody listens at", "", "", set(inOpenLDAP(s), func(c *server.Config) { c.LDAP.Servers = []string{"ldap://" + closed.Addr().String()} }),
			"WRONG  No connection to HOST:PORT: connection refused.\n       See that the server runs", "one thing has to be changed"},
		{"the port of plain LDAP for TLS", "", "", set(inOpenLDAP(s), func(c *server.Config) { c.LDAP.Servers = []string{strings.Replace(s.URL, "ldap:", "ldaps:", 1)} }),
			"WRONG  TLS: ", "one thing has to be changed"},
		{"another authority", "", "", set(inOpenLDAP(s), func(c *server.Config) { c.LDAP.CA = certs.New(t).File }),
			"WRONG  The certificate is signed by an authority that is not believed. It is for localhost, HOST, was signed by \"CN=Authority of a test\", and is good until THEN.\n" +
				"       Give the certificate of the authority that signed it in ldap.ca.\n", "one thing has to be changed"},
		{"a certificate for another host", "", "", set(inOpenLDAP(elsewhere)),
			"WRONG  The certificate is not for HOST. It is for ldap.example.test, ldap2.example.test, was signed by", "one thing has to be changed"},
		{"an expired certificate", "", "", set(inOpenLDAP(expired)),
			"WRONG  The certificate is not valid at this time. It is for HOST, was signed by", "one thing has to be changed"},
		{"a wrong password", "", "", set(inOpenLDAP(s), func(c *server.Config) { c.LDAP.BindPassword = "hunter22" }),
			"WRONG  The account of ldap.bind_dn does not exist, or ldap.bind_password is wrong.\n", "one thing has to be changed"},
		{"a base that does not exist", "", "", set(inOpenLDAP(s), func(c *server.Config) { c.LDAP.PeopleBases = []string{"ou=Nowhere," + s.Base} }),
			"WRONG  The base ou=Nowhere,dc=example,dc=test does not exist, or the account may not see it.\n       Correct ldap.people_bases; the directory is below dc=example,dc=test.\n", "2 things have to be changed"},
		{"a base where nobody is", "", "", set(inOpenLDAP(s), func(c *server.Config) { c.LDAP.PeopleBases = []string{"ou=Empty," + s.Base} }),
			"ok     The base ou=Empty,dc=example,dc=test exists.\nWRONG  Nobody is found below ou=Empty,dc=example,dc=test.\n", "one thing has to be changed"},
		{"a size limit without pages", "", "", set(inOpenLDAP(small), func(c *server.Config) { c.LDAP.BindDN, c.LDAP.BindPassword = reader, org.Password }),
			"WRONG  Reading the people: the server gives fewer entries than there are, and no pages.\n", "one thing has to be changed"},
		{"a server that cannot tell changes", "", "", set(inOpenLDAP(small)),
			"note   Changes: this server cannot tell them as ldap.sync says, so they are polled.\n", ""},
		{"a group that does not exist", "", "", set(inOpenLDAP(s), func(c *server.Config) { c.LDAP.Users = []string{"cn=None," + s.Base} }),
			"WRONG  The group cn=None,dc=example,dc=test does not exist, or the account may not see it.\n       Correct ldap.users.\n", "one thing has to be changed"},
		{"the wrong password of somebody", "u000001", "swordfish", set(inOpenLDAP(s)),
			"WRONG  Signing in as \"u000001\": the password is wrong, or the account is locked for a while.\n", "one thing has to be changed"},
		{"nobody", "nobody", "swordfish", set(inOpenLDAP(s)),
			"WRONG  Signing in as \"nobody\": nobody has this name, or several have.\n", "one thing has to be changed"},
		{"the second of two servers", "", "", set(inOpenLDAP(s), func(c *server.Config) { c.LDAP.Servers = append(c.LDAP.Servers, "ldap://ldap.invalid") }),
			"ok     People: 12.\n", "one thing has to be changed"},
		{"attributes that nobody has", "", "", set(inOpenLDAP(s), func(c *server.Config) { c.LDAP.Attributes.SourceID = []string{"employeeNumber"} }),
			"WRONG  Nothing tells who somebody is once they are renamed or moved.\n", "one thing has to be changed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			said, err := examine(t, test.as, test.password, test.change...)
			if !strings.Contains(said, test.want) {
				t.Errorf("said\n%s\nwant\n%s", said, test.want)
			}
			if end := ""; err != nil && err.Error() != test.end || err == nil && test.end != end {
				t.Errorf("ends with %v, want %q\n%s", err, test.end, said)
			}
		})
	}
}

func set(change ...func(*server.Config)) []func(*server.Config) { return change }

func TestDoctorOnActiveDirectoryWithoutAnAccount(t *testing.T) {
	s := samba.Start(t, samba.Options{People: 40, Photos: 10})
	said, err := examine(t, "", "", inActiveDirectory(s), func(c *server.Config) { c.LDAP.BindDN, c.LDAP.BindPassword = "", "" })
	want := "WRONG  Reading the people: this directory answers nobody without an account.\n       Give an account in ldap.bind_dn and ldap.bind_password.\n"
	if !strings.Contains(said, want) || err == nil {
		t.Errorf("%v\n%s", err, said)
	}
	s.Disable("u000003", true)
	said, err = examine(t, "", "", inActiveDirectory(s), func(c *server.Config) {
		c.LDAP.BindDN, c.LDAP.BindPassword = "u000003@"+samba.Realm, parley.Secret(org.Password)
	})
	if want := "WRONG  The account of ldap.bind_dn: the password is right, and the account is disabled.\n"; !strings.Contains(said, want) || err == nil {
		t.Errorf("%v\n%s", err, said)
	}
	said, err = examine(t, "", "", inActiveDirectory(s), func(c *server.Config) {
		c.LDAP.BindDN, c.LDAP.BindPassword = "u000001@"+samba.Realm, parley.Secret(org.Password)
	})
	if want := "note   Changes: the account may not ask by DirSync, so they are polled.\n"; !strings.Contains(said, want) || err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
