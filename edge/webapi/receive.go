package webapi

import (
	"errors"
	"slices"
	"time"

	"parley"
	"parley/conversation"
	"parley/presence"
)

var pong = mustEncode(PongEvent{Type: "pong"})

// receive deals with one frame from the client.
func (c *conn) receive(text bool, payload []byte) {
	if c.ending() {
		return
	}
	f, err := decodeFrame(payload)
	switch {
	case !text:
		c.refuseMalformed(f, errNotAFrame)
	case err != nil:
		c.refuseMalformed(f, err)
	case !c.greeted && f.Type != "hello":
		c.end(CloseMalformed, nil)
	default:
		if wait := c.take(time.Now()); wait > 0 {
			c.refuseExcess(f, wait)
			return
		}
		c.handle(f)
	}
}

func (c *conn) ending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase != phaseOpen
}

// take counts a frame against the rate.
func (c *conn) take(now time.Time) time.Duration {
	limits := c.server.limits.Load()
	return c.rate.take(now, limits.FrameBurst, limits.FrameRate)
}

// refuseMalformed answers what is no frame; a client that sends nothing else is
// closed.
func (c *conn) refuseMalformed(f incoming, err error) {
	if c.malformed++; c.malformed > maxMalformed || !c.greeted {
		c.end(CloseMalformed, nil)
		return
	}
	c.refuse(f, err)
}

// refuseExcess answers a frame beyond the rate.
func (c *conn) refuseExcess(f incoming, wait time.Duration) {
	c.refuse(f, &parley.Error{Kind: parley.TooMany, Key: "frame.too-many", RetryAfter: max(wait, time.Second)})
	c.countExcess()
}

func (c *conn) countExcess() {
	if c.excess++; c.excess >= maxRefusedFrames {
		c.end(CloseTooMany, nil)
	}
}

// refuse answers a frame that is not taken.
func (c *conn) refuse(f incoming, err error) {
	p := c.server.refuse(err, "device", c.actor.Device, "frame", echo(f.Type))
	if f.Type == "send" {
		c.reply(mustEncode(RefusedEvent{Type: "refused", ClientID: echo(f.ClientID), Problem: *p}))
		return
	}
	c.reply(mustEncode(ProblemEvent{Type: "problem", Problem: *p, Frame: echo(f.Type)}))
}

// handle does what a frame asks for.
func (c *conn) handle(f incoming) {
	if err := c.dispatch(f); err != nil {
		c.refuse(f, err)
	}
}

func (c *conn) dispatch(f incoming) error {
	switch f.Type {
	case "hello":
		return c.hello(f)
	case "send":
		return c.send(f)
	case "ack":
		return c.acknowledge(f)
	case "resume":
		return c.resume(f)
	case "read":
		return c.markRead(f)
	case "typing":
		return c.typing(f)
	case "watch":
		return c.watch(f)
	case "activity":
		c.report(f)
		return nil
	case "ping":
		c.reply(pong)
		return nil
	default:
		return &parley.Error{Kind: parley.Unsupported, Key: "frame.unknown", Field: "type"}
	}
}

// hello opens the conversation: the client is told where it stands, and the log
// streams on from there.
func (c *conn) hello(f incoming) error {
	if c.greeted {
		return parley.RefuseField("frame.hello-again", "type")
	}
	if f.Protocol < oldestProtocol || f.Protocol > ProtocolVersion {
		c.end(CloseTooOld, nil)
		return nil
	}
	c.greeted = true
	s := c.server
	after, foreign := s.after(f.Cursor)
	if foreign {
		after = -1
	}
	feed, err := s.config.Log.Follow(s.base, c.actor, after, c.wake)
	if errors.Is(err, conversation.ErrResync) {
		foreign, after = true, -1
		feed, err = s.config.Log.Follow(s.base, c.actor, after, c.wake)
	}
	switch {
	case parley.KindOf(err) == parley.SignIn && err != nil:
		c.signOut(parley.EndedRevoked)
		return nil
	case err != nil:
		s.log.Error("following the log failed", "device", c.actor.Device, "error", err)
		c.end(CloseGoingAway, nil)
		return nil
	}
	c.report(f)
	c.follow(feed, c.welcome(max(after, 0), foreign), foreign)
	return nil
}

// follow begins to write what the feed has, after the welcome.
func (c *conn) follow(feed *conversation.Feed, welcome []byte, gapped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.feed, c.gapped, c.stirred = feed, gapped, true
	if c.phase == phaseOpen {
		c.replies = append(c.replies, welcome)
		c.startWriting()
	}
}

func (c *conn) welcome(after parley.Pos, resync bool) []byte {
	s, limits := c.server, c.server.limits.Load()
	return mustEncode(WelcomeEvent{
		Type: "welcome", Protocol: ProtocolVersion, Build: s.config.Build, Features: s.about.Load().Features, Epoch: s.sealer.epochName(),
		Now: stamp(time.Now()), Person: c.actor.Person.String(), Device: c.actor.Device.String(),
		Limits: SocketLimits{
			FrameBytes: maxFrame, MessageBytes: min(maxMessageBody, s.config.Policy.Policy().MaxBody), FrameBurst: limits.FrameBurst,
			FrameRate: limits.FrameRate, Watched: maxWatched, UnderWay: maxUnderWay,
		},
		Cursor: s.sealer.seal(after), Resync: resync,
	})
}

