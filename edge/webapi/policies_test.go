package webapi

import (
	"fmt"
	"slices"
	"testing"

	"parley"
)

// A rule that changes what is seen shows everybody who is watched anew; the states
// that look as before are not written again. Another rule disturbs nobody, and
// neither does a socket that watches nobody or has not said hello.
func TestPolicyChangeShowsAnew(t *testing.T) {
	w := newWorld(t)
	anna, ben := w.signIn("anna"), w.signIn("ben")
	socket, idle, silent := anna.online(), ben.online(), w.signIn("carla").dial()
	defer func() { _ = silent.conn.NetConn().Close() }()
	socket.send(WatchFrame{Type: "watch", People: []string{w.ids["ben"].String(), w.ids["dora"].String()}})
	socket.settle()
	idle.settle()
	admin := parley.Actor{Kind: parley.ActorAdmin}
	rules := w.server.config.Rules
	set := func(key, value string, want ...string) {
		t.Helper()
		if _, err := rules.Set(t.Context(), admin, key, value); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range socket.settle() {
			got = append(got, fmt.Sprint(e.text("type"), " ", e.text("person")))
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("after %s = %s come %q, want %q", key, value, got, want)
		}
		if disturbed := idle.settle(); len(disturbed) != 0 {
			t.Errorf("after %s = %s whoever watches nobody gets %v", key, value, disturbed)
		}
	}
	theirs, hers := "card "+w.ids["ben"].String(), "card "+w.ids["dora"].String()
	set("policy.message_limit", "7d")
	set("policy.pictures", "false", theirs, hers)
	set("policy.pictures", "false") // the same again
	set("policy.location", "false", theirs, hers, "presence "+w.ids["ben"].String())
	set("directory.public", "title", theirs, hers)
}
