package contact

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"parley"
	"parley/policy"
)

// many is the size of organisation that a search has to be quick in.
const many = 100_000

// BenchmarkSearch reports the time of one search among 100,000 people, over what
// people type and over what they should not. The queries are mixed evenly.
func BenchmarkSearch(b *testing.B) {
	w := newWorld(b, newFakeStore(crowd(many)...), policy.Default(), fakeRelations{})
	for name, texts := range map[string][]string{"typed": queries(w.Book, 200), "hostile": hostile(), "pad": padQueries(w.Book, 200)} {
		b.Run(name, func(b *testing.B) {
			times := make([]time.Duration, 0, b.N)
			worst, longest := "", time.Duration(0)
			for i := 0; b.Loop(); i++ {
				text := texts[i%len(texts)]
				began := time.Now()
				if _, err := w.Search(b.Context(), as(4711), Query{Text: text, Pad: name == "pad"}); err != nil {
					b.Fatal(err)
				}
				t := time.Since(began)
				if times = append(times, t); t > longest {
					longest, worst = t, text
				}
			}
			slices.Sort(times)
			at := func(share float64) float64 {
				return float64(times[int(share*float64(len(times)-1))].Microseconds()) / 1000
			}
			b.ReportMetric(at(0.5), "p50-ms")
			b.ReportMetric(at(0.99), "p99-ms")
			b.ReportMetric(at(1), "max-ms")
			b.Logf("longest: %.40q", worst)
		})
	}
}

// BenchmarkLoad reports how long a start takes with 100,000 people, and how much
// memory a person costs once it is over.
func BenchmarkLoad(b *testing.B) {
	people := crowd(many)
	store := newFakeStore(people...)
	for b.Loop() {
		before := heap()
		w := newWorld(b, store, policy.Default(), fakeRelations{})
		b.ReportMetric(float64(heap()-before)/many, "B/person")
		runtime.KeepAlive(w)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkImport reports how long 100,000 people take to come in by chunks of
// 200, and how long the longest chunk kept searches waiting for the Book.
func BenchmarkImport(b *testing.B) {
	people := crowd(many)
	for b.Loop() {
		w := newWorld(b, newFakeStore(), policy.Default(), fakeRelations{})
		w.Book.store = quickStore{w.store}
		longest := time.Duration(0)
		for chunk := range slices.Chunk(people, importChunk) {
			changes := make([]Change, len(chunk))
			for i, p := range chunk {
				p.ID = 0
				changes[i] = Change{Person: p}
			}
			began := time.Now()
			if _, err := w.Apply(b.Context(), changes, parley.Alongside{}); err != nil {
				b.Fatal(err)
			}
			longest = max(longest, time.Since(began))
		}
		b.ReportMetric(float64(longest.Microseconds())/1000, "longest-chunk-ms")
	}
}
