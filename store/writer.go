package store

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley"
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
	admitted parley.Entry // the entry as it goes into the log
	refusal  error        // why it does not
	pos      parley.Pos
	err      error
	silent   bool // a new entry: committed tells
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
	engine engine
	log    *slog.Logger
	stats  *counters
	reach  reach

	queue chan item // entries and small changes
	bulk  chan item // imports and purges, in steps of a few milliseconds

	upkeep  chan upkeep
	wake    chan struct{} // one token: another node has committed something
	wrote   chan struct{} // one token: something was committed
	cursors *cursors
	head    atomic.Int64 // highest position that was told

	// gate is held for reading while somebody queues something, and for writing
	// once, to be sure that nobody does any more.
	gate     sync.RWMutex
	stopping chan struct{}

	admit      func(*parley.Entry) error  // set before run
	committed  func([]parley.Entry)       // set before run
	changed    func([]parley.Event) error // set before run
	jobs       func()                     // told when a job was stored; set before run
	wakeOthers func()                     // set before run

	// These belong to the goroutine of run.
	session *session // nil: the connection was lost
	seq     int64    // of the last change by another node that was told, or of this node's last
	heads   map[parley.StreamID]uint64
	starved bool  // bulk work was passed over by the last commit
	failing bool  // the last commit failed; said once in the log
	ended   error // why the writer cannot go on
}

func newWriter(e engine, s *session, log *slog.Logger, stats *counters) *writer {
	return &writer{
		engine: e, log: log, stats: stats, session: s,
		queue: make(chan item, queueLength), bulk: make(chan item, bulkLength),
		upkeep: make(chan upkeep), wake: make(chan struct{}, 1), wrote: make(chan struct{}, 1), cursors: newCursors(),
		stopping: make(chan struct{}),
		admit:    func(*parley.Entry) error { return nil }, committed: func([]parley.Entry) {},
		changed: func([]parley.Event) error { return nil }, wakeOthers: func() {}, jobs: func() {},
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

// do queues an operation, waiting for room as long as ctx allows, and then waits
// until it is durable or refused, whatever ctx says: whoever changes the database
// has to learn of it, or memory would not follow.
func (w *writer) do(ctx context.Context, queue chan item, op operation) error {
	answer := make(chan error, 1)
	it := item{op: op, bulk: queue == w.bulk, done: func(_ parley.Pos, err error) { answer <- err }}
	if err := w.put(ctx, queue, it); err != nil {
		return err
	}
	return <-answer
}

// between has the writer do work on its connection between two commits.
func (w *writer) between(ctx context.Context, work func(*session) error) error {
	u := upkeep{work: work, done: make(chan error, 1)}
	select {
	case w.upkeep <- u:
		return <-u.done
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.stopping:
		return errStopping
	}
}

// run commits until ctx ends, and then what is queued by then. It returns why it
// could not go on, if it could not.
func (w *writer) run(ctx context.Context) error {
	var poll <-chan time.Time
	if w.engine.shared() {
		ticker := time.NewTicker(pollEvery)
		defer ticker.Stop()
		poll = ticker.C
		w.look()
	}
	for w.ended == nil && w.step(ctx, poll) {
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
	return w.ended
}

// step does one commit, or what has to happen between two, and reports false
// when ctx has ended. Changes go before bulk work, which else waits for none.
func (w *writer) step(ctx context.Context, poll <-chan time.Time) bool {
	if w.session == nil {
		return w.reconnect(ctx)
	}
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
	case <-w.wake:
		_ = w.tail() // it has told the log
	case <-poll:
		_ = w.tail() // it has told the log
	}
	return true
}
