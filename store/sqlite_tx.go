package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"parley"
)

// sqliteTx runs every statement at once: nothing is quicker in one process. Its
// statements take no context: a change that has begun is finished or rolled back,
// never cut in the middle.
type sqliteTx struct {
	*sqliteEngine
	session *session
}

func (t sqliteTx) exec(query string, args ...any) (int64, error) {
	return t.session.exec(context.Background(), query, args...)
}

func (t sqliteTx) query(query string, args ...any) (*sql.Rows, error) {
	return t.session.query(context.Background(), query, args...)
}

func (t sqliteTx) queryRow(query string, args ...any) row {
	return t.session.queryRow(context.Background(), query, args...)
}

func (t sqliteTx) execAmong(query string, ids []int64, args ...any) (int64, error) {
	text, args := expand(t.sqliteEngine, query, ids, args)
	result, err := t.session.conn.ExecContext(context.Background(), text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t sqliteTx) later(query string, args ...any) error {
	_, err := t.exec(query, args...)
	return err
}

func (t sqliteTx) ask(query string, args []any, answer func(row) error) error {
	return answer(t.queryRow(query, args...))
}

func (sqliteTx) answers() error { return nil }

func (sqliteTx) expect([]*parley.Entry, map[parley.StreamID]uint64) error { return nil }

const insertEntry = `
INSERT INTO log (pos, stream, n, sender, device, client_id, about, kind, content, at, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (device, client_id) WHERE device <> 0 DO NOTHING`

// put inserts one row with a prepared statement, which is the fastest way here:
// the driver binds in quadratic time, so longer inserts were slower.
func (t sqliteTx) put(e *parley.Entry) (fresh bool, err error) {
	n, err := t.exec(insertEntry, entryArgs(e)...)
	return n > 0, err
}

// left is no question on one node: there a connection ends when the next begins.
func (sqliteTx) left(*parley.Entry) (bool, error) { return false, nil }

// entryArgs are the values of an entry's columns.
func entryArgs(e *parley.Entry) []any {
	return []any{int64(e.Pos), int64(e.Stream), int64(e.N), int64(e.Sender), int64(e.Device),
		string(e.ClientID), int64(e.About), int64(e.Kind), e.Content, e.At.UnixMilli(), []byte(e.Body)}
}

const selectKnown = `SELECT pos FROM log WHERE device = $1 AND client_id = $2 AND device <> 0`

func (t sqliteTx) find(device parley.DeviceID, id parley.ClientID) (parley.Pos, bool, error) {
	return scanKnown(t.queryRow(selectKnown, int64(device), string(id)))
}

func scanKnown(r row) (pos parley.Pos, ok bool, err error) {
	err = r.Scan(&pos)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return pos, err == nil, parley.Wrap(err, "looking up an entry")
}

const updateCursor = `UPDATE devices SET cursor = $2 WHERE id = $1 AND cursor < $2`

func (t sqliteTx) cursors(taken map[parley.DeviceID]parley.Pos) error {
	for device, pos := range taken {
		if _, err := t.exec(updateCursor, int64(device), int64(pos)); err != nil {
			return err
		}
	}
	return nil
}

const (
	savepoint  = `SAVEPOINT operation`
	release    = `RELEASE SAVEPOINT operation`
	rollBackTo = `ROLLBACK TO SAVEPOINT operation`
)

func (t sqliteTx) point() error { return t.later(savepoint) }

func (t sqliteTx) accept() error { return t.later(release) }

func (t sqliteTx) undo() error { return errors.Join(t.later(rollBackTo), t.later(release)) }

func (sqliteTx) spoiled() bool { return false }

func (t sqliteTx) commit(place, []notice, int64) error { return t.later("COMMIT") }

func (t sqliteTx) rollback() error { return t.later("ROLLBACK") }

// sqliteEngine is the database in one file, of one node.
type sqliteEngine struct{ path string }

func (e *sqliteEngine) connect(ctx context.Context) (*session, error) {
	db, err := openDatabase(e.path, writerPragmas, 1)
	if err != nil {
		return nil, err
	}
	session, err := newSession(ctx, db)
	return session, damaged(err)
}

func (*sqliteEngine) lost(*session) bool { return false }

func (e *sqliteEngine) pool() (*sql.DB, error) { return openDatabase(e.path, readerPragmas, readers) }

// patience has no end: no statement waits for another machine.
func (*sqliteEngine) patience() (context.Context, context.CancelFunc) {
	return context.Background(), func() {}
}

func (*sqliteEngine) shared() bool { return false }

func (*sqliteEngine) top(ctx context.Context, s *session) (place, error) {
	const query = `SELECT coalesce((SELECT max(pos) FROM log), 0), head FROM meta WHERE id = 1`
	var top, head parley.Pos
	err := s.queryRow(ctx, query).Scan(&top, &head)
	return place{head: max(top, head)}, damaged(err)
}

func (e *sqliteEngine) begin(_ context.Context, s *session, _ bool) (transaction, place, error) {
	t := sqliteTx{e, s}
	return t, place{}, t.later("BEGIN IMMEDIATE")
}

// The ids stand in the text: the driver takes a time quadratic in the number of
// arguments.
func (*sqliteEngine) among(_ int, ids []int64) (string, []any) { return "IN " + numbers(ids), nil }

// numbers writes a list of numbers for use behind IN.
func numbers(list []int64) string {
	text := make([]byte, 0, 2+12*len(list))
	text = append(text, '(')
	for i, n := range list {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return string(append(text, ')'))
}

// entriesAfter finds the places through the index, and reads the rows of the
// first of them only.
func (*sqliteEngine) entriesAfter() string {
	return `SELECT ` + entryColumns + `, body FROM log WHERE pos IN (
SELECT pos FROM log WHERE stream {ids} AND pos > $1 ORDER BY pos LIMIT $2) ORDER BY pos`
}

func (*sqliteEngine) finish(s *Store) error {
	// Nobody else uses the writer any more.
	if err := s.sweep(func(o operation) error { return s.writer.alone(o) }); err != nil {
		return fmt.Errorf("wiping what was purged: %w", err)
	}
	if _, err := truncateWAL(context.Background(), s.writer.session, checkpointRetry); err != nil {
		return fmt.Errorf("emptying the write-ahead log: %w", err)
	}
	return nil
}
