package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"parley"
	"parley/conversation"
)

// purgeMarks is how many streams one step books: a few milliseconds.
const purgeMarks = 300

// How many entries one step deletes, each of which takes about 10 µs. Whoever
// writes to a quiet server shall hardly wait for it; but a server that is written
// to without a pause gives bulk work its turn with every second commit only, and
// has to forget faster than it is written to, or its log grows without end.
const (
	leastPurged = 100  // with a commit that adds little
	timesPurged = 3    // as many as the commit adds
	mostPurged  = 1536 // three times a full commit
)

// gone is how far a stream is purged: its last entry to go.
type gone struct {
	stream parley.StreamID
	pos    parley.Pos
	n      uint64
}

// purgeMark books streams as purged, before their entries are deleted: after a crash
// between the two, entries are left that count as purged, and the next purge takes
// them; the other way round their numbers would be lost.
type purgeMark struct {
	marks   []gone
	expired bool // by the time limit, not because everybody had it
}

// purgeRows deletes entries of streams that are booked as purged: of the positions,
// as many from the first on as the commit has room for.
type purgeRows struct {
	positions []parley.Pos
	done      int // how many it deleted
}

const (
	upsertStream = `
INSERT INTO streams (id, second, purged, purged_n, delivered, changed) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET purged = excluded.purged, purged_n = excluded.purged_n,
    delivered = CASE WHEN excluded.delivered > 0 THEN excluded.delivered ELSE streams.delivered END,
    changed   = CASE WHEN excluded.delivered > 0 THEN excluded.changed ELSE streams.changed END
WHERE streams.purged < excluded.purged`
	upsertMissed = `
INSERT INTO readers (person, missed) VALUES ($1, $2)
ON CONFLICT (person) DO UPDATE SET missed = excluded.missed WHERE readers.missed < excluded.missed`
	raiseHead = `UPDATE meta SET head = $1 WHERE id = 1 AND head < $1`
)

// afterCursors keeps the cursors of devices ahead of what is purged because of
// them: a message that is found on a connection which its device has left must be
// told from a new one by them, when it is no longer in the log (parley.Entry.Seen).
func (purgeMark) afterCursors() {}

func (o purgeMark) apply(b *batch) error {
	for _, g := range o.marks {
		if err := o.book(b, g); err != nil {
			return fmt.Errorf("booking stream %v as purged: %w", g.stream, err)
		}
	}
	return nil
}

// purgedWith is how many entries are deleted in a commit that adds so many.
func purgedWith(added int) int { return min(max(leastPurged, timesPurged*added), mostPurged) }

func (o *purgeRows) apply(b *batch) error {
	if err := b.later(raiseHead, int64(b.head)); err != nil {
		return fmt.Errorf("remembering the log's head: %w", err)
	}
	o.done = min(purgedWith(len(b.entries)), len(o.positions))
	n, err := b.tx.execAmong("DELETE FROM log WHERE pos {ids}", plain(o.positions[:o.done]))
	b.purged += n
	return parley.Wrap(err, "deleting entries")
}

func (o purgeMark) book(b *batch, g gone) error {
	delivered, readers := g.pos, people(g.stream)
	if o.expired {
		delivered = 0
		for _, p := range readers {
			if err := b.later(upsertMissed, int64(p), int64(g.pos)); err != nil {
				return err
			}
		}
	}
	var second parley.PersonID
	if len(readers) == 2 {
		second = readers[1]
	}
	return b.later(upsertStream, int64(g.stream), int64(second), int64(g.pos), int64(g.n), int64(delivered), int64(b.head))
}

// people are those who read a stream whose id says so, the lower id first.
func people(s parley.StreamID) []parley.PersonID {
	if p, ok := s.Private(); ok {
		return []parley.PersonID{p}
	}
	if a, b, ok := s.Direct(); ok {
		return []parley.PersonID{a, b}
	}
	return nil
}

// Purge implements conversation.Store.
func (s *Store) Purge(ctx context.Context, ranges []conversation.PurgeRange) error {
	return s.purge(ctx, ranges, false)
}

