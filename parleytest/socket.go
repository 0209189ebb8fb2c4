package parleytest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"parley/edge/webapi"
)

// Socket is a connection that says nothing by itself, for tests of clients that
// do not behave.
type Socket struct {
	t    testing.TB
	conn *gws.Conn

	mu      sync.Mutex
	changed chan struct{}
	events  []json.RawMessage
	code    uint16
	closed  bool
}

// Dial opens a socket with headers, names and values in turn. When the server
// refuses, the socket is nil and the status says how.
func Dial(t testing.TB, base string, headers ...string) (*Socket, int) {
	t.Helper()
	s := &Socket{t: t, changed: make(chan struct{})}
	header := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	conn, answer, err := gws.NewClient((*socketReader)(s), &gws.ClientOption{
		Addr: strings.Replace(base, "http", "ws", 1) + "/api/ws", HandshakeTimeout: 5 * time.Second, RequestHeader: header,
	})
	if err != nil {
		if answer == nil {
			t.Fatalf("opening a socket: %v", err)
		}
		return nil, answer.StatusCode
	}
	s.conn = conn
	ended := make(chan struct{})
	go func() { conn.ReadLoop(); close(ended) }()
	t.Cleanup(func() { conn.NetConn().Close(); <-ended })
	return s, http.StatusSwitchingProtocols
}

// Socket opens a socket of this device and says hello on it, so that the device
// itself must not be connected.
func (d *Device) Socket() *Socket {
	d.t.Helper()
	s, status := Dial(d.t, d.base(), "Authorization", "Bearer "+d.token)
	if s == nil {
		d.t.Fatalf("opening a socket is answered %d", status)
	}
	s.Send(`{"type": "hello", "protocol": 1, "build": "test", "cursor": "", "visible": true, "active": true, "time_zone": "Europe/Berlin"}`)
	s.Expect("welcome")
	return s
}

// Send sends a text frame as it is.
func (s *Socket) Send(frame string) { s.conn.WriteMessage(gws.OpcodeText, []byte(frame)) }

// SendBinary sends a binary frame.
func (s *Socket) SendBinary(frame []byte) { s.conn.WriteMessage(gws.OpcodeBinary, frame) }

// Expect waits for the next event of a type, and takes it and what came before
// it away.
func (s *Socket) Expect(kind string) Event {
	s.t.Helper()
	var found Event
	s.wait("an event "+kind, func() bool {
		for i, raw := range s.events {
			var e Event
			if json.Unmarshal(raw, &e) == nil && e.Type == kind {
				found, s.events = e, s.events[i+1:]
				return true
			}
		}
		return false
	})
	return found
}

// Event is any event that a test of refusals looks at.
type Event struct {
	Type     string         `json:"type"`
	Frame    string         `json:"frame"`
	ClientID string         `json:"client_id"`
	Problem  webapi.Problem `json:"problem"`
	Reason   string         `json:"reason"`
}

// Closed waits until the server has closed the socket and returns the code.
func (s *Socket) Closed() uint16 {
	s.t.Helper()
	s.wait("the end of the socket", func() bool { return s.closed })
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code
}

func (s *Socket) wait(what string, holds func() bool) {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		ok, changed := holds(), s.changed
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			s.t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func (s *Socket) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	close(s.changed)
	s.changed = make(chan struct{})
}

// socketReader receives what comes.
type socketReader Socket

// OnOpen does nothing.
func (*socketReader) OnOpen(*gws.Conn) {}

// OnPing answers the heartbeat.
func (*socketReader) OnPing(conn *gws.Conn, payload []byte) { conn.WritePong(payload) }

// OnPong does nothing.
func (*socketReader) OnPong(*gws.Conn, []byte) {}

// OnMessage keeps the events of a frame.
func (r *socketReader) OnMessage(_ *gws.Conn, message *gws.Message) {
	defer message.Close()
	var events []json.RawMessage
	if err := json.Unmarshal(message.Bytes(), &events); err != nil {
		r.t.Errorf("a frame from the server is no array: %v", err)
	}
	(*Socket)(r).change(func() { r.events = append(r.events, events...) })
}

// OnClose keeps the close code.
func (r *socketReader) OnClose(_ *gws.Conn, err error) {
	(*Socket)(r).change(func() {
		r.closed = true
		if closed, ok := errors.AsType[*gws.CloseError](err); ok {
			r.code = closed.Code
		}
	})
}
