package store

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

func TestVarint(t *testing.T) {
	for _, c := range []struct {
		bytes []byte
		want  int64
		ok    bool
	}{
		{[]byte{0}, 0, true},
		{[]byte{0x7f, 0xff}, 127, true},
		{[]byte{0x81, 0x00}, 128, true},
		{[]byte{0x81, 0x80, 0x00}, 1 << 14, true},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, -1, true},
		{[]byte{0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, math.MaxInt64, true},
		{[]byte{0x81}, 0, false},
		{nil, 0, false},
	} {
		if got, ok := varint(c.bytes); got != c.want || ok != c.ok {
			t.Errorf("%x: %d, %v", c.bytes, got, ok)
		}
	}
}

// interior is a page with children 101, 102, … for keys up to bounds, and a last
// child 99.
func interior(bounds ...byte) []byte {
	page := make([]byte, smallestPage)
	page[0] = interiorPage
	binary.BigEndian.PutUint16(page[3:], uint16(len(bounds)))
	binary.BigEndian.PutUint32(page[8:], 99)
	at := len(page)
	for i, bound := range bounds {
		at -= 5
		binary.BigEndian.PutUint32(page[at:], uint32(101+i))
		page[at+4] = bound
		binary.BigEndian.PutUint16(page[interiorHeader+2*i:], uint16(at))
	}
	return page
}

func TestDescend(t *testing.T) {
	page := interior(10, 20, 30)
	for _, c := range []struct {
		key, child, bound int64
		inner             bool
	}{
		{math.MinInt64, 101, 10, true}, {10, 101, 10, true}, {11, 102, 20, true},
		{30, 103, 30, true}, {31, 99, 0, false}, {math.MaxInt64, 99, 0, false},
	} {
		child, bound, inner, err := descend(page, c.key)
		if err != nil || child != c.child || inner != c.inner || inner && bound != c.bound {
			t.Errorf("key %d: child %d up to %d, %v, %v", c.key, child, bound, inner, err)
		}
	}
	if child, _, inner, err := descend(interior(), 5); child != 99 || inner || err != nil {
		t.Errorf("only child: %d, %v, %v", child, inner, err)
	}
}

// FuzzPage reads pages of any content: damage must lead to an error, not to a
// fault of the program.
func FuzzPage(f *testing.F) {
	f.Add(interior(1, 2, 3), int64(2))
	f.Add(interior(), int64(-1))
	f.Add(bytes.Repeat([]byte{0xff}, smallestPage), int64(0))
	f.Add(make([]byte, 1<<16), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, page []byte, key int64) {
		if len(page) < smallestPage {
			return
		}
		if _, bound, inner, err := descend(page, key); err == nil && inner && bound < key {
			t.Errorf("the child for %d ends at %d", key, bound)
		}
		if middle, err := unused(page); err == nil && len(middle) > len(page)-leafHeader {
			t.Errorf("%d bytes of %d are unused", len(middle), len(page))
		}
	})
}
