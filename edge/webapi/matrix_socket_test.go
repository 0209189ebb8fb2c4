package webapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/contact"
	"parley/conversation"
)

// pair is a role at two devices, and the other side: the subject's phone, or for
// the subject itself a colleague's.
type pair struct {
	*matrixWorld
	testing.TB
	client, second *client
	here, there    *dialed
	other          *dialed
	to             parley.PersonID
	bystander      *dialed
	seen           map[*dialed][]event
	cursor         string // of an entry from the other side
	last           string // of the last entry that came through a fence
}

// withPair does something for every role that is on the wire.
func withPair(t *testing.T, do func(*pair, role)) {
	t.Helper()
	all := newMatrixWorld(t)
	bystander := all.signIn(bystanderName).online()
	for _, r := range onTheWire() {
		t.Run(r.name, func(t *testing.T) {
			w := all.within(t)
			all.socket.TB, bystander.TB = t, t
			p := &pair{
				matrixWorld: w, TB: t, client: w.clients[r.name], other: w.socket, to: w.ids[subjectName], bystander: bystander,
				seen: map[*dialed][]event{},
			}
			if r.kind == parley.ActorPerson {
				p.second = w.signIn(r.person())
			}
			if r.name == "self" {
				p.other, p.to = w.signIn("colleague").online(), w.ids["colleague"]
			}
			do(p, r)
		})
	}
}

// connect opens sockets at both devices and lets pass what comes of earlier.
func (p *pair) connect() {
	p.Helper()
	p.here, p.there = p.client.online(), p.second.online()
	p.quiet()
}

// quiet lets pass whatever is still on its way to anybody.
func (p *pair) quiet() {
	p.Helper()
	p.fence(p.otherName(), p.other)
	p.fence(p.client.name(), p.here, p.there)
	clear(p.seen)
}

// with is the conversation with the other side.
func (p *pair) with() string {
	return parley.DirectStream(p.ids[p.client.name()], p.to).String()
}

// fence waits until everything that happened so far has come to a person's
// sockets, and notes what came: a message from a bystander comes after it.
func (p *pair) fence(person string, sockets ...*dialed) {
	p.Helper()
	m := p.messageBetween(bystanderName, p.ids[person])
	p.bystander.send(m)
	for _, d := range sockets {
		for {
			e := d.next()
			if e.text("client_id") == m.ClientID {
				p.last = e.text("cursor")
				break
			}
			p.seen[d] = append(p.seen[d], e)
		}
		p.seen[d] = append(p.seen[d], d.settle()...)
	}
}

func (p *pair) messageBetween(from string, to parley.PersonID) SendFrame {
	m := p.client.message(bystanderName, "text")
	m.Conversation = parley.DirectStream(p.ids[from], to).String()
	return m
}

// await waits for an event and notes it with those before it.
func (p *pair) await(d *dialed, kind string) event {
	p.Helper()
	for {
		e := d.next()
		p.seen[d] = append(p.seen[d], e)
		if e.text("type") == kind {
			return e
		}
	}
}

// kinds gives the types of the events that came to a socket, and forgets them.
func (p *pair) kinds(d *dialed) string {
	var list []string
	for _, e := range p.seen[d] {
		list = append(list, e.text("type"))
	}
	delete(p.seen, d)
	slices.Sort(list)
	if list = slices.Compact(list); len(list) == 0 {
		return "-"
	}
	return strings.Join(list, " ")
}

// closedDoor wants the handshake of a role to be refused.
func (p *pair) closedDoor(want cell) {
	p.Helper()
	_, response, err := p.client.tryDial()
	if err == nil || response == nil {
		p.Fatalf("the socket opens: %v", err)
	}
	answer := answer{status: response.StatusCode, kind: response.Header.Get("Content-Type")}
	if answer.status != http.StatusUnauthorized || !strings.HasPrefix(want.refusal, "sign-in") && want.refusal != "never" {
		p.Errorf("status %d, want the refusal %s", answer.status, want.refusal)
	}
}

