//go:build unix

package directory_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/edge/directory"
	"parley/parleytest/samba"
	"parley/parleytest/slapd"
)

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// following is a Sync over a real directory, with what it has told so far.
type following struct {
	t       *testing.T
	sync    *directory.Sync
	x       *directory.Session
	cursor  []byte
	people  map[string]directory.Entry // by SourceID
	groups  map[string]directory.Group
	changes chan told
	stop    func()
}

type told struct {
	directory.Changes
	err error
}

func open(t *testing.T, c directory.LDAPConfig, s directory.SyncConfig) *following {
	t.Helper()
	if c.Mapping.SourceID == nil {
		c.Mapping = directory.DefaultMapping("example.test")
	}
	c.Dial = dial
	l, err := directory.NewLDAP(c)
	if err != nil {
		t.Fatal(err)
	}
	return &following{t: t, sync: directory.NewSync(l, s)}
}

// full reads everything over a new connection.
func (f *following) full() error {
	f.t.Helper()
	x, err := f.sync.Open(f.t.Context())
	if err != nil {
		return err
	}
	f.t.Cleanup(x.Close)
	f.x, f.people, f.groups = x, map[string]directory.Entry{}, map[string]directory.Group{}
	mark, err := x.Mark(f.t.Context())
	if err != nil {
		return err
	}
	groups, err := x.Groups(f.t.Context())
	if err != nil {
		return err
	}
	for _, g := range groups {
		f.groups[g.SourceID] = g
	}
	for entry, err := range x.People(f.t.Context()) {
		if _, one := errors.AsType[*directory.RecordError](err); err != nil && !one {
			return err
		}
		f.people[entry.Person.SourceID] = entry
	}
	f.cursor = x.Cursor(mark)
	return nil
}

func (f *following) follow() {
	ctx, cancel := context.WithCancel(f.t.Context())
	f.changes = make(chan told, 1000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for c, err := range f.x.Changes(ctx, f.cursor) {
			f.changes <- told{c, err}
		}
	}()
	f.stop = func() { cancel(); <-ended }
	f.t.Cleanup(f.stop)
}

// until takes changes in until something is true of what is known.
func (f *following) until(what string, holds func() bool) {
	f.t.Helper()
	limit := time.After(20 * time.Second)
	for !holds() {
		select {
		case c := <-f.changes:
			if c.err != nil {
				f.t.Fatalf("%s: %v", what, c.err)
			}
			f.take(c.Changes)
		case <-limit:
			f.t.Fatalf("%s: not told", what)
		}
	}
}

func (f *following) take(c directory.Changes) {
	for id := range f.people {
		if c.EverybodyIs != nil && !c.EverybodyIs[id] {
			delete(f.people, id)
		}
	}
	for _, id := range c.Ended {
		delete(f.people, id)
	}
	for id := range f.groups {
		if c.EveryGroupIs != nil && !c.EveryGroupIs[id] {
			delete(f.groups, id)
		}
	}
	for _, id := range c.EndedGroups {
		delete(f.groups, id)
	}
	for _, p := range c.People {
		f.people[p.Entry.Person.SourceID] = p.Entry
	}
	for _, g := range c.Groups {
		f.groups[g.SourceID] = g
	}
	f.cursor = c.Cursor
}

func (f *following) by(alias string) (directory.Entry, bool) {
	for _, e := range f.people {
		if e.Person.Alias == alias {
			return e, true
		}
	}
	return directory.Entry{}, false
}

func (f *following) group(name string) directory.Group {
	for _, g := range f.groups {
		if g.Name == name {
			return g
		}
	}
	return directory.Group{}
}

func ofSlapd(s *slapd.Server) directory.LDAPConfig {
	return directory.LDAPConfig{Servers: []string{s.TLSURL}, RootCAs: s.Roots, BindDN: s.Admin, BindPassword: "admin secret"}
}

