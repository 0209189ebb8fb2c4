package main

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
	"parley/cmd/parley-load/wire"
)

var storm = scenario{
	name: "storm",
	about: "Everybody changes their note at the same moment, over HTTP and durably, --workers requests at once,\n" +
		"and everybody shows 80 contacts. It is over when everybody has heard of all of theirs.",
	plan:    func(o *options) place.Plan { return place.Plan{People: o.people, Devices: 1, Contacts: true} },
	run:     runStorm,
	people:  wholeCircles,
	workers: 64,
	rounds:  3,
}

// gale is one time that everybody changes.
type gale struct {
	note    string
	began   time.Time
	latency *measure.Histogram
	left    atomic.Int64
	over    chan time.Duration // how long it took; with room for one
}

// stormWatcher is one who shows the contacts.
type stormWatcher struct {
	current *atomic.Pointer[gale]
	note    string // of the gale that heard is about; the reading goroutine's
	place   map[string]int
	heard   []bool
}

// Heard implements wire.Watcher.
func (w *stormWatcher) Heard(d *wire.Device, e *wire.Event) {
	firstStates{}.Heard(d, e)
	g := w.current.Load()
	if string(e.Type) != "presence" || g == nil || string(e.Note) != g.note {
		return
	}
	if w.note != g.note {
		w.note = g.note
		clear(w.heard)
	}
	i, known := w.place[string(e.Person)]
	if !known || w.heard[i] {
		return
	}
	w.heard[i] = true
	took := time.Since(g.began)
	g.latency.Record(took)
	if g.left.Add(-1) == 0 {
		g.over <- took
	}
}

// Applied implements wire.Watcher.
func (*stormWatcher) Applied(*wire.Device) {}

func runStorm(ctx context.Context, s *site) error {
	var (
		f       fleet
		current atomic.Pointer[gale]
		all     []opening
		notices int
	)
	defer f.close()
	for i := range s.people {
		wait := newCircleWatch(s.roster.Contacts(i))
		notices += len(wait.people)
		all = append(all, opening{person: i, tie: wait,
			watch: &stormWatcher{current: &current, place: wait.place, heard: make([]bool, len(wait.people))}})
	}
	err := f.openAll(ctx, s, all, func(_ int, _ time.Time, d *wire.Device) error { return watchAll(ctx, d) })
	if err != nil {
		return err
	}
	latency := new(measure.Histogram)
	var took []time.Duration
	var total measure.Stretch
	for round := range s.rounds {
		if err := s.quietly(ctx); err != nil {
			return err
		}
		g := &gale{note: fmt.Sprintf("storm %d", round), latency: latency, over: make(chan time.Duration, 1)}
		g.left.Store(int64(notices))
		stretch, err := s.measured(ctx, time.Second, func() error {
			one, err := s.blow(ctx, &current, g)
			took = append(took, one)
			return err
		})
		if err != nil {
			return fmt.Errorf("%w; %v", err, f.whole())
		}
		total = total.Add(stretch)
	}
	s.reportStorm(total, took, latency, notices)
	return f.whole()
}

// blow has everybody change and waits until it is over.
func (s *site) blow(ctx context.Context, current *atomic.Pointer[gale], g *gale) (time.Duration, error) {
	g.began = time.Now()
	current.Store(g)
	group, asking := errgroup.WithContext(ctx)
	var next atomic.Int64
	for worker := range s.workers {
		group.Go(func() error {
			line, err := s.line(worker)
			if err != nil {
				return err
			}
			defer line.Close()
			for i := next.Add(1) - 1; i < int64(s.people); i = next.Add(1) - 1 {
				if err := setNote(asking, line, s.roster.People[i].Tokens[0], g.note); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	late := time.NewTimer(requestWithin)
	defer late.Stop()
	select {
	case took := <-g.over:
		return took, nil
	case <-late.C:
		return 0, fmt.Errorf("%d notices have not come within %v", g.left.Load(), requestWithin)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

func (s *site) reportStorm(total measure.Stretch, took []time.Duration, latency *measure.Histogram, notices int) {
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	seconds := took[len(took)/2].Seconds() // the median: one round may be disturbed
	r := Result{Scenario: "storm", Case: fmt.Sprintf("%d people", s.people), Metrics: map[string]float64{
		"seconds": seconds, "notices": float64(notices), "per_s": float64(notices) / seconds, "devices": float64(s.people),
	}}
	r.latency(latency)
	r.used(total, uint64(notices*len(took)))
	s.report.add(r)
}
