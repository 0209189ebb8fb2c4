package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/conversation"
)

// crashDir, in the environment, makes the test binary a program that appends to
// the store in that directory, or at crashURL, until it is killed.
const (
	crashDir = "PARLEY_STORE_CRASH_DIR"
	crashURL = "PARLEY_STORE_CRASH_URL"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := appendUntilKilled(Config{Path: dir, URL: os.Getenv(crashURL), Settle: 10 * time.Millisecond}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// appendUntilKilled has several devices send under load, with purging under way,
// and prints "pos client-id" for each entry that was acknowledged.
func appendUntilKilled(c Config) error {
	s, err := Open(context.Background(), c)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	s.OnCommit(func(entries []parley.Entry) {
		for _, e := range entries {
			fmt.Fprintln(out, e.Pos, e.ClientID)
		}
		out.Flush()
	})
	start := int(s.Head())
	for d := range 4 {
		go func() {
			for n := start; ; n++ {
				id := fmt.Sprintf("%d-%d", d, n)
				e := parley.Entry{Stream: parley.StreamID(d + 1), Device: parley.DeviceID(d + 1), ClientID: parley.ClientID(id), Body: parley.Body(id)}
				s.Append(context.Background(), e, func(_ parley.Pos, err error) { panic(err) })
			}
		}()
	}
	go func() {
		for {
			// Stream 1 loses all but its newest entries, over and over.
			ranges := []conversation.PurgeRange{{Stream: 1, Upto: s.Head() - 1000}}
			if err := s.Purge(context.Background(), ranges); err != nil {
				panic(err)
			}
		}
	}()
	return s.Run(context.Background())
}

// TestKillLosesNothing kills a program under load again and again. What it had
// acknowledged must be there, once, where it said.
func TestKillLosesNothing(t *testing.T) {
	forEachDatabase(t, killLosesNothing)
}

func killLosesNothing(t *testing.T, c Config) {
	acknowledged := map[parley.Pos]string{}
	for range 10 {
		runAndKill(t, c, acknowledged)
	}
	w := start(t, c)
	var purged parley.Pos
	check(t, w.read.db.QueryRowContext(t.Context(), `SELECT coalesce(max(purged), 0) FROM streams`).Scan(&purged))
	stored, ids := map[parley.Pos]string{}, map[string]bool{}
	numbers := map[parley.StreamID]uint64{}
	for _, e := range all(t, w.Retained(t.Context())) {
		if ids[string(e.ClientID)] {
			t.Fatalf("%s is stored twice", e.ClientID)
		}
		if n := numbers[e.Stream]; n != 0 && e.N != n+1 {
			t.Fatalf("stream %v goes from %d to %d", e.Stream, n, e.N)
		}
		ids[string(e.ClientID)], stored[e.Pos], numbers[e.Stream] = true, string(e.ClientID), e.N
	}
	for pos, id := range acknowledged {
		if stored[pos] != id && !(strings.HasPrefix(id, "0-") && pos <= purged) {
			t.Fatalf("acknowledged %s at %d, stored is %q", id, pos, stored[pos])
		}
	}
	t.Logf("%d acknowledged, %d stored, %d purged at most", len(acknowledged), len(stored), purged)
}

// runAndKill runs the program until it has acknowledged a while, kills it, and
// collects what it had acknowledged.
func runAndKill(t *testing.T, c Config, acknowledged map[parley.Pos]string) {
	t.Helper()
	program := exec.Command(must(os.Executable())(t))
	program.Env = append(os.Environ(), crashDir+"="+c.Path, crashURL+"="+c.URL)
	program.Stderr = os.Stderr
	out := must(program.StdoutPipe())(t)
	check(t, program.Start())
	// A last line that the kill cut off is no acknowledgement.
	lines, kill := 0, sync.OnceFunc(func() { check(t, program.Process.Kill()) })
	reader := bufio.NewReader(out)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			break
		}
		var pos parley.Pos
		var id string
		if _, err := fmt.Sscan(line, &pos, &id); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		if former, ok := acknowledged[pos]; ok {
			t.Fatalf("position %d was given to %s and to %s", pos, former, id)
		}
		acknowledged[pos] = id
		if lines++; lines == 2000 {
			kill()
		}
	}
	kill()
	_ = program.Wait() // says that it was killed
	if lines < 2000 {
		t.Fatalf("the program ended by itself after %d entries in %s", lines, filepath.Base(c.Path))
	}
}
