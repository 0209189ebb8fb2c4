package websocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// scripted is a network connection whose other end has said everything already.
type scripted struct {
	net.Conn
	io.Reader
	written bytes.Buffer
	closed  bool
}

func (s *scripted) Read(b []byte) (int, error)  { return s.Reader.Read(b) }
func (s *scripted) Write(b []byte) (int, error) { return s.written.Write(b) }
func (s *scripted) Close() error                { s.closed = true; return nil }

// hearing notes what a Handler is told, and answers pings.
type hearing struct {
	conn  *Conn
	heard []string
}

func (h *hearing) Message(text bool, payload []byte) {
	kind := "binary"
	if text {
		kind = "text"
	}
	h.heard = append(h.heard, fmt.Sprintf("%s %d %x", kind, len(payload), sum(payload)))
}

func (h *hearing) Ping(payload []byte) {
	h.heard = append(h.heard, "ping "+string(payload))
	_ = h.conn.WritePong(payload)
}

func (h *hearing) Pong() { h.heard = append(h.heard, "pong") }

// sum tells payloads apart, whatever their length.
func sum(b []byte) (n uint32) {
	for _, c := range b {
		n = n*31 + uint32(c)
	}
	return n
}

// masked is a frame as a client sends it, which it also masks.
func masked(first byte, payload []byte, key [4]byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, maskBit|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, maskBit|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, maskBit|127), uint64(n))
	}
	b = append(b, key[:]...)
	for i, c := range payload {
		b = append(b, c^key[i%4])
	}
	return b
}

var key = [4]byte{0x12, 0xab, 0, 0xff}

// ways are how bytes may come in.
var ways = map[string]func(io.Reader) io.Reader{
	"at once":      func(r io.Reader) io.Reader { return r },
	"byte by byte": iotest.OneByteReader,
	"in halves":    iotest.HalfReader,
	"with the end": iotest.DataErrReader,
}

const largest = 128 << 10

// serve has a connection read a stream to its end.
func serve(stream []byte, way func(io.Reader) io.Reader, early int) (*hearing, *scripted, error) {
	early = min(early, len(stream))
	peer := &scripted{Reader: way(bytes.NewReader(stream[early:]))}
	h := &hearing{conn: New(peer, stream[:early], largest, 4413)}
	err := h.conn.Serve(h)
	return h, peer, err
}

// TestHandshakeOfTheRFC is the example of RFC 6455 §1.3.
func TestHandshakeOfTheRFC(t *testing.T) {
	const want = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
	if got := string(Handshake("dGhlIHNhbXBsZSBub25jZQ==")); got != want {
		t.Errorf("got %q", got)
	}
}

func TestMessagesOfEverySize(t *testing.T) {
	var stream []byte
	var want []string
	for i, n := range []int{0, 1, 7, 8, 125, 126, 300, 500, 512, 513, 1000, 16 << 10, 17 << 10, 1<<16 - 1, 1 << 16, largest, 3} {
		payload := bytes.Repeat([]byte{byte(i), 0xff, 'x'}, n)[:n]
		opcode, kind := byte(opText), "text"
		if i%3 == 2 {
			opcode, kind = opBinary, "binary"
		}
		stream = append(stream, masked(finalBit|opcode, payload, key)...)
		want = append(want, fmt.Sprintf("%s %d %x", kind, n, sum(payload)))
	}
	for name, way := range ways {
		for _, early := range []int{0, 1, 700} {
			h, _, err := serve(stream, way, early)
			if !slices.Equal(h.heard, want) || !errors.Is(err, io.EOF) {
				t.Errorf("%s, %d bytes before: heard %d of %d messages, %v", name, early, len(h.heard), len(want), err)
			}
		}
	}
}

func TestMessageInPieces(t *testing.T) {
	var stream []byte
	for _, f := range [][]byte{
		masked(opText, []byte("one "), key), masked(finalBit|opPing, []byte("?"), key), masked(opContinuation, nil, key),
		masked(opContinuation, []byte("two "), key), masked(finalBit|opPong, nil, key), masked(finalBit|opContinuation, []byte("three"), key),
		masked(finalBit|opText, []byte("whole"), key),
	} {
		stream = append(stream, f...)
	}
	want := []string{"ping ?", "pong", fmt.Sprintf("text 13 %x", sum([]byte("one two three"))), fmt.Sprintf("text 5 %x", sum([]byte("whole")))}
	for name, way := range ways {
		h, peer, _ := serve(stream, way, 0)
		if !slices.Equal(h.heard, want) {
			t.Errorf("%s: heard %q, want %q", name, h.heard, want)
		}
		if got := peer.written.String(); got != "\x8a\x01?" {
			t.Errorf("%s: wrote %q", name, got)
		}
	}
}

