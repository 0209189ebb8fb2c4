package account

import (
	"context"
	"sync"
	"time"

	"parley"
)

const (
	// useInterval is how often the use of one device is written at most.
	useInterval = 10 * time.Minute

	// maxSessions bounds the cache. Past it an arbitrary session is looked up
	// again at its next use.
	maxSessions = 1 << 17
)

// errNoSession is the one answer to a token that is not, or no longer, good.
var errNoSession error = parley.Refuse(parley.SignIn, "sign-in.required")

// Session finds the session of a device token and notes that the device is used.
// It is on the path of every request: usually it asks memory only. A token that
// is not good is refused with kind SignIn.
//
// A session can end between this answer and what is done with it. Whoever opens
// something that lasts (a socket) registers it for parley.DevicesEnded first and
// then asks again.
func (a *Authority) Session(ctx context.Context, token parley.Secret) (Session, error) {
	hash, ok := hashCode(token)
	if !ok {
		return Session{}, errNoSession
	}
	at, idle := now(), a.policy.Policy().DeviceIdle
	if session, ok := a.sessions.use(hash, at, idle); ok {
		return session, nil
	}
	session, err := a.loadSession(ctx, hash)
	if err != nil {
		return Session{}, err
	}
	if !at.Before(session.Device.LastUsed.Add(idle)) {
		return Session{}, errNoSession // Run ends it within a minute
	}
	a.sessions.noteUse(session.Device.ID, session.Device.LastUsed, at)
	session.Device.LastUsed, session.Device.Expires = at, at.Add(idle)
	return session, nil
}

// Used notes that a device is used without a look at its token: its socket is
// open and somebody is there. It is cheap; calls within ten minutes are joined.
func (a *Authority) Used(device parley.DeviceID) {
	a.sessions.used(device, now())
}

// Forget drops devices from memory that another node has ended.
func (a *Authority) Forget(devices []parley.DeviceID) { a.sessions.end(devices) }

// loadSession reads a session from the store and caches it. If any device ended
// while it read, what it read may be older than that, and it reads again.
func (a *Authority) loadSession(ctx context.Context, token [32]byte) (Session, error) {
	for {
		generation := a.sessions.generation()
		session, err := a.readSession(ctx, token)
		if withheld(err) {
			return Session{}, errNoSession
		}
		if err != nil {
			return Session{}, err
		}
		if a.sessions.add(token, session, generation) {
			return session, nil
		}
		if err := ctx.Err(); err != nil {
			return Session{}, parley.Wrap(err, "looking up a session")
		}
	}
}

func (a *Authority) readSession(ctx context.Context, token [32]byte) (Session, error) {
	device, err := a.store.DeviceByToken(ctx, token)
	if err != nil {
		return Session{}, parley.Wrap(err, "looking up a device")
	}
	who, err := a.store.Identity(ctx, device.Person)
	if err != nil {
		return Session{}, parley.Wrap(err, "looking up whose %s is", device.ID)
	}
	if !who.Enabled() {
		return Session{}, parley.ErrWithheld
	}
	key, err := a.store.HistoryKey(ctx, device.Person, device.Installation)
	if err != nil && !withheld(err) {
		return Session{}, parley.Wrap(err, "looking up the history key of %s", device.ID)
	}
	return sessionOf(device, who.Address, key), nil
}

// writeUses writes the uses that were joined. What cannot be written waits for
// the next time.
func (a *Authority) writeUses(ctx context.Context) {
	uses := a.sessions.takeUses()
	if len(uses) == 0 {
		return
	}
	if err := a.store.TouchDevices(ctx, uses); err != nil {
		a.sessions.putBack(uses)
		a.log.Error("writing when devices were used failed", "error", err)
	}
}

// sessions is the cache of live sessions and the uses that wait to be written.
type sessions struct {
	mu       sync.Mutex
	ended    uint64 // grows with every ending; what was read before is not cached after
	byToken  map[[32]byte]*live
	byDevice map[parley.DeviceID]*live

	uses  map[parley.DeviceID]time.Time // to be written
	saved map[parley.DeviceID]time.Time // the last use that is, or will be, written; of live devices only
}

