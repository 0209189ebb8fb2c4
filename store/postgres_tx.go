package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

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
	err := errors.Join(nothingOpen(ctx, s), t.send(&batch))
	if err != nil {
		err = errors.Join(err, t.rollback())
		if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == lockTimeout {
			err = errors.Join(err, t.breakTurn())
		}
		return nil, place{}, err
	}
	return t, t.began, nil
}

// nothingOpen gives up a connection on which a transaction was left open, which
// would take part in the next one. That has no way to happen.
func nothingOpen(ctx context.Context, s *session) error {
	return native(s, func(conn *pgx.Conn) error {
		if conn.PgConn().TxStatus() == 'I' {
			return nil
		}
		return errors.Join(errors.New("a transaction was left open"), conn.Close(ctx))
	})
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

// done looks at how a statement ended that was sent by itself. Without a savepoint
// its failure is the end of the transaction.
func (t *postgresTx) done(err error) error {
	if err != nil && !t.saved && !errors.Is(err, sql.ErrNoRows) {
		t.failed = err
	}
	return err
}

func (t *postgresTx) exec(query string, args ...any) (int64, error) {
	if err := t.ready(args); err != nil {
		return 0, err
	}
	n, err := t.session.exec(t.ctx, query, args...)
	return n, t.done(err)
}

// ready sends what comes before a statement with these arguments.
func (t *postgresTx) ready(args []any) error {
	if err := fit(args...); err != nil {
		return err
	}
	return t.flush()
}

func (t *postgresTx) query(query string, args ...any) (*sql.Rows, error) {
	if err := t.ready(args); err != nil {
		return nil, err
	}
	rows, err := t.session.query(t.ctx, query, args...)
	return rows, t.done(err)
}

func (t *postgresTx) queryRow(query string, args ...any) row {
	if err := t.ready(args); err != nil {
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

// errNoText refuses a text with a zero byte or one that is not UTF-8, which
// PostgreSQL cannot store.
var errNoText error = &parley.Error{Kind: parley.Invalid, Key: "text.not-text"}

// fit refuses what would fail on the server, so that nobody can have whole batches
// tried again by sending such a text.
func fit(args ...any) error {
	for _, arg := range args {
		if text, ok := arg.(string); ok && (strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text)) {
			return errNoText
		}
	}
	return nil
}

func (t *postgresTx) later(query string, args ...any) error {
	if err := fit(args...); err != nil {
		return err
	}
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
	if err := fit(args...); err != nil {
		return err
	}
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
