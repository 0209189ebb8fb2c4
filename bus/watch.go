package bus

import (
	"context"
	"sync"
)

// watch is the way to one table's Watch. It holds no more than one change a row,
// so that a slow Watch costs no more than the rows themselves.
type watch struct {
	call Watch
	wake chan struct{}

	mu    sync.Mutex
	dirty map[rowID]*pending
	order []rowID // of what is dirty, oldest first
}

type rowID struct {
	node string
	key  uint64
}

// pending is the change of a row that the Watch has not been told yet.
type pending struct {
	value    []byte
	snapshot bool
	known    bool // the Watch knows of the row
}

func newWatch(call Watch) *watch {
	return &watch{call: call, wake: make(chan struct{}, 1), dirty: map[rowID]*pending{}}
}

// push never blocks. existed says that the row was there before the change.
func (w *watch) push(c Change, existed bool) {
	id := rowID{c.Node, c.Key}
	w.mu.Lock()
	if p := w.dirty[id]; p != nil {
		p.value, p.snapshot = c.Value, p.snapshot && c.Snapshot
	} else {
		w.dirty[id] = &pending{c.Value, c.Snapshot, existed}
		w.order = append(w.order, id)
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take gives changes to tell, oldest first, and none if there are none.
func (w *watch) take(limit int) []Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(limit, len(w.order))
	changes := make([]Change, 0, n)
	for _, id := range w.order[:n] {
		p := w.dirty[id]
		delete(w.dirty, id)
		if p.known || p.value != nil {
			changes = append(changes, Change{id.node, id.key, p.value, p.snapshot})
		}
	}
	w.order = w.order[n:]
	if len(w.order) == 0 {
		w.order = nil // lets go of what a large snapshot needed
	}
	return changes
}

// run tells changes until ctx ends.
func (w *watch) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
		for w.waiting() && ctx.Err() == nil {
			for _, c := range w.take(64) {
				w.call(c)
			}
		}
	}
}

func (w *watch) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.order) > 0
}
