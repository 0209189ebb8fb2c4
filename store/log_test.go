package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley"
	"parley/conversation"
)

func TestAppendGivesDensePositions(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ab, ac := parley.DirectStream(1, 2), parley.DirectStream(1, 3)
		check(t, w.add(message(ab, 1, 1, "one"), message(ac, 1, 2, "two"), message(ab, 1, 3, "three")))
		got := w.entries()
		for i, want := range []struct {
			stream parley.StreamID
			n      uint64
			body   string
		}{{ab, 1, "one"}, {ac, 1, "two"}, {ab, 2, "three"}} {
			e := got[i]
			if e.Pos != parley.Pos(i+1) || e.Stream != want.stream || e.N != want.n || string(e.Body) != want.body {
				t.Errorf("entry %d: pos %d, stream %v, n %d", i, e.Pos, e.Stream, e.N)
			}
			if age := time.Since(e.At); age < 0 || age > time.Minute || e.At.Nanosecond()%1e6 != 0 || e.At.Location() != time.UTC {
				t.Errorf("entry %d was committed at %v", i, e.At)
			}
		}
		if w.Head() != 3 {
			t.Errorf("head is %d", w.Head())
		}
		if n := must(w.StreamHead(t.Context(), ab))(t); n != 2 {
			t.Errorf("stream head is %d", n)
		}
	})
}

func TestNumbersGoOnAfterRestartAndPurge(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		s := parley.DirectStream(1, 2)
		w := start(t, c)
		check(t, w.add(message(s, 1, 1, "a"), message(s, 1, 2, "b")))
		check(t, w.Purge(t.Context(), upto(s, 2)))
		w.close()

		w = start(t, c)
		if w.Head() != 2 {
			t.Fatalf("head after restart is %d", w.Head())
		}
		if n := must(w.StreamHead(t.Context(), s))(t); n != 2 {
			t.Errorf("stream head after restart is %d", n)
		}
		check(t, w.add(message(s, 1, 3, "c")))
		if e := w.entries()[0]; e.Pos != 3 || e.N != 3 {
			t.Errorf("next entry has pos %d and n %d", e.Pos, e.N)
		}
	})
}

func TestKnownEntryIsNotStoredTwice(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		s := parley.DirectStream(1, 2)
		first, other := message(s, 1, 7, "x"), message(s, 2, 7, "another device may use the same id")
		check(t, w.add(message(s, 1, 1, "before"), first, other))
		answers := make(chan error, 1)
		var pos parley.Pos
		w.Append(t.Context(), first, func(p parley.Pos, err error) { pos = p; answers <- err })
		if err := <-answers; !errors.Is(err, conversation.ErrKnown) || pos != 2 {
			t.Errorf("second attempt: %v at %d", err, pos)
		}
		check(t, w.add(message(s, 1, 8, "after")))
		if last := w.entries()[3]; last.Pos != 4 || last.N != 4 {
			t.Errorf("the entry after it has pos %d and n %d", last.Pos, last.N)
		}
	})
}

func TestEntriesWithoutDeviceAreNeverKnown(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		e := parley.Entry{Stream: 1, Kind: parley.KindMessage, Content: "text.v1"}
		check(t, w.add(e, e))
		if len(w.entries()) != 2 {
			t.Errorf("%d entries", len(w.entries()))
		}
	})
}

func TestAdmitRewritesAndRefuses(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := prepared(t, c)
		refusal := parley.Refuse(parley.Forbidden, "no")
		s := parley.DirectStream(1, 2)
		w.OnAdmit(func(e *parley.Entry) error {
			switch string(e.Body) {
			case "divert":
				e.About, e.Stream = e.Stream, parley.PrivateStream(1)
			case "refuse":
				return refusal
			}
			return nil
		})
		w.run()
		err := w.add(message(s, 1, 1, "divert"), message(s, 1, 2, "refuse"), message(s, 1, 3, "pass"))
		if !errors.Is(err, refusal) {
			t.Errorf("refused entry: %v", err)
		}
		again := message(s, 1, 3, "refuse") // stored already, and would be refused by now
		if err := w.add(again); !errors.Is(err, conversation.ErrKnown) {
			t.Errorf("an accepted entry that is sent again: %v, want ErrKnown", err)
		}
		got := must(w.EntriesAfter(t.Context(), []parley.StreamID{s, 1}, 0, 10))(t)
		if len(got) != 2 || got[0].Stream != 1 || got[0].About != s || got[1].Stream != s || got[1].Pos != 2 || got[1].N != 1 {
			t.Errorf("stored %+v", got)
		}
	})
}

