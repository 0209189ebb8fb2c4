package parleytest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"parley/edge/webapi"
)

// patience is how long a test waits for what must happen. Nothing is measured
// with it: it only ends a test that would wait for ever.
const patience = 20 * time.Second

// Message is what a device has in its history.
type Message struct {
	Conversation string
	From         string
	ClientID     string
	Text         string
	ID           string // the entry's cursor
	Kind         string // of the entry; empty: a message of one's own
	Content      string // the content type, likewise
}

// Device is one signed-in device: a client of the wire as docs/protocol.md asks
// for it. It keeps its history, cursor and send queue through reconnects, and
// like a phone it redials for as long as it is not closed.
type Device struct {
	t       testing.TB
	token   string
	Session webapi.Session

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}

	sending sync.Mutex // held from taking a message into the queue to writing it, so that the order is the queue's

	mu        sync.Mutex
	bases     []string // of the nodes that it may use; the first is the one in use
	quiet     time.Duration
	pong      time.Duration
	lastWord  time.Time     // when anything came from the server
	changed   chan struct{} // closed and replaced at every change
	conn      *gws.Conn
	online    bool
	cursor    string
	resuming  bool
	history   []Message
	index     map[string]bool // from + client id
	queue     []Message
	queued    []Message         // everything that ever was in the queue
	underWay  map[string]string // of a careful device: what is sent and not answered, by conversation
	careful   bool
	presence  map[string]webapi.Presence
	delivered map[string]string // conversation: id
	read      map[string]string
	typing    map[string]bool
	watched   []string
	refused   map[string]webapi.Problem
	known     map[string]bool
	problems  []webapi.Problem
	signedOut string
	closeCode uint16
	doubled   []string       // what came twice although the cursor had passed it
	heard     map[string]int // events of this connection, by type
	resyncs   int

	listVersion int64 // newest version of the Contacts list of which the device was told
	syncFailed  error // the last sync that came to no end
	noAck       bool
}

// The heartbeat of a device, as docs/protocol.md §3 has it.
const (
	quietFor   = 20 * time.Second
	pongWithin = 5 * time.Second
)

// Roam lets the device go to another of these nodes when the one that it uses is
// gone, as a load balancer in front of them would have it; it notices one that
// says nothing after quiet and then pong. It has one message of a conversation
// under way, since one may be refused for now while a later one is taken.
func (d *Device) Roam(quiet, pong time.Duration, bases ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.quiet, d.pong, d.careful = quiet, pong, true
	for _, base := range bases {
		if !slices.Contains(d.bases, base) {
			d.bases = append(d.bases, base)
		}
	}
}

// base is the node in use.
func (d *Device) base() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bases[0]
}

// leave turns to the next node, if base is still the one in use.
func (d *Device) leave(base string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bases[0] == base {
		d.bases = append(d.bases[1:], base)
	}
}

// SignIn signs a device in at the server with this base URL and connects it.
func SignIn(t testing.TB, base string, request webapi.SignInRequest) *Device {
	t.Helper()
	d, err := TrySignIn(t, base, request)
	if err != nil {
		t.Fatalf("signing %s in: %v", request.Address, err)
	}
	d.Connect()
	return d
}

// TrySignIn signs a device in without connecting it.
func TrySignIn(t testing.TB, base string, request webapi.SignInRequest) (*Device, error) {
	request.Token = true
	if request.Installation == "" {
		request.Installation = randomID()
	}
	if request.DeviceClass == "" {
		request.DeviceClass = "mobile"
	}
	d := newDevice(t, base)
	if err := d.Call("POST", "/api/session", request, &d.Session); err != nil {
		return nil, err
	}
	d.token, d.cursor = d.Session.Token, d.Session.Cursor
	return d, nil
}

func newDevice(t testing.TB, base string) *Device {
	return &Device{
		t: t, bases: []string{base}, quiet: quietFor, pong: pongWithin, changed: make(chan struct{}),
		index: map[string]bool{}, presence: map[string]webapi.Presence{}, delivered: map[string]string{},
		read: map[string]string{}, typing: map[string]bool{}, refused: map[string]webapi.Problem{}, underWay: map[string]string{}, known: map[string]bool{}, heard: map[string]int{},
	}
}

