// Package conversation carries messages: over one durable log that every device
// follows from its own position to the end.
//
// It decides who reads a stream, what a device gets and in which order, when a
// message counts as delivered, and when the server may forget it. It never
// acknowledges or forwards what is not committed, never reads a body, and never
// keeps a queue of events for a slow device: a feed that falls behind is told so
// and fetches what it lacks from the log.
package conversation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/policy"
	"parley/privacy"
)

// Gate is what the log asks of privacy.Gate.
type Gate interface {
	Reach(from parley.Actor, to parley.PersonID) privacy.Reach
	Class(owner parley.PersonID, viewer parley.Actor) privacy.Class
}

// People tells whether somebody exists. contact.Book is it.
type People interface {
	Person(parley.PersonID) (parley.Person, bool)
}

// Config is what a Log needs. All fields are required but Peers.
type Config struct {
	Store  Store
	Gate   Gate
	People People
	Policy policy.Source
	Log    *slog.Logger
	Peers  Peers // nil: this is the only node
}

// Log is the main service of the package. Make one with NewLog.
type Log struct {
	store  Store
	gate   Gate
	people People
	policy policy.Source
	log    *slog.Logger
	peers  Peers
	newest parley.DeviceID // the last device that was met in the store; belongs to Run
	soon   soon            // wakes for delivered marks

	// mu guards what follows. It is held for the length of a batch at most and
	// never over I/O.
	mu      sync.Mutex
	head    parley.Pos // last committed position this Log has seen
	streams map[parley.StreamID]*stream
	readers map[parley.PersonID]*reader
	moved   map[parley.PersonID]bool // people in whose streams something may be forgotten
	ahead   map[parley.DeviceID]Hint // acknowledgements heard of what this Log has not seen yet
}

// stream is a stream with entries that the store still holds.
type stream struct {
	positions []parley.Pos // of the retained entries, ascending
	firstN    uint64       // number within the stream of positions[0]
	silent    []parley.Pos // those of them that somebody who blocks their sender never gets
}

// reader is a person as a reader of streams.
type reader struct {
	devices []*device
	floor   parley.Pos        // with no devices: what the last of them had read
	missed  parley.Pos        // the time limit took something up to here
	live    []parley.StreamID // the person's streams with retained entries

	// waiting are the entries in this person's streams that no device of theirs
	// has acknowledged, oldest first, the newest maxWaiting of them. It serves the
	// delivered marks only.
	waiting []waiting
}

type device struct {
	id     parley.DeviceID
	cursor parley.Pos // acknowledged
	from   parley.Pos // where it began to read
	feed   *Feed      // nil: not connected
}

type waiting struct {
	pos    parley.Pos
	stream parley.StreamID
	own    bool // sent by the reader
}

const maxWaiting = 512

// ErrKnown says that a message with this client id was accepted before.
var ErrKnown = errors.New("conversation: this message is in the log already")

// ErrElsewhere says that a message came on a connection that its device has left
// for one to another node. It is not stored; if the device is still there after
// all, it comes again on a new connection.
var ErrElsewhere error = &parley.Error{Kind: parley.Unavailable, Key: "session.elsewhere"}

// ErrResync says that a position is none that this device can have: it is beyond
// the head of the log. The device syncs from where it began to read.
var ErrResync = errors.New("conversation: position unknown, resync")

// Message is what a device asks to have sent.
type Message struct {
	Conversation parley.StreamID
	ClientID     parley.ClientID
	Kind         parley.EntryKind
	Content      string
	Body         parley.Body
}

// Item is a committed entry on its way to devices, shared by all of them and
// read-only but for Wire.
type Item struct {
	parley.Entry

	// Wire is the edge's encoding of the entry, kept here so that it is made once
	// however many devices read it.
	Wire atomic.Pointer[[]byte]
}

