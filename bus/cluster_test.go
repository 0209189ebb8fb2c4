package bus_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/bus"
	"parley/parleytest"
)

// pace is quick, so that leases end within a second.
var pace = bus.Pace{Beat: 200 * time.Millisecond, Lease: time.Second}

const (
	patience = 20 * time.Second
	secret   = "a-secret-of-this-test"
)

// lab is a number of nodes, with a link from each to each other: nothing reaches
// another node on another way.
type lab struct {
	testing.TB
	nodes map[string]*node
	links map[[2]string]*parleytest.Link // from, to
}

// node is one member, and what it was told.
type node struct {
	testing.TB
	*bus.Bus
	name  string
	table *bus.Table
	log   *lockedBuffer
	stop  func()

	mu      sync.Mutex
	changed chan struct{}
	rows    map[string]map[uint64]string // as the Watch was told
	changes []bus.Change
	hints   []string
	missed  map[string]int
	members []string
}

func newLab(t testing.TB, names ...string) *lab {
	t.Helper()
	noLeaks(t)
	l := &lab{TB: t, nodes: map[string]*node{}, links: map[[2]string]*parleytest.Link{}}
	l.link(names...)
	for _, name := range names {
		l.start(name)
	}
	return l
}

// link makes the links between nodes that are to be started.
func (l *lab) link(names ...string) {
	for _, from := range names {
		for _, to := range names {
			if from != to {
				l.links[[2]string{from, to}] = parleytest.NewLink(l, "")
			}
		}
	}
}

// start starts a node, or starts it again.
func (l *lab) start(name string, change ...func(*bus.Config)) *node {
	l.Helper()
	c := bus.Config{
		Node: name, Listen: "127.0.0.1:0", Secret: secret, Pace: pace,
		Advertise: "127.0.0.1:1", // so that nobody finds a way around the links
	}
	for way, link := range l.links {
		if way[0] == name {
			c.Routes = append(c.Routes, link.Addr())
		}
	}
	for _, f := range change {
		f(&c)
	}
	n := startNode(l, c)
	for way, link := range l.links {
		if way[1] == name {
			link.To(n.Addr())
		}
	}
	l.nodes[name] = n
	return n
}

func startNode(t testing.TB, c bus.Config) *node {
	t.Helper()
	n := &node{
		TB: t, name: c.Node, log: &lockedBuffer{}, changed: make(chan struct{}),
		rows: map[string]map[uint64]string{}, missed: map[string]int{},
	}
	c.Log = slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b, err := bus.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	n.Bus = b
	n.table = b.Table("presence", n.watch)
	b.Hear("log", func(from string, payload []byte) {
		n.change(func() { n.hints = append(n.hints, from+":"+string(payload)) })
	})
	b.OnMissed(func(from string) { n.change(func() { n.missed[from]++ }) })
	b.OnMembers(func(list []bus.Member) {
		n.change(func() {
			n.members = nil
			for _, m := range list {
				n.members = append(n.members, m.Node)
			}
		})
	})
	ended := make(chan error, 1)
	go func() { ended <- b.Run(context.Background()) }()
	n.stop = sync.OnceFunc(func() {
		b.Close()
		if err := <-ended; err != nil {
			t.Errorf("running node %s: %v", n.name, err)
		}
	})
	t.Cleanup(func() {
		n.stop()
		if t.Failed() {
			t.Logf("log of %s:\n%s", n.name, n.log)
		}
	})
	return n
}

func (n *node) watch(c bus.Change) {
	n.change(func() {
		n.changes = append(n.changes, c)
		rows := n.rows[c.Node]
		if rows == nil {
			rows = map[uint64]string{}
			n.rows[c.Node] = rows
		}
		if c.Value == nil {
			if _, there := rows[c.Key]; !there {
				n.Errorf("%s is told that row %d of %s is removed, which it does not know", n.name, c.Key, c.Node)
			}
			delete(rows, c.Key)
		} else {
			rows[c.Key] = string(c.Value)
		}
	})
}

func (n *node) change(do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do()
	close(n.changed)
	n.changed = make(chan struct{})
}

// wait waits until something holds.
func (n *node) wait(what string, holds func() bool) {
	n.Helper()
	deadline := time.After(patience)
	for {
		n.mu.Lock()
		ok, changed := holds(), n.changed
		n.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			n.Fatalf("node %s: waited %v for %s", n.name, patience, what)
		}
	}
}

// sees waits until the node has exactly these rows of another.
func (n *node) sees(other string, want map[uint64]string) {
	n.Helper()
	defer func() {
		if n.Failed() {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.Logf("%d rows of %s are there, want %d", len(n.rows[other]), other, len(want))
		}
	}()
	n.wait(fmt.Sprintf("%d rows of %s", len(want), other), func() bool { return maps.Equal(n.rows[other], want) })
}

// hears waits until a node has heard a hint.
func (n *node) hears(hint string) {
	n.Helper()
	n.wait("hint "+hint, func() bool {
		for _, h := range n.hints {
			if h == hint {
				return true
			}
		}
		return false
	})
}

func (n *node) meets(names ...string) {
	n.Helper()
	want := strings.Join(names, " ")
	n.wait("members "+want, func() bool { return strings.Join(n.members, " ") == want })
}

// forget lets go of what was told so far, rows excepted.
func (n *node) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changes, n.hints, n.missed = nil, nil, map[string]int{}
}

func (n *node) told() (changes []bus.Change, hints []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changes, n.hints
}

// part cuts a node off from all others, heal brings it back.
func (l *lab) part(name string)  { l.each(name, (*parleytest.Link).Cut) }
func (l *lab) stall(name string) { l.each(name, (*parleytest.Link).Stall) }
func (l *lab) heal(name string)  { l.each(name, (*parleytest.Link).Heal) }

func (l *lab) each(name string, do func(*parleytest.Link)) {
	for way, link := range l.links {
		if way[0] == name || way[1] == name {
			do(link)
		}
	}
}

// together waits until all nodes have met.
func (l *lab) together(names ...string) {
	l.Helper()
	for _, name := range names {
		l.nodes[name].meets(names...)
	}
}

// noLeaks fails the test when goroutines of ours or of NATS outlive it.
func noLeaks(t testing.TB) {
	t.Cleanup(func() {
		deadline := time.Now().Add(patience)
		for {
			left := ours()
			if len(left) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("%d goroutines outlive the test:\n%s", len(left), strings.Join(left, "\n\n"))
				return
			}
			runtime.Gosched()
		}
	})
}

func ours() (left []string) {
	buffer := make([]byte, 4<<20)
	for _, stack := range strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if strings.Contains(stack, "bus_test.ours") {
			continue
		}
		if strings.Contains(stack, "parley/bus.") || strings.Contains(stack, "nats-io/") || strings.Contains(stack, "parleytest.(*Link)") {
			left = append(left, stack)
		}
	}
	return left
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func value(i int) []byte {
	return binary.BigEndian.AppendUint64(bytes.Repeat([]byte{'v'}, 52), uint64(i))
}

func takenPort(t testing.TB) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}
