package lan

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rsc.io/qr"
)

func open(t *testing.T, dir string) *Authority {
	t.Helper()
	a, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func place(addresses ...string) Place {
	p := Place{Host: "desk"}
	for _, a := range addresses {
		p.Addresses = append(p.Addresses, netip.MustParseAddr(a))
	}
	return p
}

func pool(a *Authority) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	return roots
}

func TestAuthorityIsKeptAndPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lan")
	first, again := open(t, dir), open(t, dir)
	if first.Fingerprint() != again.Fingerprint() || len(first.Fingerprint()) != 95 {
		t.Errorf("fingerprints %s and %s", first.Fingerprint(), again.Fingerprint())
	}
	info, err := os.Stat(filepath.Join(dir, authorityFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	if left := time.Until(first.certificate.NotAfter); left < 9*365*24*time.Hour {
		t.Errorf("ends in %v", left)
	}
}

func TestBrokenAuthorityIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, authorityFile)
	if err := os.WriteFile(file, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v", err)
	}
}

func TestLeafIsTrusted(t *testing.T) {
	a := open(t, t.TempDir())
	leaf, err := a.Leaf(place("192.168.1.20", "fd00::20", "203.0.113.9", "fe80::1%eth0"))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"192.168.1.20", "fd00::20", "fe80::1", "127.0.0.1", "::1", "localhost", "desk.local"} {
		if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: pool(a), DNSName: host}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, host := range []string{"203.0.113.9", "192.168.1.21", "desk.example"} {
		if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: pool(a), DNSName: host}); err == nil {
			t.Errorf("%s is vouched for", host)
		}
	}
	if life := leaf.Leaf.NotAfter.Sub(leaf.Leaf.NotBefore); life > 398*24*time.Hour {
		t.Errorf("lives %v", life)
	}
}

// Whoever steals the key can make certificates, but none that a device believes
// for a public name or address.
func TestAuthorityIsConstrained(t *testing.T) {
	a := open(t, t.TempDir())
	sign := func(names []string, addresses []net.IP) error {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: serial(), NotAfter: time.Now().Add(time.Hour), DNSNames: names, IPAddresses: addresses,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}, a.certificate, &key.PublicKey, a.key)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		_, err = leaf.Verify(x509.VerifyOptions{Roots: pool(a)})
		return err
	}
	if err := sign([]string{"desk.local"}, []net.IP{{10, 0, 0, 1}}); err != nil {
		t.Error(err)
	}
	for _, err := range []error{sign([]string{"bank.example"}, nil), sign(nil, []net.IP{{203, 0, 113, 1}}), sign(nil, []net.IP{net.ParseIP("2001:db8::1")})} {
		invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
		if !ok || invalid.Reason != x509.CANotAuthorizedForThisName {
			t.Errorf("got %v", err)
		}
	}
}

func TestLeafIsMadeAnewInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, t.TempDir())
		at := place("192.168.1.20")
		leaf := func(p Place) *tls.Certificate {
			c, err := a.Leaf(p)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		first := leaf(at)
		if leaf(at) != first {
			t.Error("made anew without need")
		}
		if leaf(place("192.168.1.21")) == first {
			t.Error("not made anew for another address")
		}
		first = leaf(at)
		time.Sleep(leafLife - renewBefore - backdate - time.Minute)
		if leaf(at) != first {
			t.Error("made anew too early")
		}
		time.Sleep(2 * time.Minute)
		if leaf(at) == first {
			t.Error("not made anew 30 days before its end")
		}
	})
}

func TestServesOverTLS(t *testing.T) {
	a := open(t, t.TempDir())
	listener, err := tls.Listen("tcp", "127.0.0.1:0", a.TLS())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	done := make(chan error)
	go func() { done <- server.Serve(listener) }()
	defer func() {
		server.Close()
		<-done
	}()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool(a)}}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("https://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
}

