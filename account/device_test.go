package account

import (
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

func TestDevicesAreListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		phone := w.signIn(t, "anna@example.org", annasPassword, 1)
		pass(time.Minute)
		w.signIn(t, "anna@example.org", annasPassword, 2)
		w.signIn(t, "boris@example.org", borisPassword, 1)
		pass(time.Minute)
		if _, err := w.Session(t.Context(), phone.Token); err != nil { // not written yet
			t.Fatal(err)
		}
		devices, err := w.Devices(t.Context(), phone.Actor)
		if err != nil {
			t.Fatal(err)
		}
		if len(devices) != 2 || devices[0].ID != phone.Device.ID || !devices[0].Expires.Equal(now().Add(w.rules.DeviceIdle)) {
			t.Errorf("devices %+v", devices)
		}
		seen, err := w.DevicesOf(t.Context(), admin, anna)
		if err != nil || !reflect.DeepEqual(seen, devices) {
			t.Errorf("for the administrator: %+v, %v", seen, err)
		}
	})
}

func TestRevoke(t *testing.T) {
	w := newWorld(t)
	phone := w.signIn(t, "anna@example.org", annasPassword, 1)
	lost := w.signIn(t, "anna@example.org", annasPassword, 2)
	foreign := w.signIn(t, "boris@example.org", borisPassword, 1)
	w.takeEvents()
	records := len(w.store.actions())

	for _, device := range []parley.DeviceID{foreign.Device.ID, 12345, 0} {
		if err := w.Revoke(t.Context(), phone.Actor, device); err != parley.ErrWithheld {
			t.Errorf("%v: %v, want ErrWithheld", device, err)
		}
	}
	if len(w.takeEvents()) != 0 || len(w.store.actions()) != records {
		t.Error("a refused revocation left an event or a record")
	}
	if err := w.Revoke(t.Context(), phone.Actor, lost.Device.ID); err != nil {
		t.Fatal(err)
	}
	want := parley.DevicesEnded{Person: anna, Devices: []parley.DeviceID{lost.Device.ID}, Reason: parley.EndedRevoked}
	if events := w.takeEvents(); !reflect.DeepEqual(events, []parley.Event{want}) {
		t.Errorf("events %+v", events)
	}
	_, err := w.Session(t.Context(), lost.Token)
	refused(t, err, parley.SignIn, "sign-in.required")
	for _, token := range []parley.Secret{phone.Token, foreign.Token} {
		if _, err := w.Session(t.Context(), token); err != nil {
			t.Errorf("another device: %v", err)
		}
	}
	if err := w.RevokeOf(t.Context(), admin, boris, foreign.Device.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.Session(t.Context(), foreign.Token)
	refused(t, err, parley.SignIn, "sign-in.required")
}

func TestSignOut(t *testing.T) {
	w := newWorld(t)
	for name, out := range map[string]func(Session) error{
		"sign out":           func(s Session) error { return w.SignOut(t.Context(), s.Actor) },
		"revoke this device": func(s Session) error { return w.Revoke(t.Context(), s.Actor, s.Device.ID) },
	} {
		session := w.signIn(t, "anna@example.org", annasPassword, 1)
		w.takeEvents()
		if err := out(session); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := parley.DevicesEnded{Person: anna, Devices: []parley.DeviceID{session.Device.ID}, Reason: parley.EndedSignedOut}
		if events := w.takeEvents(); !reflect.DeepEqual(events, []parley.Event{want}) {
			t.Errorf("%s: events %+v", name, events)
		}
		_, err := w.Session(t.Context(), session.Token)
		refused(t, err, parley.SignIn, "sign-in.required")
	}
	if actions := w.store.actions(); !slices.Contains(actions, parley.AuditSignedOut) {
		t.Errorf("trail %v", actions)
	}
}

// Every method refuses everybody whom it is not for.
func TestWhoMayAsk(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(t, "anna@example.org", annasPassword, 1)
	ctx := t.Context()
	own := map[string]func(parley.Actor) error{
		"Devices":        func(a parley.Actor) error { _, err := w.Devices(ctx, a); return err },
		"SignOut":        func(a parley.Actor) error { return w.SignOut(ctx, a) },
		"Revoke":         func(a parley.Actor) error { return w.Revoke(ctx, a, session.Device.ID) },
		"ChangePassword": func(a parley.Actor) error { return w.ChangePassword(ctx, a, annasPassword, "long enough 1", home) },
	}
	for name, call := range own {
		for _, kind := range []parley.ActorKind{parley.Nobody, parley.ActorRemote, parley.ActorGuest, parley.ActorProgram, parley.ActorAdmin} {
			if parley.KindOf(call(parley.Actor{Kind: kind, Person: anna, Device: session.Device.ID})) != parley.SignIn {
				t.Errorf("%s: %v was let in", name, kind)
			}
		}
	}
	admins := map[string]func(parley.Actor) error{
		"DevicesOf":     func(a parley.Actor) error { _, err := w.DevicesOf(ctx, a, anna); return err },
		"RevokeOf":      func(a parley.Actor) error { return w.RevokeOf(ctx, a, anna, session.Device.ID) },
		"SetPassword":   func(a parley.Actor) error { return w.SetPassword(ctx, a, anna, "long enough 1") },
		"Disable":       func(a parley.Actor) error { return w.Disable(ctx, a, anna) },
		"Enable":        func(a parley.Actor) error { return w.Enable(ctx, a, anna) },
		"Invite":        func(a parley.Actor) error { _, _, err := w.Invite(ctx, a, anna); return err },
		"ResetRequests": func(a parley.Actor) error { _, err := w.ResetRequests(ctx, a); return err },
	}
	for name, call := range admins {
		for _, kind := range []parley.ActorKind{parley.Nobody, parley.ActorPerson, parley.ActorRemote, parley.ActorGuest, parley.ActorProgram} {
			if parley.KindOf(call(parley.Actor{Kind: kind, Person: anna, Device: session.Device.ID})) != parley.Forbidden {
				t.Errorf("%s: %v was let in", name, kind)
			}
		}
	}
	if _, err := w.Session(ctx, session.Token); err != nil {
		t.Errorf("a refused call had an effect: %v", err)
	}
}
