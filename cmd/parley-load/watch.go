package main

import (
	"context"
	"fmt"

	"parley/cmd/parley-load/wire"
)

// circleWatch is a device that shows the presence of the rest of its circle.
type circleWatch struct {
	people []string       // whom it watches
	place  map[string]int // of a person among them
	heard  []bool         // whose state came; the reading goroutine's
	left   int            // how many have not come; likewise
	all    chan struct{}  // closed when every state has come
}

func newCircleWatch(people []string) *circleWatch {
	w := &circleWatch{people: people, place: make(map[string]int, len(people)), heard: make([]bool, len(people)),
		left: len(people), all: make(chan struct{})}
	for i, person := range people {
		w.place[person] = i
	}
	if w.left == 0 {
		close(w.all)
	}
	return w
}

// firstStates waits for the first state of everybody who is watched.
type firstStates struct{}

// Heard implements wire.Watcher.
func (firstStates) Heard(d *wire.Device, e *wire.Event) {
	if string(e.Type) != "presence" {
		return
	}
	w := d.Tie().(*circleWatch)
	i, known := w.place[string(e.Person)]
	if !known || w.heard[i] {
		return
	}
	w.heard[i] = true
	if w.left--; w.left == 0 {
		close(w.all)
		w.place, w.heard = nil, nil // thousands of devices do nothing but be there
	}
}

// Applied implements wire.Watcher.
func (firstStates) Applied(*wire.Device) {}

// watchAll has a device watch its circle and waits until it has everybody's state.
func watchAll(ctx context.Context, d *wire.Device) error {
	w := d.Tie().(*circleWatch)
	if err := d.Watch(w.people); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	select {
	case <-w.all:
		return nil
	case <-d.Ended():
		return d.Err()
	case <-ctx.Done():
		return fmt.Errorf("waiting for the states of %d people: %w", len(w.people), context.Cause(ctx))
	}
}
