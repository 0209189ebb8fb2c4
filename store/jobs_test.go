package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley"
)

var kinds = []parley.JobKind{"mail", "push"}

func (w *world) jobs(due time.Time, kind parley.JobKind, payloads ...string) {
	w.t.Helper()
	var jobs []parley.Job
	for _, payload := range payloads {
		jobs = append(jobs, parley.Job{Kind: kind, Due: due, Payload: []byte(payload)})
	}
	check(w.t, w.AddJobs(w.t.Context(), jobs...))
}

func (w *world) lease(lease time.Duration, limit int) []Job {
	w.t.Helper()
	return must(w.LeaseJobs(w.t.Context(), kinds, lease, limit))(w.t)
}

func payloads(jobs []Job) string {
	var list []string
	for _, j := range jobs {
		list = append(list, string(j.Payload))
	}
	return strings.Join(list, " ")
}

func TestJobsAreLeased(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		now := time.Now()
		w.jobs(now.Add(-time.Minute), "mail", "second")
		w.jobs(now.Add(-time.Hour), "push", "first")
		w.jobs(now.Add(time.Hour), "mail", "later")
		w.jobs(now.Add(-time.Hour), "of a newer version", "unknown")
		if next := must(w.NextJob(t.Context(), kinds))(t); !next.Equal(now.Add(-time.Hour).Truncate(time.Millisecond).UTC()) {
			t.Errorf("the next job is due %v", next)
		}
		one := w.lease(time.Minute, 1)
		rest := w.lease(time.Minute, 10)
		if payloads(one) != "first" || payloads(rest) != "second" || len(w.lease(time.Minute, 10)) != 0 {
			t.Fatalf("leased %q, then %q", payloads(one), payloads(rest))
		}
		if j := one[0]; j.Attempts != 1 || j.Kind != "push" || time.Until(j.Leased) > time.Minute || time.Until(j.Leased) < 30*time.Second {
			t.Errorf("leased %+v", j)
		}
		if next := must(w.NextJob(t.Context(), kinds))(t); !next.Equal(one[0].Leased) {
			t.Errorf("the next thing happens %v, the first lease ends %v", next, one[0].Leased)
		}
		if c := must(w.CountJobs(t.Context()))(t); c != (JobCounts{Waiting: 2, Running: 2}) {
			t.Errorf("counted %+v", c)
		}
		check(t, w.FinishJob(t.Context(), one[0], parley.Alongside{Jobs: []parley.Job{{Kind: "push", Due: now, Payload: []byte("follows")}}}))
		if again := w.lease(time.Minute, 10); payloads(again) != "follows" {
			t.Errorf("after one that had another follow: %q", payloads(again))
		}
		if list := payloads(must(w.Jobs(t.Context()))(t)); list != "unknown second follows later" {
			t.Errorf("stored are %q", list)
		}
	})
}

// Whoever lost the lease can change nothing any more, and what they wanted stored
// with it is not.
func TestLapsedLease(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		w.jobs(time.Now(), "mail", "x")
		dead := w.lease(30*time.Millisecond, 1)[0]
		var taken Job
		until(t, "the lease lapses and somebody else gets the job", func() bool {
			jobs := w.lease(time.Minute, 1)
			if len(jobs) == 1 {
				taken = jobs[0]
			}
			return len(jobs) == 1
		})
		if taken.ID != dead.ID || taken.Attempts != 2 || taken.Leased.Before(dead.Leased.Add(30*time.Second)) {
			t.Errorf("taken over %+v", taken)
		}
		also := parley.Alongside{Audit: []parley.Audit{{Action: "done"}}, Jobs: []parley.Job{{Kind: "mail"}}}
		ctx := t.Context()
		_, renewed := w.RenewJob(ctx, dead, time.Minute)
		for what, err := range map[string]error{
			"finish": w.FinishJob(ctx, dead, also), "retry": w.RetryJob(ctx, dead, time.Now(), "x"), "fail": w.FailJob(ctx, dead, time.Now(), "x", also),
			"return": w.ReturnJob(ctx, dead), "renew": renewed,
		} {
			if !errors.Is(err, ErrLeaseLost) {
				t.Errorf("%s by whoever lost the lease: %v", what, err)
			}
		}
		if count(t, w, "audit") != 0 || count(t, w, "jobs") != 1 {
			t.Errorf("%d audit records and %d jobs are stored", count(t, w, "audit"), count(t, w, "jobs"))
		}
		var err error
		if taken.Leased, err = w.RenewJob(ctx, taken, time.Hour); err != nil || time.Until(taken.Leased) < 30*time.Minute {
			t.Errorf("renewed until %v, %v", taken.Leased, err)
		}
		check(t, w.FinishJob(ctx, taken, also))
	})
}

