package server_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/server"
)

// What a client does wrong, and the answer that docs/protocol.md has for it, at
// the real server.

func TestBadRequests(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.As("hanna")
	deep := `{"note": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`
	tests := []struct {
		name, method, path string
		body               any
		headers            []string
		status             int
		kind               string
	}{
		{"oversized body", "PUT", "/api/me/note", `{"note": "` + strings.Repeat("x", 256<<10) + `"}`, nil, 413, "too-large"},
		{"not JSON", "PUT", "/api/me/note", "note=out", nil, 400, "invalid"},
		{"half of JSON", "PUT", "/api/me/note", `{"note": "ou`, nil, 400, "invalid"},
		{"deep JSON", "PUT", "/api/me/note", deep, nil, 422, "invalid"},
		{"JSON of another type", "PUT", "/api/me/note", `{"note": 7}`, nil, 422, "invalid"},
		{"no body", "PUT", "/api/me/note", nil, nil, 400, "invalid"},
		{"another content type", "PUT", "/api/me/note", `{"note": "out"}`, []string{"Content-Type", "text/plain"}, 415, "unsupported"},
		{"a form", "PUT", "/api/me/note", "note=out", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported"},
		{"a note too long", "PUT", "/api/me/note", webapi.SetNoteRequest{Note: strings.Repeat("ä", 501)}, nil, 422, "invalid"},
		{"an unknown state", "PUT", "/api/me/presence", webapi.SetPresenceRequest{State: "asleep"}, nil, 422, "invalid"},
		{"a state until the past", "PUT", "/api/me/presence", webapi.SetPresenceRequest{State: "busy", Until: "2020-01-01T00:00:00Z"}, nil, 422, "invalid"},
		{"a search too long", "GET", "/api/people?q=" + strings.Repeat("x", 201), nil, nil, 422, "invalid"},
		{"a search for too many", "GET", "/api/people?q=a&limit=51", nil, nil, 422, "invalid"},
		{"a page of none", "GET", "/api/sync?after=&limit=0", nil, nil, 422, "invalid"},
		{"an unknown path", "GET", "/api/nothing", nil, nil, 404, "not-found"},
		{"another method", "PATCH", "/api/me/note", `{}`, nil, 404, "not-found"},
		{"another site", "PUT", "/api/me/note", `{"note": "out"}`, []string{"Origin", "https://evil.example"}, 403, "forbidden"},
		{"another site's form", "POST", "/api/session", `{}`, []string{"Sec-Fetch-Site", "cross-site"}, 403, "forbidden"},
		{"an unknown token", "GET", "/api/session", nil, []string{"Authorization", "Bearer " + strings.Repeat("A", 43)}, 401, "sign-in"},
		{"no token at all", "GET", "/api/session", nil, []string{"Authorization", "Bearer"}, 401, "sign-in"},
		{"an oversized token", "GET", "/api/session", nil, []string{"Authorization", "Bearer " + strings.Repeat("A", 8000)}, 401, "sign-in"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := hanna.Ask(test.method, test.path, test.body, test.headers...)
			p := answer.Problem()
			if answer.Status != test.status || p.Title != test.kind || p.Status != test.status || p.Type != "tag:parley,2026:"+test.kind {
				t.Errorf("answered %d %.300s, want %d %s", answer.Status, answer.Body, test.status, test.kind)
			}
		})
	}
	if answer := hanna.Ask("GET", "/api/people/"+hanna.ID(), nil); strings.Contains(string(answer.Body), `"note"`) {
		t.Errorf("a bad request had an effect: %s", answer.Body)
	}
}

func TestBadSignIns(t *testing.T) {
	w := parleytest.Start(t)
	ok := parleytest.SignInAs("hanna@demo.example", "tea-at-four")
	for name, change := range map[string]func(*webapi.SignInRequest){
		"no address":             func(r *webapi.SignInRequest) { r.Address = "" },
		"no domain":              func(r *webapi.SignInRequest) { r.Address = "hanna@" },
		"a long address":         func(r *webapi.SignInRequest) { r.Address = strings.Repeat("a", 400) + "@demo.example" },
		"no password":            func(r *webapi.SignInRequest) { r.Password = "" },
		"a long password":        func(r *webapi.SignInRequest) { r.Password = strings.Repeat("x", 1025) },
		"a control character":    func(r *webapi.SignInRequest) { r.Password = "tea\x00at-four" },
		"no installation":        func(r *webapi.SignInRequest) { r.Installation = "" },
		"a made-up installation": func(r *webapi.SignInRequest) { r.Installation = "../../etc/passwd......" },
		"another class":          func(r *webapi.SignInRequest) { r.DeviceClass = "administrator" },
	} {
		request := ok
		change(&request)
		if answer := w.Ask("POST", "/api/session", request); answer.Status != 422 || answer.Problem().Title != "invalid" {
			t.Errorf("%s is answered %d %s, want 422 invalid", name, answer.Status, answer.Body)
		}
	}
}

