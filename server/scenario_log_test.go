package server_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/server"
	"parley/server/demo"
	"parley/supplement"
)

// The server's own log, at its most talkative, after a day on which everything
// happened: nothing in it is anybody's content or secret.
//
// claim: LG4
func TestLG4LogHoldsNoContentAndNoSecrets(t *testing.T) {
	outside := parleytest.NewOutside(t, http.NotFoundHandler())
	outside.Lookup = func(domain string) { panic("a fault while looking for " + domain) }
	outside.Host("secret-domain.example.com", "93.184.216.34")
	w := parleytest.Start(t, outside.Use, behindProxy, func(c *server.Config) { c.Limits.FramesAtOnce, c.Limits.FramesPerSecond = 50, 50 })
	hanna, kwame := w.As("hanna"), w.As("kwame")
	secrets := map[string]string{
		"the demo's password": demo.Password,
		"a token":             hanna.Token(), "a history key": hanna.Session.HistoryKey,
	}
	note := func(what, secret string) string { secrets[what] = secret; return secret }

	// People talk, and look each other up.
	hanna.Say(kwame, note("a message", "CANARY the heron flies at night"))
	kwame.Hears(hanna, "CANARY the heron flies at night")
	kwame.SetNote(note("a note", "at the doctor's"))
	for _, query := range []string{note("a searched name", "Lindqvist"), note("a phone number", "+4917139200"), note("a searched address", "zoe@demo.example")} {
		hanna.Ask("GET", "/api/people?q="+strings.ReplaceAll(query, "+", "%2B"), nil)
	}
	hanna.Ask("GET", "/api/people/zoe@demo.example", nil)

	// Passwords come and go.
	code := note("an invitation", w.Invite("kwame@demo.example"))
	w.Ask("POST", "/api/invitation/password", webapi.UseInvitationRequest{Code: code, Password: note("an invited password", "kwame's own secret")})
	kwame.SignedOut()
	hanna.Ask("PUT", "/api/me/password", webapi.ChangePasswordRequest{Current: demo.Password, Password: note("a changed password", "hanna's next secret")})
	w.SetPassword("amara@demo.example", note("an administrator's password", "amara was given this"))
	for i := range 12 {
		signIn(w, "192.0.2.1", note("an unknown address", "nobody.knows@demo.example"), note("a wrong password", "guess number twelve"))
		w.Ask("POST", "/api/password/forgotten", webapi.ForgottenRequest{Address: fmt.Sprintf("forgetful%d@demo.example", i)})
	}
	note("a forgetful address", "forgetful")
	w.Ask("GET", "/api/session", nil, "Cookie", "parley="+note("a wrong cookie", strings.Repeat("Zx9", 14)+"Z"))

	// Things go wrong.
	if answer := w.Ask("POST", "/api/discover", webapi.DiscoverRequest{Address: "ann@" + note("a typed domain", "secret-domain.example.com")}); answer.Status != 500 {
		t.Errorf("a fault is answered %d %s", answer.Status, answer.Body)
	}
	hanna.Ask("PUT", "/api/me/note", `{"note": "`+note("half a note", "half a thou")) // broken off
	desk, err := w.SignIn("hanna", func(r *webapi.SignInRequest) { r.Password = secrets["a changed password"] })
	if err != nil {
		t.Fatal(err)
	}
	note("another token", desk.Token())
	socket := desk.Socket()
	socket.Send(`{"type": "send", "client_id": "` + note("a bad client id", "not-a-client-id-at-all") + `", "conversation": "p1.p2", "kind": "message", "content": "text.v1", "body": "Q0FOQVJZ"}`)
	socket.Expect("refused")
	socket.Send(`{"type": "` + note("a made-up frame", "gossip-frame") + `"}`)
	socket.Expect("problem")
	for range 60 { // past the rate
		socket.Send(`{"type": "typing", "conversation": "p1.p2", "on": true}`)
	}
	said := w.Import("dn: uid=x,dc=example,dc=test\nobjectClass: inetOrgPerson\nuid: x\ncn:: "+note("a bad value", "!!not-base64!!")+"\n\n"+
		"dn: uid="+note("an imported name", "velvet")+",dc=example,dc=test\nobjectClass: inetOrgPerson\nuid: velvet\ncn: Velvet Person\ntelephoneNumber: "+
		note("an imported number", "+44 1632 960999")+"\nmail: velvet@demo.example\n", server.ImportOptions{})
	if said.Added != 1 || said.Skipped != 1 {
		t.Errorf("the import says %+v", said)
	}
	w.Backup()
	w.Restart()

	log := w.Log.String()
	for what, secret := range secrets {
		if strings.Contains(log, secret) {
			at := strings.Index(log, secret)
			t.Errorf("the log holds %s: …%s…", what, log[max(0, at-120):min(len(log), at+80)])
		}
	}
	for _, name := range []string{"Petersen", "Mensah", "hanna@", "kwame@"} {
		if strings.Contains(log, name) {
			t.Errorf("the log names somebody: %s", name)
		}
	}
	declared := supplement.Declared(supplement.Log)
	for line := range strings.Lines(log) {
		for _, key := range logKeys(t, line) {
			if _, ok := declared[key]; !ok {
				t.Errorf("the log has a field %q that the inventory does not declare: %s", key, line)
			}
		}
	}
	lines := []string{"msg=request", "request panicked", "POST /api/session", "people imported", "administrator's command done"}
	if !parleytest.TwoNodes() {
		lines = append(lines, "backup made")
	}
	for _, line := range lines {
		if !strings.Contains(log, line) {
			t.Errorf("the log lacks %q: the test looks at too little", line)
		}
	}
}

// logKeys are the keys of a line of the log in its text form. Those of groups
// stand for themselves.
func logKeys(t *testing.T, line string) (keys []string) {
	t.Helper()
	rest := strings.TrimSpace(line)
	for rest != "" {
		key, value, ok := strings.Cut(rest, "=")
		if !ok {
			t.Fatalf("this is no line of the log: %s", line)
		}
		keys = append(keys, strings.Split(key, ".")...)
		if quoted, err := strconv.QuotedPrefix(value); err == nil {
			rest = strings.TrimSpace(value[len(quoted):])
		} else {
			_, rest, _ = strings.Cut(value, " ")
		}
	}
	return keys
}
