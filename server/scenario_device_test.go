package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/server"
	"parley/server/demo"
)

func devicesOf(t *testing.T, d *parleytest.Device) []webapi.Device {
	t.Helper()
	var list webapi.Devices
	d.Ask("GET", "/api/devices", nil).Into(t, &list)
	return list.Devices
}

// signedOut reports whether the device's token opens nothing any more.
func signedOut(t *testing.T, d *parleytest.Device) bool {
	t.Helper()
	if rest := d.Ask("GET", "/api/session", nil); rest.Status != 401 {
		return false
	}
	socket := d.Ask("GET", "/api/ws", nil, "Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
	return socket.Status == 401
}

// claim: AC3
func TestAC3DevicesAreListedAndRevoked(t *testing.T) {
	w := parleytest.Start(t)
	phone, desk := w.As("hanna"), w.As("hanna")
	other := w.As("kwame")
	list := devicesOf(t, desk)
	if len(list) != 2 {
		t.Fatalf("hanna has %d devices, want 2", len(list))
	}
	for _, d := range list {
		if d.Current != (d.ID == desk.Session.Device) || d.Name != "hanna's phone" || d.Class != "mobile" || d.Expires == "" {
			t.Errorf("a device is listed as %+v", d)
		}
	}
	if answer := other.Ask("DELETE", "/api/devices/"+phone.Session.Device, nil); answer.Status != 404 {
		t.Errorf("somebody else's device is answered %d", answer.Status)
	}
	if answer := desk.Ask("DELETE", "/api/devices/"+phone.Session.Device, nil); answer.Status != 204 {
		t.Fatalf("revoking is answered %d %s", answer.Status, answer.Body)
	}
	if reason := phone.SignedOut(); reason != "revoked" {
		t.Errorf("the phone is told %q", reason)
	}
	if !signedOut(t, phone) || signedOut(t, desk) {
		t.Error("the phone's token works on, or the desk's does not")
	}
	if list := devicesOf(t, desk); len(list) != 1 || list[0].ID != desk.Session.Device {
		t.Errorf("afterwards the devices are %+v", list)
	}
}

// claim: AC3
func TestAC3SignOut(t *testing.T) {
	w := parleytest.Start(t)
	phone, desk := w.As("hanna"), w.As("hanna")
	if answer := phone.Ask("DELETE", "/api/session", nil); answer.Status != 204 {
		t.Fatalf("signing out is answered %d %s", answer.Status, answer.Body)
	}
	if reason := phone.SignedOut(); reason != "signed-out" {
		t.Errorf("the phone is told %q", reason)
	}
	if !signedOut(t, phone) || signedOut(t, desk) {
		t.Error("the phone's token works on, or the desk's does not")
	}
}

// claim: AC3
func TestAC3ChangedPasswordEndsTheOtherDevices(t *testing.T) {
	w := parleytest.Start(t)
	phone, desk := w.As("hanna"), w.As("hanna")
	wrong := phone.Ask("PUT", "/api/me/password", webapi.ChangePasswordRequest{Current: "not it at all", Password: "a new one for hanna"})
	if wrong.Status != 422 || wrong.Problem().Field != "current" {
		t.Errorf("a wrong current password is answered %d %s", wrong.Status, wrong.Body)
	}
	changed := phone.Ask("PUT", "/api/me/password", webapi.ChangePasswordRequest{Current: demo.Password, Password: "a new one for hanna"})
	if changed.Status != 204 {
		t.Fatalf("changing the password is answered %d %s", changed.Status, changed.Body)
	}
	if reason := desk.SignedOut(); reason != "password" {
		t.Errorf("the desk is told %q", reason)
	}
	if signedOut(t, phone) || !signedOut(t, desk) {
		t.Error("the wrong devices are signed out")
	}
	for password, want := range map[string]int{demo.Password: 401, "a new one for hanna": 200} {
		if answer := w.Ask("POST", "/api/session", parleytest.SignInAs("hanna@demo.example", password)); answer.Status != want {
			t.Errorf("the password %q is answered %d, want %d", password, answer.Status, want)
		}
	}
}

// claim: AC3
func TestAC3DisablingTakesEffectWithinASecond(t *testing.T) {
	w := parleytest.Start(t)
	phone, desk, other := w.As("hanna"), w.As("hanna"), w.As("kwame")
	other.Watch(phone.ID())
	other.Sees(phone.ID(), "Available", availability(3500))
	control := w.Control()
	defer control.Close()
	began := time.Now()
	if err := control.Disable(t.Context(), "hanna@demo.example"); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*parleytest.Device{phone, desk} {
		if reason := d.SignedOut(); reason != "disabled" {
			t.Errorf("a device is told %q", reason)
		}
	}
	took := time.Since(began)
	t.Logf("both sockets were told and closed %v after the command began", took.Round(time.Millisecond))
	if took > time.Second {
		t.Errorf("it took %v", took)
	}
	if !signedOut(t, phone) || !signedOut(t, desk) {
		t.Error("a token works on")
	}
	other.Sees(phone.ID(), "Offline", availability(18500))
	if answer := w.Ask("POST", "/api/session", parleytest.SignInAs("hanna@demo.example", demo.Password)); answer.Status != 403 {
		t.Errorf("a sign-in afterwards is answered %d", answer.Status)
	}
	if err := control.Enable(t.Context(), "hanna@demo.example"); err != nil {
		t.Fatal(err)
	}
	if answer := w.Ask("POST", "/api/session", parleytest.SignInAs("hanna@demo.example", demo.Password)); answer.Status != 200 {
		t.Errorf("enabled again she is answered %d", answer.Status)
	}
	if !signedOut(t, phone) {
		t.Error("enabling her brought an old token back")
	}
}

// claim: AC3
func TestAC3IdleDeviceExpiresAndUseKeepsIt(t *testing.T) {
	w := parleytest.Start(t, func(c *server.Config) { c.Policy.DeviceIdle = time.Second })
	idle, err := w.SignIn("hanna", nil)
	if err != nil {
		t.Fatal(err)
	}
	used, err := w.SignIn("hanna", nil)
	if err != nil {
		t.Fatal(err)
	}
	expires, err := time.Parse(time.RFC3339, idle.Session.Expires)
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for now := range tick.C {
		if answer := used.Ask("GET", "/api/session", nil); answer.Status != 200 {
			t.Fatalf("a device that is used is answered %d", answer.Status)
		}
		if now.After(expires) {
			break
		}
	}
	if answer := idle.Ask("GET", "/api/session", nil); answer.Status != 401 || answer.Problem().Retry != "after-sign-in" {
		t.Errorf("a device that was not used for its time is answered %d %s", answer.Status, answer.Body)
	}
}

// claim: AC3
func TestAC3OneDeviceTooMany(t *testing.T) {
	w := parleytest.Start(t)
	oldest := w.As("hanna")
	var second, newest *parleytest.Device
	for i := range 25 {
		d, err := w.SignIn("hanna", func(r *webapi.SignInRequest) { r.DeviceName = fmt.Sprint("device ", i) })
		if err != nil {
			t.Fatal(err)
		}
		if second == nil {
			second = d
		}
		newest = d
	}
	if reason := oldest.SignedOut(); reason != "replaced" {
		t.Errorf("the oldest device is told %q", reason)
	}
	if !signedOut(t, oldest) || signedOut(t, second) {
		t.Error("another device than the oldest was signed out")
	}
	if n := len(devicesOf(t, newest)); n != 25 {
		t.Errorf("hanna has %d devices, want 25", n)
	}
}

// claim: AC3
func TestAC3OneBrowserIsOneDevice(t *testing.T) {
	w := parleytest.Start(t)
	first := w.As("hanna")
	installation := strings.Repeat("q", 22)
	same := func(r *webapi.SignInRequest) { r.Installation = installation }
	before, err := w.SignIn("hanna", same)
	if err != nil {
		t.Fatal(err)
	}
	after, err := w.SignIn("hanna", same)
	if err != nil {
		t.Fatal(err)
	}
	if !signedOut(t, before) || len(devicesOf(t, first)) != 2 {
		t.Error("signing in again in a browser made another device of it")
	}
	if before.Session.HistoryKey != after.Session.HistoryKey || before.Session.HistoryKey == first.Session.HistoryKey {
		t.Error("the history key is not that of person and browser")
	}
}

// From the import to the first sign-in, as the administrator and the person do it.
func TestInvitationIsTheFirstPassword(t *testing.T) {
	w := anOffice(t)
	former := w.Invite("bob@example.test")
	code := w.Invite("bob@example.test")
	if answer := w.Ask("POST", "/api/invitation", webapi.InvitationRequest{Code: former}); answer.Status != 404 {
		t.Errorf("an invitation that was replaced is answered %d", answer.Status)
	}
	var who webapi.Invitation
	w.Ask("POST", "/api/invitation", webapi.InvitationRequest{Code: code}).Into(t, &who)
	if who != (webapi.Invitation{Address: "bob@example.test", DisplayName: "Bob Example"}) {
		t.Errorf("the invitation is for %+v", who)
	}
	use := func(password string) parleytest.Answer {
		return w.Ask("POST", "/api/invitation/password", webapi.UseInvitationRequest{Code: code, Password: password})
	}
	for password, key := range map[string]string{"short": "password.short", "bob@example.test": "password.guessable", "Bob Example": "password.guessable"} {
		if answer := use(password); answer.Status != 422 || answer.Problem().Key != key {
			t.Errorf("the password %q is answered %d %s, want %s", password, answer.Status, answer.Body, key)
		}
	}
	if answer := use("bob's own password"); answer.Status != 204 {
		t.Fatalf("using the invitation is answered %d %s", answer.Status, answer.Body)
	}
	if answer := use("and once more again"); answer.Status != 404 {
		t.Errorf("an invitation is used twice: %d", answer.Status)
	}
	bob := parleytest.SignIn(t, w.Base, parleytest.SignInAs("bob@example.test", "bob's own password")).Online()
	if bob.Session.Person.DisplayName != "Bob Example" {
		t.Errorf("signed in is %+v", bob.Session.Person)
	}
}

// Whoever forgot the password gets no other answer than a stranger; the
// administrator sees it and invites.
func TestForgottenPassword(t *testing.T) {
	w := anOffice(t)
	ann := parleytest.SignIn(t, w.Base, parleytest.SignInAs("ann@example.test", good)).Online()
	forgotten := func(address string) parleytest.Answer {
		return w.Ask("POST", "/api/password/forgotten", webapi.ForgottenRequest{Address: address})
	}
	known := forgotten("ann@example.test")
	if known.Status != 202 {
		t.Fatalf("asking for a new password is answered %d %s", known.Status, known.Body)
	}
	for _, address := range []string{"nobody@example.test", "cleo@example.test", "not an address"} {
		if answer := forgotten(address); answer.Signature() != known.Signature() {
			t.Errorf("%s is answered\n%s\nunlike\n%s", address, answer.Signature(), known.Signature())
		}
	}
	control := w.Control()
	defer control.Close()
	requests := func() (list []string) {
		people, err := control.People(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range people {
			list = append(list, p.Address)
		}
		return list
	}
	eventually(t, "the request is listed", func() bool { return fmt.Sprint(requests()) == "[ann@example.test]" })
	code := w.Invite("ann@example.test")
	if answer := w.Ask("POST", "/api/invitation/password", webapi.UseInvitationRequest{Code: code, Password: "what she chose then"}); answer.Status != 204 {
		t.Fatalf("using the invitation is answered %d %s", answer.Status, answer.Body)
	}
	if reason := ann.SignedOut(); reason != "password" {
		t.Errorf("her device is told %q", reason)
	}
	if list := requests(); len(list) > 0 {
		t.Errorf("her request is still there: %v", list)
	}
	if answer := w.Ask("POST", "/api/session", parleytest.SignInAs("ann@example.test", "what she chose then")); answer.Status != 200 {
		t.Errorf("the new password is answered %d", answer.Status)
	}
}

// eventually waits for something that no device is told of.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
