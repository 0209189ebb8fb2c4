package server_test

import (
	"strconv"
	"testing"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/server"
)

// tooMany checks a refusal for the rate: the status, the reason, and a time to come
// back that the header gives as well.
func tooMany(t *testing.T, what string, answer parleytest.Answer, key string) {
	t.Helper()
	p := answer.Problem()
	after, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if answer.Status != 429 || p.Key != key || p.Retry != "later" || err != nil || after < 1 || p.RetryAfter != after {
		t.Errorf("%s is answered\n%s", what, answer.Signature())
	}
}

// Each rate is counted for whom it is set: the device, the person with all
// devices, the network of whoever has no session.
func TestRequestRatesCountApart(t *testing.T) {
	w := parleytest.StartAlone(t, behindProxy, func(c *server.Config) {
		c.Limits.RequestsAtOnce, c.Limits.RequestsPerSecond = 10, 1
		c.Limits.PersonRequestsAtOnce, c.Limits.PersonRequestsPerSecond = 15, 1
		c.Limits.NetworkRequestsAtOnce, c.Limits.NetworkRequestsPerSecond = 20, 1
	})
	request := func(alias string) *parleytest.Device {
		d, err := w.SignIn(alias, nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	phone, desk, other := request("hanna"), request("hanna"), request("kwame")
	// upTo asks until it is refused, and counts what was answered.
	upTo := func(most int, ask func() parleytest.Answer) (n int, last parleytest.Answer) {
		for ; n <= most; n++ {
			if last = ask(); last.Status == 429 {
				return n, last
			}
		}
		return n, last
	}
	session := func(d *parleytest.Device) func() parleytest.Answer {
		return func() parleytest.Answer { return d.Ask("GET", "/api/session", nil) }
	}
	// The test may take seconds, in which each rate gives another request.
	n, refusal := upTo(15, session(phone))
	if tooMany(t, "the phone past its rate", refusal, "request.too-many"); n < 9 {
		t.Errorf("the phone was refused after %d requests", n)
	}
	n, refusal = upTo(12, session(desk))
	if tooMany(t, "the desk past the rate of its person", refusal, "request.too-many"); n > 9 {
		t.Errorf("the desk was refused after %d requests: by its own rate, not by the person's", n)
	}
	if answer := session(other)(); answer.Status != 200 {
		t.Errorf("somebody else is answered %d", answer.Status)
	}
	about := func(network string) func() parleytest.Answer {
		return func() parleytest.Answer { return w.Ask("GET", "/api/about", nil, "X-Forwarded-For", network) }
	}
	n, refusal = upTo(60, about("192.0.2.1"))
	if tooMany(t, "a network past its rate", refusal, "request.too-many"); n < 20 {
		t.Errorf("the network was refused after %d requests", n)
	}
	if answer := about("192.0.2.2")(); answer.Status != 200 {
		t.Errorf("another network is answered %d", answer.Status)
	}
	if answer := other.Ask("GET", "/api/session", nil, "X-Forwarded-For", "192.0.2.1"); answer.Status != 200 {
		t.Errorf("somebody signed in behind a network past its rate is answered %d", answer.Status)
	}
}

func TestFailuresAreLimitedAsConfigured(t *testing.T) {
	outside := parleytest.NewOutside(t, nil)
	w := anOffice(t, outside.Use, func(c *server.Config) {
		c.Limits.SignInFailures, c.Limits.AddressSignInFailures, c.Limits.NetworkSignInFailures = 2, 3, 4
		c.Limits.InvitationFailures, c.Limits.Lookups = 2, 2
	})
	fail := func(network, address string) parleytest.Answer {
		return signIn(w, network, address, "not the password")
	}
	for range 2 {
		fail("192.0.2.1", "ann@example.test")
	}
	tooMany(t, "an address from one network", fail("192.0.2.1", "ann@example.test"), "sign-in.too-many")
	fail("192.0.2.2", "ann@example.test")
	tooMany(t, "an address from anywhere", signIn(w, "192.0.2.3", "ann@example.test", good), "sign-in.too-many")
	for _, address := range []string{"bob@example.test", "nobody@example.test"} {
		fail("192.0.2.1", address)
	}
	tooMany(t, "a network", signIn(w, "192.0.2.1", "cleo@example.test", good), "sign-in.too-many")

	for range 2 {
		w.Ask("POST", "/api/invitation", webapi.InvitationRequest{Code: "guess"})
		w.Ask("POST", "/api/discover", webapi.DiscoverRequest{Address: "ann@elsewhere.example"})
	}
	tooMany(t, "a wrong invitation", w.Ask("POST", "/api/invitation", webapi.InvitationRequest{Code: "guess"}), "sign-in.too-many")
	tooMany(t, "a question for another server", w.Ask("POST", "/api/discover", webapi.DiscoverRequest{Address: "ann@elsewhere.example"}), "discover.too-many")
}
