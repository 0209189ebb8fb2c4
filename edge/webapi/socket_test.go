package webapi

import (
	"encoding/base64"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley"
	"parley/presence"
	"parley/privacy"
)

func TestMessageBetweenTwoPeople(t *testing.T) {
	w := newWorld(t)
	anna, second, ben := w.signIn("anna"), w.signIn("anna"), w.signIn("ben")
	here, there, other := anna.online(), second.online(), ben.online()
	message := anna.message("ben", "hello")
	here.send(message)

	accepted := here.expect("accepted")
	entry, copy := other.expect("entry"), there.expect("entry")
	if accepted.text("client_id") != message.ClientID || accepted.text("prev") != anna.session.Cursor || accepted.text("conversation") != message.Conversation {
		t.Errorf("accepted %v", accepted)
	}
	if entry.text("cursor") != accepted.text("cursor") || entry.text("prev") != ben.session.Cursor || copy.text("cursor") != entry.text("cursor") {
		t.Errorf("the entry is %v for Ben and %v for Anna's other device; accepted was %v", entry, copy, accepted)
	}
	if entry.text("from") != w.ids["anna"].String() || entry.text("body") != message.Body || entry["own_device"] != false || entry.text("content") != "text.v1" {
		t.Errorf("entry %v", entry)
	}
	if _, err := time.Parse(timeForm, entry.text("at")); err != nil || entry.text("at") != accepted.text("at") {
		t.Errorf("the times are %q and %q", entry.text("at"), accepted.text("at"))
	}

	here.send(message) // once more, as after a lost answer
	if e := here.expect("known"); e.text("client_id") != message.ClientID {
		t.Errorf("known %v", e)
	}
	other.send(AckFrame{Type: "ack", Cursor: entry.text("cursor")})
	if e := here.expect("delivered"); e.text("id") != accepted.text("cursor") || e.text("person") != w.ids["ben"].String() || e.text("conversation") != message.Conversation {
		t.Errorf("delivered %v", e)
	}
	second.signInAt("ben", strings.Repeat("z", 22))
	there.send(ReadFrame{Type: "read", Conversation: message.Conversation, ID: copy.text("cursor")})
	if e := here.expect("read"); e.text("id") != accepted.text("cursor") {
		t.Errorf("read %v", e)
	}
	other.send(TypingFrame{Type: "typing", Conversation: message.Conversation, On: true})
	if e := here.expect("typing"); e.text("person") != w.ids["ben"].String() || e["on"] != true {
		t.Errorf("typing %v", e)
	}
	var marks Marks
	anna.get(anna.call("GET", "/api/marks", nil), http.StatusOK, &marks)
	if len(marks.Marks) != 1 || marks.Marks[0].Read != accepted.text("cursor") || len(marks.Marks[0].Delivered) != 1 {
		t.Errorf("marks %+v", marks)
	}
}

func TestOrderAndChain(t *testing.T) {
	w := newWorld(t)
	anna, ben := w.signIn("anna"), w.signIn("ben")
	here, there := anna.online(), ben.online()
	const n = 300 // more than the burst and than what may be under way
	w.server.SetLimits(Limits{FrameBurst: 10 * n})
	var sent []string
	for range n {
		m := anna.message("ben", "text")
		sent = append(sent, m.ClientID)
		here.send(m)
	}
	prev, mine := ben.session.Cursor, anna.session.Cursor
	for i, id := range sent {
		e, a := there.expect("entry"), here.expect("accepted")
		if e.text("client_id") != id || e.text("prev") != prev || a.text("client_id") != id || a.text("prev") != mine {
			t.Fatalf("entry %d: %v, accepted %v; want %s after %s", i, e, a, id, prev)
		}
		prev, mine = e.text("cursor"), a.text("cursor")
	}
}

