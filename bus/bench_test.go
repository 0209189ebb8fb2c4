package bus_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"parley/bus"
)

func pair(b *testing.B) (*node, *node) {
	l := newLab(b)
	to := l.start("a")
	from := l.start("b", func(c *bus.Config) { c.Routes = []string{to.Addr()} })
	to.meets("a", "b")
	from.meets("a", "b")
	return from, to
}

// BenchmarkHint is one hint from one node to another, until it is heard.
func BenchmarkHint(b *testing.B) {
	from, to := pair(b)
	heard := 0
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		from.Tell("log", []byte("12345678"))
		heard++
		to.mu.Lock()
		for len(to.hints) < heard {
			changed := to.changed
			to.mu.Unlock()
			<-changed
			to.mu.Lock()
		}
		to.mu.Unlock()
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}

// BenchmarkRows are 20,000 rows that change at once, until the other node has all.
func BenchmarkRows(b *testing.B) {
	from, to := pair(b)
	v := make([]byte, 60)
	for i := uint64(1); b.Loop(); i++ {
		binary.BigEndian.PutUint64(v, i)
		for key := range uint64(20_000) {
			from.table.Set(key, v)
		}
		to.wait("the rows", func() bool {
			rows := to.rows["b"]
			if len(rows) != 20_000 {
				return false
			}
			for _, row := range rows {
				if row[:8] != string(v[:8]) {
					return false
				}
			}
			return true
		})
		to.forget()
	}
}

// BenchmarkJoin is a node that starts, until it has 20,000 rows of another.
func BenchmarkJoin(b *testing.B) {
	l := newLab(b)
	to := l.start("a")
	for key := range uint64(20_000) {
		to.table.Set(key, make([]byte, 60))
	}
	for b.Loop() {
		n := l.start("b", func(c *bus.Config) { c.Routes = []string{to.Addr()} })
		n.wait("the rows", func() bool { return len(n.rows["a"]) == 20_000 })
		n.stop()
	}
}
