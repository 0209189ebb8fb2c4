package conversation

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"parley"
)

const (
	// maxBacklog is how many missed entries are streamed to a device that comes
	// back; with more it is told to sync.
	maxBacklog = 256
	// maxGathered and maxGatheredBytes bound what is kept in memory for a device
	// that reads slowly. Past them its feed lets go of everything and says Gap.
	maxGathered      = 1024
	maxGatheredBytes = 4 << 20
)

// Delivered is a cumulative mark: every entry of the conversation up to Upto has
// reached a device of Person.
type Delivered struct {
	Conversation parley.StreamID
	Person       parley.PersonID
	Upto         parley.Pos
}

// ReadMark is a cumulative mark of the reader's own: read up to Upto.
type ReadMark struct {
	Conversation parley.StreamID
	Upto         parley.Pos
}

// Typing says that somebody writes, or no longer does.
type Typing struct {
	Conversation parley.StreamID
	Person       parley.PersonID
	On           bool
}

// Batch is what a feed gathered since it was last asked.
type Batch struct {
	Prev      parley.Pos // position before the first item, for this device
	Items     []*Item
	Delivered []Delivered
	Read      []ReadMark
	Typing    []Typing
	Gap       bool // told once: the device must sync and Resume
}

// Feed is one connected device's place in the log. It holds what was committed
// since the device was last served, within bounds, and never anything that
// depends on what the viewer may see.
type Feed struct {
	log    *Log
	actor  parley.Actor
	device *device
	wake   func()

	mu        sync.Mutex
	state     feedState
	told      bool       // the gap was told
	pos       parley.Pos // of the last item handed out
	seen      parley.Pos // how far the device has read, as far as this connection knows
	items     []*Item
	bytes     int
	delivered []Delivered
	read      []ReadMark
	typing    []Typing
}

type feedState uint8

const (
	feedWaiting  feedState = iota // no position yet, or lost: waits for Resume
	feedCatching                  // reading the backlog; gathers, hands nothing out
	feedLive
	feedClosed
)

// Follow connects a device. after is the last position it has applied; -1 says
// that it has none and will Resume after a sync. wake is called, also right away,
// when there is something to collect; it must not block. A device has one feed: a
// new one closes the old. Follow returns ErrResync when after is beyond the head.
func (l *Log) Follow(ctx context.Context, actor parley.Actor, after parley.Pos, wake func()) (*Feed, error) {
	if err := l.learn(ctx, actor); err != nil {
		return nil, err
	}
	if err := l.catchUp(ctx, after); err != nil {
		return nil, err
	}
	f := &Feed{log: l, actor: actor, wake: wake, seen: max(after, 0)}
	if l.peers != nil {
		if err := f.look(ctx); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	r := l.readers[actor.Person]
	if r == nil || r.device(actor.Device) == nil {
		l.mu.Unlock()
		return nil, parley.Refuse(parley.SignIn, "session.ended")
	}
	if after > l.head {
		l.mu.Unlock()
		return nil, ErrResync
	}
	f.device = r.device(actor.Device)
	former := f.device.feed
	f.device.feed = f
	l.mu.Unlock()
	if former != nil {
		former.close()
		former.wake()
	}
	if after < 0 {
		return f, nil
	}
	return f, f.Resume(ctx, after)
}

// look asks how far the device has read, through whichever node.
func (f *Feed) look(ctx context.Context) error {
	stored, err := f.log.store.Reader(ctx, f.actor.Device)
	if parley.KindOf(err) == parley.NotFound {
		return parley.Refuse(parley.SignIn, "session.ended")
	}
	f.seen = max(f.seen, stored.Cursor)
	return parley.Wrap(err, "looking how far %s has read", f.actor.Device)
}

// Resume streams on from after, the last position the device has applied. What
// lies between and the present comes first, or Gap once more when it is too much.
func (f *Feed) Resume(ctx context.Context, after parley.Pos) error {
	if err := f.log.catchUp(ctx, after); err != nil {
		return err
	}
	streams, head, err := f.begin(after)
	if err != nil {
		return err
	}
	var backlog []parley.Entry
	if len(streams) > 0 {
		backlog, err = f.log.store.EntriesAfter(ctx, streams, f.start(after), maxBacklog+1)
		if err != nil {
			f.lose()
			f.wake() // to tell the gap: nothing else may come
			return fmt.Errorf("reading the backlog of %s: %w", f.actor.Device, err)
		}
	}
	f.finish(backlog, head)
	f.wake()
	return nil
}

// start is where reading begins: never before the device's own beginning.
func (f *Feed) start(after parley.Pos) parley.Pos { return max(after, f.device.from) }

// begin switches to gathering and returns the streams in which there is something
// after the position, and the head up to which the store has it.
func (f *Feed) begin(after parley.Pos) ([]parley.StreamID, parley.Pos, error) {
	l := f.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if after > l.head {
		return nil, 0, ErrResync
	}
	streams := l.unread(l.reader(f.actor.Person), f.start(after))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state == feedClosed {
		return nil, 0, parley.Refuse(parley.SignIn, "session.ended")
	}
	f.state, f.told, f.pos = feedCatching, false, after
	f.items, f.bytes = nil, 0
	return streams, l.head, nil
}

// finish puts the backlog before what was gathered meanwhile. Entries after head
// are in both; those gathered count.
func (f *Feed) finish(backlog []parley.Entry, head parley.Pos) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state != feedCatching {
		return // overrun or closed meanwhile
	}
	if len(backlog) > maxBacklog {
		f.loseLocked()
		return
	}
	items := make([]*Item, 0, len(backlog)+len(f.items))
	for i := range backlog {
		if backlog[i].Pos <= head {
			items = append(items, &Item{Entry: backlog[i]})
			f.bytes += len(backlog[i].Body)
		}
	}
	f.items = append(items, f.items...)
	f.state = feedLive
}

