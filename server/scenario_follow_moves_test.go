//go:build unix

package server_test

import (
	"testing"
	"time"

	"parley/parleytest"
	"parley/parleytest/org"
	"parley/parleytest/samba"
	"parley/server"
)

// A rename or a move touches nobody's groups: the directory does not even tell that
// the groups name them otherwise from then on.
//
// claim: AC3
func TestAC3WhoIsRenamedKeepsEverything(t *testing.T) {
	s := samba.Start(t, samba.Options{People: 20})
	group, admins := "CN=Staff,OU=Groups,"+s.Base, "CN=Parley Admins,OU=Groups,"+s.Base
	section := "OU=Section,OU=People," + s.Base
	s.Add(section, map[string][]string{"objectClass": {"organizationalUnit"}})
	s.Move(s.DN("u000014"), "CN=Fourteen", section)
	holds := []string{s.DN("u000012"), s.DN("u000013"), s.DN("u000014")}
	s.Add(group, map[string][]string{"objectClass": {"group"}, "sAMAccountName": {"staff-x"}, "mail": {"staff@x.test"}, "member": holds})
	s.Add(admins, map[string][]string{"objectClass": {"group"}, "sAMAccountName": {"adm-x"}, "member": holds})
	w := follow(t, func(c *server.Config) {
		c.LDAP.Servers, c.LDAP.CA, c.LDAP.BindDN, c.LDAP.BindPassword = []string{s.TLSURL}, s.CA, s.Admin, "Passw0rd!"
		c.LDAP.Interval = time.Second
		c.LDAP.PeopleBases, c.LDAP.GroupBases = []string{"OU=People," + s.Base}, []string{"OU=Groups," + s.Base}
		c.LDAP.Users, c.LDAP.Administrators = []string{group}, []string{admins}
	})
	before := w.untilCompared()
	intact := func(what, login string, d *parleytest.Device) {
		t.Helper()
		admin, contacts := d.Ask("GET", "/api/admin/directory", nil).Status, d.Ask("GET", "/api/contacts", nil).Status
		again := w.Ask("POST", "/api/session", parleytest.SignInAs(login, org.Password)).Status
		if admin != 200 || contacts != 200 || again != 200 {
			t.Errorf("%s: administration %d, contacts %d, signing in %d", what, admin, contacts, again)
		}
	}
	title := func(login, title string) {
		t.Helper()
		s.Set(s.DN(login), "title", title)
		eventually(t, "the title "+title, func() bool { return len(w.admin.Search(title).People) == 1 })
	}
	renamed, moved := w.signIn("u000012"), w.signIn("u000014")
	intact("before", "u000012", renamed)

	s.Move(s.DN("u000012"), "CN=Married Name", "OU=People,"+s.Base)
	title("u000012", "Zymurgist")
	intact("after a rename", "u000012", renamed)

	// Of those below an OU that is renamed the directory tells nothing.
	s.Move(section, "OU=Department", "OU=People,"+s.Base)
	title("u000014", "Xylographer")
	intact("after its OU was renamed", "u000014", moved)

	// Somebody else leaves the groups, which the directory tells with new names.
	s.Move("OU=Department,OU=People,"+s.Base, "OU=Division", "OU=People,"+s.Base)
	s.Set(group, "member", s.DN("u000012"), s.DN("u000014"))
	eventually(t, "u000013 does not sign in", func() bool {
		return w.Ask("POST", "/api/session", parleytest.SignInAs("u000013", org.Password)).Status == 403
	})
	intact("after somebody else left", "u000014", moved)
	if after := w.state(); after.Problem != "" || after.FailingSince != "" || before.People != after.People {
		t.Errorf("at last %+v", after)
	}
}
