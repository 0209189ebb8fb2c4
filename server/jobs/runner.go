package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/store"
)

const (
	leaseTime = 30 * time.Second // how long a dead node's job stays untouched
	renewTime = leaseTime / 3    // how often the lease of a job under way is renewed
	lookTime  = 5 * time.Second  // how soon a job of another node is noticed at the latest
	storeTime = 5 * time.Second  // how long the store may take to answer

	firstPause = 5 * time.Second // before the second attempt; each further one waits twice as long
	longPause  = time.Hour       // but no longer than this

	defaultAtOnce   = 4
	defaultAttempts = 20 // with these pauses about half a day
	defaultWithin   = 5 * time.Minute
)

// Kind is a kind of work.
type Kind struct {
	// Do does a job. What it returns is committed with the end of the job. It must
	// obey ctx, which ends when the time is over, the server stops or the lease is
	// lost, and it must bear being called again for a job that was done already.
	// Its error is kept and logged, so it holds ids and reasons, no content. A
	// refusal that says "never" (parley.RetryNever) is not tried again.
	Do func(ctx context.Context, job store.Job) (parley.Alongside, error)

	Within   time.Duration // how long one attempt may take; 0: 5 minutes
	Attempts int           // after so many the job is given up; 0: 20

	// Next makes the kind one that comes again and again: when it is due after a
	// moment. There is always one such job then, for all nodes together. nil: it
	// comes with changes only.
	Next func(after time.Time) time.Time
}

func (k Kind) attempts() int {
	if k.Attempts <= 0 {
		return defaultAttempts
	}
	return k.Attempts
}

func (k Kind) within() time.Duration {
	if k.Within <= 0 {
		return defaultWithin
	}
	return k.Within
}

// Store is where the jobs are. store.Store is it, and says what the methods mean.
type Store interface {
	NextJob(ctx context.Context, kinds []parley.JobKind) (time.Time, error)
	LeaseJobs(ctx context.Context, kinds []parley.JobKind, lease time.Duration, limit int) ([]store.Job, error)
	RenewJob(ctx context.Context, j store.Job, lease time.Duration) (time.Time, error)
	FinishJob(ctx context.Context, j store.Job, with parley.Alongside) error
	RetryJob(ctx context.Context, j store.Job, due time.Time, cause string) error
	ReturnJob(ctx context.Context, j store.Job) error
	FailJob(ctx context.Context, j store.Job, at time.Time, cause string, with parley.Alongside) error
	AddJobs(ctx context.Context, jobs ...parley.Job) error
}

// Config is what a Runner needs.
type Config struct {
	Store  Store
	Kinds  map[parley.JobKind]Kind
	Log    *slog.Logger // nil: no log
	AtOnce int          // jobs under way at the same time; 0: 4
}

// Runner does jobs. There may be any number over one database.
type Runner struct {
	store  Store
	kinds  map[parley.JobKind]Kind
	names  []parley.JobKind
	log    *slog.Logger
	atOnce int
	wake   chan struct{}

	running                  atomic.Int64
	done, failures, givenUps atomic.Uint64

	// These belong to the goroutine of Run.
	scheduled bool // the kinds that come again are stored
	failing   bool // the store did not answer; said once in the log
}

// New makes a Runner.
func New(c Config) *Runner {
	r := &Runner{
		store: c.Store, kinds: c.Kinds, names: slices.Sorted(maps.Keys(c.Kinds)), log: c.Log, atOnce: c.AtOnce,
		wake: make(chan struct{}, 1),
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.atOnce <= 0 {
		r.atOnce = defaultAtOnce
	}
	return r
}

// Stats are the counts of a Runner since it was made.
type Stats struct {
	Running  int64  // jobs under way
	Done     uint64 // jobs that came to their end
	Failures uint64 // attempts that failed
	GivenUp  uint64 // jobs that nobody tries any more
}

// Stats gives the counts.
func (r *Runner) Stats() Stats {
	return Stats{r.running.Load(), r.done.Load(), r.failures.Load(), r.givenUps.Load()}
}

// Wake says that a job may have been stored. It returns at once.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run does jobs until ctx ends; then it gives back what is under way and returns.
// It sleeps until something is due, is woken by commits of this node, and looks
// every few seconds for jobs of others.
func (r *Runner) Run(ctx context.Context) error {
	var working sync.WaitGroup
	defer working.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-r.wake:
		}
		timer.Reset(r.look(ctx, &working))
	}
}

