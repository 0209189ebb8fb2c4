package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

// fakeDirectory knows some people by their logins.
type fakeDirectory struct {
	mu      sync.Mutex
	logins  map[string]string // source id by login, lower case
	answers map[string]error  // by source id: to the right password
	down    error             // what everything answers, if not nil
	checked []string          // source ids whose password was checked; "" for nobody
	asked   []string          // logins
}

const (
	dora          = parley.PersonID(21) // of the directory, and in the index
	dorasSource   = "5a9c0c9e-0000-4000-8000-000000000021"
	newSource     = "5a9c0c9e-0000-4000-8000-000000000022" // in the directory only
	directoryWord = "directory password"
)

func (d *fakeDirectory) Find(_ context.Context, login string) (Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if login != "" {
		d.asked = append(d.asked, login)
	}
	return fakeEntry{d, d.logins[strings.ToLower(login)]}, d.down
}

type fakeEntry struct {
	d      *fakeDirectory
	source string
}

func (e fakeEntry) SourceID() string { return e.source }

func (e fakeEntry) Check(_ context.Context, password parley.Secret) error {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	e.d.checked = append(e.d.checked, e.source)
	switch {
	case e.d.down != nil:
		return e.d.down
	case e.source == "" || password != directoryWord:
		return parley.Refuse(parley.SignIn, "sign-in.wrong")
	}
	return e.d.answers[e.source]
}

// take returns whose passwords were checked since the last call.
func (d *fakeDirectory) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	checked := d.checked
	d.checked, d.asked = nil, nil
	return checked
}

// newDirectoryWorld is a world with a directory, from which dora is.
func newDirectoryWorld(t *testing.T, change ...func(*Config)) (*world, *fakeDirectory) {
	d := &fakeDirectory{
		logins: map[string]string{
			"dora@example.org": dorasSource, `ex\dora`: dorasSource, "dora": dorasSource, "dora@forest.example": dorasSource,
			"dora of sales": dorasSource, "new@example.org": newSource, "anna@example.org": "somebody with anna's address",
		},
		answers: map[string]error{},
	}
	config := func(c *Config) { c.Directory, c.DefaultDomain = d, "example.org" }
	w := newWorld(t, append([]func(*Config){config}, change...)...)
	w.store.directoryPerson(dora, "dora@example.org", dorasSource)
	w.store.hashes[dora] = hashOf("v2", "what was before")
	return w, d
}

func (s *fakeStore) directoryPerson(id parley.PersonID, address, source string) {
	s.person(id, address, "Dora", "")
	s.people[id].Directory = parley.LDAP
	s.sources[source] = id
}

func TestSignInByDirectory(t *testing.T) {
	w, d := newDirectoryWorld(t)
	for _, login := range []string{"dora@example.org", " Dora@EXAMPLE.org ", `EX\dora`, "dora", "Dora of Sales", "dora@forest.example"} {
		session, err := w.SignIn(t.Context(), attempt(login, directoryWord))
		if err != nil {
			t.Errorf("%s: %v", login, err)
			continue
		}
		if session.Actor.Person != dora || session.Address != "dora@example.org" || !slices.Equal(session.Actor.Methods, []string{"pwd"}) {
			t.Errorf("%s: %+v", login, session)
		}
	}
	if got := d.take(); len(got) != 6 {
		t.Errorf("checked %q", got)
	}
	if _, checks := w.hasher.count(); checks != 0 {
		t.Error("a password was checked here")
	}
}

