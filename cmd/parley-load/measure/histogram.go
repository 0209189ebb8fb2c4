package measure

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Histogram counts durations in buckets that are at most 1/64 of their value
// wide, up to centuries. Any number of goroutines may record into one; reading
// while they do gives a figure of about that moment.
type Histogram struct {
	buckets [(64 - linearBits) << linearBits]atomic.Uint64
	max     atomic.Int64
}

// linearBits is how many bits of a value are kept: the values below 2^linearBits
// have a bucket each, and so many buckets divide every doubling above.
const linearBits = 6

// bucketOf is the number of the bucket that holds v.
func bucketOf(v uint64) int {
	shift := bits.Len64(v) - 1 - linearBits
	if shift < 0 {
		return int(v)
	}
	return shift<<linearBits + int(v>>shift)
}

// topOf is the largest value in a bucket.
func topOf(bucket int) uint64 {
	shift := bucket>>linearBits - 1
	if shift < 0 {
		return uint64(bucket)
	}
	first := uint64(bucket - shift<<linearBits)
	return (first+1)<<shift - 1
}

// Record counts one duration; a negative one counts as zero.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.buckets[bucketOf(uint64(d))].Add(1)
	for old := h.max.Load(); int64(d) > old; old = h.max.Load() {
		if h.max.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

// Count is how many durations were recorded.
func (h *Histogram) Count() uint64 {
	var n uint64
	for i := range h.buckets {
		n += h.buckets[i].Load()
	}
	return n
}

// Quantile gives the duration that the share q of all recorded ones does not
// exceed, rounded up to the end of its bucket; 0 when none was recorded.
func (h *Histogram) Quantile(q float64) time.Duration {
	n := h.Count()
	if n == 0 {
		return 0
	}
	rank := min(uint64(q*float64(n)), n-1)
	for i := range h.buckets {
		here := h.buckets[i].Load()
		if here > rank {
			return min(time.Duration(topOf(i)), h.Max())
		}
		rank -= here
	}
	return h.Max()
}

// Max is the longest duration recorded.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max.Load()) }
