package main

import (
	"context"
	"fmt"
	"strings"

	"parley/cmd/parley-load/place"
)

// scenarios lists them all, in the order of "parley-load help".
func scenarios() []scenario {
	return []scenario{messages, signin, reconnect, idle, fanout, storm, search, usermodel, start, bench, provision, accounts, compare}
}

func scenarioNamed(name string) (scenario, bool) {
	for _, s := range scenarios() {
		if s.name == name {
			return s, true
		}
	}
	return scenario{}, false
}

// usage is the text of "parley-load help".
func usage() string {
	var b strings.Builder
	b.WriteString("Usage: parley-load SCENARIO [flags]\n\n")
	b.WriteString("Measures a Parley server on this machine: a private one that it starts from bin/parley over invented\n")
	b.WriteString("people, or one that runs (--url, --pid, --tokens). Scenarios:\n\n")
	for _, s := range scenarios() {
		first, _, _ := strings.Cut(s.about, "\n")
		if end := strings.IndexAny(first, ".:"); end > 0 {
			first = first[:end]
		}
		fmt.Fprintf(&b, "  %-12s%s\n", s.name, first)
	}
	b.WriteString("\n\"parley-load SCENARIO --help\" says more. docs/performance.md says how to read the figures.\n")
	return b.String()
}

var provision = scenario{
	name: "provision",
	about: "Makes people in a new folder and nothing else. A server that is then started over the folder\n" +
		"can be measured with --url and --tokens FOLDER.",
	alone:   runProvision,
	people:  wholeCircles,
	workers: 1,
}

func runProvision(ctx context.Context, o *options, r *report) error {
	if o.keep == "" {
		return errUsage("parley-load provision: name a new folder with --provision")
	}
	plan := place.Plan{People: o.people, Devices: 2, Contacts: true, Password: true}
	if _, err := place.Fill(ctx, o.keep, plan); err != nil {
		return err
	}
	r.add(Result{Scenario: "provision", Metrics: map[string]float64{"devices": float64(o.people * plan.Devices)}, Notes: []string{
		"start a server with data = \"" + o.keep + "\" and the domain load.example, and its limits raised; then --tokens " + o.keep,
	}})
	return nil
}