func TestFailingJobs(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ctx, now := t.Context(), time.Now().UTC().Truncate(time.Millisecond)
		w.jobs(now, "mail", "x")
		j := w.lease(time.Minute, 1)[0]
		check(t, w.RetryJob(ctx, j, now.Add(-time.Second), "no answer"))
		j = w.lease(time.Minute, 1)[0]
		if j.Attempts != 2 || j.Error != "no answer" {
			t.Errorf("the second attempt gets %+v", j)
		}
		check(t, w.ReturnJob(ctx, j))
		j = w.lease(time.Minute, 1)[0]
		if j.Attempts != 2 {
			t.Errorf("a job that was given back counts %d attempts", j.Attempts)
		}
		check(t, w.FailJob(ctx, j, now, strings.Repeat("é", 400), parley.Alongside{}))
		if len(w.lease(time.Minute, 1)) != 0 {
			t.Error("a job that was given up is leased")
		}
		list := must(w.Jobs(ctx))(t)
		if len(list) != 1 || !list[0].Failed.Equal(now) || list[0].Error != strings.Repeat("é", 250) {
			t.Errorf("kept as %+v", list)
		}
		if c := must(w.CountJobs(ctx))(t); c != (JobCounts{Failed: 1}) {
			t.Errorf("counted %+v", c)
		}
		if next := must(w.NextJob(ctx, kinds))(t); !next.IsZero() {
			t.Errorf("something is to be done %v", next)
		}
		if err := w.RemoveJob(ctx, j.ID+1, parley.Alongside{}); err != parley.ErrWithheld {
			t.Errorf("removing what is not there: %v", err)
		}
		check(t, w.ReviveJob(ctx, j.ID, parley.Alongside{}))
		if err := w.RemoveJob(ctx, j.ID, parley.Alongside{}); err != parley.ErrWithheld {
			t.Errorf("removing one that waits: %v", err)
		}
		j = w.lease(time.Minute, 1)[0]
		if j.Attempts != 1 {
			t.Errorf("tried again it begins with attempt %d", j.Attempts)
		}
		check(t, w.FailJob(ctx, j, now, "x", parley.Alongside{}))
		check(t, w.RemoveJob(ctx, j.ID, parley.Alongside{Audit: []parley.Audit{{Action: "x"}}}))
		if count(t, w, "jobs") != 0 {
			t.Error("it is still there")
		}
	})
}

func TestNamedJobs(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ctx, now := t.Context(), time.Now()
		named := func(payload string) parley.Job {
			return parley.Job{Kind: "mail", Name: "nightly", Due: now, Payload: []byte(payload)}
		}
		check(t, w.AddJobs(ctx, named("first"), named("second")))
		check(t, w.AddJobs(ctx, named("third")))
		j := w.lease(time.Minute, 5)
		check(t, w.AddJobs(ctx, named("fourth")))
		if payloads(j) != "first" || count(t, w, "jobs") != 1 {
			t.Fatalf("leased %q, stored %d", payloads(j), count(t, w, "jobs"))
		}
		// The next one is stored with the end of the one before, however that ended.
		check(t, w.FinishJob(ctx, j[0], parley.Alongside{Jobs: []parley.Job{named("next")}}))
		j = w.lease(time.Minute, 5)
		if payloads(j) != "next" {
			t.Fatalf("leased %q", payloads(j))
		}
		check(t, w.FailJob(ctx, j[0], now, "x", parley.Alongside{Jobs: []parley.Job{named("after a failure")}}))
		if err := w.ReviveJob(ctx, j[0].ID, parley.Alongside{}); parley.KindOf(err) != parley.Conflict {
			t.Errorf("trying again while another of the name waits: %v", err)
		}
		if again := w.lease(time.Minute, 5); payloads(again) != "after a failure" {
			t.Errorf("leased %q", payloads(again))
		}
	})
}

func TestOnJobs(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := prepared(t, c)
		var told atomic.Int32
		w.OnJobs(func() { told.Add(1) })
		w.run()
		check(t, w.SetRead(t.Context(), 1, 1, 1, 1, parley.Alongside{}))
		if told.Load() != 0 {
			t.Error("told of a commit without a job")
		}
		check(t, w.SetRead(t.Context(), 1, 1, 2, 2, parley.Alongside{Jobs: []parley.Job{{Kind: "mail"}}}))
		if told.Load() == 0 {
			t.Error("not told of a job")
		}
	})
}

// However many take at once, each job is somebody's alone.
func TestLeasesAreExclusive(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		var all []string
		for i := range 200 {
			all = append(all, fmt.Sprint(i))
		}
		w.jobs(time.Now(), "mail", all...)
		var mu sync.Mutex
		var got []string
		var takers sync.WaitGroup
		for range 8 {
			takers.Go(func() {
				for {
					jobs := w.lease(time.Hour, 7)
					if len(jobs) == 0 {
						return
					}
					mu.Lock()
					for _, j := range jobs {
						got = append(got, string(j.Payload))
					}
					mu.Unlock()
				}
			})
		}
		takers.Wait()
		slices.Sort(got)
		slices.Sort(all)
		if !slices.Equal(got, all) {
			t.Errorf("%d jobs were leased, %d there are", len(got), len(all))
		}
	})
}
