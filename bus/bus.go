package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"
)

// Bus is this node's place among the others. Table, Hear, OnMissed and OnMembers
// have to be called before Run; everything else is safe for concurrent use at any
// time.
type Bus struct {
	config      Config
	incarnation uint64
	server      *server.Server // nil: an external NATS cluster
	addr        string         // where the server takes routes
	conn        *nats.Conn

	// Fixed when Run begins.
	tables    map[string]*Table
	topics    map[string]*ear
	onMembers []func([]Member)

	out    outbox
	sent   uint64 // the number of the last hint that left; owned by the goroutine that sends
	askers askers
	missed absences
	moved  chan struct{} // members are others now
	gone   chan struct{} // the connection was closed, by us or for good
	once   sync.Once     // closes gone

	// mu guards the state; it is held while one message is taken in.
	mu    sync.Mutex
	state *state

	life struct {
		sync.Mutex
		stop    context.CancelFunc // of Run; nil: it did not begin
		closing bool
		ended   chan struct{}
		heard   []subscription
	}
	counts  counts
	odd     odd
	trouble trouble
}

// Member is a node that is there.
type Member struct {
	Node        string
	Incarnation uint64
	Self        bool
}

// New opens this node's NATS server for routes, or connects to an external
// cluster; one that cannot be reached yet is waited for later. Nothing is said and
// nothing heard before Run. Whoever does not call Run has to call Close.
func New(ctx context.Context, c Config) (*Bus, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	b := &Bus{
		config:      c,
		incarnation: uint64(time.Now().UnixMilli())<<20 | rand.Uint64N(1<<20),
		tables:      map[string]*Table{},
		topics:      map[string]*ear{},
		out:         outbox{wake: make(chan struct{}, 1)},
		askers:      askers{wake: make(chan struct{}, 1), by: map[string]map[uint64]bool{}},
		missed:      absences{wake: make(chan struct{}, 1), nodes: map[string]bool{}},
		moved:       make(chan struct{}, 1),
		gone:        make(chan struct{}),
	}
	b.state = newState(c.Node, b.incarnation, c.Pace, map[string]bool{})
	b.life.ended = make(chan struct{})
	if c.Listen != "" {
		if b.server, err = startServer(ctx, c, b.incarnation); err != nil {
			return nil, err
		}
		b.addr = b.server.ClusterAddr().String()
	}
	if err := b.connect(); err != nil {
		b.shutdown()
		return nil, err
	}
	return b, nil
}

// Node is this node's name.
func (b *Bus) Node() string { return b.config.Node }

// Incarnation is the number of this start of the node. It grows from start to
// start as long as the clock does.
func (b *Bus) Incarnation() uint64 { return b.incarnation }

// Addr is where routes come in, host:port; empty with an external cluster.
func (b *Bus) Addr() string { return b.addr }

// Members lists the nodes that are there, this one included, by name.
func (b *Bus) Members() []Member {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state.members()
}

// OnMembers has f called, on a goroutine of its own, with the nodes that are
// there, when Run begins and whenever they are others. It has to be called before
// Run.
func (b *Bus) OnMembers(f func([]Member)) {
	b.early("OnMembers", "")
	b.onMembers = append(b.onMembers, f)
}

// early is a check on the program.
func (b *Bus) early(what, name string) {
	if len(name) > maxName {
		panic("bus: the name is over the limit: " + name)
	}
	b.life.Lock()
	defer b.life.Unlock()
	if b.life.stop != nil {
		panic("bus: " + what + " has to be called before Run")
	}
}

// Run takes part until ctx ends or Close is called, then says goodbye, waits for
// what it called, and closes everything. It can be called once. It fails when the
// connection to an external cluster is closed for good.
func (b *Bus) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	b.life.Lock()
	if b.life.stop != nil || b.life.closing {
		b.life.Unlock()
		return errors.New("bus: Run after Run or Close")
	}
	b.life.stop = stop
	b.life.Unlock()
	defer close(b.life.ended)
	defer b.shutdown()

	for name := range b.tables {
		b.state.tables[name] = true
	}
	if err := b.subscribe(); err != nil {
		return err
	}
	parts, ctx := errgroup.WithContext(ctx)
	b.start(ctx, func(f func(context.Context)) { parts.Go(func() error { f(ctx); return nil }) })
	parts.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-b.gone:
			return errClosed
		}
	})
	err := parts.Wait()
	b.unsubscribe()
	return err
}

// start starts the goroutines that make up a running Bus.
func (b *Bus) start(ctx context.Context, run func(func(context.Context))) {
	run(b.send)
	run(b.answer)
	run(b.keepTime)
	run(b.tellMembers)
	run(b.missed.run)
	for _, t := range b.tables {
		run(t.watch.run)
	}
	for _, e := range b.topics {
		run(e.run)
	}
}

// Close ends Run and waits for it. It must not be called by a Watch or a listener,
// whose end Run waits for.
func (b *Bus) Close() {
	b.life.Lock()
	stop, closing := b.life.stop, b.life.closing
	b.life.closing = true
	b.life.Unlock()
	switch {
	case stop != nil:
		stop()
		<-b.life.ended
	case !closing:
		b.shutdown()
		close(b.life.ended)
	default:
		<-b.life.ended
	}
}

// shutdown ends the connection and the server.
func (b *Bus) shutdown() {
	if b.conn != nil {
		b.conn.Close()
	}
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
}

func (b *Bus) closed() { b.once.Do(func() { close(b.gone) }) }

// everybody is the subject that all nodes hear.
func (b *Bus) everybody() string { return "parley." + b.config.Cluster + ".all" }

// inbox is the subject that one incarnation of one node hears.
func (b *Bus) inbox(incarnation uint64) string {
	return fmt.Sprintf("parley.%s.to.%x", b.config.Cluster, incarnation)
}

// keepTime looks after leases and questions.
func (b *Bus) keepTime(ctx context.Context) {
	ticker := time.NewTicker(b.config.Pace.Beat / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			b.do(func(now time.Time) effects { return b.state.tick(now) })
		}
	}
}

// tellMembers tells who is there.
func (b *Bus) tellMembers(ctx context.Context) {
	var told []Member
	for {
		if is := b.Members(); !slices.Equal(is, told) {
			for _, f := range b.onMembers {
				f(slices.Clone(is))
			}
			told = is
		}
		select {
		case <-ctx.Done():
			return
		case <-b.moved:
		}
	}
}
