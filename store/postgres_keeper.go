package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley"
)

const (
	// vacuumEvery is how often the log is vacuumed while entries are purged: their
	// room is used again instead of growing the table, and what can be cut off the
	// end of its files is cut off.
	vacuumEvery = 20 * time.Second

	// trimEvery is how often rows of the feed are deleted that are older than
	// feedTime. The last feedRows stay, whatever the clocks of the nodes say.
	trimEvery = time.Hour
	firstTrim = time.Minute
	feedTime  = 24 * time.Hour
	feedRows  = 10_000
)

func (e *postgresEngine) keep(ctx context.Context, s *Store) {
	vacuum := time.NewTicker(vacuumEvery)
	defer vacuum.Stop()
	trim := time.NewTimer(firstTrim)
	defer trim.Stop()
	var hold <-chan time.Time
	if s.claim != nil {
		ticker := time.NewTicker(claimEvery)
		defer ticker.Stop()
		hold = ticker.C
	}
	var vacuumed uint64
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-vacuum.C:
			if purged := s.stats.purged.Load(); purged != vacuumed {
				if err = e.vacuum(ctx); err == nil {
					vacuumed = purged
					s.stats.sweeps.Add(1)
				}
			}
		case <-hold:
			s.holdClaim(ctx)
		case <-trim.C:
			err = s.writer.do(ctx, s.writer.bulk, trimFeed{time.Now().Add(-feedTime)})
			trim.Reset(trimEvery)
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("tidying the database failed, trying again later", "error", err)
		}
	}
}

// finish has nothing to do: the server looks after its files.
func (*postgresEngine) finish(*Store) error { return nil }

// vacuum cleans the log on a connection of its own, since that may take a while.
func (e *postgresEngine) vacuum(ctx context.Context) error {
	db := e.open(keeperSettings, 1)
	_, err := db.ExecContext(ctx, `VACUUM log`)
	if err != nil {
		err = fmt.Errorf("vacuuming the log: %w", err)
	}
	return errors.Join(err, db.Close())
}

// trimFeed deletes what nobody can need of the feed of changes.
type trimFeed struct{ before time.Time }

func (o trimFeed) apply(b *batch) error {
	_, err := b.exec(`DELETE FROM changes WHERE at < $1 AND seq <= $2`, millis(o.before), b.began.seq-feedRows)
	return parley.Wrap(err, "trimming the feed of changes")
}
