package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"parley"
)

// postgresTx is a commit over a network: what costs is the round trips. It gathers
// entries and statements that nobody waits for, and sends them together with the
// next one that somebody does wait for, at the latest with the COMMIT. A commit of
// entries alone takes three round trips: BEGIN and the turn, what has to be known,
// and all the rest.
type postgresTx struct {
	engine  *postgresEngine
	session *session
	ctx     context.Context
	careful bool  // send every statement by itself
	began   place // where log and feed ended
	failed  error // statements that were sent together have failed

	// What is not sent yet: the end of an operation, entries, and then statements.
	ending []statement
	rows   []parley.Entry
	staged []statement

	// The operation under way, since point.
	questions  []question
	open       bool
	saved      bool // its savepoint is sent
	openRows   int  // rows before it
	openStaged int  // staged before it
	openSent   int  // sent before it

	known map[sent]parley.Pos            // where entries are that were looked up; 0: nowhere
	ours  []sent                         // those of them that this transaction has stored
	reads map[parley.DeviceID]parley.Pos // how far devices have acknowledged that were looked up
}

type statement struct {
	query string
	args  []any
}

// question is a statement whose first row goes to answer, if there is one.
type question struct {
	statement
	answer func(row) error
}

// sent is what a device may send only once.
type sent struct {
	device parley.DeviceID
	id     parley.ClientID
}

const (
	beginShared = `BEGIN`
	lockEnds    = `SELECT head, changes FROM meta WHERE id = 1 FOR UPDATE`
	moveEnds    = `UPDATE meta SET head = $1, changes = $2 WHERE id = 1`
)

// begin waits for this node's turn: the lock on the row that says where the log
// ends. Every writer takes it first, so none waits for two things.
func (e *postgresEngine) begin(ctx context.Context, s *session, careful bool) (transaction, place, error) {
	t := &postgresTx{engine: e, session: s, ctx: ctx, careful: careful, known: map[sent]parley.Pos{}, reads: map[parley.DeviceID]parley.Pos{}}
	var batch pgx.Batch
	batch.Queue(beginShared)
	batch.Queue(lockEnds).QueryRow(func(row pgx.Row) error { return row.Scan(&t.began.head, &t.began.seq) })
	if err := t.send(&batch); err != nil {
		err = errors.Join(err, t.rollback())
		if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == lockTimeout {
			err = errors.Join(err, t.breakTurn())
		}
		return nil, place{}, err
	}
	return t, t.began, nil
}

// lockTimeout is the code of lock_not_available.
const lockTimeout = "55P03"

// breakTurn ends the connection of a node that has had its turn for longer than any
// commit takes. A node that is frozen loses its turn by itself, but not if that
// happened while it was sending something: then the server waits for the rest.
func (t *postgresTx) breakTurn() error {
	const query = `
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()
    AND wait_event_type = 'Client' AND xact_start < now() - interval '4 seconds'`
	_, err := t.session.exec(t.ctx, query, nodeName)
	return err
}

// send runs statements in one round trip.
func (t *postgresTx) send(batch *pgx.Batch) error {
	return native(t.session, func(conn *pgx.Conn) error { return conn.SendBatch(t.ctx, batch).Close() })
}

// flush sends what was gathered.
func (t *postgresTx) flush() error {
	if t.failed != nil {
		return t.failed
	}
	var batch pgx.Batch
	for _, s := range t.gathered() {
		batch.Queue(s.query, s.args...)
	}
	if batch.Len() == 0 {
		return nil
	}
	t.failed = t.send(&batch)
	return t.failed
}

// gathered takes what is not sent yet, in an order that keeps an operation's
// savepoint between what came before it and its own.
func (t *postgresTx) gathered() []statement {
	list, rows, staged := t.ending, t.rows, t.staged
	if t.open && !t.saved {
		list = append(insertRows(list, rows[:t.openRows]), staged[:t.openStaged]...)
		list = append(list, statement{query: savepoint})
		rows, staged = rows[t.openRows:], staged[t.openStaged:]
		t.saved = true
	}
	list = append(insertRows(list, rows), staged...)
	t.ending, t.rows, t.staged, t.openRows, t.openStaged = nil, nil, nil, 0, 0
	return list
}

