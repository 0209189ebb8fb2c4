package webapi

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley"
)

func TestProblemOf(t *testing.T) {
	secret := errors.New("the cause nobody may read")
	tests := []struct {
		name string
		err  error
		want Problem
	}{
		{"no refusal", secret, Problem{Title: "internal", Status: 500, Key: "internal", Retry: "later"}},
		{"internal with a key", &parley.Error{Kind: parley.Internal, Key: "inner.detail", Err: secret}, Problem{Title: "internal", Status: 500, Key: "internal", Retry: "later"}},
		{"given up", fmt.Errorf("waiting: %w", context.Canceled), Problem{Title: "unavailable", Status: 503, Key: "unavailable", Retry: "later"}},
		{"invalid", parley.RefuseField("note.too-long", "note"), Problem{Title: "invalid", Status: 422, Key: "note.too-long", Field: "note", Retry: "never"}},
		{"wrapped", parley.Wrap(parley.Refuse(parley.Conflict, "x"), "doing"), Problem{Title: "conflict", Status: 409, Key: "x", Retry: "never"}},
		{"too large", parley.Refuse(parley.TooLarge, ""), Problem{Title: "too-large", Status: 413, Key: "too-large", Retry: "never"}},
		{"unsupported", parley.Refuse(parley.Unsupported, ""), Problem{Title: "unsupported", Status: 415, Key: "unsupported", Retry: "never"}},
		{"sign in", parley.Refuse(parley.SignIn, "s"), Problem{Title: "sign-in", Status: 401, Key: "s", Retry: "after-sign-in"}},
		{"forbidden", parley.Refuse(parley.Forbidden, "f"), Problem{Title: "forbidden", Status: 403, Key: "f", Retry: "never"}},
		{"withheld", parley.ErrWithheld, Problem{Title: "not-found", Status: 404, Key: "not-found", Retry: "never"}},
		{"too many", &parley.Error{Kind: parley.TooMany, RetryAfter: 1500 * time.Millisecond}, Problem{Title: "too-many", Status: 429, Key: "too-many", Retry: "later", RetryAfter: 2}},
		{"full", parley.Refuse(parley.Full, "store.full"), Problem{Title: "full", Status: 507, Key: "store.full", Retry: "later"}},
	}
	for _, test := range tests {
		got := *problemOf(test.err)
		test.want.Type = "tag:parley,2026:" + test.want.Title
		if got != test.want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", test.name, got, test.want)
		}
		w := httptest.NewRecorder()
		writeProblem(w, &got)
		if strings.Contains(w.Body.String(), "nobody may read") || strings.Contains(w.Body.String(), "inner.detail") {
			t.Errorf("%s: the cause reaches the asker: %s", test.name, w.Body)
		}
		if want := ""; test.want.RetryAfter == 2 {
			if want = "2"; w.Header().Get("Retry-After") != want {
				t.Errorf("%s: Retry-After %q, want %q", test.name, w.Header().Get("Retry-After"), want)
			}
		}
	}
}

// A panic is logged without what it quotes.
func TestFaultName(t *testing.T) {
	var list []int
	index := func() (fault any) {
		defer func() { fault = recover() }()
		return list[len(list)]
	}()
	tests := []struct {
		fault any
		want  string
	}{
		{"no room for ann@example.test", "string"},
		{errors.New("ann@example.test is gone"), "*errors.errorString"},
		{index, "runtime error: index out of range [0] with length 0"},
		{fmt.Errorf("reading ann@example.test: %w", index.(error)), "runtime error: index out of range [0] with length 0"},
	}
	for _, test := range tests {
		if got := faultName(test.fault); got != test.want {
			t.Errorf("%v: %q, want %q", test.fault, got, test.want)
		}
	}
}
