package webapi

import (
	"net/netip"
	"testing"
	"time"

	"parley"
)

func TestBucketRefills(t *testing.T) {
	now := time.Unix(1000, 0)
	b := bucket{at: now}
	for i := range 5 {
		if wait := b.take(now, 5, 2); wait != 0 {
			t.Fatalf("take %d of a burst of 5: wait %v", i+1, wait)
		}
	}
	if wait := b.take(now, 5, 2); wait != 500*time.Millisecond {
		t.Errorf("sixth take: wait %v, want 500ms at 2 a second", wait)
	}
	if wait := b.take(now.Add(500*time.Millisecond), 5, 2); wait != 0 {
		t.Errorf("after the wait: wait %v, want none", wait)
	}
	later := now.Add(time.Hour)
	for i := range 5 {
		if wait := b.take(later, 5, 2); wait != 0 {
			t.Errorf("take %d an hour later: wait %v", i+1, wait)
		}
	}
	if b.take(later, 5, 2) == 0 {
		t.Error("an hour gave more than the burst")
	}
}

func TestBucketsKeepKeysApart(t *testing.T) {
	s := newBuckets[string]()
	now := time.Unix(1000, 0)
	if err := s.take("a", now, 1, 1); err != nil {
		t.Fatal(err)
	}
	err := s.take("a", now, 1, 1)
	if parley.KindOf(err) != parley.TooMany {
		t.Errorf("second take: %v, want too-many", err)
	}
	if p := problemOf(err); p.RetryAfter < 1 {
		t.Errorf("the refusal says retry after %d seconds, want at least 1", p.RetryAfter)
	}
	if err := s.take("b", now, 1, 1); err != nil {
		t.Errorf("another key: %v", err)
	}
}

func TestBucketsForget(t *testing.T) {
	s := newBuckets[int]()
	now := time.Unix(1000, 0)
	for i := range 3 * maxBuckets {
		if err := s.take(i, now, 1, 1); err != nil {
			t.Fatal(err)
		}
		if len(s.byKey) > maxBuckets {
			t.Fatalf("%d buckets are kept, want at most %d", len(s.byKey), maxBuckets)
		}
	}
}

func TestNetworkOf(t *testing.T) {
	tests := []struct{ a, want string }{
		{"192.0.2.7", "192.0.2.7/32"},
		{"::ffff:192.0.2.7", "192.0.2.7/32"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "fe80::/64"},
	}
	for _, test := range tests {
		if got := networkOf(netip.MustParseAddr(test.a)).String(); got != test.want {
			t.Errorf("networkOf(%s) = %s, want %s", test.a, got, test.want)
		}
	}
	if got := networkOf(netip.Addr{}); got.IsValid() {
		t.Errorf("network of no address: %v", got)
	}
}
