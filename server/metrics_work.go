package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/server/jobs"
	"parley/store"
)

// watchWork publishes the figures of the jobs and of the audit trail. How many
// jobs there are is asked of the database when somebody asks for the figures.
func (f *figures) watchWork(done func() jobs.Stats, count func(context.Context) (store.JobCounts, error), t *trail) {
	f.registry.MustRegister(&workFigures{done, count, t})
}

// workFigures is a prometheus.Collector.
type workFigures struct {
	done  func() jobs.Stats
	count func(context.Context) (store.JobCounts, error)
	trail *trail
}

// countTime is how long the database has for counting the jobs. One that does not
// answer must not keep the other figures back.
const countTime = 2 * time.Second

var (
	jobsNow       = prometheus.NewDesc("parley_jobs", "Jobs by state: waiting, running, or failed for good.", []string{"state"}, nil)
	jobsDone      = prometheus.NewDesc("parley_jobs_done_total", "Jobs that this node did.", nil, nil)
	jobsFailures  = prometheus.NewDesc("parley_job_failures_total", "Attempts at a job that failed on this node.", nil, nil)
	jobsGivenUp   = prometheus.NewDesc("parley_jobs_given_up_total", "Jobs that this node gave up.", nil, nil)
	trailBroken   = prometheus.NewDesc("parley_audit_broken", "1 when this node's last verification of the audit trail found it broken.", nil, nil)
	trailVerified = prometheus.NewDesc("parley_audit_verified_seconds", "When this node last verified the audit trail, in Unix time; 0: not since it started.", nil, nil)
)

// Describe implements prometheus.Collector.
func (w *workFigures) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{jobsNow, jobsDone, jobsFailures, jobsGivenUp, trailBroken, trailVerified} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (w *workFigures) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()
	if now, err := w.count(ctx); err == nil {
		for state, n := range map[string]int64{"waiting": now.Waiting, "running": now.Running, "failed": now.Failed} {
			out <- prometheus.MustNewConstMetric(jobsNow, prometheus.GaugeValue, float64(n), state)
		}
	}
	done := w.done()
	for desc, n := range map[*prometheus.Desc]uint64{jobsDone: done.Done, jobsFailures: done.Failures, jobsGivenUp: done.GivenUp} {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n))
	}
	verdict, at := w.trail.verdict()
	broken, when := 0.0, 0.0
	if verdict.Broken != 0 {
		broken = 1
	}
	if !at.IsZero() {
		when = float64(at.Unix())
	}
	out <- prometheus.MustNewConstMetric(trailBroken, prometheus.GaugeValue, broken)
	out <- prometheus.MustNewConstMetric(trailVerified, prometheus.GaugeValue, when)
}
