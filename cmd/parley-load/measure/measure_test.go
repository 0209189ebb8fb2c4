package measure

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestHistogramQuantiles(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Count() != 0 {
		t.Error("an empty histogram has quantiles")
	}
	const n = 10_000
	for _, i := range rand.Perm(n) {
		h.Record(time.Duration(i+1) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{
		0: time.Microsecond, 0.5: 5 * time.Millisecond, 0.99: 9900 * time.Microsecond, 1: 10 * time.Millisecond,
	} {
		if got := h.Quantile(q); got < want || got > want+want/32+time.Microsecond {
			t.Errorf("quantile %v is %v, want about %v", q, got, want)
		}
	}
	if h.Count() != n || h.Max() != n*time.Microsecond {
		t.Errorf("count %d, max %v", h.Count(), h.Max())
	}
	h.Record(-time.Second)
	if h.Quantile(0) != 0 {
		t.Error("a negative duration does not count as zero")
	}
}

// TestHistogramBuckets shows that buckets follow on one another, hold what they
// should, and are narrow.
func TestHistogramBuckets(t *testing.T) {
	last := bucketOf(1<<63 - 1)
	if last >= len(Histogram{}.buckets) {
		t.Fatalf("the longest duration has bucket %d of %d", last, len(Histogram{}.buckets))
	}
	from := uint64(0)
	for b := range last + 1 {
		top := topOf(b)
		if bucketOf(from) != b || bucketOf(top) != b || bucketOf(top+1) == b {
			t.Fatalf("bucket %d: from %d to %d", b, from, top)
		}
		if width := top - from; width > from/32 {
			t.Fatalf("bucket %d of %d is %d wide", b, from, width)
		}
		from = top + 1
	}
}

func TestLedger(t *testing.T) {
	tests := []struct {
		name    string
		arrived []uint64 // of five that were sent
		want    Tally
	}{
		{"all", []uint64{0, 1, 2, 3, 4}, Tally{Arrived: 5}},
		{"none", nil, Tally{Lost: 5}},
		{"last lost", []uint64{0, 1, 2, 3}, Tally{Arrived: 4, Lost: 1}},
		{"first lost", []uint64{1, 2, 3, 4}, Tally{Arrived: 4, Lost: 1}},
		{"doubled", []uint64{0, 1, 1, 2, 3, 4, 4}, Tally{Arrived: 5, Duplicated: 2}},
		{"swapped", []uint64{0, 2, 1, 3, 4}, Tally{Arrived: 5, Disordered: 1}},
		{"late and again", []uint64{0, 4, 1, 1, 2, 3}, Tally{Arrived: 5, Disordered: 3, Duplicated: 1}},
		{"never sent", []uint64{0, 1, 2, 3, 4, 5, 99}, Tally{Arrived: 5, Strange: 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var l Ledger
			for i := range uint64(5) {
				if n := l.Send(); n != i {
					t.Fatalf("message %d has number %d", i, n)
				}
			}
			l.Accept()
			news := 0
			for _, n := range test.arrived {
				if l.Arrive(n) {
					news++
				}
			}
			test.want.Sent, test.want.Accepted = 5, 1
			if got := l.Tally(); got != test.want || news != int(got.Arrived) {
				t.Errorf("got %+v and %d news, want %+v", got, news, test.want)
			}
		})
	}
}

// TestPace shows that moments come evenly, that those that are late come at once,
// and that a wait ends with its context.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := Pace{Start: time.Now(), Rate: 100, Sleep: time.Sleep}
		for i := range 50 {
			due, ok := p.Await(ctx, i)
			if want := p.Start.Add(time.Duration(i) * 10 * time.Millisecond); !ok || !due.Equal(want) || time.Since(want) != 0 && time.Until(want) >= slack {
				t.Fatalf("moment %d: due %v, now %v, want %v", i, due, time.Now(), want)
			}
		}
		time.Sleep(time.Second) // a stall
		before := time.Now()
		for i := 50; i < 100; i++ {
			if _, ok := p.Await(ctx, i); !ok {
				t.Fatal("ended")
			}
		}
		if waited := time.Since(before); waited > 0 {
			t.Errorf("what was late waited for %v", waited)
		}
		cancel()
		if _, ok := p.Await(ctx, 1_000_000); ok {
			t.Error("a wait goes on behind the end of its context")
		}
	})
}

// TestPaceEnds shows that a long wait notices the end of its context.
func TestPaceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p := Pace{Start: time.Now(), Rate: 0.001, Sleep: time.Sleep}
		if _, ok := p.Await(ctx, 1); ok || time.Since(p.Start) > time.Second+longestSleep {
			t.Errorf("ended after %v", time.Since(p.Start))
		}
	})
}

func TestKernelSleep(t *testing.T) {
	p := Pace{Start: time.Now(), Rate: 1000}
	due, ok := p.Await(t.Context(), 20)
	if early := time.Until(due); !ok || early >= slack {
		t.Errorf("%v too early", early)
	}
}

func TestParseStat(t *testing.T) {
	const good = "42 (a (odd) name) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 9 0 1000 5000000 2560 18446744073709551615 1"
	used, err := parseStat([]byte(good))
	if err != nil || used.CPU != 2*time.Second || used.RSS != 2560*int64(os.Getpagesize()) {
		t.Errorf("got %+v, %v", used, err)
	}
	for _, bad := range []string{"", "42", "42 (x)", "42 (x) S 1 2 3", "42 (x) S 1 42 42 0 -1 4194560 100 0 0 0 x 50 0 0 20 0 9 0 1000 5000000 2560"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestParseBusy(t *testing.T) {
	const text = "cpu  100 1 20 5000 300 3 4 5 7 8\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
	if got := parseBusy([]byte(text)); got != (100+1+20+3+4+5)*tick {
		t.Errorf("got %v", got)
	}
	if parseBusy([]byte("intr 5")) != 0 {
		t.Error("another line counts")
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (a) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 9 0 1000 5000000 2560 1"))
	f.Add([]byte(")"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if used, err := parseStat(text); err != nil && used != (Usage{}) {
			t.Errorf("%q: an error and %+v", text, used)
		}
		parseBusy(text)
	})
}

// TestMeter measures this test itself.
func TestMeter(t *testing.T) {
	m := Begin(os.Getpid())
	for sum, began := 0, time.Now(); time.Since(began) < 50*time.Millisecond; sum++ {
	}
	s := m.End()
	if s.Wall < 50*time.Millisecond || s.Own <= 0 || s.RSS < 1<<20 {
		t.Errorf("got %+v", s)
	}
	if rate := s.PerSecond(100); rate <= 0 || rate > 2000 {
		t.Errorf("100 in %v are %v a second", s.Wall, rate)
	}
	if _, err := UsageOf(1 << 30); err == nil {
		t.Error("a process that is not there was measured")
	}
	if nobody := Begin(0).End(); nobody.RSS != 0 || nobody.PerCoreSecond(1) != 0 {
		t.Errorf("without a process: %+v", nobody)
	}
}
