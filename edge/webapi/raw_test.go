package webapi

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley"
)

// rawSocket is a client that can do what a good one would not: it writes frames
// byte by byte and reads only when it is told to.
type rawSocket struct {
	testing.TB
	net.Conn
	reader *bufio.Reader
}

// rawDial opens a socket with a handshake written by hand.
func (c *client) rawDial() *rawSocket {
	c.Helper()
	address := strings.TrimPrefix(c.web.URL, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", socketPath, address, c.token)
	if err != nil {
		c.Fatal(err)
	}
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		c.Fatalf("handshake: %v, %v", response, err)
	}
	return &rawSocket{TB: c.TB, Conn: conn, reader: r}
}

// rawHello says hello too.
func (c *client) rawHello() *rawSocket {
	c.Helper()
	s := c.rawDial()
	s.text(string(mustEncode(HelloFrame{Type: "hello", Protocol: 1, Cursor: c.session.Cursor, Active: true, Visible: true})))
	if op, payload := s.frame(); op != 1 || !strings.Contains(string(payload), "welcome") {
		c.Fatalf("instead of a welcome: %d %s", op, payload)
	}
	return s
}

// text writes a text frame.
func (s *rawSocket) text(text string) { s.write(0x81, []byte(text)) }

// write writes one masked frame; the mask is zero. It ignores errors: the server
// may have hung up for good reason.
func (s *rawSocket) write(first byte, payload []byte) {
	header := []byte{first}
	switch n := len(payload); {
	case n < 126:
		header = append(header, 0x80|byte(n))
	case n < 1<<16:
		header = binary.BigEndian.AppendUint16(append(header, 0x80|126), uint16(n))
	default:
		header = binary.BigEndian.AppendUint64(append(header, 0x80|127), uint64(n))
	}
	_, _ = s.Conn.Write(append(append(header, 0, 0, 0, 0), payload...))
}

// frame reads one frame from the server.
func (s *rawSocket) frame() (op byte, payload []byte) {
	s.Helper()
	op, payload, err := s.tryFrame()
	if err != nil {
		s.Fatalf("reading a frame: %v", err)
	}
	return op, payload
}

func (s *rawSocket) tryFrame() (op byte, payload []byte, err error) {
	_ = s.SetReadDeadline(time.Now().Add(patience))
	var header [2]byte
	if _, err = io.ReadFull(s.reader, header[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(header[1])
	switch n {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(s.reader, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(s.reader, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(s.reader, payload)
	return header[0] & 0xf, payload, err
}

// closes reads until the close frame and checks its code.
func (s *rawSocket) closes(code uint16) {
	s.Helper()
	for {
		op, payload, err := s.tryFrame()
		if err != nil {
			s.Errorf("no close frame: %v, want %d", err, code)
			return
		}
		if op == 8 {
			if got := binary.BigEndian.Uint16(payload); got != code {
				s.Errorf("closed with %d, want %d", got, code)
			}
			return
		}
	}
}

// gone reads until the connection ends.
func (s *rawSocket) gone() {
	s.Helper()
	for {
		if _, _, err := s.tryFrame(); err != nil {
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				s.Error("the connection is still there")
			}
			return
		}
	}
}

func TestHandshake(t *testing.T) {
	w := newWorld(t)
	anna := w.signIn("anna")
	good := map[string]string{
		"Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	}
	for _, missing := range []string{"Upgrade", "Connection", "Sec-WebSocket-Version", "Sec-WebSocket-Key"} {
		var headers []string
		for name, value := range good {
			if name != missing {
				headers = append(headers, name, value)
			}
		}
		anna.refused(anna.call("GET", socketPath, nil, headers...), http.StatusBadRequest, "invalid", "socket.handshake")
	}
	stranger := &client{world: w, token: strings.Repeat("A", 43)}
	if _, response, err := stranger.tryDial(); err == nil || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a session: %v", err)
	}
}

// TestFramesThatBreakTheProtocol: such a client is closed, nobody else notices.
func TestFramesThatBreakTheProtocol(t *testing.T) {
	w := newWorld(t)
	anna, ben := w.signIn("anna"), w.signIn("ben")
	bystander := ben.online()
	tests := []struct {
		name  string
		bytes []byte
		code  uint16 // 0: just gone
	}{
		{"a length with the highest bit set", []byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, 0},
		{"the largest length", []byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, CloseFrameTooBig},
		{"one byte too many", append([]byte{0x81, 0xff, 0, 0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0}, make([]byte, maxFrame+1)...), CloseFrameTooBig},
		{"a frame without a mask", []byte{0x81, 2, '{', '}'}, 1002},
		{"a reserved bit", []byte{0xc1, 0x82, 0, 0, 0, 0, '{', '}'}, 1002},
		{"a reserved opcode", []byte{0x8b, 0x80, 0, 0, 0, 0}, 1002},
		{"a control frame in pieces", []byte{0x09, 0x80, 0, 0, 0, 0}, 1002},
		{"a continuation of nothing", []byte{0x80, 0x80, 0, 0, 0, 0}, 1002},
		{"a large ping", append([]byte{0x89, 0xfe, 0, 200, 0, 0, 0, 0}, make([]byte, 200)...), 1002},
		{"a frame cut short", []byte{0x81, 0xfe, 0x10}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := anna.rawHello()
			s.TB = t
			_, _ = s.Conn.Write(test.bytes)
			if test.code != 0 {
				s.closes(test.code)
				return
			}
			if half, ok := s.Conn.(*net.TCPConn); ok {
				_ = half.CloseWrite()
			}
			s.gone()
		})
	}
	bystander.settle()
	w.until("the broken connections are forgotten", func() bool { return w.server.Stats().Connections == 1 })
}

func TestFragmentedFrames(t *testing.T) {
	w := newWorld(t)
	s := w.signIn("anna").rawHello()
	s.write(0x01, []byte(`{"type":`))
	s.write(0x00, []byte(`"pi`))
	s.write(0x89, []byte("between"))
	s.write(0x80, []byte(`ng"}`))
	if op, payload := s.frame(); op != 10 || string(payload) != "between" {
		t.Errorf("the ping between: %d %s", op, payload)
	}
	if op, payload := s.frame(); op != 1 || string(payload) != `[{"type":"pong"}]` {
		t.Errorf("the frame in pieces: %d %s", op, payload)
	}
	piece := make([]byte, maxFrame/4)
	s.write(0x01, piece)
	for range 8 {
		s.write(0x00, piece)
	}
	s.closes(CloseFrameTooBig)
}

func TestBinaryFramesAreNone(t *testing.T) {
	w := newWorld(t)
	s := w.signIn("anna").rawHello()
	s.write(0x82, []byte(`{"type":"ping"}`))
	if _, payload := s.frame(); !strings.Contains(string(payload), "frame.malformed") {
		t.Errorf("a binary frame: %s", payload)
	}
}

// TestFrameRate: beyond the rate frames are refused, and who goes on and on is
// closed and can read why.
func TestFrameRate(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *pace) { c.Limits.FrameBurst, c.Limits.FrameRate = 10, 0.001 })
	anna := w.signIn("anna")
	s := anna.rawHello() // the hello is the first of ten
	for range 9 {
		s.text(`{"type":"typing"}`)
		if _, payload := s.frame(); !strings.Contains(string(payload), "not-found") {
			t.Fatalf("within the rate: %s", payload)
		}
	}
	m := anna.message("ben", "x")
	s.text(string(mustEncode(m)))
	if _, payload := s.frame(); !strings.Contains(string(payload), `"refused"`) || !strings.Contains(string(payload), "frame.too-many") || !strings.Contains(string(payload), m.ClientID) {
		t.Errorf("beyond the rate: %s", payload)
	}
	go func() {
		for range 2 * maxRefusedFrames {
			s.text(`{"type":"ping"}`)
		}
	}()
	s.closes(CloseTooMany)
}

func TestPingsCountAsFrames(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *pace) { c.Limits.FrameBurst, c.Limits.FrameRate = 10, 0.001 })
	s := w.signIn("anna").rawHello()
	go func() {
		for range 2 * maxRefusedFrames {
			s.write(0x89, nil)
		}
	}()
	s.closes(CloseTooMany)
}

