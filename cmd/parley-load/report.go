package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"parley/cmd/parley-load/measure"
)

// Result is what one measurement found.
type Result struct {
	Scenario string             `json:"scenario"`
	Case     string             `json:"case,omitempty"`   // which of the scenario's measurements
	Server   string             `json:"server,omitempty"` // what was measured, where it is not plain
	Metrics  map[string]float64 `json:"metrics"`
	Notes    []string           `json:"notes,omitempty"` // what the figures do not say
}

// metricOrder is the order of metrics in a table, and what each means. A name ends
// in its unit.
var metricOrder = []struct{ name, meaning string }{
	{"delivered_per_s", "messages a second that reached the other side"},
	{"offered_per_s", "messages a second that were sent, evenly"},
	{"per_s", "things a second"},
	{"per_core_s", "things for each second of a processor that the server used"},
	{"p50_ms", "half took no longer"},
	{"p99_ms", "all but one in a hundred took no longer"},
	{"max_ms", "the longest"},
	{"each_p50_ms", "until any one watcher had it: half took no longer"},
	{"kib_per_device", "growth of the server's resident memory for each device"},
	{"kib_per_device_fresh", "the same before the garbage of connecting was collected"},
	{"seconds", "how long it took"},
	{"sent", "messages sent"},
	{"lost", "sent and never arrived"},
	{"duplicated", "arrived more than once"},
	{"out_of_order", "arrived behind a later one"},
	{"refused", "refused by the server"},
	{"gaps", "times a device fell behind and had to sync"},
	{"purged_per_s", "entries a second that the server forgot meanwhile"},
	{"notices", "notices of presence that arrived"},
	{"devices", "devices connected"},
	{"server_cpu_s", "seconds of processor time that the server used"},
	{"server_rss_mib", "resident memory of the server at the end"},
	{"server_cores", "processors that the server kept busy"},
	{"load_cores", "processors that this program kept busy"},
	{"rest_cores", "processors that everything else kept busy"},
}

// latency adds quantiles of a histogram.
func (r *Result) latency(h *measure.Histogram) {
	r.Metrics["p50_ms"] = milliseconds(h.Quantile(0.50))
	r.Metrics["p99_ms"] = milliseconds(h.Quantile(0.99))
	r.Metrics["max_ms"] = milliseconds(h.Max())
}

// used adds what a stretch of work cost, in which n things were done.
func (r *Result) used(s measure.Stretch, n uint64) {
	r.Metrics["load_cores"] = s.Cores(s.Own)
	if s.RSS == 0 {
		return // the server's process is not known
	}
	r.Metrics["per_core_s"] = s.PerCoreSecond(n)
	r.Metrics["server_cpu_s"] = s.Server.Seconds()
	r.Metrics["server_rss_mib"] = float64(s.RSS) / (1 << 20)
	r.Metrics["server_cores"] = s.Cores(s.Server)
	r.Metrics["rest_cores"] = s.Cores(s.Rest)
}

// arrived adds what became of messages.
func (r *Result) arrived(t measure.Tally) {
	r.Metrics["sent"] = float64(t.Sent)
	r.Metrics["lost"] = float64(t.Lost)
	r.Metrics["duplicated"] = float64(t.Duplicated)
	r.Metrics["out_of_order"] = float64(t.Disordered)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// report prints results as they come (JSON) or in one table at the end.
type report struct {
	out      io.Writer
	progress io.Writer // is told what is being measured, where that takes long
	json     bool
	label    string

	mu      sync.Mutex
	results []Result
	err     error
}

func newReport(out io.Writer, json bool, label string) *report {
	return &report{out: out, progress: io.Discard, json: json, label: label}
}

// add takes a result.
func (r *report) add(one Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one.Server == "" {
		one.Server = r.label
	}
	for name, value := range one.Metrics {
		one.Metrics[name] = rounded(value)
	}
	r.results = append(r.results, one)
	if !r.json || r.err != nil {
		return
	}
	line, err := json.Marshal(one)
	if err == nil {
		_, err = r.out.Write(append(line, '\n'))
	}
	r.err = err
}

// rounded keeps four significant digits: more is noise. Numbers from a thousand on
// stay whole.
func rounded(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0 // JSON knows no other
	}
	digits := 3 - int(math.Floor(math.Log10(math.Abs(v))))
	scale := math.Pow(10, float64(max(digits, 0)))
	return math.Round(v*scale) / scale
}

// finish prints the table.
func (r *report) finish() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.json || r.err != nil {
		return r.err
	}
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	for i, one := range r.results {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, strings.TrimSpace(strings.Join([]string{one.Server, one.Scenario, one.Case}, " ")))
		for _, m := range metricOrder {
			if value, there := one.Metrics[m.name]; there {
				fmt.Fprintf(w, "  %s\t%s\t%s\n", m.name, readable(value), m.meaning)
			}
		}
		for _, note := range one.Notes {
			fmt.Fprintf(w, "  (%s)\n", note)
		}
	}
	return w.Flush()
}

// readable writes a number with commas between thousands.
func readable(v float64) string {
	text := strconv.FormatFloat(rounded(v), 'f', -1, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	groups := []string{}
	for len(whole) > 3 {
		groups = append(groups, whole[len(whole)-3:])
		whole = whole[:len(whole)-3]
	}
	groups = append(groups, whole)
	slices.Reverse(groups)
	text = sign + strings.Join(groups, ",")
	if fraction != "" {
		text += "." + fraction
	}
	return text
}
