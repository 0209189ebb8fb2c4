package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/edge/webapi"
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

// watchSockets publishes the counts of the edge.
func (f *figures) watchSockets(stats func() webapi.Stats) {
	f.registry.MustRegister(socketFigures{stats})
}

// socketFigures reads the counts of the edge when they are asked for.
type socketFigures struct{ stats func() webapi.Stats }

var (
	socketsOpen   = describe("parley_sockets", "Open sockets.")
	socketsClosed = describe("parley_sockets_closed_total", "Sockets that the server closed for a reason of the protocol.")
	framesIn      = describe("parley_frames_received_total", "Frames from clients.")
	framesOut     = describe("parley_frames_sent_total", "Frames to clients.")
	eventsOut     = describe("parley_events_sent_total", "Events in the frames to clients.")
	bytesOut      = describe("parley_frame_bytes_sent_total", "Bytes of the frames to clients.")
	faults        = describe("parley_faults_total", "Requests and sockets that ended in a fault of the server.")
	refusals      = describe("parley_refusals_total", "Refused requests and frames by kind.", "kind")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (s socketFigures) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{socketsOpen, socketsClosed, framesIn, framesOut, eventsOut, bytesOut, faults, refusals} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (s socketFigures) Collect(out chan<- prometheus.Metric) {
	n := s.stats()
	out <- prometheus.MustNewConstMetric(socketsOpen, prometheus.GaugeValue, float64(n.Connections))
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	count(socketsClosed, n.Closed)
	count(framesIn, n.FramesIn)
	count(framesOut, n.FramesOut)
	count(eventsOut, n.Events)
	count(bytesOut, n.BytesOut)
	count(faults, n.Panics)
	for kind, v := range n.Refusals {
		count(refusals, v, kind)
	}
}
