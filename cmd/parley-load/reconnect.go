package main

import (
	"context"
	"time"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
	"parley/cmd/parley-load/wire"
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
	var f fleet
	all := s.circles()
	stretch, err := s.measured(ctx, 2*time.Second, func() error {
		return f.openAll(ctx, s, all, func(i int, began time.Time, d *wire.Device) error {
			err := watchAll(ctx, d)
			times.Record(time.Since(began))
			return err
		})
	})
	if err != nil {
		return stretch, err
	}
	if err := s.quietly(ctx); err != nil {
		return stretch, err
	}
	err = f.whole()
	f.close()
	if err != nil {
		return stretch, err
	}
	return stretch, s.quietly(ctx)
}

// circles are openings of everybody's first device.
func (s *site) circles() []opening {
	all := make([]opening, s.people)
	for i := range all {
		all[i] = opening{person: i, watch: firstStates{}, tie: newCircleWatch(s.roster.Contacts(i))}
	}
	return all
}
