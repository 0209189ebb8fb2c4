package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
	"parley/cmd/parley-load/wire"
)

var idle = scenario{
	name: "idle",
	about: "Everybody connects one device that watches 80 contacts and then does nothing. The figure is how much\n" +
		"the server's resident memory grew for each of them after --settle: as it is, and after a garbage\n" +
		"collection that is forced through the server's profiles (metrics.profiles), which a private server\n" +
		"has. The contact lists themselves are read at the start and are not part of the growth.",
	plan:    func(o *options) place.Plan { return place.Plan{People: o.people, Devices: 1, Contacts: true} },
	run:     runIdle,
	people:  61 * place.Circle,
	workers: 64,
}

func runIdle(ctx context.Context, s *site) error {
	if s.pid == 0 {
		return errors.New("idle needs the server's process id: --pid")
	}
	before, err := s.resting(ctx)
	if err != nil {
		return err
	}
	var f fleet
	defer f.close()
	err = f.openAll(ctx, s, s.circles(), func(_ int, _ time.Time, d *wire.Device) error { return watchAll(ctx, d) })
	if err != nil {
		return err
	}
	if err := s.quietly(ctx); err != nil {
		return err
	}
	if err := pause(ctx, s.settle); err != nil {
		return err
	}
	after, err := measure.UsageOf(s.pid)
	if err != nil {
		return err
	}
	if err := f.whole(); err != nil {
		return err
	}
	each := func(u measure.Usage) float64 { return float64(u.RSS-before.RSS) / 1024 / float64(s.people) }
	r := Result{Scenario: "idle", Case: "80 contacts", Metrics: map[string]float64{
		"devices": float64(s.people), "kib_per_device": each(after), "server_rss_mib": after.MiB(),
	}, Notes: []string{fmt.Sprintf("%.0f MiB before, with everybody and their contacts in memory", before.MiB())}}
	if s.profiles {
		collected, err := s.resting(ctx)
		if err != nil {
			return err
		}
		r.Metrics["kib_per_device_gc"] = each(collected)
	}
	s.report.add(r)
	return f.whole()
}

// resting is what the server uses when it has collected its garbage, if it can be
// told to, and given back what that left. The last profile of its memory stays.
func (s *site) resting(ctx context.Context) (measure.Usage, error) {
	if s.profiles {
		if err := place.Profile(ctx, s.metrics, "heap?gc=1", s.profile); err != nil {
			return measure.Usage{}, err
		}
	}
	if err := pause(ctx, s.settle); err != nil {
		return measure.Usage{}, err
	}
	return measure.UsageOf(s.pid)
}
