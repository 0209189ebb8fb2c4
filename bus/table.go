package bus

import (
	"log/slog"
	"sync"
)

// Change tells that a row of another node is another one now.
type Change struct {
	Node     string
	Key      uint64
	Value    []byte // not to be altered; nil: the row was removed
	Snapshot bool   // found while comparing with all of the node's rows, so it need not have happened just now
}

// Watch is told of every change, one after the other. It may take its time, and
// may use the Bus.
type Watch func(Change)

// Table is a replicated table. Its methods never block and may be called at any
// time: before Run they prepare what is told then, after it they do nothing.
type Table struct {
	name string
	log  *slog.Logger
	wake func() // there are changes to tell

	mu   sync.Mutex
	rows own // guarded by mu

	watch *watch
}

// Table makes a replicated table. It has to be called before Run, once for each
// name.
func (b *Bus) Table(name string, w Watch) *Table {
	b.early("Table", name)
	if b.tables[name] != nil {
		panic("bus: Table called twice for " + name)
	}
	t := &Table{name: name, log: b.config.Log, wake: b.out.touch, rows: newOwn(), watch: newWatch(w)}
	b.tables[name] = t
	return t
}

// Set makes value the row with that key, for all other nodes. It copies value. A
// value over the limit (16 KiB) is a mistake of the caller: the row is removed, so
// that nobody sees an old one, and the log says so.
func (t *Table) Set(key uint64, value []byte) {
	if len(value) > maxValue {
		t.log.Error("a row is over the limit and is not told to other nodes", "table", t.name, "bytes", len(value))
		t.Delete(key)
		return
	}
	t.change(key, append([]byte{}, value...))
}

// Delete removes a row.
func (t *Table) Delete(key uint64) { t.change(key, nil) }

func (t *Table) change(key uint64, value []byte) {
	t.mu.Lock()
	changed := t.rows.set(key, value)
	t.mu.Unlock()
	if changed {
		t.wake()
	}
}

// deltas gives the bodies of what changed since the last time.
func (t *Table) deltas() []delta {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows.deltas(t.name)
}

func (t *Table) snapshot() []chunk {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows.snapshot(t.name)
}

func (t *Table) version() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows.version
}
