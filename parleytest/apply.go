package parleytest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"

	"parley/edge/webapi"
)

// event applies one event and reports whether the cursor moved.
func (d *Device) event(raw json.RawMessage) bool {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		d.t.Errorf("an event without a type: %v", err)
		return false
	}
	d.mu.Lock()
	d.heard[head.Type]++
	d.mu.Unlock()
	switch head.Type {
	case "welcome":
		d.welcome(decode[webapi.WelcomeEvent](d, raw))
	case "entry":
		return d.entry(decode[webapi.EntryEvent](d, raw))
	case "accepted":
		return d.accepted(decode[webapi.AcceptedEvent](d, raw))
	case "gap":
		d.sync()
	default:
		d.signal(head.Type, raw)
	}
	return false
}

// signal applies the events that do not move the cursor.
func (d *Device) signal(kind string, raw json.RawMessage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.tell()
	switch kind {
	case "presence":
		e := decode[webapi.PresenceEvent](d, raw)
		d.presence[e.Person] = e.Presence
	case "delivered":
		e := decode[webapi.DeliveredEvent](d, raw)
		d.delivered[e.Conversation] = e.ID
	case "read":
		e := decode[webapi.ReadEvent](d, raw)
		d.read[e.Conversation] = e.ID
	case "typing":
		e := decode[webapi.TypingEvent](d, raw)
		d.typing[e.Conversation+" "+e.Person] = e.On
	case "contacts":
		d.listVersion = max(d.listVersion, decode[webapi.ContactsEvent](d, raw).Version)
	case "refused":
		e := decode[webapi.RefusedEvent](d, raw)
		d.refused[e.ClientID] = e.Problem
		if e.Problem.Retry == "never" {
			d.dequeue(e.ClientID)
		} else {
			d.again(e.ClientID)
		}
	case "known":
		d.known[decode[webapi.KnownEvent](d, raw).ClientID] = true
	case "problem":
		d.problems = append(d.problems, decode[webapi.ProblemEvent](d, raw).Problem)
	case "signed-out":
		d.signedOut = decode[webapi.SignedOutEvent](d, raw).Reason
	}
}

func decode[T any](d *Device, raw json.RawMessage) T {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		d.t.Errorf("decoding an event: %v", err)
	}
	return v
}

// welcome opens the connection: it syncs when the server says so, and sends what
// is queued.
func (d *Device) welcome(e webapi.WelcomeEvent) {
	if e.Resync {
		d.mu.Lock()
		d.resyncs++
		d.cursor = ""
		d.mu.Unlock()
		d.sync()
	}
	d.sending.Lock()
	defer d.sending.Unlock()
	d.mu.Lock()
	d.online = true
	clear(d.underWay)
	queue := slices.Clone(d.queue)
	if d.careful {
		queue = nil
	}
	watched := d.watched
	d.tell()
	d.mu.Unlock()
	if watched != nil {
		d.frame(webapi.WatchFrame{Type: "watch", People: watched})
	}
	for _, m := range queue {
		d.send(m)
	}
	if d.careful {
		d.pump()
	}
}

func (d *Device) entry(e webapi.EntryEvent) bool {
	if !d.chained(e.Prev) {
		return false
	}
	d.file(e.Entry)
	return true
}

func (d *Device) accepted(e webapi.AcceptedEvent) bool {
	if !d.chained(e.Prev) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m := Message{Conversation: e.Conversation, From: d.Session.Person.ID, ClientID: e.ClientID, ID: e.Cursor}
	if i := slices.IndexFunc(d.queue, func(q Message) bool { return q.ClientID == e.ClientID }); i >= 0 {
		m.Text = d.queue[i].Text
	}
	d.add(m)
	d.cursor = e.Cursor
	return true
}

// chained checks that an entry follows on the device's cursor, and syncs if not.
func (d *Device) chained(prev string) bool {
	d.mu.Lock()
	fits, resuming := prev == d.cursor, d.resuming
	if fits {
		d.resuming = false
	}
	d.mu.Unlock()
	if !fits && !resuming {
		d.sync()
	}
	return fits
}

func (d *Device) file(e webapi.Entry) {
	body, err := base64.StdEncoding.DecodeString(e.Body)
	if err != nil {
		d.t.Errorf("a body is not base64: %v", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.add(Message{
		Conversation: e.Conversation, From: e.From, ClientID: e.ClientID, Text: string(body), ID: e.Cursor, Kind: e.Kind, Content: e.Content,
	})
	d.cursor = e.Cursor
}

// add files a message once. Call it with mu held.
func (d *Device) add(m Message) {
	key := m.From + cmp.Or(m.ClientID, m.ID) // an entry of the server's has no id of a client
	if d.index[key] {
		if d.resyncs == 0 {
			d.doubled = append(d.doubled, m.Text)
		}
	} else {
		d.index[key] = true
		d.history = append(d.history, m)
	}
	if m.From == d.Session.Person.ID {
		d.dequeue(m.ClientID)
	}
	d.tell()
}

// dequeue takes a message out of the queue. Call it with mu held.
func (d *Device) dequeue(clientID string) {
	for i, m := range d.queue {
		if m.ClientID == clientID {
			d.queue = slices.Delete(d.queue, i, i+1)
			if d.careful {
				delete(d.underWay, m.Conversation)
				go d.pump()
			}
			return
		}
	}
}

// sync fetches what lies between the cursor and the present, then resumes.
func (d *Device) sync() {
	for {
		d.mu.Lock()
		cursor := d.cursor
		d.mu.Unlock()
		var page webapi.Synced
		if err := d.Call("GET", "/api/sync?after="+url.QueryEscape(cursor), nil, &page); err != nil {
			d.mu.Lock()
			d.syncFailed = err
			if d.conn != nil {
				d.conn.NetConn().Close() // like a phone: the next connection starts over
			}
			d.mu.Unlock()
			return
		}
		if page.Resync {
			d.mu.Lock()
			d.resyncs++
			d.mu.Unlock()
		}
		for _, e := range page.Entries {
			d.file(e)
		}
		d.mu.Lock()
		d.cursor, d.resuming = page.Cursor, true
		d.mu.Unlock()
		if !page.More {
			break
		}
	}
	d.mu.Lock()
	cursor := d.cursor
	d.mu.Unlock()
	d.frame(webapi.ResumeFrame{Type: "resume", Cursor: cursor})
	d.acknowledge()
}

// acknowledge says what is stored.
func (d *Device) acknowledge() {
	d.mu.Lock()
	cursor, quiet := d.cursor, d.noAck
	d.mu.Unlock()
	if !quiet && cursor != "" {
		d.frame(webapi.AckFrame{Type: "ack", Cursor: cursor})
	}
}
