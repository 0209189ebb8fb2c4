//go:build unix

package server_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/parleytest/certs"
	"parley/parleytest/org"
	"parley/parleytest/samba"
	"parley/parleytest/slapd"
	"parley/server"
)

// followed is a server that follows a directory, in front of which an
// administrator sits.
type followed struct {
	*parleytest.World
	t     *testing.T
	admin *parleytest.Device
}

const bossAddress = "boss@example.test"

// follow starts a server over a directory.
func follow(t *testing.T, change ...func(*server.Config)) *followed {
	t.Helper()
	settings := append([]func(*server.Config){parleytest.Organisation("example.test"), func(c *server.Config) {
		c.Administrators = []string{bossAddress}
	}}, change...)
	w := &followed{World: parleytest.Start(t, settings...), t: t}
	w.Import("dn: uid=boss,dc=here\nobjectClass: person\nuid: boss\ncn: The Boss\nmail: "+bossAddress+"\nentryUUID: 99999999-0000-4000-8000-000000000001\n", server.ImportOptions{})
	w.SetPassword(bossAddress, good)
	w.admin = parleytest.SignIn(t, w.Base, parleytest.SignInAs(bossAddress, good))
	return w
}

// overSlapd says how a server of OpenLDAP is reached.
func overSlapd(s *slapd.Server) func(*server.Config) {
	return func(c *server.Config) {
		c.LDAP.Servers, c.LDAP.CA, c.LDAP.BindDN, c.LDAP.BindPassword = []string{s.TLSURL}, s.CA, s.Admin, "admin secret"
	}
}

// state asks as the administrator's page does.
func (w *followed) state() webapi.DirectoryState {
	w.t.Helper()
	var state webapi.DirectoryState
	if err := w.admin.Call("GET", "/api/admin/directory", nil, &state); err != nil {
		w.t.Fatalf("asking how the directory is followed: %v", err)
	}
	return state
}

// until waits for a state.
func (w *followed) until(what string, holds func(webapi.DirectoryState) bool) webapi.DirectoryState {
	w.t.Helper()
	var state webapi.DirectoryState
	eventually(w.t, what, func() bool { state = w.state(); return holds(state) })
	return state
}

func (w *followed) untilCompared() webapi.DirectoryState {
	w.t.Helper()
	return w.until("everything is compared", func(s webapi.DirectoryState) bool { return s.LastFull != "" && s.FailingSince == "" })
}

// finds reports whether a search gives somebody with this name.
func (w *followed) finds(text, name string) bool {
	w.t.Helper()
	for _, p := range w.admin.Search(text).People {
		if p.DisplayName == name {
			return true
		}
	}
	return false
}

func (w *followed) untilFound(text, name string) {
	w.t.Helper()
	eventually(w.t, "finding "+name, func() bool { return w.finds(text, name) })
}

func (w *followed) untilLost(text, name string) {
	w.t.Helper()
	eventually(w.t, "no longer finding "+name, func() bool { return !w.finds(text, name) })
}

// signIn signs somebody of the directory in.
func (w *followed) signIn(login string) *parleytest.Device {
	w.t.Helper()
	return parleytest.SignIn(w.t, w.Base, parleytest.SignInAs(login, org.Password)).Online()
}

// card is what the administrator sees of somebody.
func (w *followed) card(address string) webapi.Card {
	w.t.Helper()
	var card webapi.Card
	if err := w.admin.Call("GET", "/api/people/"+address, nil, &card); err != nil {
		w.t.Fatalf("the card of %s: %v", address, err)
	}
	return card
}

// entry is a person of a directory as LDIF.
func entry(dn, uid, name string, more ...string) string {
	return strings.Join(append([]string{
		"dn: " + dn, "objectClass: inetOrgPerson", "uid: " + uid, "cn: " + name, "sn: " + name, "userPassword: " + org.Password,
	}, more...), "\n") + "\n\n"
}

const baseEntries = "dn: dc=example,dc=test\nobjectClass: domain\ndc: example\n\n" +
	"dn: ou=People,dc=example,dc=test\nobjectClass: organizationalUnit\nou: People\n\n" +
	"dn: ou=Other,dc=example,dc=test\nobjectClass: organizationalUnit\nou: Other\n\n"

func people(uid string) string { return "uid=" + uid + ",ou=People,dc=example,dc=test" }