// NewLog loads who reads what from the store and hooks itself into its commits.
// Call it before the store's Run.
func NewLog(ctx context.Context, c Config) (*Log, error) {
	l := &Log{
		store: c.Store, gate: c.Gate, people: c.People, policy: c.Policy, log: c.Log, peers: c.Peers,
		head:    c.Store.Head(),
		streams: map[parley.StreamID]*stream{},
		readers: map[parley.PersonID]*reader{},
		moved:   map[parley.PersonID]bool{},
		ahead:   map[parley.DeviceID]Hint{},
	}
	if err := l.load(ctx); err != nil {
		return nil, fmt.Errorf("loading the log's readers: %w", err)
	}
	c.Store.OnAdmit(l.admit)
	c.Store.OnCommit(l.committed)
	return l, nil
}

func (l *Log) load(ctx context.Context) error {
	for r, err := range l.store.Readers(ctx, 0) {
		if err != nil {
			return err
		}
		l.newest = r.Device
		l.reader(r.Person).add(&device{id: r.Device, cursor: r.Cursor, from: r.From})
	}
	for f, err := range l.store.Floors(ctx) {
		if err != nil {
			return err
		}
		r := l.reader(f.Person)
		r.floor, r.missed = max(r.floor, f.Floor), f.Missed
	}
	for e, err := range l.store.Retained(ctx) {
		if err != nil {
			return err
		}
		if e.Pos <= l.head { // of what comes later the store will tell
			l.note(&e)
		}
	}
	for p := range l.readers {
		l.moved[p] = true
	}
	return nil
}

func (l *Log) reader(p parley.PersonID) *reader {
	r := l.readers[p]
	if r == nil {
		r = &reader{}
		l.readers[p] = r
	}
	return r
}

func (r *reader) add(d *device) {
	r.devices = slices.DeleteFunc(r.devices, func(old *device) bool { return old.id == d.id })
	r.devices = append(r.devices, d)
}

func (r *reader) device(id parley.DeviceID) *device {
	for _, d := range r.devices {
		if d.id == id {
			return d
		}
	}
	return nil
}

// delivered is the position up to which some device of the person has everything.
func (r *reader) delivered() parley.Pos {
	pos := r.floor
	for _, d := range r.devices {
		pos = max(pos, d.cursor)
	}
	return pos
}

// passed is the position up to which every device of the person has everything.
// Somebody without a device passes nothing beyond what the last device had: what
// comes in meanwhile waits for the next one.
func (r *reader) passed() parley.Pos {
	if len(r.devices) == 0 {
		return r.floor
	}
	pos := r.devices[0].cursor
	for _, d := range r.devices[1:] {
		pos = min(pos, d.cursor)
	}
	return pos
}

// members appends the people who read s.
func members(to []parley.PersonID, s parley.StreamID) []parley.PersonID {
	if p, ok := s.Private(); ok {
		return append(to, p)
	}
	if a, b, ok := s.Direct(); ok {
		return append(to, a, b)
	}
	return to
}

// reads reports whether p reads s.
func reads(p parley.PersonID, s parley.StreamID) bool {
	var room [2]parley.PersonID
	return slices.Contains(members(room[:0], s), p)
}

// other is the second person of a conversation that p takes part in.
func other(s parley.StreamID, p parley.PersonID) (parley.PersonID, bool) {
	switch a, b, ok := s.Direct(); {
	case ok && a == p:
		return b, true
	case ok && b == p:
		return a, true
	}
	return 0, false
}

// Send checks a message and queues it for the next commit. An error is an
// immediate refusal. refused is called at most once, later, from the store's
// writer and must not block: with ErrKnown for a message that was accepted
// before, else with a *parley.Error. Success is told by the sender's own Feed,
// which gets the entry as every other device does. Send waits, as long as ctx
// allows, while the writer's queue is full.
func (l *Log) Send(ctx context.Context, actor parley.Actor, m Message, refused func(error)) error {
	if err := needDevice(actor); err != nil {
		return err
	}
	if !m.ClientID.Valid() {
		return parley.RefuseField("message.client-id", "client_id")
	}
	if m.Kind != parley.KindMessage {
		return &parley.Error{Kind: parley.Unsupported, Key: "message.kind-unknown", Field: "kind"}
	}
	if err := checkContent(m.Content, m.Body, l.policy.Policy().MaxBody); err != nil {
		return err
	}
	to, ok := other(m.Conversation, actor.Person)
	if !ok {
		return parley.ErrWithheld
	}
	if _, found := l.people.Person(to); !found {
		return parley.ErrWithheld
	}
	l.store.Append(ctx, parley.Entry{
		Stream: m.Conversation, Sender: actor.Person, Device: actor.Device, ClientID: m.ClientID, Seen: l.seen(actor),
		Kind: m.Kind, Content: m.Content, Body: m.Body,
	}, func(_ parley.Pos, err error) {
		if err != nil {
			refused(err)
		}
	})
	return nil
}

