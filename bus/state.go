package bus

import (
	"slices"
	"strings"
	"time"
)

// state is what a node knows of the others. It decides about leases, incarnations
// and gaps, and does nothing: what is to be done comes out as effects. It is not
// safe for concurrent use, and reads no clock.
type state struct {
	node        string
	incarnation uint64
	pace        Pace
	tables      map[string]bool // those with a Watch here

	remotes    map[string]*remote
	buried     map[string]grave // nodes that said goodbye
	ticked     time.Time        // when tick was last called, or something was heard first
	complained time.Time        // of another node with this one's name
}

// remote is another node in its current incarnation.
type remote struct {
	node         string
	incarnation  uint64
	since, heard time.Time
	told         uint64 // the highest number of a hint that it told
	replicas     map[string]*replica

	older      time.Time // when a lower incarnation of its name was last heard
	complained time.Time // of two nodes with that name
}

// grave keeps what was under way when a node said goodbye from bringing it back.
type grave struct {
	incarnation uint64
	until       time.Time
}

// effects are what has to be done after something was received or time has
// passed.
type effects struct {
	changes []rowChange
	hints   []heardHint
	missed  []string // nodes that told hints which were not heard
	asks    []request
	serve   []request // snapshots that others asked for
	members bool      // Members are others now
	beat    bool      // others should hear this node soon
	events  []event
	taken   int // snapshots that came in full
}

type rowChange struct {
	table string
	Change
	existed bool // the row was there before
}

type heardHint struct {
	node    string
	topic   string
	payload []byte
}

// request asks for the rows of a table: those of an incarnation, or for it.
type request struct {
	incarnation uint64
	table       string
}

// event is something for the log and the figures.
type event struct {
	kind        eventKind
	node        string
	incarnation uint64
	reason      string        // with nodeLeft
	table       string        // with rowsMissing
	version     uint64        // with rowsMissing: of the rows that are here
	took        time.Duration // with stoodStill
}

type eventKind int

const (
	nodeCame    eventKind = iota
	nodeLeft              // with a goodbye or without
	sameName              // two other nodes have the same name
	ownName               // another node has this one's
	stoodStill            // this node did
	rowsMissing           // a gap
)

func newState(node string, incarnation uint64, pace Pace, tables map[string]bool) *state {
	return &state{
		node: node, incarnation: incarnation, pace: pace, tables: tables,
		remotes: map[string]*remote{}, buried: map[string]grave{},
	}
}

// receive takes in what another node said.
func (s *state) receive(m message, now time.Time) (e effects) {
	if s.ticked.IsZero() {
		s.ticked = now
	}
	if m.node == s.node {
		s.meetOwnName(m, now, &e)
		return e
	}
	if g, ok := s.buried[m.node]; ok && m.incarnation <= g.incarnation && now.Before(g.until) {
		return e
	}
	if _, bye := m.body.(goodbye); bye {
		if r := s.remotes[m.node]; r != nil && r.incarnation == m.incarnation {
			s.drop(r, "said goodbye", &e)
			s.buried[m.node] = grave{m.incarnation, now.Add(s.pace.Lease)}
		}
		return e
	}
	r := s.meet(m, now, &e)
	if r == nil {
		return e
	}
	switch body := m.body.(type) {
	case beat:
		r.reach(body.told, &e)
		for _, v := range body.versions {
			if p := s.replica(r, v.table); p != nil {
				p.behind(v.version, now, &e)
			}
		}
	case delta:
		if p := s.replica(r, body.table); p != nil {
			p.delta(body, now, &e)
		}
	case chunk:
		if p := s.replica(r, body.table); p != nil {
			p.chunk(body, now, &e)
		}
	case hint:
		r.reach(body.number-1, &e)
		r.told = max(r.told, body.number)
		e.hints = append(e.hints, heardHint{r.node, body.topic, body.payload})
	case ask:
		e.serve = append(e.serve, request{m.incarnation, body.table})
	}
	return e
}

