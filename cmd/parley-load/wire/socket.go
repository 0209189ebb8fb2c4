package wire

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// The opcodes of RFC 6455 §5.2 that a server uses, and the bits beside them.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa

	finalBit = 0x80
	maskBit  = 0x80
)

const (
	firstBuffer  = 4 << 10 // bytes in which an idle connection reads
	largestFrame = 4 << 20 // bytes of one frame that are taken
)

// ErrNotLoopback refuses to load another machine.
var ErrNotLoopback = errors.New("load goes to loopback addresses only")

// CheckLoopback refuses an address and port that is not of this machine. Names
// are not looked up; localhost counts.
func CheckLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("address %q: %w", addr, err)
	}
	ip, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && ip.Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("address %q: %w", addr, ErrNotLoopback)
}

// Closed says that the server closed the socket with a code of the protocol.
type Closed struct{ Code uint16 }

func (c Closed) Error() string { return fmt.Sprintf("the server closed the socket with %d", c.Code) }

// Socket is one open WebSocket. One goroutine reads; any may write.
type Socket struct {
	conn net.Conn

	// What was read and not handed out yet is in[start:end]. Only the reader
	// touches these.
	in         []byte
	start, end int

	mu  sync.Mutex
	out []byte // room for what is being written
}

// Dial opens the socket of a device. from is the loopback address to come from;
// the zero one leaves it to the system. ctx bounds the opening alone.
func Dial(ctx context.Context, addr, token string, from netip.Addr) (*Socket, error) {
	if err := CheckLoopback(addr); err != nil {
		return nil, err
	}
	conn, err := DialFrom(ctx, addr, from)
	if err != nil {
		return nil, err
	}
	s := &Socket{conn: conn, in: make([]byte, firstBuffer)}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := s.handshake(addr, token); err != nil {
		conn.Close()
		return nil, fmt.Errorf("opening a socket: %w", err)
	}
	return s, nil
}

// DialFrom opens a TCP connection from a given loopback address.
func DialFrom(ctx context.Context, addr string, from netip.Addr) (net.Conn, error) {
	var dialer net.Dialer
	if from.IsValid() {
		dialer.LocalAddr = &net.TCPAddr{IP: from.AsSlice()}
	}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("reaching the server: %w", err)
	}
	return conn, nil
}

// acceptSuffix is what a server adds to the key (RFC 6455 §1.3).
const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// handshake is RFC 6455 §4.1.
func (s *Socket) handshake(addr, token string) error {
	var nonce [16]byte
	rand.Read(nonce[:])
	key := base64.StdEncoding.EncodeToString(nonce[:])
	_, err := fmt.Fprintf(s.conn, "GET /api/ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nAuthorization: Bearer %s\r\n\r\n", addr, key, token)
	if err != nil {
		return err
	}
	// A server may send frames right behind its answer, so nothing may be read
	// past it but into our own buffer.
	reader := bufio.NewReaderSize(s.conn, 1<<10)
	answer, err := http.ReadResponse(reader, &http.Request{Method: http.MethodGet})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	want := sha1.Sum([]byte(key + acceptSuffix))
	switch {
	case answer.StatusCode != http.StatusSwitchingProtocols:
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 512)) // what there is of it
		return fmt.Errorf("answered %s %s", answer.Status, text)
	case answer.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(want[:]):
		return errors.New("answered without having read the key")
	}
	behind, err := reader.Peek(reader.Buffered())
	s.end = copy(s.in, behind)
	return err
}

// Read hands every text frame to handle until the socket ends, and says why it
// did. A frame is valid until handle returns.
func (s *Socket) Read(handle func(text []byte) error) error {
	for {
		opcode, payload, err := s.next()
		if err != nil {
			return err
		}
		switch opcode {
		case opText:
			err = handle(payload)
		case opPing:
			err = s.write(finalBit|opPong, payload)
		case opPong:
		case opClose:
			err = closedBy(payload)
		default:
			err = fmt.Errorf("frame with opcode %#x, which no server of ours sends", opcode)
		}
		if err != nil {
			return err
		}
	}
}

