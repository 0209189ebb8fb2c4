package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley"
)

// Job is a job as it is stored.
type Job struct {
	parley.Job
	ID       int64
	Attempts int       // begun so far
	Leased   time.Time // until when somebody works on it; zero: nobody does
	Failed   time.Time // when it was given up; zero: it was not
	Error    string    // of the last attempt
}

// ErrLeaseLost says that a job is no longer whose it was: the lease lapsed and
// somebody else has it, or it is done.
var ErrLeaseLost = errors.New("store: the job's lease was lost")

// maxJobError is how much of an error is kept, in bytes.
const maxJobError = 500

const (
	insertJob = `
INSERT INTO jobs (kind, name, due, payload) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) WHERE name <> '' AND failed = 0 DO NOTHING`

	jobColumns = `id, kind, name, due, payload, attempts, leased, failed, error`

	leaseJob = `
UPDATE jobs SET leased = $2, attempts = attempts + 1 WHERE id = $1 RETURNING ` + jobColumns
)

// addJobs stores jobs.
func (b *batch) addJobs(jobs []parley.Job) error {
	for _, j := range jobs {
		payload := j.Payload
		if payload == nil {
			payload = []byte{}
		}
		if err := b.later(insertJob, string(j.Kind), j.Name, millis(j.Due), payload); err != nil {
			return fmt.Errorf("storing a job: %w", err)
		}
		b.jobs = true
	}
	return nil
}

func scanJob(r row) (j Job, err error) {
	var due, leased, failed int64
	err = r.Scan(&j.ID, &j.Kind, &j.Name, &due, &j.Payload, &j.Attempts, &leased, &failed, &j.Error)
	j.Due, j.Leased, j.Failed = fromMillis(due), fromMillis(leased), fromMillis(failed)
	return j, err
}

// ofKinds is the condition that a job is of one of these kinds, with the
// arguments from number next on.
func ofKinds(kinds []parley.JobKind, next int) (condition string, args []any) {
	var b strings.Builder
	for i, kind := range kinds {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("$" + strconv.Itoa(next+i))
		args = append(args, string(kind))
	}
	return "failed = 0 AND kind IN (" + b.String() + ")", args
}

// OnJobs has told called after each commit that stored a job, on the writer's
// goroutine: it must not block. Call it before Run.
func (s *Store) OnJobs(told func()) { s.writer.jobs = told }

// NextJob says when there is something to do for whoever works on these kinds: a
// job is due, or the lease of one lapses. Zero: there is no such job.
func (s *Store) NextJob(ctx context.Context, kinds []parley.JobKind) (time.Time, error) {
	if len(kinds) == 0 {
		return time.Time{}, nil
	}
	mine, args := ofKinds(kinds, 1)
	var next time.Time
	for _, query := range []string{
		`SELECT due FROM jobs WHERE leased = 0 AND ` + mine + ` ORDER BY due LIMIT 1`,
		`SELECT leased FROM jobs WHERE leased > 0 AND ` + mine + ` ORDER BY leased LIMIT 1`,
	} {
		var at int64
		err := s.read.queryRow(ctx, query, args...).Scan(&at)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return time.Time{}, fmt.Errorf("looking for the next job: %w", err)
		}
		if when := time.UnixMilli(at).UTC(); next.IsZero() || when.Before(next) {
			next = when
		}
	}
	return next, nil
}

// leaseJobs takes jobs that are due.
type leaseJobs struct {
	kinds []parley.JobKind
	lease time.Duration
	limit int

	taken []Job
}

