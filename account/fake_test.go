package account

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/policy"
)

// fakeStore remembers in memory, with the rules that Store's comments state.
type fakeStore struct {
	mu          sync.Mutex
	people      map[parley.PersonID]*Identity
	sources     map[string]parley.PersonID // people of the directory
	hashes      map[parley.PersonID]string
	devices     map[parley.DeviceID]*fakeDevice
	keys        map[string][]byte
	invitations map[[32]byte]Invitation
	requests    []ResetRequest
	audit       []parley.Audit
	nextDevice  parley.DeviceID

	touches    []map[parley.DeviceID]time.Time
	requestsBy int   // calls of AddResetRequest
	fail       error // what every method answers, if not nil

	failSet     error  // what SetPasswordHash answers, if not nil
	failTouch   error  // what TouchDevices answers, if not nil
	beforeSet   func() // called once by SetPasswordHash before it does anything
	afterDevice func() // called once by DeviceByToken, after it has read and let go of the lock
	beforeAdd   func() // called once by AddDevice before it does anything
}

type fakeDevice struct {
	Device
	token [32]byte
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		people:      map[parley.PersonID]*Identity{},
		sources:     map[string]parley.PersonID{},
		hashes:      map[parley.PersonID]string{},
		devices:     map[parley.DeviceID]*fakeDevice{},
		keys:        map[string][]byte{},
		invitations: map[[32]byte]Invitation{},
	}
}

func (s *fakeStore) person(id parley.PersonID, address, name, hash string) {
	s.people[id] = &Identity{Person: id, Address: address, DisplayName: name}
	s.hashes[id] = hash
}

func (s *fakeStore) lock() func() { s.mu.Lock(); return s.mu.Unlock }

func (s *fakeStore) IdentityByAddress(_ context.Context, address string) (Identity, error) {
	defer s.lock()()
	if s.fail != nil {
		return Identity{}, s.fail
	}
	for _, who := range s.people {
		if who.Address == address {
			return *who, nil
		}
	}
	return Identity{}, parley.ErrWithheld
}

func (s *fakeStore) IdentityBySource(_ context.Context, source string) (Identity, error) {
	defer s.lock()()
	if s.fail != nil {
		return Identity{}, s.fail
	}
	if who := s.people[s.sources[source]]; who != nil && who.Directory == parley.LDAP {
		return *who, nil
	}
	return Identity{}, parley.ErrWithheld
}

func (s *fakeStore) Identity(_ context.Context, person parley.PersonID) (Identity, error) {
	defer s.lock()()
	if who := s.people[person]; who != nil {
		return *who, s.fail
	}
	return Identity{}, parley.ErrWithheld
}

func (s *fakeStore) PasswordHash(_ context.Context, person parley.PersonID) (string, error) {
	defer s.lock()()
	return s.hashes[person], s.fail
}

func (s *fakeStore) SetPasswordHash(_ context.Context, c PasswordChange, with parley.Alongside) ([]parley.DeviceID, error) {
	s.once(&s.beforeSet)
	defer s.lock()()
	if err := errors.Join(s.fail, s.failSet); err != nil {
		return nil, err
	}
	if c.Checked != "" && s.hashes[c.Person] != c.Checked {
		return nil, ErrStale
	}
	s.hashes[c.Person] = c.Hash
	s.audit = append(s.audit, with.Audit...)
	if !c.EndDevices {
		return nil, nil
	}
	s.forgetAsked(c.Person)
	return s.end(c.Person, nil, c.Except), nil
}

func (s *fakeStore) SetDisabled(_ context.Context, person parley.PersonID, disabled bool, with parley.Alongside) ([]parley.DeviceID, error) {
	defer s.lock()()
	s.people[person].Disabled = disabled
	s.audit = append(s.audit, with.Audit...)
	if !disabled {
		return nil, nil
	}
	return s.end(person, nil, 0), nil
}

func (s *fakeStore) AddDevice(_ context.Context, n NewDevice, with parley.Alongside) (AddedDevice, error) {
	s.once(&s.beforeAdd)
	defer s.lock()()
	if s.fail != nil {
		return AddedDevice{}, s.fail
	}
	if !s.people[n.Device.Person].Enabled() || s.hashes[n.Device.Person] != n.CheckedHash {
		return AddedDevice{}, ErrStale
	}
	var added AddedDevice
	for id, d := range s.devices {
		if d.Person == n.Device.Person && d.Installation == n.Device.Installation {
			added.Replaced = append(added.Replaced, id)
			delete(s.devices, id)
		}
	}
	for s.countOf(n.Device.Person) >= n.Limit {
		added.Crowded = append(added.Crowded, s.oldest(n.Device.Person))
		delete(s.devices, s.oldest(n.Device.Person))
	}
	s.nextDevice++
	d := n.Device
	d.ID, d.From, d.Waiting = s.nextDevice, 7, s.countOf(d.Person) == 0
	s.devices[d.ID] = &fakeDevice{Device: d, token: n.Token}
	key := fmt.Sprint(d.Person, d.Installation)
	if s.keys[key] == nil {
		s.keys[key] = n.FreshKey
	}
	for _, record := range with.Audit {
		record.Actor.Device = d.ID
		s.audit = append(s.audit, record)
	}
	added.Device, added.HistoryKey = d, s.keys[key]
	return added, nil
}

