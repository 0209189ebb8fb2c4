package xmpp

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"parley/cmd/parley-load/wire"
)

// Account is who signs in where.
type Account struct {
	Addr     string     // of the server, on this machine
	From     netip.Addr // the loopback address to come from; zero: any
	Domain   string
	User     string
	Password string
}

// Ears are told what a client hears, on its reading goroutine. What they are given
// is valid until they return.
type Ears interface {
	Message(from, text []byte)
	Presence(from, note []byte) // from a full address, "user@domain/resource"
	Applied()                   // behind everything that one stanza said
}

// Client is somebody who is signed in. One goroutine reads; any may write.
type Client struct {
	Address string // full, as the server gave it

	conn   net.Conn
	stream stream
	ears   Ears
	closed atomic.Bool
	ended  chan struct{} // closed when reading has ended
	err    error         // why; to be read when it has

	writing sync.Mutex // one write is not cut into by another
}

// resource names the connection in the full address.
const resource = "load"

// Open signs somebody in as a client does that shows a contact list: stream, SASL
// PLAIN, stream, bind, roster, presence. It returns when the server has sent the
// client's own presence back: by then it has told the contacts. ctx bounds it.
func Open(ctx context.Context, a Account, ears Ears) (*Client, error) {
	if err := wire.CheckLoopback(a.Addr); err != nil {
		return nil, err
	}
	conn, err := wire.DialFrom(ctx, a.Addr, a.From)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, stream: stream{from: conn}, ears: ears, ended: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := c.signIn(a); err != nil {
		conn.Close()
		return nil, fmt.Errorf("signing %s in: %w", a.User, err)
	}
	return c, nil
}

func (c *Client) signIn(a Account) error {
	head := fmt.Sprintf("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='%s'>",
		escape(a.Domain))
	if _, err := c.ask(head, "stream:features"); err != nil {
		return err
	}
	secret := base64.StdEncoding.EncodeToString([]byte("\x00" + a.User + "\x00" + a.Password))
	auth := "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + secret + "</auth>"
	if _, err := c.ask(auth, "success"); err != nil {
		return err
	}
	c.stream.restart()
	if _, err := c.ask(head, "stream:features"); err != nil {
		return err
	}
	bound, err := c.ask("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>"+resource+"</resource></bind></iq>", "iq")
	if err != nil {
		return err
	}
	if c.Address = string(content(bound, "jid")); c.Address == "" {
		return fmt.Errorf("no address was bound: %.200s", bound)
	}
	if _, err := c.ask("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>", "iq"); err != nil {
		return err
	}
	return c.appear()
}

// appear sends the first presence and hears until it comes back.
func (c *Client) appear() error {
	if err := c.write([]byte("<presence/>")); err != nil {
		return err
	}
	for {
		stanza, err := c.stream.part()
		if err != nil {
			return err
		}
		c.hear(stanza)
		if named(stanza, "presence") && string(attribute(stanza, "from")) == c.Address {
			return nil
		}
	}
}

// ask writes something and waits for a stanza of a name.
func (c *Client) ask(text, name string) ([]byte, error) {
	if err := c.write([]byte(text)); err != nil {
		return nil, err
	}
	for {
		stanza, err := c.stream.part()
		switch {
		case err != nil:
			return nil, fmt.Errorf("waiting for %s: %w", name, err)
		case named(stanza, name):
			return stanza, nil
		case named(stanza, "failure"), named(stanza, "stream:error"):
			return nil, fmt.Errorf("waiting for %s: %.200s", name, stanza)
		}
	}
}

// Run reads until the client is closed or the server ends the stream. It is called
// once, on a goroutine of its own.
func (c *Client) Run() {
	defer close(c.ended)
	for {
		stanza, err := c.stream.part()
		if err != nil {
			if !c.closed.Load() {
				c.err = fmt.Errorf("%s was cut off: %w", c.Address, err)
			}
			return
		}
		c.hear(stanza)
		c.ears.Applied()
	}
}

func (c *Client) hear(stanza []byte) {
	switch {
	case named(stanza, "message"):
		if body := content(stanza, "body"); body != nil && string(attribute(stanza, "type")) != "error" {
			c.ears.Message(attribute(stanza, "from"), body)
		}
	case named(stanza, "presence"):
		c.ears.Presence(attribute(stanza, "from"), content(stanza, "status"))
	}
}

// AppendMessage appends a message to a full address.
func AppendMessage(b []byte, to, id string, text []byte) []byte {
	b = append(b, "<message type='chat' to='"...)
	b = append(b, to...)
	b = append(b, "' id='"...)
	b = append(b, id...)
	b = append(b, "'><body>"...)
	b = append(b, text...) // of a load test, which holds nothing to escape
	return append(b, "</body></message>"...)
}

// Note changes the note of the client's presence.
func (c *Client) Note(note string) error {
	return c.write([]byte("<presence><show>away</show><status>" + escape(note) + "</status></presence>"))
}

// Write writes stanzas, from any goroutine.
func (c *Client) Write(stanzas []byte) error { return c.write(stanzas) }

func (c *Client) write(text []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.conn.Write(text)
	return err
}

// Close drops the connection, as a phone that loses its network.
func (c *Client) Close() {
	c.closed.Store(true)
	c.conn.Close()
}

// Ended is closed when Run has returned.
func (c *Client) Ended() <-chan struct{} { return c.ended }

// Err says why the stream ended, once it has: nil when Close ended it.
func (c *Client) Err() error { return c.err }