func TestFollowingOpenLDAP(t *testing.T) {
	for _, mode := range []directory.Mode{directory.ModeSyncrepl, directory.ModePoll} {
		t.Run(string(mode), func(t *testing.T) {
			s := slapd.Start(t, slapd.Options{People: 1100})
			c := ofSlapd(s)
			c.BindDN, c.BindPassword = "", "" // limits hold for it
			f := open(t, c, directory.SyncConfig{Mode: mode, Interval: time.Second})
			if err := f.full(); err != nil {
				t.Fatal(err)
			}
			if len(f.people) != 1100 || len(f.groups) == 0 || f.x.Mode != mode || f.x.Kind != directory.KindOpenLDAP {
				t.Fatalf("%d people, %d groups, by %s of %s", len(f.people), len(f.groups), f.x.Mode, f.x.Kind)
			}
			f.follow()
			one, two := f.some(t), ""
			s.Set(one.DN, "title", "Changed")
			f.until("a title", func() bool { return f.people[one.Person.SourceID].Person.Title == "Changed" })
			s.Add("uid=new,"+s.Base, map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {"new"}, "cn": {"New"}, "sn": {"New"}})
			f.until("somebody new", func() bool { e, ok := f.by("new"); two = e.Person.SourceID; return ok })
			s.Add("ou=Elsewhere,"+s.Base, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"Elsewhere"}})
			s.Move("uid=new,"+s.Base, "uid=newer", "ou=Elsewhere,"+s.Base)
			f.until("a move", func() bool { return f.people[two].DN == "uid=newer,ou=elsewhere,"+s.Base })
			s.Add("cn=Few,"+s.Base, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {"Few"}, "member": {one.DN}})
			f.until("a group", func() bool { return slices.Equal(f.group("Few").Members, []string{one.DN}) && f.group("Few").Listed })
			if mode == directory.ModePoll {
				return // it cannot see who is deleted
			}
			s.Delete("uid=newer,ou=Elsewhere," + s.Base)
			f.until("a deletion", func() bool { _, ok := f.people[two]; return !ok })
			f.stop()
			// What happens while nobody listens is told afterwards, deletions too.
			s.Delete(one.DN)
			delete(f.people, one.Person.SourceID)
			other := f.some(t)
			f.people[one.Person.SourceID] = one
			s.Set(other.DN, "title", "Meanwhile")
			f.again()
			f.until("what happened meanwhile", func() bool {
				_, ok := f.people[one.Person.SourceID]
				return !ok && f.people[other.Person.SourceID].Person.Title == "Meanwhile"
			})
			if len(f.people) != 1099 {
				t.Errorf("%d people", len(f.people))
			}
		})
	}
}

// What happened while the server was away is told, and nothing else: a server
// names as deleted whatever has changed and does not match the search.
func TestResumingAtOpenLDAP(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 120})
	c := ofSlapd(s)
	c.PeopleBases, c.GroupBases = []string{"ou=People," + s.Base, "ou=Others," + s.Base}, []string{"ou=Groups," + s.Base}
	s.Add("ou=Others,"+s.Base, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"Others"}})
	for i := range 30 {
		name := fmt.Sprint("g", i)
		s.Add("cn="+name+",ou=Groups,"+s.Base, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {name}, "member": {s.Admin}})
	}
	f := open(t, c, directory.SyncConfig{Required: []string{"cn=g28,ou=Groups," + s.Base, "cn=alone," + s.Base}})
	s.Add("cn=alone,"+s.Base, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {"alone"}, "member": {s.Admin}})
	if err := f.full(); err != nil {
		t.Fatal(err)
	}
	people := slices.SortedFunc(slices.Values(f.all()), func(a, b directory.Entry) int { return cmpText(b.Person.Alias, a.Person.Alias) })
	number, groups := len(f.people), len(f.groups)
	for i := range 20 {
		s.Stop()
		s.Restart()
		now := fmt.Sprint("Round ", i)
		gone, moved, changed := people[i], people[30], people[31:34]
		s.Delete(gone.DN)
		s.Delete(fmt.Sprint("cn=g", i, ",ou=Groups,", s.Base))
		for _, e := range changed {
			s.Set(e.DN, "title", now)
		}
		uid, ou := "uid="+moved.Person.Alias, []string{"Others", "People"}
		s.Move(fmt.Sprint(uid, ",ou=", ou[(i+1)%2], ",", s.Base), uid, fmt.Sprint("ou=", ou[i%2], ",", s.Base))
		for _, dn := range []string{"cn=g28,ou=Groups,", "cn=g29,ou=Groups,", "cn=alone,"} {
			s.Set(dn+s.Base, "description", now)
		}
		f.again()
		touched := map[string]bool{moved.Person.SourceID: true}
		for _, e := range changed {
			touched[e.Person.SourceID] = true
		}
		f.until(now, func() bool {
			for source := range touched {
				if _, there := f.people[source]; !there {
					t.Fatalf("round %d: somebody who has changed is gone", i)
				}
			}
			number, groups := number-i-1, groups-i-1
			return len(f.people) == number && len(f.groups) == groups && f.group("g28").Description == now && f.group("g29").Description == now &&
				f.group("alone").Description == now && !slices.ContainsFunc(changed, func(e directory.Entry) bool { return f.people[e.Person.SourceID].Person.Title != now }) &&
				f.people[moved.Person.SourceID].DN == strings.ToLower(fmt.Sprint(uid, ",ou=", ou[i%2], ",", s.Base))
		})
		if f.group("g28").SourceID == "" || f.group("alone").SourceID == "" {
			t.Fatalf("round %d: a group that has changed is gone", i)
		}
		f.stop()
	}
}

