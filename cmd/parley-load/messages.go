package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
)

var messages = scenario{
	name: "messages",
	about: "Pairs of people: the first of each writes to the second. First each pair keeps a number of\n" +
		"messages under way (saturation), for --duration. Then --rates are offered evenly, ten seconds each;\n" +
		"their latency counts from the moment a message was due, so a stalled server is charged for all that\n" +
		"it held up. Every device acknowledges what it has, so the server purges meanwhile.",
	plan:    func(o *options) place.Plan { return place.Plan{People: 2 * o.pairs, Devices: 1} },
	run:     runMessages,
	others:  true,
	workers: 32,
	rates:   rates{1000, 10000},
}

// talk is the pairs of a run.
type talk struct {
	*site
	crowd   crowd
	epoch   time.Time
	pairs   []*pair
	latency atomic.Pointer[measure.Histogram]
	arrived atomic.Uint64
	refused atomic.Uint64
	last    atomic.Pointer[string] // why something was refused last
	flowing atomic.Bool            // an arrival sends the next one
}

// pair is one who writes and one who reads.
type pair struct {
	talk   *talk
	number int
	from   member
	ledger measure.Ledger
	owed   int // messages to send when what came is dealt with; the reading goroutine's

	mu   sync.Mutex // guards writing
	text []byte
}

func runMessages(ctx context.Context, s *site) error {
	t, err := newTalk(ctx, s)
	if err != nil {
		return err
	}
	defer t.crowd.close()
	if err := t.quietly(ctx); err != nil {
		return err
	}
	limit := math.Inf(1)
	if s.window > 0 {
		if limit, err = t.saturate(ctx); err != nil {
			return err
		}
	}
	for _, rate := range s.rates {
		if float64(rate) > 1.5*limit {
			t.report.add(Result{Scenario: "messages", Case: fmt.Sprintf("%d/s", rate), Metrics: map[string]float64{},
				Notes: []string{"far beyond saturation"}})
			continue
		}
		if err := t.offer(ctx, rate, min(s.duration, offeredFor)); err != nil {
			return err
		}
	}
	if s.xmpp != "" {
		return nil
	}
	return t.groups(ctx)
}

// newTalk connects the pairs.
func newTalk(ctx context.Context, s *site) (*talk, error) {
	t := &talk{site: s, crowd: s.newCrowd(), epoch: time.Now()}
	t.latency.Store(new(measure.Histogram))
	var all []joining
	for i := range s.pairs {
		p := &pair{talk: t, number: i}
		t.pairs = append(t.pairs, p)
		all = append(all, joining{person: 2 * i, alone: true, ears: writingEars{pair: p}},
			joining{person: 2*i + 1, alone: true, ears: &readingEars{pair: p}})
	}
	err := s.joinAll(ctx, t.crowd, all, func(i int, m member, _ time.Duration) {
		if i%2 == 0 {
			t.pairs[i/2].from = m
		}
	})
	if err != nil {
		t.crowd.close()
	}
	return t, err
}

// writingEars hear what becomes of the messages of a pair.
type writingEars struct {
	deaf
	pair *pair
}

func (e writingEars) accepted() { e.pair.ledger.Accept() }

func (e writingEars) refused(why []byte) {
	e.pair.talk.refused.Add(1)
	text := string(why)
	e.pair.talk.last.Store(&text)
}

// readingEars hear the messages of a pair.
type readingEars struct {
	deaf
	pair *pair
}

func (e *readingEars) message(text []byte) {
	p := e.pair
	now := time.Since(p.talk.epoch)
	m, err := parseMessage(text)
	if err != nil || m.pair != p.number {
		return // of an earlier run over the same people
	}
	if p.ledger.Arrive(m.number) {
		p.talk.arrived.Add(1)
		p.talk.latency.Load().Record(now - m.due)
		p.owed++
	}
}

// applied sends on: what arrived makes room for others.
func (e *readingEars) applied() {
	p := e.pair
	n := p.owed
	p.owed = 0
	if n == 0 || !p.talk.flowing.Load() {
		return
	}
	if err := p.send(n, time.Since(p.talk.epoch)); err != nil {
		p.from.leave() // nothing arrives any more, which drain finds
	}
}

// send sends so many messages at once, all due at the same moment.
func (p *pair) send(n int, due time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range n {
		number := p.ledger.Send()
		p.text = appendMessageText(p.text[:0], message{pair: p.number, number: number, due: due}, p.talk.body)
		if err := p.from.write(2*p.number+1, number, p.text); err != nil {
			return err
		}
	}
	return p.from.flush()
}

// tally sums up all pairs.
func (t *talk) tally() (sum measure.Tally) {
	for _, p := range t.pairs {
		sum = sum.Add(p.ledger.Tally())
	}
	return sum
}

