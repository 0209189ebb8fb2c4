package webapi

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/conversation"
	"parley/edge/webapi/websocket"
)

// conn is one socket of one device. One goroutine reads from it; another writes
// to it while there is something to write, and is gone when there is not.
type conn struct {
	server *Server
	socket *websocket.Conn
	wire   *wire
	actor  parley.Actor
	token  parley.Secret
	opened time.Time

	seen    atomic.Int64 // last sign of life, in Unix nanoseconds
	renewed atomic.Int64 // when the board last heard of us, likewise
	pings   atomic.Int64 // when the next ping is due, likewise
	check   atomic.Int64 // when the session is looked up again, likewise
	waits   atomic.Bool  // reading pauses, so no sign of life can be seen

	// Only the reading goroutine touches these, and the worker that it waits for.
	job       job
	greeted   bool
	rate      bucket
	excess    int // frames beyond the rate
	malformed int // frames that were none

	// mu guards what follows: what is due to the client. It is never held while
	// anything is written, encoded or asked.
	mu       sync.Mutex
	phase    phase
	writing  bool // the writing goroutine runs
	replies  [][]byte
	ping     bool
	stirred  bool // the feed may have something
	feed     *conversation.Feed
	gapped   bool              // the feed waits for resume
	watched  []parley.PersonID // sorted
	shown    []uint64          // of each watched, the sum of the last state written; 0: none yet
	dirty    []parley.PersonID // watched people whose presence is due, sorted
	cards    []parley.PersonID // watched people whose card changed, sorted
	contacts int64             // newest version of the Contacts list of which the client is to hear; 0: none
	underWay map[parley.ClientID]struct{}
	code     uint16 // with which it closes
	room     *sync.Cond
}

// phase is how far a connection has come.
type phase uint8

const (
	phaseOpen   phase = iota
	phaseEnding       // the close code is decided; nothing more is taken
	phaseClosed       // reading has ended
)

// maxReplies is how many answers may wait for a client that does not read before
// we stop reading from it.
const maxReplies = 64

func newConn(s *Server, socket *websocket.Conn, below *wire, who caller) *conn {
	now := time.Now()
	c := &conn{server: s, socket: socket, wire: below, actor: who.session.Actor, opened: now}
	c.token = parley.Secret(strings.Clone(string(who.token))) // else all headers of the request would stay with it
	c.room = sync.NewCond(&c.mu)
	c.job.conn = c
	c.rate.at = now
	c.seen.Store(now.UnixNano())
	c.pings.Store(now.Add(jitter(s.pace.ping)).UnixNano())
	c.scheduleCheck(now, who.session.Device.Expires)
	return c
}

// scheduleCheck sets when the session is looked up again: when it would expire,
// and now and then before, which counts as use.
func (c *conn) scheduleCheck(now, expires time.Time) {
	next := now.Add(jitter(c.server.pace.recheck))
	if !expires.IsZero() && expires.Before(next) {
		next = expires
	}
	c.check.Store(next.UnixNano())
}

// start starts to read, on a goroutine of its own that lives until the connection
// ends and cleans up after it. Its stack is most of what an idle connection costs:
// it stays at the 2 KiB of a new one, because frames are handled by workers and
// nothing deeper than the waiting is called here (websocket.TestWaitingStack).
func (c *conn) start() {
	c.server.work.Add(1) // closed ends it
	go func() {
		defer c.closed()
		_ = c.socket.Serve(c) // why it ended is nobody's business: who closed it knows
	}()
}

// Message implements websocket.Handler. It returns when the frame is dealt with.
func (c *conn) Message(text bool, payload []byte) {
	c.alive(time.Now())
	c.server.stats.framesIn.Add(1)
	c.job.text, c.job.payload = text, payload
	c.server.workers.do(c.server.base, &c.job)
	c.job.payload = nil
	c.awaitRoom()
}

// Ping implements websocket.Handler: pings are answered (RFC 6455 §5.5.2), and count
// as frames do.
func (c *conn) Ping(payload []byte) {
	now := time.Now()
	c.alive(now)
	switch {
	case c.ending():
	case c.take(now) > 0:
		c.countExcess()
	default:
		_ = c.socket.WritePong(payload) // a failed write ends the reading, too
	}
}

// Pong implements websocket.Handler.
func (c *conn) Pong() { c.alive(time.Now()) }

// closed ends everything that hangs on the connection, also when reading it
// panicked.
func (c *conn) closed() {
	s := c.server
	defer s.work.Done()
	if fault := recover(); fault != nil {
		c.failed(fault)
	}
	c.mu.Lock()
	c.phase = phaseClosed
	feed := c.feed
	c.room.Broadcast()
	c.mu.Unlock()
	if feed != nil {
		feed.Close()
	}
	s.config.Board.Unwatch(c)
	s.sockets.remove(c)
	c.wire.drain()
}