func (s *fakeStore) DeviceByToken(_ context.Context, token [32]byte) (Device, error) {
	device, err := s.deviceByToken(token)
	s.once(&s.afterDevice)
	return device, err
}

func (s *fakeStore) deviceByToken(token [32]byte) (Device, error) {
	defer s.lock()()
	if s.fail != nil {
		return Device{}, s.fail
	}
	for _, d := range s.devices {
		if d.token == token {
			return d.Device, nil
		}
	}
	return Device{}, parley.ErrWithheld
}

func (s *fakeStore) Devices(_ context.Context, person parley.PersonID) ([]Device, error) {
	defer s.lock()()
	var list []Device
	for _, d := range s.devices {
		if d.Person == person {
			list = append(list, d.Device)
		}
	}
	slices.SortFunc(list, func(a, b Device) int { return b.LastUsed.Compare(a.LastUsed) })
	return list, nil
}

func (s *fakeStore) EndDevices(_ context.Context, person parley.PersonID, ids []parley.DeviceID, except parley.DeviceID, reason parley.EndReason, with parley.Alongside) ([]parley.DeviceID, error) {
	defer s.lock()()
	if s.fail != nil {
		return nil, s.fail
	}
	s.audit = append(s.audit, with.Audit...)
	return s.end(person, ids, except), nil
}

func (s *fakeStore) TouchDevices(_ context.Context, used map[parley.DeviceID]time.Time) error {
	defer s.lock()()
	if s.failTouch != nil {
		return s.failTouch
	}
	s.touches = append(s.touches, used)
	for id, at := range used {
		if d := s.devices[id]; d != nil && at.After(d.LastUsed) {
			d.LastUsed = at
		}
	}
	return nil
}

func (s *fakeStore) IdleDevices(_ context.Context, before time.Time) ([]Device, error) {
	return s.those(func(d *fakeDevice) bool { return d.LastUsed.Before(before) })
}

func (s *fakeStore) BarredDevices(context.Context) ([]Device, error) {
	return s.those(func(d *fakeDevice) bool { return !s.people[d.Person].Enabled() })
}

func (s *fakeStore) HistoryKey(_ context.Context, person parley.PersonID, installation string) ([]byte, error) {
	defer s.lock()()
	if key := s.keys[fmt.Sprint(person, installation)]; key != nil {
		return key, nil
	}
	return nil, parley.ErrWithheld
}

func (s *fakeStore) AddInvitation(_ context.Context, code [32]byte, invitation Invitation, with parley.Alongside) error {
	defer s.lock()()
	s.forgetAsked(invitation.Person)
	s.invitations[code] = invitation
	s.audit = append(s.audit, with.Audit...)
	return nil
}

func (s *fakeStore) Invitation(_ context.Context, code [32]byte) (Invitation, error) {
	defer s.lock()()
	if invitation, ok := s.invitations[code]; ok {
		return invitation, nil
	}
	return Invitation{}, parley.ErrWithheld
}

func (s *fakeStore) RemoveInvitations(_ context.Context, before time.Time) (n int, _ error) {
	defer s.lock()()
	for code, i := range s.invitations {
		if i.Expires.Before(before) {
			delete(s.invitations, code)
			n++
		}
	}
	return n, s.fail
}

func (s *fakeStore) UseInvitation(_ context.Context, code [32]byte, hash string, with parley.Alongside) ([]parley.DeviceID, error) {
	defer s.lock()()
	invitation, ok := s.invitations[code]
	if !ok || !s.people[invitation.Person].Enabled() {
		return nil, parley.ErrWithheld
	}
	s.hashes[invitation.Person] = hash
	s.audit = append(s.audit, with.Audit...)
	s.forgetAsked(invitation.Person)
	return s.end(invitation.Person, nil, 0), nil
}

func (s *fakeStore) AddResetRequest(_ context.Context, r ResetRequest, _ parley.Alongside) error {
	defer s.lock()()
	if s.fail != nil {
		return s.fail
	}
	s.requestsBy++
	s.requests = slices.DeleteFunc(s.requests, func(o ResetRequest) bool { return o.Person == r.Person })
	s.requests = slices.Insert(s.requests, 0, r)
	return nil
}

func (s *fakeStore) ResetRequests(context.Context) ([]ResetRequest, error) {
	defer s.lock()()
	return slices.Clone(s.requests), nil
}

// failTouches sets what TouchDevices answers.
func (s *fakeStore) failTouches(err error) {
	defer s.lock()()
	s.failTouch = err
}

// once runs and clears a hook; mu is not held, so that the hook may use the store.
func (s *fakeStore) once(hook *func()) {
	s.mu.Lock()
	run := *hook
	*hook = nil
	s.mu.Unlock()
	if run != nil {
		run()
	}
}