const (
	offeredFor  = 10 * time.Second // each rate
	longestWarm = 5 * time.Second
	drainWithin = 30 * time.Second // for what is under way to arrive
)

// saturate keeps the window of every pair full, and returns the rate of delivery.
func (t *talk) saturate(ctx context.Context) (float64, error) {
	t.flowing.Store(true)
	for _, p := range t.pairs {
		if err := p.send(t.window, time.Since(t.epoch)); err != nil {
			return 0, err
		}
	}
	if err := pause(ctx, min(t.duration/5, longestWarm)); err != nil {
		return 0, err
	}
	before := t.figures(ctx)
	t.latency.Store(new(measure.Histogram))
	latency := t.latency.Load()
	was := t.arrived.Load()
	var delivered uint64
	stretch, err := t.measured(ctx, t.duration, func() error {
		err := t.overlook(ctx, t.duration)
		delivered = t.arrived.Load() - was
		return err
	})
	if err != nil {
		return 0, err
	}
	after := t.figures(ctx)
	t.flowing.Store(false)
	if err := t.drain(ctx); err != nil {
		return 0, err
	}
	r := t.result("saturated", stretch, delivered, latency)
	t.purged(&r, before, after, stretch)
	t.report.add(r)
	return r.Metrics["delivered_per_s"], nil
}

// overlook waits, and ends early when a device is cut off.
func (t *talk) overlook(ctx context.Context, long time.Duration) error {
	for end := time.Now().Add(long); time.Now().Before(end); {
		if err := pause(ctx, min(time.Until(end), time.Second)); err != nil {
			return err
		}
		if err := t.crowd.whole(); err != nil {
			return err
		}
	}
	return nil
}

// purged adds how much the server forgot in a stretch.
func (t *talk) purged(r *Result, before, after map[string]float64, s measure.Stretch) {
	const name = "parley_log_purged_total"
	if before == nil || after == nil {
		return // they cannot be read, or another server has no such figures
	}
	r.Metrics["purged_per_s"] = (after[name] - before[name]) / s.Wall.Seconds()
}

// result is the figures that saturation and offered rates have in common. What
// became of the messages is counted over the whole run.
func (t *talk) result(name string, s measure.Stretch, delivered uint64, latency *measure.Histogram) Result {
	r := Result{Scenario: "messages", Case: name, Metrics: map[string]float64{
		"delivered_per_s": s.PerSecond(delivered),
		"seconds":         s.Wall.Seconds(),
		"refused":         float64(t.refused.Load()),
		"gaps":            float64(t.crowd.gaps()),
		"devices":         float64(2 * len(t.pairs)),
	}}
	r.latency(latency)
	r.arrived(t.tally())
	r.used(s, delivered)
	if last := t.last.Load(); last != nil {
		r.Notes = append(r.Notes, "last refusal: "+*last)
	}
	return r
}

// drain waits until everything sent has arrived, or nothing has for a while.
func (t *talk) drain(ctx context.Context) error {
	deadline := time.Now().Add(drainWithin)
	for was := uint64(math.MaxUint64); time.Now().Before(deadline); {
		if err := t.crowd.whole(); err != nil {
			return err
		}
		tally := t.tally()
		if tally.Lost == 0 && (tally.Accepted >= tally.Sent || !t.crowd.acknowledges()) {
			return nil
		}
		if tally.Arrived != was {
			was, deadline = tally.Arrived, time.Now().Add(drainWithin/6)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil // what is lost is counted
}

// offer sends evenly, whether or not the messages arrive.
func (t *talk) offer(ctx context.Context, rate int, long time.Duration) error {
	latency := new(measure.Histogram)
	t.latency.Store(latency)
	was := t.arrived.Load()
	total := max(int(long.Seconds()*float64(rate)), 1)
	sent := 0
	stretch, err := t.measured(ctx, long, func() error {
		pace := measure.Pace{Start: time.Now(), Rate: float64(rate)}
		for ; sent < total; sent++ {
			due, ok := pace.Await(ctx, sent)
			if !ok {
				return context.Cause(ctx)
			}
			if time.Since(due) > long {
				break // far behind: the server cannot take this rate
			}
			if err := t.pairs[sent%len(t.pairs)].send(1, due.Sub(t.epoch)); err != nil {
				return errors.Join(err, t.crowd.whole())
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	delivered := t.arrived.Load() - was
	if err := t.drain(ctx); err != nil {
		return err
	}
	r := t.result(fmt.Sprintf("%d/s", rate), stretch, delivered, latency)
	r.Metrics["offered_per_s"] = float64(sent) / stretch.Wall.Seconds()
	t.report.add(r)
	return nil
}
