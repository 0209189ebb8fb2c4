package jobs

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley"
	"parley/store"
)

// Two Runners over a real database, one of whose jobs a dead node had taken: each
// job is done once, the dead node's too, and never two at the same time.
func TestTwoRunnersOverOneDatabase(t *testing.T) {
	s, err := store.Open(t.Context(), store.Config{Path: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var stored sync.WaitGroup
	stored.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		stored.Wait()
		s.Close()
	})

	const n = 60
	var doing, done [n + 1]atomic.Int32
	finished := make(chan struct{}, n)
	kinds := map[parley.JobKind]Kind{"count": {Do: func(_ context.Context, job store.Job) (parley.Alongside, error) {
		if doing[job.ID].Add(1) != 1 {
			t.Errorf("job %d is done twice at the same time", job.ID)
		}
		defer doing[job.ID].Add(-1)
		done[job.ID].Add(1)
		defer func() { finished <- struct{}{} }()
		return parley.Alongside{Audit: []parley.Audit{{Action: "counted"}}}, nil
	}}}
	add := func(jobs int) {
		t.Helper()
		for i := range jobs {
			if err := s.AddJobs(t.Context(), parley.Job{Kind: "count", Due: time.Now(), Payload: fmt.Append(nil, i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(1)
	if dead, err := s.LeaseJobs(t.Context(), []parley.JobKind{"count"}, 300*time.Millisecond, 1); err != nil || len(dead) != 1 {
		t.Fatalf("leased %v, %v", dead, err)
	}
	for range 2 {
		r := New(Config{Store: s, Kinds: kinds})
		stop := running(t, r)
		defer stop()
		defer r.Wake()
	}
	add(n - 1)
	for range n {
		select {
		case <-finished:
		case <-time.After(time.Minute):
			t.Fatal("not every job was done")
		}
	}
	for id := 1; id <= n; id++ {
		if got := done[id].Load(); got != 1 {
			t.Errorf("job %d was done %d times", id, got)
		}
	}
}