func (s *fakeStore) forgetAsked(person parley.PersonID) {
	for code, invitation := range s.invitations {
		if invitation.Person == person {
			delete(s.invitations, code)
		}
	}
	s.requests = slices.DeleteFunc(s.requests, func(r ResetRequest) bool { return r.Person == person })
}

func (s *fakeStore) end(person parley.PersonID, ids []parley.DeviceID, except parley.DeviceID) []parley.DeviceID {
	var ended []parley.DeviceID
	for id, d := range s.devices {
		if d.Person == person && id != except && (ids == nil || slices.Contains(ids, id)) {
			delete(s.devices, id)
			ended = append(ended, id)
		}
	}
	slices.Sort(ended)
	return ended
}

func (s *fakeStore) those(want func(*fakeDevice) bool) ([]Device, error) {
	defer s.lock()()
	var list []Device
	for _, d := range s.devices {
		if want(d) {
			list = append(list, d.Device)
		}
	}
	return list, s.fail
}

func (s *fakeStore) countOf(person parley.PersonID) (n int) {
	for _, d := range s.devices {
		if d.Person == person {
			n++
		}
	}
	return n
}

func (s *fakeStore) oldest(person parley.PersonID) (id parley.DeviceID) {
	for _, d := range s.devices {
		if d.Person == person && (id == 0 || d.LastUsed.Before(s.devices[id].LastUsed)) {
			id = d.ID
		}
	}
	return id
}

// actions lists the audited actions so far.
func (s *fakeStore) actions() []parley.AuditAction {
	defer s.lock()()
	var list []parley.AuditAction
	for _, record := range s.audit {
		list = append(list, record.Action)
	}
	return list
}

// fakeHasher counts its work. A hash is "v2:" and the SHA-256 of the password;
// "v1:" is an outdated one.
type fakeHasher struct {
	mu             sync.Mutex
	hashed, checks int
	block          chan struct{} // if not nil, Check waits until it is closed
}

func hashOf(version, password string) string {
	return fmt.Sprintf("%s:%x", version, sha256.Sum256([]byte(password)))
}

func (h *fakeHasher) Hash(password string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hashed++
	return hashOf("v2", password), nil
}

func (h *fakeHasher) Check(password, hash string) (match, outdated bool, err error) {
	if h.block != nil {
		<-h.block
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	version, _, ok := strings.Cut(hash, ":")
	if !ok {
		return false, false, errors.New("not a hash")
	}
	h.checks++
	return hash == hashOf(version, password), version != "v2", nil
}

func (h *fakeHasher) count() (hashed, checks int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hashed, h.checks
}

// world is an Authority with its surroundings.
type world struct {
	*Authority
	store  *fakeStore
	hasher *fakeHasher
	rules  policy.Policy

	mu     sync.Mutex
	events []parley.Event
}

const (
	anna  parley.PersonID = 1
	boris parley.PersonID = 2
	carla parley.PersonID = 3 // has no password

	annasPassword = "correct horse"
	borisPassword = "battery staple"
)

var (
	home   = netip.MustParseAddr("192.0.2.1")
	office = netip.MustParseAddr("2001:db8:1:2::3")
	admin  = parley.Actor{Kind: parley.ActorAdmin, Person: 9}
)

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{store: newFakeStore(), hasher: &fakeHasher{}, rules: policy.Default()}
	w.store.person(anna, "anna@example.org", "Anna Berg", hashOf("v2", annasPassword))
	w.store.person(boris, "boris@example.org", "Boris Dahl", hashOf("v2", borisPassword))
	w.store.person(carla, "carla@example.org", "Carla Eck", "")
	config := Config{
		Store: w.store, Policy: w, Hasher: w.hasher, Checkers: 2,
		Domains: []string{"example.org", "bücher.example"},
		Announce: func(e parley.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		},
	}
	for _, f := range change {
		f(&config)
	}
	authority, err := NewAuthority(config)
	if err != nil {
		t.Fatal(err)
	}
	w.Authority = authority
	return w
}

// Policy lets a test change the rules.
func (w *world) Policy() policy.Policy { return w.rules }

// takeEvents returns the events since the last call.
func (w *world) takeEvents() []parley.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	return events
}

// installation makes the id of the n-th browser profile.
func installation(n int) string { return fmt.Sprintf("installation-%09d", n) }

func attempt(address, password string) SignIn {
	return SignIn{
		Address: address, Password: parley.Secret(password), Installation: installation(1),
		DeviceName: "Phone", Class: parley.Mobile, Network: home,
	}
}

// signIn signs somebody in on the n-th browser profile.
func (w *world) signIn(t *testing.T, address, password string, n int) Session {
	t.Helper()
	in := attempt(address, password)
	in.Installation = installation(n)
	session, err := w.SignIn(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// refused checks the kind and key of a refusal.
func refused(t *testing.T, err error, kind parley.Kind, key string) {
	t.Helper()
	refusal, ok := errors.AsType[*parley.Error](err)
	if !ok || refusal.Kind != kind || refusal.Key != key {
		t.Errorf("got %v, want %v: %s", err, kind, key)
	}
}

// pass lets time go by on the fake clock of a synctest bubble.
func pass(d time.Duration) { <-time.After(d) }
