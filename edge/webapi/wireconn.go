package webapi

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// wire is the network connection under a socket, with a time limit for each write,
// and an end that the peer can still read.
type wire struct {
	net.Conn
	writeWithin time.Duration
	linger      time.Duration
	ended       atomic.Bool // Close was called
}

// Write writes one frame within the time limit. After it the connection is of no
// use any more, so a peer that does not read costs one frame of memory.
func (w *wire) Write(frame []byte) (int, error) {
	if err := w.Conn.SetWriteDeadline(time.Now().Add(w.writeWithin)); err != nil {
		return 0, err
	}
	return w.Conn.Write(frame)
}

// Close ends our half. Closing the whole with something unread makes the kernel
// reset the connection, and the peer may lose the close code: so reading goes on
// for a moment.
func (w *wire) Close() error {
	if w.ended.Swap(true) {
		return nil
	}
	if err := w.Conn.SetReadDeadline(time.Now().Add(w.linger)); err != nil {
		return w.Conn.Close()
	}
	if half, ok := w.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return nil
	}
	return w.Conn.Close()
}

// abort closes the whole connection at once.
func (w *wire) abort() { _ = w.Conn.Close() }

// drain reads what the peer still sends after our end, until it closes too or the
// moment is over, and closes the whole.
func (w *wire) drain() {
	defer w.abort()
	if w.ended.Load() {
		_, _ = io.Copy(io.Discard, w.Conn)
	}
}
