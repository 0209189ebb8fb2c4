package server

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/edge/directory"
)

func TestReadLDAPConfig(t *testing.T) {
	file := writeConfig(t, `[ldap]
servers = ["ldaps://dc1.example.com", "ldap://[::1]:1389"]
bind_dn = "parley@example.com"
kind = "ad"
people_bases = ["ou=People,dc=example,dc=com"]
interval = "10s"
[ldap.attributes]
title = ["jobTitle", "title"]
photo = []
`+minimal)
	c, problems := ReadConfig(Sources{File: file, Environ: []string{
		"PARLEY_LDAP_BIND_PASSWORD=a,b;c",
		"PARLEY_LDAP_USERS=cn=All,dc=example,dc=com; cn=Legal & Compliance,dc=example,dc=com",
	}})
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	got, err := c.LDAP.directory("example.com")
	if err != nil {
		t.Fatal(err)
	}
	if got.BindPassword != "a,b;c" || got.Kind != directory.KindAD || !got.StartTLS || got.BindDN != "parley@example.com" {
		t.Errorf("%+v", got)
	}
	if want := []string{"cn=All,dc=example,dc=com", "cn=Legal & Compliance,dc=example,dc=com"}; !slices.Equal(c.LDAP.Users, want) {
		t.Errorf("users %q", c.LDAP.Users)
	}
	if c.LDAP.Interval != 10*time.Second || c.LDAP.fullEvery("poll") != time.Hour || c.LDAP.fullEvery("syncrepl") != 24*time.Hour {
		t.Errorf("interval %v, full %v", c.LDAP.Interval, c.LDAP.fullEvery("poll"))
	}
	want := directory.DefaultMapping("example.com")
	want.Title, want.Photo = []string{"jobTitle", "title"}, []string{}
	if !reflect.DeepEqual(got.Mapping, want) {
		t.Errorf("mapping %+v", got.Mapping)
	}
}

// What the example says of the mapping is the mapping that the program has.
func TestExampleHasTheMapping(t *testing.T) {
	var b bytes.Buffer
	if err := WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"[ldap.attributes]", `# mail = ["mail"]`, `# interval = "3s"`, `# full_every = "0s"`} {
		if !strings.Contains(b.String(), "\n"+line+"\n") {
			t.Errorf("the example lacks %s", line)
		}
	}
	if c := DefaultConfig(); !reflect.DeepEqual(c.LDAP.Attributes.mapping("x"), directory.DefaultMapping("x")) {
		t.Error("the defaults are others than the mapping's")
	}
}

func TestLDAPConfigProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // FILE stands for the file's path
	}{
		{"without a server", "[ldap]\nbind_dn = \"cn=x\"\nusers = [\"cn=y\"]", []string{
			"FILE:2: ldap.bind_dn: has no effect without ldap.servers",
			"FILE:3: ldap.users: has no effect without ldap.servers",
		}},
		{"servers", "[ldap]\nservers = [\"dc1.example.com\", \"https://dc1.example.com\", \"ldap://u:p@dc1\", \"ldap://dc1/dc=example\", \"ldap://\"]", []string{
			`FILE:2: ldap.servers: "dc1.example.com" is no URL such as ldaps://ldap.example.com or ldap://ldap.example.com:389`,
			`FILE:2: ldap.servers: "https://dc1.example.com" is no URL such as ldaps://ldap.example.com or ldap://ldap.example.com:389`,
			`FILE:2: ldap.servers: a URL holds a user or password; they have settings of their own`,
			`FILE:2: ldap.servers: "ldap://dc1/dc=example" is no URL such as ldaps://ldap.example.com or ldap://ldap.example.com:389`,
			`FILE:2: ldap.servers: "ldap://" is no URL such as ldaps://ldap.example.com or ldap://ldap.example.com:389`,
		}},
		{"in the clear", "[ldap]\nservers = [\"ldap://dc1.example.com\", \"ldap://127.0.0.1\"]\nstart_tls = false", []string{
			"FILE:3: ldap.start_tls: off, but ldap://dc1.example.com would get passwords in the clear; leave it on, use ldaps://, or set ldap.plaintext",
		}},
		{"in the clear for nothing", "[ldap]\nservers = [\"ldaps://dc1.example.com\"]\nplaintext = true", []string{
			"FILE:3: ldap.plaintext: has no effect: every connection is encrypted",
		}},
		{"account", "[ldap]\nservers = [\"ldaps://dc1.example.com\"]\nbind_dn = \"parley\"", []string{
			`FILE:3: ldap.bind_dn: "parley" is no DN such as cn=parley,ou=Services,dc=example,dc=com, and no name such as parley@example.com`,
			"FILE: ldap.bind_password: missing; give the password of ldap.bind_dn here or as PARLEY_LDAP_BIND_PASSWORD",
		}},
		{"password alone", "[ldap]\nservers = [\"ldaps://dc1.example.com\"]\nbind_password = \"hunter22\"", []string{
			"FILE: ldap.bind_dn: missing; ldap.bind_password is the password of this account",
		}},
		{"authority", "[ldap]\nservers = [\"ldaps://dc1.example.com\"]\nca = \"/nowhere.pem\"", []string{
			"FILE:3: ldap.ca: reading ldap.ca: open /nowhere.pem: no such file or directory",
		}},
		{"names", "[ldap]\nservers = [\"ldaps://dc1.example.com\"]\nkind = \"novell\"\ninterval = \"1ms\"", []string{
			`FILE:3: ldap.kind: "novell" is none of auto, ad, openldap, other`,
			"FILE:4: ldap.interval: 1ms is not between 1s and 1h",
		}},
		{"DNs and filters", "[ldap]\nservers = [\"ldaps://dc1.example.com\"]\ndomain = \"EX\\\\\"\npeople_bases = [\"People\"]\npeople_filter = \"objectClass=person\"\ngroup_filter = \"(a=b))\"\n" +
			"password_url = \"javascript:alert(1)\"\n[ldap.attributes]\nname = []\nmail = [\"mail)(x=*\"]", []string{
			`FILE:3: ldap.domain: "EX\\" is no domain such as EXAMPLE`,
			`FILE:4: ldap.people_bases: "People" is no DN such as ou=People,dc=example,dc=com`,
			`FILE:5: ldap.people_filter: "objectClass=person" is no LDAP filter such as (objectClass=person)`,
			`FILE:6: ldap.group_filter: "(a=b))" is no LDAP filter such as (objectClass=person)`,
			`FILE:7: ldap.password_url: "javascript:alert(1)" is no URL such as https://parley.example.com`,
			"FILE:9: ldap.attributes.name: missing; people need names",
			`FILE:10: ldap.attributes.mail: "mail)(x=*" is no name of an attribute`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := writeConfig(t, test.text+minimal)
			_, problems := ReadConfig(Sources{File: file})
			got := strings.ReplaceAll(problems.Error(), file, "FILE")
			if want := strings.Join(test.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if !problems.Fatal() || strings.Contains(got, "hunter22") || strings.Contains(got, "u:p") {
				t.Error("not fatal, or a secret is shown")
			}
		})
	}
}
