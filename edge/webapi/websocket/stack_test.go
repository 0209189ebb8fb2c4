//go:build !race

package websocket

import (
	"net"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"
)

// TestWaitingStack shows that a connection that waits does so on the smallest stack
// that there is, also when it has heard something. (The race detector makes every
// stack larger.)
func TestWaitingStack(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	const count = 400
	var peers, ours []net.Conn
	for range count {
		peer, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		peers, ours = append(peers, peer), append(ours, conn)
	}
	before := stacks()
	var ended sync.WaitGroup
	for i, conn := range ours {
		c := New(conn, nil, largest, 4413)
		heard := make(chan struct{})
		ended.Add(1)
		go func() {
			defer ended.Done()
			_ = c.Serve(&telling{heard: heard})
		}()
		if _, err := peers[i].Write(masked(finalBit|opText, []byte("hello"), key)); err != nil {
			t.Fatal(err)
		}
		<-heard
	}
	grown := int64(stacks()-before) / count
	for _, peer := range peers {
		peer.Close()
	}
	ended.Wait()
	t.Logf("%d bytes of stack for each connection", grown)
	if grown > 3<<10 {
		t.Errorf("a connection waits with %d bytes of stack, want about 2 KiB", grown)
	}
}

// stacks is the memory that stacks take.
func stacks() uint64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// telling closes a channel when it hears a message.
type telling struct{ heard chan struct{} }

func (t *telling) Message(bool, []byte) { close(t.heard) }
func (t *telling) Ping([]byte)          {}
func (t *telling) Pong()                {}
