package egress

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/account"
)

// world is an Egress whose internet is one HTTPS server on loopback, at the
// public address that the name server gives for every name.
type world struct {
	*Egress
	log bytes.Buffer
	nameServer

	mu      sync.Mutex
	dialled []string
}

// nameServer is a Resolver.
type nameServer struct {
	mu        sync.Mutex
	addresses map[string][]string // of a name; the first answer is used up when there are more
	asked     []string
}

const publicly = "93.184.216.34"

func newWorld(t *testing.T, handler http.Handler) *world {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	w := &world{nameServer: nameServer{addresses: map[string][]string{}}}
	w.Egress = New(Config{
		Log:      slog.New(slog.NewTextHandler(&w.log, nil)),
		Resolver: &w.nameServer,
		RootCAs:  roots,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			w.mu.Lock()
			w.dialled = append(w.dialled, address)
			w.mu.Unlock()
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	})
	return w
}

// LookupNetIP gives the public address to every name without an entry.
func (n *nameServer) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, host)
	answers, ok := n.addresses[host]
	if !ok {
		answers = []string{publicly}
	}
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	answer := answers[0]
	if len(answers) > 1 {
		n.addresses[host] = answers[1:]
	}
	var list []netip.Addr
	for text := range strings.FieldsSeq(answer) {
		list = append(list, netip.MustParseAddr(text))
	}
	return list, nil
}

// LookupSRV knows one record.
func (n *nameServer) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	if name != "example.com." {
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return "", []*net.SRV{{Target: "srv.example.com.", Port: 443}}, nil
}

func (w *world) stat(purpose Purpose) Stat {
	for _, stat := range w.Stats() {
		if stat.Purpose == purpose {
			return stat
		}
	}
	return Stat{}
}

// get fetches a page for discovery.
func (w *world) get(t *testing.T, url string) (string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := w.Client(Discovery).Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.Status[:3] + " " + string(body), err
}

func page(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) })
}

func TestDiscoveryReachesAPublicServer(t *testing.T) {
	w := newWorld(t, page("hello"))
	// httptest's certificate is for example.com.
	got, err := w.get(t, "https://example.com/.well-known/parley")
	if err != nil || got != "200 hello" {
		t.Fatalf("%q, %v", got, err)
	}
	if len(w.dialled) != 1 || w.dialled[0] != publicly+":443" || w.asked[0] != "example.com." {
		t.Errorf("asked for %v, dialled %v", w.asked, w.dialled)
	}
	stat := w.stat(Discovery)
	if stat.Connections != 1 || stat.Refused != 0 || stat.Sent == 0 || stat.Received == 0 || time.Since(stat.LastUsed) > time.Minute {
		t.Errorf("ledger %+v", stat)
	}
}

func TestDiscoveryRefusesWhatIsNotPublic(t *testing.T) {
	w := newWorld(t, page("secret"))
	w.addresses["rebound.example.com."] = []string{"127.0.0.1"}
	w.addresses["metadata.example.com."] = []string{"169.254.169.254"}
	w.addresses["mapped.example.com."] = []string{"::ffff:10.0.0.1"}
	w.addresses["mixed.example.com."] = []string{publicly + " 192.168.0.1"}
	urls := []string{
		"https://rebound.example.com/", "https://metadata.example.com/", "https://mapped.example.com/", "https://mixed.example.com/",
		"https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25eth0]/", "https://10.0.0.1/",
		"https://example.com:8443/", "https://example.com:22/", "http://example.com/", "http://example.com:443/",
	}
	for _, url := range urls {
		if got, err := w.get(t, url); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %q, %v, want ErrRefused", url, got, err)
		}
	}
	if len(w.dialled) != 0 {
		t.Errorf("dialled %v", w.dialled)
	}
	if stat := w.stat(Discovery); stat.Refused != int64(len(urls)) || stat.Connections != 0 {
		t.Errorf("ledger: %d refused, %d opened", stat.Refused, stat.Connections)
	}
	if logged := w.log.String(); strings.Contains(logged, "example.com") || strings.Contains(logged, "127.0.0.1") {
		t.Errorf("a host that a user chose is in the log: %s", logged)
	}
}

// A name server that answers differently the second time gains nothing: the name
// is resolved once a connection, and the address that was vetted is dialled.
func TestRebinding(t *testing.T) {
	w := newWorld(t, page("hello"))
	w.addresses["example.com."] = []string{publicly, "127.0.0.1"}
	if _, err := w.get(t, "https://example.com/"); err != nil {
		t.Fatal(err)
	}
	if len(w.asked) != 1 || w.dialled[0] != publicly+":443" {
		t.Errorf("asked %d times, dialled %v", len(w.asked), w.dialled)
	}
	if _, err := w.get(t, "https://example.com/"); !errors.Is(err, ErrRefused) {
		t.Errorf("second request: %v, want ErrRefused", err)
	}
}

