package main

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
	"parley/cmd/parley-load/wire"
)

var fanout = scenario{
	name: "fanout",
	about: "One person changes their note, over HTTP and durably, again and again; each time the last of all\n" +
		"watchers must have heard before the next. The watchers, 80 and then 1,000 people with 80 contacts\n" +
		"each, are connected all the time. A quarter of --rounds with 1,000.",
	plan:    func(o *options) place.Plan { return place.Plan{People: o.people, Devices: 1, Contacts: true} },
	run:     runFanout,
	people:  1001,
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

// hub is the one whom everybody watches.
type hub struct {
	*site
	person  string
	current atomic.Pointer[change]
}

// hubWatcher is one watcher of a hub.
type hubWatcher struct {
	hub *hub
	had string // the last note; the reading goroutine's
}

// Heard implements wire.Watcher.
func (w *hubWatcher) Heard(d *wire.Device, e *wire.Event) {
	firstStates{}.Heard(d, e)
	if string(e.Type) != "presence" || string(e.Person) != w.hub.person {
		return
	}
	c := w.hub.current.Load()
	if c == nil || string(e.Note) != c.note || w.had == c.note {
		return
	}
	w.had = c.note
	took := time.Since(c.began)
	c.each.Record(took)
	if c.left.Add(-1) == 0 {
		c.last <- took
	}
}

// Applied implements wire.Watcher.
func (*hubWatcher) Applied(*wire.Device) {}

func runFanout(ctx context.Context, s *site) error {
	h := &hub{site: s, person: s.roster.People[0].ID}
	var f fleet
	defer f.close()
	if _, err := f.open(ctx, s, opening{person: 0, watch: firstStates{}, tie: newCircleWatch(nil)}); err != nil {
		return err
	}
	connected := 1
	for _, watchers := range []int{few, s.people - 1} {
		if watchers < connected {
			continue
		}
		if err := h.gather(ctx, &f, connected, watchers); err != nil {
			return err
		}
		connected = watchers + 1
		rounds := s.rounds
		if watchers > few {
			rounds = max(rounds/4, 1)
		}
		if err := h.changes(ctx, &f, watchers, rounds); err != nil {
			return err
		}
	}
	return f.whole()
}

// gather connects the watchers from a number on.
func (h *hub) gather(ctx context.Context, f *fleet, first, last int) error {
	var all []opening
	for i := first; i <= last; i++ {
		people := h.roster.Contacts(i)
		if i >= place.Circle { // not in the hub's circle
			people = append(people, h.person)
		}
		wait := newCircleWatch(people)
		all = append(all, opening{person: i, watch: &hubWatcher{hub: h}, tie: wait})
	}
	err := f.openAll(ctx, h.site, all, func(_ int, _ time.Time, d *wire.Device) error { return watchAll(ctx, d) })
	if err != nil {
		return err
	}
	return h.quietly(ctx)
}

// changes has the hub change, one time after the other.
func (h *hub) changes(ctx context.Context, f *fleet, watchers, rounds int) error {
	line, err := h.line(0)
	if err != nil {
		return err
	}
	defer line.Close()
	last, each := new(measure.Histogram), new(measure.Histogram)
	stretch, err := h.measured(ctx, 2*time.Second, func() error {
		for round := range rounds {
			c := &change{note: fmt.Sprintf("%d of %d for %d", round, rounds, watchers), each: each, last: make(chan time.Duration, 1)}
			c.left.Store(int64(watchers))
			took, err := h.change(ctx, line, c)
			if err != nil {
				return fmt.Errorf("%w; %v", err, f.whole())
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
func (h *hub) change(ctx context.Context, line *wire.Line, c *change) (time.Duration, error) {
	c.began = time.Now()
	h.current.Store(c)
	if err := setNote(ctx, line, h.roster.People[0].Tokens[0], c.note); err != nil {
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

// setNote changes the note of the person whose device has a token.
func setNote(ctx context.Context, line *wire.Line, token, note string) error {
	body := append([]byte(`{"note":`), strconv.Quote(note)...)
	_, err := line.Do(ctx, "PUT", "/api/me/note", token, append(body, '}'))
	return err
}