func TestCloses(t *testing.T) {
	closing := func(code uint16) []byte {
		return masked(finalBit|opClose, binary.BigEndian.AppendUint16(nil, code), key)
	}
	piece := masked(opText, make([]byte, largest/2+1), key)
	tests := []struct {
		name   string
		stream []byte
		code   uint16 // 0: none
	}{
		{"a client that leaves", closing(1000), 1000},
		{"a client that goes away", closing(1001), 1000},
		{"a code of our own", closing(4001), 4001},
		{"a code that is none", closing(999), 1002},
		{"a code that is never sent", closing(1006), 1002},
		{"half a code", masked(finalBit|opClose, []byte{3}, key), 1002},
		{"no code", masked(finalBit|opClose, nil, key), 0},
		{"no mask", []byte{finalBit | opText, 0}, 1002},
		{"a reserved bit", masked(finalBit|0x40|opText, nil, key), 1002},
		{"a reserved opcode", masked(finalBit|0x3, nil, key), 1002},
		{"a reserved control opcode", masked(finalBit|0xb, nil, key), 1002},
		{"a control frame in pieces", masked(opPing, nil, key), 1002},
		{"a large control frame", masked(finalBit|opPing, make([]byte, 126), key), 1002},
		{"a continuation of nothing", masked(finalBit|opContinuation, nil, key), 1002},
		{"a message within another", append(masked(opText, nil, key), masked(finalBit|opText, nil, key)...), 1002},
		{"a length with its highest bit set", []byte{finalBit | opText, maskBit | 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 1002},
		{"the largest length", []byte{finalBit | opText, maskBit | 127, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0}, 4413},
		{"one byte too many", masked(finalBit|opText, make([]byte, largest+1), key), 4413},
		{"pieces that are too many", append(slices.Clone(piece), masked(finalBit|opContinuation, make([]byte, largest/2), key)...), 4413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h, peer, err := serve(append(test.stream, masked(finalBit|opText, []byte("too late"), key)...), ways["at once"], 0)
			if got := peer.written.Bytes(); !bytes.Equal(got, CloseFrame(test.code)) || !peer.closed || err == nil {
				t.Errorf("wrote %x, closed %v, %v", got, peer.closed, err)
			}
			if len(h.heard) > 0 {
				t.Errorf("heard %q", h.heard)
			}
			if h.conn.WriteClose(4000) == nil || h.conn.WritePing() == nil || h.conn.WriteText(make([]byte, Room+1)) == nil {
				t.Error("something can be written behind the close frame")
			}
		})
	}
}

func TestWrites(t *testing.T) {
	peer := &scripted{}
	c := New(peer, nil, largest, 4413)
	for _, n := range []int{0, 1, 125, 126, 1<<16 - 1, 1 << 16} {
		peer.written.Reset()
		text := strings.Repeat("x", n)
		if err := c.WriteText(append(make([]byte, Room), text...)); err != nil {
			t.Fatal(err)
		}
		head := appendHead(nil, opText, n)
		if got := peer.written.String(); got != string(head)+text {
			t.Errorf("a text of %d bytes: wrote %d", n, len(got))
		}
	}
	peer.written.Reset()
	if err := errors.Join(c.WritePing(), c.WriteClose(4401)); err != nil {
		t.Fatal(err)
	}
	if got := peer.written.String(); got != "\x89\x00\x88\x02\x11\x31" {
		t.Errorf("wrote %q", got)
	}
}

// TestWaitingIsSmall shows that a connection goes back to its small buffer, however
// large what came was.
func TestWaitingIsSmall(t *testing.T) {
	for _, n := range []int{10, smallBuffer, largeBuffer, largest} {
		peer := &waiting{stream: masked(finalBit|opText, make([]byte, n), key)}
		h := &hearing{}
		c := New(peer, nil, largest, 4413)
		peer.check = func() int { return len(c.in) }
		h.conn = c
		_ = c.Serve(h)
		if len(h.heard) != 1 || peer.room > smallBuffer {
			t.Errorf("after a message of %d bytes it waits with %d; heard %d", n, peer.room, len(h.heard))
		}
	}
}

// waiting is a peer that says one thing and then nothing for long.
type waiting struct {
	scripted
	stream []byte
	check  func() int
	room   int // of the buffer in which the connection waits
}

func (w *waiting) Read(b []byte) (int, error) {
	if len(w.stream) == 0 {
		w.room = w.check()
		return 0, io.EOF
	}
	n := copy(b, w.stream)
	w.stream = w.stream[n:]
	return n, nil
}

// FuzzServe shows that no bytes do harm, and that it does not matter in which
// portions they come.
func FuzzServe(f *testing.F) {
	f.Add(masked(finalBit|opText, []byte(`{"type":"ping"}`), key))
	f.Add(append(masked(opText, []byte("a"), key), masked(finalBit|opContinuation, []byte("b"), key)...))
	f.Add(masked(finalBit|opClose, []byte{0x0f, 0xa1}, key))
	f.Add([]byte{0x81, 0xfe, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole, peer, err := serve(bytes.Clone(stream), ways["at once"], 0)
		if err == nil {
			t.Error("no reason for the end")
		}
		for name, way := range ways {
			again, other, _ := serve(bytes.Clone(stream), way, len(stream)/3)
			if !slices.Equal(whole.heard, again.heard) || !bytes.Equal(peer.written.Bytes(), other.written.Bytes()) {
				t.Errorf("%s: heard %q, wrote %x; at once %q, %x", name, again.heard, other.written.Bytes(), whole.heard, peer.written.Bytes())
			}
		}
	})
}
