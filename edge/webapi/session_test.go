package webapi

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"parley"
)

func signInBody(address, password string, token bool) SignInRequest {
	return SignInRequest{
		Address: address, Password: password, Installation: strings.Repeat("i", 22), DeviceName: "phone", DeviceClass: "mobile",
		TimeZone: "Europe/Berlin", Token: token,
	}
}

func TestSignInByCookie(t *testing.T) {
	behindProxy := []string{"X-Forwarded-Proto", "https"}
	tests := []struct {
		name    string
		headers []string
		cookie  string
		secure  bool
	}{
		{"plain", nil, "parley", false},
		{"over TLS", behindProxy, "__Host-parley", true},
	}
	w := newWorld(t, func(c *Config, _ *pace) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			browser := &client{world: w}
			response := browser.call("POST", "/api/session", signInBody("anna@example.org", testPassword, false), test.headers...)
			cookies := response.Cookies()
			var session Session
			browser.get(response, http.StatusOK, &session)
			if session.Token != "" {
				t.Error("the token is in the body although it is in a cookie")
			}
			if len(cookies) != 1 {
				t.Fatalf("%d cookies, want 1", len(cookies))
			}
			c := cookies[0]
			if c.Name != test.cookie || c.Secure != test.secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("cookie %+v", c)
			}
			cookie := append([]string{"Cookie", c.Name + "=" + c.Value}, test.headers...)
			browser.get(browser.call("GET", "/api/session", nil, cookie...), http.StatusOK, &session)
			if session.Person.ID != w.ids["anna"].String() {
				t.Errorf("the session is %s's", session.Person.ID)
			}
			response = browser.call("DELETE", "/api/session", nil, cookie...)
			if cookies := response.Cookies(); len(cookies) != 1 || cookies[0].Name != test.cookie || cookies[0].MaxAge >= 0 {
				t.Errorf("signing out sets %v, want the cookie removed", cookies)
			}
			browser.get(response, http.StatusNoContent, nil)
			browser.refused(browser.call("GET", "/api/session", nil, cookie...), http.StatusUnauthorized, "sign-in", "sign-in.required")
		})
	}
}

// TestPlainCookieDoesNotCountOverTLS: a sibling domain can plant a cookie without
// the prefix.
func TestPlainCookieDoesNotCountOverTLS(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *pace) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	anna := w.signIn("anna")
	browser := &client{world: w}
	cookie := []string{"Cookie", "parley=" + anna.token}
	browser.get(browser.call("GET", "/api/session", nil, cookie...), http.StatusOK, nil)
	response := browser.call("GET", "/api/session", nil, append(cookie, "X-Forwarded-Proto", "https")...)
	browser.refused(response, http.StatusUnauthorized, "sign-in", "sign-in.required")
}

