package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/server"
)

const office = `dn: uid=ann,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
entryUUID: 00000000-0000-4000-8000-00000000000a
uid: ann
cn: Ann Example
sn: Example
mail: ann@example.test

dn: uid=bob,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
entryUUID: 00000000-0000-4000-8000-00000000000b
uid: bob
cn: Bob Example
sn: Example
mail: bob@example.test

dn: uid=cleo,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
entryUUID: 00000000-0000-4000-8000-00000000000c
uid: cleo
cn: Cleo Example
sn: Example
mail: cleo@example.test
`

const good = "a password for the office"

// behindProxy makes the server believe X-Forwarded-For, so that a test can come
// from many networks.
func behindProxy(c *server.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
}

// anOffice is a server with three people: Ann has a password, Bob has none, and
// Cleo has one and is disabled.
func anOffice(t *testing.T, change ...func(*server.Config)) *parleytest.World {
	t.Helper()
	w := parleytest.Start(t, append(change, parleytest.Organisation("example.test"), behindProxy)...)
	if said := w.Import(office, server.ImportOptions{}); said.Added != 3 || len(said.Problems) > 0 {
		t.Fatalf("the import says %+v", said)
	}
	w.SetPassword("ann@example.test", good)
	w.SetPassword("cleo@example.test", good)
	control := w.Control()
	defer control.Close()
	if err := control.Disable(t.Context(), "cleo@example.test"); err != nil {
		t.Fatal(err)
	}
	return w
}

func signIn(w *parleytest.World, network, address, password string) parleytest.Answer {
	w.Helper()
	return w.Ask("POST", "/api/session", parleytest.SignInAs(address, password), "X-Forwarded-For", network)
}

// claim: AC1
func TestAC1SignInWithAddressAndPassword(t *testing.T) {
	w := anOffice(t)
	for _, address := range []string{"ann@example.test", "Ann@Example.TEST", "  ann@example.test "} {
		if answer := signIn(w, "192.0.2.1", address, good); answer.Status != 200 {
			t.Errorf("%q with the right password is answered %d %s", address, answer.Status, answer.Body)
		}
	}
	if answer := signIn(w, "192.0.2.1", "cleo@example.test", good); answer.Status != 403 || answer.Problem().Key != "sign-in.disabled" {
		t.Errorf("somebody disabled, with the right password, is answered %d %s", answer.Status, answer.Body)
	}
}

// Nobody learns from the answer who has an account here.
//
// claim: AC1
func TestAC1WrongSignInsLookAlike(t *testing.T) {
	w := anOffice(t)
	wrong := signIn(w, "192.0.2.1", "ann@example.test", "not the password")
	if wrong.Status != 401 || wrong.Problem().Key != "sign-in.wrong" {
		t.Fatalf("a wrong password is answered %d %s", wrong.Status, wrong.Body)
	}
	for who, address := range map[string]string{
		"an unknown address":          "nobody@example.test",
		"an address of other domains": "ann@elsewhere.test",
		"somebody without a password": "bob@example.test",
		"somebody disabled":           "cleo@example.test",
	} {
		if got := signIn(w, "192.0.2.1", address, "not the password"); got.Signature() != wrong.Signature() {
			t.Errorf("%s is answered\n%s\nunlike a wrong password\n%s", who, got.Signature(), wrong.Signature())
		}
	}
}

// claim: AC1
func TestAC1OnlyFailuresAreLimited(t *testing.T) {
	w := anOffice(t)
	const here, there = "192.0.2.1", "192.0.2.2"
	for range 12 { // more than the limit of failures
		if answer := signIn(w, here, "ann@example.test", good); answer.Status != 200 {
			t.Fatalf("a right password is answered %d %s", answer.Status, answer.Body)
		}
	}
	for _, address := range []string{"ann@example.test", "nobody@example.test"} {
		for i := range 10 {
			if answer := signIn(w, here, address, "not the password"); answer.Status != 401 {
				t.Fatalf("failure %d of %s is answered %d", i+1, address, answer.Status)
			}
		}
		answer := signIn(w, here, address, "not the password")
		if answer.Status != 429 || answer.Problem().Key != "sign-in.too-many" || answer.Header.Get("Retry-After") == "" {
			t.Errorf("the failure past the limit for %s is answered\n%s", address, answer.Signature())
		}
	}
	if answer := signIn(w, here, "ann@example.test", good); answer.Status != 429 {
		t.Errorf("past the limit the right password is answered %d: guessing goes on", answer.Status)
	}
	if answer := signIn(w, there, "ann@example.test", good); answer.Status != 200 {
		t.Errorf("from another network the right password is answered %d: somebody can lock her out", answer.Status)
	}
}

