package lan

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 397 * 24 * time.Hour // Apple accepts 398 days at most
	renewBefore   = 30 * 24 * time.Hour
	backdate      = time.Hour // for phones whose clock is behind
)

// private are the networks that the authority may speak for. None of them is
// reachable from, or means the same thing in, another network.
var private = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8",
	"100.64.0.0/10", "fc00::/7", "fe80::/10", "::1/128")

// privateDomains are the names that the authority may speak for.
var privateDomains = []string{"local", "localhost"}

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// Private reports whether addr is one that the authority may speak for.
func Private(addr netip.Addr) bool {
	return slices.ContainsFunc(private, func(p netip.Prefix) bool { return p.Contains(addr.Unmap().WithZone("")) })
}

// Authority is the certificate authority of one machine.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey

	mu   sync.Mutex
	leaf *tls.Certificate // the last one made
}

const authorityFile = "authority.pem"

// Open reads the authority that is kept in dir, or makes one. The file, which
// holds the key, can be read by its owner only.
func Open(dir string) (*Authority, error) {
	file := filepath.Join(dir, authorityFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return create(dir, file)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the network's certificate authority: %w", err)
	}
	a, err := parseAuthority(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	if time.Until(a.certificate.NotAfter) < leafLife {
		return create(dir, file) // it could not outlive another leaf
	}
	return a, nil
}

func parseAuthority(text []byte) (*Authority, error) {
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, errors.New("not a certificate authority with an ECDSA key")
	}
	return &Authority{certificate: pair.Leaf, key: key}, nil
}

func create(dir, file string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the key of the certificate authority: %w", err)
	}
	name := "Parley"
	if host, err := os.Hostname(); err == nil && label(host) != "" {
		name += " on " + label(host)
	}
	var ranges []*net.IPNet
	for _, p := range private {
		ranges = append(ranges, &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())})
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:                serial(),
		Subject:                     pkix.Name{CommonName: name, Organization: []string{"Parley (this network only)"}},
		NotBefore:                   now.Add(-backdate),
		NotAfter:                    now.Add(authorityLife),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid:       true,
		IsCA:                        true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true, // makes the extension critical, for names and addresses alike
		PermittedDNSDomains:         privateDomains,
		PermittedIPRanges:           ranges,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("signing the certificate authority: %w", err)
	}
	text, err := encode(key, der)
	if err != nil {
		return nil, err
	}
	if err := writePrivate(dir, file, text); err != nil {
		return nil, fmt.Errorf("storing the certificate authority: %w", err)
	}
	return parseAuthority(text)
}

func encode(key *ecdsa.PrivateKey, certificate []byte) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	var b bytes.Buffer
	for _, block := range []*pem.Block{{Type: "CERTIFICATE", Bytes: certificate}, {Type: "PRIVATE KEY", Bytes: der}} {
		if err := pem.Encode(&b, block); err != nil {
			return nil, fmt.Errorf("encoding a key: %w", err)
		}
	}
	return b.Bytes(), nil
}

// writePrivate writes a file at once or not at all, readable by its owner only.
func writePrivate(dir, file string, text []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

func serial() *big.Int {
	bytes := make([]byte, 16)
	rand.Read(bytes) // never fails
	bytes[0] &= 0x7f
	return new(big.Int).SetBytes(bytes)
}

// Certificate is the authority's own certificate, DER.
func (a *Authority) Certificate() []byte { return a.certificate.Raw }

// Fingerprint is the SHA-256 of the certificate as people compare it.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.certificate.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

// Leaf gives the machine a certificate for hosts and addresses, of which the
// authority speaks only for the private ones. It is made anew 30 days before it
// ends, and when the machine's addresses have changed.
func (a *Authority) Leaf(at Place) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	names, addresses := at.covered()
	if a.leaf != nil && time.Until(a.leaf.Leaf.NotAfter) > renewBefore && covers(a.leaf.Leaf, names, addresses) {
		return a.leaf, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key for this machine: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "Parley"},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(-backdate).Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     names,
		IPAddresses:  addresses,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate for this machine: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate for this machine: %w", err)
	}
	a.leaf = &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key, Leaf: leaf}
	return a.leaf, nil
}

func covers(leaf *x509.Certificate, names []string, addresses []net.IP) bool {
	return slices.Equal(leaf.DNSNames, names) && slices.EqualFunc(leaf.IPAddresses, addresses, net.IP.Equal)
}

// TLS serves with the certificate that fits where the machine is at the moment.
func (a *Authority) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			at, err := Here()
			if err != nil {
				return nil, err
			}
			return a.Leaf(at)
		},
	}
}
