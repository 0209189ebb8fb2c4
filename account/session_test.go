package account

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

// start runs the Authority until the test ends, and waits for it.
func (w *world) start(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func TestSessionRefusesWhatIsNoToken(t *testing.T) {
	w := newWorld(t)
	other, _ := newCode()
	for _, token := range []parley.Secret{"", "x", other, other + "=", other[:42], other + "AA"} {
		_, err := w.Session(t.Context(), token)
		refused(t, err, parley.SignIn, "sign-in.required")
	}
}

func TestSessionIsAnsweredFromMemory(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(t, "anna@example.org", annasPassword, 1)
	if _, err := w.Session(t.Context(), session.Token); err != nil {
		t.Fatal(err)
	}
	w.store.fail = errors.New("the store is down")
	if _, err := w.Session(t.Context(), session.Token); err != nil {
		t.Errorf("known session with the store down: %v", err)
	}
	other, _ := newCode()
	if _, err := w.Session(t.Context(), other); parley.KindOf(err) != parley.Internal {
		t.Errorf("unknown token with the store down: %v, want Internal", err)
	}
}

func TestSlidingExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stop := w.start(t)
		session := w.signIn(t, "anna@example.org", annasPassword, 1)
		idle := w.signIn(t, "anna@example.org", annasPassword, 2)
		for range 4 {
			pass(w.rules.DeviceIdle - time.Hour)
			again, err := w.Session(t.Context(), session.Token)
			if err != nil {
				t.Fatal(err)
			}
			if want := time.Now().Add(w.rules.DeviceIdle); again.Device.Expires.Sub(want).Abs() > time.Millisecond {
				t.Errorf("expires %v, want %v", again.Device.Expires, want)
			}
		}
		_, err := w.Session(t.Context(), idle.Token)
		refused(t, err, parley.SignIn, "sign-in.required")
		pass(w.rules.DeviceIdle)
		_, err = w.Session(t.Context(), session.Token) // at the very moment, before Run may have noticed
		refused(t, err, parley.SignIn, "sign-in.required")
		pass(2 * time.Minute)
		var reasons []parley.EndReason
		for _, event := range w.takeEvents() {
			if ended, ok := event.(parley.DevicesEnded); ok {
				reasons = append(reasons, ended.Reason)
			}
		}
		if len(w.store.devices) != 0 || len(reasons) != 2 || reasons[0] != parley.EndedExpired || reasons[1] != parley.EndedExpired {
			t.Errorf("%d devices left, ended %v", len(w.store.devices), reasons)
		}
		stop()
	})
}

func TestUseOfAnOpenSocketKeepsTheDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stop := w.start(t)
		session := w.signIn(t, "anna@example.org", annasPassword, 1)
		for range 10 {
			pass(w.rules.DeviceIdle / 2)
			w.Used(session.Device.ID)
		}
		pass(time.Minute)
		if _, err := w.Session(t.Context(), session.Token); err != nil {
			t.Error(err)
		}
		stop()
	})
}

func TestUsesAreJoined(t *testing.T) {
	for _, every := range []time.Duration{time.Second, time.Minute, 9 * time.Minute, 11 * time.Minute} {
		t.Run(every.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				stop := w.start(t)
				session := w.signIn(t, "anna@example.org", annasPassword, 1)
				begin := time.Now()
				for time.Since(begin) < 2*time.Hour {
					pass(every)
					if _, err := w.Session(t.Context(), session.Token); err != nil {
						t.Fatal(err)
					}
				}
				stop()
				last := begin
				for _, used := range w.store.touches {
					at := used[session.Device.ID]
					if gap := at.Sub(last); gap < useInterval-time.Millisecond || gap > useInterval+every {
						t.Errorf("written %v after the last", gap)
					}
					last = at
				}
				if missing := time.Since(last); missing > useInterval+every {
					t.Errorf("the last %v are not written", missing)
				}
			})
		})
	}
}

func TestUsesAreWrittenAtTheEndAndAgainAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stop := w.start(t)
		session := w.signIn(t, "anna@example.org", annasPassword, 1)
		pass(11*time.Minute + 30*time.Second)
		used := now()
		w.Used(session.Device.ID)
		w.store.failTouches(errors.New("the store is down"))
		pass(time.Minute)
		w.store.failTouches(nil)
		stop()
		if got := w.store.devices[session.Device.ID].LastUsed; !got.Equal(used) {
			t.Errorf("last used %v, want %v", got, used)
		}
	})
}

