package wire

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"
	"sync/atomic"
)

// Device is one device that is connected: it follows the log, checks that nothing
// is left out, and acknowledges once a frame what it has, as the app does.
type Device struct {
	Person string // "p17"
	Name   string // "d4"

	addr   string
	token  string
	socket *Socket
	watch  Watcher

	// Only the reading goroutine touches these.
	cursor   []byte
	resuming bool // after a sync: what does not follow on it was sent before
	ack      Frames
	room     [64]byte // in which an acknowledgement is written

	gaps   atomic.Int64
	closed atomic.Bool
	ended  chan struct{} // closed when reading has ended
	err    error         // why; to be read when it has
}

// Watcher is told what a device hears. Its methods are called on the device's
// reading goroutine, so they must not wait for it. What they are given is valid
// until they return.
type Watcher interface {
	// Heard is called for every event. An entry that the device has already is
	// not told.
	Heard(e *Event)
	// Applied is called behind the events of a frame, when what the device has is
	// acknowledged.
	Applied()
}

// Where says how a device reaches its server.
type Where struct {
	Addr string     // host and port, of this machine
	From netip.Addr // the loopback address to come from; zero: any
	Zone string     // time zone that the device reports, or none
}

// Open connects a device: socket, hello, welcome. It reads nothing further until
// Run. ctx bounds the opening alone.
func Open(ctx context.Context, where Where, token string, watch Watcher) (*Device, error) {
	socket, err := Dial(ctx, where.Addr, token, where.From)
	if err != nil {
		return nil, err
	}
	d := &Device{addr: where.Addr, token: token, socket: socket, watch: watch, ended: make(chan struct{})}
	stop := context.AfterFunc(ctx, socket.Close)
	defer stop()
	if err := d.greet(where.Zone); err != nil {
		socket.Close()
		return nil, fmt.Errorf("greeting: %w", err)
	}
	return d, nil
}

// greet says hello and waits for the welcome.
func (d *Device) greet(zone string) error {
	hello := fmt.Appendf(nil, `{"type":"hello","protocol":1,"build":"parley-load","cursor":"","visible":true,"active":true,"time_zone":%q}`, zone)
	if err := d.socket.Send(hello); err != nil {
		return err
	}
	for {
		frame, err := d.socket.Next()
		if err != nil {
			return err
		}
		err = EachEvent(frame, d.hear)
		switch {
		case err != nil:
			return err
		case d.Person != "":
			return nil
		}
	}
}

// Gaps is how often the device had to sync because it had fallen behind.
func (d *Device) Gaps() int64 { return d.gaps.Load() }

// Run reads until the device is closed or the server ends the socket. It is
// called once, on a goroutine of its own.
func (d *Device) Run() {
	defer close(d.ended)
	err := d.socket.Read(func(frame []byte) error {
		if err := EachEvent(frame, d.hear); err != nil {
			return err
		}
		return d.applied()
	})
	if !d.closed.Load() {
		d.err = fmt.Errorf("%s was cut off: %w", d.Name, err)
	}
}

// hear applies one event.
func (d *Device) hear(e *Event) error {
	switch string(e.Type) {
	case "welcome":
		d.Person, d.Name = string(e.Person), string(e.Device)
		d.cursor = append(d.cursor[:0], e.Cursor...)
	case "entry", "accepted":
		if !bytes.Equal(e.Prev, d.cursor) {
			if d.resuming {
				return nil // it comes again
			}
			return d.sync()
		}
		d.resuming = false
		d.move(e.Cursor)
	case "gap":
		return d.sync()
	}
	d.watch.Heard(e)
	return nil
}

// move notes how far the device has the log, to acknowledge it.
func (d *Device) move(cursor []byte) {
	d.cursor = append(d.cursor[:0], cursor...)
	d.ack.Reset()
	d.ack.Add(appendAck(d.room[:0], d.cursor))
}

func appendAck(b, cursor []byte) []byte {
	b = append(b, `{"type":"ack","cursor":"`...)
	b = append(b, cursor...)
	return append(b, `"}`...)
}

// applied acknowledges what a frame brought.
func (d *Device) applied() error {
	if !d.ack.Empty() {
		if err := d.socket.Write(&d.ack); err != nil {
			return err
		}
		d.ack.Reset()
	}
	d.watch.Applied()
	return nil
}

// Write writes frames, from any goroutine.
func (d *Device) Write(f *Frames) error { return d.socket.Write(f) }

// Watch replaces the list of people whose presence the device is told of.
func (d *Device) Watch(people []string) error {
	return d.socket.Send(appendWatch(nil, people))
}

func appendWatch(b []byte, people []string) []byte {
	b = append(b, `{"type":"watch","people":[`...)
	for i, person := range people {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, person)
	}
	return append(b, `]}`...)
}

// AppendMessage appends the frame of a message: a text in the conversation of two
// people or a group.
func AppendMessage(b []byte, conversation, clientID string, text []byte) []byte {
	b = append(b, `{"type":"send","kind":"message","content":"text.v1","conversation":"`...)
	b = append(b, conversation...)
	b = append(b, `","client_id":"`...)
	b = append(b, clientID...)
	b = append(b, `","body":"`...)
	b = base64.StdEncoding.AppendEncode(b, text)
	return append(b, `"}`...)
}

// Close drops the connection, as a phone that loses its network. It may be called
// from any goroutine and more than once; Ended tells when reading has ended.
func (d *Device) Close() {
	d.closed.Store(true)
	d.socket.Close()
}

// Ended is closed when Run has returned.
func (d *Device) Ended() <-chan struct{} { return d.ended }

// Err says why the socket ended, once it has: nil when Close ended it.
func (d *Device) Err() error { return d.err }
