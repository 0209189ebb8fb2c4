package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

var bench = scenario{
	name: "bench",
	about: "All of the above in the sizes of the goals, with --duration each, and one table: goal and figure side\n" +
		"by side.",
	alone:   runBench,
	workers: 1,
}

// benchmarks are the scenarios of the table.
var benchmarks = []scenario{messages, reconnect, fanout, storm, search, usermodel, signin, start, idle}

func runBench(ctx context.Context, o *options, r *report) error {
	if o.url != "" {
		return errUsage("parley-load bench: it starts servers of its own; leave --url out")
	}
	all := r
	if !o.json {
		all = newReport(io.Discard, false, o.label)
	}
	for _, b := range benchmarks {
		fmt.Fprintf(r.progress, "%s: %s\n", time.Now().Format(time.TimeOnly), b.name)
		args := []string{"--server", o.server, "--duration", o.duration.String(), "--settle", o.settle.String(), "--label", o.label}
		if o.people > 0 {
			args = append(args, "--people", strconv.Itoa(o.people))
		}
		one, err := parseOptions(b, io.Discard, args)
		if err != nil {
			return err
		}
		if err := b.carryOut(ctx, one, all); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
	}
	if o.json {
		return nil
	}
	return writeGoals(r.out, all.results)
}