func randomID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Refusal is a problem document that a request was answered with.
type Refusal struct {
	Status  int
	Problem webapi.Problem
	Header  http.Header
}

// Error describes the refusal.
func (r *Refusal) Error() string { return fmt.Sprintf("%d %s", r.Status, r.Problem.Key) }

// Call makes a request as this device. in and out may be nil. A refusal is a
// *Refusal.
func (d *Device) Call(method, path string, in, out any) error {
	d.mu.Lock()
	within := patience
	if len(d.bases) > 1 {
		within = d.quiet + d.pong
	}
	d.mu.Unlock()
	return call(d.base(), d.token, method, path, in, out, within)
}

// Insist makes a request at one node after the other until one takes it, as a
// person does who taps again.
func (d *Device) Insist(method, path string, in any) {
	d.t.Helper()
	deadline := time.Now().Add(3 * patience)
	for {
		base := d.base()
		err := call(base, d.token, method, path, in, nil, 3*time.Second)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s %s is taken by no node: %v", method, path, err)
		}
		d.leave(base)
		<-time.After(50 * time.Millisecond)
	}
}

// Anonymous makes a request without a session.
func Anonymous(base, method, path string, in, out any) error {
	return call(base, "", method, path, in, out, patience)
}

func call(base, token, method, path string, in, out any, within time.Duration) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	request, err := http.NewRequest(method, base+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Timeout: within}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		refusal := &Refusal{Status: answer.StatusCode, Header: answer.Header}
		json.Unmarshal(raw, &refusal.Problem)
		return refusal
	}
	if out == nil {
		return nil
	}
	if raw2, ok := out.(*[]byte); ok {
		*raw2 = raw
		return nil
	}
	return json.Unmarshal(raw, out)
}

// Connect dials and keeps the device connected until Close.
func (d *Device) Connect() {
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.done = make(chan struct{})
	go d.run()
	d.t.Cleanup(d.Close)
}

// Close takes the device offline. What it stored stays; Connect brings it back.
func (d *Device) Close() {
	if d.cancel == nil {
		return
	}
	d.cancel()
	d.mu.Lock()
	if d.conn != nil {
		d.conn.NetConn().Close()
	}
	d.mu.Unlock()
	<-d.done
	d.cancel = nil
}

// run redials for as long as the device is neither closed nor signed out.
func (d *Device) run() {
	defer close(d.done)
	for d.ctx.Err() == nil && !d.ended() {
		d.dial()
		select {
		case <-d.ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (d *Device) ended() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.signedOut != ""
}

func (d *Device) dial() {
	base := d.base()
	defer d.leave(base)
	ws := strings.Replace(base, "http", "ws", 1) + "/api/ws"
	conn, _, err := gws.NewClient(&handler{device: d}, &gws.ClientOption{
		Addr:             ws,
		HandshakeTimeout: 5 * time.Second,
		RequestHeader:    http.Header{"Authorization": {"Bearer " + d.token}},
	})
	if err != nil {
		return
	}
	d.mu.Lock()
	if d.ctx.Err() != nil {
		d.mu.Unlock()
		conn.NetConn().Close()
		return
	}
	d.conn, d.resuming, d.heard, d.lastWord = conn, false, map[string]int{}, time.Now()
	hello := webapi.HelloFrame{Type: "hello", Protocol: 1, Build: "parleytest", Cursor: d.cursor, Visible: true, Active: true, TimeZone: "Europe/Berlin"}
	d.mu.Unlock()
	d.frame(hello)
	ended := make(chan struct{})
	go d.listen(conn, ended)
	conn.ReadLoop()
	close(ended)
	d.mu.Lock()
	d.conn, d.online = nil, false
	d.tell()
	d.mu.Unlock()
}

// listen gives a connection up on which nothing comes, not even when asked.
func (d *Device) listen(conn *gws.Conn, ended <-chan struct{}) {
	for {
		d.mu.Lock()
		silence, quiet, pong := time.Since(d.lastWord), d.quiet, d.pong
		d.mu.Unlock()
		switch {
		case silence >= quiet+pong:
			conn.NetConn().Close()
			return
		case silence >= quiet:
			d.frame(webapi.PingFrame{Type: "ping"})
		}
		select {
		case <-ended:
			return
		case <-time.After(pong / 2):
		}
	}
}

// frame sends one frame; a socket that is gone is noticed by its reader.
func (d *Device) frame(v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		d.t.Errorf("encoding a frame: %v", err)
		return
	}
	d.Raw(raw)
}

// Raw sends bytes as a text frame, whatever they are. Like a browser's socket it
// takes everything and never waits: a device that could not read while it writes
// would have the server stop reading from it.
func (d *Device) Raw(raw []byte) {
	d.mu.Lock()
	conn := d.conn
	d.mu.Unlock()
	if conn != nil {
		conn.WriteAsync(gws.OpcodeText, raw, nil)
	}
}

// tell wakes whoever waits. Call it with mu held.
func (d *Device) tell() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// Wait waits until the condition holds; it is called with the device locked.
func (d *Device) Wait(what string, condition func() bool) {
	d.t.Helper()
	if !d.waits(condition) {
		d.t.Fatalf("%s: waited %v for: %s\n%s", d.Session.Address, patience, what, d.state())
	}
}

// state describes the device for whoever has to find out why it waits.
func (d *Device) state() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var waits []string
	for _, m := range d.queue {
		said := "no answer"
		if p, ok := d.refused[m.ClientID]; ok {
			said = p.Title + " " + p.Key
		} else if d.known[m.ClientID] {
			said = "known"
		}
		waits = append(waits, fmt.Sprintf("%q: %s", m.Text, said))
	}
	return fmt.Sprintf("online %v, resuming %v, cursor %s, %d in the history, resyncs %d, last failed sync %v, problems %v, closed with %d, heard %v, queue of %d: %.1000s",
		d.online, d.resuming, d.cursor, len(d.history), d.resyncs, d.syncFailed, d.problems, d.closeCode, d.heard, len(d.queue), strings.Join(waits, "; "))
}

