package presence

import (
	"context"
	"time"

	"parley"
)

// Fact is what the node of a connected device tells the others about it. It
// holds from Publish until Withdraw or the end of the node.
type Fact struct {
	Person     parley.PersonID
	Device     parley.DeviceID
	Class      parley.DeviceClass
	Visible    bool
	TimeZone   string
	LastActive time.Time
	Seen       Seen // the person's state as the node knows it
}

// Peers are the Boards of the other nodes. Both methods must not block: they are
// called while a Board is locked.
type Peers interface {
	// Publish replaces what is told of one of this node's devices.
	Publish(Fact)

	// Withdraw takes it back.
	Withdraw(parley.DeviceID)
}

// share tells the other nodes what changed about this node's devices of a
// person: those that are live, as they are, and no others. The caller holds mu.
func (b *Board) share(r *record, now time.Time) {
	if b.peers == nil {
		return
	}
	was := r.facts.Was
	for i := range r.facts.Devices {
		d := &r.facts.Devices[i]
		if d.Node != "" {
			continue
		}
		if !d.live(now) {
			b.withdraw(d.ID)
			continue
		}
		fact := Fact{
			Person: r.person, Device: d.ID, Class: d.Class, Visible: d.Visible, TimeZone: d.TimeZone, LastActive: d.LastActive,
			Seen: Seen{Availability: was.Availability, Token: was.Token, Since: was.Since},
		}
		if b.told[d.ID] != fact {
			b.told[d.ID] = fact
			b.peers.Publish(fact)
		}
	}
}

func (b *Board) withdraw(device parley.DeviceID) {
	if _, told := b.told[device]; told {
		delete(b.told, device)
		b.peers.Withdraw(device)
	}
}

// Learn takes what another node tells about one of its devices.
func (b *Board) Learn(node string, f Fact) {
	if node == "" || f.Person == 0 || f.Device == 0 {
		return
	}
	b.change(f.Person, func(r *record) {
		d := r.deviceAt(node, f.Device)
		if d == nil {
			r.facts.Devices = append(r.facts.Devices, Device{ID: f.Device, Node: node})
			d = &r.facts.Devices[len(r.facts.Devices)-1]
		}
		d.Class, d.Visible, d.TimeZone, d.LastActive, d.Seen = f.Class, f.Visible, b.zones.known(f.TimeZone), f.LastActive, f.Seen
	}, clock())
}

// Unlearn says that another node has taken back what it told of a device of
// somebody, or is gone.
func (b *Board) Unlearn(node string, person parley.PersonID, device parley.DeviceID) {
	if node == "" {
		return
	}
	b.change(person, func(r *record) {
		r.drop(func(d *Device) bool { return d.Node == node && d.ID == device })
	}, clock())
}

// Refresh takes over what is stored of a person's choice: after a change,
// whichever node made it. If another choice was taken over while it read, what it
// read may be older than that one, and it reads again.
func (b *Board) Refresh(ctx context.Context, person parley.PersonID) error {
	for {
		b.mu.RLock()
		before := b.learnt
		b.mu.RUnlock()
		c, err := b.store.Choice(ctx, person)
		if err != nil {
			return parley.Wrap(err, "reading the choice of %s", person)
		}
		if b.takeOver(person, c, before) {
			return nil
		}
	}
}

// takeOver makes a choice that was read the person's, unless another was taken
// over since.
func (b *Board) takeOver(person parley.PersonID, c Choice, before uint64) bool {
	b.mu.Lock()
	if b.learnt != before {
		b.mu.Unlock()
		return false
	}
	b.learnt++
	r := b.record(person)
	r.facts.Choice = c
	changed := b.settle(r, clock())
	b.mu.Unlock()
	if changed {
		b.tell(person)
	}
	return true
}