// claim: CC3
func TestCC3TheDirectoryIsFollowed(t *testing.T) {
	s := slapd.Start(t, slapd.Options{LDIF: strings.NewReader(baseEntries +
		entry(people("ann"), "ann", "Ann Archer", "mail: ann@example.test", "title: Clerk") +
		entry(people("bob"), "bob", "Bob Baker", "mail: bob@example.test", "manager: "+people("ann")) +
		entry(people("cleo"), "cleo", "Cleo Cook"))})
	w := follow(t, overSlapd(s))
	state := w.untilCompared()
	if state.People != 3 || state.Kind != "openldap" || state.Mode != "syncrepl" || len(state.Problems) > 0 || state.Problem != "" {
		t.Errorf("after the first comparison: %+v", state)
	}
	if card := w.card("ann@example.test"); card.DisplayName != "Ann Archer" || card.Title != "Clerk" {
		t.Errorf("Ann's card: %+v", card)
	}
	if card := w.card("bob@example.test"); card.Manager == nil || card.Manager.DisplayName != "Ann Archer" {
		t.Errorf("Bob's card: %+v", card)
	}
	w.card("cleo@example.test") // has no mail; the alias and the default domain make an address

	began := time.Now()
	s.Set(people("ann"), "title", "Director")
	eventually(t, "Ann's new title", func() bool { return w.card("ann@example.test").Title == "Director" })
	t.Logf("a change is visible after %v", time.Since(began))
	s.Add(people("dora"), map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {"dora"}, "cn": {"Dora Dean"}, "sn": {"Dean"}, "manager": {people("bob")}})
	w.untilFound("dora", "Dora Dean")

	// Another name and another place: the same person, whose report stays hers.
	id := w.card("ann@example.test").ID
	s.Set(people("ann"), "cn", "Ann Baker")
	s.Move(people("ann"), "uid=anna", "ou=Other,dc=example,dc=test")
	w.untilFound("ann", "Ann Baker")
	eventually(t, "Bob's manager", func() bool {
		m := w.card("bob@example.test").Manager
		return m != nil && m.DisplayName == "Ann Baker"
	})
	if again := w.card("ann@example.test").ID; again != id {
		t.Errorf("Ann is %s now and was %s", again, id)
	}
	s.Delete(people("dora"))
	w.untilLost("dora", "Dora Dean")

	// What happens while the server of the directory is down, and that it is.
	s.Stop()
	w.until("a failure", func(s webapi.DirectoryState) bool { return s.FailingSince != "" })
	if state := w.state(); state.Problem != "directory.unreachable" || state.People != 3 || !w.finds("bob", "Bob Baker") {
		t.Errorf("while the directory is down: %+v", state)
	}
	s.Restart()
	before := w.state().LastFull
	if err := w.Control().SyncDirectory(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	w.until("what was asked for right after the outage", func(s webapi.DirectoryState) bool { return s.LastFull != before })
	w.until("everything in step", func(s webapi.DirectoryState) bool { return s.FailingSince == "" })
	s.Set(people("bob"), "title", "Back")
	eventually(t, "Bob's new title", func() bool { return w.card("bob@example.test").Title == "Back" })
	if state := w.state(); state.Problem != "" || state.Detail != "" {
		t.Errorf("in step again: %+v", state)
	}
}