// claim: AC1
func TestAC1FullQueueTurnsAway(t *testing.T) {
	w := anOffice(t, func(c *server.Config) { c.Limits.PasswordChecks = 1 })
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	client := http.Client{Transport: &http.Transport{MaxConnsPerHost: 400}}
	defer client.CloseIdleConnections()
	away := make(chan http.Header, 1)
	var crowd sync.WaitGroup
	for i := range 400 { // more than may wait for one checker
		crowd.Go(func() {
			for ctx.Err() == nil {
				body := fmt.Sprintf(`{"address": "u%d@example.test", "password": "guess", "installation": %q, "device_name": "", "device_class": "mobile", "time_zone": ""}`,
					i, strings.Repeat("a", 22))
				request, err := http.NewRequestWithContext(ctx, "POST", w.Base+"/api/session", strings.NewReader(body))
				if err != nil {
					return
				}
				request.Header.Set("Content-Type", "application/json")
				request.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", i/200, i%200))
				answer, err := client.Do(request)
				if err != nil {
					return
				}
				answer.Body.Close()
				if answer.StatusCode == 503 {
					select {
					case away <- answer.Header:
					default:
					}
					stop()
				}
			}
		})
	}
	crowd.Wait()
	select {
	case header := <-away:
		if header.Get("Retry-After") == "" {
			t.Error("who is turned away is not told when to come back")
		}
	default:
		t.Error("nobody was turned away")
	}
	if answer := signIn(w, "192.0.2.1", "ann@example.test", good); answer.Status != 200 {
		t.Errorf("after the crowd a sign-in is answered %d %s", answer.Status, answer.Body)
	}
}

// claim: AC2
func TestAC2ServerIsFoundFromTheAddress(t *testing.T) {
	outside := parleytest.NewOutside(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/.well-known/parley":
		case r.Host == "document.example.com":
			fmt.Fprint(w, `{"server": "https://chat.example.com"}`)
			return
		case r.Host == "moved.example.com":
			http.Redirect(w, r, "https://document.example.com/.well-known/parley", http.StatusFound)
			return
		}
		http.NotFound(w, r)
	}))
	for _, host := range []string{"document.example.com", "moved.example.com", "record.example.com", "nothing.example.com"} {
		outside.Host(host, "93.184.216.34")
	}
	outside.Record("record.example.com", "chat.example.com.", 8443)
	w := parleytest.Start(t, outside.Use)
	for address, want := range map[string]webapi.Discovered{
		"hanna@demo.example":            {Where: "here"},
		"nobody@demo.example":           {Where: "here"}, // who exists is not told
		"ann@document.example.com":      {Where: "elsewhere", Server: "https://chat.example.com"},
		"ann@moved.example.com":         {Where: "elsewhere", Server: "https://chat.example.com"},
		"ann@record.example.com":        {Where: "elsewhere", Server: "https://chat.example.com:8443"},
		"ann@nothing.example.com":       {Where: "unknown"},
		"ann@unheard-of.example.com":    {Where: "unknown"},
		"Ann@DOCUMENT.example.com":      {Where: "elsewhere", Server: "https://chat.example.com"},
		"  ann@document.example.com\t ": {Where: "elsewhere", Server: "https://chat.example.com"},
	} {
		var got webapi.Discovered
		w.Ask("POST", "/api/discover", webapi.DiscoverRequest{Address: address}).Into(t, &got)
		if got != want {
			t.Errorf("%q signs in %+v, want %+v", address, got, want)
		}
	}
}

