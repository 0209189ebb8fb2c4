package webapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/privacy"
)

// TestBlockedAndTwinAreOne asks everything that can be asked about a person as
// somebody who is blocked, before the person ever signs in and when they are
// there, busy at their devices, and block the asker. Status, headers, bodies and
// what comes over the socket are the same.
//
// claim: PR7, CC6
func TestBlockedAndTwinAreOne(t *testing.T) {
	w := newQuietMatrixWorld(t)
	asker, bystander := w.signIn("blocked"), w.signIn(bystanderName).online()
	twin := w.observe(asker, bystander, func() {})

	w.standApart()
	w.signEverybodyIn()
	blocked := w.observe(asker, bystander, func() { w.busy(asker) })

	var card Card
	friend := w.clients["friend"]
	if friend.get(friend.call("GET", "/api/people/sofia@example.org", nil), http.StatusOK, &card); card.Presence.Note != "busy" {
		t.Fatalf("a friend sees %+v of the subject: the test shows nothing", card.Presence)
	}
	for i, step := range twin {
		if i >= len(blocked) || blocked[i] != step {
			t.Errorf("of a twin:\n%s\nblocked:\n%s", step, slices.Concat(blocked, []string{"nothing"})[min(i, len(blocked))])
		}
	}
	if len(blocked) != len(twin) || len(twin) < 10 {
		t.Errorf("%d answers of a twin, %d when blocked", len(twin), len(blocked))
	}
	w.relate(privacy.Relation{Other: w.ids["blocked"], Level: privacy.Friends, InContacts: true})
	if friends := w.observe(asker, bystander, func() { w.busy(asker) }); slices.Equal(friends, twin) {
		t.Error("a friend observes what somebody blocked does: the test shows nothing")
	}
}

// busy makes the subject do at its devices what somebody blocked must not notice.
func (w *matrixWorld) busy(asker *client) {
	w.Helper()
	talk := parley.DirectStream(w.ids[subjectName], w.ids[asker.name()]).String()
	for _, on := range []bool{true, false, true} {
		w.socket.send(TypingFrame{Type: "typing", Conversation: talk, On: on})
	}
	for path, body := range map[string]any{
		"/api/me/presence": SetPresenceRequest{State: "do-not-disturb"}, "/api/me/note": SetNoteRequest{Note: "busy"},
	} {
		w.subject.get(w.subject.call("PUT", path, body), http.StatusOK, nil)
	}
	for _, e := range w.socket.settle() {
		if e.text("type") == "entry" {
			w.socket.send(AckFrame{Type: "ack", Cursor: e.text("cursor")})
			w.socket.send(ReadFrame{Type: "read", Conversation: e.text("conversation"), ID: e.text("cursor")})
		}
	}
	w.socket.settle()
}

// observe is everything that the asker can find out about the subject, step by
// step, with what differs from one time to the next made equal.
func (w *matrixWorld) observe(asker *client, bystander *dialed, meanwhile func()) []string {
	w.Helper()
	var steps []string
	note := func(what string, answer answer) {
		answer.header.Del("Date")
		var lines []string
		for name, values := range answer.header {
			lines = append(lines, fmt.Sprintf("%s: %q", name, values))
		}
		slices.Sort(lines)
		steps = append(steps, fmt.Sprintf("%s: %d\n%s\n%s", what, answer.status, strings.Join(lines, "\n"), answer.text))
	}
	for _, row := range operationRows {
		if !row.own {
			note(row.name(), w.ask(asker, row, "192.0.2.1"))
		}
	}
	socket := asker.online()
	defer socket.conn.NetConn().Close()
	socket.settle() // what is left of the last time
	to := w.ids[subjectName]
	socket.send(WatchFrame{Type: "watch", People: []string{to.String()}})
	message := w.messageTo(asker, to, "message")
	socket.send(TypingFrame{Type: "typing", Conversation: message.Conversation, On: true})
	socket.send(message)
	seen := []event{}
	for len(seen) == 0 || seen[len(seen)-1].text("type") != "accepted" {
		seen = append(seen, socket.next())
	}
	accepted := seen[len(seen)-1].text("cursor")
	meanwhile()
	for _, frame := range []any{
		message, ReadFrame{Type: "read", Conversation: message.Conversation, ID: accepted}, AckFrame{Type: "ack", Cursor: accepted},
	} {
		socket.send(frame)
	}
	seen = append(seen, w.fenced(socket, bystander, asker)...)
	for _, e := range seen {
		steps = append(steps, "event "+anonymised(w, mustEncode(e)))
	}
	page := asker.call("GET", "/api/sync?after="+accepted, nil)
	steps = append(steps, "sync "+anonymised(w, asker.text(page)))
	all := asker.call("GET", "/api/sync?after=", nil)
	steps = append(steps, "sync from the start, the last: "+lastEntryTo(w, message.Conversation, asker.text(all)))
	marks := asker.call("GET", "/api/marks?after="+accepted, nil)
	steps = append(steps, "marks "+anonymised(w, asker.text(marks)))
	return steps
}

