package account

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	in := attempt("  Anna@EXAMPLE.org ", annasPassword)
	in.DeviceName = "Anna's\tphone\x1b[31m"
	session, err := w.SignIn(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	d := session.Device
	want := parley.Actor{Kind: parley.ActorPerson, Person: anna, Device: d.ID, Class: parley.Mobile, Methods: []string{"pwd"}, AuthTime: d.AuthTime}
	if !reflect.DeepEqual(session.Actor, want) {
		t.Errorf("actor %+v, want %+v", session.Actor, want)
	}
	if d.ID == 0 || d.Name != "Anna's phone[31m" || session.Address != "anna@example.org" || len(session.HistoryKey) != 32 || session.Starts() != "waiting" {
		t.Errorf("session %+v of %q, starts %s", d, session.Address, session.Starts())
	}
	if !d.Expires.Equal(d.LastUsed.Add(w.rules.DeviceIdle)) {
		t.Errorf("expires %v, last used %v", d.Expires, d.LastUsed)
	}
	again, err := w.Session(t.Context(), session.Token)
	if err != nil || again.Actor.Device != d.ID || again.Token != "" {
		t.Errorf("session of the token: %+v, %v", again, err)
	}
	if got := w.takeEvents(); !reflect.DeepEqual(got, []parley.Event{parley.DeviceSignedIn{Person: anna, Device: d.ID, From: 7}}) {
		t.Errorf("events %+v", got)
	}
	record := w.store.audit[0]
	if record.Action != parley.AuditSignedIn || record.Actor.Device != d.ID || record.Person != anna || record.Detail != "mobile" {
		t.Errorf("audit %+v", record)
	}
	for token := range w.store.devices {
		if strings.Contains(string(session.Token), string(w.store.devices[token].token[:])) {
			t.Error("the token itself is stored")
		}
	}
}

func TestSecondDeviceStartsAtHeadAndKeepsHistoryKeysApart(t *testing.T) {
	w := newWorld(t)
	first := w.signIn(t, "anna@example.org", annasPassword, 1)
	second := w.signIn(t, "anna@example.org", annasPassword, 2)
	if second.Starts() != "head" {
		t.Errorf("second device starts %s", second.Starts())
	}
	if slices.Equal(first.HistoryKey, second.HistoryKey) {
		t.Error("two installations share a history key")
	}
	w.takeEvents()
	back := w.signIn(t, "anna@example.org", annasPassword, 1)
	if !slices.Equal(first.HistoryKey, back.HistoryKey) {
		t.Error("signing in again on the same installation gives another history key")
	}
	want := parley.DevicesEnded{Person: anna, Devices: []parley.DeviceID{first.Device.ID}, Reason: parley.EndedReplaced}
	if events := w.takeEvents(); len(events) != 2 || !reflect.DeepEqual(events[1], parley.Event(want)) {
		t.Errorf("events %+v", events)
	}
	_, err := w.Session(t.Context(), first.Token)
	refused(t, err, parley.SignIn, "sign-in.required")
}

func TestMostDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.rules.MaxDevices = 2
		first := w.signIn(t, "anna@example.org", annasPassword, 1)
		pass(time.Second)
		w.signIn(t, "anna@example.org", annasPassword, 2)
		pass(time.Second)
		w.signIn(t, "anna@example.org", annasPassword, 3)
		_, err := w.Session(t.Context(), first.Token)
		refused(t, err, parley.SignIn, "sign-in.required")
		if devices, _ := w.Devices(t.Context(), parley.Actor{Kind: parley.ActorPerson, Person: anna, Device: 2}); len(devices) != 2 {
			t.Errorf("%d devices, want 2", len(devices))
		}
	})
}

// Every attempt that fails on the password costs one check and two questions to
// the store, and gets the very same answer, whoever the address belongs to.
func TestNoEnumeration(t *testing.T) {
	w := newWorld(t)
	w.store.person(11, "disabled@example.org", "D", hashOf("v2", "secret word"))
	w.store.people[11].Disabled = true
	w.store.person(12, "gone@example.org", "G", hashOf("v2", "secret word"))
	w.store.people[12].Gone = true
	w.store.person(13, "broken@example.org", "B", "no hash at all")

	var answers []error
	for _, address := range []string{
		"anna@example.org", "nobody@example.org", "nobody@elsewhere.example", "carla@example.org",
		"disabled@example.org", "gone@example.org", "broken@example.org",
	} {
		_, before := w.hasher.count()
		_, err := w.SignIn(t.Context(), attempt(address, "wrong password"))
		hashed, after := w.hasher.count()
		if after-before != 1 || hashed != 1 { // the one hash is the dummy's
			t.Errorf("%s: %d checks, %d hashes made", address, after-before, hashed-1)
		}
		answers = append(answers, err)
	}
	refused(t, answers[0], parley.SignIn, "sign-in.wrong")
	for i, err := range answers {
		if err != answers[0] {
			t.Errorf("answer %d is %v, another one than %v", i, err, answers[0])
		}
	}
	for _, address := range []string{"disabled@example.org", "gone@example.org"} {
		_, err := w.SignIn(t.Context(), attempt(address, "secret word"))
		refused(t, err, parley.Forbidden, "sign-in.disabled")
	}
	if len(w.store.devices) != 0 {
		t.Errorf("%d devices were added", len(w.store.devices))
	}
}

