package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/privacy"
	"parley/server"
)

// rulers makes people of the demo organisation administrators.
func rulers(aliases ...string) func(*server.Config) {
	return func(c *server.Config) {
		for _, alias := range aliases {
			c.Administrators = append(c.Administrators, alias+"@demo.example")
		}
	}
}

// ruler is an administrator with a device on each node.
type ruler []*parleytest.Device

// rulerOf makes a ruler of somebody who is among the administrators.
func rulerOf(w *parleytest.World, alias string) ruler {
	w.Helper()
	var r ruler
	for range 2 {
		d, err := w.SignIn(alias, nil)
		if err != nil {
			w.Fatal(err)
		}
		r = append(r, d)
	}
	return r
}

// set sets a rule at one node, and waits until it holds at the other.
func (r ruler) set(t *testing.T, key, value string) webapi.Policy {
	t.Helper()
	return r.changed(t, key, r[0].Ask("PUT", "/api/admin/policies/"+key, webapi.SetPolicyRequest{Value: value}))
}

func (r ruler) reset(t *testing.T, key string) {
	t.Helper()
	r.changed(t, key, r[0].Ask("DELETE", "/api/admin/policies/"+key, nil))
}

func (r ruler) changed(t *testing.T, key string, answer parleytest.Answer) (rule webapi.Policy) {
	t.Helper()
	if answer.Status != http.StatusOK {
		t.Fatalf("changing %s is answered\n%s", key, answer.Signature())
	}
	answer.Into(t, &rule)
	eventually(t, "every node has "+key+" = "+rule.Value, func() bool { return r.page(t)[key].Value == rule.Value })
	return rule
}

// page gives the rules by their keys, as the other node has them.
func (r ruler) page(t *testing.T) map[string]webapi.Policy {
	t.Helper()
	var page webapi.Policies
	r[1].Ask("GET", "/api/admin/policies", nil).Into(t, &page)
	found := map[string]webapi.Policy{}
	for _, p := range page.Policies {
		found[p.Key] = p
	}
	return found
}

// A rule holds from the moment it is set, for whoever looks already, too.
//
// claim: LS3, PM1, CC6
func TestLS3RulesTakeEffectAtOnce(t *testing.T) {
	w := parleytest.Start(t, rulers("hanna"))
	admin := rulerOf(w, "hanna")
	seun, kwame, amara := w.As("seun"), w.As("kwame"), w.As("amara")
	w.Prefer(seun, privacy.Preferences{SharePhoto: true, ShareTimeZone: true, OnlyContacts: true})
	for _, d := range []*parleytest.Device{seun, kwame, amara} {
		d.Online()
	}
	amara.Watch(seun.ID())
	fence(t, kwame, amara)
	if p, _ := amara.Presence(seun.ID()); p.Availability != 0 {
		t.Fatalf("who is no contact is shown %+v", p)
	}

	cards := amara.Heard("card")
	admin.set(t, "policy.privacy_mode", "false")
	amara.Sees(seun.ID(), "the state, once Privacy Mode is not offered", func(p webapi.Presence) bool {
		return p.Availability == 3500 && p.TimeZone == "Europe/Berlin"
	})
	amara.HearsEvent("card", cards+1)

	admin.set(t, "policy.location", "false")
	amara.Sees(seun.ID(), "no time zone", func(p webapi.Presence) bool { return p.Availability == 3500 && p.TimeZone == "" })
	if card, raw := cardOf(t, seun, seun.ID()); card.Presence.TimeZone != "" {
		t.Errorf("the server still knows where seun is: %s", raw)
	}
	admin.reset(t, "policy.location")
	seun.Activity(true, true)
	amara.Sees(seun.ID(), "the time zone again", func(p webapi.Presence) bool { return p.TimeZone == "Europe/Berlin" })

	if card, _ := cardOf(t, amara, seun.ID()); card.Photo == "" || strings.Contains(phoneKinds(card), "mobile") {
		t.Fatalf("before the change the card is %+v", card)
	}
	photo := "/api/people/" + seun.ID() + "/photo"
	admin.set(t, "policy.pictures", "false")
	admin.set(t, "directory.public", "title,mobile")
	if card, raw := cardOf(t, amara, seun.ID()); card.Photo != "" || !strings.Contains(phoneKinds(card), "mobile") {
		t.Errorf("after the change the card is %s", raw)
	}
	if answer := amara.Ask("GET", photo, nil); answer.Status != http.StatusNotFound {
		t.Errorf("a picture that is not shown is answered %d", answer.Status)
	}
	admin.reset(t, "policy.pictures")
	if answer := amara.Ask("GET", photo, nil); answer.Status != http.StatusOK {
		t.Errorf("a picture that is shown again is answered %d", answer.Status)
	}

	admin.set(t, "limits.message_body", "1024")
	if p := amara.Refused(amara.Queue(amara.With(seun), strings.Repeat("x", 1025))); p.Title != "too-large" {
		t.Errorf("a message that is too large now is refused with %+v", p)
	}
	amara.Say(seun, "short")
	seun.Hears(amara, "short")
}