// A stranger types addresses of which the server looks up the domain. It must not
// become their way into the network behind it.
//
// claim: AC2
func TestAC2NothingInsideIsReached(t *testing.T) {
	outside := parleytest.NewOutside(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Host {
		case "hop.example.com":
			http.Redirect(w, r, "https://private.example.com/.well-known/parley", http.StatusFound)
		case "plain.example.com":
			http.Redirect(w, r, "http://public.example.com/.well-known/parley", http.StatusFound)
		case "port.example.com":
			http.Redirect(w, r, "https://public.example.com:6379/", http.StatusFound)
		case "names-address.example.com":
			fmt.Fprint(w, `{"server": "https://10.0.0.1"}`)
		case "names-plain.example.com":
			fmt.Fprint(w, `{"server": "http://chat.example.com"}`)
		case "names-script.example.com":
			fmt.Fprint(w, `{"server": "javascript:alert(1)"}`)
		case "huge.example.com":
			fmt.Fprintf(w, `{"server": "https://chat.example.com", "more": %q}`, strings.Repeat("x", 128<<10))
		default:
			fmt.Fprint(w, `{"server": "https://chat.example.com"}`)
		}
	}))
	inside := map[string][]string{
		"private.example.com":   {"10.0.0.1"},
		"loopback.example.com":  {"127.0.0.1"},
		"loopback6.example.com": {"::1"},
		"metadata.example.com":  {"169.254.169.254"},
		"mapped.example.com":    {"::ffff:192.168.0.1"},
		"mixed.example.com":     {"93.184.216.34", "192.168.0.1"},
		"unique.example.com":    {"fd00::1"},
	}
	for host, addresses := range inside {
		outside.Host(host, addresses...)
	}
	for _, host := range []string{"public", "hop", "plain", "port", "names-address", "names-plain", "names-script", "huge"} {
		outside.Host(host+".example.com", "93.184.216.34")
	}
	outside.Record("private.example.com", "10.0.0.1", 443)
	w := parleytest.Start(t, outside.Use)
	domains := []string{"10.0.0.1", "[10.0.0.1]", "[::1]", "localhost", "intranet", "0x7f.1", "2130706433", "127.1",
		"hop.example.com", "plain.example.com", "port.example.com", "names-address.example.com", "names-plain.example.com",
		"names-script.example.com", "huge.example.com"}
	for host := range inside {
		domains = append(domains, host)
	}
	for _, domain := range domains {
		answer := w.Ask("POST", "/api/discover", webapi.DiscoverRequest{Address: "ann@" + domain})
		var got webapi.Discovered
		if answer.Status == 200 {
			answer.Into(t, &got)
		}
		if answer.Status != 422 && got.Where != "unknown" {
			t.Errorf("%s is answered %d %s, want unknown or a refusal", domain, answer.Status, answer.Body)
		}
	}
	for _, address := range outside.Dialled() {
		if address != "93.184.216.34:443" {
			t.Errorf("the server opened a connection to %s", address)
		}
	}
	if len(outside.Dialled()) == 0 {
		t.Error("nothing was dialled: the test shows nothing")
	}
}

// claim: AC4
func TestAC4OperatorIsNamed(t *testing.T) {
	w := parleytest.Start(t, func(c *server.Config) {
		c.Operator = server.OperatorConfig{Name: "Hosting Ltd", Contact: "privacy@hosting.example", PrivacyURL: "https://hosting.example/privacy"}
	})
	var about webapi.About
	w.Ask("GET", "/api/about", nil).Into(t, &about)
	want := webapi.Operator{Name: "Hosting Ltd", Contact: "privacy@hosting.example", PrivacyURL: "https://hosting.example/privacy"}
	if about.Operator == nil || *about.Operator != want {
		t.Errorf("the operator is %+v, want %+v", about.Operator, want)
	}
	w = parleytest.Start(t)
	if answer := w.Ask("GET", "/api/about", nil); strings.Contains(string(answer.Body), "operator") {
		t.Errorf("an organisation that runs its own server is told of an operator: %s", answer.Body)
	}
}