// push gathers an entry and reports whether the connection is to be woken.
func (f *Feed) push(item *Item) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state != feedLive && f.state != feedCatching {
		return false
	}
	if len(f.items) >= maxGathered || f.bytes+len(item.Body) > maxGatheredBytes {
		f.loseLocked()
		return true
	}
	f.items = append(f.items, item)
	f.bytes += len(item.Body)
	return f.state == feedLive
}

func (f *Feed) lose() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loseLocked()
}

func (f *Feed) loseLocked() {
	if f.state != feedClosed {
		f.state, f.items, f.bytes = feedWaiting, nil, 0
	}
}

// Collect hands out what gathered, at most limit items. The caller asks again
// until a batch is empty.
func (f *Feed) Collect(limit int) Batch {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := Batch{Prev: f.pos, Delivered: f.delivered, Read: f.read, Typing: f.typing}
	f.delivered, f.read, f.typing = nil, nil, nil
	switch f.state {
	case feedWaiting:
		b.Gap = !f.told
		f.told = true
	case feedLive:
		n := min(limit, len(f.items))
		b.Items = f.items[:n:n]
		f.items = f.items[n:]
		if len(f.items) == 0 {
			f.items = nil
		}
		for _, item := range b.Items {
			f.bytes -= len(item.Body)
			f.pos = item.Pos
		}
	}
	return b
}

// Empty reports whether the batch holds nothing.
func (b Batch) Empty() bool {
	return len(b.Items) == 0 && len(b.Delivered) == 0 && len(b.Read) == 0 && len(b.Typing) == 0 && !b.Gap
}

// addDelivered joins a mark with one that still waits for the same conversation
// and person.
func (f *Feed) addDelivered(d Delivered) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.delivered {
		if f.delivered[i].Conversation == d.Conversation && f.delivered[i].Person == d.Person {
			f.delivered[i].Upto = max(f.delivered[i].Upto, d.Upto)
			return
		}
	}
	f.delivered = append(f.delivered, d)
}

func (f *Feed) addRead(m ReadMark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.read {
		if f.read[i].Conversation == m.Conversation {
			f.read[i].Upto = max(f.read[i].Upto, m.Upto)
			return
		}
	}
	f.read = append(f.read, m)
}

func (f *Feed) addTyping(t Typing) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.typing = slices.DeleteFunc(f.typing, func(old Typing) bool {
		return old.Conversation == t.Conversation && old.Person == t.Person
	})
	f.typing = append(f.typing, t)
}

// Acknowledge says that the device has stored everything up to upto. Positions
// that the device cannot have and those it acknowledged before are ignored.
func (f *Feed) Acknowledge(upto parley.Pos) {
	f.mu.Lock()
	beyond := f.state == feedClosed
	f.seen = max(f.seen, upto)
	f.mu.Unlock()
	if beyond {
		return
	}
	f.log.soon.wake(f.log.acknowledge(f.actor.Person, f.device, upto))
}

// Close disconnects the device. It may be called more than once.
func (f *Feed) Close() {
	f.close()
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	if f.device.feed == f {
		f.device.feed = nil
	}
}

// Closed reports whether the feed has ended, because the device was signed out
// or another connection of it took over.
func (f *Feed) Closed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state == feedClosed
}

func (f *Feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state, f.items, f.delivered, f.read, f.typing = feedClosed, nil, nil, nil, nil
}

// acknowledge moves a device's cursor and returns the feeds that have a new
// delivered mark.
func (l *Log) acknowledge(p parley.PersonID, d *device, upto parley.Pos) []*Feed {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.readers[p]
	if r == nil || r.device(d.id) != d || upto > l.head || upto <= d.cursor {
		return nil
	}
	l.store.Acknowledge(d.id, upto)
	l.tellPeers(Hint{Kind: HintAcknowledged, Person: p, Device: d.id, Upto: upto})
	return l.advance(p, r, d, upto)
}

// advance books that a device has everything up to a position, and returns the
// feeds that have a new delivered mark. Call it with mu held.
func (l *Log) advance(p parley.PersonID, r *reader, d *device, upto parley.Pos) []*Feed {
	before := r.delivered()
	d.cursor = upto
	l.moved[p] = true
	if upto <= before {
		return nil
	}
	return l.tellDelivered(p, r, upto)
}

// tellDelivered takes from r's waiting entries what a device has by now and tells
// their senders, one mark a conversation. Nobody is told of somebody who blocks
// them.
func (l *Log) tellDelivered(p parley.PersonID, r *reader, upto parley.Pos) []*Feed {
	n := 0
	var marks []Delivered
	for ; n < len(r.waiting) && r.waiting[n].pos <= upto; n++ {
		w := r.waiting[n]
		if w.own {
			continue
		}
		if i := slices.IndexFunc(marks, func(d Delivered) bool { return d.Conversation == w.stream }); i >= 0 {
			marks[i].Upto = w.pos
		} else {
			marks = append(marks, Delivered{Conversation: w.stream, Person: p, Upto: w.pos})
		}
	}
	r.waiting = slices.Delete(r.waiting, 0, n)
	var feeds []*Feed
	for _, mark := range marks {
		var room [2]parley.PersonID
		for _, member := range members(room[:0], mark.Conversation) {
			if member == p || !l.mayNotice(member, p) {
				continue
			}
			for _, d := range l.reader(member).devices {
				if d.feed != nil {
					d.feed.addDelivered(mark)
					feeds = append(feeds, d.feed)
				}
			}
		}
	}
	return feeds
}