// A whole company comes in, and stays in step.
//
// claim: CC3
func TestCC3ManyPeopleOfADirectory(t *testing.T) {
	n, soak := manyPeople()
	s := slapd.Start(t, slapd.Options{People: n, Photos: 20})
	p := parleytest.StartFollowing(t, s.TLSURL, s.CA, "example.test")
	control := p.Control()
	defer control.Close()
	compared := func(after time.Time) server.DirectoryStatus {
		t.Helper()
		var status server.DirectoryStatus
		for deadline := time.Now().Add(20 * time.Minute); ; <-time.After(5 * time.Millisecond) {
			var err error
			if status, err = control.Directory(t.Context()); err != nil {
				t.Fatal(err)
			}
			if status.LastFull.After(after) {
				return status
			}
			if time.Now().After(deadline) {
				t.Fatalf("nothing was compared: %+v", status)
			}
		}
	}
	began := time.Now()
	status := compared(time.Time{})
	took := time.Since(began)
	t.Logf("%d people and %d groups came in within %v; memory %s", status.People, status.Groups, took.Round(10*time.Millisecond), memory(t, p))
	if status.People != n || soak && took > time.Minute {
		t.Errorf("after %v: %+v", took, status)
	}
	began = time.Now()
	if err := control.SyncDirectory(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	compared(status.LastFull)
	t.Logf("compared again, nothing changed, in %v; memory %s", time.Since(began).Round(10*time.Millisecond), memory(t, p))

	somebody := org.People(org.Options{People: 2, Base: slapd.Base})[1]
	d := parleytest.SignIn(t, p.Base, parleytest.SignInAs(somebody.Login, org.Password))
	var seen times
	for i := range 20 {
		title := fmt.Sprint("Title ", i)
		began := time.Now()
		s.Set(somebody.DN, "title", title)
		eventually(t, title, func() bool {
			var card webapi.Card
			return d.Call("GET", "/api/people/"+d.ID(), nil, &card) == nil && card.Title == title
		})
		seen = append(seen, time.Since(began))
	}
	t.Logf("a change is visible over HTTP after %v", seen)
	if seen.at(100) > 5*time.Second {
		t.Errorf("a change was visible after %v", seen.at(100))
	}
	t.Logf("memory at last: %s", memory(t, p))
}

// claim: AC3
func TestAC3BarredByTheDirectory(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 20})
	w := follow(t, overSlapd(s))
	w.untilCompared()
	somebody := org.People(org.Options{People: 20, Base: slapd.Base})[12]
	device := w.signIn(somebody.Login)
	began := time.Now()
	s.Set(somebody.DN, "pwdAccountLockedTime", "000001010000Z")
	if reason := device.SignedOut(); reason != "disabled" {
		t.Errorf("told %q", reason)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("signed out after %v", took)
	}
	if !signedOut(t, device) {
		t.Error("the token still works")
	}
	s.Set(somebody.DN, "pwdAccountLockedTime")
	eventually(t, "signing in again", func() bool {
		return w.Ask("POST", "/api/session", parleytest.SignInAs(somebody.Login, org.Password)).Status == 200
	})
}

// claim: AC3
func TestAC3DisabledInActiveDirectory(t *testing.T) {
	s := samba.Start(t, samba.Options{People: 20})
	w := follow(t, func(c *server.Config) {
		c.LDAP.Servers, c.LDAP.CA, c.LDAP.BindDN, c.LDAP.BindPassword = []string{s.TLSURL}, s.CA, s.Admin, "Passw0rd!"
		c.LDAP.Interval = time.Second
		c.LDAP.PeopleBases = []string{"OU=People," + s.Base}
	})
	state := w.untilCompared()
	if state.Kind != "ad" || state.Mode != "dirsync" || state.People != 20 {
		t.Errorf("after the first comparison: %+v", state)
	}
	device := w.signIn("u000012")
	s.Disable("u000012", true)
	if reason := device.SignedOut(); reason != "disabled" {
		t.Errorf("told %q", reason)
	}
	other := w.signIn("u000013")
	s.Delete(s.DN("u000013"))
	if reason := other.SignedOut(); reason != "disabled" {
		t.Errorf("told %q", reason)
	}
	w.until("19 people", func(s webapi.DirectoryState) bool { return s.People == 19 })
	s.Move(s.DN("u000014"), "CN=Elsewhere", "CN=Users,"+s.Base) // out of the base
	w.until("18 people", func(s webapi.DirectoryState) bool { return s.People == 18 })
}

