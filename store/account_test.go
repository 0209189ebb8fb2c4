package store

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley"
	"parley/account"
	"parley/contact"
)

// crowd makes people with the ids 1 to n and the password hash "hash".
func crowd(t testing.TB, w *world, n int) {
	t.Helper()
	var changes []contact.Change
	for i := range n {
		changes = append(changes, contact.Change{Person: parley.Person{
			SourceID: fmt.Sprintf("source-%d", i+1), Address: fmt.Sprintf("person%d@example.org", i+1), DisplayName: fmt.Sprintf("Person %d", i+1),
		}})
	}
	for i, id := range must(w.ApplyPeople(t.Context(), changes, parley.Alongside{}))(t) {
		if int(id) != i+1 {
			t.Fatalf("person %d got id %v", i+1, id)
		}
		must(w.SetPasswordHash(t.Context(), account.PasswordChange{Person: id, Hash: "hash"}, parley.Alongside{}))(t)
	}
}

var clock = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func newDevice(person parley.PersonID, installation string) account.NewDevice {
	n := account.NewDevice{
		Device: account.Device{
			Person: person, Class: parley.Mobile, Name: "phone", Installation: installation,
			Created: clock, LastUsed: clock, AuthTime: clock, Methods: []string{"pwd", "otp"},
		},
		CheckedHash: "hash", FreshKey: []byte("key of " + installation), Limit: 25,
	}
	rand.Read(n.Token[:])
	return n
}

func (w *world) signIn(t testing.TB, person parley.PersonID, installation string) account.Device {
	t.Helper()
	return must(w.AddDevice(t.Context(), newDevice(person, installation), parley.Alongside{}))(t).Device
}

func TestIdentities(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 2)
		ctx := t.Context()
		want := account.Identity{Person: 2, Address: "person2@example.org", DisplayName: "Person 2"}
		if got := must(w.IdentityByAddress(ctx, "person2@example.org"))(t); got != want {
			t.Errorf("by address: %+v", got)
		}
		if got := must(w.Identity(ctx, 2))(t); got != want {
			t.Errorf("by id: %+v", got)
		}
		if _, err := w.IdentityByAddress(ctx, "nobody@example.org"); err != parley.ErrWithheld {
			t.Errorf("unknown address: %v", err)
		}
		if _, err := w.Identity(ctx, 9); err != parley.ErrWithheld {
			t.Errorf("unknown person: %v", err)
		}
		// A re-hire has the address of somebody who is gone.
		ids := must(w.ApplyPeople(ctx, []contact.Change{
			{Person: parley.Person{ID: 2}, Gone: true},
			{Person: parley.Person{SourceID: "again", Address: "person2@example.org"}},
		}, parley.Alongside{}))(t)
		if got := must(w.IdentityByAddress(ctx, "person2@example.org"))(t); got.Person != ids[1] || got.Gone {
			t.Errorf("after a re-hire: %+v", got)
		}
		if got := must(w.Identity(ctx, 2))(t); !got.Gone {
			t.Errorf("gone person: %+v", got)
		}
	})
}

func TestPasswords(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 1)
		ctx := t.Context()
		set := func(c account.PasswordChange) ([]parley.DeviceID, error) {
			return w.SetPasswordHash(ctx, c, parley.Alongside{Audit: []parley.Audit{{Action: parley.AuditPasswordSet}}})
		}
		a, b := w.signIn(t, 1, "a"), w.signIn(t, 1, "b")
		if _, err := set(account.PasswordChange{Person: 1, Hash: "new", Checked: "other"}); !errors.Is(err, account.ErrStale) {
			t.Errorf("stale change: %v", err)
		}
		if _, err := set(account.PasswordChange{Person: 9, Hash: "new"}); err != parley.ErrWithheld {
			t.Errorf("unknown person: %v", err)
		}
		if n := count(t, w, "audit"); n != 0 {
			t.Errorf("refused changes left %d audit records", n)
		}
		check(t, w.AddInvitation(ctx, [32]byte{1}, account.Invitation{Person: 1, Expires: clock}, parley.Alongside{}))
		ended := must(set(account.PasswordChange{Person: 1, Hash: "new", Checked: "hash", EndDevices: true, Except: b.ID}))(t)
		if !slices.Equal(ended, []parley.DeviceID{a.ID}) {
			t.Errorf("ended %v", ended)
		}
		if got := must(w.PasswordHash(ctx, 1))(t); got != "new" {
			t.Errorf("hash %q", got)
		}
		if got := must(w.PasswordHash(ctx, 9))(t); got != "" {
			t.Errorf("hash of nobody %q", got)
		}
		if n := count(t, w, "invitations"); n != 0 {
			t.Errorf("%d invitations are left", n)
		}
		if ended := must(set(account.PasswordChange{Person: 1, Hash: "newer"}))(t); len(ended) != 0 {
			t.Errorf("ended %v unasked", ended)
		}
	})
}

