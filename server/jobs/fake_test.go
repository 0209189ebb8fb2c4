package jobs

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"parley"
	"parley/store"
)

// fakeStore keeps jobs in memory as store.Store does in its tables, by the clock
// of the test.
type fakeStore struct {
	mu     sync.Mutex
	jobs   map[int64]*store.Job
	nextID int64
	also   []parley.AuditAction // what was committed with ends
	looks  int                  // questions for the next job
	fail   error                // what every method answers, if not nil
}

func newFakeStore() *fakeStore { return &fakeStore{jobs: map[int64]*store.Job{}} }

func (s *fakeStore) lock() func() { s.mu.Lock(); return s.mu.Unlock }

func (s *fakeStore) add(jobs []parley.Job) {
next:
	for _, j := range jobs {
		for _, other := range s.jobs {
			if j.Name != "" && other.Name == j.Name && other.Failed.IsZero() {
				continue next
			}
		}
		s.nextID++
		s.jobs[s.nextID] = &store.Job{Job: j, ID: s.nextID}
	}
}

func (s *fakeStore) AddJobs(_ context.Context, jobs ...parley.Job) error {
	defer s.lock()()
	if s.fail == nil {
		s.add(jobs)
	}
	return s.fail
}

func (s *fakeStore) of(kinds []parley.JobKind) []*store.Job {
	var list []*store.Job
	for _, j := range s.jobs {
		if slices.Contains(kinds, j.Kind) && j.Failed.IsZero() {
			list = append(list, j)
		}
	}
	slices.SortFunc(list, func(a, b *store.Job) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func moment(j *store.Job) time.Time {
	if j.Leased.IsZero() {
		return j.Due
	}
	return j.Leased
}

func (s *fakeStore) NextJob(_ context.Context, kinds []parley.JobKind) (next time.Time, err error) {
	defer s.lock()()
	s.looks++
	for _, j := range s.of(kinds) {
		if at := moment(j); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next, s.fail
}

func (s *fakeStore) LeaseJobs(_ context.Context, kinds []parley.JobKind, lease time.Duration, limit int) (taken []store.Job, err error) {
	defer s.lock()()
	for _, j := range s.of(kinds) {
		if !moment(j).After(time.Now()) && len(taken) < limit {
			j.Leased, j.Attempts = time.Now().Add(lease), j.Attempts+1
			taken = append(taken, *j)
		}
	}
	return taken, s.fail
}

// held finds a job whose lease is as the holder knows it.
func (s *fakeStore) held(j store.Job) (*store.Job, error) {
	stored := s.jobs[j.ID]
	if s.fail != nil {
		return nil, s.fail
	}
	if stored == nil || !stored.Leased.Equal(j.Leased) {
		return nil, store.ErrLeaseLost
	}
	return stored, nil
}

func (s *fakeStore) RenewJob(_ context.Context, j store.Job, lease time.Duration) (time.Time, error) {
	defer s.lock()()
	stored, err := s.held(j)
	if err != nil {
		return time.Time{}, err
	}
	stored.Leased = time.Now().Add(lease)
	return stored.Leased, nil
}

func (s *fakeStore) end(j store.Job, with parley.Alongside, change func(*store.Job)) error {
	defer s.lock()()
	stored, err := s.held(j)
	if err != nil {
		return err
	}
	stored.Leased = time.Time{}
	change(stored)
	s.add(with.Jobs)
	for _, a := range with.Audit {
		s.also = append(s.also, a.Action)
	}
	return nil
}

func (s *fakeStore) FinishJob(_ context.Context, j store.Job, with parley.Alongside) error {
	return s.end(j, with, func(j *store.Job) { delete(s.jobs, j.ID) })
}

func (s *fakeStore) RetryJob(_ context.Context, j store.Job, due time.Time, cause string) error {
	return s.end(j, parley.Alongside{}, func(j *store.Job) { j.Due, j.Error = due, cause })
}

func (s *fakeStore) ReturnJob(_ context.Context, j store.Job) error {
	return s.end(j, parley.Alongside{}, func(j *store.Job) { j.Attempts-- })
}

func (s *fakeStore) FailJob(_ context.Context, j store.Job, at time.Time, cause string, with parley.Alongside) error {
	return s.end(j, with, func(j *store.Job) { j.Failed, j.Error = at, cause })
}

// all gives the jobs of now, by number.
func (s *fakeStore) all() []store.Job {
	defer s.lock()()
	var list []store.Job
	for _, j := range s.jobs {
		list = append(list, *j)
	}
	slices.SortFunc(list, func(a, b store.Job) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (s *fakeStore) setFail(err error) {
	defer s.lock()()
	s.fail = err
}
