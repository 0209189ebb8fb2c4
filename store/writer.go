package store

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/conversation"
)

const (
	queueLength = 8192                 // changes that may wait; whoever comes then waits too
	bulkLength  = 64                   // the same for bulk work
	batchLimit  = 512                  // changes in one commit
	batchTime   = 5 * time.Millisecond // a commit takes no more in after this
	maxHeads    = 1 << 16              // streams whose last number is remembered between commits
)

// errStopping answers whoever comes when the store takes nothing more.
var errStopping error = &parley.Error{Kind: parley.Unavailable, Key: "server.stopping", RetryAfter: 5 * time.Second}

// item is something that waits for the writer: an operation, or without one an
// entry. done is called once with a failure, and for an operation with success;
// an entry's success is told by the writer's committed.
type item struct {
	op    operation
	entry parley.Entry
	done  func(parley.Pos, error)
	bulk  bool // came through the bulk queue
}

// outcome is an item in a batch and what its owner is told after the commit.
type outcome struct {
	item
	pos    parley.Pos
	err    error
	silent bool // a new entry: committed tells
}

// lastCursors is the operation that writes every cursor and nothing else.
type lastCursors struct{}

func (lastCursors) apply(*batch) error { return nil }
func (lastCursors) afterCursors()      {}

// upkeep is work on the database that no transaction can hold.
type upkeep struct {
	work func(*session) error
	done chan error // with room for one
}

// ordering is a device change that depends on how far devices have read: the
// cursors gathered so far are written before it.
type ordering interface{ afterCursors() }

// writer is the one that changes the database. It takes what gathered while its
// last commit ran, and never waits for more: the commit under way is the timer.
type writer struct {
	log   *slog.Logger
	stats *counters

	queue chan item // entries and small changes
	bulk  chan item // imports and purges, in steps of a few milliseconds

	upkeep  chan upkeep
	wrote   chan struct{} // one token: something was committed
	cursors *cursors
	head    atomic.Int64 // highest committed position

	// gate is held for reading while somebody queues something, and for writing
	// once, to be sure that nobody does any more.
	gate     sync.RWMutex
	stopping chan struct{}

	admit     func(*parley.Entry) error // set before run
	committed func([]parley.Entry)      // set before run
	jobs      func()                    // told when a job was stored; set before run

	// These belong to the goroutine of run.
	session *session
	heads   map[parley.StreamID]uint64
	starved bool // bulk work was passed over by the last commit
	failing bool // the last commit failed; said once in the log
}

func newWriter(s *session, log *slog.Logger, stats *counters) *writer {
	return &writer{
		log: log, stats: stats, session: s,
		queue: make(chan item, queueLength), bulk: make(chan item, bulkLength),
		upkeep: make(chan upkeep), wrote: make(chan struct{}, 1), cursors: newCursors(),
		stopping: make(chan struct{}),
		admit:    func(*parley.Entry) error { return nil }, committed: func([]parley.Entry) {}, jobs: func() {},
		heads: map[parley.StreamID]uint64{},
	}
}

// put queues an item, waiting for room as long as ctx allows.
func (w *writer) put(ctx context.Context, queue chan item, it item) error {
	w.gate.RLock()
	defer w.gate.RUnlock()
	select {
	case <-w.stopping:
		return errStopping
	default:
	}
	select {
	case queue <- it:
		return nil
	default:
	}
	select {
	case queue <- it:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the writer: %w", context.Cause(ctx))
	case <-w.stopping:
		return errStopping
	}
}

// do queues an operation and waits until it is durable or refused. When ctx ends
// first the operation may still be done.
func (w *writer) do(ctx context.Context, queue chan item, op operation) error {
	answer := make(chan error, 1)
	it := item{op: op, bulk: queue == w.bulk, done: func(_ parley.Pos, err error) { answer <- err }}
	if err := w.put(ctx, queue, it); err != nil {
		return err
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return fmt.Errorf("waiting for the commit: %w", context.Cause(ctx))
	}
}

// run commits until ctx ends, and then what is queued by then.
func (w *writer) run(ctx context.Context) {
	for w.step(ctx) {
	}
	close(w.stopping)
	w.gate.Lock()
	defer w.gate.Unlock()
	for len(w.queue)+len(w.bulk) > 0 {
		select {
		case it := <-w.queue:
			w.commit(it)
		case it := <-w.bulk:
			w.commit(it)
		}
	}
	w.commit(item{op: lastCursors{}, done: func(parley.Pos, error) {}})
}

// step does one commit, or what has to happen between two, and reports false
// when ctx has ended. Changes go before bulk work, which else waits for none.
func (w *writer) step(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case u := <-w.upkeep:
		u.done <- u.work(w.session)
		return true
	default:
	}
	select {
	case it := <-w.queue:
		w.commit(it)
		return true
	default:
	}
	select {
	case <-ctx.Done():
		return false
	case u := <-w.upkeep:
		u.done <- u.work(w.session)
	case it := <-w.queue:
		w.commit(it)
	case it := <-w.bulk:
		w.commit(it)
	case <-w.cursors.due:
		w.cursors.ring()
		w.commit(item{})
	}
	return true
}