func TestUseThatIsNotWrittenYetKeepsTheDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stop := w.start(t)
		session := w.signIn(t, "anna@example.org", annasPassword, 1)
		pass(w.rules.DeviceIdle - time.Hour)
		w.store.failTouches(errors.New("the store is down"))
		if _, err := w.Session(t.Context(), session.Token); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Hour)
		if _, err := w.Session(t.Context(), session.Token); err != nil {
			t.Error(err)
		}
		stop()
	})
}

// The directory, an administrator or the person may end a device while a request
// reads its session. What was read before must not live on in memory after.
func TestEndingRacesWithLookup(t *testing.T) {
	tests := []struct {
		name string
		end  func(*world, Session) error
	}{
		{"disabled", func(w *world, _ Session) error { return w.Disable(context.Background(), admin, anna) }},
		{"revoked", func(w *world, s Session) error {
			return w.Revoke(context.Background(), parley.Actor{Kind: parley.ActorPerson, Person: anna, Device: 99}, s.Device.ID)
		}},
		{"new password", func(w *world, _ Session) error {
			return w.SetPassword(context.Background(), admin, anna, "another password")
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			session := w.signIn(t, "anna@example.org", annasPassword, 1)
			w.store.afterDevice = func() {
				if err := test.end(w, session); err != nil {
					t.Error(err)
				}
			}
			_, err := w.Session(t.Context(), session.Token)
			refused(t, err, parley.SignIn, "sign-in.required")
			_, err = w.Session(t.Context(), session.Token)
			refused(t, err, parley.SignIn, "sign-in.required")
		})
	}
}

func TestDirectoryBarsSomebody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stop := w.start(t)
		session := w.signIn(t, "anna@example.org", annasPassword, 1)
		kept := w.signIn(t, "boris@example.org", borisPassword, 1)
		if _, err := w.Session(t.Context(), session.Token); err != nil {
			t.Fatal(err)
		}
		w.takeEvents()
		w.store.mu.Lock()
		w.store.people[anna].Gone = true
		w.store.mu.Unlock()
		pass(time.Minute + time.Second)
		_, err := w.Session(t.Context(), session.Token)
		refused(t, err, parley.SignIn, "sign-in.required")
		if _, err := w.Session(t.Context(), kept.Token); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		events := w.takeEvents()
		if len(events) != 2 || events[1] != parley.Event(parley.AccountDisabled{Person: anna}) {
			t.Errorf("events %+v", events)
		}
		stop()
	})
}

func TestSomebodyBarredIsRefusedAtTheFirstLookup(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(t, "anna@example.org", annasPassword, 1)
	w.store.people[anna].Gone = true
	_, err := w.Session(t.Context(), session.Token)
	refused(t, err, parley.SignIn, "sign-in.required")
}

func TestRecheck(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(t, "anna@example.org", annasPassword, 1)
	barred := w.signIn(t, "boris@example.org", borisPassword, 1)
	for _, s := range []Session{session, barred} {
		if _, err := w.Session(t.Context(), s.Token); err != nil {
			t.Fatal(err)
		}
	}
	w.store.people[anna].Address = "anna.new@example.org"
	w.store.people[boris].Disabled = true
	if err := w.Recheck(t.Context(), []parley.PersonID{anna, boris}); err != nil {
		t.Fatal(err)
	}
	if again, err := w.Session(t.Context(), session.Token); err != nil || again.Address != "anna.new@example.org" {
		t.Errorf("renamed: %q, %v", again.Address, err)
	}
	_, err := w.Session(t.Context(), barred.Token)
	refused(t, err, parley.SignIn, "sign-in.required")
}

func TestSessionCacheIsBounded(t *testing.T) {
	s := newSessions()
	for i := range maxSessions + 100 {
		token := [32]byte{byte(i), byte(i >> 8), byte(i >> 16)}
		s.add(token, Session{Device: Device{ID: parley.DeviceID(i + 1)}}, 0)
	}
	if len(s.byToken) != maxSessions || len(s.byDevice) != maxSessions {
		t.Errorf("%d and %d sessions cached", len(s.byToken), len(s.byDevice))
	}
}