// meet finds the node that a message is from, or makes its acquaintance. It is
// nil when the message is to be passed over.
func (s *state) meet(m message, now time.Time, e *effects) *remote {
	r := s.remotes[m.node]
	switch {
	case r != nil && m.incarnation < r.incarnation:
		r.older = now
		return nil
	case r != nil && m.incarnation == r.incarnation:
		r.heard = now
		s.compare(r, now, e)
		return r
	case r != nil:
		s.drop(r, "was started again", e)
	}
	r = &remote{node: m.node, incarnation: m.incarnation, since: now, heard: now, replicas: map[string]*replica{}}
	if h, ok := m.body.(hint); ok {
		r.told = h.number - 1
	} else if b, ok := m.body.(beat); ok {
		r.told = b.told
	}
	s.remotes[m.node] = r
	e.missed = append(e.missed, r.node)
	e.members, e.beat = true, true
	e.events = append(e.events, event{kind: nodeCame, node: r.node, incarnation: r.incarnation})
	return r
}

// drop removes a node and its rows.
func (s *state) drop(r *remote, reason string, e *effects) {
	for _, p := range r.replicas {
		for key := range p.rows {
			e.changes = append(e.changes, rowChange{p.table, Change{Node: r.node, Key: key}, true})
		}
	}
	delete(s.remotes, r.node)
	e.members = true
	e.events = append(e.events, event{kind: nodeLeft, node: r.node, incarnation: r.incarnation, reason: reason})
}

// complainEvery is how often one pair of nodes with the same name is told.
const complainEvery = time.Minute

// compare notices that two nodes with one name are running. A lower incarnation
// that is heard for a moment only is one that is just ending.
func (s *state) compare(r *remote, now time.Time, e *effects) {
	if r.older.Sub(r.since) < s.pace.Beat || now.Sub(r.older) > s.pace.Lease || now.Sub(r.complained) < complainEvery {
		return
	}
	r.complained = now
	e.events = append(e.events, event{kind: sameName, node: r.node, incarnation: r.incarnation})
}

func (s *state) meetOwnName(m message, now time.Time, e *effects) {
	if _, bye := m.body.(goodbye); bye || m.incarnation == s.incarnation {
		return
	}
	if now.Sub(s.complained) < complainEvery {
		return
	}
	s.complained = now
	e.events = append(e.events, event{kind: ownName, node: m.node, incarnation: m.incarnation})
}

// replica gives this node's copy of r's rows in a table, or nil when nobody here
// watches it.
func (s *state) replica(r *remote, table string) *replica {
	p := r.replicas[table]
	if p == nil && s.tables[table] {
		p = &replica{node: r.node, incarnation: r.incarnation, table: table, again: s.pace.Beat, rows: map[uint64][]byte{}}
		r.replicas[table] = p
	}
	return p
}

// reach notices hints that r told up to a number and that were not heard.
func (r *remote) reach(number uint64, e *effects) {
	if number > r.told {
		r.told = number
		e.missed = append(e.missed, r.node)
	}
}

// tick ends leases and repeats questions. When it comes late, this node stood
// still or had no time, and then nobody can be blamed for not having been heard:
// everybody has a fresh lease.
func (s *state) tick(now time.Time) (e effects) {
	late := !s.ticked.IsZero() && now.Sub(s.ticked) > s.pace.Beat // a tick is due every third of it
	if late {
		e.beat = true
		e.events = append(e.events, event{kind: stoodStill, took: now.Sub(s.ticked)})
	}
	s.ticked = now
	for _, r := range s.remotes {
		switch {
		case late:
			r.heard = now
		case now.Sub(r.heard) >= s.pace.Lease:
			s.drop(r, "not heard for its lease", &e)
			continue
		}
		for _, p := range r.replicas {
			p.tick(now, &e)
		}
	}
	for node, g := range s.buried {
		if !now.Before(g.until) {
			delete(s.buried, node)
		}
	}
	return e
}

// members lists the nodes, this one included, by name.
func (s *state) members() []Member {
	list := []Member{{Node: s.node, Incarnation: s.incarnation, Self: true}}
	for _, r := range s.remotes {
		list = append(list, Member{Node: r.node, Incarnation: r.incarnation})
	}
	slices.SortFunc(list, func(a, b Member) int { return strings.Compare(a.Node, b.Node) })
	return list
}
