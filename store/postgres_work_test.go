package store

import (
	"slices"
	"sync"
	"testing"
	"time"

	"parley"
)

// The audit trail of several nodes is one chain, whoever commits when.
func TestNodesShareOneAuditChain(t *testing.T) {
	c := onPostgres(t)
	a, b := start(t, c), start(t, node(t, c))
	var writing sync.WaitGroup
	for _, w := range []*world{a, b} {
		for range 2 {
			writing.Go(func() {
				for range 25 {
					if err := w.AddAudit(parley.AuditSignedIn, parley.System); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	writing.Wait()
	if mark := a.whole(100); b.whole(100, mark) != mark {
		t.Error("the nodes see two ends")
	}
}

// A job is one node's alone: each is leased once, whichever nodes ask at the same
// time; and what a dead node had goes to another one.
func TestNodesShareJobs(t *testing.T) {
	c := onPostgres(t)
	a, b := start(t, c), start(t, node(t, c))
	a.jobs(time.Now(), "mail", "dead node's")
	if taken := a.lease(300*time.Millisecond, 1); len(taken) != 1 { // and is never heard of again
		t.Fatalf("leased %v", taken)
	}
	until(t, "the other node gets it", func() bool { return payloads(b.lease(time.Hour, 1)) == "dead node's" })

	const n = 100
	var all []string
	for i := range n {
		all = append(all, parley.PersonID(i).String())
	}
	a.jobs(time.Now(), "mail", all...)
	var mu sync.Mutex
	var got []string
	var taking sync.WaitGroup
	for _, w := range []*world{a, b, a, b} {
		taking.Go(func() {
			for {
				jobs, err := w.LeaseJobs(t.Context(), kinds, time.Hour, 7)
				if err != nil {
					t.Error(err)
				}
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
	taking.Wait()
	slices.Sort(got)
	slices.Sort(all)
	if !slices.Equal(got, all) {
		t.Errorf("%d leases of %d jobs", len(got), n)
	}
}
