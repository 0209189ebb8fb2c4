package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// task is one goroutine of the server: it runs until ctx ends, and whoever started
// it waits for it.
type task struct {
	name string
	run  func(ctx context.Context) error
}

// layers are what the server consists of, the lowest first: each layer may use
// those below it.
type layers [][]task

// running is a layer that was started.
type running struct {
	stop context.CancelFunc
	wait func() error
}

// start starts a layer. A task that fails, or ends before it was told to, stops
// everything through failed.
func start(tasks []task, failed context.CancelCauseFunc) running {
	ctx, cancel := context.WithCancel(context.Background())
	group := new(errgroup.Group)
	for _, t := range tasks {
		group.Go(func() error {
			err := t.run(ctx)
			switch {
			case ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)):
				return nil
			case err == nil:
				err = errors.New("ended by itself")
			}
			err = fmt.Errorf("%s: %w", t.name, err)
			failed(err)
			return err
		})
	}
	return running{cancel, group.Wait}
}

// run starts the layers from the lowest up, then calls up, waits until ctx ends or
// a task fails, and stops the layers from the highest down, each when those above
// it have ended. between is called after the layer with that index was started.
// After that it calls last. Stopping takes at most limit; the error says so when it
// would take longer.
func (l layers) run(ctx context.Context, limit time.Duration, between func(ctx context.Context, started int) error, last func() error) error {
	ctx, failed := context.WithCancelCause(ctx)
	defer failed(nil)
	var started []running
	var err error
	for i, tasks := range l {
		started = append(started, start(tasks, failed))
		if err = between(ctx, i); err != nil {
			break
		}
	}
	if err == nil {
		<-ctx.Done()
	}
	stopped := make(chan error, 1)
	go func() { stopped <- errors.Join(stopAll(started), last()) }()
	select {
	case stopErr := <-stopped:
		return errors.Join(err, stopErr)
	case <-time.After(limit):
		return errors.Join(err, fmt.Errorf("stopping took longer than %v", limit))
	}
}

func stopAll(started []running) error {
	var all error
	for i := len(started) - 1; i >= 0; i-- {
		started[i].stop()
		all = errors.Join(all, started[i].wait())
	}
	return all
}
