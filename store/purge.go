package store

import (
	"context"
	"fmt"
	"time"

	"parley"
	"parley/conversation"
)

const (
	// purgeRows is how many rows one step deletes at most, and purgeTime about
	// how long it may hold the writer.
	purgeRows = 500
	purgeTime = 4 * time.Millisecond
)

// purgeStep deletes as much of some ranges as goes into one step.
type purgeStep struct {
	ranges  []conversation.PurgeRange
	expired bool // by the time limit, not because everybody had it

	rest []conversation.PurgeRange // what is left to do afterwards
}

func (o *purgeStep) apply(b *batch) error {
	started, room, before := time.Now(), purgeRows, b.purged
	o.rest = o.ranges
	for len(o.rest) > 0 && room > 0 && time.Since(started) < purgeTime {
		n, err := o.purge(b, o.rest[0], room)
		if err != nil {
			return fmt.Errorf("purging stream %v: %w", o.rest[0].Stream, err)
		}
		b.purged += int64(n)
		if room -= n; room > 0 {
			o.rest = o.rest[1:]
		}
	}
	if b.purged == before {
		return nil
	}
	_, err := b.exec(`UPDATE meta SET head = $1 WHERE id = 1 AND head < $1`, int64(b.head))
	return err
}

const (
	deleteEntries = `
DELETE FROM log WHERE pos IN (SELECT pos FROM log WHERE stream = $1 AND pos <= $2 ORDER BY pos LIMIT $3)
RETURNING pos, n`
	upsertStream = `
INSERT INTO streams (id, second, purged, purged_n, delivered, changed) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET purged = excluded.purged, purged_n = excluded.purged_n,
    delivered = CASE WHEN excluded.delivered > 0 THEN excluded.delivered ELSE streams.delivered END,
    changed   = CASE WHEN excluded.delivered > 0 THEN excluded.changed ELSE streams.changed END`
	upsertMissed = `
INSERT INTO readers (person, missed) VALUES ($1, $2)
ON CONFLICT (person) DO UPDATE SET missed = excluded.missed WHERE readers.missed < excluded.missed`
)

// purge deletes at most room rows of a range, oldest first, and books in the
// same transaction how far the stream is gone.
func (o *purgeStep) purge(b *batch, r conversation.PurgeRange, room int) (int, error) {
	var pos parley.Pos
	var n uint64
	rows, err := b.query(deleteEntries, int64(r.Stream), int64(r.Upto), room)
	gone, err := collect(rows, err, func(r row) (struct{}, error) {
		var p parley.Pos
		var number uint64
		err := r.Scan(&p, &number)
		pos, n = max(pos, p), max(n, number)
		return struct{}{}, err
	})
	if err != nil || len(gone) == 0 {
		return 0, err
	}
	delivered, readers := pos, people(r.Stream)
	if o.expired {
		delivered = 0
		for _, p := range readers {
			if _, err := b.exec(upsertMissed, int64(p), int64(pos)); err != nil {
				return 0, err
			}
		}
	}
	var second parley.PersonID
	if len(readers) == 2 {
		second = readers[1]
	}
	_, err = b.exec(upsertStream, int64(r.Stream), int64(second), int64(pos), int64(n), int64(delivered), int64(b.head))
	return len(gone), err
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

func (s *Store) purge(ctx context.Context, ranges []conversation.PurgeRange, expired bool) error {
	for len(ranges) > 0 {
		step := &purgeStep{ranges: ranges, expired: expired}
		if err := s.writer.do(ctx, s.writer.bulk, step); err != nil {
			return err
		}
		ranges = step.rest
	}
	return nil
}

// PurgeOlder implements conversation.Store. It looks at every row, not only at
// the first: a clock that was wrong for a while must not shield what it stamped.
func (s *Store) PurgeOlder(ctx context.Context, before time.Time) ([]conversation.PurgeRange, error) {
	expired, err := s.expired(ctx, before)
	if err != nil {
		return nil, fmt.Errorf("looking for entries over the time limit: %w", err)
	}
	var done []conversation.PurgeRange
	for _, r := range expired {
		if err := s.purge(ctx, []conversation.PurgeRange{r}, true); err != nil {
			return done, err
		}
		done = append(done, r)
	}
	return done, nil
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

// Delivered implements conversation.Store.
func (s *Store) Delivered(ctx context.Context, person parley.PersonID, after parley.Pos) ([]conversation.PurgeRange, error) {
	const query = `
SELECT id, delivered FROM streams WHERE id >= $1 AND id < $2 AND changed >= $4 AND delivered > 0
UNION ALL
SELECT id, delivered FROM streams WHERE second = $3 AND second <> 0 AND changed >= $4 AND delivered > 0`
	first := int64(person) << 32
	rows, err := s.read.query(ctx, query, first, first+1<<32, int64(person), int64(after))
	ranges, err := collect(rows, err, func(r row) (p conversation.PurgeRange, err error) {
		err = r.Scan(&p.Stream, &p.Upto)
		return p, err
	})
	return ranges, parley.Wrap(err, "reading what was delivered to %v", person)
}
