package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
)

var storm = scenario{
	name: "storm",
	about: "Everybody changes their note at the same moment, over HTTP and durably, --workers requests at once,\n" +
		"and everybody shows 80 contacts. It is over when everybody has heard of all of theirs.",
	plan:    func(o *options) place.Plan { return place.Plan{People: o.people, Devices: 1, Contacts: true} },
	run:     runStorm,
	people:  wholeCircles,
	others:  true,
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

// stormEars are those of one who shows the contacts.
type stormEars struct {
	deaf
	current *atomic.Pointer[gale]
	first   int                // number of the first person of the circle
	note    string             // of the gale that heard is about; the reading goroutine's
	heard   [place.Circle]bool // by place in the circle; likewise
}

func (e *stormEars) notice(person int, note []byte) {
	g := e.current.Load()
	i := person - e.first
	if g == nil || string(note) != g.note || i < 0 || i >= place.Circle {
		return
	}
	if e.note != g.note {
		e.note = g.note
		clear(e.heard[:])
	}
	if e.heard[i] {
		return
	}
	e.heard[i] = true
	took := time.Since(g.began)
	g.latency.Record(took)
	if g.left.Add(-1) == 0 {
		g.over <- took
	}
}

func runStorm(ctx context.Context, s *site) error {
	var current atomic.Pointer[gale]
	var all []joining
	notices := 0
	for i := range s.people {
		first := i / place.Circle * place.Circle
		notices += min(place.Circle, s.people-first) - 1
		all = append(all, joining{person: i, ears: &stormEars{current: &current, first: first}})
	}
	if notices == 0 {
		return errors.New("a storm needs two people at least")
	}
	c := s.newCrowd()
	defer c.close()
	if err := s.joinAll(ctx, c, all, func(int, member, time.Duration) {}); err != nil {
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
			current.Store(g)
			one, err := s.blow(ctx, c, g)
			took = append(took, one)
			return err
		})
		if err != nil {
			return errors.Join(err, c.whole())
		}
		total = total.Add(stretch)
	}
	s.reportStorm(total, took, latency, notices)
	return c.whole()
}

// blow has everybody change and waits until it is over.
func (s *site) blow(ctx context.Context, c crowd, g *gale) (time.Duration, error) {
	g.began = time.Now()
	group, asking := errgroup.WithContext(ctx)
	var next atomic.Int64
	for worker := range s.workers {
		group.Go(func() error {
			v, err := c.voice(worker)
			if err != nil {
				return err
			}
			defer v.close()
			for i := next.Add(1) - 1; i < int64(s.people); i = next.Add(1) - 1 {
				if err := v.say(asking, int(i), g.note); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	late := time.NewTimer(stormWithin)
	defer late.Stop()
	select {
	case took := <-g.over:
		return took, nil
	case <-late.C:
		return 0, fmt.Errorf("%d notices have not come within %v", g.left.Load(), stormWithin)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// stormWithin bounds one storm.
const stormWithin = 2 * time.Minute

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
