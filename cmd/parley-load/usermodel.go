package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
	"parley/cmd/parley-load/wire"
)

// What a person does in an hour of a working day at its busiest: the user model of
// Lync Server 2013, which its capacity tables rest on (docs/performance.md).
const (
	modelMessages     = 6 * 0.5 / 1.6 * 10 // six conversations a day of ten messages, half of them in 1.6 busy hours
	modelTyping       = 2                  // typing frames with each message
	modelPublications = 4.0                // changes of presence
	modelSearches     = 6.0
	modelDevices      = 1.9
)

var usermodel = scenario{
	name: "usermodel",
	about: "A working day at its busiest: --people with 80 contacts and 1.9 devices each write 18.75 messages an\n" +
		"hour (typing before each), change presence 4 times and search 6 times. Time passes --factor times\n" +
		"faster than in life, so the load is that of factor times as many people; --duration is real time.\n" +
		"Each message must reach the other devices of both people, each change all watchers.",
	plan: func(o *options) place.Plan {
		return place.Plan{People: o.people, Devices: 2, Contacts: true}
	},
	run:     runUserModel,
	people:  12 * place.Circle,
	workers: 32,
}

// day is a run of the user model.
type day struct {
	*site
	crowd   *parleyCrowd
	epoch   time.Time
	devices [][]*dayDevice // by person
	count   int            // of all devices

	messages, changes, searches measure.Histogram
	sent, expected, arrived     atomic.Uint64
	duplicated, disordered      atomic.Uint64
	told                        atomic.Uint64 // notices of changes
	refused                     atomic.Uint64
}

// dayDevice is the ears of one device of one person.
type dayDevice struct {
	deaf
	day    *day
	member *parleyMember

	// The reading goroutine's: the messages that came, and of each sender the last.
	seen map[uint64]struct{}
	last map[int]uint64
}

func runUserModel(ctx context.Context, s *site) error {
	d := &day{site: s, crowd: newParleyCrowd(s), epoch: time.Now(), devices: make([][]*dayDevice, s.people)}
	defer d.crowd.close()
	if err := d.connect(ctx); err != nil {
		return err
	}
	if err := d.quietly(ctx); err != nil {
		return err
	}
	stretch, err := d.measured(ctx, s.duration, func() error { return d.pass(ctx) })
	if err != nil {
		return errors.Join(err, d.crowd.whole())
	}
	if err := d.settled(ctx); err != nil {
		return err
	}
	d.tell(stretch)
	return d.crowd.whole()
}

// connect opens everybody's devices: two for nine in ten, else one.
func (d *day) connect(ctx context.Context) error {
	var all []joining
	var owners []*dayDevice
	for person := range d.people {
		devices := 1
		if float64(person%10) < (modelDevices-1)*10 {
			devices = 2
		}
		for n := range devices {
			one := &dayDevice{day: d, seen: map[uint64]struct{}{}, last: map[int]uint64{}}
			d.devices[person] = append(d.devices[person], one)
			owners = append(owners, one)
			all = append(all, joining{person: person, device: n, ears: one})
		}
	}
	d.count = len(all)
	return d.joinAll(ctx, d.crowd, all, func(i int, m member, _ time.Duration) { owners[i].member = m.(*parleyMember) })
}

// dayNote begins the notes that a run writes; the rest is when it was due.
const dayNote = "load "

func (o *dayDevice) notice(_ int, note []byte) {
	text, ours := strings.CutPrefix(string(note), dayNote)
	if due, err := time.ParseDuration(text); ours && err == nil {
		o.day.changes.Record(time.Since(o.day.epoch) - due)
		o.day.told.Add(1)
	}
}

func (o *dayDevice) refused([]byte) { o.day.refused.Add(1) }

func (o *dayDevice) message(text []byte) {
	now := time.Since(o.day.epoch)
	m, err := parseMessage(text)
	if err != nil {
		return
	}
	if _, again := o.seen[m.number]; again {
		o.day.duplicated.Add(1)
		return
	}
	o.seen[m.number] = struct{}{}
	if m.number < o.last[m.pair] {
		o.day.disordered.Add(1)
	}
	o.last[m.pair] = max(o.last[m.pair], m.number)
	o.day.arrived.Add(1)
	o.day.messages.Record(now - m.due)
}

