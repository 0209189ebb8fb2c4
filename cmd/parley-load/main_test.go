package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"parley/server"
)

// serveVariable makes a test binary be the server that a scenario starts.
const serveVariable = "PARLEY_LOAD_TEST_SERVES"

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" {
		if err := serve(os.Args[1:]); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(runIn(m))
}

// runIn runs the tests with a folder for temporary files that must be empty in the
// end: no scenario leaves a folder behind, nor a server that holds one.
func runIn(m *testing.M) int {
	folder, err := os.MkdirTemp("", "parley-load-test-*")
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	defer os.RemoveAll(folder)
	os.Setenv("TMPDIR", folder)
	os.Setenv(serveVariable, "1")
	code := m.Run()
	left, err := filepath.Glob(filepath.Join(folder, "parley-load-*"))
	if err != nil || len(left) > 0 {
		fmt.Fprintln(os.Stderr, "left behind:", left, err)
		return 1
	}
	return code
}

// serve is "parley serve --config FILE", or with --demo.
func serve(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	from := server.Sources{Flags: map[string]string{}}
	for i := 1; i < len(args); i++ {
		switch name := strings.TrimPrefix(args[i], "--"); name {
		case "demo":
			from.Demo = true
		case "config":
			i++
			from.File = args[i]
		default:
			i++
			from.Flags[name] = args[i]
		}
	}
	config, problems := server.ReadConfig(from)
	if problems.Fatal() {
		return problems
	}
	s, err := server.New(config)
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// load runs the program with a server that is this test binary, and gives the
// results that it prints as JSON.
func load(t *testing.T, args ...string) []Result {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	args = append(args, "--json", "--server", program, "--within", "2m")
	if code := run(t.Context(), &out, &errs, args); code != exitOK {
		t.Fatalf("%s: exit code %d: %s", strings.Join(args, " "), code, &errs)
	}
	var results []Result
	for line := range strings.Lines(out.String()) {
		var r Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		results = append(results, r)
	}
	return results
}

// want looks for metrics that must be there and above zero.
func want(t *testing.T, r Result, names ...string) {
	t.Helper()
	for _, name := range names {
		if r.Metrics[name] <= 0 {
			t.Errorf("%s %s: %s is %v", r.Scenario, r.Case, name, r.Metrics[name])
		}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	results := load(t, "messages", "--pairs", "3", "--window", "4", "--duration", "300ms", "--rates", "200", "--body", "100")
	if len(results) != 3 {
		t.Fatalf("got %d results: %v", len(results), results)
	}
	saturated, offered := results[0], results[1]
	if saturated.Case != "saturated" || offered.Case != "200/s" {
		t.Errorf("got %s and %s", saturated.Case, offered.Case)
	}
	for _, r := range results[:2] {
		want(t, r, "delivered_per_s", "p50_ms", "p99_ms", "max_ms", "sent", "server_cpu_s", "server_rss_mib")
		for _, name := range []string{"lost", "duplicated", "out_of_order", "refused"} {
			if n, there := r.Metrics[name]; n != 0 || !there {
				t.Errorf("%s: %s is %v", r.Case, name, n)
			}
		}
	}
	if rate := offered.Metrics["offered_per_s"]; rate < 100 || rate > 210 {
		t.Errorf("200/s were asked for, %v offered", rate)
	}
	if notes := strings.Join(results[2].Notes, " "); !strings.Contains(notes, "served by this server") {
		t.Errorf("of groups is said: %q", notes)
	}
}

func TestReconnect(t *testing.T) {
	t.Parallel()
	results := load(t, "reconnect", "--people", "90", "--workers", "8", "--rounds", "1")
	if len(results) != 2 || results[0].Case != "first" || results[1].Case != "again" {
		t.Fatalf("got %v", results)
	}
	for _, r := range results {
		want(t, r, "per_s", "p50_ms", "p99_ms", "devices", "seconds")
	}
}

func TestIdle(t *testing.T) {
	t.Parallel()
	profile := filepath.Join(t.TempDir(), "heap")
	results := load(t, "idle", "--people", "100", "--settle", "100ms", "--profile", profile)
	if len(results) != 1 || results[0].Metrics["devices"] != 100 {
		t.Fatalf("got %v", results)
	}
	for _, name := range []string{"kib_per_device", "kib_per_device_fresh"} { // of so few they mean nothing
		if _, there := results[0].Metrics[name]; !there {
			t.Errorf("%s is missing", name)
		}
	}
	if text, err := os.ReadFile(profile); err != nil || !bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		t.Errorf("the profile is %d bytes, %v", len(text), err)
	}
}

func TestFanout(t *testing.T) {
	t.Parallel()
	results := load(t, "fanout", "--people", "84", "--rounds", "4", "--workers", "8")
	if len(results) != 2 || results[0].Case != "1 to 80" || results[1].Case != "1 to 83" {
		t.Fatalf("got %v", results)
	}
	for i, notices := range []float64{4 * 80, 83} {
		want(t, results[i], "p50_ms", "each_p50_ms", "per_s")
		if results[i].Metrics["notices"] != notices {
			t.Errorf("%s: %v notices", results[i].Case, results[i].Metrics["notices"])
		}
	}
}

func TestStorm(t *testing.T) {
	t.Parallel()
	results := load(t, "storm", "--people", "90", "--rounds", "2", "--workers", "8")
	if len(results) != 1 || results[0].Metrics["notices"] != 81*80+9*8 {
		t.Fatalf("got %v", results)
	}
	want(t, results[0], "seconds", "per_s", "p50_ms", "p99_ms")
}

func TestSearch(t *testing.T) {
	t.Parallel()
	results := load(t, "search", "--people", "300", "--duration", "200ms", "--rates", "100", "--workers", "2")
	if len(results) != 2 || results[0].Case != "100/s" || results[1].Case != "saturated" {
		t.Fatalf("got %v", results)
	}
	for _, r := range results {
		want(t, r, "per_s", "p50_ms", "p99_ms")
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	results := load(t, "signin", "--people", "5", "--workers", "3")
	if len(results) != 1 {
		t.Fatalf("got %v", results)
	}
	want(t, results[0], "per_s", "p50_ms", "server_cpu_s")
}

func TestUserModel(t *testing.T) {
	t.Parallel()
	results := load(t, "usermodel", "--people", "20", "--factor", "3600", "--duration", "300ms", "--workers", "4")
	if len(results) != 4 {
		t.Fatalf("got %v", results)
	}
	if devices := results[0].Metrics["devices"]; devices != 38 {
		t.Errorf("%v devices of 20 people", devices)
	}
	want(t, results[1], "delivered_per_s", "sent", "p50_ms")
	want(t, results[2], "notices", "p50_ms")
	want(t, results[3], "per_s", "p50_ms")
	for _, name := range []string{"lost", "duplicated", "out_of_order"} {
		if n, there := results[1].Metrics[name]; n != 0 || !there {
			t.Errorf("%s is %v", name, n)
		}
	}
}

// TestBench measures one scenario of the table.
func TestBench(t *testing.T) {
	all := benchmarks
	benchmarks = []scenario{search}
	defer func() { benchmarks = all }()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), &out, &errs, []string{"bench", "--people", "120", "--duration", "100ms", "--server", program}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	for _, part := range []string{"search over 100,000 people, 50 a second, 1,000 devices, half", "≤ 2 ms", "≥ 40,000/s", "not measured"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is missing in\n%s", part, &out)
		}
	}
	if !strings.Contains(errs.String(), "search") {
		t.Errorf("the progress is %q", &errs)
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	results := load(t, "start", "--rounds", "1")
	if len(results) != 1 {
		t.Fatalf("got %v", results)
	}
	want(t, results[0], "seconds", "server_rss_mib")
}

// TestRunningServer shows that a server that runs already can be measured, with
// the people of a provisioned folder.
func TestRunningServer(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "people")
	load(t, "provision", "--provision", folder, "--people", "4")
	c := server.DefaultConfig()
	c.Data, c.Addr = folder, "127.0.0.1:0"
	c.Organisation = server.OrganisationConfig{Name: "Load", Domains: []string{"load.example"}, DefaultDomain: "load.example", Region: "DE"}
	s, err := server.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	running := []string{"--url", s.URL(), "--tokens", folder}
	results := load(t, append([]string{"messages", "--pairs", "2", "--window", "0", "--rates", "50", "--duration", "200ms"}, running...)...)
	want(t, results[0], "delivered_per_s", "p50_ms")
	if _, there := results[0].Metrics["server_cpu_s"]; there {
		t.Error("the processor time of an unknown process is given")
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), &out, &errs, append([]string{"messages", "--pairs", "9"}, running...)); code != exitFailed || !strings.Contains(errs.String(), "18 people needed") {
		t.Errorf("more people than there are: %d %s", code, &errs)
	}
}

