package store

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley"
	"parley/conversation"
	"parley/parleytest/postgres"
)

// BenchmarkPurge deletes entries of 500 conversations with 200-byte bodies, all
// that 20,000 appends left.
func BenchmarkPurge(b *testing.B) {
	w := prepared(b, Config{Path: b.TempDir()})
	w.run()
	const rows, streams = 20_000, 500
	for b.Loop() {
		b.StopTimer()
		var entries []parley.Entry
		var ranges []conversation.PurgeRange
		first := int(w.Head())
		for i := range rows {
			stream := parley.DirectStream(1, parley.PersonID(2+i%streams))
			entries = append(entries, message(stream, parley.DeviceID(1+i%streams), first+i, strings.Repeat("x", 200)))
		}
		check(b, w.add(entries...))
		for i := range streams {
			ranges = append(ranges, upto(parley.DirectStream(1, parley.PersonID(2+i)), w.Head())...)
		}
		b.StartTimer()
		check(b, w.Purge(b.Context(), ranges))
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "entries/s")
}

// databases are what is measured. Commits of both are durable.
func databases(b *testing.B) map[string]func() Config {
	return map[string]func() Config{
		"sqlite": func() Config { return Config{Path: b.TempDir()} },
		"postgres": func() Config {
			return Config{Path: b.TempDir(), URL: postgres.Durable(b)}
		},
	}
}

// BenchmarkAppend has callers who each wait for their own entry's commit, as
// devices do. Bodies have 200 bytes.
func BenchmarkAppend(b *testing.B) {
	for name, config := range databases(b) {
		for _, callers := range []int{1, 64, 512} {
			b.Run(fmt.Sprintf("%s/callers=%d", name, callers), func(b *testing.B) {
				benchmarkAppend(b, config(), callers)
			})
		}
	}
}

func benchmarkAppend(b *testing.B, c Config, callers int) {
	s, err := Open(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	w := &world{Store: s, t: b}
	told := make([]chan struct{}, callers)
	for i := range told {
		told[i] = make(chan struct{}, 1)
	}
	s.OnCommit(func(entries []parley.Entry) {
		for _, e := range entries {
			told[e.Device-1] <- struct{}{}
		}
	})
	w.run()
	defer w.close()
	body := make([]byte, 200)
	started, processor := time.Now(), processorTime()
	b.ResetTimer()
	var callersDone sync.WaitGroup
	for c := range callers {
		callersDone.Go(func() {
			e := parley.Entry{
				Stream: parley.DirectStream(parley.PersonID(c/2*2+1), parley.PersonID(c/2*2+2)),
				Sender: parley.PersonID(c + 1), Device: parley.DeviceID(c + 1),
				Kind: parley.KindMessage, Content: "text.v1", Body: body,
			}
			for i := c; i < b.N; i += callers {
				e.ClientID = parley.ClientID(rand.Text()[:22])
				s.Append(b.Context(), e, func(_ parley.Pos, err error) { b.Error(err) })
				<-told[c]
			}
		})
	}
	callersDone.Wait()
	b.ReportMetric(float64(b.N)/time.Since(started).Seconds(), "entries/s")
	b.ReportMetric(float64(b.N)/(processorTime()-processor).Seconds(), "entries/core-s")
	b.ReportMetric(float64(s.stats.entries.Load())/float64(s.stats.commits.Load()), "entries/commit")
}

// processorTime is what this process has used so far. A busy neighbour changes
// it less than the time on the wall.
func processorTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
