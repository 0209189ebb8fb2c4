package bus_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/bus"
)

func TestHintsReachEveryOtherNode(t *testing.T) {
	l := newLab(t, "a", "b", "c")
	l.together("a", "b", "c")
	a, b, c := l.nodes["a"], l.nodes["b"], l.nodes["c"]
	var want []string
	for i := range 500 {
		a.Tell("log", []byte(fmt.Sprint(i)))
		want = append(want, fmt.Sprint("a:", i))
	}
	for _, n := range []*node{b, c} {
		n.hears("a:499")
		if _, hints := n.told(); !slices.Equal(hints, want) {
			t.Errorf("%s heard %d hints, want 500 in order", n.name, len(hints))
		}
	}
	b.Tell("log", []byte("from b"))
	a.hears("b:from b")
	if _, hints := b.told(); slices.Contains(hints, "b:from b") {
		t.Error("a hint came back to who told it")
	}
}

func TestRowsAreReplicated(t *testing.T) {
	l := newLab(t, "a", "b")
	l.together("a", "b")
	a, b := l.nodes["a"], l.nodes["b"]
	b.forget()
	a.table.Set(1, []byte("one"))
	a.table.Set(2, []byte("two"))
	a.table.Set(3, nil)
	b.sees("a", map[uint64]string{1: "one", 2: "two", 3: ""})
	a.table.Set(2, []byte("too"))
	a.table.Delete(1)
	a.table.Delete(7)
	b.sees("a", map[uint64]string{2: "too", 3: ""})
	changes, _ := b.told()
	for _, c := range changes {
		if c.Snapshot {
			t.Errorf("row %d is told as found in a snapshot", c.Key)
		}
	}
	if changes, _ := a.told(); len(changes) > 0 {
		t.Errorf("a node is told of its own rows: %v", changes)
	}
}

func TestJoinerGetsEverybodysRows(t *testing.T) {
	l := newLab(t, "a", "b", "c")
	l.together("a", "b", "c")
	l.nodes["c"].stop()
	l.nodes["a"].meets("a", "b")
	want := map[uint64]string{}
	for i := range 20_000 {
		l.nodes["a"].table.Set(uint64(i), value(i))
		want[uint64(i)] = string(value(i))
	}
	l.nodes["b"].table.Set(5, []byte("five"))
	l.nodes["b"].sees("a", want)
	c := l.start("c")
	c.sees("a", want)
	c.sees("b", map[uint64]string{5: "five"})
	changes, _ := c.told()
	for _, change := range changes {
		if !change.Snapshot {
			t.Fatalf("row %d of %s is told as something that just happened", change.Key, change.Node)
		}
	}
}

func TestGoodbyeTakesRowsAlong(t *testing.T) {
	l := newLab(t, "a", "b")
	l.together("a", "b")
	l.nodes["a"].table.Set(1, []byte("one"))
	l.nodes["b"].sees("a", map[uint64]string{1: "one"})
	l.nodes["a"].stop()
	l.nodes["b"].meets("b")
	l.nodes["b"].sees("a", map[uint64]string{})
	if log := l.nodes["b"].log.String(); !strings.Contains(log, "said goodbye") {
		t.Error("the node went without a goodbye")
	}
}

// A Watch that is slow to end does not keep the others waiting for the goodbye.
func TestGoodbyeDoesNotWaitForASlowWatch(t *testing.T) {
	l := newLab(t, "a", "b")
	l.together("a", "b")
	a, b := l.nodes["a"], l.nodes["b"]
	b.table.Set(1, []byte("one"))
	a.sees("b", map[uint64]string{1: "one"})
	a.mu.Lock() // its Watch waits for it
	b.table.Set(2, []byte("two"))
	b.wait("the row to be sent", func() bool { return bus.Version(b.table) == 2 })
	closed := make(chan struct{})
	go func() { a.stop(); close(closed) }()
	b.meets("b")
	a.mu.Unlock()
	<-closed
}

func TestConfigIsChecked(t *testing.T) {
	good := bus.Config{Node: "a", Listen: "127.0.0.1:0", Secret: secret}
	tests := []struct {
		name   string
		change func(*bus.Config)
		want   string
	}{
		{"no name", func(c *bus.Config) { c.Node = "" }, "node name"},
		{"odd name", func(c *bus.Config) { c.Node = "a b" }, "node name"},
		{"odd cluster", func(c *bus.Config) { c.Cluster = "a.b" }, "cluster name"},
		{"short secret", func(c *bus.Config) { c.Secret = "short" }, "secret"},
		{"neither", func(c *bus.Config) { c.Listen = "" }, "either"},
		{"both", func(c *bus.Config) { c.URLs = []string{"nats://127.0.0.1:4222"} }, "either"},
		{"no port", func(c *bus.Config) { c.Listen = "127.0.0.1" }, "address to listen at"},
		{"route without port", func(c *bus.Config) { c.Routes = []string{"host"} }, "route"},
		{"user in a URL", func(c *bus.Config) { c.Listen, c.URLs = "", []string{"nats://u:topsecret@127.0.0.1:4222"} }, "settings of their own"},
		{"odd URL", func(c *bus.Config) { c.Listen, c.URLs = "", []string{"http://u:topsecret@x\x7f"} }, "NATS URL 1"},
		{"taken port", func(c *bus.Config) { c.Listen = takenPort(t) }, "address already in use"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := good
			test.change(&c)
			b, err := bus.New(t.Context(), c)
			if err == nil {
				b.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("got %q, want something about %q", err, test.want)
			}
		})
	}
}
