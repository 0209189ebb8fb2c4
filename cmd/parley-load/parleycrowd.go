package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"

	"parley/cmd/parley-load/place"
	"parley/cmd/parley-load/wire"
)

// parleyCrowd is people with devices that speak docs/protocol.md.
type parleyCrowd struct {
	connections
	site    *site
	prefix  string         // of client ids
	numbers map[string]int // of people in the roster, by id
}

func newParleyCrowd(s *site) *parleyCrowd {
	c := &parleyCrowd{site: s, prefix: newPrefix(), numbers: make(map[string]int, len(s.roster.People))}
	for i, p := range s.roster.People {
		c.numbers[p.ID] = i
	}
	return c
}

// parleyMember is one device of one person. It hears for the reading goroutine and
// writes for its owner.
type parleyMember struct {
	crowd  *parleyCrowd
	device *wire.Device
	person int
	ears   ears

	// Of those who are watched, whose first state has not come; the reading
	// goroutine's, like text. all is closed when there is none left.
	awaited map[int]struct{}
	all     chan struct{}
	text    []byte

	// The owner's: what is being written, and the conversation with to.
	frames       wire.Frames
	frame        []byte
	to           int
	conversation string
}

// join implements crowd: socket, hello, welcome, and the first states of everybody
// who is watched.
func (c *parleyCrowd) join(ctx context.Context, j joining) (member, error) {
	m := &parleyMember{crowd: c, person: j.person, ears: j.ears, to: -1, awaited: map[int]struct{}{}, all: make(chan struct{})}
	var people []string
	if !j.alone {
		people = c.site.roster.Contacts(j.person)
	}
	for _, other := range j.follow {
		people = append(people, c.site.roster.People[other].ID)
	}
	for _, person := range people {
		m.awaited[c.numbers[person]] = struct{}{}
	}
	token := c.site.roster.People[j.person].Tokens[j.device]
	device, err := wire.Open(ctx, wire.Where{Addr: c.site.addr, From: from(j.person)}, token, m)
	if err != nil {
		return nil, err
	}
	m.device = device
	c.add(device)
	if len(people) == 0 {
		return m, nil
	}
	return m, m.lookAt(ctx, people)
}

// lookAt watches people and waits for the first state of each.
func (m *parleyMember) lookAt(ctx context.Context, people []string) error {
	if err := m.device.Watch(people); err != nil {
		return err
	}
	select {
	case <-m.all:
		return nil
	case <-m.device.Ended():
		return m.device.Err()
	case <-ctx.Done():
		return fmt.Errorf("waiting for the states of %d people: %w", len(people), context.Cause(ctx))
	}
}

// Heard implements wire.Watcher.
func (m *parleyMember) Heard(e *wire.Event) {
	switch string(e.Type) {
	case "entry":
		if e.OwnDevice { // so a device hears of its own after a gap
			m.ears.accepted()
		} else if text, err := m.decode(e.Body); err == nil {
			m.ears.message(text)
		}
	case "accepted":
		m.ears.accepted()
	case "presence":
		m.seen(e)
	case "refused", "problem":
		m.ears.refused(e.Key)
	}
}

// seen takes a state.
func (m *parleyMember) seen(e *wire.Event) {
	person, known := m.crowd.numbers[string(e.Person)]
	if !known {
		return
	}
	if m.awaited != nil {
		if delete(m.awaited, person); len(m.awaited) == 0 {
			m.awaited = nil
			close(m.all)
		}
	}
	m.ears.notice(person, e.Note)
}

// decode reads a body as far as a load test writes it.
func (m *parleyMember) decode(body []byte) (_ []byte, err error) {
	m.text, err = base64.StdEncoding.AppendDecode(m.text[:0], body[:min(len(body), encodedText)])
	return m.text, err
}

// encodedText is how much of a body is read: what a message says stands at its
// beginning, the rest is padding.
const encodedText = 128

// Applied implements wire.Watcher.
func (m *parleyMember) Applied() { m.ears.applied() }

func (m *parleyMember) write(to int, number uint64, text []byte) (err error) {
	if to != m.to {
		if m.conversation, err = m.crowd.site.roster.Conversation(m.person, to); err != nil {
			return err
		}
		m.to = to
	}
	m.frame = wire.AppendMessage(m.frame[:0], m.conversation, clientID(m.crowd.prefix, number), text)
	m.frames.Add(m.frame)
	return nil
}

func (m *parleyMember) flush() error {
	err := m.device.Write(&m.frames)
	m.frames.Reset()
	return err
}

// typing prepares that the person types to another.
func (m *parleyMember) typing(to int) error {
	conversation, err := m.crowd.site.roster.Conversation(m.person, to)
	if err != nil {
		return err
	}
	m.frames.Add(fmt.Appendf(nil, `{"type":"typing","conversation":%q,"on":true}`, conversation))
	return nil
}

func (m *parleyMember) leave() { m.device.Close() }

func (c *parleyCrowd) acknowledges() bool { return true }

func (c *parleyCrowd) gaps() (n int64) {
	for _, one := range c.all() {
		n += one.(*wire.Device).Gaps()
	}
	return n
}

// parleyVoice changes notes over HTTP, which is how the app does it.
type parleyVoice struct {
	line   *wire.Line
	people []place.Person
}

func (c *parleyCrowd) voice(number int) (voice, error) {
	line, err := c.site.line(number)
	return &parleyVoice{line, c.site.roster.People}, err
}

func (v *parleyVoice) say(ctx context.Context, person int, note string) error {
	body := append([]byte(`{"note":`), strconv.Quote(note)...)
	_, err := v.line.Do(ctx, "PUT", "/api/me/note", v.people[person].Tokens[0], append(body, '}'))
	return err
}

func (v *parleyVoice) close() { v.line.Close() }
