package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
)

var idle = scenario{
	name: "idle",
	about: "Everybody connects one device that watches 80 contacts and then does nothing. The figure is how much\n" +
		"the server's resident memory grew for each of them: --settle after the garbage of connecting has been\n" +
		"collected, which a private server is told to do through its profiles (metrics.profiles) and which every\n" +
		"idle server does by itself within two minutes; and before that (fresh). The contact lists themselves\n" +
		"are read at the start and are not part of the growth.",
	plan:    func(o *options) place.Plan { return place.Plan{People: o.people, Devices: 1, Contacts: true} },
	run:     runIdle,
	people:  120 * place.Circle,
	others:  true,
	workers: 64,
}

// collected is when a Go program that allocates nothing has collected its garbage
// by itself.
const collected = 130 * time.Second

func runIdle(ctx context.Context, s *site) error {
	if s.pid == 0 {
		return errors.New("idle needs the server's process id: --pid")
	}
	before, err := s.resting(ctx)
	if err != nil {
		return err
	}
	c := s.newCrowd()
	defer c.close()
	if err := s.joinAll(ctx, c, s.everybody(), func(int, member, time.Duration) {}); err != nil {
		return err
	}
	if err := errors.Join(s.quietly(ctx), pause(ctx, s.settle)); err != nil {
		return err
	}
	fresh, err := measure.UsageOf(s.pid)
	if err != nil {
		return err
	}
	after, err := s.resting(ctx)
	if err != nil {
		return err
	}
	each := func(u measure.Usage) float64 { return float64(u.RSS-before.RSS) / 1024 / float64(s.people) }
	s.report.add(Result{Scenario: "idle", Case: "80 contacts", Metrics: map[string]float64{
		"devices": float64(s.people), "kib_per_device": each(after), "kib_per_device_fresh": each(fresh), "server_rss_mib": after.MiB(),
	}, Notes: []string{fmt.Sprintf("%.0f MiB before, with everybody and their contacts in memory", before.MiB())}})
	return c.whole()
}

// resting is what the server uses when its garbage is collected and what that left
// is given back. Without profiles it cannot be told to, and has to be waited for.
// With --profile the last profile of its memory stays.
func (s *site) resting(ctx context.Context) (measure.Usage, error) {
	var err error
	switch {
	case s.profiles:
		err = place.Profile(ctx, s.metrics, "heap?gc=1", s.profile)
	case s.xmpp == "": // of another server's garbage we know nothing
		err = pause(ctx, collected)
	}
	if err != nil {
		return measure.Usage{}, err
	}
	if err := pause(ctx, s.settle); err != nil {
		return measure.Usage{}, err
	}
	return measure.UsageOf(s.pid)
}
