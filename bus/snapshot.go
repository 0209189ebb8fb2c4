package bus

import (
	"context"
	"sync"
	"time"
)

const (
	snapshotRate = 16 << 20 // bytes a second that a node sends in snapshots
	maxAskers    = 1024     // of one table at once; more is nothing that nodes do
)

// askers are those who wait for a snapshot of this node's rows.
type askers struct {
	wake chan struct{}

	mu     sync.Mutex
	tables []string // in the order in which they were first asked for
	by     map[string]map[uint64]bool
}

// push notes a question. Who asks again while waiting is noted once.
func (a *askers) push(r request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	waiting := a.by[r.table]
	if waiting == nil {
		waiting = map[uint64]bool{}
		a.by[r.table] = waiting
		a.tables = append(a.tables, r.table)
	}
	if len(waiting) < maxAskers {
		waiting[r.incarnation] = true
	}
	nudge(a.wake)
}

func (a *askers) take() (table string, waiting map[uint64]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.tables) == 0 {
		return "", nil
	}
	table = a.tables[0]
	a.tables = a.tables[1:]
	waiting = a.by[table]
	delete(a.by, table)
	return table, waiting
}

// answer sends snapshots, one table after the other, each once for all who wait
// for it, and not faster than snapshotRate.
func (b *Bus) answer(ctx context.Context) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.askers.wake:
		}
		for {
			table, waiting := b.askers.take()
			if waiting == nil {
				break
			}
			for _, c := range b.tables[table].snapshot() {
				size := b.sendChunk(c, waiting)
				pause.Reset(time.Duration(size) * time.Second / snapshotRate)
				select {
				case <-ctx.Done():
					return
				case <-pause.C:
				}
			}
			b.counts.snapshotsSent.Add(uint64(len(waiting)))
		}
	}
}

func (b *Bus) sendChunk(c chunk, waiting map[uint64]bool) (size int) {
	data := encode(message{b.config.Node, b.incarnation, c})
	for incarnation := range waiting {
		if b.conn.Publish(b.inbox(incarnation), data) != nil {
			b.counts.unsent.Add(1)
		}
		size += len(data)
	}
	b.counts.snapshotBytes.Add(uint64(size))
	return size
}