// needDevice refuses everybody but a person on a signed-in device. Whoever else
// acts for a person, a program or an administrator, has no part in what the
// person's devices say and read.
func needDevice(actor parley.Actor) error {
	if actor.Kind != parley.ActorPerson || actor.Person == 0 || actor.Device == 0 {
		return parley.Refuse(parley.SignIn, "session.required")
	}
	return nil
}

// seen is how far a device has read on the connection that it has here; 0 when
// there is no other node that it could have left for.
func (l *Log) seen(actor parley.Actor) parley.Pos {
	if l.peers == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.readers[actor.Person]
	if r == nil {
		return 0
	}
	d := r.device(actor.Device)
	if d == nil || d.feed == nil {
		return 0
	}
	d.feed.mu.Lock()
	defer d.feed.mu.Unlock()
	return max(d.feed.seen, 1)
}

// admit decides inside the commit, on what holds by then: the device must be
// signed in, and the other side must be there and reachable. It does not decide
// about a message that was accepted before and is sent again because the
// acknowledgement was lost: the store answers for that one. A message to somebody who blocks
// its sender is turned into the sender's private stream here, so that nothing
// that the other side can read, count or purge ever knew of it.
func (l *Log) admit(e *parley.Entry) error {
	if e.Device == 0 {
		return nil // the system's own entries
	}
	l.mu.Lock()
	r := l.readers[e.Sender]
	live := r != nil && r.device(e.Device) != nil
	l.mu.Unlock()
	if !live {
		return parley.Refuse(parley.SignIn, "session.ended")
	}
	to, ok := other(e.Stream, e.Sender)
	if !ok {
		return nil
	}
	if p, found := l.people.Person(to); !found || p.Gone {
		return parley.ErrWithheld
	}
	switch l.gate.Reach(parley.Actor{Kind: parley.ActorPerson, Person: e.Sender, Device: e.Device}, to) {
	case privacy.ReachSilently:
		e.About, e.Stream = e.Stream, parley.PrivateStream(e.Sender)
	case privacy.ReachNo:
		return parley.Refuse(parley.Forbidden, "message.not-allowed")
	}
	return nil
}

// committed takes a batch that is durable by now to every feed that reads it. It
// runs in the writer's goroutine, before anything is acknowledged, in order.
func (l *Log) committed(entries []parley.Entry) {
	var feeds []*Feed
	l.mu.Lock()
	for i := range entries {
		item := &Item{Entry: entries[i]}
		l.head = max(l.head, item.Pos)
		l.note(&item.Entry)
		var room [2]parley.PersonID
		for _, p := range members(room[:0], item.Stream) {
			for _, d := range l.reader(p).devices {
				if d.feed != nil && d.feed.push(item) {
					feeds = append(feeds, d.feed)
				}
			}
		}
	}
	feeds = append(feeds, l.caughtUp()...)
	l.mu.Unlock()
	for _, f := range feeds {
		f.wake()
	}
}