func TestAddDeviceChecksAgain(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 3)
		ctx := t.Context()
		must(w.SetDisabled(ctx, 1, true, parley.Alongside{}))(t)
		must(w.ApplyPeople(ctx, []contact.Change{{Person: parley.Person{ID: 2}, Gone: true}}, parley.Alongside{}))(t)
		changed := newDevice(3, "x")
		changed.CheckedHash = "former"
		for name, n := range map[string]account.NewDevice{
			"disabled": newDevice(1, "x"), "gone": newDevice(2, "x"), "nobody": newDevice(9, "x"), "password changed": changed,
		} {
			if _, err := w.AddDevice(ctx, n, parley.Alongside{}); !errors.Is(err, account.ErrStale) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := count(t, w, "devices") + count(t, w, "history_keys"); n != 0 {
			t.Errorf("%d rows are left of refused sign-ins", n)
		}
	})
}

// TestWhereDevicesBegin goes through the rules of docs/protocol.md §2 for starts.
func TestWhereDevicesBegin(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 1)
		ctx, n := t.Context(), 0
		grow := func() {
			n++
			check(t, w.add(message(1, 0, n, "")))
		}
		expect := func(what string, d account.Device, at parley.Pos, waiting bool) {
			t.Helper()
			if d.From != at || d.Cursor != at || d.Waiting != waiting {
				t.Errorf("%s: from %d, cursor %d, waiting %v; want %d, %v", what, d.From, d.Cursor, d.Waiting, at, waiting)
			}
		}
		grow()
		first := w.signIn(t, 1, "phone")
		expect("the first device ever", first, 0, true)
		grow()
		second := w.signIn(t, 1, "desk")
		expect("beside another device", second, 2, false)
		grow()
		w.Acknowledge(first.ID, 1)
		again := w.signIn(t, 1, "phone")
		expect("in the place of an earlier one", again, 1, false)
		w.Acknowledge(second.ID, 3)
		w.Acknowledge(again.ID, 2)
		must(w.EndDevices(ctx, 1, []parley.DeviceID{again.ID}, 0, parley.EndedRevoked, parley.Alongside{}))(t)
		must(w.EndDevices(ctx, 1, nil, 0, parley.EndedRevoked, parley.Alongside{}))(t)
		grow()
		expect("after all had ended", w.signIn(t, 1, "phone"), 3, true)
	})
}

func TestHistoryKeySurvivesTheDevice(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 2)
		ctx := t.Context()
		added := must(w.AddDevice(ctx, newDevice(1, "browser"), parley.Alongside{}))(t)
		must(w.EndDevices(ctx, 1, nil, 0, parley.EndedRevoked, parley.Alongside{}))(t)
		n := newDevice(1, "browser")
		n.FreshKey = []byte("another")
		again := must(w.AddDevice(ctx, n, parley.Alongside{}))(t)
		if !bytes.Equal(again.HistoryKey, added.HistoryKey) || len(again.HistoryKey) == 0 {
			t.Errorf("keys %q and %q", added.HistoryKey, again.HistoryKey)
		}
		n.Device.Person = 2
		rand.Read(n.Token[:])
		if other := must(w.AddDevice(ctx, n, parley.Alongside{}))(t); string(other.HistoryKey) != "another" {
			t.Errorf("another person's key is %q", other.HistoryKey)
		}
		if key := must(w.HistoryKey(ctx, 1, "browser"))(t); !bytes.Equal(key, added.HistoryKey) {
			t.Errorf("kept key %q", key)
		}
		if _, err := w.HistoryKey(ctx, 1, "elsewhere"); err != parley.ErrWithheld {
			t.Errorf("no key: %v", err)
		}
	})
}

