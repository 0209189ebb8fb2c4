package account

import (
	"net/netip"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

func TestChangePassword(t *testing.T) {
	w := newWorld(t)
	here := w.signIn(t, "anna@example.org", annasPassword, 1)
	there := w.signIn(t, "anna@example.org", annasPassword, 2)
	w.takeEvents()
	if err := w.ChangePassword(t.Context(), here.Actor, annasPassword, "a new password", home); err != nil {
		t.Fatal(err)
	}
	want := parley.DevicesEnded{Person: anna, Devices: []parley.DeviceID{there.Device.ID}, Reason: parley.EndedPassword}
	if events := w.takeEvents(); !reflect.DeepEqual(events, []parley.Event{want}) {
		t.Errorf("events %+v", events)
	}
	_, err := w.Session(t.Context(), there.Token)
	refused(t, err, parley.SignIn, "sign-in.required")
	if _, err := w.Session(t.Context(), here.Token); err != nil {
		t.Errorf("this device: %v", err)
	}
	_, err = w.SignIn(t.Context(), attempt("anna@example.org", annasPassword))
	refused(t, err, parley.SignIn, "sign-in.wrong")
	w.signIn(t, "anna@example.org", "a new password", 1)
}

func TestChangePasswordRefuses(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(t, "anna@example.org", annasPassword, 1)
	tests := []struct {
		current, next parley.Secret
		key           string
	}{
		{"wrong", "a new password", "password.wrong"},
		{"", "a new password", "password.empty"},
		{annasPassword, "short", "password.short"},
		{annasPassword, "Anna@Example.org", "password.guessable"},
		{annasPassword, "", "password.empty"},
	}
	for _, test := range tests {
		err := w.ChangePassword(t.Context(), session.Actor, test.current, test.next, home)
		refused(t, err, parley.Invalid, test.key)
	}
	if w.store.hashes[anna] != hashOf("v2", annasPassword) {
		t.Error("the password was changed")
	}
}

func TestGuessingTheCurrentPasswordIsLimited(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(t, "anna@example.org", annasPassword, 1)
	for range 10 {
		err := w.ChangePassword(t.Context(), session.Actor, "wrong", "a new password", home)
		refused(t, err, parley.Invalid, "password.wrong")
	}
	err := w.ChangePassword(t.Context(), session.Actor, annasPassword, "a new password", home)
	refused(t, err, parley.TooMany, "sign-in.too-many")
	_, err = w.SignIn(t.Context(), attempt("anna@example.org", annasPassword))
	refused(t, err, parley.TooMany, "sign-in.too-many") // one limit for both ways to guess
}

func TestSuccessfulChangeClearsTheLimit(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(t, "anna@example.org", annasPassword, 1)
	current := parley.Secret(annasPassword)
	for i := range 3 {
		for range 9 {
			err := w.ChangePassword(t.Context(), session.Actor, "wrong", "a new password", home)
			refused(t, err, parley.Invalid, "password.wrong")
		}
		next := parley.Secret("a new password" + parley.PersonID(i).String())
		if err := w.ChangePassword(t.Context(), session.Actor, current, next, home); err != nil {
			t.Fatal(err)
		}
		current = next
	}
}

func TestChangePasswordRacingWithAnAdministrator(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(t, "anna@example.org", annasPassword, 1)
	w.store.beforeSet = func() { w.store.hashes[anna] = hashOf("v2", "set by the administrator") }
	err := w.ChangePassword(t.Context(), session.Actor, annasPassword, "a new password", home)
	refused(t, err, parley.Conflict, "password.changed")
	if w.store.hashes[anna] != hashOf("v2", "set by the administrator") {
		t.Error("the administrator's password is gone")
	}
}

func TestSetPassword(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(t, "anna@example.org", annasPassword, 1)
	if err := w.SetPassword(t.Context(), admin, anna, "a new password"); err != nil {
		t.Fatal(err)
	}
	_, err := w.Session(t.Context(), session.Token)
	refused(t, err, parley.SignIn, "sign-in.required")
	if err := w.SetPassword(t.Context(), admin, 404, "a new password"); parley.KindOf(err) != parley.NotFound {
		t.Errorf("nobody's password: %v", err)
	}
	refused(t, w.SetPassword(t.Context(), admin, boris, "borisdahl "), parley.Invalid, "password.guessable")
}

func TestDisableAndEnable(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(t, "anna@example.org", annasPassword, 1)
	w.takeEvents()
	if err := w.Disable(t.Context(), admin, anna); err != nil {
		t.Fatal(err)
	}
	want := []parley.Event{
		parley.DevicesEnded{Person: anna, Devices: []parley.DeviceID{session.Device.ID}, Reason: parley.EndedDisabled},
		parley.AccountDisabled{Person: anna},
		parley.PeopleChanged{People: []parley.PersonID{anna}},
	}
	if events := w.takeEvents(); !reflect.DeepEqual(events, want) {
		t.Errorf("events %+v", events)
	}
	_, err := w.Session(t.Context(), session.Token)
	refused(t, err, parley.SignIn, "sign-in.required")
	if err := w.Enable(t.Context(), admin, anna); err != nil {
		t.Fatal(err)
	}
	_, err = w.Session(t.Context(), session.Token)
	refused(t, err, parley.SignIn, "sign-in.required") // what has ended stays ended
	w.signIn(t, "anna@example.org", annasPassword, 1)
	if err := w.Disable(t.Context(), admin, 404); parley.KindOf(err) != parley.NotFound {
		t.Errorf("nobody: %v", err)
	}
	trail := w.store.actions()
	if trail[1] != parley.AuditPersonDisabled || trail[2] != parley.AuditPersonEnabled || len(trail) != 4 {
		t.Errorf("trail %v", trail)
	}
}

func TestInvitation(t *testing.T) {
	w := newWorld(t)
	code, expires, err := w.Invite(t.Context(), admin, carla)
	if err != nil || time.Until(expires) < invitationTime-time.Minute {
		t.Fatalf("expires %v, %v", expires, err)
	}
	who, err := w.InvitationFor(t.Context(), code, home)
	if err != nil || who.Address != "carla@example.org" || who.DisplayName != "Carla Eck" {
		t.Errorf("for %+v, %v", who, err)
	}
	refused(t, w.UseInvitation(t.Context(), code, "short", home), parley.Invalid, "password.short")
	if err := w.UseInvitation(t.Context(), code, "a new password", home); err != nil {
		t.Fatal(err)
	}
	w.signIn(t, "carla@example.org", "a new password", 1)
	if _, err := w.InvitationFor(t.Context(), code, home); err != parley.ErrWithheld {
		t.Errorf("used invitation: %v", err)
	}
	if err := w.UseInvitation(t.Context(), code, "other password", home); err != parley.ErrWithheld {
		t.Errorf("used twice: %v", err)
	}
}

func TestInvitationAsNewPasswordEndsDevices(t *testing.T) {
	w := newWorld(t)
	session := w.signIn(t, "anna@example.org", annasPassword, 1)
	code, _, err := w.Invite(t.Context(), admin, anna)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.UseInvitation(t.Context(), code, "a new password", home); err != nil {
		t.Fatal(err)
	}
	_, err = w.Session(t.Context(), session.Token)
	refused(t, err, parley.SignIn, "sign-in.required")
}

func TestInvitationEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(*testing.T, *world)
	}{
		{"by time", func(*testing.T, *world) { pass(invitationTime) }},
		{"by a newer one", func(t *testing.T, w *world) {
			if _, _, err := w.Invite(t.Context(), admin, carla); err != nil {
				t.Fatal(err)
			}
		}},
		{"by a password", func(t *testing.T, w *world) {
			if err := w.SetPassword(t.Context(), admin, carla, "a new password"); err != nil {
				t.Fatal(err)
			}
		}},
		{"when the person is disabled", func(t *testing.T, w *world) {
			if err := w.Disable(t.Context(), admin, carla); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				code, _, err := w.Invite(t.Context(), admin, carla)
				if err != nil {
					t.Fatal(err)
				}
				test.end(t, w)
				if err := w.UseInvitation(t.Context(), code, "another password", home); err != parley.ErrWithheld {
					t.Errorf("got %v, want ErrWithheld", err)
				}
			})
		})
	}
}

