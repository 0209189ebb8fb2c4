package account

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

// transport answers requests without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string) transport {
	return func(*http.Request) (*http.Response, error) {
		recorder := httptest.NewRecorder()
		recorder.WriteHeader(status)
		recorder.Body.WriteString(body)
		return recorder.Result(), nil
	}
}

func unreachable(*http.Request) (*http.Response, error) { return nil, errors.New("unreachable") }

func records(list ...*net.SRV) func(context.Context, string, string, string) (string, []*net.SRV, error) {
	return func(context.Context, string, string, string) (string, []*net.SRV, error) {
		if len(list) == 0 {
			return "", nil, &net.DNSError{Err: "no such host", IsNotFound: true}
		}
		return "", list, nil
	}
}

func TestFindServer(t *testing.T) {
	tests := []struct {
		name     string
		document transport
		records  []*net.SRV
		want     string // "": withheld
	}{
		{"document", answer(200, `{"server": "https://chat.example.com", "more": 1}`), nil, "https://chat.example.com"},
		{"document with port", answer(200, `{"server": "https://Chat.example.com:8443/"}`), nil, "https://chat.example.com:8443"},
		{"document before record", answer(200, `{"server": "https://a.example.com"}`), []*net.SRV{{Target: "b.example.com.", Port: 443}}, "https://a.example.com"},
		{"record", unreachable, []*net.SRV{{Target: "B.example.com.", Port: 443}}, "https://b.example.com"},
		{"record with port", answer(404, ""), []*net.SRV{{Target: "b.example.com.", Port: 8443}}, "https://b.example.com:8443"},
		{"unfit document, then record", answer(200, `{"server": "http://a.example.com"}`), []*net.SRV{{Target: "b.example.com.", Port: 443}}, "https://b.example.com"},
		{"second record", unreachable, []*net.SRV{{Target: "x y.", Port: 1}, {Target: "c.example.com.", Port: 443}}, "https://c.example.com"},
		{"record that says there is none", unreachable, []*net.SRV{{Target: ".", Port: 0}}, ""},
		{"record with an address", unreachable, []*net.SRV{{Target: "127.0.0.1.", Port: 443}}, ""},
		{"nothing", unreachable, nil, ""},
		{"error page", answer(500, `{"server": "https://chat.example.com"}`), nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := NewDiscovery(DiscoveryConfig{Client: &http.Client{Transport: test.document}, LookupSRV: records(test.records...)})
			got, err := d.FindServer(t.Context(), "example.com", home)
			if got != test.want || (test.want == "") != (err == parley.ErrWithheld) {
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestFindServerAsksForTheRightThings(t *testing.T) {
	var asked []string
	d := NewDiscovery(DiscoveryConfig{
		Client: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.Method+" "+r.URL.String())
			return unreachable(r)
		})},
		LookupSRV: func(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
			asked = append(asked, service+" "+proto+" "+name)
			return "", nil, errors.New("no answer")
		},
	})
	for _, domain := range []string{"Bücher.example", "localhost", "127.0.0.1", "1.2.3", "0x7f.0x1", "::1", "[::1]", "a.example/x", "a.example:80", "x@a.example", ""} {
		if _, err := d.FindServer(t.Context(), domain, home); err == nil {
			t.Errorf("%q: found", domain)
		}
	}
	want := "GET https://xn--bcher-kva.example/.well-known/parley|parley tcp xn--bcher-kva.example."
	if got := strings.Join(asked, "|"); got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

func TestFindServerRemembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		found := true
		d := NewDiscovery(DiscoveryConfig{
			Client: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				asked.Add(1)
				pass(time.Second) // so that questions meet
				if !found {
					return unreachable(r)
				}
				return answer(200, `{"server": "https://chat.example.com"}`)(r)
			})},
			LookupSRV: records(),
		})
		ask := func(want int32) {
			t.Helper()
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					if server, err := d.FindServer(t.Context(), "example.com", home); (err == nil) != found || (server != "") != found {
						t.Errorf("%q, %v", server, err)
					}
				})
			}
			wg.Wait()
			if got := asked.Load(); got != want {
				t.Errorf("asked %d times, want %d", got, want)
			}
		}
		ask(1)
		pass(foundFor - 2*time.Second)
		ask(1)
		pass(time.Minute)
		found = false
		ask(2)
		pass(30 * time.Second)
		ask(2)
		pass(30 * time.Second)
		ask(3)
	})
}

func TestFindServerEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDiscovery(DiscoveryConfig{
			Client: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})},
			LookupSRV: func(ctx context.Context, _, _, _ string) (string, []*net.SRV, error) {
				<-ctx.Done()
				return "", nil, ctx.Err()
			},
		})
		begin := time.Now()
		if _, err := d.FindServer(t.Context(), "example.com", home); err != parley.ErrWithheld {
			t.Error(err)
		}
		if took := time.Since(begin); took > discoveryTime {
			t.Errorf("took %v", took)
		}
	})
}

func TestFindServerIsLimitedAndBounded(t *testing.T) {
	d := NewDiscovery(DiscoveryConfig{Client: &http.Client{Transport: transport(unreachable)}, LookupSRV: records()})
	for i := range int(d.lookups.Load()) {
		if _, err := d.FindServer(t.Context(), parley.PersonID(i).String()+".example.com", home); err != parley.ErrWithheld {
			t.Fatal(err)
		}
	}
	_, err := d.FindServer(t.Context(), "example.com", home)
	refused(t, err, parley.TooMany, "discover.too-many")
	if _, err := d.FindServer(t.Context(), "example.com", office); err != parley.ErrWithheld {
		t.Errorf("from elsewhere: %v", err)
	}
	for i := range maxKnownDomains + 10 {
		d.remember(parley.PersonID(i).String(), "")
	}
	if len(d.known) != maxKnownDomains {
		t.Errorf("%d domains are kept", len(d.known))
	}
}

func TestParseWellKnownRefuses(t *testing.T) {
	for _, server := range []string{
		"", "chat.example.com", "//chat.example.com", "http://chat.example.com", "ftp://chat.example.com", "javascript:alert(1)",
		"https://", "https://user@chat.example.com", "https://user:pw@chat.example.com", "https://chat.example.com/path",
		"https://chat.example.com?x", "https://chat.example.com#x", "https://chat.example.com:0", "https://chat.example.com:99999",
		"https://chat.example.com:x", "https://127.0.0.1", "https://[::1]", "https://2130706433", "https://0x7f.1", "https://localhost",
		"https://intranet", "https://a b.example.com", "https://" + strings.Repeat("a.", 200) + "com", "http://127.0.0.1:8080",
	} {
		if got, err := parseWellKnown([]byte(`{"server": "`+server+`"}`), false); err == nil {
			t.Errorf("%q: accepted as %q", server, got)
		}
	}
	for _, document := range []string{"", "null", "[]", `"https://a.example"`, `{"server": 1}`, `{`, `{"server":"https://a.example.com"} x`, strings.Repeat(" ", maxWellKnown+1)} {
		if _, err := parseWellKnown([]byte(document), false); err == nil {
			t.Errorf("%.40q: accepted", document)
		}
	}
}

func TestParseWellKnownOnLoopback(t *testing.T) {
	for _, server := range []string{"http://127.0.0.1:8081", "http://localhost:8081", "http://[::1]:8081"} {
		if got, err := parseWellKnown([]byte(`{"server": "`+server+`"}`), true); err != nil || got != server {
			t.Errorf("%s: %q, %v", server, got, err)
		}
	}
	for _, server := range []string{"http://192.168.0.1", "http://example.com", "javascript://localhost"} {
		if got, err := parseWellKnown([]byte(`{"server": "`+server+`"}`), true); err == nil {
			t.Errorf("%s: accepted as %q", server, got)
		}
	}
}

func FuzzParseWellKnown(f *testing.F) {
	for _, seed := range []string{
		`{"server": "https://chat.example.com"}`, `{"server": "https://bücher.example:8443/"}`, `{"server": "https://[::1]"}`,
		`{"server": "https://a%2eb.example.com"}`, `{"SERVER": "https://a.example.com"}`, `{"server": "https://u@a.example.com"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		server, err := parseWellKnown(document, false)
		if err != nil {
			return
		}
		host, ok := strings.CutPrefix(server, "https://")
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		normal, err := NormalDomain(host)
		if !ok || err != nil || normal != host || strings.ContainsAny(host, "@/?#:[] ") {
			t.Errorf("%q gives %q", document, server)
		}
		if _, err := netip.ParseAddr(host); err == nil {
			t.Errorf("%q gives the address %q", document, server)
		}
	})
}
