package server_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/edge/webapi"
	"parley/parleytest"
)

// faultRounds is how many faults two nodes suffer: one of each kind, or what
// PARLEY_ROUNDS says.
func faultRounds(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("PARLEY_ROUNDS"))
	if err != nil {
		n = len(faults)
	}
	if testing.Short() {
		n = 4
	}
	t.Logf("%d rounds", n)
	return n
}

// fault is something that happens to a node, and is over when it returns.
type fault struct {
	name string
	do   func(c *parleytest.Cluster, victim *parleytest.Node, random *rand.Rand)
}

// between waits for a random time.
func between(random *rand.Rand, low, high time.Duration) {
	<-time.After(low + time.Duration(random.Int64N(int64(high-low))))
}

func kill(_ *parleytest.Cluster, n *parleytest.Node, random *rand.Rand) {
	n.Kill()
	between(random, 0, time.Second)
	n.Start()
}

func freeze(low, high time.Duration) func(*parleytest.Cluster, *parleytest.Node, *rand.Rand) {
	return func(_ *parleytest.Cluster, n *parleytest.Node, random *rand.Rand) {
		n.Freeze()
		between(random, low, high)
		n.Thaw()
	}
}

func cutBus(low, high time.Duration) func(*parleytest.Cluster, *parleytest.Node, *rand.Rand) {
	return func(c *parleytest.Cluster, _ *parleytest.Node, random *rand.Rand) {
		for _, n := range c.Nodes {
			n.Bus.Cut()
		}
		between(random, low, high)
		for _, n := range c.Nodes {
			n.Bus.Heal()
		}
	}
}

func cutDatabase(_ *parleytest.Cluster, n *parleytest.Node, random *rand.Rand) {
	n.Database.Cut()
	between(random, 500*time.Millisecond, 8*time.Second)
	n.Database.Heal()
}

// stallDatabase holds every byte between a node and the database back.
func stallDatabase(_ *parleytest.Cluster, n *parleytest.Node, random *rand.Rand) {
	n.Database.Stall()
	between(random, 500*time.Millisecond, 6*time.Second)
	n.Database.Heal()
}

func killAll(c *parleytest.Cluster, _ *parleytest.Node, random *rand.Rand) {
	for _, n := range c.Nodes {
		n.Kill()
	}
	between(random, 0, 300*time.Millisecond)
	for _, n := range c.Nodes {
		n.Launch()
	}
	for _, n := range c.Nodes {
		n.Ready()
	}
}

// The last two take longer than the lease of a node.
var faults = []fault{
	{"a killed node", kill},
	{"a node frozen for a moment", freeze(200*time.Millisecond, 3*time.Second)},
	{"a bus cut for a moment", cutBus(200*time.Millisecond, 4*time.Second)},
	{"a node cut off from the database", cutDatabase},
	{"a node killed again", kill},
	{"a node whose database does not answer", stallDatabase},
	{"all nodes killed", killAll},
	{"a node frozen and thawed", freeze(3*time.Second, 6*time.Second)},
	{"a node frozen for longer than its lease", freeze(16*time.Second, 20*time.Second)},
	{"a bus cut for longer than a lease", cutBus(20*time.Second, 24*time.Second)},
}

// party is a few people who talk through everything, each on a device of each
// node.
type party struct {
	t       *testing.T
	cluster *parleytest.Cluster
	people  []*member
	random  *rand.Rand
}

type member struct {
	alias   string
	devices []*parleytest.Device
	chosen  int  // availability
	away    bool // has taken all devices offline
}

// choices are what people choose, and what it shows.
var choices = []struct {
	state string
	shows int
}{{"available", 3500}, {"busy", 6500}, {"do-not-disturb", 9500}, {"be-right-back", 12500}, {"reset", 3500}}

func newParty(t *testing.T, c *parleytest.Cluster, aliases ...string) *party {
	p := &party{t: t, cluster: c, random: rand.New(rand.NewPCG(20261124, 3))}
	var ids []string
	for _, alias := range aliases {
		m := &member{alias: alias, chosen: 3500}
		for node := range c.Nodes {
			m.devices = append(m.devices, c.SignIn(alias, node))
		}
		p.people = append(p.people, m)
		ids = append(ids, m.devices[0].ID())
	}
	for _, m := range p.people {
		for _, d := range m.devices {
			d.Online()
			d.Watch(ids...)
		}
	}
	return p
}

// writesAway is how much somebody writes in a round on a device that is away. It
// is sent one by one when the device is back, and a round may last half a minute.
const writesAway = 20

