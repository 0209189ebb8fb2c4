package bus_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"parley/bus"
)

func alone(t *testing.T) *bus.Bus {
	t.Helper()
	b, err := bus.New(t.Context(), bus.Config{Node: "a", Listen: "127.0.0.1:0", Secret: secret, Pace: pace})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCloseWithoutRun(t *testing.T) {
	noLeaks(t)
	b := alone(t)
	b.Close()
	b.Close()
	if err := b.Run(t.Context()); err == nil {
		t.Error("Run after Close does not fail")
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	noLeaks(t)
	b := alone(t)
	table := b.Table("t", func(bus.Change) {})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	table.Set(1, []byte("one"))
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := b.Run(t.Context()); err == nil {
		t.Error("a second Run does not fail")
	}
	for i := range uint64(10_000) { // neither blocks nor fails
		b.Tell("log", []byte("late"))
		table.Set(i, []byte("late"))
		table.Delete(i)
	}
	b.Close()
	if b.Stats().HintsDropped == 0 {
		t.Error("what nobody will hear is not counted")
	}
}

func TestMisuseIsNoticed(t *testing.T) {
	noLeaks(t)
	b := alone(t)
	defer b.Close()
	b.Table("t", func(bus.Change) {})
	b.Hear("log", func(string, []byte) {})
	tests := map[string]func(){
		"a table twice":   func() { b.Table("t", func(bus.Change) {}) },
		"a topic twice":   func() { b.Hear("log", func(string, []byte) {}) },
		"a name too long": func() { b.Table(strings.Repeat("x", 65), func(bus.Change) {}) },
	}
	for name, do := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			do()
		})
	}
}

func TestOversizedIsRefused(t *testing.T) {
	l := newLab(t, "a", "b")
	l.together("a", "b")
	a, b := l.nodes["a"], l.nodes["b"]
	a.table.Set(1, []byte("one"))
	a.table.Set(2, make([]byte, 16<<10))
	b.sees("a", map[uint64]string{1: "one", 2: string(make([]byte, 16<<10))})
	a.table.Set(1, make([]byte, 16<<10+1))
	b.sees("a", map[uint64]string{2: string(make([]byte, 16<<10))})
	a.Tell("log", make([]byte, 32<<10+1))
	a.Tell("log", make([]byte, 32<<10))
	b.hears("a:" + string(make([]byte, 32<<10)))
	if _, hints := b.told(); len(hints) != 1 {
		t.Errorf("%d hints are heard, want 1", len(hints))
	}
	for _, text := range []string{"a row is over the limit", "a hint is over the limit"} {
		if !strings.Contains(a.log.String(), text) {
			t.Errorf("the log does not say %q", text)
		}
	}
}

// authority signs certificates of nodes on loopback.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert, a.key = a.sign(template, template, nil)
	return a
}

func (a *authority) sign(template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// config is the TLS configuration of a node that trusts this authority and has a
// certificate of signer.
func (a *authority) config(signer *authority) func(*bus.Config) {
	a.t.Helper()
	cert, key := signer.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, signer.cert, signer.key)
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return func(c *bus.Config) {
		c.TLS = &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
	}
}

func TestRoutesWithTLS(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	l := newLab(t)
	l.link("a", "b")
	a, b := l.start("a", ours.config(ours)), l.start("b", ours.config(ours))
	l.together("a", "b")
	a.table.Set(1, []byte("one"))
	b.sees("a", map[uint64]string{1: "one"})

	toA := func(c *bus.Config) { c.Routes = []string{a.Addr()} }
	impostor := l.start("impostor", toA, ours.config(theirs))
	plain := l.start("plain", toA)
	a.wait("the refusal", func() bool { return strings.Contains(a.log.String(), "TLS route handshake error") })
	impostor.meets("impostor")
	plain.meets("plain")
	a.meets("a", "b")
}