func TestSilentConnectionEnds(t *testing.T) {
	w := newWorld(t, func(_ *Config, p *pace) { p.ping, p.silent, p.renew = 20*time.Millisecond, 200*time.Millisecond, 0 })
	anna, ben := w.signIn("anna"), w.signIn("ben")
	answers := ben.online() // answers pings
	s := anna.rawHello()    // does not
	if op, _ := s.frame(); op != 9 {
		t.Errorf("opcode %d, want a ping", op)
	}
	s.gone()
	w.until("the silent connection is forgotten", func() bool { return w.server.Stats().Connections == 1 })
	answers.settle()
}

// TestSlowReaderStallsNobody: a client that reads nothing costs little memory,
// delays nobody, and is closed when a write takes too long.
func TestSlowReaderStallsNobody(t *testing.T) {
	w := newWorld(t, func(c *Config, p *pace) {
		c.Limits.FrameBurst = 1 << 20
		p.write = 300 * time.Millisecond
	})
	anna, ben, carla := w.signIn("anna"), w.signIn("ben"), w.signIn("carla")
	sender, quick := anna.online(), carla.online()
	slow := ben.rawHello()
	_ = slow.Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	large := strings.Repeat("x", 12_000)
	for range 400 { // about 6 MB on the wire, more than the buffers between
		sender.send(anna.message("ben", large))
		sender.expect("accepted")
	}
	m := anna.message("carla", "hello")
	sender.send(m)
	if e := quick.expect("entry"); e.text("client_id") != m.ClientID {
		t.Errorf("the quick reader gets %v", e)
	}
	w.until("the slow reader is closed", func() bool { return w.server.Stats().Connections == 2 })
}

// TestReaderThatTakesNoAnswersIsNotRead: answers that nobody reads do not pile up.
func TestReaderThatTakesNoAnswersIsNotRead(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *pace) { c.Limits.FrameBurst = 1 << 30 })
	anna := w.signIn("anna")
	s := anna.rawHello()
	_ = s.Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	device, err := parley.ParseDeviceID(anna.session.Device)
	if err != nil {
		t.Fatal(err)
	}
	w.server.sockets.mu.RLock()
	c := w.server.sockets.byDevice[device]
	w.server.sockets.mu.RUnlock()
	if err := c.wire.Conn.(*net.TCPConn).SetWriteBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		dance := []byte("\x81\x90\x00\x00\x00\x00" + `{"type":"dance"}`)
		for {
			if _, err := s.Conn.Write(dance); err != nil {
				return
			}
		}
	}()
	w.until("reading pauses", c.waits.Load)
	c.mu.Lock()
	if len(c.replies) > maxReplies+1 {
		t.Errorf("%d answers wait, want at most %d", len(c.replies), maxReplies+1)
	}
	c.mu.Unlock()
	_ = s.Conn.Close()
	<-done
}
