package webapi

import (
	"net/netip"
	"sync"
	"time"

	"parley"
)

// bucket is a token bucket: so many at once, and then so many a second. The zero
// value is full.
type bucket struct {
	used float64 // taken and not yet refilled
	at   time.Time
}

// take takes one token, or says how long until there is one.
func (b *bucket) take(now time.Time, burst int, rate float64) (wait time.Duration) {
	b.refill(now, rate)
	if b.used+1 > float64(burst) {
		return time.Duration((b.used + 1 - float64(burst)) / rate * float64(time.Second))
	}
	b.used++
	return 0
}

func (b *bucket) refill(now time.Time, rate float64) {
	b.used = max(0, b.used-now.Sub(b.at).Seconds()*rate)
	b.at = now
}

// maxBuckets bounds what one set of buckets remembers.
const maxBuckets = 1 << 16

// buckets are token buckets by key, in bounded memory: when there are too many,
// those that are full again are forgotten, and if that is not enough, arbitrary
// others. Forgetting is in the asker's favour.
type buckets[K comparable] struct {
	mu    sync.Mutex
	byKey map[K]*bucket
}

func newBuckets[K comparable]() *buckets[K] { return &buckets[K]{byKey: map[K]*bucket{}} }

// take takes one token of the key's bucket, or refuses and says when to ask
// again. Burst and rate may differ from one call to the next: they hold from
// then on, for what was taken before, too.
func (s *buckets[K]) take(key K, now time.Time, burst int, rate float64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.byKey[key]
	if b == nil {
		if len(s.byKey) >= maxBuckets {
			s.forget(now, rate)
		}
		b = &bucket{at: now}
		s.byKey[key] = b
	}
	if wait := b.take(now, burst, rate); wait > 0 {
		return &parley.Error{Kind: parley.TooMany, Key: "request.too-many", RetryAfter: max(wait, time.Second)}
	}
	return nil
}

func (s *buckets[K]) forget(now time.Time, rate float64) {
	for key, b := range s.byKey {
		if b.refill(now, rate); b.used == 0 {
			delete(s.byKey, key)
		}
	}
	for key := range s.byKey {
		if len(s.byKey) < maxBuckets*3/4 {
			return
		}
		delete(s.byKey, key)
	}
}

// networkOf is what one asker without a session can be told apart by: the IPv4
// address, or the IPv6 network of which a subscriber usually has all addresses.
func networkOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // the zero address: everybody unknown shares one bucket
	}
	return p
}
