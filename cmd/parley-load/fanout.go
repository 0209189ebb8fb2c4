package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
)

var fanout = scenario{
	name: "fanout",
	about: "One person changes their note, over HTTP and durably, again and again; each time the last of all\n" +
		"watchers must have heard before the next. The watchers, 80 and then 1,000 people with 80 contacts\n" +
		"each, are connected all the time. A quarter of --rounds with 1,000.",
	plan:    func(o *options) place.Plan { return place.Plan{People: o.people, Devices: 1, Contacts: true} },
	run:     runFanout,
	people:  1001,
	others:  true,
	workers: 64,
	rounds:  200,
}

// few and many are how many watchers there are.
const few = place.Circle - 1

// change is one change of presence that is on its way to its watchers.
type change struct {
	note  string
	began time.Time
	each  *measure.Histogram
	left  atomic.Int64
	last  chan time.Duration // how long it took until the last watcher had it; with room for one
}

// hub is the one whom everybody watches: the first of the roster.
type hub struct {
	*site
	crowd   crowd
	current atomic.Pointer[change]
}

// hubEars are those of one watcher.
type hubEars struct {
	deaf
	hub *hub
	had string // the last note; the reading goroutine's
}

func (e *hubEars) notice(person int, note []byte) {
	c := e.hub.current.Load()
	if person != 0 || c == nil || string(note) != c.note || e.had == c.note {
		return
	}
	e.had = c.note
	took := time.Since(c.began)
	c.each.Record(took)
	if c.left.Add(-1) == 0 {
		c.last <- took
	}
}

func runFanout(ctx context.Context, s *site) error {
	if s.people < 2 {
		return errors.New("somebody has to watch: two people at least")
	}
	h := &hub{site: s, crowd: s.newCrowd()}
	defer h.crowd.close()
	if err := s.joinAll(ctx, h.crowd, []joining{{ears: deaf{}}}, func(int, member, time.Duration) {}); err != nil {
		return err
	}
	connected := 1
	for _, watchers := range []int{min(few, s.people-1), s.people - 1} {
		if watchers < connected {
			continue
		}
		if err := h.gather(ctx, connected, watchers); err != nil {
			return err
		}
		connected = watchers + 1
		rounds := s.rounds
		if watchers > few {
			rounds = max(rounds/4, 1)
		}
		if err := h.changes(ctx, watchers, rounds); err != nil {
			return err
		}
	}
	return h.crowd.whole()
}

// gather connects the watchers from a number on.
func (h *hub) gather(ctx context.Context, first, last int) error {
	var all []joining
	for i := first; i <= last; i++ {
		j := joining{person: i, ears: &hubEars{hub: h}}
		if i >= place.Circle { // not in the hub's circle
			j.follow = []int{0}
		}
		all = append(all, j)
	}
	if err := h.joinAll(ctx, h.crowd, all, func(int, member, time.Duration) {}); err != nil {
		return err
	}
	return h.quietly(ctx)
}

// changes has the hub change, one time after the other.
func (h *hub) changes(ctx context.Context, watchers, rounds int) error {
	v, err := h.crowd.voice(0)
	if err != nil {
		return err
	}
	defer v.close()
	last, each := new(measure.Histogram), new(measure.Histogram)
	stretch, err := h.measured(ctx, 2*time.Second, func() error {
		for round := range rounds {
			c := &change{note: fmt.Sprintf("%d of %d for %d", round, rounds, watchers), each: each, last: make(chan time.Duration, 1)}
			c.left.Store(int64(watchers))
			took, err := h.change(ctx, v, c)
			if err != nil {
				return errors.Join(err, h.crowd.whole())
			}
			last.Record(took)
		}
		return nil
	})
	if err != nil {
		return err
	}
	notices := uint64(watchers * rounds)
	r := Result{Scenario: "fanout", Case: fmt.Sprintf("1 to %d", watchers), Metrics: map[string]float64{
		"per_s": stretch.PerSecond(notices), "notices": float64(notices), "each_p50_ms": milliseconds(each.Quantile(0.5)), "seconds": stretch.Wall.Seconds(),
	}}
	r.latency(last)
	r.used(stretch, notices)
	h.report.add(r)
	return nil
}

// change makes one change and waits until everybody has it.
func (h *hub) change(ctx context.Context, v voice, c *change) (time.Duration, error) {
	c.began = time.Now()
	h.current.Store(c)
	if err := v.say(ctx, 0, c.note); err != nil {
		return 0, err
	}
	late := time.NewTimer(requestWithin)
	defer late.Stop()
	select {
	case took := <-c.last:
		return took, nil
	case <-late.C:
		return 0, fmt.Errorf("%d watchers have not heard within %v", c.left.Load(), requestWithin)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}
