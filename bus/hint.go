package bus

import (
	"context"
	"sync"
)

const (
	maxTold   = 4096 // hints that wait to be sent
	maxHeard  = 1024 // hints of one topic that wait for its listener
	toldBytes = 4 << 20
)

// Tell tells every other node something about a topic, once, if it can be done.
// It never blocks: when more is told than can be sent, the oldest is lost. It
// copies payload. A payload over the limit (32 KiB) is a mistake of the caller
// and is lost, which the log says.
func (b *Bus) Tell(topic string, payload []byte) {
	if len(payload) > maxHint || len(topic) > maxName {
		b.counts.hintsDropped.Add(1)
		b.config.Log.Error("a hint is over the limit and is not told", "topic", topic, "bytes", len(payload))
		return
	}
	b.counts.hintsDropped.Add(b.out.tell(topic, append([]byte{}, payload...)))
}

// Hear has f called, on a goroutine of its own, with what other nodes tell about a
// topic. It has to be called before Run, once for each topic. When f is slow, the
// oldest that waits for it is lost, and counts as missed.
func (b *Bus) Hear(topic string, f func(node string, payload []byte)) {
	b.early("Hear", topic)
	if b.topics[topic] != nil {
		panic("bus: Hear called twice for " + topic)
	}
	b.topics[topic] = &ear{call: f, wake: make(chan struct{}, 1)}
}

// OnMissed has f called, on a goroutine of its own, when hints of a node may have
// been missed, whatever their topic. It has to be called before Run.
func (b *Bus) OnMissed(f func(node string)) {
	b.early("OnMissed", "")
	b.missed.calls = append(b.missed.calls, f)
}

// ear is the way to one topic's listener.
type ear struct {
	call func(node string, payload []byte)
	wake chan struct{}

	mu    sync.Mutex
	heard []heardHint // oldest first
}

// push never blocks. It gives the node whose hint was lost for it, "" if none was.
func (r *ear) push(h heardHint) (lost string) {
	r.mu.Lock()
	if len(r.heard) == maxHeard {
		lost = r.heard[0].node
		r.heard = append(r.heard[:0], r.heard[1:]...)
	}
	r.heard = append(r.heard, h)
	r.mu.Unlock()
	nudge(r.wake)
	return lost
}

func (r *ear) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		r.mu.Lock()
		heard := r.heard
		r.heard = nil
		r.mu.Unlock()
		for _, h := range heard {
			if ctx.Err() != nil {
				return
			}
			r.call(h.node, h.payload)
		}
	}
}

// absences are the nodes whose hints were missed and that the listeners do not
// know of yet.
type absences struct {
	calls []func(node string)
	wake  chan struct{}

	mu    sync.Mutex
	nodes map[string]bool
}

func (a *absences) push(node string) {
	a.mu.Lock()
	a.nodes[node] = true
	a.mu.Unlock()
	nudge(a.wake)
}

func (a *absences) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
		a.mu.Lock()
		nodes := a.nodes
		a.nodes = map[string]bool{}
		a.mu.Unlock()
		for node := range nodes {
			for _, call := range a.calls {
				call(node)
			}
		}
	}
}

// nudge wakes whoever waits for a channel of capacity one.
func nudge(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
