package directory

import (
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

func TestParseLogin(t *testing.T) {
	tests := []struct {
		login string
		want  query
		ok    bool
	}{
		{"anna", query{name: "anna"}, true},
		{" anna@example.org ", query{name: "anna", domain: "example.org"}, true},
		{"a@b@example.org", query{name: "a@b", domain: "example.org"}, true},
		{`EX\anna`, query{name: "anna", domain: "EX", down: true}, true},
		{`EX\anna@example.org`, query{name: "anna@example.org", domain: "EX", down: true}, true},
		{"*)(uid=*", query{name: "*)(uid=*"}, true}, // escaped later
		{"", query{}, false},
		{`\`, query{}, false},
		{`EX\`, query{}, false},
		{`\anna`, query{}, false},
		{`A\B\C`, query{}, false},
		{"anna@", query{}, false},
		{"@example.org", query{}, false},
		{"an\x00na", query{}, false},
		{"an\nna", query{}, false},
		{"\xff", query{}, false},
		{strings.Repeat("a", 321), query{}, false},
	}
	for _, test := range tests {
		got, ok := parseLogin(test.login)
		if ok != test.ok || ok && got != test.want {
			t.Errorf("%q: %+v, %v", test.login, got, ok)
		}
	}
}

// Whatever somebody types, the filter is the one of the program with the typed
// text as a value in it.
func TestLoginFilterTakesNoInstructions(t *testing.T) {
	for _, login := range hostileLogins {
		checkFilter(t, login)
	}
}

var hostileLogins = []string{
	"*", "a*", "*)(uid=*", ")(|(uid=*", "x)(objectClass=*))(|(uid=y", `\2a`, `EX\*`, `EX\x)(uid=*`, "(", ")", "&", "|", "!", "=", "~=", ">=", "<=",
	":=", ":dn:=", "anna\\", `a\5c2a`, "uid=*", "é", "田中", "a b", " ", "#", "\u202e",
}

func FuzzLoginFilter(f *testing.F) {
	for _, login := range hostileLogins {
		f.Add(login)
	}
	f.Fuzz(checkFilter)
}

func checkFilter(t *testing.T, login string) {
	q, ok := parseLogin(login)
	if !ok {
		return
	}
	l := &LDAP{config: LDAPConfig{Mapping: DefaultMapping("example.org")}}
	for _, kind := range []Kind{KindAD, KindOpenLDAP} {
		root := RootDSE{Kind: kind}
		conditions := l.conditions(q, root)
		filter := loginFilter(l.PeopleFilter(root), conditions)
		packet, err := ldap.CompileFilter(filter)
		if err != nil {
			t.Fatalf("%q makes no filter %q: %v", login, filter, err)
		}
		// (& people (| condition...))
		alternatives := packet.Children[1]
		if len(packet.Children) != 2 || packet.Tag != ldap.FilterAnd || alternatives.Tag != ldap.FilterOr || len(alternatives.Children) != len(conditions) {
			t.Fatalf("%q changes the filter to %q", login, filter)
		}
		for i, c := range conditions {
			match := alternatives.Children[i]
			if match.Tag != ldap.FilterEqualityMatch || match.Children[0].Data.String() != c.attribute || match.Children[1].Data.String() != c.value {
				t.Errorf("%q: %q asks for something else than %+v", login, filter, c)
			}
		}
	}
}

func entryOf(dn string, pairs ...string) *ldap.Entry {
	values := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = append(values[pairs[i]], pairs[i+1])
	}
	return ldap.NewEntry(dn, values)
}

// Whose attribute makes the sign-in address is meant, whatever others wrote into
// theirs.
func TestTheOne(t *testing.T) {
	anna := entryOf("cn=anna,dc=x", "userPrincipalName", "anna@example.org", "sAMAccountName", "anna")
	thief := entryOf("cn=thief,dc=x", "userPrincipalName", "thief@example.org", "mail", "Anna@example.org")
	twin := entryOf("cn=twin,dc=x", "userPrincipalName", "twin@example.org", "mail", "anna@EXAMPLE.org")
	other := entryOf("cn=other,dc=y", "sAMAccountName", "ANNA")
	odd := entryOf("cn=odd,dc=x", "sAMAccountName", "änna") // which some directories take for the same
	byAddress := []condition{{"userPrincipalName", "anna@example.org"}, {"mail", "anna@example.org"}}
	byName := []condition{{"sAMAccountName", "anna"}}
	tests := []struct {
		name       string
		entries    []*ldap.Entry
		conditions []condition
		below      string
		want       *ldap.Entry
	}{
		{"nobody", nil, byAddress, "", nil},
		{"one", []*ldap.Entry{anna}, byAddress, "", anna},
		{"somebody claims the address", []*ldap.Entry{thief, anna}, byAddress, "", anna},
		{"two with one mail address", []*ldap.Entry{thief, twin}, byAddress, "", nil},
		{"and one whose address it is", []*ldap.Entry{thief, anna, twin}, byAddress, "", anna},
		{"two with one name", []*ldap.Entry{anna, other}, byName, "", nil},
		{"in one domain", []*ldap.Entry{anna, other}, byName, "dc=x", anna},
		{"in the other", []*ldap.Entry{anna, other}, byName, "dc=y", other},
		{"in none", []*ldap.Entry{anna, other}, byName, "dc=z", nil},
		{"alike for the directory alone", []*ldap.Entry{odd, anna}, byName, "", anna},
		{"and nobody else", []*ldap.Entry{odd}, byName, "", odd},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := theOne(test.entries, test.conditions, test.below); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// The texts are those of Windows Server and of Samba.
func TestJudge(t *testing.T) {
	windows := func(data string) error {
		return &ldap.Error{ResultCode: 49, Err: errText("80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data " + data + ", v3839")}
	}
	samba := &ldap.Error{ResultCode: 49, Err: errText("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 773, v1db1")}
	policy := func(code int8) *ldap.SimpleBindResult {
		return &ldap.SimpleBindResult{Controls: []ldap.Control{&ldap.ControlBeheraPasswordPolicy{Expire: -1, Grace: -1, Error: code}}}
	}
	tests := []struct {
		name   string
		result *ldap.SimpleBindResult
		err    error
		want   Outcome
		failed bool
	}{
		{"right", &ldap.SimpleBindResult{}, nil, Right, false},
		{"right, with a policy that says nothing", policy(-1), nil, Right, false},
		{"must change", policy(2), nil, MustChange, false},
		{"expired", policy(0), &ldap.Error{ResultCode: 49, Err: errText("")}, PasswordExpired, false},
		{"locked by policy", policy(1), &ldap.Error{ResultCode: 49, Err: errText("")}, Wrong, false},
		{"wrong", &ldap.SimpleBindResult{}, &ldap.Error{ResultCode: 49, Err: errText("")}, Wrong, false},
		{"525", nil, windows("525"), Wrong, false},
		{"52e", nil, windows("52e"), Wrong, false},
		{"52E", nil, windows("52E"), Wrong, false},
		{"530", nil, windows("530"), Hours, false},
		{"531", nil, windows("531"), Workstation, false},
		{"532", nil, windows("532"), PasswordExpired, false},
		{"533", nil, windows("533"), Disabled, false},
		{"701", nil, windows("701"), AccountExpired, false},
		{"773", nil, samba, MustChange, false},
		{"775", nil, windows("775"), Wrong, false},
		{"a code that nobody knows", nil, windows("77777777"), Wrong, false},
		{"no such entry", nil, &ldap.Error{ResultCode: 32, Err: errText("")}, Wrong, false},
		{"unwilling", nil, &ldap.Error{ResultCode: 53, Err: errText("Account inactivated")}, Wrong, false},
		{"busy", nil, &ldap.Error{ResultCode: 51, Err: errText("")}, Wrong, true},
		{"a reference elsewhere", nil, &ldap.Error{ResultCode: 10, Err: errText("")}, Wrong, true},
		{"wants TLS", nil, &ldap.Error{ResultCode: 13, Err: errText("")}, Wrong, true},
		{"broken off", nil, &ldap.Error{ResultCode: ldap.ErrorNetwork, Err: errText("")}, Wrong, true},
		{"no answer at all", nil, errText("garbage"), Wrong, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := judge(test.result, test.err)
			if got != test.want || (err != nil) != test.failed {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

type errText string

func (e errText) Error() string { return string(e) }

func FuzzJudge(f *testing.F) {
	f.Add("AcceptSecurityContext error, data 533, v1db1")
	f.Add("AcceptSecurityContext error, data , v1db1")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := judge(nil, &ldap.Error{ResultCode: 49, Err: errText(text)}); got == Right || err != nil {
			t.Errorf("a refusal %q is %v, %v", text, got, err)
		}
	})
}

func TestServers(t *testing.T) {
	for text, want := range map[string]server{
		"ldap://dc1.example.com":          {host: "dc1.example.com", address: "dc1.example.com:389"},
		"ldaps://dc1.example.com/":        {host: "dc1.example.com", address: "dc1.example.com:636", tls: true},
		"ldap://[2001:db8::1]:1389":       {host: "2001:db8::1", address: "[2001:db8::1]:1389"},
		"ldaps://10.0.0.1":                {host: "10.0.0.1", address: "10.0.0.1:636", tls: true},
		"http://dc1.example.com":          {},
		"ldap://u:secret@dc1":             {},
		"ldap://dc1/dc=example??sub":      {},
		"ldap://":                         {},
		"ldap://dc1:secret port":          {},
		"dc1.example.com":                 {},
		"ldapi://%2Fvar%2Frun%2Fldapi":    {},
		"ldap://dc1?x":                    {},
		"ldap://dc1.example.com#whatever": {},
	} {
		got, err := parseServer(text)
		want.url = text
		if (err == nil) != (want.host != "") || err == nil && got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error quotes a secret: %v", text, err)
		}
	}
	for text, want := range map[string]bool{"ldap://127.0.0.9": true, "ldap://[::1]": true, "ldap://LOCALHOST": true, "ldap://10.0.0.1": false, "ldap://localhost.example.com": false, "": false} {
		if Local(text) != want {
			t.Errorf("%s on this machine: %v", text, !want)
		}
	}
}

// A server that failed is tried last for half a minute, and then in its turn.
func TestOrder(t *testing.T) {
	l, err := NewLDAP(LDAPConfig{Servers: []string{"ldap://a", "ldap://b", "ldap://c"}, Dial: noDial})
	if err != nil {
		t.Fatal(err)
	}
	order := func(at time.Time) (hosts string) {
		for _, s := range l.order(at) {
			hosts += s.host
		}
		return hosts
	}
	now := time.Now()
	if got := order(now); got != "abc" {
		t.Error(got)
	}
	l.note(l.servers[0], ErrNoStartTLS)
	if got := order(now); got != "bca" {
		t.Error(got)
	}
	if got := order(time.Now().Add(failedFor)); got != "abc" {
		t.Error(got)
	}
	l.note(l.servers[1], ErrNoStartTLS)
	l.note(l.servers[0], nil)
	if got := order(time.Now()); got != "acb" {
		t.Error(got)
	}
}
