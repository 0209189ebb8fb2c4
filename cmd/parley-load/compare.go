package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

var compare = scenario{
	name: "compare",
	about: "Reads the JSON lines of other runs from standard input and prints one table: what was measured, and a\n" +
		"column for each --label.",
	alone:   runCompare,
	workers: 1,
}

// comparison is a row of the table.
type comparison struct {
	workload string
	scenario string
	of       string // the case of the scenario
	metric   string
	unit     string
}

var comparisons = []comparison{
	{"messages, 100 pairs × 10 under way", "messages", "saturated", "delivered_per_s", "/s"},
	{"  for each core-second of the server", "messages", "saturated", "per_core_s", "/s"},
	{"  processors that everything else took", "messages", "saturated", "rest_cores", ""},
	{"message at 1,000/s, half", "messages", "1000/s", "p50_ms", " ms"},
	{"  99 in 100", "messages", "1000/s", "p99_ms", " ms"},
	{"message at 10,000/s, half", "messages", "10000/s", "p50_ms", " ms"},
	{"  99 in 100", "messages", "10000/s", "p99_ms", " ms"},
	{"connecting, 80 contacts", "reconnect", "first", "per_s", "/s"},
	{"  for each core-second of the server", "reconnect", "first", "per_core_s", "/s"},
	{"memory of an idle device, 80 contacts", "idle", "80 contacts", "kib_per_device", " KiB"},
	{"presence to 80 watchers, half", "fanout", "1 to 80", "p50_ms", " ms"},
	{"presence to 1,000 watchers, half", "fanout", "1 to 1000", "p50_ms", " ms"},
	{"storm: 1,944 people × 80 contacts", "storm", "1944 people", "seconds", " s"},
	{"  notices for each core-second of the server", "storm", "1944 people", "per_core_s", "/s"},
}

func runCompare(_ context.Context, _ *options, r *report) error {
	results, err := readResults(os.Stdin)
	if err != nil {
		return err
	}
	return writeComparison(r.out, results)
}

// readResults reads JSON lines.
func readResults(in io.Reader) ([]Result, error) {
	var results []Result
	lines := json.NewDecoder(in)
	for {
		var one Result
		err := lines.Decode(&one)
		if errors.Is(err, io.EOF) {
			return results, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading results: %w", err)
		}
		results = append(results, one)
	}
}

// writeComparison writes a row for everything that was measured of any server, and
// a column for each, in the order of their first results.
func writeComparison(out io.Writer, results []Result) error {
	var servers []string
	for _, r := range results {
		if !slices.Contains(servers, r.Server) {
			servers = append(servers, r.Server)
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\t"+strings.Join(servers, "\t"))
	for _, c := range comparisons {
		row := []string{c.workload}
		for _, server := range servers {
			row = append(row, c.cell(results, server))
		}
		if slices.ContainsFunc(row[1:], func(cell string) bool { return cell != "" }) {
			fmt.Fprintln(w, strings.Join(row, "\t"))
		}
	}
	return w.Flush()
}

// cell is what a server reached; empty when it was not measured.
func (c comparison) cell(results []Result, server string) string {
	for _, r := range results {
		if r.Server != server || r.Scenario != c.scenario || r.Case != c.of {
			continue
		}
		if value, there := r.Metrics[c.metric]; there {
			return readable(value) + c.unit
		}
		if len(r.Metrics) == 0 {
			return strings.Join(r.Notes, "; ")
		}
	}
	return ""
}