func TestDevicesComeBackWhole(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 2)
		ctx := t.Context()
		new := newDevice(1, "one")
		also := parley.Alongside{Audit: []parley.Audit{{Action: parley.AuditSignedIn, Actor: parley.Actor{Person: 1}}}}
		added := must(w.AddDevice(ctx, new, also))(t)
		want := new.Device
		want.ID, want.Waiting = added.Device.ID, true
		for what, got := range map[string]account.Device{
			"added": added.Device, "by token": must(w.DeviceByToken(ctx, new.Token))(t), "listed": must(w.Devices(ctx, 1))(t)[0],
		} {
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s:\n%v\nwant\n%v", what, got, want)
			}
		}
		var device parley.DeviceID
		check(t, w.read.db.QueryRowContext(ctx, `SELECT device FROM audit`).Scan(&device))
		if device != want.ID {
			t.Errorf("the audit record names device %v", device)
		}
		if _, err := w.DeviceByToken(ctx, [32]byte{9}); err != parley.ErrWithheld {
			t.Errorf("unknown token: %v", err)
		}
		barred := must(w.PeopleByID(ctx, []parley.PersonID{1}))(t)[0]
		barred.Barred = true
		must(w.ApplyPeople(ctx, []contact.Change{{Person: barred}}, parley.Alongside{}))(t)
		if _, err := w.DeviceByToken(ctx, new.Token); err != parley.ErrWithheld {
			t.Errorf("token of somebody barred: %v", err)
		}
		if barred := must(w.BarredDevices(ctx))(t); len(barred) != 1 || barred[0].ID != want.ID {
			t.Errorf("barred devices %v", barred)
		}
		if _, err := w.AddDevice(ctx, new, parley.Alongside{}); err != account.ErrStale {
			t.Errorf("a device of somebody barred: %v", err)
		}
		must(w.ApplyPeople(ctx, []contact.Change{{Person: parley.Person{ID: 1}, Gone: true}}, parley.Alongside{}))(t)
		if _, err := w.DeviceByToken(ctx, new.Token); err != parley.ErrWithheld {
			t.Errorf("token of somebody gone: %v", err)
		}
		if barred := must(w.BarredDevices(ctx))(t); len(barred) != 1 || barred[0].ID != want.ID {
			t.Errorf("barred devices %v", barred)
		}
	})
}

func TestDevicesEnd(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 2)
		ctx := t.Context()
		a, b, other := w.signIn(t, 1, "a"), w.signIn(t, 1, "b"), w.signIn(t, 2, "c")
		end := func(ids []parley.DeviceID, except parley.DeviceID) []parley.DeviceID {
			return must(w.EndDevices(ctx, 1, ids, except, parley.EndedRevoked, parley.Alongside{}))(t)
		}
		if ended := end([]parley.DeviceID{other.ID, 999}, 0); len(ended) != 0 {
			t.Errorf("ended somebody else's %v", ended)
		}
		if ended := end([]parley.DeviceID{}, 0); len(ended) != 0 {
			t.Errorf("ended %v of an empty list", ended)
		}
		if ended := end(nil, b.ID); !slices.Equal(ended, []parley.DeviceID{a.ID}) {
			t.Errorf("ended %v", ended)
		}
		if ended := end([]parley.DeviceID{a.ID}, 0); len(ended) != 0 {
			t.Errorf("ended %v again", ended)
		}
		if c := w.signIn(t, 1, "a"); c.ID <= other.ID {
			t.Errorf("device id %v is not new", c.ID)
		}
		ended := must(w.SetDisabled(ctx, 1, true, parley.Alongside{}))(t)
		if len(ended) != 2 {
			t.Errorf("disabling ended %v", ended)
		}
		must(w.SetDisabled(ctx, 1, false, parley.Alongside{}))(t)
		if who := must(w.Identity(ctx, 1))(t); who.Disabled {
			t.Error("still disabled")
		}
		if _, err := w.SetDisabled(ctx, 9, true, parley.Alongside{}); err != parley.ErrWithheld {
			t.Errorf("unknown person: %v", err)
		}
	})
}