// TestAccessMatrixEvents makes everything happen that leads to an event, and
// compares what each role gets of it.
//
// claim: CC6, PR7
func TestAccessMatrixEvents(t *testing.T) {
	withPair(t, func(p *pair, r role) {
		if r.kind != parley.ActorPerson {
			for _, row := range eventRows {
				if want, ok := cellOf(row.cells, r.name); !ok || want.refusal != "never" {
					t.Errorf("%s: %+v, and %s has no socket", row.event, want, r.name)
				}
			}
			p.closedDoor(noSocket)
			return
		}
		p.provoke()
		for _, row := range eventRows {
			want, ok := cellOf(row.cells, r.name)
			if !ok {
				p.Errorf("the event %s has no cell for %s", row.event, r.name)
				continue
			}
			p.compareEvents(row, want)
		}
	})
}

// compareEvents looks at all events of a type that came to the role's devices.
// Fields are collected over them: a first state may lack what a later one has.
func (p *pair) compareEvents(row eventRow, want cell) {
	p.Helper()
	var fields []string
	came := false
	for _, d := range []*dialed{p.here, p.there} {
		for _, e := range p.seen[d] {
			if e.text("type") == row.event {
				came = true
				fields = append(fields, fieldsOfEvent(e)...)
			}
		}
	}
	p.TB.(*testing.T).Run(row.event, func(t *testing.T) {
		switch {
		case want.refusal == "never" && came:
			t.Errorf("it comes when %s, with %v", row.when, fields)
		case want.refusal != "never" && !came:
			t.Errorf("it does not come when %s", row.when)
		case came:
			slices.Sort(fields)
			compareFields(t, want.fields, slices.Compact(fields))
		}
	})
}

func fieldsOfEvent(e event) []string {
	found := map[string]bool{}
	walk("", map[string]any(e), found)
	var list []string
	for name := range found {
		list = append(list, name)
	}
	return list
}

// provoke makes happen what stands in the column "when" of the rows of events.
func (p *pair) provoke() {
	p.Helper()
	p.there = p.second.dial()
	p.there.send(HelloFrame{Type: "hello", Protocol: 1, Cursor: testSealer(p.TB, 1).seal(3)})
	p.await(p.there, "gap")
	p.there.send(ResumeFrame{Type: "resume", Cursor: p.second.session.Cursor})
	p.here = p.client.dial()
	p.here.send(HelloFrame{Type: "hello", Protocol: 1, Cursor: p.client.session.Cursor, Active: true, Visible: true, TimeZone: "Europe/Berlin"})
	p.await(p.here, "welcome")

	p.here.send(WatchFrame{Type: "watch", People: []string{p.ids[subjectName].String()}})
	p.await(p.here, "presence")
	note := SetNoteRequest{Note: "note for " + p.client.name(), Until: stamp(time.Now().Add(time.Hour))}
	p.subject.get(p.subject.call("PUT", "/api/me/note", note), http.StatusOK, nil)
	p.changeEntry()
	p.await(p.here, "card")
	desk := p.atDesk(p.client.name())
	desk.get(desk.call("POST", "/api/contact-groups", ContactGroupRequest{Name: "Site"}), http.StatusOK, nil)
	p.await(p.here, "contacts")

	mine := p.messageTo(p.client, p.to, "message")
	for range 2 { // the second time it is known
		p.here.send(mine)
	}
	p.await(p.here, "known")
	p.here.send(SendFrame{Type: "send", ClientID: newClientID(), Kind: "message", Content: "text.v1", Conversation: mine.Conversation})
	p.await(p.here, "refused")
	p.here.send(`{"type": "dance"}`)
	p.here.send(PingFrame{Type: "ping"})
	p.await(p.here, "pong")

	theirs := p.messageBetween(p.client.name(), p.to) // the same conversation
	theirs.ClientID = newClientID()
	p.other.send(TypingFrame{Type: "typing", Conversation: p.with(), On: true})
	p.other.send(theirs)
	cursor := p.await(p.here, "entry").text("cursor")
	p.other.send(AckFrame{Type: "ack", Cursor: cursor})
	p.other.settle()
	p.there.send(ReadFrame{Type: "read", Conversation: theirs.Conversation, ID: cursor})
	p.await(p.here, "read")
	p.fence(p.client.name(), p.here, p.there)
	p.second.get(p.second.call("DELETE", "/api/devices/"+p.client.session.Device, nil), http.StatusNoContent, nil)
	p.await(p.here, "signed-out")
}

