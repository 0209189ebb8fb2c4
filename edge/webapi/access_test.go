package webapi

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// operations gives every operation of the contract by its id.
func operations() map[string]*huma.Operation {
	list := map[string]*huma.Operation{}
	for _, item := range Describe().OpenAPI.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete, item.Head, item.Options, item.Trace} {
			if op != nil {
				list[op.OperationID] = op
			}
		}
	}
	return list
}

// TestMadeUpTokenIsNone: a token that is none leads to the very answer that none
// leads to, for every operation of the matrix.
func TestMadeUpTokenIsNone(t *testing.T) {
	w := newMatrixWorld(t)
	for _, row := range operationRows {
		anonymous, _ := cellOf(row.cells, "anonymous")
		for _, token := range []string{strings.Repeat("A", 43), "?", w.subject.token + "A"} {
			if anonymous.refusal != "sign-in sign-in.required" {
				continue
			}
			got := w.ask(&client{world: w.world, token: token}, row, "192.0.2.1")
			if want := w.ask(&client{world: w.world}, row, "192.0.2.2"); got.status != want.status || string(got.text) != string(want.text) {
				t.Errorf("%s with the token %.8s…: %d %s, want %d %s", row.name(), token, got.status, got.text, want.status, want.text)
			}
		}
	}
}

// TestStrangersAnswerIsTheSameForEveryInput shows that somebody without a session
// learns nothing by asking wrongly.
func TestStrangersAnswerIsTheSameForEveryInput(t *testing.T) {
	w := newWorld(t)
	stranger := &client{world: w}
	var answers []string
	for _, path := range []string{"/api/people/p1", "/api/people/p999", "/api/people/" + strings.Repeat("x", 400), "/api/sync?limit=none"} {
		answers = append(answers, string(stranger.text(stranger.call("GET", path, nil))))
	}
	for _, body := range []string{`{"state":"busy"}`, `{"state":"unknown"}`, `not JSON`} {
		answers = append(answers, string(stranger.text(stranger.call("PUT", "/api/me/presence", body))))
	}
	if len(slices.Compact(answers)) != 1 {
		t.Errorf("the answers differ: %q", answers)
	}
}

func TestOtherMethodsAndPathsAreNotFound(t *testing.T) {
	w := newWorld(t)
	anna := w.signIn("anna")
	for _, request := range [][2]string{
		{"GET", "/api/"}, {"GET", "/api/nothing"}, {"DELETE", "/api/about"}, {"POST", "/api/people"}, {"OPTIONS", "/api/session"},
		{"GET", "/api/session/"}, {"PATCH", "/api/me/note"}, {"POST", "/api/ws"},
	} {
		var body any
		if request[0] != "GET" && request[0] != "OPTIONS" {
			body = `{}`
		}
		anna.refused(anna.call(request[0], request[1], body), http.StatusNotFound, "not-found", "not-found")
	}
}