// again follows from the cursor over a new connection.
func (f *following) again() {
	f.t.Helper()
	x, err := f.sync.Open(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(x.Close)
	f.x = x
	f.follow()
}

func (f *following) all() []directory.Entry {
	var list []directory.Entry
	for _, e := range f.people {
		list = append(list, e)
	}
	return list
}

// some gives the person whose alias comes last in order, who is nobody's manager.
func (f *following) some(t *testing.T) directory.Entry {
	t.Helper()
	return slices.MaxFunc(f.all(), func(a, b directory.Entry) int { return cmpText(a.Person.Alias, b.Person.Alias) })
}

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// A server that does not page and gives a part only looks like no answer.
func TestSizeLimitIsNoAnswer(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 60, SizeLimit: 50, NoPages: true})
	c := ofSlapd(s)
	c.BindDN, c.BindPassword = "", ""
	f := open(t, c, directory.SyncConfig{})
	if err := f.full(); !errors.Is(err, directory.ErrSizeLimit) {
		t.Errorf("a search that was cut: %v", err)
	}
	c.GroupBases = []string{"ou=Groups," + s.Base}
	c.PeopleBases = []string{"ou=Nowhere," + s.Base}
	if err := open(t, c, directory.SyncConfig{}).full(); !errors.Is(err, directory.ErrNoBase) {
		t.Errorf("a base that does not exist: %v", err)
	}
	c.PeopleBases = c.GroupBases
	f = open(t, c, directory.SyncConfig{Required: []string{"cn=Nobody," + s.Base}})
	if err := f.full(); err != nil || len(f.people) != 0 || len(f.groups) == 0 {
		t.Errorf("a group that does not exist: %v, %d people, %d groups", err, len(f.people), len(f.groups))
	}
	if _, err := f.x.Group(t.Context(), "cn=Nobody,"+s.Base); !errors.Is(err, directory.ErrNoGroup) {
		t.Errorf("a group that does not exist: %v", err)
	}
}

func TestFollowingActiveDirectory(t *testing.T) {
	s := samba.Start(t, samba.Options{People: 20})
	for _, mode := range []directory.Mode{directory.ModeDirSync, directory.ModePoll} {
		t.Run(string(mode), func(t *testing.T) {
			c := directory.LDAPConfig{Servers: []string{s.TLSURL}, RootCAs: s.Roots, BindDN: s.Admin, BindPassword: "Passw0rd!"}
			f := open(t, c, directory.SyncConfig{Mode: mode, Interval: time.Second})
			if err := f.full(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d people, %d groups, by %s of %s, cursor %d bytes", len(f.people), len(f.groups), f.x.Mode, f.x.Kind, len(f.cursor))
			if len(f.people) == 0 || f.x.Mode != mode || f.x.Kind != directory.KindAD {
				t.Fatalf("%d people, %d groups, by %s of %s", len(f.people), len(f.groups), f.x.Mode, f.x.Kind)
			}
			f.follow()
			one := f.some(t)
			s.Set(one.DN, "title", "Changed "+string(mode))
			f.until("a title", func() bool { return f.people[one.Person.SourceID].Person.Title == "Changed "+string(mode) })
			if got, found, err := f.x.Person(t.Context(), one.Person.SourceID); err != nil || !found || got.DN != one.DN {
				t.Errorf("looking for one: %+v %v %v", got.DN, found, err)
			}
			s.Disable(one.Person.Alias, true)
			f.until("disabled", func() bool { return f.people[one.Person.SourceID].Person.Barred })
			s.Disable(one.Person.Alias, false)
			f.until("enabled", func() bool { return !f.people[one.Person.SourceID].Person.Barred })
			g := "CN=Few " + string(mode) + ",CN=Users," + s.Base
			s.Add(g, map[string][]string{"objectClass": {"group"}, "sAMAccountName": {"few" + string(mode)}, "member": {one.DN}, "mail": {"few@example.test"}})
			f.until("a group", func() bool { return slices.Equal(f.group("Few "+string(mode)).Members, []string{one.DN}) })
			if mode == directory.ModeDirSync {
				s.Delete(g)
				f.until("a deleted group", func() bool { return f.group("Few "+string(mode)).SourceID == "" })
				s.Delete(one.DN)
				f.until("a deletion", func() bool { _, ok := f.people[one.Person.SourceID]; return !ok })
			}
		})
	}
}
