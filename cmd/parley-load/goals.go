package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// goal is something that Parley has to reach on a machine with two cores, with
// server and load on them together, without TLS, every message synced to disk
// before it is acknowledged or forwarded.
type goal struct {
	workload string
	scenario string
	of       string // the case of the scenario
	metric   string
	unit     string
	limit    float64
	atLeast  bool // else at most
}

// goals are all of them, in the order of the table.
var goals = []goal{
	{"durable messages, 100 pairs × 10 under way", "messages", "saturated", "delivered_per_s", "/s", 40_000, true},
	{"messages lost, doubled or out of order in it", "messages", "saturated", wrongMetric, "", 0, false},
	{"latency at 1,000/s, half", "messages", "1000/s", "p50_ms", " ms", 0.8, false},
	{"latency at 1,000/s, 99 in 100", "messages", "1000/s", "p99_ms", " ms", 5, false},
	{"latency at 10,000/s, half", "messages", "10000/s", "p50_ms", " ms", 2, false},
	{"latency at 10,000/s, 99 in 100", "messages", "10000/s", "p99_ms", " ms", 15, false},
	{"memory of an idle device with 80 contacts", "idle", "80 contacts", "kib_per_device", " KiB", 12, false},
	{"reconnects with a token, 80 contacts", "reconnect", "first", "per_s", "/s", 1500, true},
	{"the same, tokens known", "reconnect", "again", "per_s", "/s", 1500, true},
	{"presence to 80 watchers, until the last, half", "fanout", "1 to 80", "p50_ms", " ms", 1.5, false},
	{"presence to 1,000 watchers, half", "fanout", "1 to 1000", "p50_ms", " ms", 25, false},
	{"storm: 1,944 people × 80 contacts", "storm", "1944 people", "seconds", " s", 0.5, false},
	{"search over 100,000 people, 50 a second, 1,000 devices, half", "search", "50/s", "p50_ms", " ms", 2, false},
	{"the same, 99 in 100", "search", "50/s", "p99_ms", " ms", 10, false},
	{"start to serving, demo organisation", "start", "demo organisation", "seconds", " s", 1, false},
	{"memory of the idle demo", "start", "demo organisation", "server_rss_mib", " MiB", 120, false},
}

// wrongMetric stands for everything that must not happen to a message.
const wrongMetric = "lost, duplicated, out_of_order"

// figure is the value that a goal is about; false when it was not measured.
func (g goal) figure(results []Result) (value float64, in Result, ok bool) {
	for _, r := range results {
		if r.Scenario != g.scenario || r.Case != g.of {
			continue
		}
		if g.metric == wrongMetric {
			return r.Metrics["lost"] + r.Metrics["duplicated"] + r.Metrics["out_of_order"], r, true
		}
		value, ok = r.Metrics[g.metric]
		return value, r, ok
	}
	return 0, Result{}, false
}

// reached reports whether a value is good enough.
func (g goal) reached(value float64) bool {
	if g.atLeast {
		return value >= g.limit
	}
	return value <= g.limit
}

// writeGoals writes goals and figures side by side.
func writeGoals(out io.Writer, results []Result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WORKLOAD\tGOAL\tFIGURE\t\tPER SERVER CORE-SECOND\tREST")
	for _, g := range goals {
		sign := "≤ "
		if g.atLeast {
			sign = "≥ "
		}
		row := []string{g.workload, sign + readable(g.limit) + g.unit, "not measured", "", "", ""}
		if value, r, ok := g.figure(results); ok {
			row[2], row[3] = readable(value)+g.unit, "reached"
			if !g.reached(value) {
				row[3] = "missed"
			}
			if rate, there := r.Metrics["per_core_s"]; there && g.unit == "/s" {
				row[4] = readable(rate)
			}
			if rest, there := r.Metrics["rest_cores"]; there {
				row[5] = readable(rest)
			}
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	fmt.Fprintln(w, "\nREST is how many processors everything else kept busy meanwhile: above 0.3, times are the neighbours' as much as ours.")
	return w.Flush()
}