func TestDeviceLimit(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 1)
		var ids []parley.DeviceID
		for i := range 4 {
			n := newDevice(1, fmt.Sprint("browser", i))
			n.Device.LastUsed = clock.Add(-time.Duration(i) * time.Hour)
			n.Limit = 10
			ids = append(ids, must(w.AddDevice(t.Context(), n, parley.Alongside{}))(t).Device.ID)
		}
		n := newDevice(1, "browser0")
		n.Limit = 3
		added := must(w.AddDevice(t.Context(), n, parley.Alongside{}))(t)
		if !slices.Equal(added.Replaced, ids[:1]) || !slices.Equal(added.Crowded, ids[3:]) {
			t.Errorf("replaced %v, crowded %v of %v", added.Replaced, added.Crowded, ids)
		}
		if n := count(t, w, "devices"); n != 3 {
			t.Errorf("%d devices", n)
		}
	})
}

func TestTouchAndIdle(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 2)
		ctx := t.Context()
		a, b := w.signIn(t, 1, "a"), w.signIn(t, 2, "b")
		check(t, w.TouchDevices(ctx, map[parley.DeviceID]time.Time{a.ID: clock.Add(time.Hour), b.ID: clock.Add(-time.Hour), 999: clock}))
		if got := must(w.Devices(ctx, 1))(t)[0].LastUsed; !got.Equal(clock.Add(time.Hour)) {
			t.Errorf("last used %v", got)
		}
		idle := must(w.IdleDevices(ctx, clock.Add(time.Minute)))(t)
		if len(idle) != 1 || idle[0].ID != b.ID || !idle[0].LastUsed.Equal(clock) {
			t.Errorf("idle devices %v", idle)
		}
	})
}

func TestInvitations(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 2)
		ctx, expires := t.Context(), clock.Add(time.Hour)
		first, second := [32]byte{1}, [32]byte{2}
		check(t, w.AddInvitation(ctx, first, account.Invitation{Person: 1, Expires: clock}, parley.Alongside{}))
		check(t, w.AddInvitation(ctx, second, account.Invitation{Person: 1, Expires: expires}, parley.Alongside{}))
		if _, err := w.Invitation(ctx, first); err != parley.ErrWithheld {
			t.Errorf("replaced invitation: %v", err)
		}
		if got := must(w.Invitation(ctx, second))(t); got != (account.Invitation{Person: 1, Expires: expires}) {
			t.Errorf("invitation %+v", got)
		}
		check(t, w.AddResetRequest(ctx, account.ResetRequest{Person: 1, At: clock}, parley.Alongside{}))
		check(t, w.AddResetRequest(ctx, account.ResetRequest{Person: 2, At: clock}, parley.Alongside{}))
		check(t, w.AddResetRequest(ctx, account.ResetRequest{Person: 2, At: expires}, parley.Alongside{}))
		want := []account.ResetRequest{{Person: 2, At: expires}, {Person: 1, At: clock}}
		if got := must(w.ResetRequests(ctx))(t); !slices.Equal(got, want) {
			t.Errorf("requests %v", got)
		}
		d := w.signIn(t, 1, "a")
		ended := must(w.UseInvitation(ctx, second, "chosen", parley.Alongside{}))(t)
		if !slices.Equal(ended, []parley.DeviceID{d.ID}) {
			t.Errorf("ended %v", ended)
		}
		if got := must(w.PasswordHash(ctx, 1))(t); got != "chosen" {
			t.Errorf("hash %q", got)
		}
		if _, err := w.UseInvitation(ctx, second, "twice", parley.Alongside{}); err != parley.ErrWithheld {
			t.Errorf("used twice: %v", err)
		}
		if got := must(w.ResetRequests(ctx))(t); len(got) != 1 || got[0].Person != 2 {
			t.Errorf("requests afterwards %v", got)
		}
		check(t, w.AddInvitation(ctx, first, account.Invitation{Person: 2, Expires: expires}, parley.Alongside{}))
		must(w.SetDisabled(ctx, 2, true, parley.Alongside{}))(t)
		if _, err := w.Invitation(ctx, first); err != parley.ErrWithheld {
			t.Errorf("invitation of somebody disabled: %v", err)
		}
		if err := w.AddInvitation(ctx, first, account.Invitation{Person: 9}, parley.Alongside{}); err != parley.ErrWithheld {
			t.Errorf("invitation of nobody: %v", err)
		}
	})
}