// The pages of administrators do not exist for anybody else: the answer is that of
// a path that there is not, whatever is asked and by whom.
func TestRulesAreForAdministrators(t *testing.T) {
	w := parleytest.Start(t, rulers("hanna"))
	admin, kwame := rulerOf(w, "hanna")[0], w.As("kwame")
	type asker func(method, path string, body any, headers ...string) parleytest.Answer
	for _, request := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/api/admin/policies", nil},
		{"GET", "/api/admin/policy-history?limit=100000", nil},
		{"PUT", "/api/admin/policies/policy.pictures", webapi.SetPolicyRequest{Value: "false"}},
		{"PUT", "/api/admin/policies/policy.pictures", `{"value": 7}`},
		{"PUT", "/api/admin/policies/" + strings.Repeat("x", 500), webapi.SetPolicyRequest{Value: "false"}},
		{"DELETE", "/api/admin/policies/policy.pictures", nil},
	} {
		for who, ask := range map[string]asker{"nobody": w.Ask, "kwame": kwame.Ask} {
			got, nothing := ask(request.method, request.path, request.body), ask(request.method, "/api/admin/nothing", request.body)
			if got.Status != http.StatusNotFound || got.Signature() != nothing.Signature() {
				t.Errorf("%s asks %s %.60s and is answered\n%s\nunlike what there is not\n%s", who, request.method, request.path, got.Signature(), nothing.Signature())
			}
		}
	}
	for _, request := range []struct {
		path, value string
		status      int
		key         string
	}{
		{"policy.pictures", "perhaps", 422, "policy.value"},
		{"policy.dance", "true", 404, "policy.unknown"},
		{"limits.devices", "1001", 422, "policy.value"},
	} {
		answer := admin.Ask("PUT", "/api/admin/policies/"+request.path, webapi.SetPolicyRequest{Value: request.value})
		if answer.Status != request.status || answer.Problem().Key != request.key {
			t.Errorf("%s = %s is answered\n%s", request.path, request.value, answer.Signature())
		}
	}
	for _, query := range []string{"?before=x", "?before=-1", "?limit=0", "?limit=501"} {
		if answer := admin.Ask("GET", "/api/admin/policy-history"+query, nil); answer.Status != 422 {
			t.Errorf("history%s is answered %d", query, answer.Status)
		}
	}
}

// Who changed what is kept, survives a restart, and stands in the audit trail; the
// page and the command line say the same.
func TestRulesKeepTheirHistory(t *testing.T) {
	locks := func(*server.Config) {}
	w := parleytest.Start(t, rulers("hanna"), func(c *server.Config) { locks(c) })
	admin := rulerOf(w, "hanna")
	rule := admin.set(t, "policy.message_limit", "168h")
	if rule.Value != "7d" || rule.Source != "stored" || rule.Changed == nil || rule.Changed.By != admin[0].ID() || !strings.Contains(rule.Changed.ByName, "Hanna") {
		t.Errorf("the rule is answered as %+v, changed %+v", rule, rule.Changed)
	}
	control := w.Control()
	defer control.Close()
	if set, err := control.SetRule(t.Context(), "policy.location", "false"); err != nil || set.Value != "false" {
		t.Fatalf("set at the command line: %+v, %v", set, err)
	}
	admin.reset(t, "policy.message_limit")
	admin.set(t, "policy.pictures", "false")

	lines := func(control *server.Control, key string) (list []string) {
		t.Helper()
		changes, err := control.RuleHistory(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			list = append(list, c.Key+"="+c.Value+" "+c.By)
		}
		return list
	}
	want := []string{
		"policy.pictures=false hanna@demo.example", "policy.message_limit= hanna@demo.example",
		"policy.location=false the command line", "policy.message_limit=7d hanna@demo.example",
	}
	if got := lines(control, ""); !slices.Equal(got, want) {
		t.Errorf("the history is %q", got)
	}
	if got := lines(control, "policy.message_limit"); len(got) != 2 {
		t.Errorf("the history of one rule is %q", got)
	}
	found, err := control.VerifyAudit(t.Context())
	if err != nil || found.Broken != 0 || found.Records < 4 {
		t.Errorf("the trail is %+v, %v", found, err)
	}

	// The configuration wins over what is stored, and locks.
	locks = func(c *server.Config) { c.Policy.Location, c.Policy.MaxDevices = true, 3 }
	w.Restart()
	page := admin.page(t)
	if p := page["policy.pictures"]; p.Value != "false" || p.Source != "stored" {
		t.Errorf("after a restart pictures are %+v", p)
	}
	if p := page["limits.devices"]; p.Value != "3" || p.Source != "configuration" || p.Where == "" {
		t.Errorf("what the configuration gives is %+v", p)
	}
	if p := page["policy.message_limit"]; p.Value != "30d" || p.Source != "default" || p.Changed == nil || !p.Changed.Reset {
		t.Errorf("what was reset is %+v", p)
	}
	answer := admin[0].Ask("PUT", "/api/admin/policies/limits.devices", webapi.SetPolicyRequest{Value: "5"})
	if answer.Status != http.StatusForbidden || answer.Problem().Key != "policy.locked" {
		t.Errorf("changing what is locked is answered\n%s", answer.Signature())
	}
	var history webapi.PolicyHistory
	admin[0].Ask("GET", "/api/admin/policy-history?limit=3", nil).Into(t, &history)
	var older webapi.PolicyHistory
	admin[0].Ask("GET", "/api/admin/policy-history?limit=3&before="+history.Changes[2].ID, nil).Into(t, &older)
	if len(history.Changes) != 3 || !history.More || len(older.Changes) != 1 || older.More || older.Changes[0].Key != "policy.message_limit" {
		t.Errorf("the history is %+v, and before that %+v", history, older)
	}
	if w.Logged("Hanna") || w.Logged("hanna@") {
		t.Error("the log names somebody")
	}

	w.Stop()
	if parleytest.TwoNodes() {
		return // a folder by itself holds nothing then
	}
	alone := w.ControlAlone()
	defer alone.Close()
	if _, err := alone.SetRule(t.Context(), "limits.devices", "5"); err == nil || !strings.Contains(err.Error(), "gives this rule: change it there") {
		t.Errorf("changing what is locked, without a server: %v", err)
	}
	if got := lines(alone, ""); !slices.Equal(got, want) {
		t.Errorf("without a server the history is %q", got)
	}
}
