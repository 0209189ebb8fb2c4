package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"parley"
)

// This file is about a database that other nodes commit to as well: it reads what
// they committed, and comes back when the connection is lost.

const (
	// pollEvery is how often a node looks by itself whether others have committed
	// something: whoever was to wake it may have failed, and a device that was ended
	// has to be gone within a second all the same.
	pollEvery = 500 * time.Millisecond

	// lookTime is how long that may take, and how long it takes to notice that the
	// database does not answer any more.
	lookTime = 5 * time.Second

	// The wait before a connection is tried again grows from the first to the
	// second, and is up to half as long again, so that nodes do not come together.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 2 * time.Second

	// dialTime is how long one attempt may take.
	dialTime = 3 * time.Second
)

// errOutOfReach answers whoever comes while there is no connection.
var errOutOfReach error = &parley.Error{Kind: parley.Unavailable, Key: "store.unavailable", RetryAfter: lastRetry}

// errBehind says that a node was away for longer than the feed of changes goes
// back, so that what it holds in memory cannot be brought up to date.
var errBehind = errors.New("this node has missed changes that the database no longer tells of; it has to start anew")

// errWentBack says that commits are gone which were acknowledged: by a failover to
// a standby that lacked them, or by a restore under running nodes.
var errWentBack = errors.New("the database has lost commits that were acknowledged; give it a new epoch before a node starts")

// reach remembers since when the database cannot be reached.
type reach struct{ since atomic.Int64 } // nanoseconds since 1970; 0: it can

func (r *reach) succeeded() { r.since.Store(0) }

func (r *reach) failed() { r.since.CompareAndSwap(0, time.Now().UnixNano()) }

func (r *reach) failing() (since time.Time, failing bool) {
	n := r.since.Load()
	return time.Unix(0, n), n != 0
}

// at is how far log and feed were told.
func (w *writer) at() place { return place{head: parley.Pos(w.head.Load()), seq: w.seq} }

func (w *writer) reached(p place) {
	w.head.Store(int64(p.head))
	w.seq = p.seq
}

// look makes the writer read what others have committed.
func (w *writer) look() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// tail tells what other nodes have committed.
func (w *writer) tail() error {
	if w.session == nil {
		return errOutOfReach
	}
	ctx, end := w.engine.patience()
	defer end()
	ctx, stop := context.WithTimeout(ctx, lookTime)
	defer stop()
	at, err := w.engine.top(ctx, w.session)
	if err == nil {
		err = w.follow(ctx, at)
	}
	if err != nil {
		if _, failing := w.reach.failing(); !failing {
			w.log.Error("the database cannot be read", "error", err)
		}
		w.failed()
		return unreachable(err)
	}
	w.reach.succeeded()
	return nil
}

// follow reads and tells what other nodes have committed up to a place: first
// their changes, then their entries.
func (w *writer) follow(ctx context.Context, to place) error {
	if at := w.at(); to.head < at.head || to.seq < at.seq {
		w.ended = errWentBack
		return errWentBack
	}
	for w.seq < to.seq {
		news, err := readFeed(ctx, w.session, w.seq, to.seq)
		if err != nil {
			return err
		}
		if n := int64(len(news)); n == 0 || news[0].seq != w.seq+1 || news[n-1].seq != w.seq+n {
			w.ended = errBehind
			return errBehind
		}
		if err := w.changed(events(news)); err != nil {
			return fmt.Errorf("taking over what other nodes changed: %w", err)
		}
		w.seq = news[len(news)-1].seq
	}
	for head := w.at().head; head < to.head; head = w.at().head {
		entries, err := readTail(ctx, w.session, head, to.head)
		if err != nil {
			return err
		}
		upto := to.head
		if len(entries) == pageRows {
			upto = entries[pageRows-1].Pos
		}
		w.learn(entries, upto)
		w.reached(place{head: upto, seq: w.seq})
		if len(entries) > 0 {
			w.committed(entries)
		}
	}
	return nil
}

// learn keeps the numbers of streams right that are remembered between commits.
// Entries that were purged before this node read them are missing: then nothing is
// certain any more.
func (w *writer) learn(entries []parley.Entry, upto parley.Pos) {
	if parley.Pos(len(entries)) != upto-w.at().head {
		clear(w.heads)
		return
	}
	for i := range entries {
		if _, used := w.heads[entries[i].Stream]; used { // others would only grow the list
			w.heads[entries[i].Stream] = entries[i].N
		}
	}
}

const selectTail = `SELECT ` + entryColumns + `, body FROM log WHERE pos > $1 AND pos <= $2 ORDER BY pos LIMIT $3`

func readTail(ctx context.Context, s *session, after, upto parley.Pos) ([]parley.Entry, error) {
	rows, err := s.query(ctx, selectTail, int64(after), int64(upto), pageRows)
	entries, err := collect(rows, err, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("reading what other nodes committed: %w", err)
	}
	return entries, nil
}

// failed books that the database could not be used, and lets go of a connection
// that was lost.
func (w *writer) failed() {
	w.reach.failed()
	if w.session != nil && w.engine.lost(w.session) {
		w.log.Info("the connection to the database was lost")
		if err := w.disconnect(); err != nil {
			w.log.Info("letting go of a lost connection", "error", err)
		}
	}
}

// disconnect closes the writer's connection, if there is one.
func (w *writer) disconnect() error {
	if w.session == nil {
		return nil
	}
	err := w.session.close()
	w.session = nil
	clear(w.heads)
	return err
}

// reconnect tries until there is a connection again, and turns everybody away
// meanwhile. It reports false when ctx has ended.
func (w *writer) reconnect(ctx context.Context) bool {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		dialing, cancel := context.WithTimeout(ctx, dialTime)
		session, err := w.engine.connect(dialing)
		cancel()
		if err == nil {
			w.session = session
			w.look()
			return true
		}
		w.log.Warn("the database is out of reach", "error", err)
		if !w.turnAway(ctx, wait+rand.N(wait/2)) {
			return false
		}
	}
}

// turnAway refuses whoever comes for a while.
func (w *writer) turnAway(ctx context.Context, wait time.Duration) bool {
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over.C:
			return true
		case it := <-w.queue:
			it.done(0, errOutOfReach)
		case it := <-w.bulk:
			it.done(0, errOutOfReach)
		case u := <-w.upkeep:
			u.done <- errOutOfReach
		}
	}
}
