package webapi

import (
	"math"
	"strings"
	"testing"

	"parley"
)

func testSealer(t testing.TB, epoch uint64) *sealer {
	t.Helper()
	s, err := newSealer(Cursors{Epoch: epoch, Key: [16]byte{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCursorRoundTrip(t *testing.T) {
	s := testSealer(t, 7)
	seen := map[string]bool{}
	for _, pos := range []parley.Pos{0, 1, 2, 255, 1 << 40, math.MaxInt64} {
		cursor := s.seal(pos)
		if len(cursor) != cursorLength {
			t.Errorf("seal(%d) has %d characters, want %d", pos, len(cursor), cursorLength)
		}
		if seen[cursor] {
			t.Errorf("seal(%d) equals the cursor of another position", pos)
		}
		seen[cursor] = true
		got, err := s.open(cursor)
		if err != nil || got != pos {
			t.Errorf("open(seal(%d)) = %d, %v", pos, got, err)
		}
	}
}

func TestCursorRefusesWhatItDidNotMake(t *testing.T) {
	s := testSealer(t, 7)
	good := s.seal(12)
	otherKey, err := newSealer(Cursors{Epoch: 7, Key: [16]byte{9}})
	if err != nil {
		t.Fatal(err)
	}
	flipped := "A" + good[1:]
	if flipped == good {
		flipped = "B" + good[1:]
	}
	for name, cursor := range map[string]string{
		"empty":             "",
		"short":             good[:21],
		"long":              good + "A",
		"another epoch":     testSealer(t, 8).seal(12),
		"another key":       otherKey.seal(12),
		"a flipped bit":     flipped,
		"not base64url":     strings.Repeat("!", 22),
		"loose last bits":   strings.Repeat("A", 21) + "B",
		"a negative number": s.seal(-1),
		"a line break":      good[:10] + "\n" + good[10:21],
	} {
		if pos, err := s.open(cursor); err == nil {
			t.Errorf("%s: opened as %d", name, pos)
		}
	}
}

func FuzzCursor(f *testing.F) {
	s := testSealer(f, 7)
	f.Add(s.seal(0))
	f.Add(s.seal(1 << 50))
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, cursor string) {
		pos, err := s.open(cursor)
		if err == nil && s.seal(pos) != cursor {
			t.Errorf("%q opens as %d, whose cursor is %q", cursor, pos, s.seal(pos))
		}
	})
}
