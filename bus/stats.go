package bus

import "sync/atomic"

// Stats are figures since the start, and how many nodes there are now.
type Stats struct {
	Members int // this node included

	HintsTold    uint64 // sent
	HintsHeard   uint64 // for which there was a listener
	HintsDropped uint64 // for want of room, on their way out or in
	HintsMissed  uint64 // times that hints of another node were found missing

	Gaps           uint64 // times that rows of another node were found missing
	SnapshotsAsked uint64 // of others, repetitions included
	SnapshotsTaken uint64 // received in full
	SnapshotsSent  uint64 // to others
	SnapshotBytes  uint64 // sent in them

	Overrun uint64 // messages that NATS threw away because they were not taken in quickly enough
	Unsent  uint64 // messages that could not be sent
	Foreign uint64 // messages that could not be read
	Twins   uint64 // times that two nodes with one name were told in the log
}

// counts are the figures behind Stats.
type counts struct {
	hintsTold, hintsHeard, hintsDropped, hintsMissed                   atomic.Uint64
	gaps, snapshotsAsked, snapshotsTaken, snapshotsSent, snapshotBytes atomic.Uint64
	unsent, foreign, twins                                             atomic.Uint64
}

// count is called before anybody is told of e.
func (b *Bus) count(e effects) {
	b.counts.hintsMissed.Add(uint64(len(e.missed)))
	b.counts.snapshotsTaken.Add(uint64(e.taken))
	for _, event := range e.events {
		switch event.kind {
		case sameName, ownName:
			b.counts.twins.Add(1)
		case rowsMissing:
			b.counts.gaps.Add(1)
		}
	}
}

// Stats gives the figures.
func (b *Bus) Stats() Stats {
	c := &b.counts
	return Stats{
		Members:   len(b.Members()),
		HintsTold: c.hintsTold.Load(), HintsHeard: c.hintsHeard.Load(), HintsDropped: c.hintsDropped.Load(), HintsMissed: c.hintsMissed.Load(),
		Gaps: c.gaps.Load(), SnapshotsAsked: c.snapshotsAsked.Load(), SnapshotsTaken: c.snapshotsTaken.Load(),
		SnapshotsSent: c.snapshotsSent.Load(), SnapshotBytes: c.snapshotBytes.Load(),
		Overrun: b.overrun(), Unsent: c.unsent.Load(), Foreign: c.foreign.Load(), Twins: c.twins.Load(),
	}
}
