package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/edge/webapi"
	"parley/egress"
	"parley/store"
)

// figures are what the server counts for Prometheus. The names are stable; no
// label holds an id.
type figures struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration prometheus.Histogram
}

func newFigures(build string) *figures {
	f := &figures{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_http_requests_total", Help: "HTTP requests by route and status.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_http_request_seconds", Help: "Time to answer an HTTP request.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "parley_build_info", Help: "Always 1; the label tells the version.", ConstLabels: prometheus.Labels{"version": build},
	})
	info.Set(1)
	f.registry.MustRegister(f.requests, f.duration, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return f
}

func (f *figures) request(route string, status int, took time.Duration) {
	f.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if status != http.StatusSwitchingProtocols {
		f.duration.Observe(took.Seconds())
	}
}

func (f *figures) handler() http.Handler {
	return promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{})
}

// watch publishes the figures that the edge, the store and the ledger of outbound
// connections keep themselves. They are read when they are asked for.
func (f *figures) watch(edge func() webapi.Stats, kept func() store.Stats, ledger func() []egress.Stat) {
	f.registry.MustRegister(&keptFigures{edge, kept}, &ledgerFigures{ledger})
}

// keptFigures is a prometheus.Collector.
type keptFigures struct {
	edge  func() webapi.Stats
	store func() store.Stats
}

// figure is one plain figure and where it comes from.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	get  func(webapi.Stats, store.Stats) float64
}

func counter(name, help string, get func(webapi.Stats, store.Stats) float64) figure {
	return figure{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, get}
}

func gauge(name, help string, get func(webapi.Stats, store.Stats) float64) figure {
	return figure{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, get}
}

var plainFigures = []figure{
	gauge("parley_sockets", "Open sockets.", func(e webapi.Stats, _ store.Stats) float64 { return float64(e.Connections) }),
	counter("parley_sockets_closed_total", "Sockets closed for a reason of the protocol.", func(e webapi.Stats, _ store.Stats) float64 { return float64(e.Closed) }),
	counter("parley_frames_received_total", "Frames from clients.", func(e webapi.Stats, _ store.Stats) float64 { return float64(e.FramesIn) }),
	counter("parley_frames_sent_total", "Frames to clients.", func(e webapi.Stats, _ store.Stats) float64 { return float64(e.FramesOut) }),
	counter("parley_events_sent_total", "Events in frames to clients.", func(e webapi.Stats, _ store.Stats) float64 { return float64(e.Events) }),
	counter("parley_frame_bytes_sent_total", "Bytes of frames to clients.", func(e webapi.Stats, _ store.Stats) float64 { return float64(e.BytesOut) }),
	counter("parley_faults_total", "Requests and sockets that ended in a fault of the server.", func(e webapi.Stats, _ store.Stats) float64 { return float64(e.Panics) }),
	counter("parley_log_entries_total", "Entries added to the log.", func(_ webapi.Stats, s store.Stats) float64 { return float64(s.Entries) }),
	counter("parley_log_purged_total", "Entries deleted from the log.", func(_ webapi.Stats, s store.Stats) float64 { return float64(s.Purged) }),
	counter("parley_store_failures_total", "Commits that failed as a whole.", func(_ webapi.Stats, s store.Stats) float64 { return float64(s.Failures) }),
	counter("parley_store_checkpoints_total", "Times the write-ahead log was emptied.", func(_ webapi.Stats, s store.Stats) float64 { return float64(s.Checkpoints) }),
	gauge("parley_store_queued", "Changes that wait for a commit.", func(_ webapi.Stats, s store.Stats) float64 { return float64(s.Queued) }),
	gauge("parley_store_bulk_queued", "Steps of bulk work that wait behind messages.", func(_ webapi.Stats, s store.Stats) float64 { return float64(s.BulkQueued) }),
}

var (
	refusals    = prometheus.NewDesc("parley_refusals_total", "Refused requests and frames by kind.", []string{"kind"}, nil)
	commitTimes = prometheus.NewDesc("parley_store_commit_seconds", "How long commits took.", nil, nil)
)

// Describe implements prometheus.Collector.
func (k *keptFigures) Describe(out chan<- *prometheus.Desc) {
	for _, f := range plainFigures {
		out <- f.desc
	}
	out <- refusals
	out <- commitTimes
}

// Collect implements prometheus.Collector.
func (k *keptFigures) Collect(out chan<- prometheus.Metric) {
	edge, kept := k.edge(), k.store()
	for _, f := range plainFigures {
		out <- prometheus.MustNewConstMetric(f.desc, f.kind, f.get(edge, kept))
	}
	for kind, n := range edge.Refusals {
		out <- prometheus.MustNewConstMetric(refusals, prometheus.CounterValue, float64(n), kind)
	}
	buckets := map[float64]uint64{}
	var sum uint64
	for i, bound := range store.CommitBounds {
		sum += kept.CommitTimes[i]
		buckets[bound.Seconds()] = sum
	}
	out <- prometheus.MustNewConstHistogram(commitTimes, sum+kept.CommitTimes[len(store.CommitBounds)], kept.CommitSeconds, buckets)
}
