package conversation

import (
	"context"
	"fmt"
	"slices"

	"parley"
	"parley/privacy"
)

// maxPage bounds a sync page in entries.
const maxPage = 500

// Page is one answer to a sync.
type Page struct {
	Items  []*Item
	Cursor parley.Pos // what to ask after next
	More   bool
	Missed bool // the time limit took entries that this device had not got
}

// Sync returns the entries that the device reads after a position, oldest first,
// at most limit (1 to 500; 0 means 500). It returns ErrResync when the position
// is beyond the head.
func (l *Log) Sync(ctx context.Context, actor parley.Actor, after parley.Pos, limit int) (Page, error) {
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	if err := l.learn(ctx, actor); err != nil {
		return Page{}, err
	}
	if err := l.catchUp(ctx, after); err != nil {
		return Page{}, err
	}
	page, streams, head, err := l.behind(actor, after)
	if err != nil {
		return page, err
	}
	if l.peers != nil && !page.Missed { // the node that purges knows at once, this one later
		floor, err := l.store.Floor(ctx, actor.Person)
		if err != nil {
			return Page{}, fmt.Errorf("syncing %s: %w", actor.Device, err)
		}
		page.Missed = page.Cursor < floor.Missed
	}
	if len(streams) == 0 {
		return page, nil
	}
	entries, err := l.store.EntriesAfter(ctx, streams, page.Cursor, limit+1)
	if err != nil {
		return Page{}, fmt.Errorf("syncing %s: %w", actor.Device, err)
	}
	if len(entries) > limit {
		entries, page.More = entries[:limit], true
	}
	// What was committed meanwhile comes through the feed, or with the next page.
	entries = slices.DeleteFunc(entries, func(e parley.Entry) bool { return e.Pos > head })
	for i := range entries {
		page.Items = append(page.Items, &Item{Entry: entries[i]})
		page.Cursor = entries[i].Pos
	}
	return page, nil
}

// behind starts a page: from where to read, in which streams there is something
// to read and up to which position, and whether the time limit was faster than
// this device.
func (l *Log) behind(actor parley.Actor, after parley.Pos) (Page, []parley.StreamID, parley.Pos, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.readers[actor.Person]
	if r == nil || r.device(actor.Device) == nil {
		return Page{}, nil, 0, parley.Refuse(parley.SignIn, "session.ended")
	}
	if after > l.head {
		return Page{}, nil, 0, ErrResync
	}
	page := Page{Cursor: max(after, r.device(actor.Device).from)}
	page.Missed = page.Cursor < r.missed
	return page, l.unread(r, page.Cursor), l.head, nil
}

// unread returns the live streams of r that have entries after a position. Call
// it with mu held.
func (l *Log) unread(r *reader, after parley.Pos) []parley.StreamID {
	var streams []parley.StreamID
	for _, id := range r.live {
		if l.streams[id].last() > after {
			streams = append(streams, id)
		}
	}
	return streams
}

// Read books that the actor's person has read a conversation up to an entry, and
// tells the person's other devices.
func (l *Log) Read(ctx context.Context, actor parley.Actor, conversation parley.StreamID, upto parley.Pos) error {
	if err := needDevice(actor); err != nil {
		return err
	}
	if !reads(actor.Person, conversation) {
		return parley.ErrWithheld
	}
	if to, direct := other(conversation, actor.Person); direct {
		// Ids can be made up, and each would leave a row behind.
		if _, found := l.people.Person(to); !found {
			return parley.ErrWithheld
		}
	}
	n, err := l.number(ctx, conversation, upto)
	if err != nil {
		return err
	}
	if err := l.store.SetRead(ctx, actor.Person, conversation, upto, n, parley.Alongside{}); err != nil {
		return fmt.Errorf("storing a read mark: %w", err)
	}
	hint := Hint{Kind: HintRead, Person: actor.Person, Device: actor.Device, Conversation: conversation, Upto: upto}
	l.showRead(hint)
	l.tellPeers(hint)
	return nil
}