// pass lets time pass: each kind of thing is done evenly, by people at random.
func (d *day) pass(ctx context.Context) error {
	perSecond := float64(d.people) / 3600 * d.factor
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.evenly(ctx, modelMessages*perSecond, d.write) })
	for name, kind := range map[string]struct {
		rate float64
		do   func(ctx context.Context, line *wire.Line, random *rand.Rand, due time.Duration) error
	}{
		"publish": {modelPublications * perSecond, d.publish},
		"search":  {modelSearches * perSecond, d.lookUp},
	} {
		group.Go(func() error {
			if err := d.asking(ctx, kind.rate, kind.do); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// evenly does something at a rate for as long as the run is measured.
func (d *day) evenly(ctx context.Context, rate float64, do func(random *rand.Rand, due time.Duration) error) error {
	random := rand.New(rand.NewPCG(3, 3))
	pace := measure.Pace{Start: time.Now(), Rate: rate}
	for i := range int(d.duration.Seconds() * rate) {
		due, ok := pace.Await(ctx, i)
		if !ok {
			return context.Cause(ctx)
		}
		if err := do(random, due.Sub(d.epoch)); err != nil {
			return err
		}
	}
	return nil
}

// write has somebody write to one of their contacts.
func (d *day) write(random *rand.Rand, due time.Duration) error {
	from := random.IntN(d.people)
	to := from/place.Circle*place.Circle + random.IntN(min(place.Circle, d.people-from/place.Circle*place.Circle))
	if to == from {
		return nil
	}
	number := d.sent.Add(1)
	d.expected.Add(uint64(len(d.devices[to]) + len(d.devices[from]) - 1)) // the sending one is told "accepted"
	writer := d.devices[from][0].member
	for range modelTyping {
		if err := writer.typing(to); err != nil {
			return err
		}
	}
	if err := writer.write(to, number, appendMessageText(nil, message{pair: from, number: number, due: due}, d.body)); err != nil {
		return err
	}
	return writer.flush()
}

// asking does something over HTTP at a rate, so many at once as there are workers.
func (d *day) asking(ctx context.Context, rate float64, do func(context.Context, *wire.Line, *rand.Rand, time.Duration) error) error {
	group, ctx := errgroup.WithContext(ctx)
	due := make(chan time.Duration, int(d.duration.Seconds()*rate)+1)
	for worker := range d.workers {
		group.Go(func() error {
			line, err := d.line(worker)
			if err != nil {
				return err
			}
			defer line.Close()
			random := rand.New(rand.NewPCG(4, uint64(worker)))
			for at := range due {
				if err := do(ctx, line, random, at); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := d.evenly(ctx, rate, func(_ *rand.Rand, at time.Duration) error {
		due <- at
		return nil
	})
	close(due)
	return errors.Join(group.Wait(), err)
}

// publish changes somebody's presence.
func (d *day) publish(ctx context.Context, line *wire.Line, random *rand.Rand, due time.Duration) error {
	v := &parleyVoice{line, d.roster.People}
	return v.say(ctx, random.IntN(d.people), dayNote+due.String())
}

// lookUp searches for somebody.
func (d *day) lookUp(ctx context.Context, line *wire.Line, random *rand.Rand, due time.Duration) error {
	if err := d.ask(ctx, line, random); err != nil {
		return err
	}
	d.searches.Record(time.Since(d.epoch) - due)
	return nil
}

// settled waits until every message has arrived, at most so long as something
// still comes.
func (d *day) settled(ctx context.Context) error {
	for deadline := time.Now().Add(drainWithin); d.arrived.Load() < d.expected.Load() && time.Now().Before(deadline); {
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return d.quietly(ctx)
}

// tell reports each kind of thing.
func (d *day) tell(stretch measure.Stretch) {
	arrived, expected := d.arrived.Load(), d.expected.Load()
	whole := Result{Scenario: "usermodel", Case: "all", Metrics: map[string]float64{
		"devices": float64(d.count), "seconds": stretch.Wall.Seconds(), "refused": float64(d.refused.Load()),
	}, Notes: []string{fmt.Sprintf("%d people at %g times their pace: the load of %.0f people, who keep %.2f processors busy",
		d.people, d.factor, float64(d.people)*d.factor, stretch.Cores(stretch.Server))}}
	whole.used(stretch, d.sent.Load())
	delete(whole.Metrics, "per_core_s") // of things so different it says nothing
	d.report.add(whole)

	messages := Result{Scenario: "usermodel", Case: "messages", Metrics: map[string]float64{
		"delivered_per_s": stretch.PerSecond(arrived), "sent": float64(d.sent.Load()), "lost": float64(expected - min(arrived, expected)),
		"duplicated": float64(d.duplicated.Load()), "out_of_order": float64(d.disordered.Load()),
	}}
	messages.latency(&d.messages)
	d.report.add(messages)

	changes := Result{Scenario: "usermodel", Case: "presence", Metrics: map[string]float64{
		"per_s": stretch.PerSecond(d.told.Load()), "notices": float64(d.told.Load()),
	}}
	changes.latency(&d.changes)
	d.report.add(changes)

	found := Result{Scenario: "usermodel", Case: "search", Metrics: map[string]float64{"per_s": stretch.PerSecond(d.searches.Count())}}
	found.latency(&d.searches)
	d.report.add(found)
}
