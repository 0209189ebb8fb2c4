package presence

import (
	"container/heap"
	"time"
)

// schedule is a heap of the people whose state may change by itself, soonest
// first. A time in it may be too early, when a lease was renewed since: whoever
// takes somebody out works out anew when the next change is.
type schedule struct{ records byTime }

// set puts a record at a time, or with a zero time takes it out. It reports
// whether the soonest time became sooner.
func (s *schedule) set(r *record, at time.Time) bool {
	before := s.next()
	r.at = at
	switch {
	case at.IsZero() && r.index >= 0:
		heap.Remove(&s.records, r.index)
	case at.IsZero():
	case r.index >= 0:
		heap.Fix(&s.records, r.index)
	default:
		heap.Push(&s.records, r)
	}
	after := s.next()
	return !after.IsZero() && (before.IsZero() || after.Before(before))
}

// next gives the soonest time, zero if there is none.
func (s *schedule) next() time.Time {
	if len(s.records) == 0 {
		return time.Time{}
	}
	return s.records[0].at
}

func (s *schedule) has(now time.Time) bool {
	return len(s.records) > 0 && !s.records[0].at.After(now)
}

func (s *schedule) pop() *record { return heap.Pop(&s.records).(*record) }

// byTime implements heap.Interface.
type byTime []*record

func (b byTime) Len() int           { return len(b) }
func (b byTime) Less(i, j int) bool { return b[i].at.Before(b[j].at) }
func (b byTime) Swap(i, j int) {
	b[i], b[j] = b[j], b[i]
	b[i].index, b[j].index = i, j
}

func (b *byTime) Push(x any) {
	r := x.(*record)
	r.index = len(*b)
	*b = append(*b, r)
}

func (b *byTime) Pop() any {
	old := *b
	r := old[len(old)-1]
	old[len(old)-1] = nil
	*b = old[:len(old)-1]
	r.index = -1
	return r
}
