//go:build unix

package directory_test

import (
	"errors"
	"testing"
	"time"

	"parley/edge/directory"
	"parley/parleytest/certs"
	"parley/parleytest/org"
	"parley/parleytest/samba"
	"parley/parleytest/slapd"
)

// resyncs follows from the cursor and reports whether the first answer is that
// everything has to be compared.
func (f *following) resyncs() bool {
	f.t.Helper()
	f.again()
	defer f.stop()
	select {
	case first := <-f.changes:
		if first.err != nil {
			f.t.Logf("told: %v", first.err)
		}
		return errors.Is(first.err, directory.ErrResync)
	case <-time.After(20 * time.Second):
		f.t.Fatal("nothing is told")
	}
	return false
}

// A server that knows the control and lacks the overlay is asked for changes.
func TestOpenLDAPWithoutSyncprov(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 20, NoSyncrepl: true})
	f := open(t, ofSlapd(s), directory.SyncConfig{Interval: time.Second})
	x, err := f.sync.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if x.Mode != directory.ModeSyncrepl {
		t.Fatalf("this server does not claim to tell changes: %s", x.Mode)
	}
	if err := f.full(); err != nil || f.x.Mode != directory.ModePoll {
		t.Fatalf("by %s, %v", f.x.Mode, err)
	}
	f.follow()
	one := f.some(t)
	s.Set(one.DN, "title", "Changed")
	f.until("a title", func() bool { return f.people[one.Person.SourceID].Person.Title == "Changed" })
	f.stop()
	s.Stop()
	s.Restart()
	if f.resyncs() || f.x.Mode != directory.ModePoll {
		t.Errorf("after a break everything is compared, by %s", f.x.Mode)
	}
}

// A cursor is one of the server that gave it: its copy may be behind.
func TestAnotherServerAnswers(t *testing.T) {
	authority := certs.New(t)
	s := slapd.Start(t, slapd.Options{People: 20, Authority: authority})
	other := slapd.Start(t, slapd.Options{LDIF: s.Export(), Authority: authority})
	for _, mode := range []directory.Mode{directory.ModeSyncrepl, directory.ModePoll} {
		t.Run(string(mode), func(t *testing.T) {
			c := ofSlapd(s)
			c.Servers = append(c.Servers, other.TLSURL)
			f := open(t, c, directory.SyncConfig{Mode: mode, Interval: time.Second})
			if err := f.full(); err != nil {
				t.Fatal(err)
			}
			f.follow()
			one := f.some(t)
			s.Set(one.DN, "title", "At "+string(mode)) // what the other one never learns
			f.until("a title", func() bool { return f.people[one.Person.SourceID].Person.Title == "At "+string(mode) })
			f.stop()
			s.Stop()
			defer s.Restart()
			if !f.resyncs() {
				t.Error("the other server goes on at the cursor of the first")
			}
			if err := f.full(); err != nil || f.people[one.Person.SourceID].Person.Title == "At "+string(mode) {
				t.Fatalf("compared with the other server: %v", err)
			}
			if f.follow(); f.x.Mode != mode {
				t.Errorf("by %s", f.x.Mode)
			}
			title := "Elsewhere " + string(mode)
			other.Set(one.DN, "title", title)
			f.until("a title at the other server", func() bool { return f.people[one.Person.SourceID].Person.Title == title })
		})
	}
}

// A database that was loaded anew knows nothing of the cursor: it says who is there.
// One that was restored from before the cursor refuses it, so everything is
// compared.
func TestOpenLDAPLoadedAnew(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 20})
	f := open(t, ofSlapd(s), directory.SyncConfig{Mode: directory.ModeSyncrepl})
	if err := f.full(); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	s.LoadAnew(slapd.Options{People: 10})
	s.Restart()
	f.again()
	f.until("ten people", func() bool { return len(f.people) == 10 })
	backup := s.Export()
	one := f.some(t)
	s.Set(one.DN, "title", "Lost")
	f.until("a title", func() bool { return f.people[one.Person.SourceID].Person.Title == "Lost" })
	f.stop()
	before := string(f.cursor)
	f.again() // of single changes only one of the searches learns how far the server is
	f.until("a later cursor", func() bool { return string(f.cursor) != before })
	f.stop()
	s.Stop()
	s.LoadAnew(slapd.Options{LDIF: backup})
	s.Restart()
	if !f.resyncs() {
		t.Error("the server goes on as if nothing had happened")
	}
	if err := f.full(); err != nil || f.people[one.Person.SourceID].Person.Title == "Lost" {
		t.Errorf("after the backup: %v", err)
	}
}

// References to other servers are passed over, and never followed.
func TestReferences(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 20})
	s.Add("ou=Away,ou=People,"+s.Base, map[string][]string{
		"objectClass": {"referral", "extensibleObject"}, "ou": {"Away"}, "ref": {"ldap://192.0.2.1/ou=Away,dc=elsewhere"},
	})
	for _, mode := range []directory.Mode{directory.ModeSyncrepl, directory.ModePoll} {
		f := open(t, ofSlapd(s), directory.SyncConfig{Mode: mode, Interval: time.Second})
		began := time.Now()
		if err := f.full(); err != nil || len(f.people) != 20 || f.x.Mode != mode {
			t.Fatalf("%d people by %s, %v", len(f.people), f.x.Mode, err)
		}
		f.follow()
		one := f.some(t)
		s.Set(one.DN, "title", string(mode))
		f.until("a title", func() bool { return f.people[one.Person.SourceID].Person.Title == string(mode) })
		if took := time.Since(began); len(f.people) != 20 || took > 10*time.Second {
			t.Errorf("%s: %d people after %v", mode, len(f.people), took)
		}
	}
}

// An account without the right to ask for changes asks what was changed.
func TestDirSyncRefused(t *testing.T) {
	s := samba.Start(t, samba.Options{People: 20})
	f := open(t, directory.LDAPConfig{
		Servers: []string{s.TLSURL}, RootCAs: s.Roots, BindDN: s.DN("u000001"), BindPassword: org.Password,
		PeopleBases: []string{"OU=People," + s.Base},
	}, directory.SyncConfig{Interval: time.Second})
	if err := f.full(); err != nil || f.x.Mode != directory.ModePoll || len(f.people) != 20 {
		t.Fatalf("%d people by %s, %v", len(f.people), f.x.Mode, err)
	}
	f.follow()
	one := f.some(t)
	s.Set(one.DN, "title", "Changed")
	f.until("a title", func() bool { return f.people[one.Person.SourceID].Person.Title == "Changed" })
	f.stop()
	if f.resyncs() || f.x.Mode != directory.ModePoll {
		t.Errorf("everything is compared again, by %s", f.x.Mode)
	}
}