func TestBadHandshakes(t *testing.T) {
	w := parleytest.Start(t)
	hanna, err := w.SignIn("hanna", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		status  int
		headers []string
	}{
		"no session":      {401, nil},
		"unknown session": {401, []string{"Authorization", "Bearer " + strings.Repeat("A", 43)}},
		"wrong origin":    {403, []string{"Authorization", "Bearer " + hanna.Token(), "Origin", "https://evil.example"}},
		"own origin":      {101, []string{"Authorization", "Bearer " + hanna.Token(), "Origin", w.Base}},
		"by cookie":       {101, []string{"Cookie", "parley=" + hanna.Token(), "Origin", w.Base}},
	} {
		if _, status := parleytest.Dial(t, w.Base, test.headers...); status != test.status {
			t.Errorf("%s: the socket is answered %d, want %d", name, status, test.status)
		}
	}
	if answer := hanna.Ask("GET", "/api/ws", nil); answer.Status != 400 || answer.Problem().Title != "invalid" {
		t.Errorf("a plain request for the socket is answered %d %s", answer.Status, answer.Body)
	}
}

func sendFrame(id, conversation, kind, content, body string) string {
	return fmt.Sprintf(`{"type": "send", "client_id": %q, "conversation": %q, "kind": %q, "content": %q, "body": %q}`, id, conversation, kind, content, body)
}

