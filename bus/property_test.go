package bus

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNodesConverge plays with a few nodes on a network that loses, delays and
// parts, and in the end leaves them alone: then each has to have every other's
// rows, and what its Watch was told has to amount to the same.
func TestNodesConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"set":     w.set,
			"delete":  w.delete,
			"flush":   func(t *rapid.T) { w.flush(w.pick(t)) },
			"beat":    func(t *rapid.T) { w.beat(w.pick(t)) },
			"deliver": w.deliver,
			"lose":    w.lose,
			"cut":     w.cut,
			"heal":    func(*rapid.T) { w.parted = map[way]bool{} },
			"freeze":  func(t *rapid.T) { w.pick(t).frozen = true },
			"thaw":    func(t *rapid.T) { w.pick(t).frozen = false },
			"restart": w.restart,
			"leave":   w.leave,
			"pass":    w.pass,
			"":        func(t *rapid.T) {},
		})
		w.settle()
		w.check(t)
	})
}

type way struct{ from, to string }

// world is the nodes and what is under way between them. What everybody hears and
// what one hears are two queues, which overtake each other.
type world struct {
	now         time.Time
	incarnation uint64
	nodes       map[string]*simulated
	names       []string
	all, single map[way][]message
	parted      map[way]bool
}

type simulated struct {
	name   string
	frozen bool
	own    own
	state  *state
	watch  *watch
	told   map[string]map[uint64]string // by the Watch
}

func newWorld(t *rapid.T) *world {
	w := &world{
		now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), nodes: map[string]*simulated{}, names: []string{"a", "b", "c"},
		all: map[way][]message{}, single: map[way][]message{}, parted: map[way]bool{},
	}
	for _, name := range w.names {
		w.start(name)
	}
	return w
}

func (w *world) start(name string) {
	w.incarnation++
	n := &simulated{
		name: name, own: newOwn(), state: newState(name, w.incarnation, testPace, map[string]bool{"t": true}),
		told: map[string]map[uint64]string{},
	}
	n.watch = newWatch(func(c Change) {
		if n.told[c.Node] == nil {
			n.told[c.Node] = map[uint64]string{}
		}
		if c.Value == nil {
			if _, there := n.told[c.Node][c.Key]; !there {
				panic(fmt.Sprintf("%s is told that a row is removed that it does not know", name))
			}
			delete(n.told[c.Node], c.Key)
		} else {
			n.told[c.Node][c.Key] = string(c.Value)
		}
	})
	w.nodes[name] = n
	w.beat(n)
}

func (w *world) pick(t *rapid.T) *simulated {
	return w.nodes[rapid.SampledFrom(w.names).Draw(t, "node")]
}

func (w *world) set(t *rapid.T) {
	size := rapid.SampledFrom([]int{0, 1, 60, 12 << 10}).Draw(t, "size") // some make snapshots of several parts
	fill := rapid.Byte().Draw(t, "fill")
	w.pick(t).own.set(rapid.Uint64Range(1, 8).Draw(t, "key"), bytes.Repeat([]byte{fill}, size))
}

func (w *world) delete(t *rapid.T) { w.pick(t).own.set(rapid.Uint64Range(1, 8).Draw(t, "key"), nil) }

func (w *world) flush(n *simulated) {
	if n.frozen {
		return
	}
	for _, d := range n.own.deltas("t") {
		w.send(n, d)
	}
}

func (w *world) beat(n *simulated) {
	if !n.frozen {
		w.send(n, beatAt(n.own.version))
	}
}

func (w *world) send(n *simulated, body any) {
	for _, to := range w.names {
		if k := (way{n.name, to}); to != n.name && !w.parted[k] {
			w.all[k] = append(w.all[k], message{n.name, n.state.incarnation, body})
		}
	}
}

// sendTo sends to whoever has an incarnation.
func (w *world) sendTo(n *simulated, incarnation uint64, body any) {
	for _, to := range w.nodes {
		if k := (way{n.name, to.name}); to.state.incarnation == incarnation && !w.parted[k] {
			w.single[k] = append(w.single[k], message{n.name, n.state.incarnation, body})
		}
	}
}

