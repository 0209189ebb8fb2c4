package parleytest

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Link is a stretch of network: it listens on loopback and forwards to a target,
// until it is cut or stalled. It works as soon as it has a target.
type Link struct {
	listener net.Listener
	ended    sync.WaitGroup
	done     chan struct{}

	mu      sync.Mutex
	target  string
	cut     bool
	flowing chan struct{} // closed: bytes move
	conns   map[net.Conn]bool
}

// NewLink makes a link to a target, host:port, or to one that To gives later. It
// ends with the test.
func NewLink(t testing.TB, target string) *Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{listener: listener, target: target, done: make(chan struct{}), flowing: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(l.flowing)
	l.ended.Go(l.accept)
	t.Cleanup(l.close)
	return l
}

// Addr is where the link listens, host:port.
func (l *Link) Addr() string { return l.listener.Addr().String() }

// To gives the link another target, for the connections to come.
func (l *Link) To(target string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.target = target
}

// Cut resets every connection, and each new one, until Heal.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for conn := range l.conns {
		reset(conn)
	}
}

// Stall lets no byte through, in either direction, until Heal. Connections stay
// open, and new ones are accepted: it is a network that drops packets, or a
// program at the other end that was stopped.
func (l *Link) Stall() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.flowing:
		l.flowing = make(chan struct{})
	default:
	}
}

// Heal undoes Cut and Stall. What was held back arrives.
func (l *Link) Heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = false
	select {
	case <-l.flowing:
	default:
		close(l.flowing)
	}
}

func (l *Link) close() {
	close(l.done)
	l.listener.Close()
	l.Cut()
	l.ended.Wait()
}

func (l *Link) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.ended.Go(func() { l.forward(conn) })
	}
}

// forward carries one connection until either side ends it.
func (l *Link) forward(near net.Conn) {
	if !l.keep(near) {
		return
	}
	defer l.drop(near)
	l.mu.Lock()
	target := l.target
	l.mu.Unlock()
	if target == "" || !l.wait() {
		return
	}
	far, err := net.DialTimeout("tcp", target, time.Second)
	if err != nil || !l.keep(far) {
		return
	}
	defer l.drop(far)
	var back sync.WaitGroup
	back.Go(func() { l.copy(near, far) })
	l.copy(far, near)
	back.Wait()
}

// copy moves bytes, and ends both connections when there are no more.
func (l *Link) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if !l.wait() {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err == io.EOF {
				l.wait() // the end of a connection does not get through either
			}
			return
		}
	}
}

// wait waits while the link is stalled and reports whether it is still there.
func (l *Link) wait() bool {
	l.mu.Lock()
	flowing := l.flowing
	l.mu.Unlock()
	select {
	case <-flowing:
		return true
	case <-l.done:
		return false
	}
}

// keep takes a connection in, or resets it when the link is cut.
func (l *Link) keep(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		reset(conn)
		return false
	}
	l.conns[conn] = true
	return true
}

func (l *Link) drop(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
	conn.Close()
}

// reset ends a connection the hard way, so that both ends learn of it.
func reset(conn net.Conn) {
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}