func TestSignInRefusesBadInput(t *testing.T) {
	tests := []struct {
		name, field string
		bend        func(*SignIn)
	}{
		{"no address", "address", func(in *SignIn) { in.Address = "" }},
		{"address without domain", "address", func(in *SignIn) { in.Address = "anna" }},
		{"no password", "password", func(in *SignIn) { in.Password = "" }},
		{"huge password", "password", func(in *SignIn) { in.Password = parley.Secret(strings.Repeat("x", 1025)) }},
		{"control character", "password", func(in *SignIn) { in.Password = "a\x00b" }},
		{"no installation", "installation", func(in *SignIn) { in.Installation = "" }},
		{"no class", "device_class", func(in *SignIn) { in.Class = 0 }},
		{"unknown class", "device_class", func(in *SignIn) { in.Class = 3 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			in := attempt("anna@example.org", annasPassword)
			test.bend(&in)
			_, err := w.SignIn(t.Context(), in)
			refusal, ok := errors.AsType[*parley.Error](err)
			if !ok || refusal.Kind != parley.Invalid || refusal.Field != test.field {
				t.Errorf("got %v, want Invalid for %s", err, test.field)
			}
			if _, checks := w.hasher.count(); checks != 0 {
				t.Error("a password was checked")
			}
		})
	}
}

// fail makes n attempts with a wrong password and returns the first answer that
// is not "wrong", with the number of attempts before it.
func (w *world) fail(t *testing.T, n int, next func(i int) SignIn) (int, error) {
	t.Helper()
	for i := range n {
		if _, err := w.SignIn(t.Context(), next(i)); err != errWrong {
			return i, err
		}
	}
	return n, nil
}

func TestFailuresAreLimited(t *testing.T) {
	networks := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	tests := []struct {
		name  string
		limit int
		next  func(i int) SignIn
	}{
		{"one address from one network", 10, func(int) SignIn { return attempt("anna@example.org", "wrong") }},
		{"an unknown address likewise", 10, func(int) SignIn { return attempt("nobody@example.org", "wrong") }},
		{"one address in other spellings", 10, func(i int) SignIn {
			return attempt([]string{"anna@example.org", "ANNA@example.org", " anna@EXAMPLE.ORG."}[i%3], "wrong")
		}},
		{"one address from one IPv6 subscriber", 10, func(i int) SignIn {
			in := attempt("anna@example.org", "wrong")
			in.Network = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})
			return in
		}},
		{"one address from mapped and plain IPv4", 10, func(i int) SignIn {
			in := attempt("anna@example.org", "wrong")
			in.Network = []netip.Addr{home, netip.AddrFrom16(home.As16())}[i%2]
			return in
		}},
		{"one address from everywhere", 100, func(i int) SignIn {
			in := attempt("anna@example.org", "wrong")
			in.Network = networks(i)
			return in
		}},
		{"one network for every address", 100, func(i int) SignIn {
			return attempt("user"+parley.PersonID(i).String()+"@example.org", "wrong")
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				n, err := w.fail(t, 200, test.next)
				if n != test.limit {
					t.Errorf("limited after %d failures, want %d", n, test.limit)
				}
				refused(t, err, parley.TooMany, "sign-in.too-many")
				refusal, _ := errors.AsType[*parley.Error](err)
				if refusal.RetryAfter != 15*time.Minute {
					t.Errorf("retry after %v", refusal.RetryAfter)
				}
				if _, checks := w.hasher.count(); checks != test.limit {
					t.Errorf("%d checks, want %d: a limited attempt must not hash", checks, test.limit)
				}
				pass(15 * time.Minute)
				if _, err := w.SignIn(t.Context(), test.next(0)); err != errWrong {
					t.Errorf("after the window: %v", err)
				}
			})
		})
	}
}

func TestSuccessIsNotLimitedAndClears(t *testing.T) {
	w := newWorld(t)
	wrong := func(int) SignIn { return attempt("anna@example.org", "wrong") }
	for range 8 {
		if n, err := w.fail(t, 9, wrong); n != 9 {
			t.Fatalf("limited after %d: %v", n, err)
		}
		w.signIn(t, "anna@example.org", annasPassword, 1)
	}
	for range 200 { // successes alone never count
		w.signIn(t, "boris@example.org", borisPassword, 1)
	}
}

func TestFailuresElsewhereDoNotLockOut(t *testing.T) {
	w := newWorld(t)
	if n, _ := w.fail(t, 20, func(int) SignIn { return attempt("anna@example.org", "wrong") }); n != 10 {
		t.Fatalf("limited after %d", n)
	}
	in := attempt("anna@example.org", annasPassword)
	in.Network = office
	if _, err := w.SignIn(t.Context(), in); err != nil {
		t.Errorf("from another network: %v", err)
	}
}

