package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/parleytest"
	"parley/server"
)

// manyPeople is how many people are imported: 2,000, or what PARLEY_PEOPLE says.
func manyPeople() (n int, soak bool) {
	if n, err := strconv.Atoi(os.Getenv("PARLEY_PEOPLE")); err == nil {
		return n, true
	}
	return 2000, false
}

// times are measurements of one sort.
type times []time.Duration

func (d times) at(percent int) time.Duration {
	slices.Sort(d)
	return d[min(len(d)-1, len(d)*percent/100)]
}

func (d times) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %v, p99 %v, longest %v of %d", round(d.at(50)), round(d.at(99)), round(d.at(100)), len(d))
}

// A whole company is imported while two people talk; then everybody is searched.
//
// claim: UC1
func TestUC1ManyPeople(t *testing.T) {
	n, soak := manyPeople()
	p := parleytest.StartProcess(t)
	hanna, kwame := p.SignIn("hanna").Online(), p.SignIn("kwame").Online()
	t.Logf("memory before: %s", memory(t, p))

	var took times
	ctx, talking := make(chan struct{}), sync.WaitGroup{}
	talking.Go(func() { took = talk(hanna, kwame, ctx) })
	began := time.Now()
	importMany(t, p, n, server.ImportCount{Read: n, Added: n})
	imported := time.Since(began)
	close(ctx)
	talking.Wait()
	t.Logf("%d people imported in %v", n, imported.Round(10*time.Millisecond))
	t.Logf("meanwhile a message took from the sender to the other device: %v", took)
	if longest := took.at(100); longest > 5*time.Second {
		t.Errorf("a message was held up for %v", longest)
	}
	began = time.Now()
	importMany(t, p, n, server.ImportCount{Read: n, Unchanged: n})
	t.Logf("imported again, nothing changed, in %v", time.Since(began).Round(10*time.Millisecond))
	t.Logf("memory after the imports: %s", memory(t, p))

	began = time.Now()
	p.Stop()
	t.Logf("stopped in %v", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	p.Start()
	t.Logf("started in %v", time.Since(began).Round(time.Millisecond))
	t.Logf("memory after the start: %s", memory(t, p))

	searched := searchMany(t, p, n)
	t.Logf("search over HTTP: %v", searched)
	if soak && searched.at(50) > 5*time.Millisecond {
		t.Errorf("half of the searches take longer than %v; the promise is 5 ms", searched.at(50))
	}
	t.Logf("memory after the searches: %s", memory(t, p))
	t.Logf("%s, %s/%s, %d processors", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}

// talk sends one message after the other until done, and measures each from
// sending to its arrival at the other side.
func talk(from, to *parleytest.Device, done <-chan struct{}) (took times) {
	for i := 0; ; i++ {
		text := fmt.Sprint("during the import ", i)
		began := time.Now()
		from.Queue(from.With(to), text)
		to.Hears(from, text)
		took = append(took, time.Since(began))
		select {
		case <-done:
			return took
		case <-time.After(5 * time.Millisecond): // people pause
		}
	}
}

// importMany imports n people and compares what the import says.
func importMany(t *testing.T, p *parleytest.Process, n int, want server.ImportCount) {
	t.Helper()
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(parleytest.WriteOrganisation(writer, "demo.example", n)) }()
	control := p.Control()
	defer control.Close()
	got, err := control.ImportPeople(t.Context(), reader, server.ImportOptions{}, func(problem string, _ *server.ImportCount) {
		if problem != "" {
			t.Errorf("a problem: %s", problem)
		}
	})
	if err != nil || got != want {
		t.Fatalf("the import says %+v, %v, want %+v", got, err, want)
	}
}

// searchMany searches as people type, on several devices, and measures each
// request to the last byte of its answer.
func searchMany(t *testing.T, p *parleytest.Process, n int) (took times) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var queries []string
	for i := range 190 { // as many as one device may ask at once
		who := i * n / 190
		queries = append(queries, []string{
			"mü", "garc", "rodriguez lop", "ana lui", "папа", "сокол", "zhang wei", "grossm", "bake", "Benkelimo", fmt.Sprintf("u%06d", who),
			fmt.Sprintf("u%06d@demo.example", who), fmt.Sprintf("+49 40 66969 %05d", who), "sil da jos", "van der b", "s",
		}[i%16])
	}
	hits := 0
	for range 10 {
		d, err := parleytest.TrySignIn(t, p.Base, parleytest.SignInAs("zoe@demo.example", "tea-at-four"))
		if err != nil {
			t.Fatal(err)
		}
		for _, query := range queries {
			request, err := http.NewRequestWithContext(t.Context(), "GET", p.Base+"/api/people?q="+url.QueryEscape(query), nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+d.Token())
			began := time.Now()
			answer, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			took = append(took, time.Since(began))
			if err != nil || answer.StatusCode != 200 {
				t.Fatalf("searching %q is answered %d %s", query, answer.StatusCode, body)
			}
			if strings.Contains(string(body), `"display_name"`) {
				hits++
			}
		}
	}
	if hits < len(took)*3/4 {
		t.Errorf("%d of %d searches found somebody", hits, len(took))
	}
	return took
}

// memory is what the process has resident, as the system says.
func memory(t *testing.T, p *parleytest.Process) string {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return "unknown here"
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			return strings.TrimSpace(rest)
		}
	}
	return "unknown"
}
