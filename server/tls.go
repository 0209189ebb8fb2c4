package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"parley/egress"
)

// lookAgain is how often certificate files are looked at, at most.
const lookAgain = 10 * time.Second

// certificateFiles is a certificate that is read again when its files change, so
// that renewing it needs no restart. A pair that does not fit together, as half
// way through a renewal, is passed over: the former one stays in use.
type certificateFiles struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	changed [2]time.Time // when the files were last changed
	looked  time.Time
}

func newCertificateFiles(cert, key string, log *slog.Logger) (*certificateFiles, error) {
	f := &certificateFiles{cert: cert, key: key, log: log}
	changed, err := f.stat()
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	return f, f.read(changed)
}

// use reads another pair of files, or the same ones at once, and stays with the
// former pair if that fails.
func (f *certificateFiles) use(cert, key string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	formerCert, formerKey := f.cert, f.key
	f.cert, f.key = cert, key
	changed, err := f.stat()
	if err == nil {
		err = f.read(changed)
	}
	if err != nil {
		f.cert, f.key = formerCert, formerKey
	}
	return err
}

func (f *certificateFiles) stat() (changed [2]time.Time, err error) {
	for i, name := range [2]string{f.cert, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return changed, err
		}
		changed[i] = info.ModTime()
	}
	return changed, nil
}

func (f *certificateFiles) read(changed [2]time.Time) error {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	f.current, f.changed, f.looked = &pair, changed, time.Now()
	return nil
}

func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) < lookAgain {
		return f.current, nil
	}
	f.looked = time.Now()
	changed, err := f.stat()
	if err == nil && changed != f.changed {
		err = f.read(changed)
		if err == nil {
			f.log.Info("certificate read again", "expires", f.current.Leaf.NotAfter)
		}
	}
	if err != nil {
		f.log.Error("the certificate could not be read again; the former one stays in use", "error", err)
	}
	return f.current, nil
}

// acme gets and renews certificates (RFC 8555) by certmagic, which keeps them in
// the data folder.
type acme struct {
	hosts  []string
	cache  *certmagic.Cache
	config *certmagic.Config
	issuer *certmagic.ACMEIssuer
}

func newACME(c *Config, out *egress.Egress, log *slog.Logger) *acme {
	quiet := zap.NewNop() // what matters comes as an event
	a := &acme{hosts: c.TLS.Hosts}
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil },
		Logger:           quiet,
	})
	a.config = certmagic.New(a.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: filepath.Join(c.Data, "acme")},
		Logger:  quiet,
		OCSP:    certmagic.OCSPConfig{DisableStapling: true}, // it would ask past the ledger
		OnEvent: func(_ context.Context, event string, about map[string]any) error {
			switch event {
			case "cert_obtained":
				log.Info("certificate obtained", "host", about["identifier"])
			case "cert_failed":
				log.Error("certificate could not be obtained", "host", about["identifier"], "error", about["error"])
			}
			return nil
		},
	})
	authority := c.TLS.CA
	if authority == "" {
		authority = certmagic.LetsEncryptProductionCA
	}
	a.issuer = certmagic.NewACMEIssuer(a.config, certmagic.ACMEIssuer{
		CA: authority, Email: c.TLS.Email, Agreed: true, Logger: quiet,
		HTTPProxy: out.Ledger(egress.Certificates), // counts the requests
	})
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	return a
}

// tls answers for the hosts, and the authority's check over TLS (RFC 8737).
func (a *acme) tls() *tls.Config {
	config := a.config.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	config.NextProtos = append([]string{"h2", "http/1.1"}, config.NextProtos...)
	return config
}

// redirect answers the authority's check over HTTP (RFC 8555 §8.3) and sends
// everybody else to HTTPS.
func (a *acme) redirect() http.Handler {
	return a.issuer.HTTPChallengeHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(a.hosts) == 0 || r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "Use HTTPS.", http.StatusBadRequest)
			return
		}
		host, _, _ := strings.Cut(r.Host, ":")
		if !slices.Contains(a.hosts, host) {
			host = a.hosts[0]
		}
		http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusMovedPermanently)
	}))
}

// run gets certificates in the background, with retries, and renews them until
// ctx ends.
func (a *acme) run(ctx context.Context) error {
	defer a.cache.Stop()
	if err := a.config.ManageAsync(ctx, a.hosts); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("managing certificates: %w", err)
	}
	<-ctx.Done()
	return nil
}

// encryption is where the certificate of the main address comes from.
type encryption struct {
	config *tls.Config       // nil: plain HTTP
	files  *certificateFiles // with files
	acme   *acme             // with ACME: it has to run
}

func serverTLS(c *Config, out *egress.Egress, log *slog.Logger) (encryption, error) {
	switch c.TLS.Mode {
	case TLSFiles:
		files, err := newCertificateFiles(c.TLS.Cert, c.TLS.Key, log)
		if err != nil {
			return encryption{}, err
		}
		return encryption{config: &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: files.get}, files: files}, nil
	case TLSACME:
		a := newACME(c, out, log)
		return encryption{config: a.tls(), acme: a}, nil
	default:
		return encryption{}, nil
	}
}
