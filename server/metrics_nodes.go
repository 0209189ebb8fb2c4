package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"parley/bus"
)

// watchNodes publishes how this node stands with the others. Without others there
// are no such figures.
func (f *figures) watchNodes(p *peers, h *health) {
	for _, figure := range []struct {
		name, help string
		counts     bool
		get        func(bus.Stats) float64
	}{
		{"parley_nodes", "Nodes that are heard, this one included.", false, func(s bus.Stats) float64 { return float64(s.Members) }},
		{"parley_node_resting", "1 while this node sends its devices to others, because it is cut off.", false, func(bus.Stats) float64 {
			if h.resting.Load() {
				return 1
			}
			return 0
		}},
		{"parley_bus_hints_told_total", "Hints sent to other nodes.", true, func(s bus.Stats) float64 { return float64(s.HintsTold) }},
		{"parley_bus_hints_heard_total", "Hints of other nodes.", true, func(s bus.Stats) float64 { return float64(s.HintsHeard) }},
		{"parley_bus_hints_dropped_total", "Hints thrown away for want of room.", true, func(s bus.Stats) float64 { return float64(s.HintsDropped + s.Overrun + s.Unsent) }},
		{"parley_bus_hints_missed_total", "Times that hints of another node were found missing.", true, func(s bus.Stats) float64 { return float64(s.HintsMissed) }},
		{"parley_bus_gaps_total", "Times that rows of another node were found missing.", true, func(s bus.Stats) float64 { return float64(s.Gaps) }},
		{"parley_bus_snapshots_taken_total", "Times that all rows of another node were taken over.", true, func(s bus.Stats) float64 { return float64(s.SnapshotsTaken) }},
		{"parley_bus_snapshots_sent_total", "Times that all rows of this node were sent.", true, func(s bus.Stats) float64 { return float64(s.SnapshotsSent) }},
		{"parley_bus_twins_total", "Times that two nodes with one name were heard.", true, func(s bus.Stats) float64 { return float64(s.Twins) }},
	} {
		get := func() float64 { return figure.get(p.bus.Stats()) }
		if figure.counts {
			f.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: figure.name, Help: figure.help}, get))
		} else {
			f.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: figure.name, Help: figure.help}, get))
		}
	}
}