func TestForwardedHeadersCountFromTrustedProxiesOnly(t *testing.T) {
	header := func(r *http.Request, name string, values ...string) {
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
	tests := []struct {
		name    string
		peer    string
		proto   []string
		forward []string
		network string
		secure  bool
	}{
		{"nobody between", "203.0.113.9:1", nil, nil, "203.0.113.9", false},
		{"an untrusted peer claims", "203.0.113.9:1", []string{"https"}, []string{"198.51.100.1"}, "203.0.113.9", false},
		{"a trusted proxy", "10.0.0.1:1", []string{"https"}, []string{"198.51.100.1"}, "198.51.100.1", true},
		{"what the client wrote stands before", "10.0.0.1:1", []string{"http", "https"}, []string{"1.1.1.1", "198.51.100.1"}, "198.51.100.1", true},
		{"two trusted proxies", "10.0.0.1:1", nil, []string{"1.1.1.1, 198.51.100.1, 10.0.0.2"}, "198.51.100.1", false},
		{"a proxy that writes ports", "10.0.0.1:1", nil, []string{"198.51.100.1:4711"}, "198.51.100.1", false},
		{"IPv6 with a port", "10.0.0.1:1", nil, []string{"[2001:db8::1]:4711"}, "2001:db8::1", false},
		{"rubbish", "10.0.0.1:1", []string{"gopher"}, []string{"198.51.100.1, none"}, "10.0.0.1", false},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:1", nil, []string{"::ffff:198.51.100.1"}, "198.51.100.1", false},
		{"no address", "@", []string{"https"}, nil, "invalid IP", false},
	}
	s := &Server{config: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, requests: newRequestIDs()}
	for _, test := range tests {
		r, err := http.NewRequest("GET", "http://x/api/about", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = test.peer
		header(r, "X-Forwarded-Proto", test.proto...)
		header(r, "X-Forwarded-For", test.forward...)
		c := s.identify(r)
		if c.network.String() != test.network || c.secure != test.secure {
			t.Errorf("%s: network %v, secure %v; want %s, %v", test.name, c.network, c.secure, test.network, test.secure)
		}
	}
}

func TestOrigin(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *pace) { c.Origins = []string{"https://app.example.org"} })
	anna := w.signIn("anna")
	own := w.web.URL
	tests := []struct {
		name    string
		headers []string
		allowed bool
	}{
		{"a program", nil, true},
		{"our page", []string{"Origin", own, "Sec-Fetch-Site", "same-origin"}, true},
		{"a configured origin", []string{"Origin", "https://app.example.org"}, true},
		{"another site", []string{"Origin", "https://evil.example"}, false},
		{"another port", []string{"Origin", own + "1"}, false},
		{"another scheme", []string{"Origin", "https" + strings.TrimPrefix(own, "http")}, false},
		{"a sandbox", []string{"Origin", "null"}, false},
		{"without Origin but from another site", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"a sibling", []string{"Origin", "https://evil.example.org", "Sec-Fetch-Site", "same-site"}, false},
	}
	for _, test := range tests {
		response := anna.call("PUT", "/api/me/note", `{"note":"hi"}`, test.headers...)
		if test.allowed {
			anna.get(response, http.StatusOK, nil)
		} else {
			anna.refused(response, http.StatusForbidden, "forbidden", "origin.wrong")
		}
		socket, response, err := anna.tryDial(test.headers...)
		switch {
		case err == nil:
			_ = socket.conn.NetConn().Close()
			if !test.allowed {
				t.Errorf("%s: the socket opened", test.name)
			}
		case test.allowed:
			t.Errorf("%s: the socket did not open: %v", test.name, err)
		case response.StatusCode != http.StatusForbidden:
			t.Errorf("%s: the socket answers %d, want 403", test.name, response.StatusCode)
		}
		anna.get(anna.call("GET", "/api/session", nil, test.headers...), http.StatusOK, nil)
	}
}

func TestAbout(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *pace) { c.URL = "https://parley.example.org" })
	stranger := &client{world: w}
	for host, secure := range map[string]bool{"127.0.0.1": true, "localhost:8080": true, "[::1]:8080": true, "parley.lan": false, "192.0.2.1:8080": false} {
		var about About
		response := stranger.call("GET", "/api/about", nil, "Host", host)
		if got := response.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q", got)
		}
		stranger.get(response, http.StatusOK, &about)
		if about.Secure != secure {
			t.Errorf("%s: secure %v, want %v", host, about.Secure, secure)
		}
		if about.Build != "test" || about.Protocol != ProtocolVersion || about.Name != "Example" || about.Features == nil {
			t.Errorf("about %+v", about)
		}
	}
	var known WellKnown
	stranger.get(stranger.call("GET", "/.well-known/parley", nil), http.StatusOK, &known)
	if known.Server != "https://parley.example.org" {
		t.Errorf("the well-known document names %q", known.Server)
	}
}

// domains is a Discovery that knows one domain.
type domains struct{}

func (domains) FindServer(_ context.Context, domain string, _ netip.Addr) (string, error) {
	if domain == "elsewhere.example" {
		return "https://chat.elsewhere.example", nil
	}
	return "", parley.ErrWithheld
}

func TestDiscover(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *pace) { c.Discovery = domains{} })
	stranger := &client{world: w}
	for address, want := range map[string]Discovered{
		"anna@example.org":      {Where: "here"},
		"nobody@EXAMPLE.org":    {Where: "here"},
		"ada@elsewhere.example": {Where: "elsewhere", Server: "https://chat.elsewhere.example"},
		"ada@nowhere.example":   {Where: "unknown"},
	} {
		var got Discovered
		stranger.get(stranger.call("POST", "/api/discover", DiscoverRequest{Address: address}), http.StatusOK, &got)
		if got != want {
			t.Errorf("%s: got %+v, want %+v", address, got, want)
		}
	}
	p := stranger.refused(stranger.call("POST", "/api/discover", DiscoverRequest{Address: "anna"}), http.StatusUnprocessableEntity, "invalid", "address.invalid")
	if p.Field != "address" {
		t.Errorf("the refusal names the field %q", p.Field)
	}
}