func TestRedirects(t *testing.T) {
	tests := []struct {
		name, target string
		want         string // "": refused
	}{
		{"to another public host", "https://www.example.com/end", "200 end"},
		{"to plain http", "http://example.com/end", ""},
		{"to loopback", "https://127.0.0.1/end", ""},
		{"to a name of loopback", "https://inside.example.com/end", ""},
		{"to another port", "https://example.com:8443/end", ""},
		{"to a file", "file:///etc/passwd", ""},
		{"for ever", "https://example.com/", "302 "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			hops := 0
			w := newWorld(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				hops++
				if r.Header.Get("Referer") != "" {
					t.Errorf("sent Referer %q", r.Header.Get("Referer"))
				}
				if r.URL.Path == "/end" {
					io.WriteString(w, "end")
					return
				}
				w.Header().Set("Location", test.target)
				w.WriteHeader(http.StatusFound)
			}))
			w.addresses["inside.example.com."] = []string{"127.0.0.1"}
			got, err := w.get(t, "https://example.com/")
			if got != test.want || (test.want == "") != errors.Is(err, ErrRefused) {
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
			if hops > 4 {
				t.Errorf("%d requests", hops)
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	for size, fits := range map[int]bool{0: true, 64 << 10: true, 64<<10 + 1: false, 1 << 20: false} {
		w := newWorld(t, page(strings.Repeat("x", size)))
		got, err := w.get(t, "https://example.com/")
		if (err == nil) != fits || (!fits && !errors.Is(err, errTooLarge)) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if len(got) > len("200 ")+64<<10 {
			t.Errorf("%d bytes: read %d", size, len(got))
		}
	}
}

func TestCompressedBodyIsNotUnpacked(t *testing.T) {
	w := newWorld(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "" && got != "identity" {
			t.Errorf("asks for %s", got)
		}
	}))
	if _, err := w.get(t, "https://example.com/"); err != nil {
		t.Fatal(err)
	}
}

