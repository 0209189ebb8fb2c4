package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
)

var start = scenario{
	name: "start",
	about: "The demo organisation is started over an empty folder, --rounds times: until it serves, and what\n" +
		"memory it has three seconds later.",
	alone:   runStart,
	workers: 1,
	rounds:  5,
}

// rested is when the memory of a server that has just started is read.
const rested = 3 * time.Second

func runStart(ctx context.Context, o *options, r *report) error {
	if o.url != "" {
		return errUsage("parley-load start: it starts servers of its own; leave --url out")
	}
	program, err := filepath.Abs(o.server)
	if err != nil {
		return err
	}
	var took []time.Duration
	var rss []float64
	for range o.rounds {
		one, used, err := startOnce(ctx, program)
		if err != nil {
			return err
		}
		took, rss = append(took, one), append(rss, used.MiB())
	}
	if len(took) == 0 {
		return nil
	}
	slices.Sort(took)
	slices.Sort(rss)
	r.add(Result{Scenario: "start", Case: "demo organisation", Metrics: map[string]float64{
		"seconds": took[len(took)/2].Seconds(), "server_rss_mib": rss[len(rss)/2],
	}, Notes: []string{fmt.Sprintf("medians of %d", len(took))}})
	return nil
}

func startOnce(ctx context.Context, program string) (took time.Duration, used measure.Usage, err error) {
	folder, err := os.MkdirTemp("", "parley-load-*")
	if err != nil {
		return 0, used, fmt.Errorf("making a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	server, err := place.ServeDemo(ctx, program, folder)
	if err != nil {
		return 0, used, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if err := pause(ctx, rested); err != nil {
		return 0, used, err
	}
	used, err = measure.UsageOf(server.PID())
	return server.Started, used, err
}
