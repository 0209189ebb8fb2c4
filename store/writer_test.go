package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley"
	"parley/conversation"
	"parley/privacy"
)

// pragma sets a pragma of the writer's connection.
func (w *world) pragma(text string) {
	w.between(func(s *session) error {
		var answer any
		return s.queryRow(context.Background(), "PRAGMA "+text).Scan(&answer)
	})
}

func TestFullDisk(t *testing.T) {
	w := start(t, inDir(t.TempDir()))
	check(t, w.add(message(1, 1, 1, "before")))
	w.pragma("max_page_count = 150")
	stored, refused := 1, 0
	var last error
	for n := 2; refused < 3; n++ {
		if last = w.add(message(1, 1, n, strings.Repeat("x", 20_000))); last == nil {
			stored++
		} else {
			refused++
		}
	}
	if parley.KindOf(last) != parley.Full {
		t.Errorf("on a full disk: %v", last)
	}
	if err := w.SetRead(t.Context(), 1, 1, 1, 1, parley.Alongside{Entries: []parley.Entry{message(1, 0, 0, strings.Repeat("x", 60_000))}}); parley.KindOf(err) != parley.Full {
		t.Errorf("change on a full disk: %v", err)
	}
	if told := len(w.entries()); told != stored || int(w.Head()) != stored || count(t, w, "log") != stored {
		t.Errorf("%d stored, told of %d, head %d, %d rows", stored, told, w.Head(), count(t, w, "log"))
	}
	// Purging frees pages, which is room enough for the next entry.
	check(t, w.Purge(t.Context(), upto(1, 4)))
	check(t, w.add(message(1, 1, 1000, strings.Repeat("x", 20_000))))
	if e := w.entries()[stored]; int(e.Pos) != stored+1 || int(e.N) != stored+1 {
		t.Errorf("after the disk was full the next entry has pos %d and n %d, want %d", e.Pos, e.N, stored+1)
	}
	if s := w.Stats(); s.Failures < 4 {
		t.Errorf("%d failures counted", s.Failures)
	}
}

func TestReadOnlyStorage(t *testing.T) {
	w := start(t, inDir(t.TempDir()))
	w.pragma("query_only = ON; SELECT 1")
	if err := w.add(message(1, 1, 1, "x")); parley.KindOf(err) != parley.Full {
		t.Errorf("read-only storage: %v", err)
	}
	w.Acknowledge(1, 1) // fails for now, too
	w.pragma("query_only = OFF; SELECT 1")
	check(t, w.add(message(1, 1, 1, "x")))
	if e := w.entries(); len(e) != 1 || e[0].Pos != 1 {
		t.Errorf("stored afterwards: %v", e)
	}
}

func TestDuplicateInOneBatch(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		c.Settle = 0 // no other work
		w := prepared(t, c)
		before := w.Stats().Commits
		var known atomic.Int32
		for range 5 { // all wait for the store to run, and so share a commit
			w.Append(t.Context(), message(1, 1, 1, "x"), func(pos parley.Pos, err error) {
				if errors.Is(err, conversation.ErrKnown) && pos == 1 {
					known.Add(1)
				}
			})
		}
		w.run()
		check(t, w.writer.do(t.Context(), w.writer.queue, change{}))
		if got := w.entries(); len(got) != 1 || known.Load() != 4 {
			t.Errorf("%d entries, %d known", len(got), known.Load())
		}
		if n := w.Stats().Commits - before; n > 2 {
			t.Errorf("%d commits", n)
		}
	})
}

func TestCommitIsToldBeforeAnybodyIsAnswered(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := prepared(t, c)
		var told atomic.Int64
		w.OnCommit(func(entries []parley.Entry) {
			for _, e := range entries {
				told.Store(int64(e.Pos))
			}
		})
		w.run()
		for i := range 20 {
			also := parley.Alongside{Entries: []parley.Entry{{Stream: 1}}}
			check(t, w.SetRead(t.Context(), 1, 1, 1, 1, also))
			if told.Load() != int64(i+1) {
				t.Fatalf("change %d was answered when %d entries had been told", i+1, told.Load())
			}
		}
	})
}

