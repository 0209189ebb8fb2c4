package server

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/egress"
)

// Outbound is a line of the ledger as the administrator sees it: for what the
// server opens connections, and what came of it since it started.
type Outbound struct {
	Purpose     string    `json:"purpose"`
	For         string    `json:"for"`
	Data        string    `json:"data"`
	Hosts       string    `json:"hosts"`
	Past        string    `json:"past,omitempty"`      // who opens the connections, where it is not the one dialer
	Uncounted   bool      `json:"uncounted,omitempty"` // the figures below say nothing
	Connections int64     `json:"connections"`
	Refused     int64     `json:"refused"`
	Sent        int64     `json:"sent"`     // bytes
	Received    int64     `json:"received"` // bytes
	LastUsed    time.Time `json:"last_used,omitzero"`
}

func (c *control) outbound(w http.ResponseWriter, _ *http.Request) {
	lines := []Outbound{}
	for _, s := range c.ledger() {
		lines = append(lines, Outbound{
			Purpose: string(s.Purpose), For: s.For, Data: s.Data, Hosts: s.Hosts, Past: s.Past, Uncounted: s.Uncounted,
			Connections: s.Connections, Refused: s.Refused, Sent: s.Sent, Received: s.Received, LastUsed: s.LastUsed,
		})
	}
	writeJSON(w, http.StatusOK, lines)
}

// Outbound gives the ledger of outbound connections: every declared purpose, used
// or not.
func (c *Control) Outbound(ctx context.Context) ([]Outbound, error) {
	var lines []Outbound
	return lines, c.ask(ctx, "GET", "/egress", nil, &lines)
}

// ledgerFigures publishes the ledger. It is a prometheus.Collector.
type ledgerFigures struct{ ledger func() []egress.Stat }

var (
	outboundConnections = prometheus.NewDesc("parley_egress_connections_total", "Outbound connections, questions to the name server, or requests, by declared purpose.", []string{"purpose"}, nil)
	outboundRefused     = prometheus.NewDesc("parley_egress_refused_total", "Outbound connections that the rules of their purpose did not allow.", []string{"purpose"}, nil)
	outboundSent        = prometheus.NewDesc("parley_egress_sent_bytes_total", "Bytes sent over outbound connections.", []string{"purpose"}, nil)
	outboundReceived    = prometheus.NewDesc("parley_egress_received_bytes_total", "Bytes received over outbound connections.", []string{"purpose"}, nil)
)

// Describe implements prometheus.Collector.
func (l *ledgerFigures) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{outboundConnections, outboundRefused, outboundSent, outboundReceived} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (l *ledgerFigures) Collect(out chan<- prometheus.Metric) {
	for _, s := range l.ledger() {
		if s.Uncounted {
			continue
		}
		for desc, n := range map[*prometheus.Desc]int64{
			outboundConnections: s.Connections, outboundRefused: s.Refused, outboundSent: s.Sent, outboundReceived: s.Received,
		} {
			out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), string(s.Purpose))
		}
	}
}
