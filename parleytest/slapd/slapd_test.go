//go:build linux

package slapd_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"parley/parleytest/org"
	"parley/parleytest/slapd"
)

// What was loaded is there, is changed, and is still there after a restart.
func TestServer(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 60, Photos: 10})
	people := org.People(org.Options{People: 60, Base: s.Base})
	s.Set(people[org.Special].DN, "title", "Changed")
	s.Stop()
	s.Restart()
	conn := s.Conn()
	defer conn.Close()
	found, err := conn.Search(ldap.NewSearchRequest("ou=People,"+s.Base, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=person)", []string{"title", "jpegPhoto", "memberOf", "uid"}, nil))
	if err != nil || len(found.Entries) != 60 {
		t.Fatalf("%v, %v", found, err)
	}
	photos := 0
	for _, e := range found.Entries {
		if e.GetAttributeValue("uid") == people[org.Special].Login && e.GetAttributeValue("title") != "Changed" {
			t.Error("the change is lost")
		}
		if e.GetAttributeValue("jpegPhoto") != "" {
			photos++
		}
	}
	if photos != 6 {
		t.Errorf("%d photos", photos)
	}
}
