package presence

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley"
	"parley/policy"
)

// Config is what a Board needs. Announce may be nil, and Peers is on one node.
type Config struct {
	Store    Store
	Policy   policy.Source
	Announce func(parley.Event)
	Peers    Peers
}

// Board knows everybody's state. It is safe for concurrent use. Without Run
// nothing lapses.
type Board struct {
	store    Store
	policy   policy.Source
	announce func(parley.Event)
	peers    Peers
	zones    zones
	audience audience
	wake     chan struct{} // Run has to look at the clock anew

	// mu guards what follows. It is never held over I/O or a call to a watcher.
	mu      sync.RWMutex
	people  map[parley.PersonID]*record
	devices map[parley.DeviceID]*record // of this node's own devices
	told    map[parley.DeviceID]Fact    // what Peers was told of them last
	learnt  uint64                      // grows with every choice that is taken over from the store
	due     schedule
}

// record is one person who has, or had, a device or a choice.
type record struct {
	person parley.PersonID
	facts  Facts

	at    time.Time // when the state may change by itself; guarded, like index, by Board.mu
	index int       // in the schedule; -1: not there

	// choosing makes storing a choice and remembering it one step, so that two of
	// them cannot end in different orders.
	choosing sync.Mutex
}

// NewBoard reads what people chose by hand into memory. Everybody is Offline
// until a device reports.
func NewBoard(ctx context.Context, c Config) (*Board, error) {
	b := &Board{
		store: c.Store, policy: c.Policy, announce: c.Announce,
		wake:    make(chan struct{}, 1),
		people:  make(map[parley.PersonID]*record),
		devices: make(map[parley.DeviceID]*record),
		told:    make(map[parley.DeviceID]Fact),
		peers:   c.Peers,
	}
	if b.announce == nil {
		b.announce = func(parley.Event) {}
	}
	now := clock()
	for pc, err := range c.Store.Choices(ctx) {
		if err != nil {
			return nil, fmt.Errorf("reading choices: %w", err)
		}
		r := b.record(pc.Person)
		r.facts.Choice = pc.Choice
		b.settle(r, now)
	}
	return b, nil
}

// Run makes states lapse when their time has come. It ends with ctx.
func (b *Board) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-b.wake:
		}
		if next := b.lapse(clock()); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// lapseBatch bounds for how long others wait while many states lapse at once.
const lapseBatch = 256

// lapse settles whoever is due and gives the time of the next change.
func (b *Board) lapse(now time.Time) (next time.Time) {
	var changed []parley.PersonID
	for {
		changed = changed[:0]
		b.mu.Lock()
		for range lapseBatch {
			if !b.due.has(now) {
				break
			}
			if r := b.due.pop(); b.settle(r, now) {
				changed = append(changed, r.person)
			}
		}
		more := b.due.has(now)
		next = b.due.next()
		b.mu.Unlock()
		for _, person := range changed {
			b.tell(person)
		}
		if !more {
			return next
		}
	}
}

// Report takes what a device tells about itself, and renews its lease. Anything
// but a person's own device is passed over.
func (b *Board) Report(actor parley.Actor, a Activity) {
	if actor.Kind != parley.ActorPerson || actor.Person == 0 || actor.Device == 0 {
		return
	}
	zone := ""
	if b.policy.Policy().Location {
		zone = b.zones.known(a.TimeZone)
	}
	now := clock()
	b.change(actor.Person, func(r *record) {
		d := r.device(actor.Device)
		if d == nil {
			r.facts.Devices = append(r.facts.Devices, Device{ID: actor.Device, LastActive: r.facts.LastActive})
			d = &r.facts.Devices[len(r.facts.Devices)-1]
			b.devices[actor.Device] = r
		}
		d.Class, d.Visible, d.TimeZone, d.Lease = actor.Class, a.Visible, zone, now.Add(Lease)
		if a.Active {
			d.LastActive = now
		}
	}, now)
}

