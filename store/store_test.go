package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/conversation"
	"parley/parleytest/postgres"
)

// world is a running store with what its commits told.
type world struct {
	*Store
	t    testing.TB
	stop func() // ends Run and waits for it; the files stay open

	closing sync.Once

	mu   sync.Mutex
	told []parley.Entry
	more chan struct{} // closed and replaced whenever told grows
}

// inDir is a SQLite database in a folder.
func inDir(dir string) Config { return Config{Path: dir, Settle: 20 * time.Millisecond} }

// onPostgres is a fresh PostgreSQL database. It skips the test where there is no
// PostgreSQL.
func onPostgres(t testing.TB) Config {
	t.Helper()
	url := postgres.Copy(t, "store", func(url string) error {
		e, err := newPostgres(Config{URL: url})
		if err != nil {
			return err
		}
		return e.prepare(t.Context())
	})
	c := inDir(t.TempDir())
	c.URL = url
	return c
}

// forEachDatabase runs a test on SQLite and on PostgreSQL.
func forEachDatabase(t *testing.T, test func(t *testing.T, c Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, inDir(t.TempDir())) })
	t.Run("postgres", func(t *testing.T) { test(t, onPostgres(t)) })
}

// start opens a store and runs it until the test ends.
func start(t testing.TB, c Config) *world {
	t.Helper()
	w := prepared(t, c)
	w.run()
	return w
}

// prepared opens a store that does not run yet.
func prepared(t testing.TB, c Config) *world {
	t.Helper()
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Store: s, t: t, stop: func() {}, more: make(chan struct{})}
	s.OnCommit(func(entries []parley.Entry) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, entries...)
		close(w.more)
		w.more = make(chan struct{})
	})
	t.Cleanup(w.close)
	return w
}

func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Store.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("Run: %v", err)
		}
	})
}

// close ends everything. It may be called again.
func (w *world) close() {
	w.stop()
	w.closing.Do(func() {
		if err := w.Store.Close(); err != nil {
			w.t.Errorf("Close: %v", err)
		}
	})
}

// add appends entries and waits until each is told of or refused.
func (w *world) add(entries ...parley.Entry) error {
	w.t.Helper()
	w.mu.Lock()
	from := len(w.told)
	w.mu.Unlock()
	refused := make(chan error, len(entries))
	for _, e := range entries {
		w.Append(w.t.Context(), e, func(_ parley.Pos, err error) { refused <- err })
	}
	var errs []error
	for {
		w.mu.Lock()
		more, n := w.more, len(w.told)-from
		w.mu.Unlock()
		if n+len(errs) >= len(entries) {
			return errors.Join(errs...)
		}
		select {
		case err := <-refused:
			errs = append(errs, err)
		case <-more:
		case <-time.After(10 * time.Second):
			w.t.Fatalf("%d of %d entries were never answered", len(entries)-n-len(errs), len(entries))
		}
	}
}

// entries returns everything that was told so far.
func (w *world) entries() []parley.Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]parley.Entry(nil), w.told...)
}

// until waits for a condition that the store brings about by itself.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		case <-tick.C:
		}
	}
}

// message is an entry of a device in a stream.
func message(stream parley.StreamID, device parley.DeviceID, n int, body string) parley.Entry {
	return parley.Entry{
		Stream: stream, Sender: 1, Device: device, ClientID: parley.ClientID(fmt.Sprintf("%022d", n)),
		Kind: parley.KindMessage, Content: "text.v1", Body: parley.Body(body),
	}
}

func upto(stream parley.StreamID, pos parley.Pos) []conversation.PurgeRange {
	return []conversation.PurgeRange{{Stream: stream, Upto: pos}}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// all reads a sequence to its end.
func all[T any](t testing.TB, seq func(func(T, error) bool)) []T {
	t.Helper()
	var list []T
	for v, err := range seq {
		check(t, err)
		list = append(list, v)
	}
	return list
}

// between runs work on the writer's connection between two commits.
func (w *world) between(work func(*session) error) {
	w.t.Helper()
	u := upkeep{work: work, done: make(chan error, 1)}
	w.writer.upkeep <- u
	check(w.t, <-u.done)
}
