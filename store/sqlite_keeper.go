package store

import (
	"context"
	"fmt"
	"math"
	"time"
)

const (
	// checkpointWait is how long the writer stands still for readers when the
	// write-ahead log is emptied, and checkpointRetry when that is tried again.
	checkpointWait  = 20 * time.Millisecond
	checkpointRetry = time.Second
)

// unknown stands for "nobody knows how much was purged since the last sweep".
const unknown = math.MaxUint64

// keep tidies the files a while after every change.
func (*sqliteEngine) keep(ctx context.Context, s *Store) {
	// A crash may have come between a purge and its sweep.
	s.swept = unknown
	s.writer.note()
	failing := false
	for wait(ctx, s.writer.wrote) && pause(ctx, s.settle) {
		select {
		case <-s.writer.wrote:
		default:
		}
		err := s.tidy(ctx)
		if err != nil && ctx.Err() == nil {
			s.writer.note() // try again
			if !failing {
				s.log.Error("tidying the database failed, trying again", "error", err)
			}
		}
		failing = err != nil
	}
}

// tidy wipes what purging left in the pages, and then moves everything out of
// the write-ahead log, which holds former versions of pages.
func (s *Store) tidy(ctx context.Context) error {
	if err := s.sweep(func(o operation) error { return s.writer.do(ctx, s.writer.bulk, o) }); err != nil {
		return fmt.Errorf("wiping what was purged: %w", err)
	}
	for {
		done, err := s.checkpoint(ctx)
		if err != nil {
			return fmt.Errorf("emptying the write-ahead log: %w", err)
		}
		if done {
			s.stats.checkpoints.Add(1)
			return nil
		}
		if !pause(ctx, checkpointRetry) {
			return context.Cause(ctx)
		}
	}
}

// sweep visits the whole log if anything was purged since the last time.
func (s *Store) sweep(do func(operation) error) error {
	purged := s.stats.purged.Load()
	if purged == s.swept {
		return nil
	}
	step := &sweepStep{from: math.MinInt64}
	for !step.last {
		step = &sweepStep{from: step.from}
		if err := do(step); err != nil {
			return err
		}
		s.stats.wiped.Add(uint64(step.wiped))
		step.from = step.next
	}
	s.swept = purged
	s.stats.sweeps.Add(1)
	return nil
}

// checkpoint has the writer empty the write-ahead log between two commits.
func (s *Store) checkpoint(ctx context.Context) (done bool, err error) {
	err = s.writer.between(ctx, func(session *session) (err error) {
		done, err = truncateWAL(context.Background(), session, checkpointWait)
		return err
	})
	return done, err
}

// wait waits for a signal and reports false when ctx ends first.
func wait(ctx context.Context, signal <-chan struct{}) bool {
	select {
	case <-signal:
		return true
	case <-ctx.Done():
		return false
	}
}

// pause waits for a time and reports false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
