package bus

import (
	"bytes"
	"time"
)

// replica is the copy of one other node's rows in one table.
type replica struct {
	node        string
	incarnation uint64
	table       string
	again       time.Duration // after which a question is repeated

	version uint64
	rows    map[uint64][]byte

	asking bool      // rows were lost, and the snapshot that has them is not here yet
	tries  uint      // questions since the replica was last complete for a while
	asked  time.Time // the last question
	due    time.Time // for the next one
	synced time.Time // when the last snapshot was complete
	coming *incoming // the part of a snapshot that is here

	// held are the deltas that came while asking, without a gap between them.
	held      []delta
	heldBytes int
}

// incoming is a snapshot that is on its way.
type incoming struct {
	serial, version, next uint64
	rows                  map[uint64][]byte
}

// maxHeld bounds the deltas that wait for a snapshot, in bytes. Past it they are
// thrown away, and another snapshot is needed.
const maxHeld = 8 << 20

// delta takes in a change. The deltas of a node come in order; one that is not the
// next means that some were lost, one that is not higher is in a snapshot already.
func (p *replica) delta(d delta, now time.Time, e *effects) {
	switch {
	case d.version <= p.version:
	case p.asking:
		p.hold(d)
	case d.version == p.version+1:
		p.apply(d, e)
	default:
		p.hold(d)
		p.ask(now, e)
	}
}

// behind takes in the version that the node itself says it has.
func (p *replica) behind(version uint64, now time.Time, e *effects) {
	if version > p.version && !p.asking {
		p.ask(now, e)
	}
}

func (p *replica) apply(d delta, e *effects) {
	p.version = d.version
	for _, r := range d.rows {
		p.set(r.key, r.value, false, e)
	}
}

// set changes a row to a value, nil for none, and tells it if it is another.
func (p *replica) set(key uint64, value []byte, snapshot bool, e *effects) {
	was, existed := p.rows[key]
	if value == nil {
		if !existed {
			return
		}
		delete(p.rows, key)
	} else {
		if existed && bytes.Equal(was, value) {
			return
		}
		p.rows[key] = value
	}
	e.changes = append(e.changes, rowChange{p.table, Change{Node: p.node, Key: key, Value: value, Snapshot: snapshot}, existed})
}

func (p *replica) hold(d delta) {
	size := 0
	for _, r := range d.rows {
		size += 32 + len(r.value)
	}
	gap := len(p.held) > 0 && d.version != p.held[len(p.held)-1].version+1
	if gap || p.heldBytes+size > maxHeld {
		p.held, p.heldBytes = nil, 0
	}
	p.held = append(p.held, d)
	p.heldBytes += size
}

// ask asks for a snapshot, at once unless the last question is a moment ago.
func (p *replica) ask(now time.Time, e *effects) {
	p.asking, p.coming = true, nil
	p.due = now
	if soonest := p.asked.Add(p.again / 3 << min(p.tries, 2)); p.tries > 0 && soonest.After(now) {
		p.due = soonest
	}
	e.events = append(e.events, event{kind: rowsMissing, node: p.node, incarnation: p.incarnation, table: p.table, version: p.version})
	p.tick(now, e)
}

// tick asks, or asks again.
func (p *replica) tick(now time.Time, e *effects) {
	if !p.asking {
		if p.tries > 0 && now.Sub(p.synced) > 10*p.again {
			p.tries = 0
		}
		return
	}
	if now.Before(p.due) {
		return
	}
	p.coming = nil
	p.asked = now
	p.due = now.Add(p.again << min(p.tries, 2))
	p.tries++
	e.asks = append(e.asks, request{p.incarnation, p.table})
}

// chunk takes in a part of a snapshot. Parts come in order; after a part that is
// missing the rest is of no use, and the question is asked again when it is due.
func (p *replica) chunk(c chunk, now time.Time, e *effects) {
	if !p.asking {
		return // an answer to an earlier question
	}
	if c.index == 0 {
		p.coming = &incoming{serial: c.serial, version: c.version, rows: map[uint64][]byte{}}
	}
	in := p.coming
	if in == nil || in.serial != c.serial || in.next != c.index || in.version != c.version {
		p.coming = nil
		return
	}
	in.next++
	for _, r := range c.rows {
		if r.value != nil {
			in.rows[r.key] = r.value
		}
	}
	if p.due = now.Add(p.again); c.last {
		p.complete(in, now, e)
	}
}

// complete makes a snapshot the replica's rows, and brings it up to date with
// what was held.
func (p *replica) complete(in *incoming, now time.Time, e *effects) {
	held := p.held
	p.asking, p.coming, p.held, p.heldBytes, p.synced = false, nil, nil, 0, now
	e.taken++
	if in.version >= p.version { // else it answers a question from before what is here already
		p.version = in.version
		for key := range p.rows {
			if _, there := in.rows[key]; !there {
				p.set(key, nil, true, e)
			}
		}
		for key, value := range in.rows {
			p.set(key, value, true, e)
		}
	}
	for _, d := range held {
		p.delta(d, now, e)
	}
}