func (d *Device) waits(condition func() bool) bool {
	deadline := time.After(patience)
	for {
		d.mu.Lock()
		ok, changed := condition(), d.changed
		d.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-deadline:
			return false
		}
	}
}

// Online waits until the device is connected and welcomed.
func (d *Device) Online() *Device {
	d.t.Helper()
	d.Wait("welcome", func() bool { return d.online })
	return d
}

// Queue puts a message into the send queue and sends it when connected. It
// returns the client id.
func (d *Device) Queue(conversation, text string) string {
	m := Message{Conversation: conversation, From: d.Session.Person.ID, ClientID: randomID(), Text: text}
	d.sending.Lock()
	defer d.sending.Unlock()
	d.mu.Lock()
	d.queue, d.queued = append(d.queue, m), append(d.queued, m)
	online, careful := d.online, d.careful
	d.mu.Unlock()
	switch {
	case careful:
		d.pump()
	case online:
		d.send(m)
	}
	return m.ClientID
}

// pump sends the first message of every conversation that has none under way.
func (d *Device) pump() {
	d.mu.Lock()
	var ready []Message
	for _, m := range d.queue {
		if _, busy := d.underWay[m.Conversation]; d.online && !busy {
			d.underWay[m.Conversation] = m.ClientID
			ready = append(ready, m)
		}
	}
	d.mu.Unlock()
	for _, m := range ready {
		d.send(m)
	}
}

// again tries a message that was refused for now. Call it with mu held.
func (d *Device) again(clientID string) {
	for conversation, id := range d.underWay {
		if id == clientID {
			time.AfterFunc(100*time.Millisecond, func() {
				d.mu.Lock()
				if d.underWay[conversation] == clientID {
					delete(d.underWay, conversation)
				}
				d.mu.Unlock()
				d.pump()
			})
		}
	}
}

func (d *Device) send(m Message) {
	d.frame(webapi.SendFrame{
		Type: "send", ClientID: m.ClientID, Conversation: m.Conversation, Kind: "message", Content: "text.v1",
		Body: base64.StdEncoding.EncodeToString([]byte(m.Text)),
	})
}

// Accepted waits until a queued message is durable.
func (d *Device) Accepted(clientID string) {
	d.t.Helper()
	d.Wait("acceptance of "+clientID, func() bool { return d.index[d.Session.Person.ID+clientID] })
}