// end closes the connection with a code, after a last answer if there is one.
// Whatever the peer does, it is over in a moment. It may be called more than
// once: the first code counts.
func (c *conn) end(code uint16, last []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != phaseOpen {
		return
	}
	c.phase, c.code = phaseEnding, code
	c.replies = nil // what waits is not due any more
	if last != nil {
		c.replies = [][]byte{last}
	}
	c.server.stats.closed.Add(1)
	c.room.Broadcast()
	c.startWriting()
	time.AfterFunc(c.server.pace.closing, c.wire.abort)
}

// signOut tells the device that its session has ended, and closes.
func (c *conn) signOut(reason parley.EndReason) {
	if reason == "" {
		reason = parley.EndedRevoked
	}
	c.end(CloseSignedOut, mustEncode(SignedOutEvent{Type: "signed-out", Reason: string(reason)}))
}

// tend does what time demands. The keeper calls it once a tick.
func (c *conn) tend(ctx context.Context, now time.Time) {
	pace, nanos := c.server.pace, now.UnixNano()
	c.mu.Lock()
	greeted := c.feed != nil
	c.mu.Unlock()
	if greeted {
		c.renew(now)
	}
	switch {
	case !greeted && now.Sub(c.opened) > pace.hello:
		c.end(CloseNoHello, nil)
	case nanos-c.seen.Load() > int64(pace.silent) && !c.waits.Load():
		c.wire.abort() // nobody is there to read a close code
	case nanos > c.check.Load():
		c.recheck(ctx, now)
	case nanos > c.pings.Load():
		c.pings.Store(now.Add(pace.ping).UnixNano())
		c.mu.Lock()
		c.ping = true
		c.startWriting()
		c.mu.Unlock()
	}
}

// recheck asks whether the session still holds.
func (c *conn) recheck(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	session, err := c.server.config.Accounts.Session(ctx, c.token)
	if err != nil && parley.KindOf(err) == parley.SignIn {
		c.signOut(parley.EndedExpired)
		return
	}
	c.scheduleCheck(now, session.Device.Expires)
}

// alive notes a sign of life.
func (c *conn) alive(now time.Time) { c.seen.Store(now.UnixNano()) }

// renew passes signs of life on now and then.
func (c *conn) renew(now time.Time) {
	last := c.renewed.Load()
	if c.seen.Load() <= last || now.UnixNano()-last < int64(c.server.pace.renew) {
		return
	}
	c.renewed.Store(now.UnixNano())
	c.server.config.Board.Renew(c.actor.Device)
	c.server.config.Accounts.Used(c.actor.Device)
}

// Viewer is the person at the other end.
func (c *conn) Viewer() parley.PersonID { return c.actor.Person }

// Dirty notes that what the viewer sees of somebody may have changed. Their state
// is looked up when there is room to write it.
func (c *conn) Dirty(person parley.PersonID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == phaseOpen && contains(c.watched, person) {
		c.dirty = with(c.dirty, person)
		c.startWriting()
	}
}

// changedCards notes that cards, and with them what is shared, may have changed.
func (c *conn) changedCards(people []parley.PersonID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != phaseOpen {
		return
	}
	for _, person := range people {
		if contains(c.watched, person) {
			c.cards = with(c.cards, person)
			c.dirty = with(c.dirty, person)
		}
	}
	if len(c.cards) > 0 {
		c.startWriting()
	}
}

// changedOwnCard notes that the person's own card may have changed, with what they
// have set up, whether the device watches it or not.
func (c *conn) changedOwnCard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == phaseOpen {
		c.cards = with(c.cards, c.actor.Person)
		c.startWriting()
	}
}

// changedContacts notes that the Contacts list is another. However many changes come
// before the client takes the news, it is one.
func (c *conn) changedContacts(version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == phaseOpen && c.feed != nil {
		c.contacts = max(c.contacts, version)
		c.startWriting()
	}
}

// lookAgain notes that cards and states of everybody who is watched may look
// otherwise. Of the states those are written that do.
func (c *conn) lookAgain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != phaseOpen || len(c.watched) == 0 {
		return
	}
	c.cards, c.dirty = slices.Clone(c.watched), slices.Clone(c.watched)
	c.startWriting()
}

// wake is called by the feed when it has something.
func (c *conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stirred = true
	if c.feed != nil {
		c.startWriting()
	}
}

// reply queues the answer to a frame. There are few: the reader stops when they
// are not taken.
func (c *conn) reply(event []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == phaseOpen {
		c.replies = append(c.replies, event)
		c.startWriting()
	}
}

// awaitRoom pauses reading while the client does not take what it is owed.
func (c *conn) awaitRoom() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.phase == phaseOpen && (len(c.replies) >= maxReplies || len(c.underWay) >= maxUnderWay) {
		c.waits.Store(true)
		c.room.Wait()
	}
	if c.waits.Swap(false) {
		c.seen.Store(time.Now().UnixNano())
	}
}
