package store

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/conversation"
)

// canaries returns the numbers of all canaries in the files of a directory.
func canaries(t testing.TB, dir string) map[int]bool {
	t.Helper()
	found := map[int]bool{}
	files := must(os.ReadDir(dir))(t)
	for _, file := range files {
		data := must(os.ReadFile(filepath.Join(dir, file.Name())))(t)
		for {
			i := bytes.Index(data, []byte("CANARY"))
			if i < 0 || len(data) < i+14 {
				break
			}
			if n, err := strconv.Atoi(string(data[i+6 : i+14])); err == nil {
				found[n] = true
			}
			data = data[i+6:]
		}
	}
	return found
}

// canary is a body of a size that names its number again and again.
func canary(n, size int) string {
	word := fmt.Sprintf("CANARY%08d;", n)
	return strings.Repeat(word, size/len(word)+1)[:max(size, len(word))]
}

// TestPurgedTextIsInNoFile appends messages of all sizes to many streams, purges
// some streams here and there, and looks for the purged text in every byte of
// every file while the rest is still there: in freed pages, in pages that SQLite
// rearranged, in pages that hold long bodies, and in the write-ahead log.
func TestPurgedTextIsInNoFile(t *testing.T) {
	dir := t.TempDir()
	w := start(t, inDir(dir))
	random := rand.New(rand.NewPCG(1, 2))
	live := map[int]parley.StreamID{}
	next := 0
	for round := range 25 {
		var entries []parley.Entry
		for range 40 + random.IntN(200) {
			next++
			size := 20 + random.IntN(300)
			if random.IntN(25) == 0 {
				size = random.IntN(60 << 10)
			}
			stream := parley.StreamID(1 + random.IntN(30))
			entries = append(entries, message(stream, 1, next, canary(next, size)))
			live[next] = stream
		}
		check(t, w.add(entries...))
		for range 1 + random.IntN(15) {
			gone := conversation.PurgeRange{Stream: parley.StreamID(1 + random.IntN(30)), Upto: w.Head() - parley.Pos(random.IntN(300))}
			check(t, w.Purge(t.Context(), []conversation.PurgeRange{gone}))
			for n, stream := range live { // canary n is at position n
				if stream == gone.Stream && n <= int(gone.Upto) {
					delete(live, n)
				}
			}
		}
		w.tidied()
		found := canaries(t, dir)
		for n := range found {
			if _, ok := live[n]; !ok {
				t.Fatalf("round %d: purged text %d of %d is still in a file", round, n, next)
			}
		}
		for n := range live {
			if !found[n] {
				t.Fatalf("round %d: text %d is not in the files", round, n)
			}
		}
	}
	w.close()
	if w.Stats().Wiped == 0 {
		t.Error("the sweep found nothing to wipe: this test no longer tests it")
	}
}

// tidied waits until everything purged so far is out of the files: the first
// round that ends may have begun before.
func (w *world) tidied() {
	w.t.Helper()
	before := w.Stats().Checkpoints
	for done := range uint64(2) {
		w.writer.note()
		until(w.t, "the files are tidied", func() bool { return w.Stats().Checkpoints > before+done })
	}
}

// TestPurgeTidiesByItself is the promise as the rest of the program sees it.
func TestPurgeTidiesByItself(t *testing.T) {
	dir := t.TempDir()
	w := start(t, inDir(dir))
	check(t, w.add(message(1, 1, 1, canary(1, 60<<10)), message(2, 1, 2, canary(2, 100))))
	check(t, w.Purge(t.Context(), upto(1, 1)))
	until(t, "the text is gone", func() bool { return !canaries(t, dir)[1] })
	if !canaries(t, dir)[2] {
		t.Error("the other message is gone as well")
	}
}

// TestReaderDelaysTidyingOnly holds a read transaction open.
func TestReaderDelaysTidyingOnly(t *testing.T) {
	dir := t.TempDir()
	w := start(t, inDir(dir))
	check(t, w.add(message(1, 1, 1, canary(1, 100))))
	rows := must(w.read.db.QueryContext(t.Context(), `SELECT pos FROM log`))(t)
	if !rows.Next() {
		t.Fatal("no row")
	}
	check(t, w.Purge(t.Context(), upto(1, 1)))
	if must(w.checkpoint(t.Context()))(t) {
		t.Error("the write-ahead log was emptied under a reader")
	}
	check(t, w.add(message(1, 1, 2, "others go on")))
	check(t, rows.Close())
	until(t, "the text is gone", func() bool { return !canaries(t, dir)[1] })
}

func TestSweepAfterCrash(t *testing.T) {
	dir := t.TempDir()
	w := prepared(t, Config{Path: dir, Settle: time.Hour})
	w.run()
	var entries []parley.Entry
	for i := range 300 {
		entries = append(entries, message(parley.StreamID(1+i%3), 1, i+1, canary(i+1, 200)))
	}
	check(t, w.add(entries...))
	check(t, w.Purge(t.Context(), upto(2, 300)))
	check(t, w.Purge(t.Context(), upto(1, 300)))
	copied := t.TempDir() // what a crash would leave
	for _, suffix := range []string{"", "-wal"} {
		check(t, copyFile(filepath.Join(dir, databaseFile+suffix), filepath.Join(copied, databaseFile+suffix)))
	}
	start(t, inDir(copied))
	until(t, "the purged texts are gone", func() bool {
		for n := range canaries(t, copied) {
			if (n-1)%3 != 2 {
				return false
			}
		}
		return true
	})
}

