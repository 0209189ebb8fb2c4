package parleytest

import (
	"fmt"

	"parley/edge/webapi"
)

// What a test sees on a device, and what the person in front of it does beyond
// writing messages.

// QueueEmpty waits until every queued message was accepted or refused for good.
func (d *Device) QueueEmpty() {
	d.t.Helper()
	d.Wait("an empty send queue", func() bool { return len(d.queue) == 0 })
}

// DeliveredUpTo waits for the mark that everything up to an entry was delivered.
func (d *Device) DeliveredUpTo(conversation, id string) {
	d.t.Helper()
	d.Wait("a delivered mark", func() bool { return d.delivered[conversation] == id })
}

// Delivered returns the last delivered mark of a conversation.
func (d *Device) Delivered(conversation string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.delivered[conversation]
}

// Read says that the person has read up to an entry.
func (d *Device) Read(conversation, id string) {
	d.frame(webapi.ReadFrame{Type: "read", Conversation: conversation, ID: id})
}

// ReadUpTo waits until this device knows that another one read up to an entry.
func (d *Device) ReadUpTo(conversation, id string) {
	d.t.Helper()
	d.Wait("a read mark", func() bool { return d.read[conversation] == id })
}

// Types says that the person types, or stopped.
func (d *Device) Types(conversation string, on bool) {
	d.frame(webapi.TypingFrame{Type: "typing", Conversation: conversation, On: on})
}

// SeesTyping waits until the device shows, or no longer shows, that the other
// person types.
func (d *Device) SeesTyping(other *Device, on bool) {
	d.t.Helper()
	key := d.With(other) + " " + other.Session.Person.ID
	d.Wait(fmt.Sprintf("typing %v", on), func() bool {
		now, told := d.typing[key]
		return told && now == on
	})
}

// HearsEvent waits until so many events of a type came on this connection.
func (d *Device) HearsEvent(kind string, n int) {
	d.t.Helper()
	d.Wait(fmt.Sprintf("%d events %q", n, kind), func() bool { return d.heard[kind] >= n })
}

// Heard is how many events of a type came on this connection.
func (d *Device) Heard(kind string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.heard[kind]
}

// Activity reports what the person does with the device.
func (d *Device) Activity(active, visible bool) {
	d.frame(webapi.ActivityFrame{Type: "activity", Active: active, Visible: visible, TimeZone: "Europe/Berlin"})
}

// SignedOut waits until the server has ended the session and returns its reason.
func (d *Device) SignedOut() string {
	d.t.Helper()
	d.Wait("the end of the session", func() bool { return d.signedOut != "" && d.closeCode == webapi.CloseSignedOut })
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.signedOut
}

// Refused waits until a message is refused and returns the problem.
func (d *Device) Refused(clientID string) webapi.Problem {
	d.t.Helper()
	d.Wait("a refusal of "+clientID, func() bool { _, ok := d.refused[clientID]; return ok })
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused[clientID]
}

// Presence returns what the device knows of a watched person.
func (d *Device) Presence(person string) (webapi.Presence, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok := d.presence[person]
	return p, ok
}

// Problems returns the refusals of frames so far.
func (d *Device) Problems() []webapi.Problem {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]webapi.Problem(nil), d.problems...)
}

// ID is the person's id.
func (d *Device) ID() string { return d.Session.Person.ID }

// SetState chooses a state by hand.
func (d *Device) SetState(state string) {
	d.t.Helper()
	if err := d.Call("PUT", "/api/me/presence", webapi.SetPresenceRequest{State: state}, nil); err != nil {
		d.t.Fatalf("setting the state %q: %v", state, err)
	}
}

// SetNote sets the personal note.
func (d *Device) SetNote(note string) {
	d.t.Helper()
	if err := d.Call("PUT", "/api/me/note", webapi.SetNoteRequest{Note: note}, nil); err != nil {
		d.t.Fatalf("setting a note: %v", err)
	}
}

// TypingNeverShown fails if the device was ever told that the other person types.
func (d *Device) TypingNeverShown(other *Device) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, told := d.typing[d.With(other)+" "+other.Session.Person.ID]; told {
		d.t.Errorf("%s was told that %s types", d.Session.Address, other.Session.Address)
	}
}

// Resynced waits until the device was told that the server's log is another one,
// and is connected after having read it from the start.
func (d *Device) Resynced() {
	d.t.Helper()
	d.Wait("a resync", func() bool { return d.resyncs > 0 && d.online })
}

// Known waits until the server says of a message that it was accepted before.
func (d *Device) Known(clientID string) {
	d.t.Helper()
	d.Wait("known "+clientID, func() bool { return d.known[clientID] })
}

// Answered waits until a message is accepted, which gives the zero Problem, or
// refused.
func (d *Device) Answered(clientID string) webapi.Problem {
	d.t.Helper()
	d.Wait("an answer to "+clientID, func() bool {
		_, refused := d.refused[clientID]
		return refused || d.index[d.Session.Person.ID+clientID]
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused[clientID]
}

// Pings waits until the server has handled every frame of this device so far.
func (d *Device) Pings() {
	d.t.Helper()
	d.mu.Lock()
	before := d.heard["pong"]
	d.mu.Unlock()
	d.frame(webapi.PingFrame{Type: "ping"})
	d.Wait("a pong", func() bool { return d.heard["pong"] > before })
}
