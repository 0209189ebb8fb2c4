package conversation

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestMarksGather shows that a connection is woken once for all marks of a moment,
// soon, and again for those that come after.
func TestMarksGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s soon
		var woken [2]atomic.Int32
		feeds := [2]*Feed{{wake: func() { woken[0].Add(1) }}, {wake: func() { woken[1].Add(1) }}}
		check := func(first, second int32) {
			t.Helper()
			if a, b := woken[0].Load(), woken[1].Load(); a != first || b != second {
				t.Errorf("woken %d and %d times, want %d and %d", a, b, first, second)
			}
		}
		s.wake(nil)
		for range 10 {
			s.wake(feeds[:])
			s.wake(feeds[:1])
			time.Sleep(marksGather / 20)
		}
		check(0, 0)
		time.Sleep(marksGather)
		synctest.Wait()
		check(1, 1)
		s.wake(feeds[1:])
		time.Sleep(marksGather)
		synctest.Wait()
		check(1, 2)
	})
}
