package websocket

import (
	"encoding/binary"
	"errors"
)

// Serve reads until the connection ends, and says why it did. A peer that breaks the
// protocol, or says that it closes, gets its close frame.
//
// Nearly all of its time it waits in the Read here. Nothing may come between it and
// the caller's goroutine that needs stack: so a stack of 2 KiB is enough to wait.
func (c *Conn) Serve(h Handler) error {
	for {
		if err := c.frames(h); err != nil {
			c.release()
			return err
		}
		c.makeRoom()
		n, err := c.net.Read(c.in[c.to:])
		c.to += n
		if n == 0 && err != nil {
			c.release()
			return err
		}
	}
}

// makeRoom moves what is left to the beginning of a buffer in which there is room
// for more: the small one if nothing is left, a larger one when it was full.
func (c *Conn) makeRoom() {
	switch left := c.in[c.from:c.to]; {
	case len(left) == 0 && c.to < len(c.in):
		c.release()
	case len(left) == 0:
		c.enlarge(0)
	case len(left) == len(c.in):
		c.enlarge(2 * len(left))
	case c.from > 0: // else a frame that comes byte by byte would be moved at each
		c.from, c.to = 0, copy(c.in, left)
	}
}

// enlarge goes on in a buffer of at least so many bytes, and of a large one's.
func (c *Conn) enlarge(size int) {
	left := c.in[c.from:c.to]
	var next []byte
	if size <= largeBuffer {
		next = largeBuffers.Get().(*[largeBuffer]byte)[:]
	} else {
		next = make([]byte, size)
	}
	n := copy(next, left)
	c.giveBack()
	c.in, c.from, c.to = next, 0, n
}

// release goes on in the small buffer, with nothing in it.
func (c *Conn) release() {
	c.giveBack()
	c.in, c.from, c.to = c.small[:], 0, 0
}

// giveBack gives a large buffer to the next who needs one.
func (c *Conn) giveBack() {
	if len(c.in) == largeBuffer {
		largeBuffers.Put((*[largeBuffer]byte)(c.in))
	}
}

// frames deals with every whole frame that has been read.
func (c *Conn) frames(h Handler) error {
	for {
		f, ok, err := c.next()
		if err == nil && ok {
			err = c.take(f, h)
		}
		if err != nil {
			return c.fail(err)
		}
		if !ok {
			return nil
		}
	}
}

// frame is one frame, unmasked.
type frame struct {
	opcode  byte
	final   bool
	payload []byte
}

// failure is a reason to close with a code.
type failure struct{ code uint16 }

func (f failure) Error() string { return "websocket: the connection is closed by the protocol" }

var errProtocol = failure{CloseProtocol}

// fail closes the connection if the error is one for the peer to know.
func (c *Conn) fail(err error) error {
	if f, ok := errors.AsType[failure](err); ok {
		return errors.Join(err, c.WriteClose(f.code))
	}
	return err
}

// next takes the next frame from what has been read; false when it is not all there.
func (c *Conn) next() (f frame, ok bool, err error) {
	b := c.in[c.from:c.to]
	if len(b) < 2 {
		return f, false, nil
	}
	f.opcode, f.final = b[0]&opcodeBits, b[0]&finalBit != 0
	if err := checkHead(b[0], b[1]); err != nil {
		return f, false, err
	}
	head, size := 2, uint64(b[1]&lengthBits)
	switch size {
	case 126:
		if head = 4; len(b) < head {
			return f, false, nil
		}
		size = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if head = 10; len(b) < head {
			return f, false, nil
		}
		size = binary.BigEndian.Uint64(b[2:])
	}
	switch {
	case size > 1<<63-1: // §5.2: the most significant bit must be 0
		return f, false, errProtocol
	case size > uint64(c.largest):
		return f, false, failure{c.tooBig}
	case len(b) < head+4+int(size):
		return f, false, nil
	}
	f.payload = b[head+4 : head+4+int(size)]
	unmask(f.payload, binary.LittleEndian.Uint32(b[head:]))
	c.from += head + 4 + int(size)
	return f, true, nil
}

// checkHead refuses what a client may not send (RFC 6455 §5.1, §5.2, §5.5).
func checkHead(first, second byte) error {
	control := first&controlBit != 0
	switch opcode := first & opcodeBits; {
	case first&reservedBits != 0, second&maskBit == 0:
		return errProtocol
	case opcode > opBinary && !control, opcode > opPong:
		return errProtocol
	case control && (first&finalBit == 0 || second&lengthBits > 125):
		return errProtocol
	}
	return nil
}

// unmask undoes the client's mask (RFC 6455 §5.3), eight bytes at a time.
func unmask(b []byte, key uint32) {
	if key == 0 {
		return
	}
	wide := uint64(key)<<32 | uint64(key)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(wide >> (8 * i))
	}
}

// take deals with one frame.
func (c *Conn) take(f frame, h Handler) error {
	switch f.opcode {
	case opPing:
		h.Ping(f.payload)
	case opPong:
		h.Pong()
	case opClose:
		return failure{closeAnswer(f.payload)}
	case opContinuation:
		return c.proceed(f, h)
	default:
		if c.opcode != 0 {
			return errProtocol // in the middle of another message
		}
		if f.final {
			h.Message(f.opcode == opText, f.payload)
			return nil
		}
		c.opcode = f.opcode
		c.message = append(c.message, f.payload...)
	}
	return nil
}

// proceed takes a further piece of a message.
func (c *Conn) proceed(f frame, h Handler) error {
	switch {
	case c.opcode == 0:
		return errProtocol
	case len(c.message)+len(f.payload) > c.largest:
		return failure{c.tooBig}
	}
	c.message = append(c.message, f.payload...)
	if f.final {
		text, whole := c.opcode == opText, c.message
		c.opcode, c.message = 0, nil
		h.Message(text, whole)
	}
	return nil
}

// closeAnswer is the code with which a close frame is answered (RFC 6455 §7.4).
func closeAnswer(payload []byte) uint16 {
	switch len(payload) {
	case 0:
		return 0
	case 1:
		return CloseProtocol
	}
	switch code := binary.BigEndian.Uint16(payload); {
	case code >= 3000 && code < 5000:
		return code
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1013:
		return CloseNormal
	default:
		return CloseProtocol
	}
}
