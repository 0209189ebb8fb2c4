package store

import (
	"crypto/rand"
	"fmt"
	"sync"
	"testing"
	"time"

	"parley"
)

// BenchmarkAppend has callers who each wait for their own entry's commit, as
// devices do. Bodies have 200 bytes.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s, err := Open(b.Context(), Config{Path: b.TempDir()})
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
			started := time.Now()
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
			b.ReportMetric(float64(s.stats.entries.Load())/float64(s.stats.commits.Load()), "entries/commit")
		})
	}
}
