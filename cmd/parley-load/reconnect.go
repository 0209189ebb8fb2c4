package main

import (
	"context"
	"errors"
	"time"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
)

// wholeCircles is the number of people in 24 circles: everybody has 80 contacts.
const wholeCircles = 24 * place.Circle

var reconnect = scenario{
	name: "reconnect",
	about: "Everybody connects with a device token: socket, hello, welcome, and the state of all 80 contacts.\n" +
		"First to a server that knows none of the tokens yet (first), then again and again after everybody\n" +
		"was cut off (again). Those who are there hear of each who comes, as in life.",
	plan:    func(o *options) place.Plan { return place.Plan{People: o.people, Devices: 1, Contacts: true} },
	run:     runReconnect,
	people:  wholeCircles,
	others:  true,
	workers: 64,
	rounds:  3,
}

func runReconnect(ctx context.Context, s *site) error {
	if err := s.quietly(ctx); err != nil {
		return err
	}
	if err := s.wave(ctx, "first", 1); err != nil {
		return err
	}
	return s.wave(ctx, "again", s.rounds)
}

// wave has everybody connect, so many times, and cuts everybody off each time.
func (s *site) wave(ctx context.Context, name string, rounds int) error {
	if rounds == 0 {
		return nil
	}
	times := new(measure.Histogram)
	var total measure.Stretch
	for range rounds {
		stretch, err := s.oneWave(ctx, times)
		if err != nil {
			return err
		}
		total = total.Add(stretch)
	}
	n := uint64(rounds * s.people)
	r := Result{Scenario: "reconnect", Case: name, Metrics: map[string]float64{
		"per_s": total.PerSecond(n), "seconds": total.Wall.Seconds() / float64(rounds), "devices": float64(s.people),
	}}
	r.latency(times)
	r.used(total, n)
	s.report.add(r)
	return nil
}

func (s *site) oneWave(ctx context.Context, times *measure.Histogram) (measure.Stretch, error) {
	c := s.newCrowd()
	defer c.close()
	stretch, err := s.measured(ctx, 2*time.Second, func() error {
		return s.joinAll(ctx, c, s.everybody(), func(_ int, _ member, took time.Duration) { times.Record(took) })
	})
	if err != nil {
		return stretch, err
	}
	if err := errors.Join(s.quietly(ctx), c.whole()); err != nil {
		return stretch, err
	}
	c.close()
	return stretch, s.quietly(ctx)
}

// everybody is everybody's first device.
func (s *site) everybody() []joining {
	all := make([]joining, s.people)
	for i := range all {
		all[i] = joining{person: i, ears: deaf{}}
	}
	return all
}
