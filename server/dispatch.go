package server

import (
	"context"
	"sync"

	"parley"
)

// dispatcher tells every listener of every event. Announce never waits for a
// listener: events queue in memory. The queues need no bound, since an event
// stands for a change that was committed, and listeners only take notes of it.
//
// Events are told one after the other in the order of the announcements, but for
// changes of the directory, which go their own way: an import tells of many, each
// makes much to look at again, and the end of a session must not wait for that.
type dispatcher struct {
	listeners []func(parley.Event) // fixed before run
	events    lane
	directory lane // parley.PeopleChanged
}

// lane is a queue of events that are told in order.
type lane struct {
	mu    sync.Mutex
	queue []parley.Event
	wake  chan struct{} // holds one token while there is something in queue
}

func newDispatcher() *dispatcher {
	return &dispatcher{events: lane{wake: make(chan struct{}, 1)}, directory: lane{wake: make(chan struct{}, 1)}}
}

// Announce queues an event. It may be called before run and by listeners.
func (d *dispatcher) Announce(event parley.Event) {
	if _, slow := event.(parley.PeopleChanged); slow {
		d.directory.add(event)
		return
	}
	d.events.add(event)
}

// run delivers until ctx ends, and then what was announced before that.
func (d *dispatcher) run(ctx context.Context) error {
	var lanes sync.WaitGroup
	for _, l := range []*lane{&d.events, &d.directory} {
		lanes.Go(func() { l.run(ctx, d.tell) })
	}
	lanes.Wait()
	return nil
}

func (d *dispatcher) tell(event parley.Event) {
	for _, listen := range d.listeners {
		listen(event)
	}
}

func (l *lane) add(event parley.Event) {
	l.mu.Lock()
	l.queue = append(l.queue, event)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) run(ctx context.Context, tell func(parley.Event)) {
	for {
		select {
		case <-ctx.Done():
			l.deliver(tell)
			return
		case <-l.wake:
			l.deliver(tell)
		}
	}
}

func (l *lane) deliver(tell func(parley.Event)) {
	for {
		l.mu.Lock()
		batch := l.queue
		l.queue = nil
		l.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, event := range batch {
			tell(event)
		}
	}
}