// commit makes the item and what else is waiting durable, and answers.
func (w *writer) commit(first item) {
	b := &batch{
		session: w.session, cursors: w.cursors, heads: w.heads,
		now:  time.Now().UTC().Truncate(time.Millisecond),
		head: parley.Pos(w.head.Load()),
	}
	started := time.Now()
	err := w.fill(b, first, started)
	if err == nil {
		_, err = b.exec("COMMIT")
	}
	if err != nil {
		w.abort(b, err)
		return
	}
	w.stats.commit(b, time.Since(started))
	if len(w.heads) > maxHeads {
		clear(w.heads) // they are read again when they are needed
	}
	w.publish(b)
}

// fill applies first, then changes as long as any wait and there is room, and
// then at most one step of bulk work. Its error concerns the whole batch.
func (w *writer) fill(b *batch, first item, started time.Time) error {
	if first.done != nil {
		b.waiting = append(b.waiting, outcome{item: first})
	}
	if _, err := b.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for i := 0; ; i++ {
		if i == len(b.waiting) && !w.more(b, started) {
			break
		}
		if err := w.apply(b, &b.waiting[i]); err != nil {
			return err
		}
	}
	if !first.bulk && w.bulkTurn() {
		select {
		case it := <-w.bulk:
			b.waiting = append(b.waiting, outcome{item: it})
			if err := w.apply(b, &b.waiting[len(b.waiting)-1]); err != nil {
				return err
			}
		default:
		}
	}
	select {
	case <-w.cursors.due:
		return b.writeCursors(maxCursors)
	default:
		return nil
	}
}

// more takes another change into the batch, if one waits and there is room.
func (w *writer) more(b *batch, started time.Time) bool {
	if len(b.waiting) >= batchLimit || time.Since(started) >= batchTime {
		return false
	}
	select {
	case it := <-w.queue:
		b.waiting = append(b.waiting, outcome{item: it})
		return true
	default:
		return false
	}
}

// bulkTurn gives bulk work its turn when no change is left over, and else with
// every second commit.
func (w *writer) bulkTurn() bool {
	turn := w.starved || len(w.queue) == 0
	w.starved = !turn
	return turn
}

// apply runs one item. Its error concerns the whole batch; what concerns the
// item alone goes into its outcome.
func (w *writer) apply(b *batch, o *outcome) error {
	if o.op == nil {
		return w.applyEntry(b, o)
	}
	if _, ok := o.op.(ordering); ok {
		if err := b.writeCursors(math.MaxInt); err != nil {
			return err
		}
	}
	o.err = b.run(o.op)
	if _, fatal := storageFailure(o.err); fatal {
		return o.err
	}
	return nil
}

func (w *writer) applyEntry(b *batch, o *outcome) error {
	if refusal := w.admit(&o.entry); refusal != nil {
		pos, known, err := b.find(o.entry.Device, o.entry.ClientID)
		if o.err = refusal; known {
			o.pos, o.err = pos, conversation.ErrKnown
		}
		return err
	}
	fresh, err := b.append(o.entry)
	if err != nil {
		return fmt.Errorf("inserting an entry: %w", err)
	}
	o.silent = fresh
	if !fresh {
		o.pos, err = b.known(o.entry.Device, o.entry.ClientID)
		o.err = conversation.ErrKnown
	}
	return err
}

// publish tells of a commit: first the entries, then everybody who waits.
func (w *writer) publish(b *batch) {
	if w.failing {
		w.failing = false
		w.log.Info("storing works again")
	}
	w.head.Store(int64(b.head))
	w.note()
	if len(b.entries) > 0 {
		w.committed(b.entries)
	}
	if b.jobs {
		w.jobs()
	}
	for i := range b.waiting {
		if o := &b.waiting[i]; !o.silent {
			o.done(o.pos, o.err)
		}
	}
}

// note says that there is something to tidy.
func (w *writer) note() {
	select {
	case w.wrote <- struct{}{}:
	default:
	}
}

// alone commits one operation on the caller's goroutine, before run or once it has
// returned.
func (w *writer) alone(op operation) (err error) {
	w.commit(item{op: op, bulk: true, done: func(_ parley.Pos, e error) { err = e }})
	return err
}

// abort rolls the batch back and tells everybody in it that nothing was stored.
func (w *writer) abort(b *batch, cause error) {
	// The database may have rolled back by itself; then this fails and is right.
	_, _ = b.exec("ROLLBACK")
	clear(w.heads)
	w.cursors.putBack(b.taken)
	w.stats.failures.Add(1)
	refusal, ok := storageFailure(cause)
	if !ok {
		refusal = &parley.Error{Kind: parley.Unavailable, Key: "store.unavailable", Err: cause}
	}
	if !w.failing {
		w.failing = true
		w.log.Error("storing failed, nothing of it was acknowledged", "error", cause, "waiting", len(b.waiting))
	}
	for i := range b.waiting {
		b.waiting[i].done(0, refusal)
	}
}