// Who gets which answer, and whose password was checked where.
func TestWhoChecks(t *testing.T) {
	disabledThere := parley.Refuse(parley.Forbidden, "sign-in.disabled")
	tests := []struct {
		name, login, password string
		bend                  func(*world, *fakeDirectory)
		kind                  parley.Kind
		key                   string
		there                 []string // whose password the directory checked
		here                  int      // passwords checked here
	}{
		{name: "somebody of this server", login: "anna@example.org", password: annasPassword, here: 1},
		{name: "by the bare name", login: "Anna", password: annasPassword, here: 1},
		{name: "with the directory's password", login: "anna@example.org", password: directoryWord, kind: parley.SignIn, key: "sign-in.wrong", there: []string{""}, here: 1},
		{name: "without a password here", login: "carla@example.org", password: directoryWord, kind: parley.SignIn, key: "sign-in.wrong", there: []string{""}, here: 1},
		{name: "what is left of an earlier password", login: "dora@example.org", password: "what was before", kind: parley.SignIn, key: "sign-in.wrong", there: []string{dorasSource}, here: 1},
		{name: "nobody", login: "nobody@example.org", password: directoryWord, kind: parley.SignIn, key: "sign-in.wrong", there: []string{""}, here: 1},
		{name: "no name", login: "*)(uid=*", password: directoryWord, kind: parley.Invalid, key: "address.invalid"},
		{name: "a backslash", login: `\`, password: directoryWord, kind: parley.Invalid, key: "address.invalid"},
		{name: "two backslashes", login: `A\B\C`, password: directoryWord, kind: parley.Invalid, key: "address.invalid"},
		{name: "NUL", login: "EX\\do\x00ra", password: directoryWord, kind: parley.Invalid, key: "address.invalid"},
		{name: "very long", login: `EX\` + strings.Repeat("a", 400), password: directoryWord, kind: parley.Invalid, key: "address.invalid"},
		{name: "no password", login: "dora@example.org", password: "", kind: parley.Invalid, key: "password.empty"},
		{name: "NUL in the password", login: "dora@example.org", password: directoryWord + "\x00", kind: parley.Invalid, key: "password.characters"},
		{name: "a huge password", login: "dora@example.org", password: strings.Repeat("a", 1025), kind: parley.Invalid, key: "password.long"},
		{
			name: "disabled by an administrator", login: "dora@example.org", password: directoryWord, kind: parley.Forbidden, key: "sign-in.disabled",
			bend: func(w *world, _ *fakeDirectory) { w.store.people[dora].Disabled = true }, there: []string{dorasSource},
		},
		{
			name: "barred, with a wrong password", login: "dora@example.org", password: "wrong", kind: parley.SignIn, key: "sign-in.wrong",
			bend: func(w *world, _ *fakeDirectory) { w.store.people[dora].Barred = true }, there: []string{dorasSource}, here: 1,
		},
		{
			name: "barred", login: "dora@example.org", password: directoryWord, kind: parley.Forbidden, key: "sign-in.disabled",
			bend: func(w *world, _ *fakeDirectory) { w.store.people[dora].Barred = true }, there: []string{dorasSource},
		},
		{
			name: "disabled in the directory", login: "dora@example.org", password: directoryWord, kind: parley.Forbidden, key: "sign-in.disabled",
			bend: func(_ *world, d *fakeDirectory) { d.answers[dorasSource] = disabledThere }, there: []string{dorasSource},
		},
		{
			name: "the directory is down", login: "dora@example.org", password: directoryWord, kind: parley.Unavailable, key: "sign-in.directory-unreachable",
			bend: func(_ *world, d *fakeDirectory) { d.down = errors.New("connection refused") }, here: 1,
		},
		{
			name: "down, and a wrong password here", login: "anna@example.org", password: directoryWord, kind: parley.Unavailable, key: "sign-in.directory-unreachable",
			bend: func(_ *world, d *fakeDirectory) { d.down = errors.New("connection refused") }, here: 1,
		},
		{
			name: "down, and somebody of this server", login: "anna@example.org", password: annasPassword, here: 1,
			bend: func(_ *world, d *fakeDirectory) { d.down = errors.New("connection refused") },
		},
		{
			name: "gone from this server, and in the directory", login: "anna@example.org", password: directoryWord, kind: parley.Forbidden, key: "sign-in.disabled",
			bend: func(w *world, _ *fakeDirectory) { w.store.people[anna].Gone = true }, there: []string{"somebody with anna's address"},
		},
		{
			name: "there is no directory any more", login: "dora@example.org", password: directoryWord, kind: parley.SignIn, key: "sign-in.wrong",
			bend: func(w *world, _ *fakeDirectory) { w.directory = nil }, here: 1,
		},
		{
			name: "nor its names", login: `EX\dora`, password: directoryWord, kind: parley.Invalid, key: "address.invalid",
			bend: func(w *world, _ *fakeDirectory) { w.directory = nil },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, d := newDirectoryWorld(t)
			if test.bend != nil {
				test.bend(w, d)
			}
			_, err := w.SignIn(t.Context(), attempt(test.login, test.password))
			if test.key == "" && err != nil {
				t.Error(err)
			} else if test.key != "" {
				refused(t, err, test.kind, test.key)
			}
			if got := d.take(); !slices.Equal(got, test.there) {
				t.Errorf("the directory checked %q, want %q", got, test.there)
			}
			if _, checks := w.hasher.count(); checks != test.here {
				t.Errorf("%d passwords checked here, want %d", checks, test.here)
			}
			if test.key != "" && len(w.store.devices) != 0 {
				t.Error("a device was added")
			}
		})
	}
}

// A wrong password has the very same answer and takes the same work whoever it is,
// also for an account that the directory would refuse for another reason, and for
// somebody whose password is here, while the directory is down too.
func TestDirectoryNoEnumeration(t *testing.T) {
	logins := []string{"dora@example.org", "nobody@example.org", `EX\dora`, `EX\nobody`, `OTHER\dora`, "nobody", "anna@example.org", "anna", "carla@example.org"}
	for _, test := range []struct {
		name string
		down error
		kind parley.Kind
		key  string
		asks int
	}{
		{"up", nil, parley.SignIn, "sign-in.wrong", 1},
		{"down", errors.New("connection refused"), parley.Unavailable, "sign-in.directory-unreachable", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, d := newDirectoryWorld(t)
			d.answers[dorasSource], d.down = parley.Refuse(parley.Forbidden, "sign-in.disabled"), test.down
			for i, login := range logins {
				_, err := w.SignIn(t.Context(), attempt(login, "wrong password"))
				refused(t, err, test.kind, test.key)
				if asked := d.asked; len(asked) != 1 || asked[0] != login {
					t.Errorf("%s: asked for %q", login, asked)
				}
				if got := d.take(); len(got) != test.asks {
					t.Errorf("%s: %d checks there", login, len(got))
				}
				if _, checks := w.hasher.count(); checks != i+1 {
					t.Errorf("%s: %d checks here, want one more than %d", login, checks, i)
				}
			}
		})
	}
}

// Attempts at whoever has the password here are told the same as those at nobody, up
// to the limit and past it. The limit holds while the directory is down, too.
func TestFailuresHereBesideADirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := newDirectoryWorld(t)
		d.down = errors.New("connection refused")
		answer := func(address, password string, network netip.Addr) error {
			in := attempt(address, password)
			in.Network = network
			_, err := w.SignIn(t.Context(), in)
			return err
		}
		for i := range 15 {
			refused(t, answer("anna@example.org", fmt.Sprint("wrong ", i), home), parley.Unavailable, "sign-in.directory-unreachable")
			refused(t, answer("nobody@example.org", "wrong", home), parley.Unavailable, "sign-in.directory-unreachable")
		}
		refused(t, answer("anna@example.org", annasPassword, home), parley.Unavailable, "sign-in.directory-unreachable")
		if err := answer("anna@example.org", annasPassword, office); err != nil {
			t.Errorf("from another network: %v", err)
		}
		pass(15 * time.Minute)
		if err := answer("anna@example.org", annasPassword, home); err != nil {
			t.Errorf("after the window: %v", err)
		}
		d.down = nil
		for range 10 { // each counts once
			for _, address := range []string{"anna@example.org", "nobody@example.org"} {
				if err := answer(address, "wrong", home); err != errWrong {
					t.Errorf("%s: %v", address, err)
				}
			}
		}
		for _, address := range []string{"anna@example.org", "nobody@example.org"} {
			refused(t, answer(address, "wrong", home), parley.TooMany, "sign-in.too-many")
		}
		refused(t, answer("anna@example.org", annasPassword, home), parley.TooMany, "sign-in.too-many")
	})
}

// While every checker is taken, nobody's answer tells who has the password here.
func TestBusyCheckersTellNothing(t *testing.T) {
	w, d := newDirectoryWorld(t, func(c *Config) { c.Checkers = 1 })
	release, err := w.checkers.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	w.checkers.waiting.Store(waitingPerChecker)
	for _, address := range []string{"anna@example.org", "nobody@example.org", "dora@example.org"} {
		_, err := w.SignIn(t.Context(), attempt(address, "wrong"))
		refused(t, err, parley.Unavailable, "sign-in.busy")
	}
	if _, err := w.SignIn(t.Context(), attempt("dora@example.org", directoryWord)); err != nil {
		t.Errorf("a right password needs none: %v", err)
	}
	if got := d.take(); len(got) == 0 {
		t.Error("the directory was never asked")
	}
}

// Guessing is limited by the account, whichever of its names is used, and beyond
// the limit the directory is not asked for it, so that it locks nobody out.
func TestDirectoryFailuresAreLimited(t *testing.T) {
	names := []string{"dora@example.org", `EX\dora`, "dora of sales", "dora@forest.example"}
	synctest.Test(t, func(t *testing.T) {
		w, d := newDirectoryWorld(t)
		for i := range 36 { // nine with each name
			if _, err := w.SignIn(t.Context(), attempt(names[i%4], "wrong")); err != errWrong {
				t.Fatalf("attempt %d: %v", i, err)
			}
		}
		checked := d.take()
		if n := len(slices.DeleteFunc(slices.Clone(checked), func(s string) bool { return s == "" })); n != 10 || len(checked) != 36 {
			t.Errorf("%d of %d checks were for the account, want 10 of 36", n, len(checked))
		}
		if _, err := w.SignIn(t.Context(), attempt(names[0], directoryWord)); err != errWrong {
			t.Errorf("the right password behind so many wrong ones: %v", err)
		}
		in := attempt(names[0], directoryWord)
		in.Network = office
		if _, err := w.SignIn(t.Context(), in); err != nil {
			t.Errorf("from another network: %v", err)
		}
		pass(15 * time.Minute)
		if _, err := w.SignIn(t.Context(), attempt(names[0], directoryWord)); err != nil {
			t.Errorf("after the window: %v", err)
		}
	})
}

func TestDirectoryFailuresFromEverywhere(t *testing.T) {
	w, d := newDirectoryWorld(t, func(c *Config) { c.Limits.AddressFailures = 4 })
	for i := range 8 {
		in := attempt([]string{"dora@example.org", `EX\dora`}[i%2], "wrong")
		in.Network = netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
		if _, err := w.SignIn(t.Context(), in); err != errWrong {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	if n := len(slices.DeleteFunc(d.take(), func(s string) bool { return s == "" })); n != 4 {
		t.Errorf("%d checks of the account, want 4", n)
	}
}

// An outage is nobody's failure.
func TestDirectoryOutageDoesNotCount(t *testing.T) {
	w, d := newDirectoryWorld(t)
	d.down = errors.New("connection refused")
	for range 30 {
		_, err := w.SignIn(t.Context(), attempt("dora@example.org", "wrong"))
		refused(t, err, parley.Unavailable, "sign-in.directory-unreachable")
	}
	d.down = nil
	if _, err := w.SignIn(t.Context(), attempt("dora@example.org", directoryWord)); err != nil {
		t.Error(err)
	}
}

func TestSomebodyNewInTheDirectory(t *testing.T) {
	tests := []struct {
		name    string
		unknown func(*world) func(context.Context, string) error
		key     string // of the refusal
	}{
		{"is taken over", func(w *world) func(context.Context, string) error {
			return func(_ context.Context, source string) error {
				w.store.directoryPerson(30, "new@example.org", source)
				return nil
			}
		}, ""},
		{"is not to be", func(*world) func(context.Context, string) error {
			return func(context.Context, string) error { return parley.ErrWithheld }
		}, "sign-in.disabled"},
		{"is barred", func(w *world) func(context.Context, string) error {
			return func(_ context.Context, source string) error {
				w.store.directoryPerson(30, "new@example.org", source)
				w.store.people[30].Barred = true
				return nil
			}
		}, "sign-in.disabled"},
		{"and nobody takes people over", func(*world) func(context.Context, string) error { return nil }, "sign-in.disabled"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, _ := newDirectoryWorld(t)
			w.unknown = test.unknown(w)
			session, err := w.SignIn(t.Context(), attempt("new@example.org", directoryWord))
			if test.key != "" {
				refused(t, err, parley.Forbidden, test.key)
			} else if err != nil || session.Actor.Person != 30 {
				t.Errorf("%+v, %v", session.Actor, err)
			}
		})
	}
	w, _ := newDirectoryWorld(t)
	w.unknown = func(context.Context, string) error { t.Error("taken over before the password was right"); return nil }
	if _, err := w.SignIn(t.Context(), attempt("new@example.org", "wrong")); err != errWrong {
		t.Error(err)
	}
}

// A password of the directory is changed there.
func TestPasswordsOfTheDirectoryAreNotHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newDirectoryWorld(t)
		session := w.signIn(t, "dora@example.org", directoryWord, 1)
		err := w.ChangePassword(t.Context(), session.Actor, directoryWord, "another long password", home)
		refused(t, err, parley.Conflict, "password.in-directory")
		refused(t, w.SetPassword(t.Context(), admin, dora, "another long password"), parley.Conflict, "password.in-directory")
		_, _, err = w.Invite(t.Context(), admin, dora)
		refused(t, err, parley.Conflict, "password.in-directory")

		code, hash := newCode() // of an invitation from before
		w.store.invitations[hash] = Invitation{Person: dora, Expires: now().Add(time.Hour)}
		refused(t, w.UseInvitation(t.Context(), code, "another long password", home), parley.NotFound, "not-found")

		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.Run(ctx) }()
		w.Forgotten("dora@example.org", home)
		w.Forgotten(`EX\dora`, home)
		w.Forgotten("anna@example.org", home)
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if len(w.store.requests) != 1 || w.store.requests[0].Person != anna {
			t.Errorf("requests %+v", w.store.requests)
		}
		if w.store.hashes[dora] != hashOf("v2", "what was before") {
			t.Error("a password was set")
		}
	})
}

// When the configuration has no directory any more its people stay, and sign in by
// the passwords that they are given here since.
func TestPeopleOfAFormerDirectory(t *testing.T) {
	w, d := newDirectoryWorld(t)
	w.directory = nil
	delete(w.store.hashes, dora) // the store removed it when dora came to the directory
	if _, err := w.SignIn(t.Context(), attempt("dora@example.org", directoryWord)); err != errWrong {
		t.Errorf("without a password: %v", err)
	}
	if err := w.SetPassword(t.Context(), admin, dora, "another long password"); err != nil {
		t.Fatal(err)
	}
	session := w.signIn(t, "dora@example.org", "another long password", 1)
	if err := w.ChangePassword(t.Context(), session.Actor, "another long password", "one more long password", home); err != nil {
		t.Error(err)
	}
	code, _, err := w.Invite(t.Context(), admin, dora)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.UseInvitation(t.Context(), code, "an invited password", home); err != nil {
		t.Error(err)
	}
	w.signIn(t, "dora@example.org", "an invited password", 1)

	w.directory = d // and back again
	if _, err := w.SignIn(t.Context(), attempt("dora@example.org", "an invited password")); err != errWrong {
		t.Errorf("by the password here, beside the directory: %v", err)
	}
	w.signIn(t, "dora@example.org", directoryWord, 1)
}

func TestAdministratorsOfTheDirectory(t *testing.T) {
	is := true
	w, _ := newDirectoryWorld(t, func(c *Config) {
		c.InAdministrators = func(p parley.PersonID) bool { return is && p == dora }
	})
	session := w.signIn(t, "dora@example.org", directoryWord, 1)
	if actor, err := w.Administrator(session); err != nil || actor.Kind != parley.ActorAdmin {
		t.Errorf("%+v, %v", actor, err)
	}
	if _, err := w.Administrator(w.signIn(t, "anna@example.org", annasPassword, 1)); err != parley.ErrWithheld {
		t.Errorf("somebody else: %v", err)
	}
	is = false
	if _, err := w.Administrator(session); err != parley.ErrWithheld {
		t.Errorf("no longer: %v", err)
	}
}

func TestSignInDomain(t *testing.T) {
	w, _ := newDirectoryWorld(t)
	for typed, want := range map[string]string{"a@Example.COM": "example.com", `EX\dora`: "", "dora": ""} {
		if got, err := w.SignInDomain(typed); got != want || err != nil {
			t.Errorf("%s: %q, %v", typed, got, err)
		}
	}
	for _, typed := range []string{`\`, "", "@", "a b@", "EX\\*"} {
		if _, err := w.SignInDomain(typed); parley.KindOf(err) != parley.Invalid {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

func FuzzLogin(f *testing.F) {
	for _, s := range []string{"anna@example.org", `EX\anna`, "anna", "*)(uid=*", "a\x00b", `\`, " ", "Dora of Sales", "@", "ÅNGSTRÖM"} {
		f.Add(s)
	}
	a := &Authority{directory: &fakeDirectory{}, defaultDomain: "example.org"}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := a.parseLogin(s)
		if err != nil {
			if parley.KindOf(err) != parley.Invalid {
				t.Error(err)
			}
			return
		}
		if got.typed != strings.TrimSpace(s) || got.key() == "" {
			t.Errorf("%q became %+v", s, got)
		}
		if got.address != "" {
			if normal, err := NormalAddress(got.address); err != nil || normal != got.address {
				t.Errorf("%q is in no normal form: %v", got.address, err)
			}
		} else if strings.ContainsAny(strings.Replace(got.typed, `\`, "", 1), notInAccountName) || strings.ContainsRune(got.typed, 0) {
			t.Errorf("%q was let through", s)
		}
	})
}