func (w *world) carryOut(n *simulated, e effects) {
	for _, c := range e.changes {
		n.watch.push(c.Change, c.existed)
	}
	for _, r := range e.asks {
		w.sendTo(n, r.incarnation, ask{r.table})
	}
	for _, r := range e.serve {
		for _, c := range n.own.snapshot("t") {
			w.sendTo(n, r.incarnation, c)
		}
	}
	if e.beat {
		w.beat(n)
	}
}

// deliver brings what is under way on one way, or a part of it.
func (w *world) deliver(t *rapid.T) {
	k := way{w.pick(t).name, w.pick(t).name}
	queue := rapid.SampledFrom([]map[way][]message{w.all, w.single}).Draw(t, "queue")
	w.bring(k, queue, rapid.IntRange(1, 20).Draw(t, "messages"))
	n := w.nodes[k.to]
	for _, c := range n.watch.take(rapid.IntRange(0, 10).Draw(t, "told")) {
		n.watch.call(c)
	}
}

func (w *world) bring(k way, queue map[way][]message, n int) {
	for ; n > 0 && len(queue[k]) > 0 && !w.nodes[k.to].frozen; n-- {
		m := queue[k][0]
		queue[k] = queue[k][1:]
		again, err := decode(encode(m))
		if err != nil {
			panic(err)
		}
		w.carryOut(w.nodes[k.to], w.nodes[k.to].state.receive(again, w.now))
	}
}

func (w *world) lose(t *rapid.T) {
	k := way{w.pick(t).name, w.pick(t).name}
	queue := rapid.SampledFrom([]map[way][]message{w.all, w.single}).Draw(t, "queue")
	if len(queue[k]) > 0 {
		i := rapid.IntRange(0, len(queue[k])-1).Draw(t, "which")
		queue[k] = slices.Delete(queue[k], i, i+1)
	}
}

func (w *world) cut(t *rapid.T) {
	k := way{w.pick(t).name, w.pick(t).name}
	w.parted[k], w.parted[way{k.to, k.from}] = true, true
}

func (w *world) forget(name string) {
	for _, queue := range []map[way][]message{w.all, w.single} {
		for k := range queue {
			if k.to == name {
				delete(queue, k)
			}
		}
	}
}

// restart starts a node again, without a goodbye.
func (w *world) restart(t *rapid.T) {
	name := w.pick(t).name
	w.forget(name)
	w.start(name)
}

// leave stops a node with a goodbye, and starts it again.
func (w *world) leave(t *rapid.T) {
	n := w.pick(t)
	if !n.frozen {
		w.send(n, goodbye{})
	}
	w.forget(n.name)
	w.start(n.name)
}

func (w *world) pass(t *rapid.T) { w.advance(rapid.IntRange(1, 25).Draw(t, "seconds")) }

func (w *world) advance(seconds int) {
	for range seconds {
		w.now = w.now.Add(time.Second)
		for _, name := range w.names {
			if n := w.nodes[name]; !n.frozen {
				w.carryOut(n, n.state.tick(w.now))
			}
		}
	}
}

// settle lets a minute pass in which nothing goes wrong.
func (w *world) settle() {
	w.parted = map[way]bool{}
	for second := range 60 {
		for _, n := range w.nodes {
			n.frozen = false
			w.flush(n)
			if second%3 == 0 {
				w.beat(n)
			}
		}
		w.advance(1)
		for range 4 { // questions, answers
			for _, from := range w.names {
				for _, to := range w.names {
					w.bring(way{from, to}, w.all, 1<<30)
					w.bring(way{from, to}, w.single, 1<<30)
				}
			}
		}
	}
	for _, n := range w.nodes {
		for _, c := range n.watch.take(1 << 30) {
			n.watch.call(c)
		}
	}
}

func (w *world) check(t *rapid.T) {
	for _, n := range w.nodes {
		for _, other := range w.nodes {
			if n == other {
				continue
			}
			want := map[uint64]string{}
			for key, value := range other.own.rows {
				want[key] = string(value)
			}
			if got := n.told[other.name]; len(got)+len(want) > 0 && !maps.Equal(got, want) {
				t.Errorf("%s was told %d rows of %s, which has %d", n.name, len(got), other.name, len(want))
			}
			r := n.state.remotes[other.name]
			if r == nil || r.incarnation != other.state.incarnation {
				t.Errorf("%s does not know %s", n.name, other.name)
			} else if p := r.replicas["t"]; p != nil && p.asking {
				t.Errorf("%s still asks %s", n.name, other.name)
			}
		}
	}
}