// purge finds what there is to delete without the writer, and deletes it in the
// order of positions: neighbours share pages, entries of one stream do not.
func (s *Store) purge(ctx context.Context, ranges []conversation.PurgeRange, expired bool) error {
	var marks []gone
	var positions []parley.Pos
	for _, r := range ranges {
		before := len(positions)
		rows, err := s.read.query(ctx, `SELECT pos FROM log WHERE stream = $1 AND pos <= $2 ORDER BY pos`, int64(r.Stream), int64(r.Upto))
		some, err := collect(rows, err, func(r row) (p parley.Pos, err error) {
			err = r.Scan(&p)
			return p, err
		})
		if err != nil {
			return fmt.Errorf("looking for what to purge: %w", err)
		}
		if positions = append(positions, some...); len(positions) == before {
			continue
		}
		last := gone{stream: r.Stream, pos: positions[len(positions)-1]}
		if err := s.read.queryRow(ctx, `SELECT n FROM log WHERE pos = $1`, int64(last.pos)).Scan(&last.n); err != nil {
			return fmt.Errorf("looking for what to purge: %w", err)
		}
		marks = append(marks, last)
	}
	slices.Sort(positions)
	for some := range slices.Chunk(marks, purgeMarks) {
		if err := s.writer.do(ctx, s.writer.bulk, purgeMark{marks: some, expired: expired}); err != nil {
			return err
		}
	}
	for len(positions) > 0 {
		step := &purgeRows{positions: positions}
		if err := s.writer.do(ctx, s.writer.bulk, step); err != nil {
			return err
		}
		positions = positions[step.done:]
	}
	return nil
}

// PurgeOlder implements conversation.Store. It looks at every row, not only at
// the first: a clock that was wrong for a while must not shield what it stamped.
// With an error some of the ranges may still be there; the next call takes them.
func (s *Store) PurgeOlder(ctx context.Context, before time.Time) ([]conversation.PurgeRange, error) {
	expired, err := s.expired(ctx, before)
	if err != nil {
		return nil, fmt.Errorf("looking for entries over the time limit: %w", err)
	}
	return expired, s.purge(ctx, expired, true)
}

// expired finds the last entry of each stream that is over the limit.
func (s *Store) expired(ctx context.Context, before time.Time) ([]conversation.PurgeRange, error) {
	const query = `SELECT pos, stream, at FROM log WHERE pos > $1 ORDER BY pos LIMIT $2`
	type place struct {
		pos    parley.Pos
		stream parley.StreamID
		at     int64
	}
	last, limit := map[parley.StreamID]parley.Pos{}, before.UnixMilli()
	places := pages("reading the log", func(last place) ([]place, error) {
		rows, err := s.read.query(ctx, query, int64(last.pos), pageRows)
		return collect(rows, err, func(r row) (p place, err error) {
			err = r.Scan(&p.pos, &p.stream, &p.at)
			return p, err
		})
	})
	for p, err := range places {
		if err != nil {
			return nil, err
		}
		if p.at < limit {
			last[p.stream] = p.pos
		}
	}
	ranges := make([]conversation.PurgeRange, 0, len(last))
	for stream, pos := range last {
		ranges = append(ranges, conversation.PurgeRange{Stream: stream, Upto: pos})
	}
	return ranges, nil
}

// Purged says up to where each of these streams is purged. A stream of which
// nothing was purged is left out.
func (s *Store) Purged(ctx context.Context, streams []parley.StreamID) ([]conversation.PurgeRange, error) {
	var all []conversation.PurgeRange
	for some := range slices.Chunk(streams, maxListed) {
		rows, err := s.read.queryAmong(ctx, `SELECT id, purged FROM streams WHERE id {ids} ORDER BY id`, plain(some))
		ranges, err := collect(rows, err, scanRange)
		if err != nil {
			return nil, fmt.Errorf("reading up to where streams are purged: %w", err)
		}
		all = append(all, ranges...)
	}
	return all, nil
}

func scanRange(r row) (p conversation.PurgeRange, err error) {
	err = r.Scan(&p.Stream, &p.Upto)
	return p, err
}

// Delivered implements conversation.Store.
func (s *Store) Delivered(ctx context.Context, person parley.PersonID, after parley.Pos) ([]conversation.PurgeRange, error) {
	const query = `
SELECT id, delivered FROM streams WHERE id >= $1 AND id < $2 AND changed >= $4 AND delivered > 0
UNION ALL
SELECT id, delivered FROM streams WHERE second = $3 AND second <> 0 AND changed >= $4 AND delivered > 0`
	first := int64(person) << 32
	rows, err := s.read.query(ctx, query, first, first+1<<32, int64(person), int64(after))
	ranges, err := collect(rows, err, scanRange)
	return ranges, parley.Wrap(err, "reading what was delivered to %v", person)
}
