package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/cmd/parley-load/wire"
)

// fleet is a set of connected devices, each with a goroutine that reads.
type fleet struct {
	mu      sync.Mutex
	devices []*wire.Device
	readers sync.WaitGroup
}

// opening says which device of whom to open.
type opening struct {
	person int // number in the roster
	device int // which of the person's
	watch  wire.Watcher
	tie    any
}

// openWithin bounds the opening of one connection.
const openWithin = 30 * time.Second

// open connects one device and starts reading from it.
func (f *fleet) open(ctx context.Context, s *site, o opening) (*wire.Device, error) {
	token := s.roster.People[o.person].Tokens[o.device]
	opening, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	d, err := wire.Open(opening, s.where(o.person), token, o.watch, o.tie)
	if err != nil {
		return nil, fmt.Errorf("connecting device %d of %s: %w", o.device, s.roster.People[o.person].ID, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.devices = append(f.devices, d)
	f.readers.Go(d.Run)
	return d, nil
}

// openAll connects devices, so many at once, and calls then with each, its place
// in the list, and when its connecting began.
func (f *fleet) openAll(ctx context.Context, s *site, all []opening, then func(i int, began time.Time, d *wire.Device) error) error {
	if len(all) > maxSockets {
		return fmt.Errorf("%d sockets: at most %d", len(all), maxSockets)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.workers)
	for i, o := range all {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			began := time.Now()
			d, err := f.open(ctx, s, o)
			if err != nil {
				return err
			}
			return then(i, began, d)
		})
	}
	if err := group.Wait(); err != nil {
		f.close()
		return err
	}
	return nil
}

// whole reports why a device was cut off, if one was.
func (f *fleet) whole() error {
	f.mu.Lock()
	devices := slices.Clone(f.devices)
	f.mu.Unlock()
	for _, d := range devices {
		select {
		case <-d.Ended():
			if err := d.Err(); err != nil {
				return err
			}
		default:
		}
	}
	return nil
}

// gaps is how often the devices had to sync.
func (f *fleet) gaps() (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.devices {
		n += d.Gaps()
	}
	return n
}

// close drops every connection and waits for the readers.
func (f *fleet) close() {
	f.mu.Lock()
	devices := f.devices
	f.devices = nil
	f.mu.Unlock()
	for _, d := range devices {
		d.Close()
	}
	f.readers.Wait()
}