func TestBadMessages(t *testing.T) {
	w := parleytest.Start(t)
	kwame := w.As("kwame")
	hanna, err := w.SignIn("hanna", nil)
	if err != nil {
		t.Fatal(err)
	}
	talk := hanna.With(kwame)
	socket := hanna.Socket()
	text := func(n int) string { return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", n))) }
	tests := []struct {
		name, frame string
		id          func(string) string
		kind        string
	}{
		{"body over the limit", sendFrame("ID", talk, "message", "text.v1", text(64<<10+1)), nil, "too-large"},
		{"text over its limit", sendFrame("ID", talk, "message", "text.v1", text(16_001)), nil, "too-large"},
		{"empty text", sendFrame("ID", talk, "message", "text.v1", ""), nil, "invalid"},
		{"text that is not UTF-8", sendFrame("ID", talk, "message", "text.v1", "/w=="), nil, "invalid"},
		{"body that is not base64", sendFrame("ID", talk, "message", "text.v1", "not base64!"), nil, "invalid"},
		{"unknown content", sendFrame("ID", talk, "message", "text.v9", text(1)), nil, "unsupported"},
		{"unknown kind", sendFrame("ID", talk, "shout", "text.v1", text(1)), nil, "unsupported"},
		{"client id too short", sendFrame("short", talk, "message", "text.v1", text(1)), func(string) string { return "short" }, "invalid"},
		{"somebody else's conversation", sendFrame("ID", "p1.p2", "message", "text.v1", text(1)), nil, "not-found"},
		{"a person who is not there", sendFrame("ID", parleytest.Conversation(hanna.ID(), "p9999"), "message", "text.v1", text(1)), nil, "not-found"},
		{"oneself", sendFrame("ID", hanna.ID()+"."+hanna.ID(), "message", "text.v1", text(1)), nil, "not-found"},
		{"a group", sendFrame("ID", "g5", "message", "text.v1", text(1)), nil, "not-found"},
		{"no conversation", sendFrame("ID", "talk", "message", "text.v1", text(1)), nil, "not-found"},
	}
	for i, test := range tests {
		id := fmt.Sprintf("%022d", i)
		if test.id != nil {
			id = test.id(id)
		}
		socket.Send(strings.Replace(test.frame, "ID", id, 1))
		if e := socket.Expect("refused"); e.ClientID != id || e.Problem.Title != test.kind {
			t.Errorf("%s: refused %q with %+v, want %s", test.name, e.ClientID, e.Problem, test.kind)
		}
	}
	// After all this the connection is as good as before.
	good := sendFrame(strings.Repeat("g", 22), talk, "message", "text.v1", base64.StdEncoding.EncodeToString([]byte("a good one")))
	socket.Send(good)
	socket.Expect("accepted")
	kwame.Hears(hanna, "a good one")
	socket.Send(good) // sent twice
	if e := socket.Expect("known"); e.ClientID != strings.Repeat("g", 22) {
		t.Errorf("sent twice: %+v", e)
	}
	if got := kwame.Texts(talk); len(got) != 1 {
		t.Errorf("kwame has %q", got)
	}
}

func TestBadFrames(t *testing.T) {
	w := parleytest.Start(t)
	hanna, err := w.SignIn("hanna", nil)
	if err != nil {
		t.Fatal(err)
	}
	socket := hanna.Socket()
	people := make([]string, 2001)
	for i := range people {
		people[i] = fmt.Sprintf(`"p%d"`, i+1)
	}
	for _, test := range []struct{ name, frame, about, kind string }{
		{"unknown type", `{"type": "dance"}`, "dance", "unsupported"},
		{"no type", `{}`, "", "unsupported"},
		{"no JSON", `dance`, "", "invalid"},
		{"an array", `[{"type": "ping"}]`, "", "invalid"},
		{"a field of another type", `{"type": "watch", "people": "p1"}`, "watch", "invalid"},
		{"deep JSON", `{"type": "ping", "x": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "", "invalid"},
		{"not UTF-8", "{\"type\": \"ping\xff\"}", "", "invalid"},
		{"hello again", `{"type": "hello", "protocol": 1}`, "hello", "invalid"},
		{"2,001 people", `{"type": "watch", "people": [` + strings.Join(people, ",") + `]}`, "watch", "too-large"},
		{"people of a wrong form", `{"type": "watch", "people": ["hanna"]}`, "watch", "invalid"},
		{"a made-up cursor", `{"type": "ack", "cursor": "AAAAAAAAAAAAAAAAAAAAAA"}`, "ack", "invalid"},
		{"no cursor", `{"type": "resume"}`, "resume", "invalid"},
		{"reading somebody else's conversation", `{"type": "typing", "conversation": "p1.p2", "on": true}`, "typing", "not-found"},
	} {
		socket.Send(test.frame)
		if e := socket.Expect("problem"); e.Frame != test.about || e.Problem.Title != test.kind {
			t.Errorf("%s: %+v, want %s about %q", test.name, e, test.kind, test.about)
		}
	}
	socket.Send(`{"type": "watch", "people": [` + strings.Join(people[:2000], ",") + `]}`)
	socket.Send(`{"type": "ping"}`)
	socket.Expect("pong")
}

func TestFramesThatCloseTheSocket(t *testing.T) {
	w := parleytest.Start(t, func(c *server.Config) { c.Limits.FramesAtOnce, c.Limits.FramesPerSecond = 200, 50 })
	for name, test := range map[string]struct {
		code  uint16
		greet bool
		send  func(*parleytest.Socket)
	}{
		"oversized frame":   {4413, true, func(s *parleytest.Socket) { s.Send(`{"type": "ping", "x": "` + strings.Repeat("x", 128<<10) + `"}`) }},
		"many malformed":    {4400, true, func(s *parleytest.Socket) { repeat(21, func() { s.Send("{") }) }},
		"many binary":       {4400, true, func(s *parleytest.Socket) { repeat(21, func() { s.SendBinary([]byte(`{"type": "ping"}`)) }) }},
		"before hello":      {4400, false, func(s *parleytest.Socket) { s.Send(`{"type": "ping"}`) }},
		"no hello, no JSON": {4400, false, func(s *parleytest.Socket) { s.Send(`GET / HTTP/1.1`) }},
		"an old protocol":   {4426, false, func(s *parleytest.Socket) { s.Send(`{"type": "hello", "protocol": 0}`) }},
		"a future protocol": {4426, false, func(s *parleytest.Socket) { s.Send(`{"type": "hello", "protocol": 99}`) }},
		"far too many":      {4429, true, func(s *parleytest.Socket) { repeat(3000, func() { s.Send(`{"type": "ping"}`) }) }},
	} {
		t.Run(name, func(t *testing.T) {
			hanna, err := w.SignIn("hanna", nil)
			if err != nil {
				t.Fatal(err)
			}
			var socket *parleytest.Socket
			if test.greet {
				socket = hanna.Socket()
			} else {
				socket, _ = parleytest.Dial(t, w.Base, "Authorization", "Bearer "+hanna.Token())
			}
			test.send(socket)
			if code := socket.Closed(); code != test.code {
				t.Errorf("closed with %d, want %d", code, test.code)
			}
			again := hanna.Socket() // the device is none the worse for it
			again.Send(`{"type": "ping"}`)
			again.Expect("pong")
		})
	}
}

func repeat(n int, do func()) {
	for range n {
		do()
	}
}

// Past the rate a message is refused for now; sent again a moment later it is
// accepted, once.
func TestTooManyMessages(t *testing.T) {
	w := parleytest.Start(t, func(c *server.Config) { c.Limits.FramesAtOnce, c.Limits.FramesPerSecond = 20, 50 })
	hanna, kwame := w.As("hanna"), w.As("kwame")
	talk := hanna.With(kwame)
	var ids []string
	for i := range 60 {
		ids = append(ids, hanna.Queue(talk, fmt.Sprint("m", i)))
	}
	var refused string
	for _, id := range ids {
		if p := hanna.Answered(id); p.Title != "" {
			refused = id
			if p.Title != "too-many" || p.Retry != "later" || p.RetryAfter < 1 {
				t.Errorf("a message past the rate is refused with %+v", p)
			}
		}
	}
	if refused == "" {
		t.Fatal("no message was refused")
	}
	eventually(t, "everything was sent at last", func() bool {
		hanna.Close() // what a client does when it waits: here by dialling again
		hanna.Connect()
		hanna.Online()
		for _, id := range ids {
			hanna.Answered(id)
		}
		return hanna.Pending() == 0
	})
	kwame.Hears(hanna, "m59")
	seen := map[string]int{}
	for _, text := range kwame.Texts(talk) {
		if seen[text]++; seen[text] > 1 {
			t.Errorf("kwame has %q twice", text)
		}
	}
	if len(seen) != 60 {
		t.Errorf("kwame has %d messages, want 60", len(seen))
	}
}