// TestSignInTellsNothing: the same answer for whatever is wrong.
func TestSignInTellsNothing(t *testing.T) {
	w := newWorld(t)
	if err := w.auth.Disable(t.Context(), parley.System, w.ids["dora"]); err != nil {
		t.Fatal(err)
	}
	stranger := &client{world: w}
	var first string
	for _, body := range []SignInRequest{
		signInBody("anna@example.org", "wrong password", true), signInBody("nobody@example.org", "wrong password", true),
		signInBody("dora@example.org", "wrong password", true), signInBody("nobody@unserved.example", testPassword, true),
	} {
		text := string(stranger.text(stranger.call("POST", "/api/session", body)))
		if first == "" {
			first = text
		}
		if text != first {
			t.Errorf("%s: %s\nwant %s", body.Address, text, first)
		}
	}
}

func TestPasswordAndInvitation(t *testing.T) {
	w := newWorld(t)
	anna, other := w.signIn("anna"), w.signIn("anna")
	socket := other.online()
	change := ChangePasswordRequest{Current: "wrong", Password: "another long password"}
	if p := anna.refused(anna.call("PUT", "/api/me/password", change), http.StatusUnprocessableEntity, "invalid", "password.wrong"); p.Field != "current" {
		t.Errorf("the refusal names the field %q", p.Field)
	}
	change.Current = testPassword
	anna.get(anna.call("PUT", "/api/me/password", change), http.StatusNoContent, nil)
	if e := socket.expect("signed-out"); e.text("reason") != "password" {
		t.Errorf("the other device is told %v", e)
	}
	socket.ends(CloseSignedOut)
	anna.get(anna.call("GET", "/api/session", nil), http.StatusOK, nil)
	other.refused(other.call("GET", "/api/session", nil), http.StatusUnauthorized, "sign-in", "sign-in.required")

	code, _, err := w.auth.Invite(t.Context(), parley.System, w.ids["ben"])
	if err != nil {
		t.Fatal(err)
	}
	stranger := &client{world: w}
	var invitation Invitation
	stranger.get(stranger.call("POST", "/api/invitation", InvitationRequest{Code: string(code)}), http.StatusOK, &invitation)
	if invitation.Address != "ben@example.org" || invitation.DisplayName != "Ben Brandt" {
		t.Errorf("invitation %+v", invitation)
	}
	use := UseInvitationRequest{Code: string(code), Password: "brand new password"}
	stranger.get(stranger.call("POST", "/api/invitation/password", use), http.StatusNoContent, nil)
	stranger.get(stranger.call("POST", "/api/session", signInBody("ben@example.org", "brand new password", true)), http.StatusOK, nil)
	if status := stranger.call("POST", "/api/invitation/password", use).StatusCode; status != http.StatusNotFound {
		t.Errorf("the second use of an invitation: status %d", status)
	}
	for _, address := range []string{"ben@example.org", "nobody@example.org", "rubbish"} {
		stranger.get(stranger.call("POST", "/api/password/forgotten", ForgottenRequest{Address: address}), http.StatusAccepted, nil)
	}
}

func TestDevices(t *testing.T) {
	w := newWorld(t)
	anna, other, ben := w.signIn("anna"), w.signIn("anna"), w.signIn("ben")
	var list Devices
	anna.get(anna.call("GET", "/api/devices", nil), http.StatusOK, &list)
	if len(list.Devices) != 2 {
		t.Fatalf("%d devices, want 2", len(list.Devices))
	}
	for _, d := range list.Devices {
		if d.Current != (d.ID == anna.session.Device) || d.Class != "mobile" || d.Name != "test" || d.Expires == "" {
			t.Errorf("device %+v", d)
		}
	}
	for _, id := range []string{ben.session.Device, "d999", "x", "p1"} {
		anna.refused(anna.call("DELETE", "/api/devices/"+id, nil), http.StatusNotFound, "not-found", "not-found")
	}
	anna.get(anna.call("DELETE", "/api/devices/"+other.session.Device, nil), http.StatusNoContent, nil)
	other.refused(other.call("GET", "/api/session", nil), http.StatusUnauthorized, "sign-in", "sign-in.required")
	ben.get(ben.call("GET", "/api/session", nil), http.StatusOK, nil)
}