// claim: CC3
func TestCC3WhoCannotBeTakenInIsTold(t *testing.T) {
	large := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xff, 0xd8, 0xff, 0xe0}, 5<<20)) // 20 MB that begin as a JPEG
	special := `cn=Doe\, \"Jo\"\+\<x\>\;\\\#\=  é,ou=People,dc=example,dc=test`
	s := slapd.Start(t, slapd.Options{LDIF: strings.NewReader(baseEntries +
		entry(people("ann"), "ann", "Ann Archer", "mail: office@example.test") +
		entry(people("bob"), "bob", "Bob Baker", "mail: Office@example.test") +
		entry(people("cleo"), "cleo", "Cleo Cook", "jpegPhoto:: "+large))})
	s.Add(special, map[string][]string{"objectClass": {"inetOrgPerson"}, "cn": {`Doe, "Jo"+<x>;\#=  é`}, "sn": {"Doe"}, "uid": {"jo"}})
	s.Set(people("cleo"), "manager", special)
	w := follow(t, overSlapd(s))
	state := w.untilCompared()
	if state.People != 3 || len(state.Problems) != 2 {
		t.Fatalf("after the first comparison: %+v", state)
	}
	for i, want := range []string{"uid=bob", "uid=cleo"} {
		if !strings.HasPrefix(state.Problems[i].DN, want) {
			t.Errorf("problem %d: %+v", i, state.Problems[i])
		}
	}
	card := w.card("cleo@example.test")
	if card.Photo != "" || card.Manager == nil || card.Manager.DisplayName != `Doe, "Jo"+<x>;\#= é` && card.Manager.DisplayName != `Doe, "Jo"+<x>;\#=  é` {
		t.Errorf("Cleo's card: %+v, manager %+v", card, card.Manager)
	}
	// The second one with an address comes in as soon as the first gives it up.
	s.Set(people("ann"), "mail", "ann@example.test")
	w.untilFound("bob", "Bob Baker")
	w.until("one problem", func(s webapi.DirectoryState) bool { return len(s.Problems) == 1 && s.People == 4 })
	if card := w.card("office@example.test"); card.DisplayName != "Bob Baker" {
		t.Errorf("the address is %s's", card.DisplayName)
	}
}

// claim: CC3
func TestCC3NobodyGoesByMistake(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 60, SizeLimit: 30, NoPages: true})
	change := func(*server.Config) {}
	w := follow(t, overSlapd(s), func(c *server.Config) { change(c) })
	w.untilCompared()
	for _, test := range []struct {
		name, problem string
		change        func(*server.Config)
	}{
		{"a limit without pages", "directory.size-limit", func(c *server.Config) { c.LDAP.BindDN, c.LDAP.BindPassword = "", "" }},
		{"a base that does not exist", "directory.no-base", func(c *server.Config) { c.LDAP.PeopleBases = []string{"ou=Nowhere," + s.Base} }},
		{"a certificate of somebody else", "directory.certificate", func(c *server.Config) { c.LDAP.CA = certs.New(t).File }},
		{"a wrong password", "directory.refused", func(c *server.Config) { c.LDAP.BindPassword = "wrong" }},
		{"a group that does not exist", "directory.no-group", func(c *server.Config) { c.LDAP.Users = []string{"cn=Nobody," + s.Base} }},
		{"a base with nobody below it", "directory.held-back", func(c *server.Config) { c.LDAP.PeopleBases = []string{"ou=Groups," + s.Base} }},
		{"a filter that finds few", "directory.held-back", func(c *server.Config) { c.LDAP.PeopleFilter = "(uid=u00000*)" }},
	} {
		w.Stop()
		change = test.change
		w.Restart()
		state := w.until(test.problem, func(s webapi.DirectoryState) bool { return s.Problem == test.problem })
		if state.People != 60 {
			t.Errorf("%s: %d people are left: %+v", test.name, state.People, state)
		}
	}
	if err := w.Control().SyncDirectory(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	before := w.state().LastFull
	w.until("another comparison", func(s webapi.DirectoryState) bool { return s.LastFull != before })
	if state := w.state(); state.People != 60 || state.Detail != "50" {
		t.Errorf("without the operator's word %+v", state)
	}
	if err := w.Control().SyncDirectory(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	w.until("ten people", func(s webapi.DirectoryState) bool { return s.People == 10 && s.Problem == "" })
}

// claim: AC3
func TestAC3GroupsOfTheDirectoryDecide(t *testing.T) {
	s := slapd.Start(t, slapd.Options{LDIF: strings.NewReader(baseEntries +
		entry(people("ann"), "ann", "Ann Archer") + entry(people("bob"), "bob", "Bob Baker") + entry(people("cleo"), "cleo", "Cleo Cook"))})
	group := func(name string, members ...string) string {
		dn := "cn=" + name + "," + s.Base
		s.Add(dn, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {name}, "member": members})
		return dn
	}
	admins := group("Administrators", people("bob"))
	inside := group("Inside", people("ann"), people("bob"))
	users := group("Users", inside)
	w := follow(t, overSlapd(s), func(c *server.Config) { c.LDAP.Users, c.LDAP.Administrators = []string{users}, []string{admins} })
	w.untilCompared()
	ann, bob := w.signIn("ann"), w.signIn("bob")
	administers := func(d *parleytest.Device) bool { return d.Ask("GET", "/api/admin/directory", nil).Status == 200 }
	if administers(ann) || !administers(bob) {
		t.Errorf("Ann administers: %v, Bob: %v", administers(ann), administers(bob))
	}
	s.Set(admins, "member", people("ann"))
	eventually(t, "Ann administers and Bob does not", func() bool { return administers(ann) && !administers(bob) })

	enters := func(login string) bool {
		return w.Ask("POST", "/api/session", parleytest.SignInAs(login, org.Password)).Status == 200
	}
	if enters("cleo") {
		t.Error("Cleo, who is in no group, signs in")
	}
	s.Set(inside, "member", people("bob"), people("cleo"))
	if reason := ann.SignedOut(); reason != "disabled" {
		t.Errorf("Ann is told %q", reason)
	}
	eventually(t, "Cleo signs in", func() bool { return enters("cleo") })
	if signedOut(t, bob) {
		t.Error("Bob, who stays, is signed out")
	}
	// A group that holds nobody would shut everybody out: it is taken for a mistake,
	// while everything else goes on.
	s.Set(users, "member", admins+"-none")
	w.until("nobody is in the group", func(s webapi.DirectoryState) bool { return s.Problem == "directory.nobody" })
	s.Set(people("bob"), "title", "Director")
	eventually(t, "Bob's title", func() bool { return w.card(bob.ID()).Title == "Director" })
	s.Add(people("dora"), map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {"dora"}, "cn": {"Dora Dean"}, "sn": {"Dean"}, "userPassword": {org.Password}})
	w.untilFound("dora", "Dora Dean")
	if signedOut(t, bob) || !enters("cleo") || enters("ann") || enters("dora") {
		t.Errorf("Bob is signed out: %v; Cleo enters: %v, Ann: %v, Dora: %v", signedOut(t, bob), enters("cleo"), enters("ann"), enters("dora"))
	}
	cleo := w.signIn("cleo")
	s.Set(people("cleo"), "pwdAccountLockedTime", "000001010000Z")
	if reason := cleo.SignedOut(); reason != "disabled" {
		t.Errorf("Cleo is told %q", reason)
	}
	w.Stop()
	w.Restart()
	s.Set(people("bob"), "title", "Clerk")
	eventually(t, "Bob's title after a restart", func() bool { return w.card(bob.ID()).Title == "Clerk" })
	if w.state().Problem != "directory.nobody" || signedOut(t, bob) || enters("ann") || enters("dora") {
		t.Errorf("after a restart %+v; Bob is signed out: %v; Ann enters: %v, Dora: %v", w.state(), signedOut(t, bob), enters("ann"), enters("dora"))
	}
	s.Set(users, "member", inside, people("dora"))
	eventually(t, "Dora signs in", func() bool { return enters("dora") })
	if state := w.state(); state.Problem != "" || signedOut(t, bob) || enters("ann") {
		t.Errorf("when the group holds somebody again %+v", state)
	}
}

