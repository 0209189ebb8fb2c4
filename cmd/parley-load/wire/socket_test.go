package wire

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// peer is the other end of one connection: it answers the handshake and then does
// what the test says.
func peer(t *testing.T, then func(conn net.Conn, r *bufio.Reader)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		then(conn, bufio.NewReader(conn))
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return listener.Addr().String()
}

// shake answers a handshake, with what is sent right behind the answer.
func shake(t *testing.T, conn net.Conn, r *bufio.Reader, behind []byte) {
	request, err := http.ReadRequest(r)
	if err != nil {
		t.Error(err)
		return
	}
	if got := request.Header.Get("Authorization"); got != "Bearer secret" || request.URL.Path != "/api/ws" {
		t.Errorf("asked for %s with %q", request.URL, got)
	}
	answerShake(conn, request, behind...)
}

func answerShake(conn net.Conn, request *http.Request, behind ...byte) {
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	conn.Write(append([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n"), behind...))
}

// served is a frame as a server sends it.
func served(opcode byte, payload []byte) []byte {
	b := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

func dial(t *testing.T, addr string) *Socket {
	t.Helper()
	s, err := Dial(t.Context(), addr, "secret", netip.MustParseAddr("127.0.0.9"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestSocketReadsWhateverItsSize(t *testing.T) {
	var want []string
	var stream []byte
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, 300_000, 2} {
		text := strings.Repeat("x", n)
		want = append(want, text)
		stream = append(stream, served(opText, []byte(text))...)
	}
	cut := len(served(opText, nil)) + 7
	addr := peer(t, func(conn net.Conn, r *bufio.Reader) {
		shake(t, conn, r, stream[:cut]) // the first frames come with the answer
		for i := cut; i < len(stream); {
			n := min(len(stream)-i, 1+i%5000)
			conn.Write(stream[i : i+n])
			i += n
		}
		io.Copy(io.Discard, r)
	})
	s := dial(t, addr)
	for i, text := range want {
		got, err := s.Next()
		if err != nil || string(got) != text {
			t.Fatalf("frame %d: %d bytes, %v; want %d", i, len(got), err, len(text))
		}
	}
}

func TestSocketAnswersPings(t *testing.T) {
	addr := peer(t, func(conn net.Conn, r *bufio.Reader) {
		shake(t, conn, r, served(opPing, []byte("there?")))
		conn.Write(served(opPong, nil))
		var pong [6 + 6]byte
		if _, err := io.ReadFull(r, pong[:]); err != nil || pong[0] != 0x8a || pong[1] != 0x86 || string(pong[6:]) != "there?" {
			t.Errorf("pong %x, %v", pong, err)
		}
		conn.Write(served(opClose, []byte{0x11, 0x31, 'b', 'y', 'e'}))
	})
	_, err := dial(t, addr).Next()
	if closed, ok := errors.AsType[Closed](err); !ok || closed.Code != 4401 {
		t.Errorf("got %v", err)
	}
}

func TestSocketRefuses(t *testing.T) {
	tests := map[string][]byte{
		"a masked frame":      {0x81, 0x80, 1, 2, 3, 4},
		"a fragment":          {0x01, 0x01, 'x'},
		"a compressed frame":  {0xc1, 0x01, 'x'},
		"a binary frame":      served(2, []byte("x")),
		"a frame without end": binary.BigEndian.AppendUint64([]byte{0x81, 127}, 1<<63+5),
	}
	for name, bytes := range tests {
		t.Run(name, func(t *testing.T) {
			addr := peer(t, func(conn net.Conn, r *bufio.Reader) {
				shake(t, conn, r, bytes)
				io.Copy(io.Discard, r)
			})
			if text, err := dial(t, addr).Next(); err == nil {
				t.Errorf("read %q", text)
			}
		})
	}
}

func TestDialRefuses(t *testing.T) {
	answers := map[string]string{
		"no session":      "HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nsorry",
		"no socket":       "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"somebody else's": "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: eA==\r\n\r\n",
		"no HTTP":         "220 mail.example ESMTP\r\n",
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			addr := peer(t, func(conn net.Conn, r *bufio.Reader) {
				http.ReadRequest(r)
				io.WriteString(conn, answer)
			})
			if s, err := Dial(t.Context(), addr, "secret", netip.Addr{}); err == nil {
				s.Close()
				t.Error("opened")
			}
		})
	}
}

// TestOnlyLoopback shows that no other machine is ever reached.
func TestOnlyLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:80": true, "127.9.9.9:80": true, "[::1]:80": true, "localhost:80": true, "[::ffff:127.0.0.1]:80": true,
		"192.0.2.1:80": false, "10.0.0.1:80": false, "0.0.0.0:80": false, ":80": false, "example.com:80": false, "localhost.example.com:80": false,
		"127.0.0.1": false, "": false,
	} {
		if got := CheckLoopback(addr) == nil; got != want {
			t.Errorf("%q: got %v", addr, got)
		}
	}
	if _, err := Dial(t.Context(), "192.0.2.1:80", "secret", netip.Addr{}); !errors.Is(err, ErrNotLoopback) {
		t.Errorf("dialling another machine: %v", err)
	}
	if _, err := NewLine("192.0.2.1:80", netip.Addr{}, time.Second); !errors.Is(err, ErrNotLoopback) {
		t.Errorf("a line to another machine: %v", err)
	}
}

func TestFramesGoOutTogether(t *testing.T) {
	texts := []string{"a", strings.Repeat("b", 200), strings.Repeat("c", 70_000)}
	addr := peer(t, func(conn net.Conn, r *bufio.Reader) {
		shake(t, conn, r, nil)
		var size int
		for _, text := range texts {
			size += len(appendFrame(nil, finalBit|opText, []byte(text)))
		}
		got := make([]byte, size)
		if _, err := io.ReadFull(r, got); err != nil {
			t.Error(err)
		}
		for _, text := range texts {
			frame := appendFrame(nil, finalBit|opText, []byte(text))
			if !bytes.HasPrefix(got, frame) || frame[1]&0x80 == 0 {
				t.Errorf("a frame of %d bytes is not as it should be", len(text))
			}
			got = got[len(frame):]
		}
		conn.Write(served(opText, []byte("thanks")))
	})
	s := dial(t, addr)
	var f Frames
	for _, text := range texts {
		f.Add([]byte(text))
	}
	if err := s.Write(&f); err != nil {
		t.Fatal(err)
	}
	if text, err := s.Next(); err != nil || string(text) != "thanks" {
		t.Errorf("got %q, %v", text, err)
	}
}

func FuzzFrameSize(f *testing.F) {
	f.Add([]byte{0x81, 5, 'h', 'e', 'l', 'l', 'o'})
	f.Add([]byte{0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		head, size, err := frameSize(b)
		if err != nil || size == 0 {
			return
		}
		if head < 2 || head > 10 || size < head || size-head > largestFrame {
			t.Errorf("%x: head %d, size %d", b, head, size)
		}
	})
}
