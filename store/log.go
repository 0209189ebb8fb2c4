package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"

	"parley"
	"parley/conversation"
)

// pageRows is how many rows one question for a whole table reads, so that no
// read transaction lives long: it would keep the write-ahead log from being
// emptied.
const pageRows = 1000

// Append implements conversation.Store.
func (s *Store) Append(ctx context.Context, e parley.Entry, done func(parley.Pos, error)) {
	if err := s.writer.put(ctx, s.writer.queue, item{entry: e, done: done}); err != nil {
		done(0, err)
	}
}

// Acknowledge implements conversation.Store.
func (s *Store) Acknowledge(device parley.DeviceID, pos parley.Pos) {
	s.writer.cursors.note(device, pos)
}

const (
	entryColumns = `pos, stream, n, sender, device, client_id, about, kind, content, at`

	selectRetained = `SELECT ` + entryColumns + ` FROM log WHERE pos > $1 ORDER BY pos LIMIT $2`
)

// fields are where the columns of entryColumns go, in their order.
func fields(e *parley.Entry, at *int64) []any {
	return []any{&e.Pos, &e.Stream, &e.N, &e.Sender, &e.Device, &e.ClientID, &e.About, &e.Kind, &e.Content, at}
}

func scanHead(r row) (e parley.Entry, err error) {
	var at int64
	err = r.Scan(fields(&e, &at)...)
	e.At = fromMillis(at)
	return e, err
}

func scanEntry(r row) (e parley.Entry, err error) {
	var at int64
	err = r.Scan(append(fields(&e, &at), (*[]byte)(&e.Body))...)
	e.At = fromMillis(at)
	return e, err
}

// Retained implements conversation.Store.
func (s *Store) Retained(ctx context.Context) iter.Seq2[parley.Entry, error] {
	return pages("reading the log", func(last parley.Entry) ([]parley.Entry, error) {
		rows, err := s.read.query(ctx, selectRetained, int64(last.Pos), pageRows)
		return collect(rows, err, scanHead)
	})
}

// pages yields what next returns, page by page, until a page is empty. next is
// given the last row of the page before, at first a zero one.
func pages[T any](doing string, next func(last T) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var last T
		for {
			page, err := next(last)
			if err != nil {
				yield(last, fmt.Errorf("%s: %w", doing, err))
				return
			}
			if len(page) == 0 {
				return
			}
			for _, one := range page {
				if !yield(one, nil) {
					return
				}
			}
			last = page[len(page)-1]
		}
	}
}

// maxListed is how many ids one question names.
const maxListed = 500

// EntriesAfter implements conversation.Store.
func (s *Store) EntriesAfter(ctx context.Context, streams []parley.StreamID, after parley.Pos, limit int) ([]parley.Entry, error) {
	var all []parley.Entry
	for some := range slices.Chunk(streams, maxListed) {
		rows, err := s.read.queryAmong(ctx, s.engine.entriesAfter(), plain(some), int64(after), limit)
		entries, err := collect(rows, err, scanEntry)
		if err != nil {
			return nil, fmt.Errorf("reading entries after %d: %w", after, err)
		}
		all = append(all, entries...)
	}
	if len(streams) > maxListed {
		slices.SortFunc(all, func(a, b parley.Entry) int { return cmp.Compare(a.Pos, b.Pos) })
		all = all[:min(limit, len(all))]
	}
	return all, nil
}

// StreamHead implements conversation.Store.
func (s *Store) StreamHead(ctx context.Context, stream parley.StreamID) (uint64, error) {
	var n int64
	if err := s.read.queryRow(ctx, selectStreamHead, int64(stream)).Scan(&n); err != nil {
		return 0, fmt.Errorf("reading the head of %v: %w", stream, err)
	}
	return uint64(n), nil
}

const selectReaders = `SELECT person, id, cursor, from_pos FROM devices WHERE id > $1 ORDER BY id LIMIT $2`

