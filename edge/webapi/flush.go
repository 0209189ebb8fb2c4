package webapi

import (
	"slices"
	"sync"

	"parley"
	"parley/conversation"
	"parley/edge/webapi/websocket"
	"parley/privacy"
)

const (
	// maxJoined is where a frame to a client ends and the next one begins, in
	// bytes; a single event may be larger.
	maxJoined = 256 << 10
	// collectAtOnce is how many entries are taken from the feed at once.
	collectAtOnce = 64
)

// due is what a connection owes its client at one moment.
type due struct {
	replies [][]byte
	feed    *conversation.Feed // nil: nothing stirred
	cards   []parley.PersonID
	dirty   []parley.PersonID
	lists   int64 // version of the Contacts list; 0: no news
	ping    bool
	closes  bool
	code    uint16
}

// startWriting starts the writing goroutine if it does not run. mu is held. While
// reading has not ended, the reading goroutine keeps Run waiting for both.
func (c *conn) startWriting() {
	if c.writing || c.phase == phaseClosed {
		return
	}
	c.writing = true
	c.server.work.Go(c.write)
}

// write writes until nothing is due.
func (c *conn) write() {
	for {
		d, ok := c.takeDue()
		if !ok {
			return
		}
		if err := c.writeDue(d); err != nil {
			c.wire.abort()
			return
		}
		if d.closes {
			_ = c.socket.WriteClose(d.code) // a peer that has gone needs no code
			return
		}
	}
}

// takeDue takes what is due, or ends the writing goroutine when nothing is.
func (c *conn) takeDue() (due, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := due{replies: c.replies, closes: c.phase == phaseEnding, code: c.code}
	c.replies = nil
	c.room.Broadcast()
	if d.closes {
		return d, true
	}
	d.dirty, d.cards, d.lists, d.ping = c.dirty, c.cards, c.contacts, c.ping
	c.dirty, c.cards, c.contacts, c.ping = nil, nil, 0, false
	if c.stirred && c.feed != nil {
		d.feed, c.stirred = c.feed, false
	}
	if c.phase == phaseClosed || len(d.replies) == 0 && len(d.dirty) == 0 && len(d.cards) == 0 && d.lists == 0 && !d.ping && d.feed == nil {
		c.writing = false
		return due{}, false
	}
	return d, true
}

// writeDue writes what is due, joined into as few frames as its size allows.
func (c *conn) writeDue(d due) error {
	if d.ping {
		if err := c.socket.WritePing(); err != nil {
			return err
		}
	}
	f := newFlush(c)
	defer f.release()
	for _, reply := range d.replies {
		f.add(reply)
	}
	if d.feed != nil {
		c.collect(f, d.feed)
	}
	if d.lists != 0 {
		f.add(mustEncode(ContactsEvent{Type: "contacts", Version: d.lists}))
	}
	for _, person := range d.cards {
		f.add(mustEncode(CardEvent{Type: "card", Person: person.String()}))
	}
	for _, person := range d.dirty {
		if event := c.server.presenceEvent(person, c.actor); c.isNews(person, event.sum) {
			f.add(event.bytes)
		}
	}
	return f.finish()
}

// presenceEvent is somebody's state for the viewer as things are at this moment,
// so a change of relationship holds for everything written after it.
func (s *Server) presenceEvent(person parley.PersonID, viewer parley.Actor) stateEvent {
	facts := privacy.Facts{
		Person: parley.Person{ID: person}, Presence: s.config.Board.Presence(person), Preferences: s.config.Gate.Preferences(person),
	}
	return s.encoded.event(facts, s.config.Gate.Class(person, viewer), s.config.Policy.Policy())
}

// isNews reports whether an event differs from the last one about the person,
// and notes it. A frame that changes nothing would tell the viewer that something
// happened which they may not see: somebody blocked could count how often the
// other comes and goes.
func (c *conn) isNews(person parley.PersonID, sum uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, watched := slices.BinarySearch(c.watched, person)
	if !watched || c.shown[i] == sum {
		return false
	}
	c.shown[i] = sum
	return true
}

// collect writes what the feed has.
func (c *conn) collect(f *flush, feed *conversation.Feed) {
	for {
		batch := feed.Collect(collectAtOnce)
		c.addItems(f, batch)
		for _, d := range batch.Delivered {
			f.addWith(func(b []byte) []byte { return c.server.appendDelivered(b, d) })
		}
		for _, r := range batch.Read {
			f.add(mustEncode(ReadEvent{Type: "read", Conversation: r.Conversation.String(), ID: c.server.sealer.seal(r.Upto)}))
		}
		for _, t := range batch.Typing {
			f.add(mustEncode(TypingEvent{Type: "typing", Conversation: t.Conversation.String(), Person: t.Person.String(), On: t.On}))
		}
		if batch.Gap {
			c.gap()
			f.add(gapEvent)
		}
		if len(batch.Items) < collectAtOnce || f.err != nil {
			return
		}
	}
}

var gapEvent = mustEncode(GapEvent{Type: "gap"})

// gap notes that nothing comes through the feed until the client resumes.
func (c *conn) gap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gapped, c.underWay = true, nil
	c.room.Broadcast()
}

// addItems writes entries, and for those that this device sent that they are
// accepted.
func (c *conn) addItems(f *flush, batch conversation.Batch) {
	prev, own := batch.Prev, false
	for _, item := range batch.Items {
		if item.Device == c.actor.Device {
			own = true
			f.addWith(func(b []byte) []byte { return c.server.appendAccepted(b, prev, &item.Entry) })
		} else {
			f.addWith(func(b []byte) []byte { return c.server.appendEntry(b, prev, item) })
		}
		prev = item.Pos
	}
	if !own {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, item := range batch.Items {
		if item.Device == c.actor.Device {
			c.finishLocked(item.ClientID)
		}
	}
}

// flush joins events into frames. The first error stays and the rest is skipped.
type flush struct {
	conn   *conn
	buffer *[]byte
	events int
	err    error
}

// keptBuffer is the largest buffer that is kept for the next flush.
const keptBuffer = 64 << 10

var flushBuffers = sync.Pool{New: func() any { return new([]byte) }}

func newFlush(c *conn) *flush {
	f := &flush{conn: c, buffer: flushBuffers.Get().(*[]byte)}
	f.begin()
	return f
}

// begin begins a frame: what the socket writes before it has its room in the buffer.
func (f *flush) begin() {
	var room [websocket.Room]byte
	*f.buffer, f.events = append(append((*f.buffer)[:0], room[:]...), '['), 0
}

func (f *flush) release() {
	if cap(*f.buffer) <= keptBuffer {
		flushBuffers.Put(f.buffer)
	}
}

// add adds an event.
func (f *flush) add(event []byte) {
	f.addWith(func(b []byte) []byte { return append(b, event...) })
}

// addWith adds the event that encode appends, and writes the frame when it is
// full.
func (f *flush) addWith(encode func([]byte) []byte) {
	if f.err != nil {
		return
	}
	if f.events > 0 {
		*f.buffer = append(*f.buffer, ',')
	}
	*f.buffer = encode(*f.buffer)
	f.events++
	if len(*f.buffer) >= maxJoined {
		f.err = f.finish()
	}
}

// finish writes the frame, if it holds anything, and begins another.
func (f *flush) finish() error {
	if f.err != nil || f.events == 0 {
		return f.err
	}
	*f.buffer = append(*f.buffer, ']')
	err := f.conn.socket.WriteText(*f.buffer)
	f.conn.server.stats.sent(f.events, len(*f.buffer)-websocket.Room)
	f.begin()
	return err
}