func TestStoppingDrainsTheQueue(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := prepared(t, c)
		var stored, refused atomic.Int32
		w.OnCommit(func(entries []parley.Entry) { stored.Add(int32(len(entries))) })
		const senders, each = 8, 200
		w.run()
		var wait sync.WaitGroup
		for d := range senders {
			wait.Go(func() {
				for n := range each {
					w.Append(context.Background(), message(1, parley.DeviceID(d+1), n, "x"), func(_ parley.Pos, err error) {
						if parley.KindOf(err) != parley.Unavailable {
							t.Errorf("while stopping: %v", err)
						}
						refused.Add(1)
					})
				}
			})
		}
		until(t, "something is stored", func() bool { return stored.Load() > 0 })
		w.stop()
		wait.Wait()
		if got := stored.Load() + refused.Load(); got != senders*each {
			t.Errorf("%d stored, %d refused of %d", stored.Load(), refused.Load(), senders*each)
		}
		if n := count(t, w, "log"); n != int(stored.Load()) {
			t.Errorf("%d rows, %d told", n, stored.Load())
		}
		if err := w.SetRead(context.Background(), 1, 1, 1, 1, parley.Alongside{}); parley.KindOf(err) != parley.Unavailable {
			t.Errorf("after stopping: %v", err)
		}
		w.close()
		start(t, c)
	})
}

func TestFullQueueWaits(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		c.Settle = 0 // no other work
		w := prepared(t, c)
		const room = 2*batchLimit + 7
		w.writer.queue = make(chan item, room)
		for n := range room {
			w.Append(t.Context(), message(1, 1, n, ""), func(_ parley.Pos, err error) { t.Error(err) })
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("the sender went away")
		cancel(gone)
		answered := false
		w.Append(ctx, message(1, 1, room, ""), func(_ parley.Pos, err error) { answered = errors.Is(err, gone) })
		if !answered {
			t.Error("a full queue did not make the caller wait")
		}
		w.run()
		check(t, w.add(message(1, 1, room+1, "")))
		until(t, "the queue is empty", func() bool { return len(w.entries()) == room+1 })
		if s := w.Stats(); s.BatchSizes[len(BatchBounds)] > 0 || s.Commits > room/2 {
			t.Errorf("%d commits, batch sizes %v", s.Commits, s.BatchSizes)
		}
	})
}

func TestBulkWorkGetsItsTurn(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := prepared(t, c)
		w.writer.queue = make(chan item, 3*batchLimit)
		w.run()
		ctx, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		for d := range 4 {
			wait.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					w.Append(ctx, message(parley.StreamID(2), parley.DeviceID(d+1), n, "x"), func(parley.Pos, error) {})
				}
			})
		}
		until(t, "the queue is long", func() bool { return w.Stats().Queued > 2*batchLimit })
		check(t, w.Purge(t.Context(), upto(2, 100)))
		cancel()
		wait.Wait()
	})
}

