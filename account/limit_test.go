package account

import (
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiterWindowSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(15 * time.Minute)
		r := l.rule(3, "key")
		for range 3 { // at minute 0, 4 and 8
			if wait := l.begin(r); wait != 0 {
				t.Fatalf("wait %v", wait)
			}
			l.counts(r)
			pass(4 * time.Minute)
		}
		if wait := l.wait(r); wait != 3*time.Minute { // minute 12: the first leaves at 15
			t.Errorf("wait %v, want 3m", wait)
		}
		pass(3 * time.Minute)
		if wait := l.begin(r); wait != 0 {
			t.Errorf("wait %v, want none", wait)
		}
		l.counts(r)
		if wait := l.wait(r); wait != 4*time.Minute {
			t.Errorf("wait %v, want 4m", wait)
		}
		pass(15 * time.Minute)
		l.sweep()
		if len(l.keys) != 0 {
			t.Errorf("%d keys left after the window", len(l.keys))
		}
	})
}

func TestLimiterPendingAndUndo(t *testing.T) {
	l := newLimiter(time.Minute)
	r := l.rule(2, "key")
	for range 2 {
		if l.begin(r) != 0 {
			t.Fatal("limited too early")
		}
	}
	if wait := l.begin(r); wait != time.Second {
		t.Errorf("wait %v while two are under way", wait)
	}
	l.sweep()
	l.undo(r)
	l.undo(r)
	if len(l.keys) != 0 {
		t.Error("undone attempts leave something behind")
	}
	l.undo(r) // more often than begun, after an eviction
	if l.begin(r) != 0 {
		t.Error("limited after undo")
	}
}

func TestLimiterTellsKeysApart(t *testing.T) {
	l := newLimiter(time.Minute)
	for _, pair := range [][2]rule{
		{l.rule(1, "a", "b"), l.rule(1, "b", "a")},
		{l.rule(1, "ab", "c"), l.rule(1, "a", "bc")},
		{l.rule(1, "a"), l.rule(1, "a", "")},
	} {
		if pair[0].key == pair[1].key {
			t.Error("two keys are one")
		}
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(time.Minute)
	for i := range maxKeys + 1000 {
		r := l.rule(1, strconv.Itoa(i))
		l.begin(r)
		l.counts(r)
	}
	if len(l.keys) != maxKeys {
		t.Errorf("%d keys", len(l.keys))
	}
}

func TestNetworkOf(t *testing.T) {
	tests := map[string]string{
		"192.0.2.7":             "192.0.2.7/32",
		"::ffff:192.0.2.7":      "192.0.2.7/32",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1:2::/64",
		"2001:db8:1:2::1":       "2001:db8:1:2::/64",
		"fe80::1%eth0":          "fe80::/64",
		"2001:db8:1:3:ffff::99": "2001:db8:1:3::/64",
	}
	for addr, want := range tests {
		if got := networkOf(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
	if got := networkOf(netip.Addr{}); got != "unknown" {
		t.Errorf("no address: %s", got)
	}
}
