package server

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"parley/contact"
)

func TestHowManyMayLeave(t *testing.T) {
	for _, test := range []struct {
		missing, people int
		may             bool
	}{
		{0, 0, false}, {1, 1, false}, {1, 2, true}, {20, 21, true}, {21, 60, false}, {21, 209, false}, {21, 210, true},
		{10_000, 100_000, true}, {10_001, 100_000, false}, {49_999, 100_000, false}, {100_000, 100_000, false},
	} {
		if may := new(follower).mayGo(test.missing, test.people); may != test.may {
			t.Errorf("%d of %d may leave: %v", test.missing, test.people, may)
		}
	}
}

// Those who leave one after the other are counted together.
func TestLeavingAddsUpWithinAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, people := new(follower), 1000
		left := 0
		for range 50 {
			if !f.mayGo(10, people) {
				break
			}
			f.leave(contact.Report{Gone: 10})
			left, people = left+10, people-10
			time.Sleep(time.Minute)
		}
		if left != 100 {
			t.Errorf("%d of 1000 left within an hour", left)
		}
		time.Sleep(time.Hour)
		if !f.mayGo(10, people) {
			t.Error("nobody may leave an hour later")
		}
	})
}

func TestAnAdministratorsWordHoldsForWhatWasShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &follower{log: slog.New(slog.NewTextHandler(io.Discard, nil)), store: nowhere{}}
		compare := func(missing, people int) bool {
			f.agreed = f.standing.agreement()
			f.standing.heldBack = 0
			may := f.mayGo(missing, people)
			if may {
				f.leave(contact.Report{Gone: missing})
			} else {
				f.leave(contact.Report{HeldBack: missing})
				f.standing.held(missing)
			}
			return may
		}
		word := func(what string, missing int, want bool) {
			t.Helper()
			if may := compare(missing, 1000); may != want {
				t.Errorf("%s %d of 1000 may leave: %v", what, missing, may)
			}
		}
		f.standing.agree()
		word("agreed before anybody was shown,", 500, false)
		word("not agreed,", 500, false)
		f.standing.agree()
		word("agreed to 500,", 551, false)
		word("the word is used up:", 500, false)
		f.standing.agree()
		if f.mayGo(400, 1000) {
			t.Error("the word holds for changes between comparisons")
		}
		word("agreed to 500,", 550, true)
		word("right after,", 20, true)
		word("once more,", 550, false)
		f.standing.agree()
		time.Sleep(agreedFor)
		word("agreed too long ago,", 550, false)
		f.standing.agree()
		f.failed(t.Context(), errors.New("broken off"))
		word("agreed before a failure,", 550, false)
	})
}

func TestWhatADirectorySaysCanBeStored(t *testing.T) {
	long := cleanText(strings.Repeat("é", maxDetail))
	if len(long) != maxDetail || !utf8.ValidString(long) {
		t.Errorf("%d bytes, %q at the end", len(long), long[len(long)-3:])
	}
	if odd := cleanText("a" + strings.Repeat("é", maxDetail)); len(odd) != maxDetail-1 || !utf8.ValidString(odd) {
		t.Errorf("%d bytes, %q at the end", len(odd), odd[len(odd)-3:])
	}
	for was, want := range map[string]string{
		"data 52e, v3839\x00": "data 52e, v3839 ", "caf\xc3": "caf\uFFFD", "two\r\nlines": "two  lines", "plain": "plain", "": "",
	} {
		if got := cleanText(was); got != want {
			t.Errorf("%q became %q", was, got)
		}
	}
}