// changeEntry changes the subject's directory entry.
func (p *pair) changeEntry() {
	p.Helper()
	person, _ := p.book.Person(p.ids[subjectName])
	person.Office += "'"
	if _, err := p.book.Apply(p.Context(), []contact.Change{{Person: person}}, parley.Alongside{}); err != nil {
		p.Fatal(err)
	}
}

// TestAccessMatrixFrames sends every frame as every role and compares what it
// leads to.
//
// claim: CC6, PR7
func TestAccessMatrixFrames(t *testing.T) {
	withPair(t, func(p *pair, r role) {
		if r.kind != parley.ActorPerson {
			for _, row := range frameRows {
				want, _ := cellOf(row.cells, r.name)
				p.closedDoor(want)
			}
			return
		}
		p.prepareFrames()
		for _, row := range frameRows {
			want, ok := cellOf(row.cells, r.name)
			frame := p.frame(row.frame)
			if !ok || frame == nil {
				p.Errorf("the frame %s: a cell for %s: %v; the test knows %v", row.frame, r.name, ok, frame)
				continue
			}
			p.here.send(frame)
			if want.answer != "-" {
				p.await(p.here, want.answer)
			}
			p.seen[p.here] = append(p.seen[p.here], p.here.settle()...)
			p.fence(p.otherName(), p.other)
			p.fence(p.client.name(), p.here, p.there)
			got := fmt.Sprintf("%s | %s | %s", p.kinds(p.here), p.kinds(p.there), p.kinds(p.other))
			if expected := fmt.Sprintf("%s | %s | %s", want.answer, want.own, want.subject); got != expected {
				p.Errorf("%s leads to %s, want %s (answer | own other device | the subject's)", row.frame, got, expected)
			}
		}
	})
}

func (p *pair) otherName() string {
	if p.to == p.ids[subjectName] {
		return subjectName
	}
	return "colleague"
}

// prepareFrames gives the role an entry that it can acknowledge and read, and a
// socket that has not said hello.
func (p *pair) prepareFrames() {
	p.Helper()
	p.there = p.second.online()
	theirs := p.messageBetween(p.client.name(), p.to)
	p.other.send(theirs)
	p.cursor = p.there.expect("entry").text("cursor")
	p.fence(p.otherName(), p.other)
	p.fence(p.client.name(), p.there)
	clear(p.seen)
	p.here = p.client.dial()
}

func (p *pair) frame(kind string) any {
	switch kind {
	case "hello":
		return HelloFrame{Type: kind, Protocol: 1, Build: "test", Cursor: p.last, Visible: true, Active: true, TimeZone: "Europe/Berlin"}
	case "watch":
		return WatchFrame{Type: kind, People: []string{p.ids[subjectName].String()}}
	case "activity":
		return ActivityFrame{Type: kind, Active: true, Visible: true, TimeZone: "Europe/Berlin"}
	case "send":
		return p.messageTo(p.client, p.to, parley.KindMessage.String())
	case "ack":
		return AckFrame{Type: kind, Cursor: p.cursor}
	case "read":
		return ReadFrame{Type: kind, Conversation: p.with(), ID: p.cursor}
	case "typing":
		return TypingFrame{Type: kind, Conversation: p.with(), On: true}
	case "resume":
		return ResumeFrame{Type: kind, Cursor: p.last}
	case "ping":
		return PingFrame{Type: kind}
	default:
		return nil
	}
}

// TestAccessMatrixEntries sends every kind of entry both ways. The roles without
// a device hand theirs to the log itself, which is where entries of whatever edge
// end.
//
// claim: CC6, PR7
func TestAccessMatrixEntries(t *testing.T) {
	withPair(t, func(p *pair, r role) {
		for _, row := range entryRows {
			want, ok := cellOf(row.cells, r.name)
			switch {
			case !ok:
				p.Errorf("entries of the kind %s have no cell for %s", row.kind, r.name)
			case r.kind != parley.ActorPerson:
				p.refusedByTheLog(row.kind, r)
			case row.kind == parley.KindNotice:
				p.notice(want, r)
			default:
				p.exchange(row.kind, want)
			}
		}
	})
}

