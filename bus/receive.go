package bus

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// What may wait to be taken in from NATS, a subscription. More is thrown away,
// oldest kept; that makes a gap.
const (
	maxWaiting      = 1 << 16
	maxWaitingBytes = 64 << 20
)

// subscription is one that tells when its goroutine has ended.
type subscription struct {
	*nats.Subscription
	ended chan struct{}
}

func (b *Bus) subscribe() error {
	b.life.Lock()
	defer b.life.Unlock()
	for _, subject := range []string{b.everybody(), b.inbox(b.incarnation)} {
		s, err := b.conn.Subscribe(subject, b.receive)
		if err != nil {
			return fmt.Errorf("subscribing: %w", err)
		}
		ended := make(chan struct{})
		s.SetClosedHandler(func(string) { close(ended) })
		if err := s.SetPendingLimits(b.config.waiting, maxWaitingBytes); err != nil {
			return fmt.Errorf("limiting a subscription: %w", err)
		}
		b.life.heard = append(b.life.heard, subscription{s, ended})
	}
	return nil
}

// unsubscribe closes the connection and waits until nothing is taken in any more.
func (b *Bus) unsubscribe() {
	b.conn.Close()
	b.life.Lock()
	heard := b.life.heard
	b.life.Unlock()
	for _, s := range heard {
		select {
		case <-s.ended:
		case <-time.After(b.config.Pace.Lease): // it was closed before it could say so
		}
	}
}

// overrun counts what NATS threw away because it waited for too long.
func (b *Bus) overrun() (dropped uint64) {
	b.life.Lock()
	defer b.life.Unlock()
	for _, s := range b.life.heard {
		if n, err := s.Dropped(); err == nil {
			dropped += uint64(n)
		}
	}
	return dropped
}

// receive takes in a message. It does not wait for anybody.
func (b *Bus) receive(msg *nats.Msg) {
	m, err := decode(msg.Data)
	if err != nil {
		b.counts.foreign.Add(1)
		if b.odd.first(err) {
			b.config.Log.Warn("a message on the bus was passed over", "error", err)
		}
		return
	}
	b.do(func(now time.Time) effects { return b.state.receive(m, now) })
}

// do takes a step of the state and carries out what follows. What others wait for
// is put in their queues before the next step.
func (b *Bus) do(step func(time.Time) effects) {
	b.mu.Lock()
	e := step(time.Now())
	b.count(e)
	for _, c := range e.changes {
		b.tables[c.table].watch.push(c.Change, c.existed)
	}
	for _, h := range e.hints {
		b.hear(h)
	}
	for _, node := range e.missed {
		b.missed.push(node)
	}
	b.mu.Unlock()

	for _, r := range e.serve {
		if b.tables[r.table] != nil {
			b.askers.push(r)
		}
	}
	if len(e.asks) > 0 {
		b.out.ask(e.asks)
	}
	if e.beat {
		b.out.beatSoon()
	}
	if e.members {
		nudge(b.moved)
	}
	for _, event := range e.events {
		b.note(event)
	}
}

func (b *Bus) hear(h heardHint) {
	ear := b.topics[h.topic]
	if ear == nil {
		return
	}
	b.counts.hintsHeard.Add(1)
	if lost := ear.push(h); lost != "" {
		b.counts.hintsDropped.Add(1)
		b.missed.push(lost)
	}
}

// odd remembers which unreadable messages were told already: each version of the
// protocol once, everything else once.
type odd struct {
	mu    sync.Mutex
	known map[protocolError]bool
	other bool
}

func (o *odd) first(err error) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, ok := errors.AsType[protocolError](err)
	if !ok {
		was := o.other
		o.other = true
		return !was
	}
	was := o.known[v]
	if o.known == nil {
		o.known = map[protocolError]bool{}
	}
	o.known[v] = true
	return !was
}
