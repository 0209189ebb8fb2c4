package org_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"parley/parleytest/org"
)

func TestTheSameTwice(t *testing.T) {
	for _, o := range []org.Options{
		{People: 300, Base: "dc=example,dc=test", Photos: 7}, {People: 300, Base: "DC=ad,DC=example,DC=test", AD: true},
	} {
		var first, second bytes.Buffer
		if org.WriteLDIF(&first, o) != nil || org.WriteLDIF(&second, o) != nil || first.String() != second.String() {
			t.Error("two organisations of the same numbers differ")
		}
	}
}

func TestWhoIsInIt(t *testing.T) {
	for _, ad := range []bool{false, true} {
		o := org.Options{People: 200, Base: "dc=example,dc=test", AD: ad, Photos: 5}
		people := org.People(o)
		soren := people[org.Soren]
		if soren.GivenName != "Søren" || soren.Surname != "Ångström" || soren.Mail != "soren.angstroem@example.test" || soren.Phone == "" {
			t.Errorf("%+v", soren)
		}
		dns, photos, without := map[string]bool{}, map[string]bool{}, 0
		for _, p := range people {
			if _, err := ldap.ParseDN(p.DN); err != nil || dns[strings.ToLower(p.DN)] {
				t.Errorf("DN %q: %v, or another one's", p.DN, err)
			}
			dns[strings.ToLower(p.DN)] = true
			if p.Photo != nil {
				photos[string(p.Photo)] = true
			}
			if p.Mail == "" {
				without++
			}
		}
		if len(photos) != 40 || without != 4 {
			t.Errorf("%d photos, %d without mail", len(photos), without)
		}
		for _, g := range org.Groups(o, people) {
			for _, member := range g.Members {
				if !dns[strings.ToLower(member)] && !strings.Contains(member, "OU=Groups") {
					t.Errorf("%s has the member %s, who is nobody", g.Name, member)
				}
			}
		}
	}
}