// TestEndsWithItsContext shows that a run that is told to stop does, and says why.
func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	args := []string{"messages", "--pairs", "1", "--duration", "1h", "--server", program, "--within", "4s"}
	if code := run(t.Context(), &out, &errs, args); code != exitFailed || !strings.Contains(errs.String(), "not done within") {
		t.Errorf("exit code %d: %s", code, &errs)
	}
}

func TestCommandLine(t *testing.T) {
	tests := []struct {
		args []string
		code int
		says string
	}{
		{nil, exitOK, "Usage"},
		{[]string{"help"}, exitOK, "reconnect"},
		{[]string{"messages", "--help"}, exitOK, "-window"},
		{[]string{"nonsense"}, exitUsage, "no scenario"},
		{[]string{"messages", "--pairs", "0"}, exitUsage, "--pairs 0"},
		{[]string{"messages", "--pairs", "many"}, exitUsage, "invalid value"},
		{[]string{"fanout", "--people", "0"}, exitUsage, "--people 0"},
		{[]string{"idle", "--people", "999999"}, exitUsage, "--people 999999"},
		{[]string{"messages", "--rates", "1000,-1"}, exitUsage, "is no number"},
		{[]string{"messages", "--body", "10"}, exitUsage, "--body 10"},
		{[]string{"messages", "--duration", "0s"}, exitUsage, "--duration"},
		{[]string{"messages", "--duration", "999h"}, exitUsage, "--duration"},
		{[]string{"messages", "extra"}, exitUsage, "unexpected"},
		{[]string{"messages", "--url", "http://127.0.0.1:1"}, exitUsage, "--tokens"},
		{[]string{"messages", "--pid", "1"}, exitUsage, "--url"},
		{[]string{"messages", "--url", "http://192.0.2.1:8080", "--tokens", "x"}, exitFailed, "loopback"},
		{[]string{"messages", "--url", "https://example.com", "--tokens", "x"}, exitUsage, "is no URL"},
		{[]string{"messages", "--url", "http://127.0.0.1:1", "--tokens", "/nowhere"}, exitFailed, "roster"},
		{[]string{"messages", "--pairs", "1", "--server", "/nowhere/parley"}, exitFailed, "starting the server"},
		{[]string{"provision"}, exitUsage, "--provision"},
	}
	for _, test := range tests {
		var out, errs bytes.Buffer
		code := run(t.Context(), &out, &errs, test.args)
		if said := out.String() + errs.String(); code != test.code || !strings.Contains(said, test.says) {
			t.Errorf("%v: exit code %d, said %q", test.args, code, said)
		}
	}
}