// Notify takes the events that concern the Board. When people may no longer share
// their time zone, those that devices told before are forgotten; a device tells its
// own again with its next sign of activity when they may.
func (b *Board) Notify(event parley.Event) {
	if _, changed := event.(parley.PolicyChanged); !changed || b.policy.Policy().Location {
		return
	}
	now := clock()
	for _, person := range b.located() {
		b.change(person, func(r *record) {
			for i := range r.facts.Devices {
				r.facts.Devices[i].TimeZone = ""
			}
		}, now)
	}
}

// located gives everybody of whose devices the zone is known.
func (b *Board) located() []parley.PersonID {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var found []parley.PersonID
	for person, r := range b.people {
		if slices.ContainsFunc(r.facts.Devices, func(d Device) bool { return d.TimeZone != "" }) {
			found = append(found, person)
		}
	}
	return found
}

// Renew extends the lease of a device that gave any sign of life. A device that
// never reported, or is gone, has none.
func (b *Board) Renew(device parley.DeviceID) {
	now := clock()
	b.mu.Lock()
	r := b.devices[device]
	changed := false
	if r != nil {
		d := r.device(device)
		over := !d.Lease.After(now)
		d.Lease = now.Add(Lease)
		changed = over && b.settle(r, now) // else the schedule finds the later lease by itself
	}
	b.mu.Unlock()
	if changed {
		b.tell(r.person)
	}
}

// Gone says that the actor's device left: its last connection closed. It is not
// for a connection that another one of the same device has replaced. Anything but
// a person's own device is passed over.
func (b *Board) Gone(actor parley.Actor) {
	if actor.Kind != parley.ActorPerson {
		return
	}
	b.change(actor.Person, func(r *record) {
		if d := r.device(actor.Device); d != nil {
			r.drop(func(d *Device) bool { return d.Node == "" && d.ID == actor.Device })
			delete(b.devices, actor.Device)
			b.withdraw(actor.Device)
		}
	}, clock())
}

// Presence gives a person's state, unabridged: for Render and nothing else.
func (b *Board) Presence(person parley.PersonID) parley.Presence {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if r := b.people[person]; r != nil {
		return r.facts.Was
	}
	return parley.Presence{Availability: parley.Offline}
}

// change alters a person's facts and tells if the state is another one then.
func (b *Board) change(person parley.PersonID, alter func(*record), now time.Time) {
	b.mu.Lock()
	r := b.record(person)
	alter(r)
	changed := b.settle(r, now)
	b.mu.Unlock()
	if changed {
		b.tell(person)
	}
}

// settle works a person's state out anew and reports whether it changed. The
// caller holds mu.
func (b *Board) settle(r *record, now time.Time) bool {
	was := r.facts.Was
	is, next := Aggregate(r.facts, now)
	r.facts.Was = is
	b.share(r, now)
	if b.due.set(r, next) {
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
	return is != was
}

func (b *Board) tell(person parley.PersonID) {
	b.audience.mark(person)
	b.announce(parley.PresenceChanged{Person: person})
}

// record gives the record of a person, made if there is none. The caller holds
// mu, or is NewBoard.
func (b *Board) record(person parley.PersonID) *record {
	r := b.people[person]
	if r == nil {
		r = &record{person: person, index: -1}
		r.facts.Was, _ = Aggregate(Facts{}, time.Time{})
		b.people[person] = r
	}
	return r
}

// device finds a device of this node.
func (r *record) device(id parley.DeviceID) *Device { return r.deviceAt("", id) }

func (r *record) deviceAt(node string, id parley.DeviceID) *Device {
	for i := range r.facts.Devices {
		if d := &r.facts.Devices[i]; d.ID == id && d.Node == node {
			return d
		}
	}
	return nil
}

// drop lets go of devices and remembers when they were last used.
func (r *record) drop(which func(*Device) bool) {
	r.facts.LastActive = lastActive(r.facts)
	r.facts.Devices = slices.DeleteFunc(r.facts.Devices, func(d Device) bool { return which(&d) })
}

// clock gives the time as it is stored and sent: UTC, without a monotonic part,
// so that equal times are equal values.
func clock() time.Time { return time.Now().UTC().Round(0) }