// Another list of administrators takes the right from those of the list before at
// once, also while the directory is down, and gives it when the directory has said
// who is in it. The same list holds meanwhile.
//
// claim: AC3
func TestAC3AnotherListOfAdministrators(t *testing.T) {
	s := slapd.Start(t, slapd.Options{LDIF: strings.NewReader(baseEntries +
		entry(people("ann"), "ann", "Ann Archer") + entry(people("bob"), "bob", "Bob Baker"))})
	group := func(name, member string) string {
		dn := "cn=" + name + "," + s.Base
		s.Add(dn, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {name}, "member": {people(member)}})
		return dn
	}
	before, since := group("Before", "bob"), group("Since", "ann")
	list := []string{before}
	w := follow(t, overSlapd(s), func(c *server.Config) { c.LDAP.Administrators = list })
	w.untilCompared()
	ann, bob := w.signIn("ann"), w.signIn("bob")
	administers := func(d *parleytest.Device) bool { return d.Ask("GET", "/api/admin/directory", nil).Status == 200 }
	s.Stop()
	w.Restart()
	if administers(ann) || !administers(bob) {
		t.Errorf("with the same list Ann administers: %v, Bob: %v", administers(ann), administers(bob))
	}
	list = []string{since}
	w.Restart()
	if administers(ann) || administers(bob) {
		t.Errorf("before the directory answers Ann administers: %v, Bob: %v", administers(ann), administers(bob))
	}
	s.Restart()
	eventually(t, "Ann administers", func() bool { return administers(ann) })
	if administers(bob) {
		t.Error("Bob still administers")
	}
}