// Readers implements conversation.Store.
func (s *Store) Readers(ctx context.Context, after parley.DeviceID) iter.Seq2[conversation.Reader, error] {
	return pages("reading the devices' places", func(last conversation.Reader) ([]conversation.Reader, error) {
		rows, err := s.read.query(ctx, selectReaders, int64(max(last.Device, after)), pageRows)
		return collect(rows, err, func(r row) (d conversation.Reader, err error) {
			err = r.Scan(&d.Person, &d.Device, &d.Cursor, &d.From)
			return d, err
		})
	})
}

const selectReader = `SELECT person, id, cursor, from_pos FROM devices WHERE id = $1`

// Reader implements conversation.Store.
func (s *Store) Reader(ctx context.Context, device parley.DeviceID) (conversation.Reader, error) {
	var d conversation.Reader
	err := s.read.queryRow(ctx, selectReader, int64(device)).Scan(&d.Person, &d.Device, &d.Cursor, &d.From)
	if errors.Is(err, sql.ErrNoRows) {
		return conversation.Reader{}, parley.ErrWithheld
	}
	return d, parley.Wrap(err, "reading a device's place")
}

const selectFloors = `SELECT person, floor, missed FROM readers WHERE person > $1 ORDER BY person LIMIT $2`

// Floors implements conversation.Store.
func (s *Store) Floors(ctx context.Context) iter.Seq2[conversation.Floor, error] {
	return pages("reading people's places", func(last conversation.Floor) ([]conversation.Floor, error) {
		rows, err := s.read.query(ctx, selectFloors, int64(last.Person), pageRows)
		return collect(rows, err, func(r row) (f conversation.Floor, err error) {
			err = r.Scan(&f.Person, &f.Floor, &f.Missed)
			return f, err
		})
	})
}

// Floor implements conversation.Store.
func (s *Store) Floor(ctx context.Context, person parley.PersonID) (conversation.Floor, error) {
	f := conversation.Floor{Person: person}
	err := s.read.queryRow(ctx, `SELECT floor, missed FROM readers WHERE person = $1`, int64(person)).Scan(&f.Floor, &f.Missed)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return f, parley.Wrap(err, "reading the place of %v", person)
}

// setRead moves a read mark forward.
type setRead struct {
	person parley.PersonID
	mark   conversation.Mark
	also   parley.Alongside
}

const upsertRead = `
INSERT INTO read_marks (person, stream, pos, n, changed) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person, stream) DO UPDATE SET pos = excluded.pos, n = excluded.n, changed = excluded.changed
WHERE read_marks.pos < excluded.pos`

func (o setRead) apply(b *batch) error {
	err := b.later(upsertRead, int64(o.person), int64(o.mark.Stream), int64(o.mark.Pos), int64(o.mark.N), int64(b.head))
	if err != nil {
		return fmt.Errorf("moving a read mark: %w", err)
	}
	return b.alongside(o.also)
}

// SetRead implements conversation.Store.
func (s *Store) SetRead(ctx context.Context, person parley.PersonID, stream parley.StreamID, pos parley.Pos, n uint64, also parley.Alongside) error {
	mark := conversation.Mark{Stream: stream, Pos: pos, N: n}
	return s.writer.do(ctx, s.writer.queue, setRead{person, mark, also})
}

// Marks implements conversation.Store.
func (s *Store) Marks(ctx context.Context, person parley.PersonID, after parley.Pos) ([]conversation.Mark, error) {
	const query = `SELECT stream, pos, n FROM read_marks WHERE person = $1 AND changed >= $2 ORDER BY stream`
	rows, err := s.read.query(ctx, query, int64(person), int64(after))
	marks, err := collect(rows, err, func(r row) (m conversation.Mark, err error) {
		err = r.Scan(&m.Stream, &m.Pos, &m.N)
		return m, err
	})
	return marks, parley.Wrap(err, "reading the marks of %v", person)
}
