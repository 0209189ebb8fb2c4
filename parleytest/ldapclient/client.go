// Package ldapclient changes what a directory under test holds.
//
// It decides nothing about the directory. What the directory refuses ends the
// test.
package ldapclient

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// Client changes a directory as one of its accounts, each time over a connection
// of its own, so that the directory may be stopped meanwhile.
type Client struct {
	t            testing.TB
	url          string
	roots        *x509.CertPool
	dn, password string
}

// New makes a client. Nothing is dialled yet.
func New(t testing.TB, url string, roots *x509.CertPool, dn, password string) *Client {
	return &Client{t: t, url: url, roots: roots, dn: dn, password: password}
}

// Conn is a connection as the account. It is the caller's to close.
func (c *Client) Conn() *ldap.Conn {
	c.t.Helper()
	conn, err := ldap.DialURL(c.url, ldap.DialWithTLSConfig(&tls.Config{RootCAs: c.roots}))
	if err != nil {
		c.t.Fatal(err)
	}
	if err := conn.Bind(c.dn, c.password); err != nil {
		conn.Close()
		c.t.Fatal(err)
	}
	return conn
}

// do has something done on a connection of its own.
func (c *Client) do(what string, work func(*ldap.Conn) error) {
	c.t.Helper()
	conn := c.Conn()
	defer conn.Close()
	if err := work(conn); err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}

// Add adds an entry.
func (c *Client) Add(dn string, attributes map[string][]string) {
	c.t.Helper()
	request := ldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		request.Attribute(name, values)
	}
	c.do("adding "+dn, func(conn *ldap.Conn) error { return conn.Add(request) })
}

// Set puts values in the place of those that an attribute has; none: it goes.
func (c *Client) Set(dn, attribute string, values ...string) {
	c.t.Helper()
	request := ldap.NewModifyRequest(dn, nil)
	request.Replace(attribute, values)
	c.do("changing "+dn, func(conn *ldap.Conn) error { return conn.Modify(request) })
}

// Delete deletes an entry.
func (c *Client) Delete(dn string) {
	c.t.Helper()
	c.do("deleting "+dn, func(conn *ldap.Conn) error { return conn.Del(ldap.NewDelRequest(dn, nil)) })
}

// Move gives an entry another name, or another place ("" leaves it where it is).
func (c *Client) Move(dn, rdn, below string) {
	c.t.Helper()
	c.do("moving "+dn, func(conn *ldap.Conn) error { return conn.ModifyDN(ldap.NewModifyDNRequest(dn, rdn, true, below)) })
}
