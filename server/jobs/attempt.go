package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"parley"
	"parley/store"
)

// errTooLong ends an attempt that takes longer than its kind allows.
var errTooLong = errors.New("the attempt took too long")

// attempt does a job once, and keeps its lease meanwhile: job.Leased is that of
// the end. ErrLeaseLost says that the job is somebody else's now.
func (r *Runner) attempt(ctx context.Context, kind Kind, job *store.Job) (parley.Alongside, error) {
	ctx, tooLong := context.WithTimeoutCause(ctx, kind.within(), errTooLong)
	defer tooLong()
	ctx, cancel := context.WithCancelCause(ctx)
	mine, stop, stopped := *job, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		r.keepLease(ctx, job, stop, cancel)
	}()
	also, err := r.do(ctx, kind, mine)
	close(stop)
	<-stopped
	cause := context.Cause(ctx)
	cancel(nil)
	switch {
	case errors.Is(cause, store.ErrLeaseLost):
		return parley.Alongside{}, store.ErrLeaseLost
	case err != nil && errors.Is(cause, errTooLong):
		return parley.Alongside{}, errTooLong
	}
	return also, err
}

// keepLease renews the lease until stop, and cancels the work when that fails
// until the lease is nearly over: then nobody knows whose the job is.
func (r *Runner) keepLease(ctx context.Context, job *store.Job, stop <-chan struct{}, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(renewTime)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		asking, done := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
		until, err := r.store.RenewJob(asking, *job, leaseTime)
		done()
		switch {
		case err == nil:
			job.Leased = until
		case errors.Is(err, store.ErrLeaseLost), time.Until(job.Leased) <= renewTime:
			cancel(store.ErrLeaseLost)
			return
		}
	}
}

// do calls the work. One that panics has failed.
func (r *Runner) do(ctx context.Context, kind Kind, job store.Job) (also parley.Alongside, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			r.log.Error("job panicked", "kind", job.Kind, "job", job.ID, "fault", faultName(fault), "stack", string(debug.Stack()))
			err = fmt.Errorf("a fault of the server: %s", faultName(fault))
		}
	}()
	if job.Attempts > kind.attempts() {
		return also, errors.New("no attempt came to an end; the server may have ended each time")
	}
	return kind.Do(ctx, job)
}

// faultName describes a panic without what it quotes, which may be content: the
// runtime's own faults quote nothing.
func faultName(fault any) string {
	if err, ok := fault.(error); ok {
		if own, ok := errors.AsType[runtime.Error](err); ok {
			return own.Error()
		}
	}
	return fmt.Sprintf("%T", fault)
}
