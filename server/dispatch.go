package server

import (
	"context"
	"sync"

	"parley"
)

// dispatcher tells every listener of every event, one event after the other in
// the order of the announcements. Announce never waits for a listener: events
// queue in memory. The queue needs no bound, since an event stands for a change
// that was committed, and listeners only take notes of it.
type dispatcher struct {
	listeners []func(parley.Event) // fixed before run

	mu    sync.Mutex
	queue []parley.Event
	wake  chan struct{} // holds one token while there is something in queue
}

func newDispatcher() *dispatcher { return &dispatcher{wake: make(chan struct{}, 1)} }

// Announce queues an event. It may be called before run and by listeners.
func (d *dispatcher) Announce(event parley.Event) {
	d.mu.Lock()
	d.queue = append(d.queue, event)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// run delivers until ctx ends, and then what was announced before that.
func (d *dispatcher) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			d.deliver()
			return nil
		case <-d.wake:
			d.deliver()
		}
	}
}

func (d *dispatcher) deliver() {
	for {
		d.mu.Lock()
		batch := d.queue
		d.queue = nil
		d.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, event := range batch {
			for _, listen := range d.listeners {
				listen(event)
			}
		}
	}
}
