package account

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// limiter counts events by key in a sliding window: at most so many in any
// window of time. It forgets rather than grows: past maxKeys a new key takes the place
// of an arbitrary other one. That needs so many failures that the checkers
// cannot produce them within the window.
type limiter struct {
	mu     sync.Mutex
	keys   map[uint64]*count
	seed   maphash.Seed // secret, so that nobody can choose keys that collide
	window time.Duration
}

// count is what is known of one key.
type count struct {
	at      []time.Time // when it happened, oldest first; never longer than the limit
	pending int         // attempts under way, which may yet count
}

// rule is one key and its limit.
type rule struct {
	key   uint64
	limit int
}

const maxKeys = 1 << 17

func newLimiter(window time.Duration) *limiter {
	return &limiter{keys: map[uint64]*count{}, seed: maphash.MakeSeed(), window: window}
}

// rule makes the rule for a key of several parts.
func (l *limiter) rule(limit int, parts ...string) rule {
	var h maphash.Hash
	h.SetSeed(l.seed)
	for _, part := range parts {
		h.WriteString(part)
		h.WriteByte(0)
	}
	return rule{key: h.Sum64(), limit: limit}
}

// wait says how long somebody has to wait before another attempt under these
// rules; 0: not at all.
func (l *limiter) wait(rules ...rule) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waitLocked(time.Now(), rules)
}

// begin reserves an attempt, or says how long to wait. While an attempt is under
// way it counts, so attempts made at the same time cannot pass the limit
// together. Every attempt ends with counts or undo.
func (l *limiter) begin(rules ...rule) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if wait = l.waitLocked(now, rules); wait > 0 {
		return wait
	}
	for _, r := range rules {
		l.count(r.key).pending++
	}
	return 0
}

// counts ends an attempt that counts.
func (l *limiter) counts(rules ...rule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, r := range rules {
		c := l.count(r.key)
		c.pending = max(0, c.pending-1)
		if c.at = append(c.at, now); len(c.at) > r.limit {
			c.at = slices.Delete(c.at, 0, len(c.at)-r.limit)
		}
	}
}

// undo ends an attempt that does not count.
func (l *limiter) undo(rules ...rule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range rules {
		c := l.keys[r.key]
		if c == nil {
			continue
		}
		c.pending = max(0, c.pending-1)
		if c.pending == 0 && len(c.at) == 0 {
			delete(l.keys, r.key)
		}
	}
}

// clear forgets what counted under the rule.
func (l *limiter) clear(r rule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.keys[r.key]; c != nil {
		c.at = nil
		if c.pending == 0 {
			delete(l.keys, r.key)
		}
	}
}

// sweep removes keys whose window is over.
func (l *limiter) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	oldest := time.Now().Add(-l.window)
	for key, c := range l.keys {
		if c.pending == 0 && (len(c.at) == 0 || !c.at[len(c.at)-1].After(oldest)) {
			delete(l.keys, key)
		}
	}
}

// waitLocked drops what is out of the window and looks for the rule that makes
// somebody wait longest. mu is held.
func (l *limiter) waitLocked(now time.Time, rules []rule) time.Duration {
	var longest time.Duration
	for _, r := range rules {
		c := l.keys[r.key]
		if c == nil {
			continue
		}
		for len(c.at) > 0 && !c.at[0].After(now.Add(-l.window)) {
			c.at = c.at[1:]
		}
		switch {
		case len(c.at) >= r.limit:
			longest = max(longest, c.at[len(c.at)-r.limit].Add(l.window).Sub(now))
		case len(c.at)+c.pending >= r.limit: // the attempts under way decide within a second
			longest = max(longest, time.Second)
		}
	}
	return longest
}

// count returns the count of a key, made if need be. mu is held.
func (l *limiter) count(key uint64) *count {
	c := l.keys[key]
	if c == nil {
		if len(l.keys) >= maxKeys {
			for other := range l.keys {
				delete(l.keys, other)
				break
			}
		}
		c = &count{}
		l.keys[key] = c
	}
	return c
}

// networkOf names the network that an address belongs to for the limits: the
// address itself in IPv4, the /64 in IPv6, where one subscriber has all of it.
func networkOf(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() {
		return "unknown"
	}
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}
