package store

import (
	"sync/atomic"
	"time"
)

// The upper bounds of the buckets of Stats; the last bucket has none.
var (
	CommitBounds = [...]time.Duration{ // how long commits took
		250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond,
		5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 100 * time.Millisecond, time.Second,
	}
	BatchBounds = [...]int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512} // how many changes they held
)

// Stats are the store's figures since it was opened, for metrics.
type Stats struct {
	Commits       uint64                        // commits that stored something or would have
	CommitSeconds float64                       // all of them together
	CommitTimes   [len(CommitBounds) + 1]uint64 // by duration, not cumulative
	BatchSizes    [len(BatchBounds) + 1]uint64  // by number of changes, not cumulative
	Entries       uint64                        // rows added to the log
	Failures      uint64                        // commits that failed as a whole
	Purged        uint64                        // rows deleted from the log
	Sweeps        uint64                        // times the remains of purged entries were wiped
	Wiped         uint64                        // pages that held some
	Checkpoints   uint64                        // times the write-ahead log was emptied
	Queued        int                           // changes waiting now
	BulkQueued    int                           // steps of bulk work waiting now
}

type counters struct {
	commits, entries, failures  atomic.Uint64
	purged, sweeps, wiped       atomic.Uint64
	checkpoints, commitDuration atomic.Uint64
	times                       [len(CommitBounds) + 1]atomic.Uint64
	sizes                       [len(BatchBounds) + 1]atomic.Uint64
}

// commit counts a successful commit.
func (c *counters) commit(b *batch, took time.Duration) {
	c.commits.Add(1)
	c.entries.Add(uint64(len(b.entries)))
	c.purged.Add(uint64(b.purged))
	c.commitDuration.Add(uint64(took))
	i := 0
	for i < len(CommitBounds) && took > CommitBounds[i] {
		i++
	}
	c.times[i].Add(1)
	i = 0
	for i < len(BatchBounds) && len(b.waiting) > BatchBounds[i] {
		i++
	}
	c.sizes[i].Add(1)
}

// Stats returns the figures of now. They are read one by one, not at one moment.
func (s *Store) Stats() Stats {
	c := &s.stats
	stats := Stats{
		Commits: c.commits.Load(), CommitSeconds: time.Duration(c.commitDuration.Load()).Seconds(),
		Entries: c.entries.Load(), Failures: c.failures.Load(), Purged: c.purged.Load(),
		Sweeps: c.sweeps.Load(), Wiped: c.wiped.Load(), Checkpoints: c.checkpoints.Load(),
		Queued: len(s.writer.queue), BulkQueued: len(s.writer.bulk),
	}
	for i := range c.times {
		stats.CommitTimes[i] = c.times[i].Load()
	}
	for i := range c.sizes {
		stats.BatchSizes[i] = c.sizes[i].Load()
	}
	return stats
}
