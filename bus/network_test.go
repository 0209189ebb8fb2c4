package bus_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"parley/bus"
	"parley/parleytest"
)

func TestNodeThatIsCutOffLosesItsRowsAndGetsThemBack(t *testing.T) {
	tests := []struct {
		name string
		do   func(*lab, string)
	}{{"cut", (*lab).part}, {"stalled", (*lab).stall}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, "a", "b")
			l.together("a", "b")
			a, b := l.nodes["a"], l.nodes["b"]
			a.table.Set(1, []byte("one"))
			b.sees("a", map[uint64]string{1: "one"})
			test.do(l, "a")
			b.sees("a", map[uint64]string{})
			a.meets("a")
			a.table.Set(1, []byte("uno"))
			a.table.Set(2, []byte("two"))
			a.Tell("log", []byte("lost"))
			b.forget()
			l.heal("a")
			b.sees("a", map[uint64]string{1: "uno", 2: "two"})
			l.together("a", "b")
			b.wait("news of what was missed", func() bool { return b.missed["a"] > 0 })
		})
	}
}

// A loss that is shorter than a lease is told as what changed, and as nothing else.
func TestShortLossIsMadeUpFor(t *testing.T) {
	l := newLab(t)
	l.link("a", "b")
	patient := func(c *bus.Config) { c.Pace.Lease = time.Minute }
	a, b := l.start("a", patient), l.start("b", patient)
	l.together("a", "b")
	for key := range uint64(100) {
		a.table.Set(key, []byte("as it was"))
	}
	b.wait("the rows", func() bool { return len(b.rows["a"]) == 100 })
	b.forget()
	l.part("a")
	a.table.Set(7, []byte("new"))
	a.table.Delete(8)
	a.Tell("log", []byte("lost"))
	a.wait("the loss", func() bool { return strings.Contains(a.log.String(), "Router connection closed") })
	l.heal("a")
	b.wait("the changes", func() bool { return b.rows["a"][7] == "new" && len(b.rows["a"]) == 99 })
	b.wait("news of what was missed", func() bool { return b.missed["a"] > 0 })
	changes, _ := b.told()
	if len(changes) != 2 {
		t.Errorf("told of %d changes, want 2: %v", len(changes), changes)
	}
	for _, c := range changes {
		if !c.Snapshot {
			t.Errorf("row %d is told as something that just happened", c.Key)
		}
	}
	if s := b.Stats(); s.Gaps == 0 || s.SnapshotsTaken == 0 {
		t.Errorf("not counted: %+v", s)
	}
	a.wait("the snapshot to be counted", func() bool { return a.Stats().SnapshotsSent == 1 })
}

// A node needs to know of one other only, and may well be told of itself.
func TestNodesFindEachOther(t *testing.T) {
	l := newLab(t)
	l.links[[2]string{"a", "a"}] = parleytest.NewLink(t, "")
	found := func(c *bus.Config) { c.Advertise = "" }
	a := l.start("a", found)
	toA := func(c *bus.Config) { c.Routes = []string{a.Addr()} }
	b, c := l.start("b", found, toA), l.start("c", found, toA)
	l.together("a", "b", "c")
	b.table.Set(1, []byte("one"))
	c.sees("b", map[uint64]string{1: "one"})
	a.stop()
	b.Tell("log", []byte("without a"))
	c.hears("b:without a")
	if strings.Contains(a.log.String(), "level=ERROR") {
		t.Errorf("a route to itself is an error:\n%s", a.log)
	}
}

func TestRestartedNodeBeginsAnew(t *testing.T) {
	l := newLab(t, "a", "b")
	l.together("a", "b")
	l.nodes["a"].table.Set(1, []byte("one"))
	b := l.nodes["b"]
	b.sees("a", map[uint64]string{1: "one"})
	before := l.nodes["a"].Incarnation()
	l.part("a")
	l.nodes["a"].stop() // its goodbye gets nowhere
	l.heal("a")
	a := l.start("a")
	a.table.Set(2, []byte("two"))
	b.sees("a", map[uint64]string{2: "two"})
	if a.Incarnation() <= before {
		t.Errorf("incarnation %d follows %d", a.Incarnation(), before)
	}
	for _, m := range b.Members() {
		if m.Node == "a" && m.Incarnation != a.Incarnation() {
			t.Errorf("the member is %+v", m)
		}
	}
}

// Every pair of nodes is for itself: a loss between two concerns no third.
func TestLossBetweenTwoOfThree(t *testing.T) {
	l := newLab(t, "a", "b", "c")
	l.together("a", "b", "c")
	for name, n := range l.nodes {
		n.table.Set(1, []byte(name))
	}
	for name, n := range l.nodes {
		for other := range l.nodes {
			if name != other {
				n.sees(other, map[uint64]string{1: other})
			}
		}
	}
	for _, way := range [][2]string{{"a", "c"}, {"c", "a"}} {
		l.links[way].Cut()
	}
	l.nodes["a"].meets("a", "b")
	l.nodes["c"].meets("b", "c")
	l.nodes["a"].sees("c", map[uint64]string{})
	l.nodes["b"].meets("a", "b", "c")
	l.nodes["b"].sees("c", map[uint64]string{1: "c"})
	l.heal("a")
	l.together("a", "b", "c")
	l.nodes["a"].sees("c", map[uint64]string{1: "c"})
}

