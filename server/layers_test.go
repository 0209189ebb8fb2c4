package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// journal notes what happens in which order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) last() error {
	j.add("closed")
	return nil
}

// until is a task that runs until it is told to stop.
func (j *journal) until(name string) task {
	return task{name, func(ctx context.Context) error {
		<-ctx.Done()
		j.add("stopped " + name)
		return ctx.Err()
	}}
}

func TestLayersStopFromTheTop(t *testing.T) {
	var j journal
	l := layers{{j.until("store")}, {j.until("log")}, {j.until("http")}}
	ctx, cancel := context.WithCancel(t.Context())
	err := l.run(ctx, time.Minute, func(_ context.Context, i int) error {
		j.add("started " + string(rune('0'+i)))
		if i == 2 {
			cancel()
		}
		return nil
	}, j.last)
	if err != nil {
		t.Error(err)
	}
	want := []string{"started 0", "started 1", "started 2", "stopped http", "stopped log", "stopped store", "closed"}
	if !slices.Equal(j.lines, want) {
		t.Errorf("got %v", j.lines)
	}
}

func TestLayersStopWhenATaskFails(t *testing.T) {
	broken := errors.New("disk on fire")
	tests := map[string]struct {
		task task
		want string
	}{
		"fails":          {task{"log", func(context.Context) error { return broken }}, "log: disk on fire"},
		"ends by itself": {task{"log", func(context.Context) error { return nil }}, "log: ended by itself"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var j journal
			l := layers{{j.until("store")}, {test.task, j.until("presence")}}
			err := l.run(t.Context(), time.Minute, func(context.Context, int) error { return nil }, j.last)
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v", err)
			}
			if want := []string{"stopped presence", "stopped store", "closed"}; !slices.Equal(j.lines, want) {
				t.Errorf("got %v", j.lines)
			}
		})
	}
}

func TestLayersStopWhenStartingFails(t *testing.T) {
	var j journal
	broken := errors.New("no demo")
	l := layers{{j.until("store")}, {j.until("http")}}
	err := l.run(t.Context(), time.Minute, func(context.Context, int) error { return broken }, j.last)
	if !errors.Is(err, broken) || !slices.Equal(j.lines, []string{"stopped store", "closed"}) {
		t.Errorf("error %v, %v", err, j.lines)
	}
}

func TestLayersHaveALimit(t *testing.T) {
	for name, ends := range map[string]bool{"a task": false, "closing": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				stuck := task{"stuck", func(ctx context.Context) error {
					if <-ctx.Done(); !ends {
						<-release
					}
					return nil
				}}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				began := time.Now()
				err := layers{{stuck}}.run(ctx, stopTime, func(context.Context, int) error { return nil }, func() error { <-release; return nil })
				if err == nil || !strings.Contains(err.Error(), "longer than 10s") || time.Since(began) != stopTime {
					t.Errorf("error %v after %v", err, time.Since(began))
				}
				close(release)
			})
		})
	}
}