func (p *pair) refusedByTheLog(kind parley.EntryKind, r role) {
	p.Helper()
	actor := parley.Actor{Kind: r.kind, Person: p.ids["friend"], Device: deviceOf(p.TB, p.clients["friend"])}
	m := conversation.Message{
		Conversation: parley.DirectStream(actor.Person, p.ids[subjectName]), ClientID: parley.ClientID(newClientID()), Kind: kind, Content: "text.v1", Body: parley.Body("x"),
	}
	err := p.log.Send(p.Context(), actor, m, func(error) {})
	if err == nil || parley.KindOf(err) != parley.SignIn {
		p.Errorf("%s sends %s: %v, want sign-in", r.name, kind, err)
	}
	page, err := p.log.Sync(p.Context(), actor, 0, 0)
	if refusal, ok := errors.AsType[*parley.Error](err); !ok || refusal.Kind != parley.SignIn || len(page.Items) > 0 {
		p.Errorf("%s syncs: %d entries, %v", r.name, len(page.Items), err)
	}
}

func deviceOf(t testing.TB, c *client) parley.DeviceID {
	t.Helper()
	id, err := parley.ParseDeviceID(c.session.Device)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// notice sends one, which is refused, and has the subject cause one: that it adds
// the role. Nobody is told of who is in their list already, so the subject itself
// is added by the bystander.
func (p *pair) notice(want cell, r role) {
	p.Helper()
	p.connect()
	p.here.send(p.messageTo(p.client, p.to, parley.KindNotice.String()))
	p.await(p.here, want.answer)
	p.fence(p.otherName(), p.other)
	p.fence(p.client.name(), p.here, p.there)
	got := fmt.Sprintf("%s | %s | %s", p.kinds(p.here), p.kinds(p.there), p.kinds(p.other))
	if expected := fmt.Sprintf("%s | %s | %s", want.answer, want.own, want.subject); got != expected {
		p.Errorf("sending a notice leads to %s, want %s (answer | own other device | the subject's)", got, expected)
	}
	adder := p.atDesk(subjectName)
	if r.name == "self" {
		adder = p.atDesk(bystanderName)
	}
	path := "/api/contacts/" + p.ids[p.client.name()].String()
	adder.get(adder.call("DELETE", path, nil), http.StatusOK, nil)
	adder.get(adder.call("PUT", path, map[string]any{}), http.StatusOK, nil)
	if want.refusal == "never" {
		p.fence(p.client.name(), p.here, p.there)
		if told := p.kinds(p.here) + p.kinds(p.there); strings.Contains(told, "entry") {
			p.Errorf("who is blocked is told %s of being added", told)
		}
		return
	}
	for _, d := range []*dialed{p.here, p.there} {
		e := d.expect("entry")
		compareFields(p.TB.(*testing.T), want.fields, fieldsOfEvent(e))
		if e.text("kind") != "notice" || e.text("conversation") != p.ids[p.client.name()].String() || e.text("from") != "" {
			p.Errorf("being added is told by %v", e)
		}
	}
}

func (p *pair) exchange(kind parley.EntryKind, want cell) {
	p.Helper()
	p.connect()
	p.here.send(p.messageTo(p.client, p.to, kind.String()))
	p.await(p.here, want.answer)
	p.fence(p.otherName(), p.other)
	p.fence(p.client.name(), p.here, p.there)
	got := fmt.Sprintf("%s | %s | %s", p.kinds(p.here), p.kinds(p.there), p.kinds(p.other))
	if expected := fmt.Sprintf("%s | %s | %s", want.answer, want.own, want.subject); got != expected {
		p.Errorf("sending %s leads to %s, want %s (answer | own other device | the subject's)", kind, got, expected)
	}
	theirs := p.messageBetween(p.client.name(), p.to)
	theirs.Kind = kind.String()
	p.other.send(theirs)
	for _, d := range []*dialed{p.here, p.there} {
		compareFields(p.TB.(*testing.T), want.fields, fieldsOfEvent(d.expect("entry")))
	}
	p.other.settle()
}
