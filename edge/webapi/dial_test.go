package webapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"parley"
)

// event is any event, as the client sees it.
type event map[string]any

// text is a field of the event.
func (e event) text(name string) string {
	s, _ := e[name].(string)
	return s
}

// problem is the refusal in the event.
func (e event) problem() (title, key, field string) {
	p, _ := e["problem"].(map[string]any)
	return event(p).text("title"), event(p).text("key"), event(p).text("field")
}

// dialed is the client's end of a socket.
type dialed struct {
	gws.BuiltinEventHandler
	testing.TB
	conn   *gws.Conn
	frames chan []event
	queue  []event
	closed chan uint16
	deaf   atomic.Bool // answers no pings
	tap    func(frame []byte)
}

// OnPing answers unless the client plays dead.
func (d *dialed) OnPing(socket *gws.Conn, payload []byte) {
	if !d.deaf.Load() {
		_ = socket.WritePong(payload)
	}
}

// OnMessage takes a frame of events.
func (d *dialed) OnMessage(_ *gws.Conn, message *gws.Message) {
	defer message.Close()
	if d.tap != nil {
		d.tap(message.Bytes())
	}
	var list []event
	if err := json.Unmarshal(message.Bytes(), &list); err != nil {
		d.Errorf("a frame that is no array of events: %s", message.Bytes())
	}
	d.frames <- list
}

// OnClose notes the close code; 0 without one.
func (d *dialed) OnClose(_ *gws.Conn, err error) {
	var code uint16
	if c, ok := err.(*gws.CloseError); ok {
		code = c.Code
	}
	d.closed <- code
	close(d.frames)
}

// dial opens a socket without saying hello.
func (c *client) dial(headers ...string) *dialed {
	c.Helper()
	d, _, err := c.tryDial(headers...)
	if err != nil {
		c.Fatalf("dialing: %v", err)
	}
	return d
}

func (c *client) tryDial(headers ...string) (*dialed, *http.Response, error) {
	d := &dialed{TB: c.TB, tap: c.tap, frames: make(chan []event, 1<<14), closed: make(chan uint16, 1)}
	header := http.Header{}
	if c.token != "" {
		header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	socket, response, err := gws.NewClient(d, &gws.ClientOption{
		Addr: "ws" + strings.TrimPrefix(c.url(), "http") + socketPath, RequestHeader: header,
	})
	if err != nil {
		return nil, response, err
	}
	d.conn = socket
	go socket.ReadLoop()
	c.Cleanup(func() { _ = socket.NetConn().Close() })
	return d, response, nil
}

// hello opens a socket and says hello from a cursor.
func (c *client) hello(cursor string) *dialed {
	c.Helper()
	d := c.dial()
	d.send(HelloFrame{Type: "hello", Protocol: 1, Build: "test", Cursor: cursor, Visible: true, Active: true, TimeZone: "Europe/Berlin"})
	d.expect("welcome")
	return d
}

// online opens a socket where the session begins.
func (c *client) online() *dialed {
	c.Helper()
	return c.hello(c.session.Cursor)
}

// send sends one frame: a value, or its text.
func (d *dialed) send(frame any) {
	d.Helper()
	text, ok := frame.(string)
	if !ok {
		text = string(mustEncode(frame))
	}
	if err := d.conn.WriteString(text); err != nil {
		d.Fatalf("sending %.80s: %v", text, err)
	}
}

// next is the next event.
func (d *dialed) next() event {
	d.Helper()
	e, ok := d.within(patience)
	if !ok {
		d.Fatal("waited in vain for an event")
	}
	return e
}

// within is the next event, if there is one within a time.
func (d *dialed) within(wait time.Duration) (event, bool) {
	deadline := time.After(wait)
	for len(d.queue) == 0 {
		select {
		case list, ok := <-d.frames:
			if !ok {
				return nil, false
			}
			d.queue = list
		case <-deadline:
			return nil, false
		}
	}
	e := d.queue[0]
	d.queue = d.queue[1:]
	return e, true
}

// expect skips events until one of the type comes.
func (d *dialed) expect(kind string) event {
	d.Helper()
	for {
		if e := d.next(); e.text("type") == kind {
			return e
		}
	}
}

// ends waits for the close code.
func (d *dialed) ends(code uint16) {
	d.Helper()
	select {
	case got := <-d.closed:
		if got != code {
			d.Errorf("closed with %d, want %d", got, code)
		}
	case <-time.After(patience):
		d.Errorf("not closed, want %d", code)
	}
}

// settle makes sure that everything sent before was dealt with, and gives the
// events until then. An answer may overtake what else is due, but only once: so
// it asks twice.
func (d *dialed) settle() []event {
	d.Helper()
	var list []event
	for range 2 {
		d.send(PingFrame{Type: "ping"})
		for {
			e := d.next()
			if e.text("type") == "pong" {
				break
			}
			list = append(list, e)
		}
	}
	return list
}

var clientIDs atomic.Uint64

func newClientID() string { return fmt.Sprintf("%022d", clientIDs.Add(1)) }

// message makes a message to somebody.
func (c *client) message(to, text string) SendFrame {
	return SendFrame{
		Type: "send", ClientID: newClientID(), Kind: "message", Content: "text.v1",
		Conversation: parley.DirectStream(c.ids[c.name()], c.ids[to]).String(),
		Body:         base64.StdEncoding.EncodeToString([]byte(text)),
	}
}

// name is whose device this is.
func (c *client) name() string {
	name, _, _ := strings.Cut(c.session.Address, "@")
	return name
}