// TestAnyWeather changes rows on three nodes while links are cut, stalled and
// healed and a node is started again; in the end all have the same.
func TestAnyWeather(t *testing.T) {
	l := newLab(t, "a", "b", "c")
	names := []string{"a", "b", "c"}
	l.together(names...)
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	want := map[string]map[uint64]string{"a": {}, "b": {}, "c": {}}
	weather := time.NewTicker(150 * time.Millisecond)
	defer weather.Stop()
	for range 30 {
		for range 200 {
			name, key := names[random.IntN(3)], random.Uint64N(300)
			if random.IntN(4) == 0 {
				l.nodes[name].table.Delete(key)
				delete(want[name], key)
				continue
			}
			v := value(random.IntN(1 << 20))
			l.nodes[name].table.Set(key, v)
			want[name][key] = string(v)
		}
		switch name := names[random.IntN(3)]; random.IntN(6) {
		case 0:
			l.part(name)
		case 1:
			l.stall(name)
		case 2:
			l.nodes[name].stop()
			want[name] = map[uint64]string{}
			l.start(name)
		default:
			l.heal(name)
		}
		<-weather.C
	}
	for _, name := range names {
		l.heal(name)
	}
	l.together(names...)
	for _, name := range names {
		for _, other := range names {
			if name != other {
				l.nodes[name].sees(other, want[other])
			}
		}
	}
}

func TestTwoNodesWithOneName(t *testing.T) {
	l := newLab(t, "b")
	b := l.nodes["b"]
	toB := func(c *bus.Config) { c.Routes = []string{b.Addr()} }
	first := l.start("a", toB)
	b.meets("a", "b")
	second := l.start("a", toB, func(c *bus.Config) { c.Routes = append(c.Routes, first.Addr()) })
	for _, n := range []*node{first, second} {
		n.wait("the error", func() bool {
			return strings.Contains(n.log.String(), "level=ERROR msg=\"another node has this node's name")
		})
	}
	b.wait("the error", func() bool {
		return strings.Contains(b.log.String(), "level=ERROR msg=\"two other nodes have the same name")
	})
	if b.Stats().Twins == 0 || first.Stats().Twins == 0 {
		t.Error("not counted")
	}
	first.table.Set(1, []byte("of the first"))
	second.table.Set(1, []byte("of the second"))
	b.sees("a", map[uint64]string{1: "of the second"})
}

func TestWrongSecretDoesNotJoin(t *testing.T) {
	l := newLab(t, "a", "b")
	l.together("a", "b")
	a := l.nodes["a"]
	stranger := l.start("stranger", func(c *bus.Config) {
		c.Routes, c.Secret = []string{a.Addr(), l.nodes["b"].Addr()}, "another-secret-than-theirs"
	})
	other := l.start("other", func(c *bus.Config) { c.Routes, c.Cluster = []string{a.Addr()}, "elsewhere" })
	a.wait("the refusal", func() bool { return strings.Contains(a.log.String(), "authentication error") })
	a.table.Set(1, []byte("one"))
	l.nodes["b"].sees("a", map[uint64]string{1: "one"})
	stranger.meets("stranger")
	other.meets("other")
	a.meets("a", "b")
	if s := stranger.Stats(); s.Members != 1 || s.Foreign != 0 {
		t.Errorf("the stranger heard something: %+v", s)
	}
}

// Nobody but another node gets in: there is no port for clients, and the one for
// routes takes none.
func TestClientsAreNotServed(t *testing.T) {
	l := newLab(t, "a")
	if addr := bus.ClientAddr(l.nodes["a"].Bus); addr != nil {
		t.Errorf("there is a port for clients, %v", addr)
	}
	conn, err := nats.Connect("nats://"+l.nodes["a"].Addr(), nats.NoReconnect(), nats.Timeout(2*time.Second))
	if err == nil {
		conn.Close()
		t.Error("a client is served on the port for routes")
	}
}

func TestSecretsStayOutOfTheLog(t *testing.T) {
	l := newLab(t, "a", "b")
	l.together("a", "b")
	l.part("a")
	l.nodes["a"].meets("a")
	l.nodes["a"].wait("a failed route", func() bool {
		return strings.Contains(l.nodes["a"].log.String(), "Error trying to connect to route") || strings.Contains(l.nodes["a"].log.String(), "closed")
	})
	for _, n := range l.nodes {
		for _, word := range []string{secret, bus.RouteSecret(secret, "parley")} {
			if strings.Contains(n.log.String(), word) {
				t.Errorf("the log of %s holds a secret", n.name)
			}
		}
		if strings.Contains(n.log.String(), "Error listening on port") {
			t.Errorf("the log of %s tells of a fault that is none", n.name)
		}
	}
}

// What cannot be taken in as quickly as it comes is lost, counted, and made up for.
func TestOverrunIsMadeUpFor(t *testing.T) {
	l := newLab(t)
	l.link("a", "b")
	a := l.start("a")
	b := l.start("b", func(c *bus.Config) { c.Pace.Lease = time.Minute }, bus.LimitWaiting(10))
	l.together("a", "b")
	let := bus.Hold(b.Bus)
	want := map[uint64]string{}
	for i := range 500 {
		a.table.Set(uint64(i), value(i))
		want[uint64(i)] = string(value(i))
		a.Tell("log", []byte(fmt.Sprint(i)))
	}
	b.wait("the overrun", func() bool { return bus.Overrun(b.Bus) > 0 })
	let()
	b.sees("a", want)
	b.wait("news of what was missed", func() bool { return b.missed["a"] > 1 })
	if !strings.Contains(b.log.String(), "slow consumer") {
		t.Error("the log does not say so")
	}
}