func TestSyncAndResume(t *testing.T) {
	w := newWorld(t)
	anna, ben := w.signIn("anna"), w.signIn("ben")
	here := anna.online()
	const n = 300 // more than the server streams
	w.server.SetLimits(Limits{FrameBurst: 10 * n})
	for range n {
		here.send(anna.message("ben", "text"))
	}
	for range n {
		here.expect("accepted")
	}
	socket := ben.hello(ben.session.Cursor)
	socket.expect("gap")
	cursor, count := ben.session.Cursor, 0
	for {
		var page Synced
		ben.get(ben.call("GET", "/api/sync?limit=100&after="+cursor, nil), http.StatusOK, &page)
		if page.Resync || page.Missed || page.Epoch != ben.session.Epoch || len(page.Entries) > 100 {
			t.Fatalf("page %+v", page)
		}
		count += len(page.Entries)
		cursor = page.Cursor
		if !page.More {
			break
		}
	}
	if count != n {
		t.Errorf("the sync gives %d entries, want %d", count, n)
	}
	socket.send(ResumeFrame{Type: "resume", Cursor: cursor})
	m := anna.message("ben", "after")
	here.send(m)
	if e := socket.expect("entry"); e.text("client_id") != m.ClientID || e.text("prev") != cursor {
		t.Errorf("after resume: %v, want prev %s", e, cursor)
	}
	var own Synced
	anna.get(anna.call("GET", "/api/sync?after="+anna.session.Cursor, nil), http.StatusOK, &own)
	if len(own.Entries) == 0 || !own.Entries[0].OwnDevice {
		t.Errorf("the sender's own sync: %d entries, the first marked %v as its own", len(own.Entries), len(own.Entries) > 0 && own.Entries[0].OwnDevice)
	}
}

func TestForeignCursor(t *testing.T) {
	w := newWorld(t)
	anna, ben := w.signIn("anna"), w.signIn("ben")
	here := anna.online()
	here.send(anna.message("ben", "hello"))
	here.expect("accepted")
	beyond := w.server.sealer.seal(1 << 40)
	for name, cursor := range map[string]string{"of another epoch": testSealer(t, 1).seal(3), "rubbish": "x", "beyond the head": beyond} {
		d := ben.dial()
		d.send(HelloFrame{Type: "hello", Protocol: 1, Cursor: cursor})
		if e := d.expect("welcome"); e["resync"] != true {
			t.Errorf("%s: welcome %v, want resync", name, e)
		}
		d.expect("gap")
		var page Synced
		ben.get(ben.call("GET", "/api/sync?after="+cursor, nil), http.StatusOK, &page)
		if !page.Resync || len(page.Entries) != 1 {
			t.Errorf("%s: sync %+v, want resync and the message", name, page)
		}
		for _, frame := range []any{AckFrame{Type: "ack", Cursor: "x"}, ResumeFrame{Type: "resume", Cursor: "x"}} {
			d.send(frame)
			if title, key, field := d.expect("problem").problem(); title != "invalid" || key != "cursor.unknown" || field != "cursor" {
				t.Errorf("%s: %s %s %s", name, title, key, field)
			}
		}
		d.send(ResumeFrame{Type: "resume", Cursor: page.Cursor})
		if events := d.settle(); len(events) != 0 {
			t.Errorf("%s: after resume: %v", name, events)
		}
		var marks Marks
		ben.get(ben.call("GET", "/api/marks?after="+testSealer(t, 1).seal(3), nil), http.StatusOK, &marks)
	}
}

func TestWelcome(t *testing.T) {
	w := newWorld(t)
	anna := w.signIn("anna")
	for name, cursor := range map[string]string{"where the session begins": anna.session.Cursor, "no cursor": ""} {
		d := anna.dial()
		d.send(HelloFrame{Type: "hello", Protocol: 1, Cursor: cursor, TimeZone: strings.Repeat("x", 1000)})
		e := d.expect("welcome")
		limits, _ := e["limits"].(map[string]any)
		if e["resync"] != false || e.text("cursor") != anna.session.Cursor || e.text("person") != anna.session.Person.ID ||
			e.text("device") != anna.session.Device || e.text("epoch") != anna.session.Epoch || limits["watched"] != float64(maxWatched) {
			t.Errorf("%s: welcome %v", name, e)
		}
	}
}

