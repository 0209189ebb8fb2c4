package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/egress"
)

// writeCertificate writes a self-signed certificate for a name and its key.
func writeCertificate(t *testing.T, cert, key, name string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificateFilesAreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		writeCertificate(t, cert, key, "one.example")
		var out bytes.Buffer
		files, err := newCertificateFiles(cert, key, slog.New(slog.NewTextHandler(&out, nil)))
		if err != nil {
			t.Fatal(err)
		}
		name := func() string {
			t.Helper()
			c, err := files.get(nil)
			if err != nil {
				t.Fatal(err)
			}
			return c.Leaf.Subject.CommonName
		}
		later := func(file string, by time.Duration) { // the clock of the file system stands still in here
			t.Helper()
			when := time.Now().Add(by)
			if err := os.Chtimes(file, when, when); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(lookAgain)
		if got := name(); got != "one.example" {
			t.Errorf("got %s", got)
		}

		// Half way through a renewal the pair does not fit together.
		writeCertificate(t, cert, filepath.Join(dir, "new-key.pem"), "two.example")
		later(cert, time.Minute)
		time.Sleep(lookAgain)
		if got := name(); got != "one.example" || !strings.Contains(out.String(), "could not be read again") {
			t.Errorf("got %s, log %s", got, out.String())
		}
		if err := os.Rename(filepath.Join(dir, "new-key.pem"), key); err != nil {
			t.Fatal(err)
		}
		later(key, time.Minute)
		if got := name(); got != "one.example" {
			t.Errorf("looked again too soon: %s", got)
		}
		time.Sleep(lookAgain)
		if got := name(); got != "two.example" {
			t.Errorf("got %s", got)
		}
		if err := os.Remove(cert); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookAgain)
		if got := name(); got != "two.example" {
			t.Errorf("got %s", got)
		}
	})
}

func TestMissingCertificateFilesStopTheStart(t *testing.T) {
	dir := t.TempDir()
	if _, err := newCertificateFiles(filepath.Join(dir, "c"), filepath.Join(dir, "k"), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no error")
	}
}

// The wiring of ACME, as far as it goes without an authority: what is offered in
// a handshake, what plain HTTP answers, where certificates are kept.
func TestACMEWiring(t *testing.T) {
	c := DefaultConfig()
	c.Data = t.TempDir()
	c.TLS = TLSConfig{Mode: TLSACME, Email: "it@example.com", Hosts: []string{"parley.example.com", "chat.example.com"}, CA: "https://ca.example/directory"}
	e, err := serverTLS(&c, egress.New(egress.Config{}), slog.New(slog.DiscardHandler))
	config, a := e.config, e.acme
	if err != nil || a == nil {
		t.Fatal(a, err)
	}
	defer a.cache.Stop()
	if config.MinVersion != tls.VersionTLS12 || config.GetCertificate == nil ||
		!slices.Contains(config.NextProtos, "acme-tls/1") || config.NextProtos[0] != "h2" {
		t.Errorf("protocols %v", config.NextProtos)
	}
	if a.issuer.CA != c.TLS.CA || a.issuer.Email != c.TLS.Email || !a.issuer.Agreed || a.issuer.HTTPProxy == nil || !a.config.OCSP.DisableStapling {
		t.Errorf("issuer %+v", a.issuer)
	}
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	if _, err := config.GetCertificate(&tls.ClientHelloInfo{ServerName: "parley.example.com", Conn: ours}); err == nil {
		t.Error("a certificate out of nowhere")
	}
	for host, want := range map[string]string{
		"parley.example.com": "https://parley.example.com/a?b", "chat.example.com:80": "https://chat.example.com/a?b", "evil.example": "https://parley.example.com/a?b",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/a?b", nil)
		r.Host = host
		a.redirect().ServeHTTP(w, r)
		if got := w.Header().Get("Location"); w.Code != 301 || got != want {
			t.Errorf("%s: %d %s", host, w.Code, got)
		}
	}
	w := httptest.NewRecorder()
	a.redirect().ServeHTTP(w, httptest.NewRequest("POST", "/api/session", strings.NewReader("secret")))
	if w.Code != 400 {
		t.Errorf("a body sent in the clear is answered with %d", w.Code)
	}
}

func TestTLSOff(t *testing.T) {
	c := DefaultConfig()
	if e, err := serverTLS(&c, nil, nil); e != (encryption{}) || err != nil {
		t.Error(e, err)
	}
}