func TestGuessingInvitationsIsLimited(t *testing.T) {
	w := newWorld(t)
	for i := range w.limits.Load().Invitations {
		code, _ := newCode()
		if i%2 == 0 {
			code = "no code"
		}
		if _, err := w.InvitationFor(t.Context(), code, home); err != parley.ErrWithheld {
			t.Fatal(err)
		}
	}
	code, _, err := w.Invite(t.Context(), admin, carla)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.InvitationFor(t.Context(), code, home)
	refused(t, err, parley.TooMany, "sign-in.too-many")
	if _, err := w.InvitationFor(t.Context(), code, office); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
}

func TestInviteOfSomebodyDisabled(t *testing.T) {
	w := newWorld(t)
	w.store.people[carla].Disabled = true
	_, _, err := w.Invite(t.Context(), admin, carla)
	refused(t, err, parley.Conflict, "person.disabled")
}

func TestForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store.people[boris].Disabled = true
		stop := w.start(t)
		for _, address := range []string{"Anna@example.org", "anna@example.org", "nobody@example.org", "boris@example.org", "nonsense"} {
			w.Forgotten(address, home)
		}
		pass(time.Second)
		requests, err := w.ResetRequests(t.Context(), admin)
		if err != nil || len(requests) != 1 || requests[0].Person != anna {
			t.Errorf("requests %+v, %v", requests, err)
		}
		pass(59 * time.Minute)
		w.Forgotten("anna@example.org", home)
		pass(time.Second)
		if w.store.requestsBy != 1 {
			t.Errorf("stored %d times within the hour", w.store.requestsBy)
		}
		pass(time.Minute)
		w.Forgotten("anna@example.org", home) // waits when the server stops
		stop()
		if w.store.requestsBy != 2 {
			t.Errorf("stored %d times, want 2", w.store.requestsBy)
		}
	})
}

func TestForgottenIsLimitedByNetwork(t *testing.T) {
	w := newWorld(t)
	forgotten := w.limits.Load().Forgotten
	for range 3 * forgotten {
		w.Forgotten("anna@example.org", home)
	}
	if n := len(w.forgotten); n != forgotten {
		t.Errorf("%d requests wait, want %d", n, forgotten)
	}
	for i := range 1000 { // more networks than the queue holds: dropped, not waited for
		w.Forgotten("anna@example.org", netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
	}
	if n := len(w.forgotten); n != cap(w.forgotten) {
		t.Errorf("%d requests wait, want %d", n, cap(w.forgotten))
	}
}