// look begins what is due and says when to look again.
func (r *Runner) look(ctx context.Context, working *sync.WaitGroup) time.Duration {
	jobs, again, err := r.take(ctx)
	switch {
	case err != nil && ctx.Err() == nil && !r.failing:
		r.failing = true
		r.log.Error("looking for jobs failed, trying again", "error", err)
	case err == nil && r.failing:
		r.failing = false
		r.log.Info("looking for jobs works again")
	}
	for _, job := range jobs {
		r.running.Add(1)
		working.Go(func() {
			r.work(ctx, job)
			r.running.Add(-1)
			r.Wake() // there is room for another
		})
	}
	return again
}

// take leases what is due, as much as there is room for.
func (r *Runner) take(ctx context.Context) (jobs []store.Job, again time.Duration, err error) {
	if err := r.schedule(ctx); err != nil {
		return nil, lookTime, err
	}
	next, err := r.store.NextJob(ctx, r.names)
	if err != nil || next.IsZero() {
		return nil, lookTime, err
	}
	room := r.atOnce - int(r.running.Load())
	if wait := time.Until(next); wait > 0 {
		return nil, min(wait, lookTime), nil
	}
	if room <= 0 {
		return nil, lookTime, nil // whoever comes to an end wakes us
	}
	jobs, err = r.store.LeaseJobs(ctx, r.names, leaseTime, room)
	if len(jobs) == 0 {
		return nil, time.Second, err // another node was quicker
	}
	return jobs, 0, err
}

// schedule stores the first job of each kind that comes again, unless it is
// there.
func (r *Runner) schedule(ctx context.Context) error {
	if r.scheduled {
		return nil
	}
	var first []parley.Job
	for _, name := range r.names {
		first = append(first, r.following(name)...)
	}
	if len(first) > 0 {
		if err := r.store.AddJobs(ctx, first...); err != nil {
			return fmt.Errorf("storing the jobs that come again: %w", err)
		}
	}
	r.scheduled = true
	return nil
}

// following is the next job of a kind that comes again.
func (r *Runner) following(name parley.JobKind) []parley.Job {
	kind := r.kinds[name]
	if kind.Next == nil {
		return nil
	}
	return []parley.Job{{Kind: name, Name: string(name), Due: kind.Next(time.Now())}}
}

// work does a job and tells the store how that ended.
func (r *Runner) work(ctx context.Context, job store.Job) {
	kind := r.kinds[job.Kind]
	also, err := r.attempt(ctx, kind, &job)
	if errors.Is(err, store.ErrLeaseLost) {
		r.log.Warn("the lease of a job was lost; another node does it", "kind", job.Kind, "job", job.ID)
		return
	}
	// The store outlives the Runner, so this is answered while all stops, too.
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	if err := r.settle(settling, ctx.Err() != nil, kind, job, also, err); err != nil {
		r.log.Warn("the end of a job was not noted; it will be done again", "kind", job.Kind, "job", job.ID, "error", err)
	}
}

// settle notes how an attempt ended.
func (r *Runner) settle(ctx context.Context, stopping bool, kind Kind, job store.Job, also parley.Alongside, err error) error {
	switch {
	case err == nil:
		r.done.Add(1)
		also.Jobs = append(slices.Clone(also.Jobs), r.following(job.Kind)...)
		return r.store.FinishJob(ctx, job, also)
	case stopping:
		return r.store.ReturnJob(ctx, job)
	}
	r.failures.Add(1)
	if job.Attempts >= kind.attempts() || parley.KindOf(err).Retry() == parley.RetryNever {
		r.givenUps.Add(1)
		r.log.Error("job given up", "kind", job.Kind, "job", job.ID, "attempt", job.Attempts, "error", err)
		return r.store.FailJob(ctx, job, time.Now(), err.Error(), parley.Alongside{Jobs: r.following(job.Kind)})
	}
	pause := backOff(job.Attempts)
	r.log.Warn("job failed, trying again", "kind", job.Kind, "job", job.ID, "attempt", job.Attempts, "error", err, "pause", pause)
	return r.store.RetryJob(ctx, job, time.Now().Add(pause), err.Error())
}

// backOff is how long to wait after the attempt with this number, the first being
// 1.
func backOff(attempt int) time.Duration {
	pause := firstPause
	for range attempt - 1 {
		if pause *= 2; pause >= longPause {
			return longPause
		}
	}
	return pause
}
