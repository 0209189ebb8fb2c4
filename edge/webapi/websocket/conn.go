package websocket

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net"
	"sync"
)

// The opcodes (RFC 6455 §5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

// The bits of the first two bytes of a frame.
const (
	finalBit     = 0x80
	reservedBits = 0x70
	opcodeBits   = 0x0f
	controlBit   = 0x08
	maskBit      = 0x80
	lengthBits   = 0x7f
)

// The close codes that this package itself decides on (RFC 6455 §7.4.1).
const (
	CloseNormal   = 1000
	CloseProtocol = 1002 // the frame breaks RFC 6455
)

// Handler is told what comes. Its methods are called one at a time, from Serve, and
// what they are given is valid until they return.
type Handler interface {
	Message(text bool, payload []byte)
	Ping(payload []byte) // is to be answered by WritePong with the same payload
	Pong()
}

// Conn is one connection. One goroutine calls Serve; the methods that write may be
// called from any.
type Conn struct {
	net     net.Conn
	largest int    // bytes of a message
	tooBig  uint16 // the code for a larger one

	writing sync.Mutex
	closing bool // a close frame was written: nothing may follow; guarded by writing

	// What was read and not dealt with is in[from:to]; Serve's alone. in is small, or
	// while there is more than fits, a larger one.
	in       []byte
	from, to int
	message  []byte // the pieces so far of a message that comes in several
	opcode   byte   // of these pieces; 0: there are none
	small    [smallBuffer]byte
}

// smallBuffer is the buffer of a connection that waits, in bytes: most frames are
// smaller. largeBuffer is what is read at once from one that does not.
const (
	smallBuffer = 512
	largeBuffer = 16 << 10
)

var largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}

// New makes a connection of one whose handshake has been answered. read is what has
// been read of it already. A message beyond largest bytes closes it with the code
// tooBig.
func New(conn net.Conn, read []byte, largest int, tooBig uint16) *Conn {
	c := &Conn{net: conn, largest: largest, tooBig: tooBig}
	c.in = c.small[:]
	if len(read) > len(c.in) {
		c.in = make([]byte, len(read))
	}
	c.to = copy(c.in, read)
	return c
}

// acceptSuffix is what the server adds to the client's key (RFC 6455 §1.3).
const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// Handshake is the answer to a handshake with a key (RFC 6455 §4.2.2).
func Handshake(key string) []byte {
	sum := sha1.Sum([]byte(key + acceptSuffix))
	answer := []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
	answer = base64.StdEncoding.AppendEncode(answer, sum[:])
	return append(answer, "\r\n\r\n"...)
}

// Room is how many bytes before a message WriteText needs for itself.
const Room = 10

// WriteText writes a text message that begins Room bytes into the buffer. The bytes
// before it are overwritten.
func (c *Conn) WriteText(buffer []byte) error {
	head := appendHead(make([]byte, 0, Room), opText, len(buffer)-Room)
	start := Room - len(head)
	copy(buffer[start:], head)
	return c.write(buffer[start:])
}

// WritePing writes a ping without a payload.
func (c *Conn) WritePing() error { return c.write([]byte{finalBit | opPing, 0}) }

// WritePong answers a ping.
func (c *Conn) WritePong(payload []byte) error {
	return c.write(append(appendHead(nil, opPong, len(payload)), payload...))
}

// appendHead appends the head of a whole, unmasked frame.
func appendHead(b []byte, opcode byte, size int) []byte {
	b = append(b, finalBit|opcode)
	switch {
	case size < 126:
		return append(b, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(size))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(size))
	}
}

// ErrClosing says that nothing can be written any more: a close frame was.
var ErrClosing = errors.New("websocket: a close frame was written")

func (c *Conn) write(frame []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.closing {
		return ErrClosing
	}
	_, err := c.net.Write(frame)
	return err
}

// WriteClose writes a close frame, the first time that it is called, and closes the
// network connection. A code of 0 is left out.
func (c *Conn) WriteClose(code uint16) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.closing {
		return ErrClosing
	}
	c.closing = true
	_, err := c.net.Write(CloseFrame(code))
	return errors.Join(err, c.net.Close())
}

// CloseFrame is a close frame without a reason (RFC 6455 §5.5.1).
func CloseFrame(code uint16) []byte {
	if code == 0 {
		return []byte{finalBit | opClose, 0}
	}
	return binary.BigEndian.AppendUint16([]byte{finalBit | opClose, 2}, code)
}