// number is the number within the stream of the last entry up to pos, counting
// those that are purged.
func (l *Log) number(ctx context.Context, id parley.StreamID, pos parley.Pos) (uint64, error) {
	l.mu.Lock()
	if pos > l.head {
		l.mu.Unlock()
		return 0, parley.RefuseField("cursor.unknown", "id")
	}
	if s := l.streams[id]; s != nil {
		defer l.mu.Unlock()
		return s.number(pos), nil
	}
	l.mu.Unlock()
	n, err := l.store.StreamHead(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("reading the head of %s: %w", id, err)
	}
	return n, nil
}

// Typing tells the other people of a conversation that the actor's person writes.
// It is never stored.
func (l *Log) Typing(_ context.Context, actor parley.Actor, conversation parley.StreamID, on bool) error {
	if err := needDevice(actor); err != nil {
		return err
	}
	to, ok := other(conversation, actor.Person)
	if !ok {
		return parley.ErrWithheld
	}
	if !l.mayShowTyping(actor, to) {
		return nil
	}
	hint := Hint{Kind: HintTyping, Person: to, Conversation: conversation, From: actor.Person, On: on}
	l.showTyping(hint)
	l.tellPeers(hint)
	return nil
}

// mayShowTyping reports whether somebody may learn that from writes to them.
func (l *Log) mayShowTyping(from parley.Actor, to parley.PersonID) bool {
	return l.gate.Reach(from, to) == privacy.ReachYes && l.mayNotice(to, from.Person)
}

// mayNotice reports whether viewer may learn that owner is there at all: what a
// blocked person may not (PRODUCT §2, "Typing, read marks").
func (l *Log) mayNotice(viewer, owner parley.PersonID) bool {
	class := l.gate.Class(owner, parley.Actor{Kind: parley.ActorPerson, Person: viewer})
	return class.Level() != privacy.Blocked
}

// feedsOf returns the connected feeds of a person but for one device.
func (l *Log) feedsOf(p parley.PersonID, except parley.DeviceID) []*Feed {
	l.mu.Lock()
	defer l.mu.Unlock()
	var feeds []*Feed
	if r := l.readers[p]; r != nil {
		for _, d := range r.devices {
			if d.feed != nil && d.id != except {
				feeds = append(feeds, d.feed)
			}
		}
	}
	return feeds
}

// ConversationMarks are the marks of one conversation.
type ConversationMarks struct {
	Conversation parley.StreamID
	Delivered    []Delivered
	Read         parley.Pos // 0: none
}

// Marks returns the marks of the actor's conversations that may have changed since
// a position.
func (l *Log) Marks(ctx context.Context, actor parley.Actor, after parley.Pos) ([]ConversationMarks, error) {
	if err := needDevice(actor); err != nil {
		return nil, err
	}
	own, err := l.store.Marks(ctx, actor.Person, after)
	if err != nil {
		return nil, fmt.Errorf("reading read marks: %w", err)
	}
	purged, err := l.store.Delivered(ctx, actor.Person, after)
	if err != nil {
		return nil, fmt.Errorf("reading delivered marks: %w", err)
	}
	var list []ConversationMarks
	at := func(s parley.StreamID) *ConversationMarks {
		i := slices.IndexFunc(list, func(c ConversationMarks) bool { return c.Conversation == s })
		if i < 0 {
			i, list = len(list), append(list, ConversationMarks{Conversation: s})
		}
		return &list[i]
	}
	for _, m := range own {
		at(m.Stream).Read = m.Pos
	}
	for _, p := range purged {
		if to, ok := other(p.Stream, actor.Person); ok && l.mayNotice(actor.Person, to) {
			at(p.Stream).Delivered = []Delivered{{Conversation: p.Stream, Person: to, Upto: p.Upto}}
		}
	}
	for _, d := range l.liveDelivered(actor.Person) { // newer than what is purged
		at(d.Conversation).Delivered = []Delivered{d}
	}
	return list, nil
}

// liveDelivered computes the delivered marks of a person's conversations from the
// positions that are still retained.
func (l *Log) liveDelivered(p parley.PersonID) []Delivered {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.readers[p]
	if r == nil {
		return nil
	}
	var marks []Delivered
	for _, id := range r.live {
		to, ok := other(id, p)
		if !ok || !l.mayNotice(p, to) {
			continue
		}
		if pos := l.streams[id].upto(l.reader(to).delivered()); pos > 0 {
			marks = append(marks, Delivered{Conversation: id, Person: to, Upto: pos})
		}
	}
	return marks
}