func (o *leaseJobs) apply(b *batch) error {
	o.taken = nil
	mine, args := ofKinds(o.kinds, 3)
	for _, query := range []string{
		`SELECT id FROM jobs WHERE leased > 0 AND leased <= $1 AND ` + mine + ` ORDER BY leased, id LIMIT $2`,
		`SELECT id FROM jobs WHERE leased = 0 AND due <= $1 AND ` + mine + ` ORDER BY due, id LIMIT $2`,
	} {
		room := o.limit - len(o.taken)
		rows, err := b.query(query, append([]any{b.now.UnixMilli(), room}, args...)...)
		ids, err := collect(rows, err, func(r row) (id int64, err error) { return id, r.Scan(&id) })
		if err != nil {
			return fmt.Errorf("looking for jobs: %w", err)
		}
		for _, id := range ids {
			job, err := scanJob(b.queryRow(leaseJob, id, millis(b.now.Add(o.lease))))
			if err != nil {
				return fmt.Errorf("leasing a job: %w", err)
			}
			o.taken = append(o.taken, job)
		}
	}
	return nil
}

// LeaseJobs takes at most limit jobs of these kinds that are due and that nobody
// works on, for so long. Whoever has a job is the only one until the lease
// lapses, by the clock of whoever looks: clocks of nodes may differ by a small
// part of a lease only.
func (s *Store) LeaseJobs(ctx context.Context, kinds []parley.JobKind, lease time.Duration, limit int) ([]Job, error) {
	if len(kinds) == 0 || limit <= 0 {
		return nil, nil
	}
	op := &leaseJobs{kinds: kinds, lease: lease, limit: limit}
	if err := s.writer.do(ctx, s.writer.queue, op); err != nil {
		return nil, err
	}
	return op.taken, nil
}

// renewLease extends a lease.
type renewLease struct {
	id, leased int64
	lease      time.Duration

	until time.Time
}

func (o *renewLease) apply(b *batch) error {
	o.until = b.now.Add(o.lease)
	n, err := b.exec(`UPDATE jobs SET leased = $3 WHERE id = $1 AND leased = $2`, o.id, o.leased, millis(o.until))
	if err == nil && n == 0 {
		err = ErrLeaseLost
	}
	return err
}

// RenewJob extends the lease of a job by so long from now, and returns until when
// it is leased then. A lease that was lost: ErrLeaseLost.
func (s *Store) RenewJob(ctx context.Context, j Job, lease time.Duration) (time.Time, error) {
	op := &renewLease{id: j.ID, leased: millis(j.Leased), lease: lease}
	err := s.writer.do(ctx, s.writer.queue, op)
	return op.until, err
}

// endLease is a change of a job by whoever holds its lease. The lease stands last
// but one in the query's arguments and the job last.
func (s *Store) endLease(ctx context.Context, j Job, with parley.Alongside, query string, args ...any) error {
	args = append(args, millis(j.Leased), j.ID)
	return s.writer.do(ctx, s.writer.queue, change{steps: []step{{query, args, ErrLeaseLost}}, also: with})
}

// FinishJob removes a job that is done. What is alongside is committed with it,
// or, when the lease was lost (ErrLeaseLost), not at all.
func (s *Store) FinishJob(ctx context.Context, j Job, with parley.Alongside) error {
	return s.endLease(ctx, j, with, `DELETE FROM jobs WHERE leased = $1 AND id = $2`)
}

// RetryJob gives a job back that failed, to be tried again when it is due anew.
func (s *Store) RetryJob(ctx context.Context, j Job, due time.Time, cause string) error {
	const query = `UPDATE jobs SET leased = 0, due = $1, error = $2 WHERE leased = $3 AND id = $4`
	return s.endLease(ctx, j, parley.Alongside{}, query, millis(due), jobError(cause))
}

// ReturnJob gives a job back as if it had never been taken.
func (s *Store) ReturnJob(ctx context.Context, j Job) error {
	const query = `UPDATE jobs SET leased = 0, attempts = attempts - 1 WHERE leased = $1 AND id = $2`
	return s.endLease(ctx, j, parley.Alongside{}, query)
}

// FailJob gives a job up. It stays, with its error, until somebody decides.
func (s *Store) FailJob(ctx context.Context, j Job, at time.Time, cause string, with parley.Alongside) error {
	const query = `UPDATE jobs SET leased = 0, failed = $1, error = $2 WHERE leased = $3 AND id = $4`
	return s.endLease(ctx, j, with, query, millis(at), jobError(cause))
}