func TestCursorsAreJoinedAndWritten(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crowd(t, w, 3)
		a, b := w.signIn(t, 1, "one"), w.signIn(t, 2, "one")
		check(t, w.add(message(1, a.ID, 1, ""), message(1, a.ID, 2, ""), message(1, a.ID, 3, "")))
		before := w.Stats().Commits
		for pos := range parley.Pos(3) {
			w.Acknowledge(a.ID, 3-pos) // the highest counts, in whatever order
		}
		w.Acknowledge(b.ID, 2)
		w.Acknowledge(999, 2) // somebody who signed out meanwhile
		until(t, "the cursors are written", func() bool {
			got := map[parley.DeviceID]parley.Pos{}
			for _, r := range all(t, w.Readers(t.Context(), 0)) {
				got[r.Device] = r.Cursor
			}
			return fmt.Sprint(got) == fmt.Sprint(map[parley.DeviceID]parley.Pos{a.ID: 3, b.ID: 2})
		})
		if got := all(t, w.Readers(t.Context(), a.ID)); len(got) != 1 || got[0].Device != b.ID {
			t.Errorf("after %v come %+v, want %v alone", a.ID, got, b.ID)
		}
		if n := w.Stats().Commits - before; n > 2 {
			t.Errorf("%d commits for four acknowledgements", n)
		}
		w.Acknowledge(a.ID, 1)
		w.stop() // writes what is left
		if d := must(w.Devices(context.Background(), 1))(t); d[0].Cursor != 3 {
			t.Errorf("the cursor went back to %d", d[0].Cursor)
		}
	})
}

func TestManyCursorsTakeSeveralCommits(t *testing.T) {
	c := newCursors()
	for d := range parley.DeviceID(2*maxCursors + 5) {
		c.note(d+1, 1)
	}
	<-c.due
	if n := len(c.take(maxCursors)); n != maxCursors {
		t.Errorf("took %d", n)
	}
	<-c.due // more are due at once
	if n := len(c.take(maxCursors)); n != maxCursors {
		t.Errorf("took %d", n)
	}
	<-c.due
	rest := c.take(maxCursors)
	if len(rest) != 5 {
		t.Errorf("took %d", len(rest))
	}
	for d := range rest {
		c.note(d, 7)
	}
	c.putBack(rest)
	for d, pos := range c.take(maxCursors) {
		if pos != 7 {
			t.Errorf("device %d went back to %d", d, pos)
		}
	}
}

// What the writer remembers of streams does not grow with their number.
func TestWriterForgetsStreams(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		s := parley.DirectStream(1, 2)
		check(t, w.add(message(s, 1, 1, "one")))
		w.between(func(*session) error {
			for i := range maxHeads {
				w.writer.heads[parley.StreamID(-1-i)] = 1
			}
			return nil
		})
		check(t, w.add(message(s, 1, 2, "two")))
		w.between(func(*session) error {
			if n := len(w.writer.heads); n > maxHeads {
				t.Errorf("the writer remembers %d streams, want at most %d", n, maxHeads)
			}
			return nil
		})
		check(t, w.add(message(s, 1, 3, "three")))
		if last := w.entries()[2]; last.N != 3 {
			t.Errorf("after forgetting, the third entry has number %d", last.N)
		}
	})
}

// TestWhoeverChangesLearnsOfIt: once a change waits for the writer, its owner is
// told what became of it, also one whose own time is over by then, such as a
// request whose client has gone. Else a device would be ended in the database and
// stay connected.
func TestWhoeverChangesLearnsOfIt(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := prepared(t, c)
		busy, release := make(chan struct{}), make(chan struct{})
		w.OnAdmit(func(*parley.Entry) error {
			close(busy)
			<-release
			return nil
		})
		w.run()
		w.Append(t.Context(), message(1, 1, 1, "x"), func(parley.Pos, error) {})
		<-busy
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error, 1)
		go func() {
			answer <- w.SetRelation(ctx, privacy.Relation{Owner: 1, Other: 2, Level: privacy.Blocked}, parley.Alongside{})
		}()
		until(t, "the change waits", func() bool { return len(w.writer.queue) == 1 })
		cancel()
		select {
		case err := <-answer:
			t.Errorf("answered %v before anybody could know", err)
		case <-time.After(20 * time.Millisecond):
		}
		close(release)
		if err := <-answer; err != nil {
			t.Errorf("SetRelation: %v", err)
		}
		if r := must(w.Relation(t.Context(), 1, 2))(t); r.Level != privacy.Blocked {
			t.Errorf("stored %v", r)
		}
	})
}