// live is a cached session.
type live struct {
	token   [32]byte
	session Session
}

func newSessions() *sessions {
	return &sessions{
		byToken:  map[[32]byte]*live{},
		byDevice: map[parley.DeviceID]*live{},
		uses:     map[parley.DeviceID]time.Time{},
		saved:    map[parley.DeviceID]time.Time{},
	}
}

// use returns a cached session that has not expired, and notes its use.
func (s *sessions) use(token [32]byte, at time.Time, idle time.Duration) (Session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.byToken[token]
	if l == nil {
		return Session{}, false
	}
	if !at.Before(l.session.Device.LastUsed.Add(idle)) {
		s.drop(l)
		return Session{}, false
	}
	s.note(l.session.Device.ID, l.session.Device.LastUsed, at)
	l.session.Device.LastUsed = at
	session := l.session
	session.Device.Expires = at.Add(idle)
	return session, true
}

// used notes the use of a device, cached or not.
func (s *sessions) used(device parley.DeviceID, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var before time.Time
	if l := s.byDevice[device]; l != nil {
		before = l.session.Device.LastUsed
		l.session.Device.LastUsed = at
	}
	s.note(device, before, at)
}

func (s *sessions) noteUse(device parley.DeviceID, before, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(device, before, at)
	if l := s.byDevice[device]; l != nil {
		l.session.Device.LastUsed = at
	}
}

// note queues a use to be written unless one was within the interval. before is
// the last use that the store knows of, if the caller can tell. mu is held.
func (s *sessions) note(device parley.DeviceID, before, at time.Time) {
	last, known := s.saved[device]
	if !known {
		last = before
		s.saved[device] = before
	}
	if at.Sub(last) >= useInterval {
		s.uses[device] = at
		s.saved[device] = at
	}
}

// takeUses returns what waits to be written.
func (s *sessions) takeUses() map[parley.DeviceID]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	uses := s.uses
	s.uses = map[parley.DeviceID]time.Time{}
	return uses
}

func (s *sessions) putBack(uses map[parley.DeviceID]time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for device, at := range uses {
		if s.uses[device].Before(at) {
			s.uses[device] = at
		}
	}
}

// lastUse returns the newest use known of in memory.
func (s *sessions) lastUse(device parley.DeviceID) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.uses[device]
	if l := s.byDevice[device]; l != nil && l.session.Device.LastUsed.After(at) {
		at = l.session.Device.LastUsed
	}
	return at
}

func (s *sessions) generation() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// add caches a session that was read in the given generation. It refuses when a
// device has ended since: it may have been this one.
func (s *sessions) add(token [32]byte, session Session, generation uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != generation {
		return false
	}
	if s.byToken[token] != nil {
		return true // another request was quicker
	}
	if len(s.byToken) >= maxSessions {
		for _, other := range s.byToken {
			s.drop(other)
			break
		}
	}
	l := &live{token: token, session: session}
	s.byToken[token] = l
	s.byDevice[session.Device.ID] = l
	return true
}

// end forgets devices that have ended, and whatever is being read meanwhile.
func (s *sessions) end(devices []parley.DeviceID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended++
	for _, device := range devices {
		if l := s.byDevice[device]; l != nil {
			s.drop(l)
		}
		delete(s.uses, device)
		delete(s.saved, device)
	}
}

// forget drops the cached sessions of people, so that they are read again.
func (s *sessions) forget(people []parley.PersonID) {
	changed := make(map[parley.PersonID]bool, len(people))
	for _, person := range people {
		changed[person] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended++
	for _, l := range s.byToken {
		if changed[l.session.Device.Person] {
			s.drop(l)
		}
	}
}

// drop removes one session. mu is held.
func (s *sessions) drop(l *live) {
	delete(s.byToken, l.token)
	delete(s.byDevice, l.session.Device.ID)
}
