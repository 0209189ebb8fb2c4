package conversation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"parley"
)

const (
	// purgeEvery is how often delivered entries are looked for. A message is in no
	// file of the server a minute after its last device acknowledged it: this, the
	// range delete and the store's checkpoint together stay well below that.
	purgeEvery = 2 * time.Second
	// limitEvery is how often the time limit is applied.
	limitEvery = 10 * time.Minute
	// maxRanges is how many streams one purge operation touches.
	maxRanges = 256
)

func (s *stream) last() parley.Pos { return s.positions[len(s.positions)-1] }

// upto returns the last retained position that is not after pos, or 0.
func (s *stream) upto(pos parley.Pos) parley.Pos {
	i, found := slices.BinarySearch(s.positions, pos)
	if found {
		return pos
	}
	if i == 0 {
		return 0
	}
	return s.positions[i-1]
}

// number is the number within the stream of the last entry up to pos.
func (s *stream) number(pos parley.Pos) uint64 {
	i, found := slices.BinarySearch(s.positions, pos)
	if found {
		i++
	}
	return s.firstN + uint64(i) - 1
}

// forget drops the positions up to pos and reports whether any is left.
func (s *stream) forget(pos parley.Pos) bool {
	i, found := slices.BinarySearch(s.positions, pos)
	if found {
		i++
	}
	s.positions = slices.Delete(s.positions, 0, i)
	s.firstN += uint64(i)
	s.silent = slices.DeleteFunc(s.silent, func(p parley.Pos) bool { return p <= pos })
	return len(s.positions) > 0
}

// purgePassed deletes what every device of every reader has acknowledged, the
// sending device included: it may send a message again until it has seen it in
// the log.
func (l *Log) purgePassed(ctx context.Context) error {
	head, moved := l.whetherMoved()
	if !moved {
		return nil
	}
	// A device that signs in after this reads from head or beyond.
	if err := l.meet(ctx); err != nil {
		return fmt.Errorf("looking for new devices: %w", err)
	}
	ranges := l.passedRanges(head)
	if !l.leads() {
		return l.followPurge(ctx, ranges)
	}
	for chunk := range slices.Chunk(ranges, maxRanges) {
		if err := l.store.Purge(ctx, chunk); err != nil {
			l.again(ranges)
			return fmt.Errorf("purging %d streams: %w", len(chunk), err)
		}
		l.forget(chunk)
	}
	return nil
}

// whetherMoved reports whether anybody moved, and the head of the log.
func (l *Log) whetherMoved() (head parley.Pos, moved bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head, len(l.moved) > 0
}

// meet books the devices of which the store knows and the log was not told yet:
// what they have not got must stay, whenever the event comes.
func (l *Log) meet(ctx context.Context) error {
	for r, err := range l.store.Readers(ctx, l.newest) {
		if err != nil {
			return err
		}
		err := l.learn(ctx, parley.Actor{Kind: parley.ActorPerson, Person: r.Person, Device: r.Device})
		if err != nil && parley.KindOf(err) != parley.SignIn { // it ended meanwhile
			return err
		}
		l.newest = r.Device
	}
	return nil
}

// passedRanges takes the people who moved and computes what can go, up to a
// position.
func (l *Log) passedRanges(upto parley.Pos) []PurgeRange {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ranges []PurgeRange
	seen := map[parley.StreamID]bool{}
	for p := range l.moved {
		delete(l.moved, p)
		for _, id := range l.reader(p).live {
			if seen[id] {
				continue
			}
			seen[id] = true
			if pos := l.streams[id].upto(min(upto, l.passed(id))); pos > 0 {
				ranges = append(ranges, PurgeRange{Stream: id, Upto: pos})
			}
		}
	}
	return ranges
}

// passed is the position that every reader of the stream is past. A message to
// somebody who blocks its sender is passed by nobody: it stays until its time
// limit, as one to somebody who never signs in. Else the sender could tell the
// two apart, by a sync from the start or by sending it again.
func (l *Log) passed(id parley.StreamID) parley.Pos {
	var room [2]parley.PersonID
	pos := l.head
	if silent := l.streams[id].silent; len(silent) > 0 {
		pos = silent[0] - 1
	}
	for _, p := range members(room[:0], id) {
		pos = min(pos, l.reader(p).passed())
	}
	return pos
}

// again remembers the people of streams whose purge failed.
func (l *Log) again(ranges []PurgeRange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range ranges {
		var room [2]parley.PersonID
		for _, p := range members(room[:0], r.Stream) {
			l.moved[p] = true
		}
	}
}

// forget books that the store no longer holds these ranges.
func (l *Log) forget(ranges []PurgeRange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range ranges {
		s := l.streams[r.Stream]
		if s == nil || s.forget(r.Upto) {
			continue
		}
		delete(l.streams, r.Stream)
		var room [2]parley.PersonID
		for _, p := range members(room[:0], r.Stream) {
			reader := l.reader(p)
			reader.live = slices.DeleteFunc(reader.live, func(id parley.StreamID) bool { return id == r.Stream })
		}
	}
}

// purgeOld deletes what is over the operator's time limit, whoever lacks it.
func (l *Log) purgeOld(ctx context.Context) error {
	if !l.leads() {
		return nil // review takes over what the leading node deleted
	}
	ranges, err := l.store.PurgeOlder(ctx, time.Now().Add(-l.policy.Policy().MessageLimit))
	l.forget(ranges)
	l.miss(ranges)
	l.unwait(ranges)
	if err != nil {
		return fmt.Errorf("purging what is over the time limit: %w", err)
	}
	return nil
}

// miss books for the readers of purged ranges what the time limit took. Whoever
// had it all is past that position and never hears of it.
func (l *Log) miss(ranges []PurgeRange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range ranges {
		var room [2]parley.PersonID
		for _, p := range members(room[:0], r.Stream) {
			reader := l.reader(p)
			reader.missed = max(reader.missed, r.Upto)
		}
	}
}

// unwait forgets that entries of purged ranges wait for somebody: who comes for
// them later must not count as having got them.
func (l *Log) unwait(ranges []PurgeRange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range ranges {
		var room [2]parley.PersonID
		for _, p := range members(room[:0], r.Stream) {
			reader := l.reader(p)
			reader.waiting = slices.DeleteFunc(reader.waiting, func(w waiting) bool {
				return w.stream == r.Stream && w.pos <= r.Upto
			})
		}
	}
}