const insertEntries = `
INSERT INTO log (pos, stream, n, sender, device, client_id, about, kind, content, at, body)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
    $8::bigint[], $9::text[], $10::bigint[], $11::bytea[])`

// insertRows adds the statement that stores entries.
func insertRows(list []statement, rows []parley.Entry) []statement {
	if len(rows) == 0 {
		return list
	}
	numbers := make([][]int64, 8)
	for i := range numbers {
		numbers[i] = make([]int64, len(rows))
	}
	ids, contents, bodies := make([]string, len(rows)), make([]string, len(rows)), make([][]byte, len(rows))
	for i := range rows {
		e := &rows[i]
		for column, value := range [...]int64{int64(e.Pos), int64(e.Stream), int64(e.N), int64(e.Sender),
			int64(e.Device), int64(e.About), int64(e.Kind), e.At.UnixMilli()} {
			numbers[column][i] = value
		}
		ids[i], contents[i], bodies[i] = string(e.ClientID), e.Content, e.Body
	}
	return append(list, statement{insertEntries, []any{numbers[0], numbers[1], numbers[2], numbers[3],
		numbers[4], ids, numbers[5], numbers[6], contents, numbers[7], bodies}})
}

// done looks at how a statement ended that was sent by itself. Without a savepoint
// its failure is the end of the transaction.
func (t *postgresTx) done(err error) error {
	if err != nil && !t.saved && !errors.Is(err, sql.ErrNoRows) {
		t.failed = err
	}
	return err
}

func (t *postgresTx) exec(query string, args ...any) (int64, error) {
	if err := t.flush(); err != nil {
		return 0, err
	}
	n, err := t.session.exec(t.ctx, query, args...)
	return n, t.done(err)
}

func (t *postgresTx) query(query string, args ...any) (*sql.Rows, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	rows, err := t.session.query(t.ctx, query, args...)
	return rows, t.done(err)
}

func (t *postgresTx) queryRow(query string, args ...any) row {
	if err := t.flush(); err != nil {
		return failedRow{err}
	}
	return doneRow{t.session.queryRow(t.ctx, query, args...), t}
}

// doneRow is a row whose transaction learns how it ended.
type doneRow struct {
	row
	t *postgresTx
}

func (r doneRow) Scan(dest ...any) error { return r.t.done(r.row.Scan(dest...)) }

func (t *postgresTx) execAmong(query string, ids []int64, args ...any) (int64, error) {
	text, args := expand(t.engine, query, ids, args)
	return t.exec(text, args...)
}

func (t *postgresTx) later(query string, args ...any) error {
	switch {
	case t.careful:
		_, err := t.exec(query, args...)
		return err
	case len(t.questions) > 0:
		t.questions = append(t.questions, question{statement: statement{query, args}})
	default:
		t.staged = append(t.staged, statement{query, args})
	}
	return nil
}

func (t *postgresTx) ask(query string, args []any, answer func(row) error) error {
	if t.careful {
		return answer(t.queryRow(query, args...))
	}
	t.questions = append(t.questions, question{statement{query, args}, answer})
	return nil
}

// answers sends the questions together. Their failure is the operation's: what
// came before it is sent ahead.
func (t *postgresTx) answers() error {
	questions := t.questions
	t.questions = nil
	if len(questions) == 0 {
		return nil
	}
	if err := t.flush(); err != nil {
		return err
	}
	var batch pgx.Batch
	var first error // the others follow from it
	for _, q := range questions {
		queued := batch.Queue(q.query, q.args...)
		if q.answer != nil {
			queued.QueryRow(func(row pgx.Row) error {
				if err := q.answer(row); first == nil {
					first = err
				}
				return nil
			})
		}
	}
	err := t.send(&batch)
	if first != nil {
		err = first
	}
	return t.done(err)
}

