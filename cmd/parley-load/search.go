package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
	"parley/cmd/parley-load/wire"
)

var search = scenario{
	name: "search",
	about: "People search over HTTP as people type: beginnings of surnames from two letters on, a name with a\n" +
		"title, names in the mail address, what a dial pad spells, and digits of phone numbers, also as they are\n" +
		"dialled from abroad; 20 hits are asked for. --online devices are connected meanwhile, each watching 80\n" +
		"contacts, and it is they who search. First --rates a second, evenly, their latency from when each was\n" +
		"due, then as many as --workers get answered.",
	plan: func(o *options) place.Plan {
		asking := min(o.people, max(askers, o.online/place.Circle*place.Circle))
		return place.Plan{People: asking, Devices: 1, Contacts: true, Others: o.people - asking}
	},
	run:     runSearch,
	people:  100_000,
	workers: 8,
	rates:   rates{50, 200},
}

// askers is how many people search who are not connected.
const askers = 50

func runSearch(ctx context.Context, s *site) error {
	if len(s.roster.Names) == 0 {
		return errors.New("the roster has no names to search for")
	}
	c := s.newCrowd()
	defer c.close()
	online := make([]joining, min(s.online/place.Circle*place.Circle, len(s.roster.People)))
	for i := range online {
		online[i] = joining{person: i, ears: deaf{}}
	}
	if err := s.joinAll(ctx, c, online, func(int, member, time.Duration) {}); err != nil {
		return err
	}
	if err := s.quietly(ctx); err != nil {
		return err
	}
	for _, rate := range s.rates {
		if err := s.searchEvenly(ctx, rate); err != nil {
			return err
		}
	}
	return errors.Join(s.searchHard(ctx), c.whole())
}

// query is something that somebody types, as parameters of the request.
func (s *site) query(random *rand.Rand) string {
	name := s.roster.Names[random.IntN(len(s.roster.Names))]
	letters := 2 + random.IntN(max(utf8.RuneCountInString(name)-1, 1))
	begun := string([]rune(name)[:min(letters, utf8.RuneCountInString(name))])
	number := fmt.Sprintf("4940669%06d", random.IntN(1000))
	switch random.IntN(10) {
	case 0:
		return typed(fmt.Sprintf("u%04d", random.IntN(10_000)))
	case 1:
		return typed(number[7-random.IntN(3):])
	case 2:
		return typed([]string{"00", "+", "011", "9 00"}[random.IntN(4)] + number)
	case 3:
		return typed("engineer " + begun)
	case 4, 5:
		return typed(spell(begun)) + "&pad=true"
	case 6:
		return typed("0"+number[2:8+random.IntN(6)]) + "&pad=true"
	default:
		return typed(begun)
	}
}

func typed(text string) string { return "q=" + url.QueryEscape(text) }

// spell gives the keys of a dial pad for a name; what has no key is left out.
func spell(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return rune("22233344455566677778889999"[r-'a'])
	}, name)
}

// ask searches once, as one of the askers.
func (s *site) ask(ctx context.Context, line *wire.Line, random *rand.Rand) error {
	token := s.roster.People[random.IntN(len(s.roster.People))].Tokens[0]
	answer, err := line.Do(ctx, "GET", "/api/people?limit=20&"+s.query(random), token, nil)
	if err != nil {
		return err
	}
	var found struct {
		People *[]json.RawMessage `json:"people"`
	}
	if err := json.Unmarshal(answer, &found); err != nil || found.People == nil {
		return fmt.Errorf("a search was answered with %.100s", answer)
	}
	return nil
}

// searchEvenly offers searches at a rate, whether or not they are answered.
func (s *site) searchEvenly(ctx context.Context, rate int) error {
	latency := new(measure.Histogram)
	total := max(int(s.duration.Seconds()*float64(rate)), 1)
	stretch, err := s.measured(ctx, s.duration, func() error {
		due := make(chan time.Time, total)
		group, ctx := errgroup.WithContext(ctx)
		for worker := range s.workers {
			group.Go(func() error { return s.answerDue(ctx, worker, due, latency) })
		}
		pace := measure.Pace{Start: time.Now(), Rate: float64(rate)}
		for i := range total {
			at, ok := pace.Await(ctx, i)
			if !ok {
				break
			}
			due <- at
		}
		close(due)
		return group.Wait()
	})
	if err != nil {
		return err
	}
	s.reportSearch(fmt.Sprintf("%d/s", rate), stretch, latency)
	return nil
}

// answerDue searches for whatever is due.
func (s *site) answerDue(ctx context.Context, worker int, due <-chan time.Time, latency *measure.Histogram) error {
	line, err := s.line(worker)
	if err != nil {
		return err
	}
	defer line.Close()
	random := rand.New(rand.NewPCG(1, uint64(worker)))
	for at := range due {
		if err := s.ask(ctx, line, random); err != nil {
			return err
		}
		latency.Record(time.Since(at))
	}
	return nil
}

// searchHard has every worker search without a pause.
func (s *site) searchHard(ctx context.Context) error {
	latency := new(measure.Histogram)
	var stop atomic.Bool
	stretch, err := s.measured(ctx, s.duration, func() error {
		group, ctx := errgroup.WithContext(ctx)
		for worker := range s.workers {
			group.Go(func() error {
				line, err := s.line(worker)
				if err != nil {
					return err
				}
				defer line.Close()
				random := rand.New(rand.NewPCG(2, uint64(worker)))
				for !stop.Load() {
					began := time.Now()
					if err := s.ask(ctx, line, random); err != nil {
						return err
					}
					latency.Record(time.Since(began))
				}
				return nil
			})
		}
		err := pause(ctx, s.duration)
		stop.Store(true)
		return errors.Join(group.Wait(), err)
	})
	if err != nil {
		return err
	}
	s.reportSearch("saturated", stretch, latency)
	return nil
}

func (s *site) reportSearch(name string, stretch measure.Stretch, latency *measure.Histogram) {
	n := latency.Count()
	r := Result{Scenario: "search", Case: name, Metrics: map[string]float64{"per_s": stretch.PerSecond(n), "seconds": stretch.Wall.Seconds()}}
	r.latency(latency)
	r.used(stretch, n)
	s.report.add(r)
}