func TestPurgeStopsAtItsRange(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		var entries []parley.Entry
		const half = 5 * leastPurged
		for i := range 3 * half {
			entries = append(entries, message(parley.StreamID(1+i%2), 1, i, "x"))
		}
		check(t, w.add(entries...))
		last := parley.Pos(2*half + 1)
		check(t, w.Purge(t.Context(), upto(1, last)))
		for _, e := range all(t, w.Retained(t.Context())) {
			if e.Stream == 1 && e.Pos <= last {
				t.Fatalf("entry %d is still there", e.Pos)
			}
		}
		if got, want := count(t, w, "log"), 3*half-half-1; got != want {
			t.Errorf("%d entries are left, want %d", got, want)
		}
		if s := w.Stats(); s.Purged != half+1 {
			t.Errorf("%d counted as purged", s.Purged)
		}
		check(t, w.Purge(t.Context(), nil))
		check(t, w.Purge(t.Context(), upto(77, 1e6)))
	})
}

// TestPurgeIsFasterThanWriters shows that a log that is written to without a pause
// does not grow: a step comes with every second commit at least.
func TestPurgeIsFasterThanWriters(t *testing.T) {
	for added := range batchLimit + 1 {
		if got := purgedWith(added); got < leastPurged || got > mostPurged || got <= 2*added {
			t.Errorf("with a commit that adds %d, %d are deleted", added, got)
		}
	}
}

func TestDelivered(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ctx := t.Context()
		ab, bc, cd := parley.DirectStream(1, 2), parley.DirectStream(2, 3), parley.DirectStream(3, 4)
		check(t, w.add(message(ab, 1, 1, ""), message(bc, 1, 2, ""), message(cd, 1, 3, ""), message(2, 1, 4, "")))
		check(t, w.Purge(ctx, []conversation.PurgeRange{{Stream: ab, Upto: 100}, {Stream: cd, Upto: 100}, {Stream: 2, Upto: 100}}))
		if got := must(w.Delivered(ctx, 2, 0))(t); !slices.Equal(got, upto(ab, 1)) {
			t.Errorf("delivered to 2: %v", got)
		}
		check(t, w.add(message(bc, 1, 5, "")))
		check(t, w.Purge(ctx, upto(bc, 2)))
		if got := must(w.Delivered(ctx, 2, 5))(t); !slices.Equal(got, upto(bc, 2)) {
			t.Errorf("delivered to 2 since 5: %v", got)
		}
		want := append(upto(ab, 1), upto(bc, 2)...)
		if got := must(w.Purged(ctx, []parley.StreamID{bc, 77, 1, ab}))(t); !slices.Equal(got, want) {
			t.Errorf("purged: %v, want %v", got, want)
		}
		if got := must(w.Delivered(ctx, 2, 6))(t); len(got) != 0 {
			t.Errorf("delivered to 2 since 6: %v", got)
		}
		_, err := w.PurgeOlder(ctx, time.Now().Add(time.Hour))
		check(t, err)
		if got := must(w.Delivered(ctx, 2, 5))(t); !slices.Equal(got, upto(bc, 2)) {
			t.Errorf("the time limit counts as delivery: %v", got)
		}
	})
}

func TestTimeLimit(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		ctx, ab := t.Context(), parley.DirectStream(1, 2)
		check(t, w.add(message(ab, 1, 1, "old"), message(7, 1, 2, "stamped by a clock that was ahead"), message(7, 1, 3, "old"), message(ab, 1, 4, "new")))
		w.between(func(s *session) error {
			_, err := s.exec(context.Background(), `UPDATE log SET at = at + CASE pos WHEN 2 THEN 1000000000 WHEN 4 THEN 1000 ELSE -1000000 END`)
			return err
		})
		gone, err := w.PurgeOlder(ctx, time.Now().Add(-time.Minute))
		check(t, err)
		slices.SortFunc(gone, func(a, b conversation.PurgeRange) int { return int(a.Upto - b.Upto) })
		if want := append(upto(ab, 1), upto(7, 3)...); !slices.Equal(gone, want) {
			t.Errorf("purged %v, want %v", gone, want)
		}
		if left := all(t, w.Retained(ctx)); len(left) != 1 || left[0].Pos != 4 {
			t.Errorf("left is %v", left)
		}
		want := []conversation.Floor{{Person: 1, Missed: 1}, {Person: 2, Missed: 1}, {Person: 7, Missed: 3}}
		if got := all(t, w.Floors(ctx)); !slices.Equal(got, want) {
			t.Errorf("missed: %v, want %v", got, want)
		}
		for _, one := range append(want, conversation.Floor{Person: 99}) {
			if got := must(w.Floor(ctx, one.Person))(t); got != one {
				t.Errorf("of %v: %v, want %v", one.Person, got, one)
			}
		}
	})
}