// With returns the conversation of this device's person and another.
func (d *Device) With(other *Device) string {
	return Conversation(d.Session.Person.ID, other.Session.Person.ID)
}

// Conversation returns the id of the conversation of two people.
func Conversation(a, b string) string {
	if len(a) > len(b) || len(a) == len(b) && a > b {
		a, b = b, a
	}
	return a + "." + b
}

// Say sends a text to the person of another device and waits until it is durable.
func (d *Device) Say(to *Device, text string) string {
	d.t.Helper()
	id := d.Queue(d.With(to), text)
	d.Accepted(id)
	return id
}

// Hears waits until a text from the person of another device is in the history.
func (d *Device) Hears(from *Device, text string) {
	d.t.Helper()
	d.HearsFrom(from.Session.Person.ID, text)
}

// HearsFrom is Hears for somebody of whom the test has no device.
func (d *Device) HearsFrom(person, text string) {
	d.t.Helper()
	d.Wait(fmt.Sprintf("%q from %s", text, person), func() bool {
		return slices.ContainsFunc(d.history, func(m Message) bool { return m.From == person && m.Text == text })
	})
}

// History returns a copy of what the device has, in order.
func (d *Device) History() []Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Message(nil), d.history...)
}

// Texts returns the texts of one conversation, in order.
func (d *Device) Texts(conversation string) []string {
	var texts []string
	for _, m := range d.History() {
		if m.Conversation == conversation {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// Pending returns how many messages wait in the queue.
func (d *Device) Pending() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queue)
}

// Watch says whose presence the device shows.
func (d *Device) Watch(people ...string) {
	d.mu.Lock()
	d.watched = people
	d.mu.Unlock()
	d.frame(webapi.WatchFrame{Type: "watch", People: people})
}

// Sees waits until the presence of a watched person fulfils the condition.
func (d *Device) Sees(person string, what string, condition func(webapi.Presence) bool) {
	d.t.Helper()
	d.Wait("presence of "+person+": "+what, func() bool {
		p, known := d.presence[person]
		return known && condition(p)
	})
}

// Search asks for people.
func (d *Device) Search(text string) webapi.PeopleFound {
	d.t.Helper()
	var found webapi.PeopleFound
	if err := d.Call("GET", "/api/people?q="+url.QueryEscape(text), nil, &found); err != nil {
		d.t.Fatalf("searching %q: %v", text, err)
	}
	return found
}

// GroupNames gives the names of the directory's groups that a search finds.
func (d *Device) GroupNames(text string) []string {
	d.t.Helper()
	var names []string
	for _, g := range d.Search(text).Groups {
		names = append(names, g.Name)
	}
	return names
}

// Doubled returns what was delivered twice behind the device's cursor.
func (d *Device) Doubled() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.doubled...)
}

// handler receives the events of one connection.
type handler struct {
	gws.BuiltinEventHandler
	device *Device
}

// word notes that something came from the server.
func (d *Device) word() {
	d.mu.Lock()
	d.lastWord = time.Now()
	d.mu.Unlock()
}

// OnPing answers the server's heartbeat.
func (h *handler) OnPing(conn *gws.Conn, payload []byte) {
	h.device.word()
	answer := bytes.Clone(payload)
	conn.Async(func() { conn.WritePong(answer) })
}

// OnClose keeps the close code.
func (h *handler) OnClose(_ *gws.Conn, err error) {
	if closed, ok := errors.AsType[*gws.CloseError](err); ok {
		h.device.mu.Lock()
		h.device.closeCode = closed.Code
		h.device.tell()
		h.device.mu.Unlock()
	}
}

// OnMessage takes a frame, which is an array of events, apart.
func (h *handler) OnMessage(_ *gws.Conn, message *gws.Message) {
	defer message.Close()
	h.device.word()
	var events []json.RawMessage
	if err := json.Unmarshal(message.Bytes(), &events); err != nil {
		h.device.t.Errorf("a frame from the server is no array: %v", err)
		return
	}
	acknowledge := false
	for _, raw := range events {
		acknowledge = h.device.event(raw) || acknowledge
	}
	if acknowledge {
		h.device.acknowledge()
	}
}
