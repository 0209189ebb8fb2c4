package webapi

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// accessTable says of every operation whether somebody without a session may call
// it. An operation that is missing here fails the test: whoever adds one says who
// may call it.
var accessTable = map[string]struct {
	who  access
	body string // a valid one, where there is a body
	path string // with the parameters filled in
}{
	"getAbout":       {who: anyone},
	"discover":       {who: anyone, body: `{"address":"anna@example.org"}`},
	"signIn":         {who: anyone, body: `{"address":"a@example.org","password":"x","installation":"AAAAAAAAAAAAAAAAAAAAAA","device_name":"","device_class":"mobile","time_zone":""}`},
	"forgotPassword": {who: anyone, body: `{"address":"anna@example.org"}`},
	"getInvitation":  {who: anyone, body: `{"code":"x"}`},
	"useInvitation":  {who: anyone, body: `{"code":"x","password":"correct horse battery"}`},
	"getWellKnown":   {who: anyone},
	"getSession":     {who: deviceOnly},
	"signOut":        {who: deviceOnly},
	"changePassword": {who: deviceOnly, body: `{"current":"x","password":"correct horse battery"}`},
	"setPresence":    {who: deviceOnly, body: `{"state":"busy"}`},
	"setNote":        {who: deviceOnly, body: `{"note":"n"}`},
	"searchPeople":   {who: viewer, path: "/api/people?q=an"},
	"getCard":        {who: viewer, path: "/api/people/p1"},
	"getPhoto":       {who: viewer, path: "/api/people/p1/photo?size=small"},
	"getContacts":    {who: deviceOnly},
	"getDevices":     {who: deviceOnly},
	"endDevice":      {who: deviceOnly, path: "/api/devices/d1"},
	"sync":           {who: deviceOnly, path: "/api/sync?after="},
	"getMarks":       {who: deviceOnly},
	"socket":         {who: deviceOnly},
}

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

func TestEveryOperationSaysWhoMayCallIt(t *testing.T) {
	w := newWorld(t)
	known := operations()
	for id, op := range known {
		expected, ok := accessTable[id]
		if !ok {
			t.Errorf("%s %s (%s) is missing in accessTable", op.Method, op.Path, id)
			continue
		}
		path := expected.path
		if path == "" {
			path = op.Path
		}
		var body any
		if expected.body != "" {
			body = expected.body
		}
		for name, token := range map[string]string{"no token": "", "a made-up token": strings.Repeat("A", 43), "no token at all": "?"} {
			stranger := &client{world: w, token: token}
			response := stranger.call(op.Method, path, body)
			denied := response.StatusCode == http.StatusUnauthorized && id != "signIn"
			if denied != (expected.who != anyone) {
				t.Errorf("%s with %s: status %d", id, name, response.StatusCode)
			}
			if denied {
				stranger.refused(response, http.StatusUnauthorized, "sign-in", "sign-in.required")
				continue
			}
			_ = stranger.text(response)
		}
		if documented := len(op.Security) > 0; documented != (expected.who != anyone) {
			t.Errorf("%s: the document says session %v", id, documented)
		}
	}
	for id := range accessTable {
		if known[id] == nil {
			t.Errorf("accessTable has %s, which does not exist", id)
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
