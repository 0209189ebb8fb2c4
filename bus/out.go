package bus

import (
	"context"
	"sync"
	"time"
)

// outbox is what waits for the goroutine that sends. Putting something in never
// blocks.
type outbox struct {
	wake chan struct{}

	mu     sync.Mutex
	hints  []hint
	bytes  int    // of the hints' payloads
	number uint64 // of the last hint told
	asks   []request
	beat   bool // somebody should hear of this node soon
	rows   bool // rows have changed
}

// load is what was taken out of an outbox.
type load struct {
	hints      []hint
	asks       []request
	beat, rows bool
}

// tell puts in a hint and says how many others were thrown away for it. Their
// numbers are not given again, so that the other nodes notice.
func (o *outbox) tell(topic string, payload []byte) (lost uint64) {
	o.mu.Lock()
	o.number++
	o.hints = append(o.hints, hint{o.number, topic, payload})
	o.bytes += len(payload)
	for len(o.hints) > maxTold || o.bytes > toldBytes {
		o.bytes -= len(o.hints[0].payload)
		o.hints[0] = hint{}
		o.hints = o.hints[1:]
		lost++
	}
	o.mu.Unlock()
	nudge(o.wake)
	return lost
}

func (o *outbox) ask(list []request) {
	o.mu.Lock()
	o.asks = append(o.asks, list...)
	o.mu.Unlock()
	nudge(o.wake)
}

// beatSoon asks for a sign of life.
func (o *outbox) beatSoon() {
	o.mu.Lock()
	o.beat = true
	o.mu.Unlock()
	nudge(o.wake)
}

// touch says that rows have changed.
func (o *outbox) touch() {
	o.mu.Lock()
	was := o.rows
	o.rows = true
	o.mu.Unlock()
	if !was {
		nudge(o.wake)
	}
}

func (o *outbox) take() load {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := load{o.hints, o.asks, o.beat, o.rows}
	o.hints, o.asks, o.beat, o.rows, o.bytes = nil, nil, false, false, 0
	return l
}

// send is the one goroutine that tells hints, changes and signs of life, so that
// they leave in order. The first signs of life follow each other quickly, because
// nobody knows when the connections to other nodes will stand.
func (b *Bus) send(ctx context.Context) {
	pace := b.config.Pace
	every := pace.Beat / 32
	var last time.Time // the last sign of life
	life := time.NewTimer(0)
	defer life.Stop()
	join := time.NewTimer(pace.Join)
	defer join.Stop()
	joining := true
	for {
		select {
		case <-ctx.Done():
			b.leave()
			return
		case <-b.out.wake:
		case <-join.C:
			joining = false
			b.sendRows()
		case last = <-life.C:
			b.sendBeat()
			life.Reset(every)
			every = min(2*every, pace.Beat)
		}
		l := b.out.take()
		b.sendHints(l.hints)
		for _, r := range l.asks {
			b.counts.snapshotsAsked.Add(1)
			b.publish(b.inbox(r.incarnation), ask{r.table})
		}
		if l.rows && !joining {
			joining = true
			join.Reset(pace.Join)
		}
		if l.beat {
			life.Reset(max(0, time.Until(last.Add(pace.Beat/64))))
		}
	}
}

// leave says what is left to say.
func (b *Bus) leave() {
	b.sendHints(b.out.take().hints)
	if !b.conn.IsConnected() {
		return
	}
	b.publish(b.everybody(), goodbye{})
	if err := b.conn.FlushTimeout(b.config.Pace.Beat); err != nil {
		b.config.Log.Info("could not say goodbye to the other nodes", "error", err)
	}
}

func (b *Bus) sendHints(hints []hint) {
	for _, h := range hints {
		b.sent = h.number
		if b.publish(b.everybody(), h) {
			b.counts.hintsTold.Add(1)
		}
	}
}

func (b *Bus) sendRows() {
	for _, t := range b.tables {
		for _, d := range t.deltas() {
			b.publish(b.everybody(), d)
		}
	}
}

func (b *Bus) sendBeat() {
	body := beat{told: b.sent}
	for name, t := range b.tables {
		body.versions = append(body.versions, tableVersion{name, t.version()})
	}
	b.publish(b.everybody(), body)
}

// publish sends a message, or counts it as lost: what is lost leaves a gap.
func (b *Bus) publish(subject string, body any) bool {
	err := b.conn.Publish(subject, encode(message{b.config.Node, b.incarnation, body}))
	if err != nil {
		b.counts.unsent.Add(1)
	}
	return err == nil
}
