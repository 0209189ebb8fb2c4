//go:build linux

package directory

import (
	"net"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/parleytest/org"
	"parley/parleytest/samba"
)

func TestActiveDirectory(t *testing.T) {
	s := samba.Start(t, samba.Options{People: 40, Photos: 10})
	people := org.People(org.Options{People: 40, Base: samba.Base, AD: true})
	login := func(i int) string { return people[i].Login }
	s.Disable(login(3), true)
	s.MustChange(login(4))
	s.Expire(login(5))
	s.NoHours(login(6))
	s.OnlyAt(login(7), "PC1")
	s.ExpirePassword(login(8))
	s.Lock(login(9))
	s.SetPassword(login(10), "An0ther one")
	s.Set(people[11].DN, "mail", login(12)+"@"+samba.Realm) // what another one signs in with
	for _, url := range []string{s.URL, s.TLSURL} {
		l, err := NewLDAP(LDAPConfig{
			Servers: []string{url}, StartTLS: true, RootCAs: s.Roots, BindDN: s.Admin, BindPassword: parley.Secret(s.Password),
			Mapping: DefaultMapping(samba.Realm), Dial: (&net.Dialer{}).DialContext,
		})
		if err != nil {
			t.Fatal(err)
		}
		conn, root, err := l.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if root.Kind != KindAD || !slices.Equal(l.PeopleBases(root), []string{samba.Base}) || root.DNSHostName == "" {
			t.Errorf("%+v", root)
		}
		soren := people[org.Soren]
		first := says(t, l, soren.Mail, org.Password, Right)
		for _, name := range []string{soren.Login + "@" + samba.Realm, samba.Domain + `\` + soren.Login, "adtest\\" + strings.ToUpper(soren.Login), soren.Login} {
			if again := says(t, l, name, org.Password, Right); again != first || !isUUID(again.SourceID) {
				t.Errorf("%s is %v, want %v", name, again, first)
			}
		}
		says(t, l, people[org.Special].Mail, org.Password, Right)
		for i, want := range map[int]Outcome{
			3: Disabled, 4: MustChange, 5: AccountExpired, 6: Hours, 7: Workstation, 8: PasswordExpired, 9: Wrong, 10: Wrong, 12: Right,
		} {
			says(t, l, login(i)+"@"+samba.Realm, org.Password, want)
			says(t, l, login(i), "wrong", Wrong)
		}
		says(t, l, login(10), "An0ther one", Right)
		for _, name := range append([]string{"", `OTHER\` + soren.Login, samba.Domain + `\`, samba.Domain + `\nobody`, "nobody@" + samba.Realm, "DC1$"}, hostileLogins...) {
			says(t, l, name, org.Password, Wrong)
		}
		says(t, l, soren.Mail, "", Wrong)
	}
}
