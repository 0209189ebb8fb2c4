package directory

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"parley"
)

// telling is a replica with what its streams tell, and what the directory says when
// it is asked who is still there: by default nobody.
type telling struct {
	*replica
	t     *testing.T
	there map[string]bool
}

func newTelling(t *testing.T, people, groups []string) telling {
	l, err := NewLDAP(LDAPConfig{
		Servers: []string{"ldap://127.0.0.1"}, Mapping: DefaultMapping("example.test"), PeopleBases: people, GroupBases: groups,
		Dial: noDial,
	})
	if err != nil {
		t.Fatal(err)
	}
	x := &Session{sync: NewSync(l, SyncConfig{}), Kind: KindOpenLDAP}
	r := telling{newReplica(x, []byte("old")), t, map[string]bool{}}
	r.confirm = func(_ context.Context, people, groups []string, c *Changes) error {
		for _, source := range people {
			if r.there[source] {
				c.People = append(c.People, Found{Entry: Entry{Person: parley.Person{SourceID: source, Title: "as it is"}}})
			}
		}
		for _, source := range groups {
			if r.there[source] {
				c.Groups = append(c.Groups, Group{SourceID: source})
			}
		}
		return nil
	}
	return r
}

// state is what comes with an entry.
func state(of ldap.ControlSyncStateState, n byte, cookie string) *ldap.ControlSyncState {
	s := &ldap.ControlSyncState{State: of, Cookie: []byte(cookie)}
	s.EntryUUID[15] = n
	return s
}

// id is the SourceID of an entry.
func id(n byte) string { return state(0, n, "").EntryUUID.String() }

func (r telling) entry(of int, is ldap.ControlSyncStateState, n byte, cookie string) {
	r.t.Helper()
	e := ldap.NewEntry("uid="+id(n)+",dc=x", map[string][]string{
		"objectClass": {"inetOrgPerson"}, "uid": {id(n)}, "cn": {"N"}, "entryUUID": {id(n)},
	})
	if r.streams[of].groups {
		e = ldap.NewEntry("cn="+id(n)+",dc=x", map[string][]string{"objectClass": {"groupOfNames"}, "cn": {"G"}, "entryUUID": {id(n)}})
	}
	if err := r.take(item{of: of, entry: e, state: state(is, n, cookie)}); err != nil {
		r.t.Fatal(err)
	}
}

func (r telling) inform(of int, info ldap.ControlSyncInfo) {
	r.t.Helper()
	if err := r.take(item{of: of, info: &info}); err != nil {
		r.t.Fatal(err)
	}
}

func (r telling) idSet(of int, deletes bool, list ...byte) {
	set := &ldap.ControlSyncInfoSyncIdSet{RefreshDeletes: deletes}
	for _, n := range list {
		set.SyncUUIDs = append(set.SyncUUIDs, state(0, n, "").EntryUUID)
	}
	r.inform(of, ldap.ControlSyncInfo{SyncIdSet: set})
}

func (r telling) present(of int, done bool, cookie string) {
	r.inform(of, ldap.ControlSyncInfo{RefreshPresent: &ldap.ControlSyncInfoRefreshPresent{RefreshDone: done, Cookie: []byte(cookie)}})
}

func (r telling) deleted(of int, cookie string) {
	r.inform(of, ldap.ControlSyncInfo{RefreshDelete: &ldap.ControlSyncInfoRefreshDelete{RefreshDone: true, Cookie: []byte(cookie)}})
}