func closedBy(payload []byte) error {
	if len(payload) < 2 {
		return Closed{Code: 1005} // "no code" (RFC 6455 §7.1.5)
	}
	return Closed{Code: binary.BigEndian.Uint16(payload)}
}

// Next reads one text frame, which is valid until the next call.
func (s *Socket) Next() (text []byte, err error) {
	done := errors.New("one is enough")
	err = s.Read(func(frame []byte) error {
		text = frame
		return done
	})
	if errors.Is(err, done) {
		return text, nil
	}
	return nil, err
}

// next reads one frame. Ours come unmasked, whole, and without extensions.
func (s *Socket) next() (opcode byte, payload []byte, err error) {
	for {
		head, size, err := frameSize(s.in[s.start:s.end])
		if err != nil {
			return 0, nil, err
		}
		if size > 0 && s.end-s.start >= size {
			frame := s.in[s.start : s.start+size]
			s.start += size
			return frame[0] & 0xf, frame[head:], nil
		}
		if err := s.fill(size); err != nil {
			return 0, nil, err
		}
	}
}

// frameSize reads the head of a frame: its own length, and that of the whole; 0
// when more of it is needed.
func frameSize(b []byte) (head, size int, err error) {
	if len(b) < 2 {
		return 0, 0, nil
	}
	if b[0]&0xf0 != finalBit || b[1]&maskBit != 0 {
		return 0, 0, fmt.Errorf("frame that begins with %#x %#x", b[0], b[1])
	}
	length := uint64(b[1])
	head = 2
	switch length {
	case 126:
		if head = 4; len(b) < head {
			return 0, 0, nil
		}
		length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if head = 10; len(b) < head {
			return 0, 0, nil
		}
		length = binary.BigEndian.Uint64(b[2:])
	}
	if length > largestFrame {
		return 0, 0, fmt.Errorf("frame of %d bytes", length)
	}
	return head, head + int(length), nil
}

// fill reads more, with room for a frame of so many bytes.
func (s *Socket) fill(size int) error {
	if s.start > 0 {
		copy(s.in, s.in[s.start:s.end])
		s.start, s.end = 0, s.end-s.start
	}
	if need := max(size, s.end+1); need > len(s.in) {
		grown := make([]byte, max(2*len(s.in), need))
		copy(grown, s.in[:s.end])
		s.in = grown
	}
	n, err := s.conn.Read(s.in[s.end:])
	s.end += n
	if n > 0 {
		return nil
	}
	return err
}

// Frames are text frames that go out in one write.
type Frames struct{ bytes []byte }

// Add appends a frame.
func (f *Frames) Add(text []byte) { f.bytes = appendFrame(f.bytes, finalBit|opText, text) }

// Reset forgets the frames and keeps the room for others.
func (f *Frames) Reset() { f.bytes = f.bytes[:0] }

// Empty reports whether there is nothing to write.
func (f *Frames) Empty() bool { return len(f.bytes) == 0 }

// appendFrame appends a frame, masked with a key of four zeros, which leaves the
// payload as it is: a mask protects proxies from scripts (RFC 6455 §10.3), of
// which there is neither here.
func appendFrame(b []byte, first byte, payload []byte) []byte {
	b = append(b, first)
	switch n := len(payload); {
	case n < 126:
		b = append(b, maskBit|byte(n))
	case n < 1<<16:
		b = append(b, maskBit|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, maskBit|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, payload...)
}

// Write writes frames.
func (s *Socket) Write(f *Frames) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.conn.Write(f.bytes)
	return err
}

// Send writes one text frame.
func (s *Socket) Send(text []byte) error { return s.write(finalBit|opText, text) }

func (s *Socket) write(first byte, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = appendFrame(s.out[:0], first, payload)
	_, err := s.conn.Write(s.out)
	return err
}

// SetDeadline bounds reading and writing; the zero time lifts that.
func (s *Socket) SetDeadline(t time.Time) error { return s.conn.SetDeadline(t) }

// Close drops the connection as a phone does that loses its network: without a
// close frame. It may be called from any goroutine and more than once.
func (s *Socket) Close() { s.conn.Close() }