// report tells the board what the device says of itself.
func (c *conn) report(f incoming) {
	zone := f.TimeZone
	if len(zone) > maxEcho {
		zone = ""
	}
	c.renewed.Store(time.Now().UnixNano())
	c.server.config.Board.Report(c.actor, presence.Activity{Active: f.Active, Visible: f.Visible, TimeZone: zone})
	c.server.config.Accounts.Used(c.actor.Device)
}

// send hands a message to the log. The answer comes with the commit: through the
// feed, or as a refusal.
func (c *conn) send(f incoming) error {
	if c.server.away() {
		return errStopping
	}
	id := parley.ClientID(f.ClientID)
	if !id.Valid() {
		return parley.RefuseField("message.client-id", "client_id")
	}
	to, err := parley.ParseStreamID(f.Conversation)
	if err != nil {
		return parley.ErrWithheld
	}
	if f.Kind != parley.KindMessage.String() {
		return &parley.Error{Kind: parley.Unsupported, Key: "message.kind-unknown", Field: "kind"}
	}
	c.begin(id)
	message := conversation.Message{Conversation: to, ClientID: id, Kind: parley.KindMessage, Content: f.Content, Body: f.Body}
	err = c.server.config.Log.Send(c.server.base, c.actor, message, func(err error) { c.notSent(id, err) })
	if err != nil {
		c.finish(id)
	}
	return err
}

// notSent is told on the writer's goroutine of the store, so it must not block.
func (c *conn) notSent(id parley.ClientID, err error) {
	c.finish(id)
	if errors.Is(err, conversation.ErrKnown) {
		c.reply(mustEncode(KnownEvent{Type: "known", ClientID: string(id)}))
		return
	}
	if errors.Is(err, conversation.ErrElsewhere) {
		c.end(CloseGoingAway, nil) // whoever is still there dials again
		return
	}
	c.refuse(incoming{Type: "send", ClientID: string(id)}, err)
}

// begin counts a message as under way. While the feed has a gap nothing comes
// through it, so nothing is counted: the client could not even say resume.
func (c *conn) begin(id parley.ClientID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gapped {
		return
	}
	if c.underWay == nil {
		c.underWay = map[parley.ClientID]struct{}{}
	}
	c.underWay[id] = struct{}{}
}

func (c *conn) finish(id parley.ClientID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finishLocked(id)
}

func (c *conn) finishLocked(id parley.ClientID) {
	delete(c.underWay, id)
	if len(c.underWay) == 0 {
		c.underWay = nil
	}
	c.room.Broadcast()
}

// errCursor refuses a cursor that is none of this log's.
var errCursor error = parley.RefuseField("cursor.unknown", "cursor")

func (c *conn) acknowledge(f incoming) error {
	pos, err := c.server.sealer.open(f.Cursor)
	if err != nil {
		return errCursor
	}
	c.feed.Acknowledge(pos)
	return nil
}

func (c *conn) resume(f incoming) error {
	pos, err := c.server.sealer.open(f.Cursor)
	if err != nil {
		return errCursor
	}
	c.mu.Lock()
	c.gapped = false
	c.mu.Unlock()
	if err = c.feed.Resume(c.server.base, pos); err != nil {
		c.gap()
	}
	if errors.Is(err, conversation.ErrResync) {
		return errCursor
	}
	return err
}

func (c *conn) markRead(f incoming) error {
	to, err := parley.ParseStreamID(f.Conversation)
	if err != nil {
		return parley.ErrWithheld
	}
	pos, err := c.server.sealer.open(f.ID)
	if err != nil {
		return parley.RefuseField("cursor.unknown", "id")
	}
	return c.server.config.Log.Read(c.server.base, c.actor, to, pos)
}

func (c *conn) typing(f incoming) error {
	to, err := parley.ParseStreamID(f.Conversation)
	if err != nil {
		return parley.ErrWithheld
	}
	return c.server.config.Log.Typing(c.server.base, c.actor, to, f.On)
}

// watch replaces the list of people whose presence the device shows.
func (c *conn) watch(f incoming) error {
	people, err := parsePeople(f.People)
	if err != nil {
		return err
	}
	c.setWatched(people)
	c.server.config.Board.Watch(c, people)
	return nil
}

// setWatched replaces the list and makes whoever is new due, all at once, so that
// their states come in one frame. The board then says so of each, which starts
// the writing.
func (c *conn) setWatched(people []parley.PersonID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	shown := make([]uint64, len(people))
	var fresh []parley.PersonID
	for i, person := range people {
		if before, found := slices.BinarySearch(c.watched, person); found {
			shown[i] = c.shown[before]
		} else {
			fresh = append(fresh, person)
		}
	}
	c.watched, c.shown = people, shown
	c.cards = within(c.cards, people)
	c.dirty = sortedSet(append(within(c.dirty, people), fresh...))
}
