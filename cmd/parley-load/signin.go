package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
)

var signin = scenario{
	name: "signin",
	about: "Everybody signs in once with address and password and gets a device token. A password check takes\n" +
		"about 20 ms of a processor on purpose, and the server does few at once: only a first sign-in on a\n" +
		"device costs that, see reconnect.",
	plan:    func(o *options) place.Plan { return place.Plan{People: o.people, Password: true} },
	run:     runSignIn,
	people:  300,
	workers: 16,
}

func runSignIn(ctx context.Context, s *site) error {
	if s.roster.Password == "" {
		return errors.New("nobody of the roster has a password")
	}
	times := new(measure.Histogram)
	var next atomic.Int64
	stretch, err := s.measured(ctx, 5*time.Second, func() error {
		group, ctx := errgroup.WithContext(ctx)
		for worker := range s.workers {
			group.Go(func() error {
				for i := next.Add(1) - 1; i < int64(s.people); i = next.Add(1) - 1 {
					began := time.Now()
					if err := s.signIn(ctx, worker, int(i)); err != nil {
						return err
					}
					times.Record(time.Since(began))
				}
				return nil
			})
		}
		return group.Wait()
	})
	if err != nil {
		return err
	}
	n := times.Count()
	r := Result{Scenario: "signin", Case: "password", Metrics: map[string]float64{"per_s": stretch.PerSecond(n), "seconds": stretch.Wall.Seconds()}}
	r.latency(times)
	r.used(stretch, n)
	s.report.add(r)
	return nil
}

// signIn signs one person in, on a new device and a connection of its own.
func (s *site) signIn(ctx context.Context, worker, number int) error {
	line, err := s.line(worker)
	if err != nil {
		return err
	}
	defer line.Close()
	body, err := json.Marshal(map[string]any{
		"address": s.roster.People[number].Address, "password": s.roster.Password, "installation": fmt.Sprintf("%022d", number),
		"device_name": "load", "device_class": "mobile", "time_zone": "", "token": true,
	})
	if err != nil {
		return err
	}
	answer, err := line.Do(ctx, "POST", "/api/session", "", body)
	if err != nil {
		return err
	}
	var session struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(answer, &session); err != nil || session.Token == "" {
		return errors.New("a sign-in was answered without a token")
	}
	return nil
}
