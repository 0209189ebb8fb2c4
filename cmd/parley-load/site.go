package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"parley/cmd/parley-load/measure"
	"parley/cmd/parley-load/place"
	"parley/cmd/parley-load/wire"
)

// site is what a scenario runs against: a server and the people on it.
type site struct {
	*options
	addr     string // of the API
	metrics  string // of the figures
	pid      int    // 0: not known
	profiles bool   // the server gives profiles
	roster   *place.Roster
	report   *report
}

// scenario is one kind of load.
type scenario struct {
	name    string
	about   string
	plan    func(o *options) place.Plan // whom it needs; nil: nobody
	run     func(ctx context.Context, s *site) error
	others  bool                                                   // other servers can be measured by it, too
	alone   func(ctx context.Context, o *options, r *report) error // instead of plan and run
	people  int                                                    // defaults of the flags
	workers int
	rounds  int
	rates   rates
}

// carryOut runs a scenario against the server that the options name.
func (c scenario) carryOut(ctx context.Context, o *options, r *report) error {
	switch {
	case c.alone != nil:
		return c.alone(ctx, o, r)
	case o.xmpp != "":
		return c.other(ctx, o, r)
	case o.url != "":
		return c.running(ctx, o, r)
	default:
		return c.private(ctx, o, r)
	}
}

// running runs the scenario against a server that is there already.
func (c scenario) running(ctx context.Context, o *options, r *report) error {
	u, err := url.Parse(o.url)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return errUsage(fmt.Sprintf("parley-load: --url %q is no URL such as http://127.0.0.1:8080", o.url))
	}
	s := &site{options: o, addr: u.Host, metrics: u.Host, pid: o.pid, report: r}
	if o.metrics != "" {
		s.metrics = o.metrics
	}
	for _, addr := range []string{s.addr, s.metrics} {
		if err := wire.CheckLoopback(addr); err != nil {
			return err
		}
	}
	if s.roster, err = place.ReadRoster(o.tokens); err != nil {
		return err
	}
	plan := c.plan(o)
	if err := s.roster.Need(plan.People, plan.Devices); err != nil {
		return err
	}
	s.profiles = o.profile != ""
	return c.run(ctx, s)
}

// other runs the scenario against another server, which speaks XMPP.
func (c scenario) other(ctx context.Context, o *options, r *report) error {
	if !c.others {
		return errUsage(fmt.Sprintf("parley-load: %s measures Parley alone", c.name))
	}
	if err := wire.CheckLoopback(o.xmpp); err != nil {
		return err
	}
	return c.run(ctx, &site{options: o, addr: o.xmpp, pid: o.pid, report: r})
}

// private runs the scenario against a server of its own in a new folder.
func (c scenario) private(ctx context.Context, o *options, r *report) (err error) {
	program, err := filepath.Abs(o.server)
	if err != nil {
		return err
	}
	folder := o.keep
	if folder == "" {
		if folder, err = os.MkdirTemp("", "parley-load-*"); err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	roster, err := place.Fill(ctx, folder, c.plan(o))
	if err != nil {
		return err
	}
	return c.served(ctx, o, r, program, folder, roster)
}

// served runs the scenario against a server that is started over a folder.
func (c scenario) served(ctx context.Context, o *options, r *report, program, folder string, roster *place.Roster) (err error) {
	var environ []string
	if o.gogc != "" {
		environ = append(environ, "GOGC="+o.gogc)
	}
	server, err := place.Serve(ctx, program, folder, environ...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	return c.run(ctx, &site{
		options: o, addr: server.Addr, metrics: server.Metrics, pid: server.PID(), profiles: true, roster: roster, report: r,
	})
}

// sources is how many loopback addresses connections come from, so that none
// runs out of ports.
const sources = 16

// from is the loopback address that the connection with a number comes from.
func from(number int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 0, 1, byte(1 + number%sources)})
}

// newCrowd makes the people ready to connect.
func (s *site) newCrowd() crowd {
	if s.xmpp != "" {
		return newXMPPCrowd(s)
	}
	return newParleyCrowd(s)
}

// requestWithin bounds one request.
const requestWithin = 30 * time.Second

// line makes an HTTP connection.
func (s *site) line(number int) (*wire.Line, error) {
	return wire.NewLine(s.addr, from(number), requestWithin)
}

// measured does something and measures it, with a profile of the server if one is
// asked for. It is taken once, over the first thing that is measured so.
func (s *site) measured(ctx context.Context, long time.Duration, do func() error) (measure.Stretch, error) {
	taken := make(chan error, 1)
	if s.profile == "" || !s.profiles {
		taken <- nil
	} else {
		seconds := min(max(int(long.Seconds()), 1), 50) // the server answers within 60
		file := s.profile
		s.profile = ""
		go func() { taken <- place.Profile(ctx, s.metrics, fmt.Sprintf("profile?seconds=%d", seconds), file) }()
	}
	meter := measure.Begin(s.pid)
	err := do()
	stretch := meter.End()
	return stretch, errors.Join(err, <-taken)
}

// figures are the server's own counts; without them a scenario goes on.
func (s *site) figures(ctx context.Context) map[string]float64 {
	if s.metrics == "" {
		return nil
	}
	found, err := place.Figures(ctx, s.metrics)
	if err != nil {
		return nil
	}
	return found
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// quietly waits until the server has used less than a twentieth of a processor
// for a second: what was asked of it before must not be measured with the next.
// It waits a minute at most.
func (s *site) quietly(ctx context.Context) error {
	if s.pid == 0 {
		return pause(ctx, time.Second)
	}
	for range 60 {
		before, err := measure.UsageOf(s.pid)
		if err != nil {
			return err
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
		after, err := measure.UsageOf(s.pid)
		if err != nil {
			return err
		}
		if after.CPU-before.CPU < 50*time.Millisecond {
			return nil
		}
	}
	return nil
}
