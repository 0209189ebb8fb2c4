package egress

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

func tlsConfig(roots *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// limitedTransport holds a purpose's limits around every request, redirected
// ones included.
type limitedTransport struct {
	egress *Egress
	line   *line
	base   http.RoundTripper
}

// RoundTrip sends one request.
func (t *limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.line.Untrusted && r.URL.Scheme != "https" {
		return nil, t.egress.failure(t.line, fmt.Errorf("%w: not https", ErrRefused))
	}
	if err := t.line.take(r.Context()); err != nil {
		return nil, err
	}
	response, err := t.base.RoundTrip(r)
	if err != nil {
		t.line.release()
		return nil, err
	}
	response.Body = &limitedBody{ReadCloser: response.Body, line: t.line, left: t.line.MaxBody}
	return response, nil
}

// CloseIdleConnections closes what no request uses any more.
func (t *limitedTransport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// limitedBody ends a response at the limit, and gives the place of its request
// back when it is closed.
type limitedBody struct {
	io.ReadCloser
	line *line
	left int64 // meaningful if the purpose has a limit
	once sync.Once
}

// Read reads up to the limit; past it, it fails.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.line.MaxBody == 0 {
		return b.ReadCloser.Read(p)
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one byte more tells whether there is more
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), errTooLarge
	}
	b.left -= int64(n)
	return n, err
}

// Close closes the response.
func (b *limitedBody) Close() error {
	b.once.Do(b.line.release)
	return b.ReadCloser.Close()
}

// countedConn counts the bytes of a connection.
type countedConn struct {
	net.Conn
	line *line
}

// Read reads and counts.
func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.line.received.Add(int64(n))
	return n, err
}

// Write writes and counts.
func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.line.sent.Add(int64(n))
	return n, err
}

// refusing is the transport of a purpose that may not be dialled for.
type refusing struct{ reason error }

// RoundTrip refuses.
func (t refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, t.reason
}
