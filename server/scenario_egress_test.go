package server_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"testing"

	"parley/edge/webapi"
	"parley/egress"
	"parley/parleytest"
	"parley/server"
)

// Every connection that the server opens is in the ledger, which the administrator
// reads at the command line and monitoring at /metrics; a server to which nothing
// happens opens none.
//
// claim: PV3
func TestPV3LedgerHoldsEveryConnection(t *testing.T) {
	outside := parleytest.NewOutside(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"server": "https://chat.example.com"}`)
	}))
	outside.Host("public.example.com", "93.184.216.34")
	outside.Host("inside.example.com", "10.0.0.1")
	w := parleytest.Start(t, outside.Use)

	hanna, kwame := w.As("hanna"), w.As("kwame")
	hanna.Say(kwame, "nobody outside hears of this")
	kwame.Hears(hanna, "nobody outside hears of this")
	hanna.Ask("GET", "/api/people?q=kwame", nil)
	if quiet := ledger(t, w); quiet[egress.Discovery].Connections != 0 || quiet[egress.Names].Connections != 0 || len(outside.Dialled()) != 0 {
		t.Errorf("people talked, and the server reached %v: %+v", outside.Dialled(), quiet)
	}

	for _, domain := range []string{"public.example.com", "inside.example.com", "unknown.example.com"} {
		w.Ask("POST", "/api/discover", webapi.DiscoverRequest{Address: "ann@" + domain})
	}
	lines := ledger(t, w)
	found, names := lines[egress.Discovery], lines[egress.Names]
	if dialled := len(outside.Dialled()); dialled == 0 || int(found.Connections) != dialled {
		t.Errorf("%d connections in the ledger, %d seen outside", found.Connections, dialled)
	}
	if found.Refused == 0 || found.Sent == 0 || found.Received == 0 || found.LastUsed.IsZero() {
		t.Errorf("discovery: %+v", found)
	}
	if names.Connections < 3 {
		t.Errorf("names: %+v", names)
	}
	for _, d := range egress.Declared() {
		if line, ok := lines[d.Purpose]; !ok || line.Data != d.Data || line.Hosts != d.Hosts || line.Past != d.Past {
			t.Errorf("%s is declared, and the ledger shows %+v", d.Purpose, line)
		}
	}
	if len(lines) != len(egress.Declared()) {
		t.Errorf("%d lines, %d purposes declared", len(lines), len(egress.Declared()))
	}
	agree(t, w, lines)
}

// ledger reads the ledger as the command line does.
func ledger(t *testing.T, w *parleytest.World) map[egress.Purpose]server.Outbound {
	t.Helper()
	control := w.Control()
	defer control.Close()
	list, err := control.Outbound(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lines := map[egress.Purpose]server.Outbound{}
	for _, line := range list {
		lines[egress.Purpose(line.Purpose)] = line
	}
	return lines
}

var ledgerFigure = regexp.MustCompile(`(?m)^parley_egress_connections_total\{purpose="([\w-]+)"\} (\d+)$`)

// agree wants the figures to say what the ledger says.
func agree(t *testing.T, w *parleytest.World, lines map[egress.Purpose]server.Outbound) {
	t.Helper()
	shown := ledgerFigure.FindAllStringSubmatch(string(w.Ask("GET", "/metrics", nil).Body), -1)
	for _, match := range shown {
		n, err := strconv.ParseInt(match[2], 10, 64)
		if line := lines[egress.Purpose(match[1])]; err != nil || line.Connections != n {
			t.Errorf("/metrics says %q, and the ledger %d", match[0], line.Connections)
		}
	}
	counted := 0
	for _, line := range lines {
		if !line.Uncounted {
			counted++
		}
	}
	if len(shown) != counted {
		t.Errorf("/metrics shows %d purposes, the ledger counts %d", len(shown), counted)
	}
}