// TestFramesThatAreRefused: each frame has its documented answer, and the
// connection stays.
func TestFramesThatAreRefused(t *testing.T) {
	w := newWorld(t)
	anna := w.signIn("anna")
	socket := anna.online()
	good := anna.message("ben", "x")
	with := func(change func(*SendFrame)) SendFrame {
		m := good
		change(&m)
		return m
	}
	many := make([]string, maxWatched+1)
	for i := range many {
		many[i] = parley.PersonID(i + 1).String()
	}
	strangers := parley.DirectStream(w.ids["ben"], w.ids["carla"]).String()
	tests := []struct {
		name             string
		frame            any
		event            string
		kind, key, field string
	}{
		{"hello again", HelloFrame{Type: "hello", Protocol: 1}, "problem", "invalid", "frame.hello-again", "type"},
		{"an unknown frame", `{"type":"dance"}`, "problem", "unsupported", "frame.unknown", "type"},
		{"no type", `{}`, "problem", "unsupported", "frame.unknown", "type"},
		{"not JSON", `dance`, "problem", "invalid", "frame.malformed", ""},
		{"an array", `[]`, "problem", "invalid", "frame.malformed", ""},
		{"a wrong type", `{"type":"typing","on":"yes"}`, "problem", "invalid", "frame.malformed", "on"},
		{"too deep", `{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, "problem", "invalid", "frame.malformed", ""},
		{"too many people", WatchFrame{Type: "watch", People: many}, "problem", "too-large", "watch.too-many", "people"},
		{"nobody's id", WatchFrame{Type: "watch", People: []string{"d1"}}, "problem", "invalid", "invalid", "people"},
		{"a conversation of others", TypingFrame{Type: "typing", Conversation: strangers}, "problem", "not-found", "not-found", ""},
		{"no conversation", TypingFrame{Type: "typing", Conversation: "x"}, "problem", "not-found", "not-found", ""},
		{"an id that is none", ReadFrame{Type: "read", Conversation: good.Conversation, ID: "x"}, "problem", "invalid", "cursor.unknown", "id"},
		{"a read of others' entries", ReadFrame{Type: "read", Conversation: strangers, ID: anna.session.Cursor}, "problem", "not-found", "not-found", ""},
		{"a client id that is none", with(func(m *SendFrame) { m.ClientID = "x" }), "refused", "invalid", "message.client-id", "client_id"},
		{"a kind that is none", with(func(m *SendFrame) { m.Kind = "dance" }), "refused", "unsupported", "message.kind-unknown", "kind"},
		{"an unknown content type", with(func(m *SendFrame) { m.Content = "x.v9" }), "refused", "unsupported", "message.content-unknown", "content"},
		{"nothing to say", with(func(m *SendFrame) { m.Body = "" }), "refused", "invalid", "message.empty", "body"},
		{"too much to say", with(func(m *SendFrame) { m.Body = base64.StdEncoding.EncodeToString(make([]byte, maxMessageBody+1)) }), "refused", "too-large", "message.too-large", "body"},
		{"to nobody", with(func(m *SendFrame) { m.Conversation = parley.DirectStream(w.ids["anna"], 999).String() }), "refused", "not-found", "not-found", ""},
		{"to others", with(func(m *SendFrame) { m.Conversation = strangers }), "refused", "not-found", "not-found", ""},
		{"to no conversation", with(func(m *SendFrame) { m.Conversation = "x" }), "refused", "not-found", "not-found", ""},
	}
	for _, test := range tests {
		socket.send(test.frame)
		e := socket.next()
		kind, key, field := e.problem()
		if e.text("type") != test.event || kind != test.kind || key != test.key || field != test.field {
			t.Errorf("%s: %v, want %s %s %s %q", test.name, e, test.event, test.kind, test.key, test.field)
		}
	}
	socket.send(good)
	socket.expect("accepted")
}

func TestCloseCodes(t *testing.T) {
	tests := []struct {
		name string
		code uint16
		do   func(*testing.T, *client, *dialed)
	}{
		{"a frame before hello", CloseMalformed, func(_ *testing.T, c *client, d *dialed) { d.send(c.message("ben", "x")) }},
		{"rubbish before hello", CloseMalformed, func(_ *testing.T, _ *client, d *dialed) { d.send("x") }},
		{"a protocol that is too old", CloseTooOld, func(_ *testing.T, _ *client, d *dialed) { d.send(HelloFrame{Type: "hello", Protocol: 0}) }},
		{"a protocol that is not spoken yet", CloseTooOld, func(_ *testing.T, _ *client, d *dialed) { d.send(HelloFrame{Type: "hello", Protocol: 2}) }},
		{"a frame that is too large", CloseFrameTooBig, func(_ *testing.T, _ *client, d *dialed) {
			d.send(`{"type":"` + strings.Repeat("x", 4*maxFrame) + `"}`)
		}},
		{"rubbish without end", CloseMalformed, func(_ *testing.T, _ *client, d *dialed) {
			d.send(HelloFrame{Type: "hello", Protocol: 1})
			for range maxMalformed + 1 {
				d.send("x")
			}
		}},
	}
	w := newWorld(t)
	anna := w.signIn("anna")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := anna.dial()
			test.do(t, anna, d)
			d.ends(test.code)
		})
	}
}

func TestMalformedFramesAreForgivenForAWhile(t *testing.T) {
	w := newWorld(t)
	socket := w.signIn("anna").online()
	for range maxMalformed {
		socket.send("x")
		socket.expect("problem")
	}
	socket.settle()
}

func TestNoHelloInTime(t *testing.T) {
	w := newWorld(t, func(_ *Config, p *pace) { p.hello = 20 * time.Millisecond })
	w.signIn("anna").dial().ends(CloseNoHello)
}

// TestDeviceOnAnotherNode: a connection that another node's has taken the place of
// ends for good, but not one that may be the newer of the two, whose device has to
// come back by itself.
func TestDeviceOnAnotherNode(t *testing.T) {
	for _, test := range []struct {
		doubtful time.Duration
		code     uint16
	}{{time.Hour, CloseGoingAway}, {0, CloseReplaced}} {
		w := newWorld(t, func(_ *Config, p *pace) { p.doubtful = test.doubtful })
		anna, ben := w.signIn("anna"), w.signIn("ben")
		here, other := anna.online(), ben.online()
		device, err := parley.ParseDeviceID(anna.session.Device)
		if err != nil {
			t.Fatal(err)
		}
		w.server.Displace(device)
		here.ends(test.code)
		other.send(PingFrame{Type: "ping"})
		other.expect("pong")
	}
}

func TestOneSocketADevice(t *testing.T) {
	w := newWorld(t)
	anna, ben := w.signIn("anna"), w.signIn("ben")
	watcher := ben.online()
	watcher.send(WatchFrame{Type: "watch", People: []string{w.ids["anna"].String()}})
	watcher.expect("presence")
	first := anna.online()
	if e := watcher.expect("presence"); availability(e) != int(parley.Available) {
		t.Errorf("Anna came: %v", e)
	}
	second := anna.online()
	first.ends(CloseReplaced)
	second.settle()
	w.until("one socket is left of Anna's", func() bool { return w.server.Stats().Connections == 2 })
	if events := watcher.settle(); len(events) != 0 {
		t.Errorf("Ben noticed the change of sockets: %v", events)
	}
	_ = second.conn.NetConn().Close()
	if e := watcher.expect("presence"); availability(e) != int(parley.Offline) {
		t.Errorf("Anna left: %v", e)
	}
}

func TestSignedOut(t *testing.T) {
	tests := []struct {
		name, reason string
		do           func(*world, *client)
	}{
		{"by itself", "signed-out", func(w *world, c *client) { c.get(c.call("DELETE", "/api/session", nil), http.StatusNoContent, nil) }},
		{"by another device", "revoked", func(w *world, c *client) {
			other := w.signIn("anna")
			other.get(other.call("DELETE", "/api/devices/"+c.session.Device, nil), http.StatusNoContent, nil)
		}},
		{"disabled", "disabled", func(w *world, _ *client) {
			if err := w.auth.Disable(w.Context(), parley.System, w.ids["anna"]); err != nil {
				w.Fatal(err)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			anna := w.signIn("anna")
			greeted, silent := anna.online(), w.signInAt("ben", strings.Repeat("b", 22)).online()
			began := time.Now()
			test.do(w, anna)
			if e := greeted.expect("signed-out"); e.text("reason") != test.reason {
				t.Errorf("told %v, want %s", e, test.reason)
			}
			greeted.ends(CloseSignedOut)
			if took := time.Since(began); took > time.Second {
				t.Errorf("it took %v, want at most a second", took)
			}
			_, response, err := anna.tryDial()
			if err == nil || response == nil || response.StatusCode != http.StatusUnauthorized {
				t.Errorf("dialing again: %v", err)
			}
			silent.settle() // somebody else's socket stays
		})
	}
}

func TestSessionIsCheckedAgain(t *testing.T) {
	w := newWorld(t, func(_ *Config, p *pace) { p.recheck = 20 * time.Millisecond })
	anna := w.signIn("anna")
	socket := anna.online()
	w.mu.Lock()
	w.listen = nil // the event is lost
	w.mu.Unlock()
	anna.get(anna.call("DELETE", "/api/session", nil), http.StatusNoContent, nil)
	if e := socket.expect("signed-out"); e.text("reason") != "expired" {
		t.Errorf("told %v, want expired", e)
	}
	socket.ends(CloseSignedOut)
}

func TestStopping(t *testing.T) {
	w := newWorld(t)
	anna := w.signIn("anna")
	socket := anna.online()
	w.server.Drain()
	response := anna.call("GET", "/api/session", nil)
	if response.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After while stopping")
	}
	anna.refused(response, http.StatusServiceUnavailable, "unavailable", "server.stopping")
	if _, response, err := anna.tryDial(); err == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a socket opened while stopping: %v", err)
	}
	socket.send(anna.message("ben", "x"))
	if kind, _, _ := socket.expect("refused").problem(); kind != "unavailable" {
		t.Errorf("a message while stopping: %s", kind)
	}
	w.stop()
	socket.ends(CloseGoingAway)
}

// TestRelationHoldsAtOnce: what is written after a change of relationship is for
// the new class.
func TestRelationHoldsAtOnce(t *testing.T) {
	w := newWorld(t)
	anna, ben := w.signIn("anna"), w.signIn("ben")
	anna.online()
	socket := ben.online()
	socket.send(WatchFrame{Type: "watch", People: []string{w.ids["anna"].String()}})
	if e := socket.expect("presence"); availability(e) != int(parley.Available) {
		t.Fatalf("Ben sees %v", e)
	}
	block := privacy.Relation{Owner: w.ids["anna"], Other: w.ids["ben"], Level: privacy.Blocked}
	if err := w.gate.SetRelation(t.Context(), w.actor("anna"), block); err != nil {
		t.Fatal(err)
	}
	if e := socket.expect("presence"); availability(e) != int(parley.Offline) || presenceField(e, "since") != nil {
		t.Errorf("blocked, Ben sees %v, want Offline and nothing else", e)
	}
	// Nothing that Anna does reaches him any more, not even as a frame.
	for _, state := range []string{"busy", "do-not-disturb", "reset"} {
		anna.get(anna.call("PUT", "/api/me/presence", SetPresenceRequest{State: state}), http.StatusOK, nil)
	}
	anna.get(anna.call("PUT", "/api/me/note", SetNoteRequest{Note: "hidden"}), http.StatusOK, nil)
	if events := socket.settle(); len(events) != 0 {
		t.Errorf("blocked, Ben gets %v", events)
	}
}

func TestWatchReplacesTheList(t *testing.T) {
	w := newWorld(t)
	anna, ben := w.signIn("anna"), w.signIn("ben")
	socket := ben.online()
	people := []string{w.ids["anna"].String(), w.ids["carla"].String()}
	socket.send(WatchFrame{Type: "watch", People: people})
	if events := socket.settle(); len(events) != 2 {
		t.Errorf("at first: %v, want two states", events)
	}
	socket.send(WatchFrame{Type: "watch", People: people[1:]})
	if events := socket.settle(); len(events) != 0 {
		t.Errorf("nobody new: %v", events)
	}
	anna.online()
	if events := socket.settle(); len(events) != 0 {
		t.Errorf("Anna is no longer watched: %v", events)
	}
	w.announce(parley.PeopleChanged{People: []parley.PersonID{w.ids["carla"], w.ids["anna"]}})
	if events := socket.settle(); len(events) != 1 || events[0].text("type") != "card" || events[0].text("person") != people[1] {
		t.Errorf("the card: %v", events)
	}
}

// goneWatcher looks, each time somebody's state changes, whether a new socket
// could come in between.
type goneWatcher struct {
	viewer  parley.PersonID
	board   *presence.Board
	sockets *sockets
	open    atomic.Bool // it could, while somebody went offline
	offline atomic.Int32
}

func (g *goneWatcher) Viewer() parley.PersonID { return g.viewer }

func (g *goneWatcher) Dirty(person parley.PersonID) {
	if g.board.Presence(person).Availability != parley.Offline {
		return
	}
	if g.sockets.mu.TryRLock() {
		g.sockets.mu.RUnlock()
		g.open.Store(true)
	}
	g.offline.Add(1)
}

// TestLeavingAndComingBackDoNotMix: a device that redials at once is there. Were
// the board told of the old socket's end after the new one said hello, the person
// would be Offline on a connected device.
func TestLeavingAndComingBackDoNotMix(t *testing.T) {
	w := newWorld(t)
	anna := w.signIn("anna")
	socket := anna.online()
	g := &goneWatcher{viewer: w.ids["ben"], board: w.board, sockets: w.server.sockets}
	w.board.Watch(g, []parley.PersonID{w.ids["anna"]})
	defer w.board.Unwatch(g)
	socket.conn.NetConn().Close()
	w.until("Anna is offline", func() bool { return g.offline.Load() > 0 })
	if g.open.Load() {
		t.Error("a new socket of the device can say hello before the end of the old one counts")
	}
}
