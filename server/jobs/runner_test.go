package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/store"
)

// pass lets time go by, in the fake time of a synctest bubble.
func pass(d time.Duration) { <-time.After(d); synctest.Wait() }

// running starts a Runner and returns what stops it.
func running(t *testing.T, r *Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// work makes one kind of what do says.
func work(do func(ctx context.Context, job store.Job) (parley.Alongside, error)) map[parley.JobKind]Kind {
	return map[parley.JobKind]Kind{"mail": {Do: do}}
}

var errDown = errors.New("the relay is down")

func TestJobsAreDoneWhenDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, begin := newFakeStore(), time.Now()
		var done []string
		r := New(Config{Store: s, AtOnce: 1, Kinds: work(func(_ context.Context, job store.Job) (parley.Alongside, error) {
			done = append(done, fmt.Sprint(string(job.Payload), " ", time.Since(begin)))
			return parley.Alongside{Audit: []parley.Audit{{Action: "sent"}}}, nil
		})})
		defer running(t, r)()
		pass(time.Second)
		add := func(in time.Duration, payload string) {
			s.AddJobs(t.Context(), parley.Job{Kind: "mail", Due: time.Now().Add(in), Payload: []byte(payload)})
		}
		add(0, "woken")
		r.Wake()
		synctest.Wait()
		add(0, "of another node") // nobody wakes us
		add(7*time.Second, "later")
		s.AddJobs(t.Context(), parley.Job{Kind: "of a newer version"})
		pass(10 * time.Second)
		want := []string{"woken 1s", "of another node 6s", "later 8s"}
		if !slices.Equal(done, want) {
			t.Errorf("done %q, want %q", done, want)
		}
		if left := s.all(); len(left) != 1 || left[0].Kind != "of a newer version" || left[0].Attempts != 0 {
			t.Errorf("left are %+v", left)
		}
		if len(s.also) != 3 {
			t.Errorf("committed with the ends: %v", s.also)
		}
		if got := r.Stats(); got != (Stats{Done: 3}) {
			t.Errorf("counted %+v", got)
		}
	})
}

// Nothing to do costs one question every few seconds, and as much when every place
// is taken.
func TestRunnerDoesNotPoll(t *testing.T) {
	for name, jobs := range map[string]int{"nothing to do": 0, "too much to do": 10} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFakeStore()
				for range jobs {
					s.AddJobs(t.Context(), parley.Job{Kind: "mail", Due: time.Now()})
				}
				r := New(Config{Store: s, Kinds: work(func(ctx context.Context, _ store.Job) (parley.Alongside, error) {
					<-ctx.Done()
					return parley.Alongside{}, context.Cause(ctx)
				})})
				defer running(t, r)()
				pass(time.Minute)
				if s.looks < 10 || s.looks > 20 {
					t.Errorf("%d questions in a minute", s.looks)
				}
				if n := r.Stats().Running; n != int64(min(jobs, defaultAtOnce)) {
					t.Errorf("%d under way", n)
				}
			})
		})
	}
}

func TestBackOff(t *testing.T) {
	for attempt, want := range map[int]time.Duration{
		1: 5 * time.Second, 2: 10 * time.Second, 3: 20 * time.Second, 10: 2560 * time.Second, 11: time.Hour, 20: time.Hour, 1000: time.Hour,
	} {
		if got := backOff(attempt); got != want {
			t.Errorf("after attempt %d: %v, want %v", attempt, got, want)
		}
	}
}

func TestFailedJobsAreTriedAgainAndGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, begin := newFakeStore(), time.Now()
		var at []time.Duration
		kinds := map[parley.JobKind]Kind{
			"mail": {Attempts: 5, Do: func(context.Context, store.Job) (parley.Alongside, error) {
				at = append(at, time.Since(begin))
				return parley.Alongside{Audit: []parley.Audit{{Action: "never"}}}, errDown
			}},
			"refused": {Do: func(context.Context, store.Job) (parley.Alongside, error) {
				return parley.Alongside{}, parley.Refuse(parley.Invalid, "mail.address")
			}},
			"panics": {Attempts: 1, Do: func(context.Context, store.Job) (parley.Alongside, error) { panic("ann@example.test") }},
			"slow": {Attempts: 1, Within: time.Minute, Do: func(ctx context.Context, _ store.Job) (parley.Alongside, error) {
				<-ctx.Done()
				return parley.Alongside{}, fmt.Errorf("sending: %w", ctx.Err())
			}},
		}
		for kind := range kinds {
			s.AddJobs(t.Context(), parley.Job{Kind: kind, Due: begin})
		}
		r := New(Config{Store: s, Kinds: kinds})
		defer running(t, r)()
		pass(time.Hour)
		want := []time.Duration{0, 5 * time.Second, 15 * time.Second, 35 * time.Second, 75 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("tried after %v, want %v", at, want)
		}
		reasons := map[parley.JobKind]string{"mail": "the relay is down", "refused": "invalid: mail.address", "panics": "a fault of the server: string", "slow": "the attempt took too long"}
		for _, j := range s.all() {
			if j.Failed.IsZero() || j.Error != reasons[j.Kind] {
				t.Errorf("%s is kept as %+v", j.Kind, j)
			}
		}
		if got := r.Stats(); len(s.all()) != 4 || len(s.also) != 0 || got != (Stats{Failures: 8, GivenUp: 4}) {
			t.Errorf("%d kept, %v committed, counted %+v", len(s.all()), s.also, got)
		}
	})
}

