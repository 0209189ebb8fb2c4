package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// directoryFigures is a prometheus.Collector: how the corporate directory is
// followed.
type directoryFigures struct{ follower *follower }

var (
	directoryFailing = prometheus.NewDesc("parley_directory_failing", "1 while the corporate directory cannot be followed.", nil, nil)
	directoryAge     = prometheus.NewDesc("parley_directory_last_success_seconds",
		"Time since people and groups were last in step with the corporate directory.", nil, nil)
	directoryPeople  = prometheus.NewDesc("parley_directory_people", "People of the corporate directory.", nil, nil)
	directoryGroups  = prometheus.NewDesc("parley_directory_groups", "Groups of the corporate directory.", nil, nil)
	directoryChanges = prometheus.NewDesc("parley_directory_changes_total",
		"Changes of the corporate directory that this node took over, by what they were.", []string{"change"}, nil)
)

// Describe implements prometheus.Collector.
func (d *directoryFigures) Describe(out chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(d, out)
}

// Collect implements prometheus.Collector.
func (d *directoryFigures) Collect(out chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if state, _, err := d.follower.state(ctx); err == nil {
		failing := 0.0
		if !state.FailingSince.IsZero() {
			failing = 1
		}
		gauge(directoryFailing, failing)
		if !state.LastSync.IsZero() {
			gauge(directoryAge, time.Since(state.LastSync).Seconds())
		}
	}
	people, groups := d.follower.size()
	gauge(directoryPeople, float64(people))
	gauge(directoryGroups, float64(groups))
	added, changed, gone, ofGroups := d.follower.standing.counts()
	for change, n := range map[string]int{"added": added, "changed": changed, "gone": gone, "groups": ofGroups} {
		out <- prometheus.MustNewConstMetric(directoryChanges, prometheus.CounterValue, float64(n), change)
	}
}