const (
	selectSent = `
SELECT log.device, log.client_id, log.pos FROM unnest($1::bigint[], $2::text[]) AS sent (device, client_id)
JOIN log ON log.device = sent.device AND log.client_id = sent.client_id WHERE log.device <> 0`
	selectReads = `SELECT id, cursor FROM devices WHERE id = ANY($1::bigint[])`
	selectRead  = `SELECT cursor FROM devices WHERE id = $1`
	selectHeads = `
SELECT wanted.id, coalesce(
    (SELECT n FROM log WHERE stream = wanted.id ORDER BY pos DESC LIMIT 1),
    (SELECT purged_n FROM streams WHERE id = wanted.id),
    0)
FROM unnest($1::bigint[]) AS wanted (id)`
)

func (t *postgresTx) expect(entries []*parley.Entry, heads map[parley.StreamID]uint64) error {
	var devices, streams []int64
	var ids []string
	for _, e := range entries {
		key := sent{e.Device, e.ClientID}
		if _, looked := t.known[key]; e.Device != 0 && !looked {
			t.known[key] = 0
			devices, ids = append(devices, int64(e.Device)), append(ids, string(e.ClientID))
		}
		if _, looked := heads[e.Stream]; !looked {
			heads[e.Stream] = 0
			streams = append(streams, int64(e.Stream))
		}
	}
	var batch pgx.Batch
	if len(devices) > 0 {
		batch.Queue(selectSent, devices, ids).Query(t.scanSent)
		batch.Queue(selectReads, devices).Query(t.scanReads)
	}
	if len(streams) > 0 {
		batch.Queue(selectHeads, streams).Query(func(rows pgx.Rows) error { return scanHeads(rows, heads) })
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := t.send(&batch); err != nil {
		t.failed = err
		return fmt.Errorf("looking up entries: %w", err)
	}
	return nil
}

func (t *postgresTx) scanSent(rows pgx.Rows) error {
	var device int64
	var id string
	var pos int64
	_, err := pgx.ForEachRow(rows, []any{&device, &id, &pos}, func() error {
		t.known[sent{parley.DeviceID(device), parley.ClientID(id)}] = parley.Pos(pos)
		return nil
	})
	return err
}

func (t *postgresTx) scanReads(rows pgx.Rows) error {
	var device, cursor int64
	_, err := pgx.ForEachRow(rows, []any{&device, &cursor}, func() error {
		t.reads[parley.DeviceID(device)] = parley.Pos(cursor)
		return nil
	})
	return err
}

func (t *postgresTx) left(e *parley.Entry) (bool, error) {
	if e.Device == 0 || e.Seen == 0 {
		return false, nil
	}
	if t.careful {
		var cursor parley.Pos
		err := t.queryRow(selectRead, int64(e.Device)).Scan(&cursor)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, fmt.Errorf("looking how far a device has read: %w", err)
		}
		return cursor > e.Seen, nil
	}
	return t.reads[e.Device] > e.Seen, nil
}

func scanHeads(rows pgx.Rows, heads map[parley.StreamID]uint64) error {
	var stream, n int64
	_, err := pgx.ForEachRow(rows, []any{&stream, &n}, func() error {
		heads[parley.StreamID(stream)] = uint64(n)
		return nil
	})
	return err
}

func (t *postgresTx) put(e *parley.Entry) (fresh bool, err error) {
	if e.Device != 0 {
		if _, stored, err := t.find(e.Device, e.ClientID); err != nil || stored {
			return false, err
		}
		key := sent{e.Device, e.ClientID}
		t.known[key] = e.Pos
		t.ours = append(t.ours, key)
	}
	if t.careful {
		_, err := t.exec(insertEntry, entryArgs(e)...)
		return err == nil, err
	}
	t.rows = append(t.rows, *e)
	return true, nil
}