func TestEntriesAfter(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		var entries []parley.Entry
		for i := range 900 {
			entries = append(entries, message(parley.StreamID(1+i%700), 1, i, "body"))
		}
		check(t, w.add(entries...))
		streams := make([]parley.StreamID, 0, 700)
		for i := range 700 {
			streams = append(streams, parley.StreamID(700-i))
		}
		for _, c := range []struct {
			streams []parley.StreamID
			after   parley.Pos
			limit   int
			want    []parley.Pos
		}{
			{[]parley.StreamID{3}, 0, 10, []parley.Pos{3, 703}},
			{[]parley.StreamID{3}, 3, 10, []parley.Pos{703}},
			{[]parley.StreamID{3, 1}, 0, 3, []parley.Pos{1, 3, 701}},
			{[]parley.StreamID{3}, 703, 10, nil},
			{[]parley.StreamID{9999}, 0, 10, nil},
			{nil, 0, 10, nil},
			{streams, 698, 4, []parley.Pos{699, 700, 701, 702}},
		} {
			var got []parley.Pos
			for _, e := range must(w.EntriesAfter(t.Context(), c.streams, c.after, c.limit))(t) {
				got = append(got, e.Pos)
				if string(e.Body) != "body" || e.ClientID == "" || e.Content != "text.v1" {
					t.Fatalf("entry %d came back as %+v", e.Pos, e)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%d streams after %d: %v, want %v", len(c.streams), c.after, got, c.want)
			}
		}
	})
}

func TestQuestionsUseTheIndexes(t *testing.T) {
	w := start(t, inDir(t.TempDir()))
	for query, want := range map[string]string{
		strings.Replace(w.engine.entriesAfter(), "{ids}", "IN (1, 2, 3)", 1): "log_stream",
		selectKnown: "log_device",
	} {
		rows := must(w.read.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, 1, 1))(t)
		plan := must(collect(rows, nil, func(r row) (line string, err error) {
			var a, b, c int
			err = r.Scan(&a, &b, &c, &line)
			return line, err
		}))(t)
		text := strings.Join(plan, "; ")
		if !strings.Contains(text, want) || strings.Contains(text, "SCAN log") {
			t.Errorf("%.70s\n%s", query, text)
		}
	}
}

func TestRetainedYieldsEverythingWithoutBodies(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		var entries []parley.Entry
		for i := range 2*pageRows + 7 {
			entries = append(entries, message(parley.StreamID(1+i%5), 1, i, "body"))
		}
		check(t, w.add(entries...))
		retained := w.Retained(t.Context())
		for range 2 { // a sequence can be read again
			got := all(t, retained)
			if len(got) != len(entries) {
				t.Fatalf("%d entries of %d", len(got), len(entries))
			}
			for i, e := range got {
				if e.Pos != parley.Pos(i+1) || e.Body != nil || e.N != uint64(i/5+1) {
					t.Fatalf("entry %d is %+v", i, e)
				}
			}
		}
		for range retained {
			break // whoever stops early leaves nothing behind
		}
	})
}

func TestReadMarksMoveForwardOnly(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ctx, s := t.Context(), parley.DirectStream(1, 2)
		check(t, w.add(message(s, 1, 1, "a"), message(s, 1, 2, "b")))
		check(t, w.SetRead(ctx, 1, s, 2, 2, parley.Alongside{}))
		check(t, w.add(message(s, 1, 3, "c")))
		check(t, w.SetRead(ctx, 1, s, 1, 1, parley.Alongside{Audit: []parley.Audit{{Action: "kept"}}}))
		want := conversation.Mark{Stream: s, Pos: 2, N: 2}
		if got := must(w.Marks(ctx, 1, 2))(t); !slices.Equal(got, []conversation.Mark{want}) {
			t.Errorf("marks %v", got)
		}
		if got := must(w.Marks(ctx, 1, 3))(t); len(got) != 0 {
			t.Errorf("marks since 3: %v", got)
		}
		if got := must(w.Marks(ctx, 2, 0))(t); len(got) != 0 {
			t.Errorf("marks of somebody else: %v", got)
		}
		if n := count(t, w, "audit"); n != 1 {
			t.Errorf("%d audit records", n)
		}
	})
}

func TestAlongsideIsPartOfTheChange(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		also := parley.Alongside{
			Entries: []parley.Entry{{Stream: 9, Kind: parley.KindMessage, Content: "text.v1", Body: parley.Body("note")}},
			Jobs:    []parley.Job{{Kind: "mail", Due: time.Now(), Payload: []byte("p")}, {Kind: "bare"}},
			Audit:   []parley.Audit{{Action: parley.AuditSignedIn, Person: 3, Actor: parley.Actor{Kind: parley.ActorPerson, Person: 3}}},
		}
		check(t, w.SetRead(t.Context(), 1, 9, 1, 1, also))
		if e := w.entries(); len(e) != 1 || e[0].Pos != 1 || e[0].N != 1 || e[0].Stream != 9 {
			t.Errorf("told of %+v", e)
		}
		err := w.writer.do(t.Context(), w.writer.queue, failing{also})
		if !errors.Is(err, errMade) {
			t.Fatalf("failing change: %v", err)
		}
		for table, want := range map[string]int{"log": 1, "jobs": 2, "audit": 1} {
			if got := count(t, w, table); got != want {
				t.Errorf("%d rows in %s, want %d", got, table, want)
			}
		}
		check(t, w.add(message(9, 1, 1, "next")))
		if e := w.entries()[1]; e.Pos != 2 || e.N != 2 {
			t.Errorf("after a failed change the next entry has pos %d and n %d", e.Pos, e.N)
		}
	})
}