// A node dies between lease and end: another one does the job when the lease is
// over, and not before.
func TestDeadNodesJobIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, begin := newFakeStore(), time.Now()
		s.AddJobs(t.Context(), parley.Job{Kind: "mail", Due: begin})
		if jobs, err := s.LeaseJobs(t.Context(), []parley.JobKind{"mail"}, leaseTime, 1); err != nil || len(jobs) != 1 {
			t.Fatalf("leased %v, %v", jobs, err)
		}
		var at []time.Duration
		defer running(t, New(Config{Store: s, Kinds: work(func(_ context.Context, job store.Job) (parley.Alongside, error) {
			at = append(at, time.Since(begin))
			if job.Attempts != 2 {
				t.Errorf("attempt %d", job.Attempts)
			}
			return parley.Alongside{}, nil
		})}))()
		pass(time.Hour)
		if !slices.Equal(at, []time.Duration{leaseTime}) || len(s.all()) != 0 {
			t.Errorf("done after %v; left %v", at, s.all())
		}
	})
}

// A job that ends the process each time is not tried for ever.
func TestJobThatKillsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeStore()
		s.AddJobs(t.Context(), parley.Job{Kind: "mail", Due: time.Now()})
		for range defaultAttempts {
			s.LeaseJobs(t.Context(), []parley.JobKind{"mail"}, leaseTime, 1) // and dies
			pass(leaseTime)
		}
		defer running(t, New(Config{Store: s, Kinds: work(func(context.Context, store.Job) (parley.Alongside, error) {
			t.Error("tried once more")
			return parley.Alongside{}, nil
		})}))()
		pass(time.Minute)
		if left := s.all(); len(left) != 1 || left[0].Failed.IsZero() || !strings.Contains(left[0].Error, "no attempt came to an end") {
			t.Errorf("kept as %+v", left)
		}
	})
}

// Work that takes longer than a lease stays the worker's: two Runners never do one
// job at the same time.
func TestLongWorkKeepsItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeStore()
		for range 6 {
			s.AddJobs(t.Context(), parley.Job{Kind: "mail", Due: time.Now()})
		}
		var doing [10]atomic.Int32
		var done atomic.Int32
		kinds := work(func(ctx context.Context, job store.Job) (parley.Alongside, error) {
			if doing[job.ID].Add(1) != 1 {
				t.Errorf("job %d is done twice at the same time", job.ID)
			}
			defer doing[job.ID].Add(-1)
			select {
			case <-time.After(4 * leaseTime):
			case <-ctx.Done():
				t.Errorf("job %d was cut off: %v", job.ID, context.Cause(ctx))
			}
			done.Add(1)
			return parley.Alongside{}, nil
		})
		defer running(t, New(Config{Store: s, Kinds: kinds}))()
		defer running(t, New(Config{Store: s, Kinds: kinds}))()
		pass(time.Hour)
		if n := done.Load(); n != 6 || len(s.all()) != 0 {
			t.Errorf("%d jobs done, %d left", n, len(s.all()))
		}
	})
}

// When the store does not answer, nobody can tell whose the job is: the worker
// stops before the lease is over.
func TestWorkEndsBeforeAnUnrenewedLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeStore()
		s.AddJobs(t.Context(), parley.Job{Kind: "mail", Due: time.Now()})
		var cut time.Duration
		begin := time.Now()
		stop := running(t, New(Config{Store: s, Kinds: work(func(ctx context.Context, _ store.Job) (parley.Alongside, error) {
			s.setFail(errDown)
			<-ctx.Done()
			cut = time.Since(begin)
			return parley.Alongside{}, nil
		})}))
		pass(time.Minute)
		if cut == 0 || cut >= leaseTime {
			t.Errorf("cut off after %v; the lease was over after %v", cut, leaseTime)
		}
		stop()
		if left := s.all(); len(left) != 1 {
			t.Errorf("left are %+v", left)
		}
	})
}

// Stopping gives back what is under way, as if it had never been taken.
func TestStoppingReturnsJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeStore()
		s.AddJobs(t.Context(), parley.Job{Kind: "mail", Due: time.Now()})
		stop := running(t, New(Config{Store: s, Kinds: work(func(ctx context.Context, _ store.Job) (parley.Alongside, error) {
			<-ctx.Done()
			return parley.Alongside{}, ctx.Err()
		})}))
		pass(time.Second)
		stop()
		left := s.all()
		if len(left) != 1 || !left[0].Leased.IsZero() || left[0].Attempts != 0 || left[0].Error != "" {
			t.Errorf("left are %+v", left)
		}
	})
}

// What comes again comes again for all nodes together, whatever becomes of one.
func TestWorkThatComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, begin := newFakeStore(), time.Now()
		hourly := func(after time.Time) time.Time { return after.Truncate(time.Hour).Add(time.Hour) }
		var at []time.Duration
		kinds := map[parley.JobKind]Kind{"tidy": {Attempts: 1, Next: hourly, Do: func(context.Context, store.Job) (parley.Alongside, error) {
			if at = append(at, time.Since(begin).Round(time.Hour)); len(at) == 2 {
				return parley.Alongside{}, errDown
			}
			return parley.Alongside{}, nil
		}}}
		s.setFail(errDown) // at the start the store does not answer
		defer running(t, New(Config{Store: s, Kinds: kinds}))()
		pass(time.Minute)
		s.setFail(nil)
		defer running(t, New(Config{Store: s, Kinds: kinds}))()
		pass(4*time.Hour + time.Minute)
		if !slices.Equal(at, []time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour}) {
			t.Errorf("done after %v", at)
		}
		left := s.all()
		if len(left) != 2 || left[0].Failed.IsZero() || left[0].Error != errDown.Error() {
			t.Errorf("left are %+v", left)
		}
	})
}