// talk has everybody write to the next one while it lasts.
func (p *party) talk(round int, over <-chan struct{}) {
	var load sync.WaitGroup
	for i, m := range p.people {
		to := p.people[(i+1)%len(p.people)].devices[0]
		for j, d := range m.devices {
			load.Go(func() {
				for k := 0; !m.away || k < writesAway; k++ {
					d.Queue(d.With(to), fmt.Sprintf("%s %d: %d.%d", m.alias, j, round, k))
					select {
					case <-over:
						return
					case <-time.After(20 * time.Millisecond):
					}
				}
			})
		}
	}
	load.Wait()
}

// choose has somebody choose a state, and somebody else come or go.
func (p *party) choose() {
	m := p.people[p.random.IntN(len(p.people))]
	if m.away {
		for _, d := range m.devices {
			d.Connect()
		}
		m.away = false
		return
	}
	if p.random.IntN(4) == 0 {
		for _, d := range m.devices {
			d.QueueEmpty()
			d.Close()
		}
		m.away = true
		return
	}
	choice := choices[p.random.IntN(len(choices))]
	m.devices[0].Insist("PUT", "/api/me/presence", webapi.SetPresenceRequest{State: choice.state})
	m.chosen = choice.shows
}

// run is what has come of it so far.
func (p *party) run() parleytest.Run {
	r := parleytest.Run{Chosen: map[string]int{}}
	for _, m := range p.people {
		if r.Chosen[m.devices[0].ID()] = m.chosen; m.away {
			r.Chosen[m.devices[0].ID()] = 18500
		}
		for i, d := range m.devices {
			r.Sent = append(r.Sent, d.Sent())
			if !m.away {
				r.Devices = append(r.Devices, d.Observe(fmt.Sprintf("%s's device %d", m.alias, i)))
			}
		}
	}
	return r
}

// wrong is what is not as it has to be: also that a message still waits.
func (p *party) wrong() []string {
	wrong := parleytest.Check(p.run())
	for _, m := range p.people {
		for _, d := range m.devices {
			if n := d.Pending(); n > 0 && !m.away {
				wrong = append(wrong, fmt.Sprintf("%d messages of %s wait", n, m.alias))
			}
		}
	}
	return wrong
}

// settles waits until all is well and tells how long that took.
func (p *party) settles(what string) time.Duration {
	p.t.Helper()
	began := time.Now()
	for _, m := range p.people {
		for _, d := range m.devices {
			if !m.away {
				d.Activity(true, true)
			}
		}
	}
	wrong := p.wrong()
	for len(wrong) > 0 {
		if time.Since(began) > time.Minute {
			p.t.Fatalf("a minute after %s: %d things are wrong: %.3000q", what, len(wrong), wrong)
		}
		<-time.After(50 * time.Millisecond)
		wrong = p.wrong()
	}
	return time.Since(began)
}

// TestNodesUnderFaults runs two nodes through everything that happens to nodes,
// under load. After each fault every acknowledged message is on every device of
// its people, once and in one order, and everybody is shown as they are to
// everybody, within a minute.
//
// claim: IM2, PR5
func TestNodesUnderFaults(t *testing.T) {
	if parleytest.TwoNodes() {
		t.Skip("runs its own nodes, in both settings alike")
	}
	rounds := faultRounds(t)
	c := parleytest.StartCluster(t, 2)
	p := newParty(t, c, "hanna", "kwame", "zoe", "jonas")
	p.settles("the start")
	var longest time.Duration
	for round := range rounds {
		f := faults[round%len(faults)]
		if rounds > len(faults) && round >= len(faults) {
			f = faults[p.random.IntN(len(faults))]
		}
		over := make(chan struct{})
		var load sync.WaitGroup
		load.Go(func() { p.talk(round, over) })
		f.do(c, c.Nodes[p.random.IntN(len(c.Nodes))], p.random)
		close(over)
		load.Wait()
		p.choose()
		took := p.settles(f.name)
		longest = max(longest, took)
		t.Logf("round %d: %s: all is well after %v", round, f.name, took.Round(time.Millisecond))
	}
	t.Logf("longest until all was well: %v", longest.Round(time.Millisecond))
}

// An operator sees in the figures of each node how many others it hears.
func TestFiguresOfNodes(t *testing.T) {
	w := parleytest.Start(t)
	answer := w.Ask("GET", "/metrics", nil)
	if got, want := strings.Contains(string(answer.Body), "parley_nodes 2"), parleytest.TwoNodes(); got != want {
		t.Errorf("the figures tell of two nodes: %v, want %v", got, want)
	}
}
