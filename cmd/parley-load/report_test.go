package main

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
)

func TestTable(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out, false, "ours")
	r.add(Result{Scenario: "messages", Case: "saturated", Metrics: map[string]float64{"delivered_per_s": 53177.4, "lost": 0}, Notes: []string{"disturbed"}})
	r.add(Result{Scenario: "idle", Server: "theirs", Metrics: map[string]float64{"kib_per_device": 14.7349}})
	if err := r.finish(); err != nil {
		t.Fatal(err)
	}
	want := []string{"ours messages saturated", "53,177", "lost", "(disturbed)", "theirs idle", "14.73"}
	text := out.String()
	for _, part := range want {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
}

func TestJSONLines(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out, true, "")
	r.add(Result{Scenario: "idle", Metrics: map[string]float64{"kib_per_device": 14.7349, "seconds": math.Inf(1)}})
	if err := r.finish(); err != nil {
		t.Fatal(err)
	}
	if want := `{"scenario":"idle","metrics":{"kib_per_device":14.73,"seconds":0}}` + "\n"; out.String() != want {
		t.Errorf("got %s", &out)
	}
}

func TestGoals(t *testing.T) {
	results := []Result{
		{Scenario: "messages", Case: "saturated", Metrics: map[string]float64{"delivered_per_s": 39_999, "lost": 1, "duplicated": 0, "out_of_order": 2, "per_core_s": 31_000, "rest_cores": 0.25}},
		{Scenario: "messages", Case: "1000/s", Metrics: map[string]float64{"p50_ms": 0.8, "p99_ms": 5.1}},
	}
	var out bytes.Buffer
	if err := writeGoals(&out, results); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range [][]string{{"GOAL"}, {"≥ 40,000/s", "39,999/s", "missed", "31,000", "0.25"}, {"≤ 0", " 3 ", "missed"}, {"≤ 0.8 ms", "reached"}, {"≤ 5 ms", "5.1 ms", "missed"}, {"not measured"}} {
		for _, part := range want {
			if !strings.Contains(lines[i], part) {
				t.Errorf("%q is missing in %q", part, lines[i])
			}
		}
	}
}

// TestGoalsAreMeasured shows that every goal is about something that a scenario of
// "bench" gives.
func TestGoalsAreMeasured(t *testing.T) {
	for _, g := range goals {
		if !slices.ContainsFunc(benchmarks, func(s scenario) bool { return s.name == g.scenario }) {
			t.Errorf("%s: there is no scenario %s", g.workload, g.scenario)
		}
		known := g.metric == wrongMetric
		for _, m := range metricOrder {
			known = known || m.name == g.metric
		}
		if !known {
			t.Errorf("%s: there is no metric %s", g.workload, g.metric)
		}
	}
}

func TestComparison(t *testing.T) {
	const lines = `{"scenario":"messages","case":"saturated","server":"Parley","metrics":{"delivered_per_s":50000}}
{"scenario":"messages","case":"saturated","server":"other","metrics":{"delivered_per_s":1439}}
{"scenario":"messages","case":"10000/s","server":"Parley","metrics":{"p50_ms":1.5}}
{"scenario":"messages","case":"10000/s","server":"other","metrics":{},"notes":["far beyond saturation"]}
`
	results, err := readResults(strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := writeComparison(&out, results); err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(strings.Join(strings.Split(out.String(), "\n"), " "))
	want := strings.Fields("Parley other messages, 100 pairs × 10 under way 50,000/s 1,439/s message at 10,000/s, half 1.5 ms far beyond saturation 99 in 100 far beyond saturation")
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", &out)
	}
	if _, err := readResults(strings.NewReader("{} x")); err == nil {
		t.Error("what is no JSON was read")
	}
}

func TestReadable(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.28371: "0.2837", 12.3456: "12.35", 999.96: "1,000", 1234.5: "1,235", 1234567: "1,234,567", -4321: "-4,321",
	} {
		if got := readable(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestMessageText(t *testing.T) {
	for _, m := range []message{{}, {pair: 99, number: 123456, due: 7 * time.Second}, {pair: 200_000, number: math.MaxInt64, due: math.MaxInt64}} {
		for _, size := range []int{minText, 60, 200, 16_000} {
			text := appendMessageText(nil, m, size)
			if got, err := parseMessage(text); err != nil || got != m || len(text) != size {
				t.Errorf("%+v in %d bytes: %+v in %d, %v", m, size, got, len(text), err)
			}
		}
	}
}

func TestClientID(t *testing.T) {
	prefix := newPrefix()
	if prefix == newPrefix() {
		t.Error("two runs have the same prefix")
	}
	seen := map[string]bool{}
	for _, number := range []uint64{0, 1, 15, 16, 1<<48 - 1} {
		id := clientID(prefix, number)
		if !parley.ClientID(id).Valid() || seen[id] || !strings.HasPrefix(id, prefix) {
			t.Errorf("number %d: %q", number, id)
		}
		seen[id] = true
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add([]byte("1 2 3 xxxx"))
	f.Add([]byte("1 2 3"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if m, err := parseMessage(text); err == nil && (m.pair < 0 || m.pair > maxPeople || m.due < 0) {
			t.Errorf("%q: %+v", text, m)
		}
	})
}