// failing stores everything and then refuses.
type failing struct{ also parley.Alongside }

var errMade = errors.New("made to fail")

func (f failing) apply(b *batch) error { return errors.Join(b.alongside(f.also), errMade) }

func count(t testing.TB, w *world, table string) (n int) {
	t.Helper()
	check(t, w.read.db.QueryRowContext(context.Background(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

// poisoned stores everything and then has a statement fail whose outcome nobody
// waits for.
type poisoned struct{ also parley.Alongside }

func (p poisoned) apply(b *batch) error {
	err := b.alongside(p.also)
	const second = `INSERT INTO meta (id, epoch, seal_key, created) VALUES (2, 0, $1, 0)`
	return errors.Join(err, b.later(second, []byte{}))
}

// TestLogStaysDense drives the store with batches of fresh entries, entries sent
// again, refused ones and changes that fail half way, and compares what it told
// with what it stored.
func TestLogStaysDense(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		c.Settle = time.Millisecond
		w := prepared(t, c)
		w.OnAdmit(func(e *parley.Entry) error {
			if string(e.Body) == "refuse" {
				return parley.Refuse(parley.Forbidden, "no")
			}
			return nil
		})
		w.run()
		device := parley.DeviceID(0) // another one, and other streams, for each run
		rapid.Check(t, func(r *rapid.T) {
			device++
			base := w.Head()
			fresh := w.stir(r, device)
			compare(r, w, base, fresh)
		})
	})
}

// stir gives the store a random mix of work, waits for the end of it, and
// returns how many different messages there were.
func (w *world) stir(r *rapid.T, device parley.DeviceID) int {
	ctx, fresh := w.t.Context(), map[int]bool{}
	var wait sync.WaitGroup
	for range rapid.IntRange(1, 60).Draw(r, "actions") {
		stream := parley.StreamID(int64(device)*10 + rapid.Int64Range(1, 3).Draw(r, "stream"))
		also := parley.Alongside{Entries: []parley.Entry{{Stream: stream, Body: parley.Body("with")}}}
		switch rapid.SampledFrom([]string{"append", "append", "append", "refuse", "fail", "poison", "alongside"}).Draw(r, "action") {
		case "append":
			id := rapid.IntRange(0, 30).Draw(r, "id")
			fresh[id] = true
			w.Append(ctx, message(stream, device, id, "x"), func(_ parley.Pos, err error) {
				if !errors.Is(err, conversation.ErrKnown) {
					w.t.Errorf("entry %d: %v", id, err)
				}
			})
		case "refuse":
			w.Append(ctx, message(stream, device, 99, "refuse"), func(parley.Pos, error) {})
		case "fail":
			wait.Go(func() {
				if err := w.writer.do(ctx, w.writer.queue, failing{also}); !errors.Is(err, errMade) {
					w.t.Errorf("failing change: %v", err)
				}
			})
		case "poison":
			wait.Go(func() {
				if err := w.writer.do(ctx, w.writer.queue, poisoned{also}); parley.KindOf(err) != parley.Internal {
					w.t.Errorf("poisoned change: %v", err)
				}
			})
		case "alongside":
			wait.Go(func() {
				if err := w.SetRead(ctx, 1, stream, 1, 1, also); err != nil {
					w.t.Errorf("change: %v", err)
				}
			})
		}
	}
	wait.Wait()
	// The queue keeps its order: after this one everything has been answered.
	if err := w.writer.do(ctx, w.writer.queue, change{}); err != nil {
		w.t.Errorf("last change: %v", err)
	}
	return len(fresh)
}

// compare checks that what was told after base is what is stored, dense in every
// respect, with so many different messages.
func compare(r *rapid.T, w *world, base parley.Pos, messages int) {
	told := w.entries()[base:]
	var stored []parley.Entry
	for e, err := range w.Retained(context.Background()) {
		if err != nil {
			r.Fatal(err)
		}
		if e.Pos > base {
			stored = append(stored, e)
		}
	}
	if len(told) != len(stored) || int(w.Head()-base) != len(told) {
		r.Fatalf("told of %d entries, stored %d, head %d after %d", len(told), len(stored), w.Head(), base)
	}
	numbers, known := map[parley.StreamID]uint64{}, map[parley.ClientID]bool{}
	for i, e := range stored {
		numbers[e.Stream]++
		if e.Pos != base+parley.Pos(i+1) || e.N != numbers[e.Stream] || told[i].Pos != e.Pos || told[i].N != e.N {
			r.Fatalf("row %d: pos %d, n %d; told of pos %d, n %d", i, e.Pos, e.N, told[i].Pos, told[i].N)
		}
		if e.Device != 0 && known[e.ClientID] {
			r.Fatalf("%s is stored twice", e.ClientID)
		}
		if e.Device != 0 {
			known[e.ClientID] = true
		}
	}
	if len(known) != messages {
		r.Fatalf("%d messages stored of %d", len(known), messages)
	}
}
