//go:build unix

package bus_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/bus"
)

// child makes the test's program a node of its own, with the address of its only
// route.
const child = "PARLEY_BUS_TEST_ROUTE"

// frozenPace has a lease that is longer than NATS waits before it opens a route
// anew, which is a second, as the true one is.
var frozenPace = bus.Pace{Beat: 200 * time.Millisecond, Lease: 3 * time.Second}

func TestMain(m *testing.M) {
	if route := os.Getenv(child); route != "" {
		if err := beChild(route); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beChild is a node with a row that tells on its output who is there, until its
// input ends.
func beChild(route string) error {
	b, err := bus.New(context.Background(), bus.Config{Node: "child", Listen: "127.0.0.1:0", Routes: []string{route}, Secret: secret, Pace: frozenPace})
	if err != nil {
		return err
	}
	b.Table("presence", func(c bus.Change) { fmt.Printf("row %s %d %s\n", c.Node, c.Key, c.Value) }).Set(1, []byte("of the child"))
	b.OnMembers(func(list []bus.Member) { fmt.Println("members", len(list)) })
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return b.Run(ctx)
}

// TestFrozenNode stops a node's process, as a debugger or a machine without
// memory does, for longer than its lease.
func TestFrozenNode(t *testing.T) {
	l := newLab(t)
	a := l.start("a", func(c *bus.Config) { c.Pace = frozenPace })
	a.table.Set(5, []byte("of a"))
	told := l.spawn(a.Addr())
	a.meets("a", "child")
	a.sees("child", map[uint64]string{1: "of the child"})
	told.wait("row a 5 of a")
	told.signal(syscall.SIGSTOP)
	a.meets("a")
	a.sees("child", map[uint64]string{})
	<-time.After(frozenPace.Lease / 3) // so that the child's own lease on a is over by far
	before := told.count()
	told.signal(syscall.SIGCONT)
	a.meets("a", "child")
	a.sees("child", map[uint64]string{1: "of the child"})
	a.table.Set(6, []byte("after"))
	told.wait("row a 6 after")
	for _, line := range told.since(before) {
		if line == "members 1" || line == "row a 5 " {
			t.Errorf("the node that stood still gave up the others: %q", line)
		}
	}
}

// spawned is a node in a process of its own.
type spawned struct {
	testing.TB
	*exec.Cmd
	lines chan string
	seen  []string
}

func (l *lab) spawn(route string) *spawned {
	l.Helper()
	s := &spawned{TB: l, Cmd: exec.Command(os.Args[0]), lines: make(chan string, 1000)}
	s.Env = append(os.Environ(), child+"="+route)
	s.Stderr = os.Stderr
	in, err := s.StdinPipe()
	if err != nil {
		l.Fatal(err)
	}
	out, err := s.StdoutPipe()
	if err != nil {
		l.Fatal(err)
	}
	if err := s.Start(); err != nil {
		l.Fatal(err)
	}
	go func() {
		defer close(s.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			s.lines <- scanner.Text()
		}
	}()
	l.Cleanup(func() {
		s.Process.Signal(syscall.SIGCONT)
		in.Close()
		for range s.lines {
		}
		if err := s.Wait(); err != nil {
			l.Errorf("the child ends with %v", err)
		}
	})
	return s
}

func (s *spawned) signal(which os.Signal) {
	s.Helper()
	if err := s.Process.Signal(which); err != nil {
		s.Fatal(err)
	}
}

// wait reads lines until one is this.
func (s *spawned) wait(line string) {
	s.Helper()
	deadline := time.After(patience)
	for {
		select {
		case got, ok := <-s.lines:
			s.seen = append(s.seen, got)
			if got == line {
				return
			}
			if !ok {
				s.Fatalf("the child ended before it said %q", line)
			}
		case <-deadline:
			s.Fatalf("the child did not say %q but\n%s", line, strings.Join(s.seen, "\n"))
		}
	}
}

func (s *spawned) count() int               { return len(s.seen) }
func (s *spawned) since(count int) []string { return s.seen[count:] }
