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
// batch and sees everything that came before it.
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
	also  parley.Alongside
}

func (c change) apply(b *batch) error {
	for _, s := range c.steps {
		n, err := b.exec(s.query, s.args...)
		if err != nil {
			return err
		}
		if n == 0 && s.missing != nil {
			return s.missing
		}
	}
	return b.alongside(c.also)
}

// batch is what goes into one commit. It belongs to the writer's goroutine.
type batch struct {
	session *session
	now     time.Time
	head    parley.Pos                 // highest position handed out
	heads   map[parley.StreamID]uint64 // number handed out last, of the streams in use
	entries []parley.Entry             // in the order of their positions
	waiting []outcome                  // who is told afterwards
	cursors *cursors
	taken   map[parley.DeviceID]parley.Pos // cursors that this commit writes
	purged  int64                          // rows of the log deleted
	jobs    bool                           // jobs may have been stored
}

func (b *batch) exec(query string, args ...any) (int64, error) {
	return b.session.exec(context.Background(), query, args...)
}

func (b *batch) queryRow(query string, args ...any) row {
	return b.session.queryRow(context.Background(), query, args...)
}

func (b *batch) query(query string, args ...any) (*sql.Rows, error) {
	return b.session.query(context.Background(), query, args...)
}

const insertEntry = `
INSERT INTO log (pos, stream, n, sender, device, client_id, about, kind, content, at, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (device, client_id) WHERE device <> 0 DO NOTHING`

// append gives the entry its place and inserts it. It reports false for an entry
// that is stored already. One prepared statement a row is the fastest way here:
// the driver binds in quadratic time, so longer inserts were slower.
func (b *batch) append(e parley.Entry) (fresh bool, err error) {
	n, err := b.streamHead(e.Stream)
	if err != nil {
		return false, err
	}
	e.Pos, e.N, e.At = b.head+1, n+1, b.now
	if e.Body == nil {
		e.Body = parley.Body{}
	}
	rows, err := b.exec(insertEntry, int64(e.Pos), int64(e.Stream), int64(e.N), int64(e.Sender), int64(e.Device),
		string(e.ClientID), int64(e.About), int64(e.Kind), e.Content, e.At.UnixMilli(), []byte(e.Body))
	if err != nil || rows == 0 {
		return false, err
	}
	b.head, b.heads[e.Stream] = e.Pos, e.N
	b.entries = append(b.entries, e)
	return true, nil
}

// known is the position of the stored entry with this id.
func (b *batch) known(device parley.DeviceID, id parley.ClientID) (parley.Pos, error) {
	pos, ok, err := b.find(device, id)
	if err == nil && !ok {
		err = errors.New("a known entry is not stored")
	}
	return pos, err
}

// find looks for the entry with this id.
func (b *batch) find(device parley.DeviceID, id parley.ClientID) (pos parley.Pos, ok bool, err error) {
	err = b.queryRow("SELECT pos FROM log WHERE device = $1 AND client_id = $2 AND device <> 0",
		int64(device), string(id)).Scan(&pos)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("looking up an entry: %w", err)
	}
	return pos, true, nil
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

// run applies an operation so that a failure leaves no trace of it.
func (b *batch) run(op operation) error {
	if _, err := b.exec("SAVEPOINT operation"); err != nil {
		return err
	}
	mark, purged := len(b.entries), b.purged
	err := op.apply(b)
	if err == nil {
		_, err = b.exec("RELEASE operation")
		return err
	}
	if _, fatal := storageFailure(err); fatal {
		return err
	}
	b.undo(mark)
	b.purged = purged
	if _, back := b.exec("ROLLBACK TO operation"); back != nil {
		return errors.Join(err, back)
	}
	if _, release := b.exec("RELEASE operation"); release != nil {
		return errors.Join(err, release)
	}
	return err
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
