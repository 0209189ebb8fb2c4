package server

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

const (
	// beatEvery is how often a node says in the database that it is there, and
	// beatFresh how long that counts. It is shorter than the bus's own lease: a
	// node that died must be out of the database's list before it is missed on the
	// bus, or the others would think that it is they who are cut off.
	beatEvery = 3 * time.Second
	beatFresh = 9 * time.Second

	// yieldAfter is for how long a node looks before it sends its devices away.
	yieldAfter = 3 * time.Second

	// failingAfter is how long the database may be out of reach before that.
	failingAfter = 5 * time.Second
)

// cutOff reports whether this node, which hears some of the nodes that the
// database says are there, is on the losing side of a cut: the smaller one, or of
// two halves the one without the first node by name. self counts as heard.
func cutOff(self string, recorded, heard []string) bool {
	all := slices.Concat(recorded, []string{self})
	slices.Sort(all)
	all = slices.Compact(all)
	mine := 0
	for _, node := range all {
		if node == self || slices.Contains(heard, node) {
			mine++
		}
	}
	switch others := len(all) - mine; {
	case mine == others:
		return all[0] != self && !slices.Contains(heard, all[0])
	default:
		return mine < others
	}
}

// roster is what a watch asks the database.
type roster interface {
	// Beat says that a node is there, and returns those that said so within a
	// time.
	Beat(ctx context.Context, node string, within time.Duration) ([]string, error)

	// Leave takes a node off the list.
	Leave(ctx context.Context, node string) error

	// Failing says since when the database is out of reach.
	Failing() (since time.Time, failing bool)
}

// neighbours are what a watch asks the bus. peers is it.
type neighbours interface {
	nodes() []string         // heard, this one included
	reached() bool           // another one is heard that reaches the database
	tellHealth(failing bool) // whether this one does
}

// watch looks whether this node still reaches what the others do, and sends its
// devices to them if not.
type watch struct {
	node   string
	roster roster
	peers  neighbours
	rest   func(bool)
	log    *slog.Logger

	resting bool
	since   time.Time // when the view began that is not acted upon yet
	others  bool      // there were other nodes when the database answered last
}

// run looks once a second until ctx ends.
func (w *watch) run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var recorded []string
	var next time.Time
	for {
		select {
		case <-ctx.Done():
			w.leave(ctx)
			return nil
		case <-tick.C:
		}
		now := time.Now()
		if !now.Before(next) {
			next = now.Add(beatEvery)
			recorded = w.beat(ctx)
		}
		w.look(now, recorded)
	}
}

// leave says that this node is gone, so that nobody looks for it.
func (w *watch) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := w.roster.Leave(ctx, w.node); err != nil {
		w.log.Debug("telling the database that this node is gone failed", "error", err)
	}
}

// beat says that this node is there. Without an answer nobody is known to be.
func (w *watch) beat(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	recorded, err := w.roster.Beat(ctx, w.node, beatFresh)
	if err != nil {
		w.log.Debug("telling the database that this node is there failed", "error", err)
		return nil
	}
	return recorded
}

// look acts on a view that has lasted long enough.
func (w *watch) look(now time.Time, recorded []string) {
	since, failing := w.roster.Failing()
	failing = failing && now.Sub(since) >= failingAfter
	w.peers.tellHealth(failing)
	if recorded != nil {
		w.others = slices.ContainsFunc(recorded, func(node string) bool { return node != w.node })
	}
	reason := ""
	switch {
	case failing && w.peers.reached():
		reason = "the database is out of reach of this node, not of others"
	case failing && w.others && len(w.peers.nodes()) == 1:
		reason = "this node reaches neither the database nor another node"
	case !failing && cutOff(w.node, recorded, w.peers.nodes()):
		reason = "this node does not hear all that are there"
	}
	if (reason != "") == w.resting {
		w.since = time.Time{}
		return
	}
	if w.since.IsZero() {
		w.since = now
	}
	if now.Sub(w.since) < yieldAfter {
		return
	}
	w.resting, w.since = reason != "", time.Time{}
	if w.resting {
		w.log.Error("sending devices to other nodes", "reason", reason, "heard", w.peers.nodes(), "recorded", recorded)
	} else {
		w.log.Info("taking devices again")
	}
	w.rest(w.resting)
}