// jobError cuts an error to what is kept of it.
func jobError(cause string) string {
	if len(cause) > maxJobError {
		cause = cause[:maxJobError]
	}
	// Half a character may be left, and PostgreSQL takes no zero byte for a text.
	return strings.ReplaceAll(strings.ToValidUTF8(cause, ""), "\x00", "")
}

// AddJobs stores jobs by themselves.
func (s *Store) AddJobs(ctx context.Context, jobs ...parley.Job) error {
	return s.writer.do(ctx, s.writer.queue, change{also: parley.Alongside{Jobs: jobs}})
}

// maxListedJobs bounds what Jobs gives.
const maxListedJobs = 1000

// Jobs lists jobs, those given up first, then by when they are due; at most 1,000.
func (s *Store) Jobs(ctx context.Context) ([]Job, error) {
	const query = `SELECT ` + jobColumns + ` FROM jobs
ORDER BY CASE WHEN failed > 0 THEN 0 ELSE 1 END, due, id LIMIT $1`
	rows, err := s.read.query(ctx, query, maxListedJobs)
	jobs, err := collect(rows, err, scanJob)
	return jobs, parley.Wrap(err, "listing jobs")
}

// JobCounts are how many jobs there are.
type JobCounts struct{ Waiting, Running, Failed int64 }

// CountJobs counts the jobs of now.
func (s *Store) CountJobs(ctx context.Context) (c JobCounts, err error) {
	const query = `
SELECT coalesce(sum(CASE WHEN failed = 0 AND leased = 0 THEN 1 ELSE 0 END), 0),
       coalesce(sum(CASE WHEN failed = 0 AND leased > 0 THEN 1 ELSE 0 END), 0),
       coalesce(sum(CASE WHEN failed > 0 THEN 1 ELSE 0 END), 0) FROM jobs`
	err = s.read.queryRow(ctx, query).Scan(&c.Waiting, &c.Running, &c.Failed)
	return c, parley.Wrap(err, "counting jobs")
}

// decideJob is what an administrator decides about a job that was given up.
type decideJob struct {
	id    int64
	again bool // try again; else remove it
	also  parley.Alongside
}

func (o decideJob) apply(b *batch) error {
	if !o.again {
		gone := step{`DELETE FROM jobs WHERE id = $1 AND failed > 0`, []any{o.id}, parley.ErrWithheld}
		return change{steps: []step{gone}, also: o.also}.apply(b)
	}
	// Another job of its name may wait by now; then that one does the work.
	const query = `
UPDATE jobs SET failed = 0, attempts = 0, due = $2 WHERE id = $1 AND failed > 0
AND NOT EXISTS (SELECT 1 FROM jobs other WHERE other.name = jobs.name AND other.name <> '' AND other.failed = 0)`
	n, err := b.exec(query, o.id, b.now.UnixMilli())
	if err != nil {
		return fmt.Errorf("trying a job again: %w", err)
	}
	if n == 0 {
		err := b.queryRow(`SELECT id FROM jobs WHERE id = $1 AND failed > 0`, o.id).Scan(&o.id)
		if errors.Is(err, sql.ErrNoRows) {
			return parley.ErrWithheld
		}
		if err != nil {
			return fmt.Errorf("looking for a job: %w", err)
		}
		return parley.Refuse(parley.Conflict, "job.replaced")
	}
	b.jobs = true
	return b.alongside(o.also)
}

// ReviveJob has a job that was given up tried again. There is none of this
// number: parley.ErrWithheld. Another one of its name waits: a Conflict.
func (s *Store) ReviveJob(ctx context.Context, id int64, with parley.Alongside) error {
	return s.writer.do(ctx, s.writer.queue, decideJob{id, true, with})
}

// RemoveJob removes a job that was given up. There is none of this number:
// parley.ErrWithheld.
func (s *Store) RemoveJob(ctx context.Context, id int64, with parley.Alongside) error {
	return s.writer.do(ctx, s.writer.queue, decideJob{id, false, with})
}
