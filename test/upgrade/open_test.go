package upgrade

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/parleytest/postgres"
	"parley/server"
)

func TestMain(m *testing.M) { parleytest.Main(m) }

// Today's program opens what every release left behind, and a database of its own.
func TestOpenSQLite(t *testing.T) {
	everyFixture(t, func(t *testing.T, dir string) {
		makeSQLite(t, dir, func(l *life) lena { return player{l} })
	}, func(t *testing.T, f Fixture) (*parleytest.World, *Facts) {
		data := t.TempDir()
		facts, err := f.SQLite(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		return parleytest.StartOver(t, data, Configure), facts
	})
}

func TestOpenPostgres(t *testing.T) {
	everyFixture(t, makePostgres, func(t *testing.T, f Fixture) (*parleytest.World, *Facts) {
		url := postgres.Database(t)
		facts, err := f.Postgres(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		return parleytest.StartNodesOver(t, url, Configure), facts
	})
}

func everyFixture(t *testing.T, make func(t *testing.T, dir string), open func(*testing.T, Fixture) (*parleytest.World, *Facts)) {
	all, err := Fixtures(".")
	if err != nil || len(all) == 0 {
		t.Fatalf("there are no fixtures: %v", err)
	}
	for _, f := range all {
		t.Run(f.Release, func(t *testing.T) { opened(t, open, f) })
	}
	t.Run("today", func(t *testing.T) {
		dir := t.TempDir()
		make(t, dir)
		opened(t, open, Fixture{"today", dir})
	})
}

// opened looks at everything that a fixture holds.
func opened(t *testing.T, open func(*testing.T, Fixture) (*parleytest.World, *Facts), f Fixture) {
	w, facts := open(t, f)
	seen(t, w, facts)
	administered(t, w, facts)
	devices := returned(t, w, facts)
	shown(t, devices, facts)
	written(t, devices, facts)
	signedIn(t, w, facts)
	for name, d := range devices {
		if doubled := d.Doubled(); len(doubled) > 0 {
			t.Errorf("%s got twice: %q", name, doubled)
		}
	}
	again(t, w, devices)
}

// seen compares what devices are answered with what they were: levels,
// preferences, the directory, marks, sessions.
func seen(t *testing.T, w *parleytest.World, facts *Facts) {
	t.Helper()
	if len(facts.Views) == 0 {
		t.Fatal("nothing was looked at")
	}
	c := comparison{fields: map[string]bool{}}
	for _, v := range facts.Views {
		c.learn(v.Answer)
	}
	for _, v := range facts.Views {
		c.differences = nil
		is := answer(t, w.Base, facts.Devices[v.Device], v.Path)
		if v.Path == "/api/contacts" && suggests(v.Answer) {
			is = c.listed(v, is)
		}
		c.compare(v.Answer, is, "")
		for _, difference := range c.differences {
			t.Errorf("%s %s: %s", v.Device, v.Path, difference)
		}
	}
}

// suggests reports whether an answer of the Contacts tab holds people to begin with.
func suggests(answer any) bool {
	groups, _ := answer.(map[string]any)["groups"].([]any)
	return slices.ContainsFunc(groups, func(g any) bool { return g.(map[string]any)["id"] == "team" })
}

// listed looks at the contacts of whoever had people to begin with in release 0001,
// which showed no lists. Whoever has contacts since gets those, in no group yet;
// everybody else gets what they had. It gives what is left to compare.
func (c *comparison) listed(v View, is any) any {
	alias, _, _ := strings.Cut(v.Device, "-")
	var got []string
	groups, _ := is.(map[string]any)["groups"].([]any)
	for _, g := range groups {
		group := g.(map[string]any)
		if group["id"] != "others" {
			continue
		}
		for _, p := range group["people"].([]any) {
			name, _, _ := strings.Cut(p.(map[string]any)["address"].(string), "@")
			got = append(got, name)
		}
	}
	if want := contacts[alias]; strings.Join(got, " ") != want {
		c.differ(".groups", "the contacts "+want, got)
	}
	if len(got) > 0 {
		return v.Answer
	}
	return is
}

// published are the places in which a field is shown by now that releases showed in
// others alone: after 0001 the mail address came into rows of lists.
var published = regexp.MustCompile(`(^\.person|\.manager|\.(people|reports)\[\d+\])\.mail$`)

// comparison compares JSON values of a release with those of today. Fields that the
// release had must be where they were and nowhere else: a field that was withheld
// stays withheld. Fields that it did not know may be there.
type comparison struct {
	fields      map[string]bool // that the release had
	differences []string
}

func (c *comparison) learn(v any) {
	switch v := v.(type) {
	case map[string]any:
		for field, value := range v {
			c.fields[field] = true
			c.learn(value)
		}
	case []any:
		for _, value := range v {
			c.learn(value)
		}
	}
}

func (c *comparison) differ(at string, was, is any) {
	c.differences = append(c.differences, fmt.Sprintf("%s was %v, is %v", at, was, is))
}

func (c *comparison) compare(was, is any, at string) {
	switch was := was.(type) {
	case map[string]any:
		now, ok := is.(map[string]any)
		if !ok {
			c.differ(at, was, is)
			return
		}
		for field, value := range was {
			c.compare(value, now[field], at+"."+field)
		}
		for field, value := range now {
			if _, had := was[field]; !had && c.fields[field] && !published.MatchString(at+"."+field) {
				c.differ(at+"."+field, "withheld", value)
			}
		}
	case []any:
		now, ok := is.([]any)
		if !ok || len(now) != len(was) {
			c.differ(at, was, is)
			return
		}
		for i := range was {
			c.compare(was[i], same(was[i], now, i), fmt.Sprintf("%s[%d]", at, i))
		}
	default:
		if was != is {
			c.differ(at, was, is)
		}
	}
}

// same finds the element that was in place i: the one of the same id where elements
// have one, for some lists are in the order of use.
func same(was any, now []any, i int) any {
	object, ok := was.(map[string]any)
	if !ok || object["id"] == nil {
		return now[i]
	}
	for _, is := range now {
		if other, ok := is.(map[string]any); ok && other["id"] == object["id"] {
			return is
		}
	}
	return nil
}

// administered looks at what the operator has: people, jobs, the trail, an
// invitation.
func administered(t *testing.T, w *parleytest.World, facts *Facts) {
	t.Helper()
	control := w.Control()
	defer control.Close()
	verified, err := control.VerifyAudit(t.Context(), facts.Audit)
	if err != nil || verified.Broken != 0 || verified.Records == 0 {
		t.Errorf("the trail is %+v, %v", verified, err)
	}
	people, err := control.People(t.Context(), false)
	if err != nil || len(people) != len(aliases) {
		t.Errorf("%d people are listed, %v", len(people), err)
	}
	for _, p := range people {
		alias, _, _ := strings.Cut(p.Address, "@")
		if p.Disabled != (alias == "gus") || p.Gone != (alias == "hal" || alias == "") || p.Requested.IsZero() != (alias != "jon") {
			t.Errorf("listed as %+v", p)
		}
	}
	ruled(t, control, facts)
	jobs, err := control.Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, was := range facts.Jobs {
		i := slices.IndexFunc(jobs, func(j server.ListedJob) bool { return j.ID == was.ID })
		if i < 0 || jobs[i].Kind != was.Kind || jobs[i].State != was.State || jobs[i].Attempts != was.Attempts || jobs[i].Error != was.Error {
			t.Errorf("job %+v is not among %+v", was, jobs)
			continue
		}
		if was.State == "failed" {
			if err := control.RetryJob(t.Context(), was.ID); err != nil {
				t.Errorf("a job that was given up is not tried again: %v", err)
			}
		}
	}
	if len(facts.Jobs) != 2 {
		t.Errorf("the fixture has the jobs %+v", facts.Jobs)
	}
}

// ruled looks at what the administrator made of the rules. Rules that were taken
// back have the default of today.
func ruled(t *testing.T, control *server.Control, facts *Facts) {
	t.Helper()
	rules, err := control.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range facts.Rules {
		i := slices.IndexFunc(rules, func(r server.ListedRule) bool { return r.Key == key })
		if i < 0 || rules[i].Value != want || rules[i].Changed == nil || (rules[i].Source == "default") != rules[i].Changed.Reset {
			t.Errorf("%s was %s, and the rules are %+v", key, want, rules)
		}
	}
	changes, err := control.RuleHistory(t.Context(), "")
	if err != nil || len(changes) != facts.Changes || len(changes) == 0 {
		t.Errorf("%d changes of rules are known, were %d: %v", len(changes), facts.Changes, err)
	}
}

// returned switches the devices on, each with its old cursor, and compares what
// comes with what was there for it. Those that have something to send come last.
func returned(t *testing.T, w *parleytest.World, facts *Facts) map[string]*parleytest.Device {
	t.Helper()
	devices := map[string]*parleytest.Device{}
	for _, sends := range []bool{false, true} {
		for name, kept := range facts.Devices {
			if len(kept.Queue) > 0 != sends {
				continue
			}
			d := parleytest.Return(t, w.Base, kept.Kept).Online()
			got := gets(d, kept.Lacks)
			if sends && len(got) > len(kept.Lacks) {
				got = got[:len(kept.Lacks)] // and then what is said now
			}
			if !slices.Equal(got, kept.Lacks) {
				t.Errorf("%s got\n%v\nwant\n%v", name, got, kept.Lacks)
			}
			devices[name] = d
		}
	}
	return devices
}

// gets waits until a device has what it lacked and returns what it got.
func gets(d *parleytest.Device, lacks []Said) (got []Said) {
	if len(lacks) > 0 {
		last := lacks[len(lacks)-1]
		d.HearsFrom(last.From, last.Text)
	}
	d.Pings()
	for _, m := range d.History() {
		got = append(got, Said{m.Conversation, m.From, m.Text})
	}
	return got
}

// shown looks at what people chose of themselves, now that they are there.
func shown(t *testing.T, devices map[string]*parleytest.Device, facts *Facts) {
	t.Helper()
	ben, dora := devices["ben-phone"], devices["dora-phone"]
	anna := facts.People["anna"]
	for _, viewer := range []*parleytest.Device{ben, dora} {
		viewer.Watch(anna)
	}
	const busy = 9500
	ben.Sees(anna, "what she chose, and her note", func(p webapi.Presence) bool {
		return p.Availability == busy && strings.HasPrefix(p.Note, "in the stacks")
	})
	dora.Sees(anna, "what she chose, without her note", func(p webapi.Presence) bool { return p.Availability == busy && p.Note == "" })
}

// written waits for what was queued when the devices were switched off, and says
// something new.
func written(t *testing.T, devices map[string]*parleytest.Device, facts *Facts) {
	t.Helper()
	ben, dora := devices["ben-phone"], devices["dora-phone"]
	ben.QueueEmpty()
	dora.Hears(ben, unsent)
	if got := dora.Texts(dora.With(ben)); !slices.Equal(got, []string{unsent}) {
		t.Errorf("dora got %q; what she had before must not come again", got)
	}
	if got, want := ben.Texts(ben.With(dora)), []string{unconfirmed, unsent}; !slices.Equal(got, want) {
		t.Errorf("ben has %q, want %q", got, want)
	}
	if lena := devices["lena-phone"]; lena != nil {
		lena.QueueEmpty()
		ben.Hears(lena, lenaQueues[len(lenaQueues)-1])
		if got := ben.Texts(ben.With(lena)); !slices.Equal(got, lenaQueues) {
			t.Errorf("ben got %q of lena", got)
		}
	}
	phone, desk, emil := devices["anna-phone"], devices["anna-desk"], devices["emil-phone"]
	ben.Say(phone, "after the upgrade")
	emil.Say(phone, "emil is blocked as before")
	ben.Say(phone, "and once more")
	for _, d := range []*parleytest.Device{phone, desk} {
		d.Hears(ben, "and once more")
		for _, m := range d.History() {
			if m.From == facts.People["emil"] {
				t.Errorf("anna got %q of emil, whom she blocks", m.Text)
			}
		}
	}
}

// signedIn signs in who has never been there, by password and by invitation, and
// who comes back to a browser.
func signedIn(t *testing.T, w *parleytest.World, facts *Facts) {
	t.Helper()
	fay := parleytest.SignIn(t, w.Base, parleytest.SignInAs(address("fay"), facts.Password)).Online()
	if got := gets(fay, facts.Waiting); !slices.Equal(got, facts.Waiting) {
		t.Errorf("fay got %v, want %v", got, facts.Waiting)
	}
	const chosen = "chosen after the upgrade"
	err := parleytest.Anonymous(w.Base, "POST", "/api/invitation/password", webapi.UseInvitationRequest{Code: facts.Invited.Code, Password: chosen}, nil)
	if err != nil {
		t.Errorf("the invitation is refused: %v", err)
	}
	parleytest.SignIn(t, w.Base, parleytest.SignInAs(facts.Invited.Address, chosen)).Online()
	if _, err := parleytest.TrySignIn(t, w.Base, parleytest.SignInAs(address("gus"), facts.Password)); err == nil {
		t.Error("who is disabled signs in")
	}
}

// again switches the devices off and on: nothing comes a second time.
func again(t *testing.T, w *parleytest.World, devices map[string]*parleytest.Device) {
	t.Helper()
	kept := map[string]parleytest.Kept{}
	for name, d := range devices {
		d.Pings()
		kept[name] = d.Keep()
		d.Close()
	}
	w.Restart()
	for name, k := range kept {
		d := parleytest.Return(t, w.Base, k).Online()
		d.Pings()
		if got := d.History(); len(got) > 0 {
			t.Errorf("%s got again: %+v", name, got)
		}
	}
}

// The comparison must see what is lost, what is another one, and what was withheld.
func TestComparison(t *testing.T) {
	was := map[string]any{"a": 1.0, "list": []any{map[string]any{"id": "x", "b": "y"}, map[string]any{"id": "z"}}}
	tests := []struct {
		name string
		is   any
		want string
	}{
		{"the same", map[string]any{"a": 1.0, "list": []any{map[string]any{"id": "x", "b": "y"}, map[string]any{"id": "z"}}}, ""},
		{"in another order, with a new field", map[string]any{"a": 1.0, "new": 2.0, "list": []any{map[string]any{"id": "z"}, map[string]any{"id": "x", "b": "y"}}}, ""},
		{"lost", map[string]any{"list": was["list"]}, ".a was 1, is <nil>"},
		{"another", map[string]any{"a": "1", "list": was["list"]}, ".a was 1, is 1"},
		{"told now", map[string]any{"a": 1.0, "list": []any{map[string]any{"id": "x", "b": "y"}, map[string]any{"id": "z", "b": "y"}}}, ".list[1].b was withheld, is y"},
		{"one more", map[string]any{"a": 1.0, "list": []any{1.0, 2.0, 3.0}}, ".list was [map[b:y id:x] map[id:z]], is [1 2 3]"},
		{"no object", "x", " was map[a:1 list:[map[b:y id:x] map[id:z]]], is x"},
	}
	for _, test := range tests {
		c := comparison{fields: map[string]bool{}}
		c.learn(was)
		c.compare(was, test.is, "")
		if got := strings.Join(c.differences, "; "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