func (r telling) told() Changes {
	r.t.Helper()
	c, err := r.changes(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// A server that does not remember deletions names everybody who is there.
func TestRefreshByWhoIsThere(t *testing.T) {
	r := newTelling(t, []string{"dc=x"}, []string{"ou=g"})
	r.entry(0, ldap.SyncStatePresent, 1, "")
	r.idSet(0, false, 2, 3)
	r.entry(0, ldap.SyncStateModify, 4, "")
	if c := r.told(); c.EverybodyIs != nil || len(c.People) != 1 || string(c.Cursor) != "old" {
		t.Errorf("in the middle: %+v", c)
	}
	r.present(0, true, "new")
	c := r.told()
	if len(c.EverybodyIs) != 4 || !c.EverybodyIs[id(3)] || c.EveryGroupIs != nil || string(c.Cursor) != "old" {
		t.Errorf("at the end of one: %+v", c)
	}
	r.idSet(1, false, 9)
	r.present(1, true, "new")
	if c := r.told(); len(c.EveryGroupIs) != 1 || c.EverybodyIs != nil || string(c.Cursor) != "new" {
		t.Errorf("at the end of both: %+v", c)
	}
	r.entry(0, ldap.SyncStateAdd, 5, "newer")
	if c := r.told(); c.EverybodyIs != nil || len(c.People) != 1 || string(c.Cursor) != "new" {
		t.Errorf("after that: %+v", c)
	}
	r.inform(1, ldap.ControlSyncInfo{NewCookie: &ldap.ControlSyncInfoNewCookie{Cookie: []byte("newer")}})
	if c := r.told(); string(c.Cursor) != "newer" {
		t.Errorf("the cursor is %q", c.Cursor)
	}
}

// One that does names who was deleted; and nobody there at all is no answer.
func TestRefreshByWhoIsGone(t *testing.T) {
	r := newTelling(t, []string{"dc=x"}, []string{"ou=g"})
	r.entry(0, ldap.SyncStateAdd, 1, "")
	r.idSet(0, true, 2)
	r.deleted(0, "new")
	c := r.told()
	if c.EverybodyIs != nil || len(c.People) != 1 || !slices.Equal(c.Ended, []string{id(2)}) {
		t.Errorf("%+v", c)
	}
	r = newTelling(t, []string{"dc=x"}, nil)
	r.present(0, true, "new")
	if c := r.told(); c.EverybodyIs != nil {
		t.Errorf("nobody there: %+v", c)
	}
}

// Of two bases only one remembers deletions: who is missing is not known.
func TestRefreshInTwoWays(t *testing.T) {
	r := newTelling(t, []string{"ou=a", "ou=b"}, nil)
	r.idSet(0, false, 1)
	r.present(0, true, "new")
	r.deleted(1, "new")
	if c := r.told(); c.EverybodyIs != nil || string(c.Cursor) != "new" {
		t.Errorf("%+v", c)
	}
}

// The last word of an entry holds, in whichever order.
func TestLastWordHolds(t *testing.T) {
	r := newTelling(t, []string{"dc=x"}, []string{"ou=g"})
	r.entry(0, ldap.SyncStateAdd, 1, "")
	r.entry(0, ldap.SyncStateDelete, 1, "")
	r.entry(0, ldap.SyncStateDelete, 2, "")
	r.entry(0, ldap.SyncStateAdd, 2, "")
	r.entry(1, ldap.SyncStateAdd, 7, "")
	r.entry(1, ldap.SyncStateDelete, 7, "")
	c := r.told()
	if len(c.People) != 1 || c.People[0].Entry.Person.SourceID != id(2) || len(c.Groups) != 0 ||
		!slices.Equal(c.Ended, []string{id(1)}) || !slices.Equal(c.EndedGroups, []string{id(7)}) {
		t.Errorf("%+v", c)
	}
}

// What a stream calls deleted may be what it never searched.
func TestAnEndIsOneOfItsOwnStream(t *testing.T) {
	r := newTelling(t, []string{"ou=a", "ou=b"}, []string{"ou=g"})
	r.entry(0, ldap.SyncStateModify, 1, "") // changed below a
	r.idSet(1, true, 1)                     // so not below b
	r.idSet(2, true, 1, 2)                  // and no group
	r.idSet(1, true, 2)
	r.entry(0, ldap.SyncStateModify, 2, "") // likewise, told the other way round
	r.entry(2, ldap.SyncStateModify, 7, "")
	r.idSet(0, true, 7, 3) // the group is nobody, and somebody has gone
	r.entry(0, ldap.SyncStateModify, 4, "")
	r.entry(0, ldap.SyncStateDelete, 4, "") // moved from a
	r.entry(1, ldap.SyncStateAdd, 4, "")    // to b
	c := r.told()
	var people []string
	for _, p := range c.People {
		people = append(people, p.Entry.Person.SourceID)
	}
	if slices.Sort(people); !slices.Equal(people, []string{id(1), id(2), id(4)}) || !slices.Equal(c.Ended, []string{id(3), id(7)}) {
		t.Errorf("people %v, ended %v", people, c.Ended)
	}
	if len(c.Groups) != 1 || c.Groups[0].SourceID != id(7) || !slices.Equal(c.EndedGroups, []string{id(1), id(2)}) {
		t.Errorf("groups %+v, ended %v", c.Groups, c.EndedGroups)
	}
}

// Who is said to have ended and is there is told of as they are.
func TestAnEndIsConfirmed(t *testing.T) {
	r := newTelling(t, []string{"ou=a", "ou=b"}, []string{"ou=g"})
	r.there[id(1)], r.there[id(7)] = true, true
	r.idSet(0, true, 1, 2)
	r.idSet(2, true, 7, 8)
	c := r.told()
	if len(c.People) != 1 || c.People[0].Entry.Person.Title != "as it is" || !slices.Equal(c.Ended, []string{id(2)}) {
		t.Errorf("people %+v, ended %v", c.People, c.Ended)
	}
	if len(c.Groups) != 1 || c.Groups[0].SourceID != id(7) || !slices.Equal(c.EndedGroups, []string{id(8)}) {
		t.Errorf("groups %+v, ended %v", c.Groups, c.EndedGroups)
	}
	r.entry(0, ldap.SyncStateDelete, 3, "")
	r.confirm = func(context.Context, []string, []string, *Changes) error { return ErrNoBase }
	if _, err := r.changes(t.Context()); !errors.Is(err, ErrNoBase) {
		t.Errorf("a directory that does not say: %v", err)
	}
}

// Who is added below one base while another one still says who is there does not
// miss.
func TestAddedDuringARefresh(t *testing.T) {
	r := newTelling(t, []string{"ou=a", "ou=b"}, nil)
	r.idSet(0, false, 1)
	r.present(0, true, "new")
	r.entry(0, ldap.SyncStateAdd, 2, "")
	r.told()
	r.idSet(1, false, 3)
	r.present(1, true, "new")
	if c := r.told(); len(c.EverybodyIs) != 3 || !c.EverybodyIs[id(2)] {
		t.Errorf("%+v", c.EverybodyIs)
	}
}

func TestPollCursors(t *testing.T) {
	for _, cursor := range []string{"", "{", `{"usn": "x"}`, `{"server": "dc2", "usn": 5}`} {
		x := &Session{Server: "dc1", Kind: KindAD}
		if _, err := x.polled(t.Context(), []byte(cursor)); err != ErrResync {
			t.Errorf("%q: %v", cursor, err)
		}
	}
}

func TestRanges(t *testing.T) {
	for _, test := range []struct {
		name string
		want valueRange
		ok   bool
	}{
		{"member;range=0-1499", valueRange{from: 0, to: 1499}, true},
		{"member;range=1500-*", valueRange{from: 1500, last: true}, true},
		{"Member;Range=3000-4499", valueRange{from: 3000, to: 4499}, true},
		{"member", valueRange{}, false},
		{"member;range=", valueRange{}, false},
		{"member;range=5-4", valueRange{}, false},
		{"member;range=-1-4", valueRange{}, false},
		{"member;range=0-99999999999999999999", valueRange{}, false},
		{"member;lang-de", valueRange{}, false},
	} {
		got, ok := parseRange(test.name)
		if ok != test.ok || ok && (got.from != test.want.from || got.to != test.want.to || got.last != test.want.last) {
			t.Errorf("%s: %+v %v", test.name, got, ok)
		}
	}
}

func FuzzParseRange(f *testing.F) {
	f.Add("member;range=0-1499")
	f.Add("member;range=1500-*")
	f.Fuzz(func(t *testing.T, name string) {
		if r, ok := parseRange(name); ok && (r.from < 0 || !r.last && r.to < r.from) {
			t.Errorf("%q: %+v", name, r)
		}
	})
}

// Whatever a server tells in whatever order, people that it calls deleted are not
// told of as there, and what is told is bounded by what came.
func FuzzSyncInfo(f *testing.F) {
	f.Add([]byte{0, 1, 1, 0, 2, 1, 3, 2})
	f.Add([]byte{4, 1, 5, 2, 6, 3, 7, 0})
	f.Fuzz(func(t *testing.T, words []byte) {
		r := newTelling(t, []string{"ou=a"}, []string{"ou=g"})
		last := map[string]bool{}
		for i := 0; i+1 < len(words) && i < 200; i += 2 {
			n := words[i+1]%8 + 1
			switch words[i] % 8 {
			case 0:
				r.entry(0, ldap.SyncStateAdd, n, "c")
				last[id(n)] = true
			case 1:
				r.entry(0, ldap.SyncStateDelete, n, "")
				last[id(n)] = false
			case 2:
				r.idSet(0, true, n)
				last[id(n)] = false
			case 3:
				r.idSet(0, false, n)
			case 4:
				r.present(0, n%2 == 0, "p")
			case 5:
				r.deleted(0, "d")
			case 6:
				r.entry(1, ldap.SyncStateModify, n+100, "")
			case 7:
				r.present(1, true, "g")
			}
		}
		c := r.told()
		if len(c.People)+len(c.Groups)+len(c.Ended)+len(c.EndedGroups) > len(words) {
			t.Errorf("%d words make %+v", len(words), c)
		}
		for _, p := range c.People {
			if n := p.Entry.Person.SourceID; !last[n] || slices.Contains(c.Ended, n) {
				t.Errorf("%s was deleted and is told of: %+v", n, c)
			}
		}
	})
}
