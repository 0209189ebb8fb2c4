package webapi

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// maxIdleWorkers is how many workers stay when there is nothing to do.
const maxIdleWorkers = 64

// workers handle frames for the goroutines that read them. A goroutine's stack
// grows with what it has called, and shrinks late: so those that mostly wait, of
// which there is one a connection, only read, and the deep calls are made on
// these few.
type workers struct {
	jobs chan *job // unbuffered: a job goes to a worker that waits, or to a new one
	idle atomic.Int32
	crew sync.WaitGroup
}

// job is one frame of one connection. Its connection waits until it is done, so
// it is used again for the next.
type job struct {
	conn    *conn
	text    bool
	payload []byte
	done    sync.WaitGroup // for the worker that has it
}

func newWorkers() *workers { return &workers{jobs: make(chan *job)} }

// do has a job done and returns when it is. The caller keeps wait from returning.
func (w *workers) do(ctx context.Context, j *job) {
	j.done.Add(1)
	select {
	case w.jobs <- j:
	default:
		w.crew.Go(func() { w.work(ctx, j) })
	}
	j.done.Wait()
}

// work does a job and then others, until there is nothing to do and enough other
// workers wait, or ctx ends.
func (w *workers) work(ctx context.Context, j *job) {
	for {
		j.run()
		if w.idle.Add(1) > maxIdleWorkers {
			w.idle.Add(-1)
			return
		}
		select {
		case j = <-w.jobs:
			w.idle.Add(-1)
		case <-ctx.Done():
			w.idle.Add(-1)
			return
		}
	}
}

// run handles the frame. A fault ends this connection and no other.
func (j *job) run() {
	defer j.done.Done()
	defer j.conn.recoverFault()
	j.conn.receive(j.text, j.payload)
}

// recoverFault ends a connection whose handling panicked.
func (c *conn) recoverFault() {
	if fault := recover(); fault != nil {
		c.failed(fault)
	}
}

// failed ends a connection by a fault that was recovered.
func (c *conn) failed(fault any) {
	c.server.stats.panics.Add(1)
	c.server.log.Error("connection panicked", "device", c.actor.Device, "fault", faultName(fault), "stack", string(debug.Stack()))
	c.wire.abort()
}