func TestAttemptsAtOnceStayWithinTheLimit(t *testing.T) {
	for _, checkers := range []int{1, 16} { // waiting for one slot, and all at work
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(c *Config) { c.Checkers = checkers })
			w.hasher.block = make(chan struct{})
			results := make(chan error)
			for range 50 {
				go func() {
					_, err := w.SignIn(t.Context(), attempt("anna@example.org", "wrong"))
					results <- err
				}()
			}
			synctest.Wait()
			close(w.hasher.block)
			for range 50 {
				<-results
			}
			if _, checks := w.hasher.count(); checks != 10 {
				t.Errorf("%d checkers: %d checks, want 10", checkers, checks)
			}
		})
	}
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Checkers = 1 })
		w.hasher.block = make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error)
		address := func(i int) string { return "user" + parley.PersonID(i).String() + "@example.org" }
		try := func(i int) {
			in := attempt(address(i), "wrong")
			in.Network = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
			_, err := w.SignIn(ctx, in)
			results <- err
		}
		for i := range 1 + waitingPerChecker { // one at work, the rest waiting
			go try(i)
			synctest.Wait()
		}
		go try(1000)
		err := <-results
		refused(t, err, parley.Unavailable, "sign-in.busy")
		if refusal, _ := errors.AsType[*parley.Error](err); refusal.RetryAfter < 5*time.Second {
			t.Errorf("retry after %v", refusal.RetryAfter)
		}
		cancel() // whoever waits leaves with their request
		for range waitingPerChecker {
			refused(t, <-results, parley.Unavailable, "sign-in.busy")
		}
		close(w.hasher.block)
		if err := <-results; err != errWrong {
			t.Errorf("the one at work: %v", err)
		}
	})
}

func TestOutdatedHashIsRenewed(t *testing.T) {
	w := newWorld(t)
	w.store.hashes[anna] = hashOf("v1", annasPassword)
	if _, err := w.SignIn(t.Context(), attempt("anna@example.org", "wrong")); err != errWrong {
		t.Fatal(err)
	}
	if w.store.hashes[anna] != hashOf("v1", annasPassword) {
		t.Error("renewed by a wrong password")
	}
	other := w.signIn(t, "anna@example.org", annasPassword, 2)
	if w.store.hashes[anna] != hashOf("v2", annasPassword) {
		t.Error("not renewed")
	}
	w.signIn(t, "anna@example.org", annasPassword, 1)
	if _, err := w.Session(t.Context(), other.Token); err != nil {
		t.Errorf("renewing the hash ended a device: %v", err)
	}
}

// Whoever renews a hash must not bring back a password that was changed
// meanwhile.
func TestRenewalRacingWithAChange(t *testing.T) {
	w := newWorld(t)
	w.store.hashes[anna] = hashOf("v1", annasPassword)
	w.store.beforeSet = func() { w.store.hashes[anna] = hashOf("v2", "another password") }
	_, err := w.SignIn(t.Context(), attempt("anna@example.org", annasPassword))
	refused(t, err, parley.SignIn, "sign-in.wrong")
	if w.store.hashes[anna] != hashOf("v2", "another password") {
		t.Error("the old password is back")
	}
}

func TestRenewalThatCannotBeStored(t *testing.T) {
	w := newWorld(t)
	w.store.hashes[anna] = hashOf("v1", annasPassword)
	w.store.failSet = errors.New("the store is read-only")
	w.signIn(t, "anna@example.org", annasPassword, 1)
}

func TestSignInRacingWithAChange(t *testing.T) {
	tests := []struct {
		name   string
		change func(*world) error
		want   string
	}{
		{"of the password", func(w *world) error { return w.SetPassword(context.Background(), admin, anna, "another password") }, "sign-in.wrong"},
		{"of the account", func(w *world) error { return w.Disable(context.Background(), admin, anna) }, "sign-in.disabled"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.store.beforeAdd = func() {
				if err := test.change(w); err != nil {
					t.Error(err)
				}
			}
			_, err := w.SignIn(t.Context(), attempt("anna@example.org", annasPassword))
			if refusal, ok := errors.AsType[*parley.Error](err); !ok || refusal.Key != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if len(w.store.devices) != 0 {
				t.Error("a device was left behind")
			}
		})
	}
}

func TestStoreFailureIsNotARefusal(t *testing.T) {
	w := newWorld(t)
	w.store.fail = &parley.Error{Kind: parley.Full, Key: "store.full"}
	for range 30 {
		_, err := w.SignIn(t.Context(), attempt("anna@example.org", "wrong"))
		refused(t, err, parley.Full, "store.full")
	}
}

func TestNewAuthorityRefusesABadDomain(t *testing.T) {
	if _, err := NewAuthority(Config{Hasher: &fakeHasher{}, Domains: []string{"exa mple"}}); err == nil {
		t.Error("accepted")
	}
}

func TestServed(t *testing.T) {
	w := newWorld(t)
	for domain, want := range map[string]bool{
		"example.org": true, "EXAMPLE.ORG.": true, "bücher.example": true, "xn--bcher-kva.example": true,
		"example.com": false, "sub.example.org": false, "": false, "a b": false,
	} {
		if w.Served(domain) != want {
			t.Errorf("%q served: %v", domain, !want)
		}
	}
}
