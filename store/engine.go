package store

import (
	"context"
	"database/sql"
	"strings"

	"parley"
)

// engine is what the two databases do each in its own way. The statements of all
// files whose names do not begin with sqlite or postgres run on both.
type engine interface {
	// prepare sees to it that there is a database, that its tables are up to date,
	// and that it is whole as far as that can be seen.
	prepare(ctx context.Context) error

	// connect opens the connection of the writer.
	connect(ctx context.Context) (*session, error)

	// lost reports whether the writer's connection is of no use any more.
	lost(s *session) bool

	// pool opens the connections that only read.
	pool() (*sql.DB, error)

	// patience is the time that one commit may take.
	patience() (context.Context, context.CancelFunc)

	// shared reports whether other nodes commit to this database, too.
	shared() bool

	// top reads where the log and the feed of changes end by now.
	top(ctx context.Context, s *session) (place, error)

	// begin starts a transaction on the writer's connection. What is committed by
	// then is seen by it, and nobody else commits until it ends.
	begin(ctx context.Context, s *session, careful bool) (transaction, place, error)

	// among is the condition that a column is one of these, with its arguments from
	// number n on.
	among(n int, ids []int64) (text string, args []any)

	// entriesAfter is the text of the question for entries of streams ({ids}) with
	// positions above $1, at most $2 of them, by ascending position.
	entriesAfter() string

	// keep looks after the files until ctx ends.
	keep(ctx context.Context, s *Store)

	// finish does so for the last time, when the writer has ended.
	finish(s *Store) error
}

// place is how far the log and the feed of changes go.
type place struct {
	head parley.Pos // of the log
	seq  int64      // of the feed; stays 0 where there is none
}

// transaction is one commit under way. Every statement sees what those before it
// did.
type transaction interface {
	exec(query string, args ...any) (int64, error)
	query(query string, args ...any) (*sql.Rows, error)
	queryRow(query string, args ...any) row

	// execAmong is exec with {ids} in the query standing for "is one of ids".
	execAmong(query string, ids []int64, args ...any) (int64, error)

	// later is for a statement that cannot be refused and of which nobody needs to
	// know what it changed. It may be sent together with others.
	later(query string, args ...any) error

	// ask is for one of many statements of an operation whose answers need not be
	// known before the next one: answer gets the first row, or its absence, at the
	// latest when answers is called, which must come before the operation's end and
	// before any other statement but ask and later.
	ask(query string, args []any, answer func(row) error) error
	answers() error

	// expect announces entries, to be put in their order, so that what has to be
	// known of them can be looked up for all of them at once: heads gets the
	// numbers of streams that it lacks.
	expect(entries []*parley.Entry, heads map[parley.StreamID]uint64) error

	// put stores an entry that has its place. It reports false when the device has
	// stored one with this id before.
	put(e *parley.Entry) (fresh bool, err error)

	// left reports whether an entry came on a connection that its device has left,
	// by Seen.
	left(e *parley.Entry) (bool, error)

	// find looks for the entry of a device with this id.
	find(device parley.DeviceID, id parley.ClientID) (pos parley.Pos, ok bool, err error)

	// cursors moves the cursors of devices forward.
	cursors(taken map[parley.DeviceID]parley.Pos) error

	// point begins an operation. It ends with accept, or with undo, which takes
	// back everything since point.
	point() error
	accept() error
	undo() error

	// spoiled reports that statements which were sent together have failed, and
	// that nobody knows which of them it was. All of it has to be tried again, one
	// after the other.
	spoiled() bool

	// commit makes everything durable and moves the ends of log and feed to end.
	commit(end place, news []notice, at int64) error
	rollback() error
}

// expand puts the condition for {ids} into a query and adds its arguments.
func expand(e engine, query string, ids []int64, args []any) (string, []any) {
	text, more := e.among(len(args)+1, ids)
	return strings.Replace(query, "{ids}", text, 1), append(args[:len(args):len(args)], more...)
}

// plain makes numbers of ids.
func plain[T ~int64 | ~uint32](ids []T) []int64 {
	list := make([]int64, len(ids))
	for i, id := range ids {
		list[i] = int64(id)
	}
	return list
}