// fenced waits until what happened has come to a socket, and gives what came.
func (w *matrixWorld) fenced(socket, bystander *dialed, asker *client) []event {
	w.Helper()
	m := asker.message(bystanderName, "text") // of which the bystander has the other end
	bystander.send(m)
	var list []event
	for {
		e := socket.next()
		if e.text("client_id") == m.ClientID {
			return append(list, socket.settle()...)
		}
		list = append(list, e)
	}
}

// anonymised replaces cursors, client ids and times, which never come twice.
func anonymised(w *matrixWorld, text []byte) string {
	w.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		w.Fatalf("%s: %v", text, err)
	}
	return string(mustEncode(withoutChance("", value)))
}

func withoutChance(name string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		for inner := range v {
			v[inner] = withoutChance(inner, v[inner])
		}
	case []any:
		for i := range v {
			v[i] = withoutChance(name, v[i])
		}
	case string:
		switch name {
		case "cursor", "prev", "id", "client_id", "at", "read":
			return name
		}
	}
	return value
}

// lastEntryTo is the last entry of a conversation in a page.
func lastEntryTo(w *matrixWorld, conversation string, text []byte) string {
	w.Helper()
	var page Synced
	if err := json.Unmarshal(text, &page); err != nil {
		w.Fatalf("%s: %v", text, err)
	}
	for _, e := range slices.Backward(page.Entries) {
		if e.Conversation == conversation {
			return anonymised(w, mustEncode(e))
		}
	}
	return "nothing"
}

// TestNothingIsToldAfterTheBlock: what was written before somebody was blocked and
// is fetched after it is delivered, and they are not told.
//
// claim: PR7
func TestNothingIsToldAfterTheBlock(t *testing.T) {
	w := newMatrixWorld(t)
	bystander, sender := w.signIn(bystanderName).online(), w.clients["colleague"]
	socket := sender.online()
	message := w.messageTo(sender, w.ids[subjectName], "message")
	socket.send(message)
	socket.expect("accepted")
	entry := w.socket.expect("entry")
	w.relate(privacy.Relation{Other: w.ids["colleague"], Level: privacy.Blocked})
	for _, frame := range []any{
		AckFrame{Type: "ack", Cursor: entry.text("cursor")},
		ReadFrame{Type: "read", Conversation: message.Conversation, ID: entry.text("cursor")},
		TypingFrame{Type: "typing", Conversation: message.Conversation, On: true},
	} {
		w.socket.send(frame)
	}
	w.socket.settle()
	if told := w.fenced(socket, bystander, sender); len(told) > 0 {
		t.Errorf("blocked, the sender is told %v", told)
	}
	var marks Marks
	if sender.get(sender.call("GET", "/api/marks", nil), http.StatusOK, &marks); len(marks.Marks) > 0 {
		t.Errorf("blocked, the sender has the marks %+v", marks.Marks)
	}
}
