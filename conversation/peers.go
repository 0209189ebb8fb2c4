package conversation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"parley"
)

// Peers are the Logs of the other nodes over the same store. The store tells
// every Log of every entry; what else they need to know of each other goes here.
// Hints may be lost: what matters is read from the store again at every review.
type Peers interface {
	// Tell takes a hint to every other Log. It must not block.
	Tell(Hint)

	// Leads reports whether this node is the one that deletes what was delivered.
	// That two nodes lead for a while, or none, does no harm.
	Leads() bool
}

// HintKind says what a Hint is about. The numbers cross between nodes; never
// renumber.
type HintKind uint8

// The kinds of hint.
const (
	HintAcknowledged HintKind = 1 // Person's Device has everything up to Upto
	HintRead         HintKind = 2 // Person read Conversation up to Upto, on Device, which knows
	HintTyping       HintKind = 3 // From types in Conversation, or no longer does; for Person
)

// Hint is what one Log tells the others. Which fields count is said by its kind.
type Hint struct {
	Kind         HintKind
	Person       parley.PersonID
	Device       parley.DeviceID
	Conversation parley.StreamID
	Upto         parley.Pos
	From         parley.PersonID
	On           bool
}

// reviewEvery is how often the cursors and purges of other nodes are read from
// the store, for hints that were lost.
const reviewEvery = 30 * time.Second

// maxAhead bounds the acknowledgements that are kept until their entries come.
const maxAhead = 1 << 16

func (l *Log) leads() bool { return l.peers == nil || l.peers.Leads() }

func (l *Log) tellPeers(h Hint) {
	if l.peers != nil {
		l.peers.Tell(h)
	}
}

// Hear takes a hint from another node's Log. It must not run on the store's
// writer.
func (l *Log) Hear(h Hint) {
	switch h.Kind {
	case HintAcknowledged:
		l.soon.wake(l.hearAcknowledged(h))
	case HintRead:
		l.showRead(h)
	case HintTyping:
		// A relation may have changed here that the other node does not know of yet.
		if l.mayShowTyping(parley.Actor{Kind: parley.ActorPerson, Person: h.From}, h.Person) {
			l.showTyping(h)
		}
	}
}

func (l *Log) showRead(h Hint) {
	for _, f := range l.feedsOf(h.Person, h.Device) {
		f.addRead(ReadMark{Conversation: h.Conversation, Upto: h.Upto})
		f.wake()
	}
}

func (l *Log) showTyping(h Hint) {
	for _, f := range l.feedsOf(h.Person, 0) {
		f.addTyping(Typing{Conversation: h.Conversation, Person: h.From, On: h.On})
		f.wake()
	}
}

func (l *Log) hearAcknowledged(h Hint) []*Feed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.take(h)
}

// take books an acknowledgement that was given to another node. One of entries
// that this Log has not seen yet waits for them, or their senders would never be
// told. Call it with mu held.
func (l *Log) take(h Hint) []*Feed {
	r := l.readers[h.Person]
	if r == nil {
		return nil
	}
	d := r.device(h.Device)
	if d == nil || h.Upto <= d.cursor {
		return nil
	}
	if h.Upto > l.head {
		if len(l.ahead) < maxAhead {
			l.ahead[h.Device] = h
		}
		return nil
	}
	return l.advance(h.Person, r, d, h.Upto)
}

// caughtUp takes the acknowledgements that waited for entries which are there by
// now. Call it with mu held.
func (l *Log) caughtUp() []*Feed {
	var feeds []*Feed
	for device, h := range l.ahead {
		if h.Upto <= l.head {
			delete(l.ahead, device)
			feeds = append(feeds, l.take(h)...)
		}
	}
	return feeds
}

// catchUp makes sure that a position which another node may have told a device is
// known here, too.
func (l *Log) catchUp(ctx context.Context, pos parley.Pos) error {
	l.mu.Lock()
	behind := pos > l.head
	l.mu.Unlock()
	if !behind || l.peers == nil {
		return nil
	}
	return parley.Wrap(l.store.CatchUp(ctx), "catching up with the other nodes")
}

// followPurge lets go of what the leading node has deleted of these ranges. The
// rest is looked at again: this node may be the one to delete it.
func (l *Log) followPurge(ctx context.Context, ranges []PurgeRange) error {
	if len(ranges) == 0 {
		return nil
	}
	gone, err := l.purged(ctx, ranges)
	if err != nil {
		l.again(ranges)
		return err
	}
	l.forget(gone)
	l.again(slices.DeleteFunc(ranges, func(r PurgeRange) bool {
		return slices.ContainsFunc(gone, func(g PurgeRange) bool { return g.Stream == r.Stream && g.Upto >= r.Upto })
	}))
	return nil
}

// purged asks the store how far the streams of ranges are purged.
func (l *Log) purged(ctx context.Context, ranges []PurgeRange) ([]PurgeRange, error) {
	ids := make([]parley.StreamID, len(ranges))
	for i, r := range ranges {
		ids[i] = r.Stream
	}
	gone, err := l.store.Purged(ctx, ids)
	return gone, parley.Wrap(err, "asking what was purged of %d streams", len(ids))
}

// review reads from the store what other nodes changed and this one may not have
// heard of: how far their devices have read, what the time limit took, and what
// is purged, also by a node that led for a while.
func (l *Log) review(ctx context.Context) error {
	for r, err := range l.store.Readers(ctx, 0) {
		if err != nil {
			return fmt.Errorf("reviewing devices: %w", err)
		}
		l.Hear(Hint{Kind: HintAcknowledged, Person: r.Person, Device: r.Device, Upto: r.Cursor})
	}
	for f, err := range l.store.Floors(ctx) {
		if err != nil {
			return fmt.Errorf("reviewing people's places: %w", err)
		}
		l.mu.Lock()
		r := l.reader(f.Person)
		r.floor, r.missed = max(r.floor, f.Floor), max(r.missed, f.Missed)
		l.mu.Unlock()
	}
	gone, err := l.purged(ctx, l.retained())
	if err != nil {
		return err
	}
	l.forget(gone)
	l.unwait(gone)
	return nil
}

// retained are the streams of which this Log knows entries.
func (l *Log) retained() []PurgeRange {
	l.mu.Lock()
	defer l.mu.Unlock()
	ranges := make([]PurgeRange, 0, len(l.streams))
	for id := range l.streams {
		ranges = append(ranges, PurgeRange{Stream: id})
	}
	return ranges
}
