package server

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"parley"
	"parley/bus"
	"parley/conversation"
	"parley/presence"
)

// The topics and tables of the bus.
const (
	topicLog          = "log"          // something was committed: look at the database
	topicConversation = "conversation" // hints of the log
	topicDirectory    = "directory"    // compare everything with the corporate directory
	tablePresence     = "presence"     // facts about connected devices
	tableHealth       = "health"       // whether a node reaches the database
)

const (
	// gatherAcknowledgements is how long acknowledgements are joined before they
	// are told: of each device only the last one matters.
	gatherAcknowledgements = 20 * time.Millisecond

	// maxTold bounds the bytes of hints that are told at once.
	maxTold = 16 << 10
)

// peers are the other nodes, as the parts of this one see them: it tells them
// what the Board and the Log say, and takes what they say to Board and Log.
type peers struct {
	bus     *bus.Bus
	facts   *bus.Table
	health  *bus.Table
	log     *slog.Logger
	gather  chan struct{} // one token: acknowledgements wait
	hear    func(conversation.Hint)
	learn   func(node string, f presence.Fact)
	unlearn func(node string, person parley.PersonID, device parley.DeviceID)

	// arrived is told of a device that has connected to another node just now.
	arrived func(parley.DeviceID)

	mu      sync.Mutex
	acks    map[parley.DeviceID]conversation.Hint // to be told
	whose   map[remoteDevice]parley.PersonID      // who is where, as far as other nodes told
	failing map[string]bool                       // whether nodes do not reach the database, this one included
}

// remoteDevice is a device as another node knows it.
type remoteDevice struct {
	node   string
	device parley.DeviceID
}

func newPeers(b *bus.Bus, log *slog.Logger) *peers {
	p := &peers{
		bus: b, log: log, gather: make(chan struct{}, 1),
		acks: map[parley.DeviceID]conversation.Hint{}, whose: map[remoteDevice]parley.PersonID{}, failing: map[string]bool{},
		arrived: func(parley.DeviceID) {},
	}
	p.facts = b.Table(tablePresence, p.presenceChanged)
	p.health = b.Table(tableHealth, p.healthChanged)
	b.Hear(topicConversation, p.heard)
	return p
}

// Tell implements conversation.Peers.
func (p *peers) Tell(h conversation.Hint) {
	if h.Kind != conversation.HintAcknowledged {
		p.bus.Tell(topicConversation, bus.AppendHint(nil, h))
		return
	}
	p.mu.Lock()
	p.acks[h.Device] = h
	p.mu.Unlock()
	select {
	case p.gather <- struct{}{}:
	default:
	}
}

// Leads implements conversation.Peers.
func (p *peers) Leads() bool {
	nodes := p.nodes()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bus.Node() == leader(nodes, p.failing)
}

// leader is the first node by name that reaches the database; empty: none does.
func leader(nodes []string, failing map[string]bool) string {
	for _, node := range nodes {
		if !failing[node] {
			return node
		}
	}
	return ""
}

// nodes are the names of the nodes that are heard, this one included.
func (p *peers) nodes() []string {
	names := []string{p.bus.Node()}
	for _, m := range p.bus.Members() {
		names = append(names, m.Node)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Publish implements presence.Peers.
func (p *peers) Publish(f presence.Fact) { p.facts.Set(uint64(f.Device), bus.AppendFact(nil, f)) }

// Withdraw implements presence.Peers.
func (p *peers) Withdraw(device parley.DeviceID) { p.facts.Delete(uint64(device)) }

// committed tells the others to look at the database.
func (p *peers) committed() { p.bus.Tell(topicLog, nil) }

// run tells joined acknowledgements until ctx ends.
func (p *peers) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.gather:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(gatherAcknowledgements):
		}
		p.tellAcknowledgements()
	}
}

func (p *peers) tellAcknowledgements() {
	p.mu.Lock()
	acks := p.acks
	p.acks = map[parley.DeviceID]conversation.Hint{}
	p.mu.Unlock()
	var b []byte
	for _, h := range acks {
		if b = bus.AppendHint(b, h); len(b) >= maxTold {
			p.bus.Tell(topicConversation, b)
			b = nil
		}
	}
	if len(b) > 0 {
		p.bus.Tell(topicConversation, b)
	}
}

func (p *peers) heard(node string, payload []byte) {
	hints, err := bus.ParseHints(payload)
	if err != nil {
		p.log.Warn("a hint of another node cannot be read", "node", node, "error", err)
	}
	for _, h := range hints {
		p.hear(h)
	}
}

// presenceChanged takes a fact of another node. A device that appears there just
// now is no longer here, whatever its old connection looks like.
func (p *peers) presenceChanged(c bus.Change) {
	at := remoteDevice{c.Node, parley.DeviceID(c.Key)}
	p.mu.Lock()
	person, known := p.whose[at]
	if c.Value == nil {
		delete(p.whose, at)
	}
	p.mu.Unlock()
	if c.Value == nil {
		if known {
			p.unlearn(c.Node, person, at.device)
		}
		return
	}
	f, err := bus.ParseFact(c.Key, c.Value)
	if err != nil {
		p.log.Warn("a fact of another node cannot be read", "node", c.Node, "error", err)
		return
	}
	if known && person != f.Person {
		p.unlearn(c.Node, person, at.device)
	}
	p.mu.Lock()
	p.whose[at] = f.Person
	p.mu.Unlock()
	p.learn(c.Node, f)
	if !known && !c.Snapshot {
		p.arrived(f.Device)
	}
}

func (p *peers) healthChanged(c bus.Change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.Value == nil {
		delete(p.failing, c.Node)
		return
	}
	p.failing[c.Node] = len(c.Value) > 0 && c.Value[0] == 1
}

// tellHealth tells the others whether this node reaches the database.
func (p *peers) tellHealth(failing bool) {
	var value byte
	if failing {
		value = 1
	}
	p.mu.Lock()
	p.failing[p.bus.Node()] = failing
	p.mu.Unlock()
	p.health.Set(1, []byte{value})
}

// reached reports whether another node is heard that reaches the database.
func (p *peers) reached() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for node, failing := range p.failing {
		if node != p.bus.Node() && !failing {
			return true
		}
	}
	return false
}