func TestRequestsTogetherAreLimited(t *testing.T) {
	const limit = 8
	arrived, leave := make(chan struct{}, 100), make(chan struct{})
	w := newWorld(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-leave
	}))
	client := w.Client(Discovery)
	var wg sync.WaitGroup
	for range limit {
		wg.Go(func() {
			response, err := client.Get("https://example.com/")
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
		})
	}
	for range limit {
		<-arrived
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://example.com/", nil)
	if response, err := client.Do(request); err == nil {
		response.Body.Close()
		t.Error("one more got through")
	}
	if len(arrived) != 0 {
		t.Error("one more reached the server")
	}
	close(leave)
	wg.Wait()
	if _, err := w.get(t, "https://example.com/"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestPlacesAreGivenBack(t *testing.T) {
	w := newWorld(t, page("hello"))
	w.addresses["inside.example.com."] = []string{"127.0.0.1"}
	w.addresses["nowhere.example.com."] = []string{}
	for range 20 { // more than there are places, each ending in another way
		for _, url := range []string{"https://example.com/", "https://inside.example.com/", "https://nowhere.example.com/"} {
			w.get(t, url)
		}
	}
	if n := len(w.lines[Discovery].slots); n != 0 {
		t.Errorf("%d places are still taken", n)
	}
}

func TestUndeclaredPurposeIsRefused(t *testing.T) {
	w := newWorld(t, page("hello"))
	if _, err := w.Dialer("telemetry")(t.Context(), "tcp", publicly+":443"); !errors.Is(err, ErrRefused) {
		t.Errorf("dialer: %v", err)
	}
	if response, err := w.Client("telemetry").Get("https://example.com/"); !errors.Is(err, ErrRefused) {
		if err == nil {
			response.Body.Close()
		}
		t.Errorf("client: %v", err)
	}
	if _, err := w.Ledger("telemetry")(nil); !errors.Is(err, ErrRefused) {
		t.Errorf("ledger: %v", err)
	}
	if len(w.dialled) != 0 {
		t.Errorf("dialled %v", w.dialled)
	}
}

func TestLedger(t *testing.T) {
	w := newWorld(t, page("hello"))
	for range 3 {
		if proxy, err := w.Ledger(Certificates)(nil); proxy != nil || err != nil {
			t.Fatal(proxy, err)
		}
	}
	if stat := w.stat(Certificates); stat.Connections != 3 || stat.LastUsed.IsZero() {
		t.Errorf("%+v", stat)
	}
	if _, err := w.Ledger(Discovery)(nil); !errors.Is(err, ErrRefused) {
		t.Errorf("untrusted hosts without vetting: %v", err)
	}
	if _, err := w.Ledger(Database)(nil); !errors.Is(err, ErrRefused) {
		t.Errorf("past the dialer: %v", err)
	}
}

func TestTrustedPurposeReachesItsConfiguredHost(t *testing.T) {
	w := newWorld(t, page("hello"))
	w.addresses["db.internal"] = []string{"10.0.0.5 fd00::5"}
	for _, address := range []string{"db.internal:5432", "10.0.0.7:5432", "[::1]:5432", "localhost:5433"} {
		conn, err := w.Dialer(Database)(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(address, err)
		}
		conn.Close()
	}
	want := []string{"10.0.0.5:5432", "10.0.0.7:5432", "[::1]:5432", publicly + ":5433"}
	if !slices.Equal(w.dialled, want) {
		t.Errorf("dialled %v, want %v", w.dialled, want)
	}
	if want := []string{"db.internal", "localhost"}; !slices.Equal(w.asked, want) || w.stat(Names).Connections != 2 {
		t.Errorf("asked %v and counted %d, want %v", w.asked, w.stat(Names).Connections, want)
	}
	if stat := w.stat(Database); stat.Connections != 4 {
		t.Errorf("%+v", stat)
	}
	for _, address := range []string{"10.0.0.7", "", "udp"} {
		if _, err := w.Dialer(Database)(t.Context(), "tcp", address); !errors.Is(err, ErrRefused) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := w.Dialer(Database)(t.Context(), "udp", "10.0.0.7:53"); !errors.Is(err, ErrRefused) {
		t.Errorf("over UDP: %v", err)
	}
}

// An address that does not answer leaves time for the next.
func TestEveryAddressHasItsShareOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dialled []string
		e := New(Config{
			Resolver: &nameServer{addresses: map[string][]string{"db.internal": {"10.0.0.1 10.0.0.2 10.0.0.3"}}},
			Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
				dialled = append(dialled, address)
				if address != "10.0.0.3:5432" {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				here, _ := net.Pipe()
				return here, nil
			},
		})
		began := time.Now()
		conn, err := e.Dialer(Database)(t.Context(), "tcp", "db.internal:5432")
		if err != nil {
			t.Fatalf("after %v: %v", dialled, err)
		}
		conn.Close()
		if took := time.Since(began); took >= 10*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// Whatever is declared to be dialled for elsewhere is not dialled for here.
func TestExceptionsHaveNoDialer(t *testing.T) {
	w := newWorld(t, page("hello"))
	var exceptions []Purpose
	for _, d := range Declared() {
		if d.Past == "" {
			continue
		}
		exceptions = append(exceptions, d.Purpose)
		if _, err := w.Dialer(d.Purpose)(t.Context(), "tcp", publicly+":443"); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: dialer: %v", d.Purpose, err)
		}
		if response, err := w.Client(d.Purpose).Get("https://example.com/"); !errors.Is(err, ErrRefused) {
			if err == nil {
				response.Body.Close()
			}
			t.Errorf("%s: client: %v", d.Purpose, err)
		}
	}
	if want := []Purpose{Routes, Certificates, Control}; !slices.Equal(exceptions, want) {
		t.Errorf("the exceptions are %v, want %v: each needs a reason and a look", exceptions, want)
	}
	if len(w.dialled) != 0 {
		t.Errorf("dialled %v", w.dialled)
	}
}

func TestLookupSRV(t *testing.T) {
	w := newWorld(t, page(""))
	_, records, err := w.Egress.LookupSRV(t.Context(), "parley", "tcp", "example.com.")
	if err != nil || len(records) != 1 {
		t.Errorf("%v, %v", records, err)
	}
	if _, _, err := w.Egress.LookupSRV(t.Context(), "parley", "tcp", "example.net."); err == nil {
		t.Error("found what is not there")
	}
	if stat := w.stat(Names); stat.Connections != 2 {
		t.Errorf("%d questions counted", stat.Connections)
	}
}

// The search for another organisation's server, as the server puts it together.
func TestFindServer(t *testing.T) {
	served := http.NewServeMux()
	served.HandleFunc("/.well-known/parley", func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "www.example.com" {
			io.WriteString(w, `{"server": "https://chat.example.com"}`)
			return
		}
		http.NotFound(w, r)
	})
	w := newWorld(t, served)
	w.addresses["inside.example.com."] = []string{"10.0.0.1"}
	d := account.NewDiscovery(account.DiscoveryConfig{Client: w.Client(Discovery), LookupSRV: w.Egress.LookupSRV})
	for domain, want := range map[string]string{
		"www.example.com":    "https://chat.example.com", // the document
		"example.com":        "https://srv.example.com",  // no document, but a record
		"inside.example.com": "",
		"other.example.com":  "",
	} {
		got, err := d.FindServer(t.Context(), domain, netip.MustParseAddr("192.0.2.1"))
		if got != want || (want == "") != (err == parley.ErrWithheld) {
			t.Errorf("%s: %q, %v, want %q", domain, got, err, want)
		}
	}
}

func TestDeclarationsAreComplete(t *testing.T) {
	seen := map[Purpose]bool{}
	for _, d := range Declared() {
		if seen[d.Purpose] || d.Purpose == "" || d.For == "" || d.Data == "" || d.Hosts == "" || d.Timeout <= 0 {
			t.Errorf("declaration %+v", d)
		}
		if d.Uncounted && d.Past == "" || d.Untrusted && d.Past != "" {
			t.Errorf("%s: %+v", d.Purpose, d)
		}
		if d.Untrusted && (d.MaxBody == 0 || d.Together == 0) {
			t.Errorf("%s has no limits", d.Purpose)
		}
		seen[d.Purpose] = true
	}
}