func (t *postgresTx) find(device parley.DeviceID, id parley.ClientID) (parley.Pos, bool, error) {
	key := sent{device, id}
	if pos, looked := t.known[key]; looked || device == 0 {
		return pos, pos != 0, nil
	}
	pos, stored, err := scanKnown(t.queryRow(selectKnown, int64(device), string(id)))
	if err == nil {
		t.known[key] = pos
	}
	return pos, stored, err
}

const updateCursors = `
UPDATE devices SET cursor = taken.pos FROM unnest($1::bigint[], $2::bigint[]) AS taken (id, pos)
WHERE devices.id = taken.id AND devices.cursor < taken.pos`

func (t *postgresTx) cursors(taken map[parley.DeviceID]parley.Pos) error {
	if len(taken) == 0 {
		return nil
	}
	devices, positions := make([]int64, 0, len(taken)), make([]int64, 0, len(taken))
	for device, pos := range taken {
		devices, positions = append(devices, int64(device)), append(positions, int64(pos))
	}
	return t.later(updateCursors, devices, positions)
}

// point sends nothing yet: an operation without a statement of its own needs no
// savepoint.
func (t *postgresTx) point() error {
	t.open, t.saved = true, false
	t.openRows, t.openStaged, t.openSent = len(t.rows), len(t.staged), len(t.ours)
	if t.careful {
		return t.flush()
	}
	return nil
}

func (t *postgresTx) accept() error {
	saved := t.saved
	t.open, t.saved = false, false
	if !saved {
		return nil
	}
	return t.finish(release)
}

func (t *postgresTx) undo() error {
	saved := t.saved
	for _, key := range t.ours[t.openSent:] {
		t.known[key] = 0
	}
	t.rows, t.staged, t.ours = t.rows[:t.openRows], t.staged[:t.openStaged], t.ours[:t.openSent]
	t.questions, t.open, t.saved = nil, false, false
	if !saved {
		return nil
	}
	return t.finish(rollBackTo, release)
}

// finish ends an operation whose savepoint was sent. What is not sent of it by
// then need not be within it.
func (t *postgresTx) finish(texts ...string) error {
	for _, text := range texts {
		t.ending = append(t.ending, statement{query: text})
	}
	if t.careful {
		return t.flush()
	}
	return nil
}

func (t *postgresTx) spoiled() bool { return t.failed != nil || t.engine.lost(t.session) }

const insertNews = `
INSERT INTO changes (seq, kind, person, other, pos, detail, at)
SELECT seq, kind, person, other, pos, detail, $7::bigint
FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
    AS news (seq, kind, person, other, pos, detail)`

func (t *postgresTx) commit(end place, news []notice, at int64) error {
	if len(news) > 0 {
		if err := t.later(insertNews, newsArgs(news, at)...); err != nil {
			return err
		}
	}
	if end != t.began {
		if err := t.later(moveEnds, int64(end.head), end.seq); err != nil {
			return err
		}
	}
	if t.failed != nil {
		return t.failed
	}
	var batch pgx.Batch
	for _, s := range t.gathered() {
		batch.Queue(s.query, s.args...)
	}
	batch.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return fmt.Errorf("committing ended with %s", tag)
		}
		return nil
	})
	t.failed = t.send(&batch)
	return t.failed
}

func newsArgs(news []notice, at int64) []any {
	n := len(news)
	seqs, people, others, positions := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	kinds, details := make([]string, n), make([]string, n)
	for i, c := range news {
		seqs[i], people[i], others[i], positions[i] = c.seq, int64(c.person), c.other, int64(c.pos)
		kinds[i], details[i] = c.kind, c.detail
	}
	return []any{seqs, kinds, people, others, positions, details, at}
}

// rollback has time of its own: the transaction may have used up its.
func (t *postgresTx) rollback() error {
	ctx, end := context.WithTimeout(context.Background(), commitTime)
	defer end()
	_, err := t.session.exec(ctx, "ROLLBACK")
	return err
}