// note books an entry that the store holds. Call it with mu held.
func (l *Log) note(e *parley.Entry) {
	var room [2]parley.PersonID
	s := l.streams[e.Stream]
	if s == nil {
		s = &stream{firstN: e.N}
		l.streams[e.Stream] = s
		for _, p := range members(room[:0], e.Stream) {
			r := l.reader(p)
			r.live = append(r.live, e.Stream)
		}
	}
	s.positions = append(s.positions, e.Pos)
	if e.About != 0 {
		s.silent = append(s.silent, e.Pos)
	}
	for _, p := range members(room[:0], e.Stream) {
		r := l.reader(p)
		if e.Pos <= r.delivered() {
			continue
		}
		if len(r.waiting) >= maxWaiting {
			r.waiting = slices.Delete(r.waiting, 0, maxWaiting/2)
		}
		r.waiting = append(r.waiting, waiting{pos: e.Pos, stream: e.Stream, own: p == e.Sender})
	}
}

// Notify takes the events that concern the log.
func (l *Log) Notify(event parley.Event) {
	switch e := event.(type) {
	case parley.DeviceSignedIn:
		l.mu.Lock()
		r := l.reader(e.Person)
		if r.device(e.Device) == nil {
			r.add(&device{id: e.Device, cursor: e.From, from: e.From})
		}
		l.mu.Unlock()
	case parley.DevicesEnded:
		for _, f := range l.endDevices(e) {
			f.wake()
		}
	}
}

// learn refuses who is no device, and books one that the log was not told of yet:
// an event is a hint, the store is the truth. The store is asked again once the
// device is booked, because it may have ended in between, and that event is not
// told twice.
func (l *Log) learn(ctx context.Context, actor parley.Actor) error {
	if err := needDevice(actor); err != nil {
		return err
	}
	l.mu.Lock()
	r := l.readers[actor.Person]
	known := r != nil && r.device(actor.Device) != nil
	l.mu.Unlock()
	if known {
		return nil
	}
	found, err := l.store.Reader(ctx, actor.Device)
	if err == nil && found.Person == actor.Person {
		l.mu.Lock()
		if r := l.reader(actor.Person); r.device(found.Device) == nil {
			r.add(&device{id: found.Device, cursor: found.Cursor, from: found.From})
		}
		l.mu.Unlock()
		if _, err = l.store.Reader(ctx, actor.Device); err == nil {
			return nil
		}
		l.endDevices(parley.DevicesEnded{Person: actor.Person, Devices: []parley.DeviceID{actor.Device}})
	}
	if err != nil && parley.KindOf(err) != parley.NotFound {
		return fmt.Errorf("looking for %s: %w", actor.Device, err)
	}
	return parley.Refuse(parley.SignIn, "session.ended")
}

// endDevices lets go of devices and returns their feeds, closed.
func (l *Log) endDevices(e parley.DevicesEnded) []*Feed {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.readers[e.Person]
	if r == nil {
		return nil
	}
	var feeds []*Feed
	for i, id := range e.Devices {
		d := r.device(id)
		if d == nil {
			continue
		}
		r.floor = max(r.floor, d.cursor)
		if i < len(e.Cursors) {
			r.floor = max(r.floor, e.Cursors[i])
		}
		delete(l.ahead, id)
		if d.feed != nil {
			d.feed.close()
			feeds = append(feeds, d.feed)
		}
		r.devices = slices.DeleteFunc(r.devices, func(x *device) bool { return x == d })
	}
	l.moved[e.Person] = true
	return feeds
}

// Run forgets what everybody has read, and what is over its time limit, until
// ctx ends.
func (l *Log) Run(ctx context.Context) error {
	passes := time.NewTicker(purgeEvery)
	defer passes.Stop()
	limits := time.NewTicker(limitEvery)
	defer limits.Stop()
	var reviews <-chan time.Time
	if l.peers != nil {
		ticker := time.NewTicker(reviewEvery)
		defer ticker.Stop()
		reviews = ticker.C
	}
	err := l.purgeOld(ctx) // what became too old while the server was away
	for {
		if err != nil && ctx.Err() == nil {
			l.log.Error("forgetting delivered messages", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-passes.C:
			err = l.purgePassed(ctx)
		case <-limits.C:
			err = l.purgeOld(ctx)
		case <-reviews:
			err = l.review(ctx)
		}
	}
}