func TestPlaceAddress(t *testing.T) {
	tests := []struct {
		name string
		in   Place
		want string
	}{
		{"none", place(), ""},
		{"public only", place("203.0.113.9", "2001:db8::1"), ""},
		{"link-local only", place("fe80::1", "169.254.3.4"), ""},
		{"private", place("203.0.113.9", "10.0.0.7"), "10.0.0.7"},
	}
	for _, test := range tests {
		got, ok := test.in.Address()
		if ok != (test.want != "") || ok && got.String() != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
	if got := rank(netip.MustParseAddr("192.168.0.1")); got >= rank(netip.MustParseAddr("172.17.0.1")) {
		t.Error("a container network comes before a home network")
	}
}

func TestLabel(t *testing.T) {
	for in, want := range map[string]string{"Desk.corp.example": "desk", "my_desk": "", "-x": "", "": "", "büro": "", strings.Repeat("a", 64): ""} {
		if got := label(in); got != want {
			t.Errorf("%q: got %q", in, got)
		}
	}
}

func get(t *testing.T, a *Authority, host, path string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "http://"+host+path, nil)
	a.Page("8443").ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, answer *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTrustPage(t *testing.T) {
	a := open(t, t.TempDir())
	answer := get(t, a, "192.168.1.20:8080", "/trust")
	text := string(body(t, answer))
	for _, want := range []string{"https://192.168.1.20:8443", a.Fingerprint(), "Certificate Trust Settings", "/parley.mobileconfig"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if csp := answer.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "connect-src https://192.168.1.20:8443") {
		t.Errorf("policy %q", csp)
	}
	for _, host := range []string{"evil.example", "203.0.113.9:8080", "x;script-src *.local", "a.b;script-src *.local"} {
		r := httptest.NewRequest("GET", "/trust", nil)
		r.Host = host
		w := httptest.NewRecorder()
		a.Page("8443").ServeHTTP(w, r)
		if w.Code != http.StatusMisdirectedRequest {
			t.Errorf("%s: status %d", host, w.Code)
		}
	}
	if answer := get(t, a, "192.168.1.20", "/"); answer.StatusCode != http.StatusFound || answer.Header.Get("Location") != "/trust" {
		t.Errorf("/ answers %d, %s", answer.StatusCode, answer.Header.Get("Location"))
	}
	for _, path := range []string{"/trust.css", "/trust.js"} {
		if answer := get(t, a, "192.168.1.20", path); answer.StatusCode != 200 || len(body(t, answer)) == 0 {
			t.Errorf("%s: status %d", path, answer.StatusCode)
		}
	}
}

func TestCertificateDownloads(t *testing.T) {
	a := open(t, t.TempDir())
	answer := get(t, a, "desk.local", "/parley.crt")
	block, _ := pem.Decode(body(t, answer))
	if block == nil || !bytes.Equal(block.Bytes, a.Certificate()) || answer.Header.Get("Content-Type") != "application/x-x509-ca-cert" {
		t.Errorf("type %s", answer.Header.Get("Content-Type"))
	}
	answer = get(t, a, "desk.local", "/parley.mobileconfig")
	if kind := answer.Header.Get("Content-Type"); kind != "application/x-apple-aspen-config" {
		t.Errorf("type %s", kind)
	}
	var plist struct {
		Data string `xml:"dict>array>dict>data"`
	}
	text := body(t, answer)
	if err := xml.Unmarshal(text, &plist); err != nil || !bytes.HasPrefix(text, []byte("<?xml ")) {
		t.Fatalf("error %v in\n%s", err, text)
	}
	if der, err := base64.StdEncoding.DecodeString(plist.Data); err != nil || !bytes.Equal(der, a.Certificate()) {
		t.Errorf("the profile holds another certificate; error %v", err)
	}
}

// The drawing, read back, is the code: a phone sees the same modules.
func TestWriteQR(t *testing.T) {
	const text = "http://192.168.178.120:8080/trust"
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteQR(&b, text); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for y, line := range lines {
		if !strings.HasPrefix(line, "\x1b[38;5;16;48;5;231m") || !strings.HasSuffix(line, "\x1b[0m") {
			t.Fatalf("line %d sets no colours", y)
		}
		cells := []rune(strings.TrimSuffix(strings.TrimPrefix(line, "\x1b[38;5;16;48;5;231m"), "\x1b[0m"))
		if len(cells) != code.Size+2*quiet {
			t.Fatalf("line %d has %d cells", y, len(cells))
		}
		for x, c := range cells {
			upper, lower := c == '▀' || c == '█', c == '▄' || c == '█'
			if upper != code.Black(x-quiet, 2*y-quiet) || lower != code.Black(x-quiet, 2*y+1-quiet) {
				t.Fatalf("cell %d of line %d is %c", x, y, c)
			}
		}
	}
	if want := (code.Size + 2*quiet + 1) / 2; len(lines) != want {
		t.Errorf("%d lines, want %d", len(lines), want)
	}
}
