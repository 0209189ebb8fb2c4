package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parley"
)

// operation is one change as data. apply runs its statements within the batch; a
// failure takes back what this operation did and nothing else. It may run in any
// batch and sees everything that came before it. When a batch has to be tried
// again, it runs once more.
type operation interface {
	apply(b *batch) error
}

// step is a statement of a change. If it changes no row although missing is set,
// the whole change is refused with missing.
type step struct {
	query   string
	args    []any
	missing error
}

// change is an operation that is nothing but statements.
type change struct {
	steps []step
	tells []parley.Event // to the other nodes
	also  parley.Alongside
}

func (c change) apply(b *batch) error {
	for _, s := range c.steps {
		if s.missing == nil {
			if err := b.later(s.query, s.args...); err != nil {
				return err
			}
			continue
		}
		n, err := b.exec(s.query, s.args...)
		if err != nil {
			return err
		}
		if n == 0 {
			return s.missing
		}
	}
	b.tell(c.tells...)
	return b.alongside(c.also)
}

// batch is what goes into one commit. It belongs to the writer's goroutine.
type batch struct {
	ctx     context.Context
	end     context.CancelFunc // of ctx
	careful bool               // nothing is sent together with the rest
	feeds   bool               // there is somebody to tell
	tx      transaction        // nil: it is not begun
	now     time.Time
	began   place                      // where log and feed ended before
	head    parley.Pos                 // highest position handed out
	heads   map[parley.StreamID]uint64 // number handed out last, of the streams in use
	entries []parley.Entry             // in the order of their positions
	told    []parley.Event             // for the other nodes
	news    []notice                   // the same as rows
	waiting []outcome                  // who is answered afterwards
	cursors *cursors
	taken   map[parley.DeviceID]parley.Pos // cursors that this commit writes
	purged  int64                          // rows of the log deleted
	jobs    bool                           // jobs may have been stored
}

func (b *batch) exec(query string, args ...any) (int64, error) { return b.tx.exec(query, args...) }

func (b *batch) queryRow(query string, args ...any) row { return b.tx.queryRow(query, args...) }

func (b *batch) query(query string, args ...any) (*sql.Rows, error) {
	return b.tx.query(query, args...)
}

// later is for a statement that cannot be refused and of which nobody needs to
// know what it changed.
func (b *batch) later(query string, args ...any) error { return b.tx.later(query, args...) }

// tell announces events to the other nodes, if there may be any.
func (b *batch) tell(events ...parley.Event) {
	if b.feeds {
		b.told = append(b.told, events...)
	}
}

// commit makes the batch durable.
func (b *batch) commit() error {
	for _, event := range b.told {
		b.news = append(b.news, notices(event)...)
	}
	for i := range b.news {
		b.news[i].seq = b.began.seq + int64(i) + 1
	}
	return b.tx.commit(b.ends(), b.news, b.now.UnixMilli())
}

// ends is where log and feed end with this batch.
func (b *batch) ends() place {
	return place{head: b.head, seq: b.began.seq + int64(len(b.news))}
}

// append gives the entry its place and stores it. It reports false for an entry
// that is stored already.
func (b *batch) append(e parley.Entry) (fresh bool, err error) {
	n, err := b.streamHead(e.Stream)
	if err != nil {
		return false, err
	}
	e.Pos, e.N, e.At = b.head+1, n+1, b.now
	if e.Body == nil {
		e.Body = parley.Body{}
	}
	if fresh, err = b.tx.put(&e); err != nil || !fresh {
		return false, err
	}
	b.head, b.heads[e.Stream] = e.Pos, e.N
	b.entries = append(b.entries, e)
	return true, nil
}

// known is the position of the stored entry with this id.
func (b *batch) known(device parley.DeviceID, id parley.ClientID) (parley.Pos, error) {
	pos, ok, err := b.tx.find(device, id)
	if err == nil && !ok {
		err = errors.New("a known entry is not stored")
	}
	return pos, err
}

const selectStreamHead = `
SELECT coalesce(
    (SELECT n FROM log WHERE stream = $1 ORDER BY pos DESC LIMIT 1),
    (SELECT purged_n FROM streams WHERE id = $1),
    0)`

func (b *batch) streamHead(s parley.StreamID) (n uint64, err error) {
	if n, ok := b.heads[s]; ok {
		return n, nil
	}
	var stored int64
	if err := b.queryRow(selectStreamHead, int64(s)).Scan(&stored); err != nil {
		return 0, fmt.Errorf("reading the head of a stream: %w", err)
	}
	b.heads[s] = uint64(stored)
	return uint64(stored), nil
}

// undo takes back the entries from number mark on, which the database has
// forgotten: the next ones get their positions and numbers.
func (b *batch) undo(mark int) {
	for _, e := range b.entries[mark:] {
		b.head--
		b.heads[e.Stream]--
	}
	b.entries = b.entries[:mark]
}

// run applies an operation so that a failure leaves no trace of it. An error that
// breaks the batch concerns everybody in it.
func (b *batch) run(op operation) error {
	if err := b.tx.point(); err != nil {
		return err
	}
	entries, told, purged := len(b.entries), len(b.told), b.purged
	err := op.apply(b)
	if err == nil {
		return b.tx.accept()
	}
	if b.broken(err) {
		return err
	}
	b.undo(entries)
	b.told, b.purged = b.told[:told], purged
	if back := b.tx.undo(); back != nil {
		return errors.Join(err, back)
	}
	return err
}

// broken reports whether err concerns the whole batch.
func (b *batch) broken(err error) bool {
	_, failure := storageFailure(err)
	return failure || b.tx.spoiled()
}

// alongside stores what a change carries with it.
func (b *batch) alongside(a parley.Alongside) error {
	for _, e := range a.Entries {
		if _, err := b.append(e); err != nil {
			return fmt.Errorf("storing an entry alongside: %w", err)
		}
	}
	if err := b.addJobs(a.Jobs); err != nil {
		return err
	}
	return b.audit(a.Audit)
}
