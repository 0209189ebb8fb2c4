package webapi

import (
	"context"
	"encoding/base64"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"parley"
	"parley/edge/webapi/websocket"
)

const socketPath = "/api/ws"

// pace is how time runs for sockets. Tests make it run faster.
type pace struct {
	tick    time.Duration // how often the keeper looks at every socket
	hello   time.Duration
	ping    time.Duration
	silent  time.Duration
	write   time.Duration
	closing time.Duration // from the decision to close until the connection is gone at the latest
	recheck time.Duration // how often a session is looked up again
	renew   time.Duration // how often signs of life reach the board at most

	doubtful time.Duration // for how long a connection may be newer than one that is told of
}

var defaultPace = pace{
	tick: time.Second, hello: helloWithin, ping: pingEvery, silent: silentFor, write: writeWithin,
	closing: 800 * time.Millisecond, recheck: time.Hour, renew: 10 * time.Second,
	doubtful: 30 * time.Second, // twice the time after which a node that is not heard is gone
}

// sockets are the open connections, at most one a device.
type sockets struct {
	server *Server

	mu       sync.RWMutex
	byDevice map[parley.DeviceID]*conn
	closed   bool
}

func newSockets(s *Server) *sockets {
	return &sockets{server: s, byDevice: map[parley.DeviceID]*conn{}}
}

// serveSocket is GET /api/ws. It hands the connection to a goroutine of its own
// and returns, so that the request's memory is free.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	c := callerOf(r.Context())
	err := s.refuses(deviceOnly, c)
	if err == nil {
		err = checkHandshake(r)
	}
	if err != nil {
		p := s.refuse(err, "request", c.id, "operation", "socket")
		if p.Title == parley.Invalid.String() {
			p.Status = http.StatusBadRequest
		}
		writeProblem(w, p)
		return
	}
	if err := s.sockets.open(w, r, c); err != nil {
		s.log.Debug("opening a socket failed", "request", c.id, "device", c.session.Actor.Device, "error", err)
	}
}

// checkHandshake refuses what is no WebSocket handshake (RFC 6455 §4.2.1).
func checkHandshake(r *http.Request) error {
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-WebSocket-Key"))
	switch {
	case r.ProtoMajor != 1, !strings.EqualFold(r.Header.Get("Upgrade"), "websocket"),
		!hasToken(r.Header.Values("Connection"), "upgrade"), r.Header.Get("Sec-WebSocket-Version") != "13",
		err != nil || len(key) != 16:
		return parley.Refuse(parley.Invalid, "socket.handshake")
	}
	return nil
}

// hasToken looks for a token in a list header, whatever its case.
func hasToken(values []string, token string) bool {
	return slices.ContainsFunc(strings.Split(strings.Join(values, ","), ","), func(v string) bool {
		return strings.EqualFold(strings.TrimSpace(v), token)
	})
}

// open turns a request into a connection and starts it.
func (k *sockets) open(w http.ResponseWriter, r *http.Request, who caller) error {
	raw, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		writeProblem(w, newProblem(parley.Refuse(parley.Internal, "")))
		return err
	}
	s := k.server
	below := &wire{Conn: raw, writeWithin: s.pace.write, linger: s.pace.closing}
	early, err := buffered.Reader.Peek(buffered.Reader.Buffered())
	if err == nil {
		err = raw.SetDeadline(time.Time{}) // of the request
	}
	if err == nil {
		_, err = below.Write(websocket.Handshake(r.Header.Get("Sec-WebSocket-Key")))
	}
	if err != nil {
		below.abort()
		return err
	}
	c := newConn(s, websocket.New(below, early, maxFrame, CloseFrameTooBig), below, who)
	if !k.add(c) {
		_, _ = below.Write(websocket.CloseFrame(CloseGoingAway))
		below.abort()
		return nil
	}
	// The session may have ended before this socket could be told of it.
	if _, err := s.config.Accounts.Session(r.Context(), who.token); parley.KindOf(err) == parley.SignIn && err != nil {
		c.signOut(parley.EndedRevoked)
	}
	return nil
}

// add registers a connection, in place of an earlier one of the same device, and
// starts reading from it. It refuses when everything is being closed.
func (k *sockets) add(c *conn) bool {
	k.mu.Lock()
	former := k.byDevice[c.actor.Device]
	if k.closed || k.server.resting.Load() {
		k.mu.Unlock()
		return false
	}
	k.byDevice[c.actor.Device] = c
	k.server.stats.connections.Add(1)
	c.start()
	k.mu.Unlock()
	if former != nil {
		former.end(CloseReplaced, nil)
	}
	return true
}

// remove forgets a connection. If it was still its device's, the device is gone:
// the board is told before a new socket can come, which may say hello at once.
func (k *sockets) remove(c *conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.server.stats.connections.Add(-1)
	if k.byDevice[c.actor.Device] != c {
		return
	}
	delete(k.byDevice, c.actor.Device)
	if c.greeted {
		k.server.config.Board.Gone(c.actor)
	}
}

// all gives the connections of this moment.
func (k *sockets) all() []*conn {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return slices.AppendSeq(make([]*conn, 0, len(k.byDevice)), maps.Values(k.byDevice))
}

// keep looks at every connection once a tick until ctx ends.
func (k *sockets) keep(ctx context.Context) {
	tick := time.NewTicker(k.server.pace.tick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, c := range k.all() {
				c.tend(ctx, now)
			}
		}
	}
}

// of finds the connection of a device; nil: there is none here.
func (k *sockets) of(device parley.DeviceID) *conn {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.byDevice[device]
}

// sendAway ends every connection of this moment.
func (k *sockets) sendAway() {
	for _, c := range k.all() {
		c.end(CloseGoingAway, nil)
	}
}

// closeAll ends every connection because the server stops, and admits no more.
func (k *sockets) closeAll() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.sendAway()
}

func (k *sockets) endDevices(e parley.DevicesEnded) {
	for _, id := range e.Devices {
		if c := k.of(id); c != nil {
			c.signOut(e.Reason)
		}
	}
}

// peopleChanged tells every connection that shows one of these people. What they
// share is part of what changed, so their presence is looked at again too.
func (k *sockets) peopleChanged(people []parley.PersonID) {
	people = sortedSet(slices.Clone(people))
	for _, c := range k.all() {
		c.changedCards(people)
	}
}

// lookAgain shows every connection all the people it watches anew: a rule of the
// organisation changed what is seen.
func (k *sockets) lookAgain() {
	for _, c := range k.all() {
		c.lookAgain()
	}
}

// preferencesChanged makes the devices of a person look at everybody anew, and at
// the person: what they want to see is another thing now.
func (k *sockets) preferencesChanged(person parley.PersonID) {
	for _, c := range k.all() {
		if c.actor.Person == person {
			c.lookAgain()
			c.changedOwnCard()
		}
	}
}

// relationChanged makes what owner decided about other hold at once. The other
// gets no card event: whoever sees nothing change must not learn of it.
func (k *sockets) relationChanged(owner, other parley.PersonID) {
	for _, c := range k.all() {
		switch c.actor.Person {
		case other:
			c.Dirty(owner)
		case owner: // the level stands on the other's card, for the owner alone
			c.changedCards([]parley.PersonID{other})
		}
	}
}

// contactsChanged tells every device of a person that the Contacts list is another.
func (k *sockets) contactsChanged(e parley.ContactsChanged) {
	for _, c := range k.all() {
		if c.actor.Person == e.Person {
			c.changedContacts(e.Version)
		}
	}
}

// jitter spreads what would otherwise happen to all connections at once: half to
// one and a half times d.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d+1)
}
