package policy

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
)

// fakeStore remembers in memory what Store's comments say.
type fakeStore struct {
	mu      sync.Mutex
	changes []Change // the oldest first
	audit   []parley.Audit
	fail    error
}

func (s *fakeStore) StandingRules(context.Context) ([]Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := map[string]Change{}
	for _, c := range s.changes {
		last[c.Key] = c
	}
	var list []Change
	for _, c := range last {
		list = append(list, c)
	}
	return list, s.fail
}

func (s *fakeStore) RuleChanges(_ context.Context, key string, before int64, limit int) (list []Change, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Backward(s.changes) {
		if (key == "" || c.Key == key) && (before == 0 || c.ID < before) && len(list) < limit {
			list = append(list, c)
		}
	}
	return list, s.fail
}

func (s *fakeStore) ChangeRule(_ context.Context, c Change, with parley.Alongside) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	c.ID = int64(len(s.changes) + 1)
	s.changes = append(s.changes, c)
	s.audit = append(s.audit, with.Audit...)
	return nil
}

var (
	admin  = parley.Actor{Kind: parley.ActorAdmin, Person: 7, Device: 3}
	person = parley.Actor{Kind: parley.ActorPerson, Person: 7, Device: 3}
)

// book is a Rulebook and what it told.
type book struct {
	*Rulebook
	store *fakeStore

	mu   sync.Mutex
	told []string
}

// given is what a configuration gives that says no more than this.
func given(rules func(*Policy), where map[string]string) Given {
	g := Given{Rules: Default(), Where: where}
	rules(&g.Rules)
	return g
}

func newBook(t *testing.T, s *fakeStore, given Given) *book {
	t.Helper()
	b := &book{store: s}
	var err error
	b.Rulebook, err = NewRulebook(t.Context(), Config{Store: s, Given: given, Announce: func(e parley.Event) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.told = append(b.told, strings.Join(e.(parley.PolicyChanged).Keys, " "))
	}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// takeTold gives what was told since the last time.
func (b *book) takeTold() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	told := b.told
	b.told = nil
	return told
}

func TestRulesAreSetAndReset(t *testing.T) {
	b := newBook(t, &fakeStore{}, Given{})
	ctx := t.Context()
	if b.Policy() != Default() {
		t.Errorf("fresh rules are %+v", b.Policy())
	}
	is, err := b.Set(ctx, admin, "policy.message_limit", "168h")
	if err != nil || is.Value != "7d" || is.Default != "30d" || is.Origin != FromChange || !reflect.DeepEqual(is.Last.By, admin) || is.Last.ID != 1 || time.Since(is.Last.At) > time.Minute {
		t.Errorf("set: %+v, %v", is, err)
	}
	if got := b.Policy().MessageLimit; got != 7*24*time.Hour {
		t.Errorf("the limit is %v", got)
	}
	if told := b.takeTold(); !slices.Equal(told, []string{"policy.message_limit"}) {
		t.Errorf("told %q", told)
	}
	// The same again is no change.
	if _, err := b.Set(ctx, admin, "policy.message_limit", "7d"); err != nil || len(b.store.changes) != 1 || len(b.takeTold()) != 0 {
		t.Errorf("set again: %v, %d changes", err, len(b.store.changes))
	}
	// To set a default is a change, though nothing is another rule by it: it stays
	// when a later version has another default.
	if is, err := b.Set(ctx, admin, "policy.pictures", "true"); err != nil || is.Origin != FromChange || len(b.store.changes) != 2 || len(b.takeTold()) != 0 {
		t.Errorf("set to the default: %+v, %v", is, err)
	}
	is, err = b.Reset(ctx, admin, "policy.message_limit")
	if err != nil || is.Value != "30d" || is.Origin != FromDefault || is.Last.Stands || b.Policy() != Default() {
		t.Errorf("reset: %+v, %v", is, err)
	}
	if _, err := b.Reset(ctx, admin, "policy.message_limit"); err != nil || len(b.store.changes) != 3 {
		t.Errorf("reset again: %v, %d changes", err, len(b.store.changes))
	}
	if _, err := b.Reset(ctx, admin, "policy.guests"); err != nil || len(b.store.changes) != 3 {
		t.Errorf("reset of what was never set: %v, %d changes", err, len(b.store.changes))
	}
	var trail []string
	for _, a := range b.store.audit {
		trail = append(trail, string(a.Action)+" "+a.Detail)
		if !reflect.DeepEqual(a.Actor, admin) {
			t.Errorf("the trail says it was %+v", a.Actor)
		}
	}
	if want := []string{"policy-set policy.message_limit=7d", "policy-set policy.pictures=true", "policy-reset policy.message_limit"}; !slices.Equal(trail, want) {
		t.Errorf("the trail is %q", trail)
	}
	history, err := b.History(ctx, admin, "policy.message_limit", 0, 0)
	if err != nil || len(history) != 2 || history[0].Stands || history[1].Value != "7d" {
		t.Errorf("history %+v, %v", history, err)
	}
	if older, err := b.History(ctx, admin, "", 2, 5); err != nil || len(older) != 1 || older[0].ID != 1 {
		t.Errorf("before the second: %+v, %v", older, err)
	}
}

func TestRefusedChanges(t *testing.T) {
	b := newBook(t, &fakeStore{}, given(func(p *Policy) { p.Pictures = false }, map[string]string{"policy.pictures": "parley.toml:7"}))
	ctx := t.Context()
	tests := []struct {
		name  string
		actor parley.Actor
		key   string
		value string
		kind  parley.Kind
		text  string
	}{
		{"a person", person, "policy.location", "false", parley.NotFound, "not-found"},
		{"nobody", parley.Actor{}, "policy.location", "false", parley.NotFound, "not-found"},
		{"a program", parley.Actor{Kind: parley.ActorProgram, Person: 7}, "policy.location", "false", parley.NotFound, "not-found"},
		{"no such rule", admin, "policy.dance", "false", parley.NotFound, "policy.unknown"},
		{"no such value", admin, "policy.location", "perhaps", parley.Invalid, "must be true or false"},
		{"out of bounds", admin, "limits.devices", "5000", parley.Invalid, "5000 is not between 1 and 1000"},
		{"locked", admin, "policy.pictures", "true", parley.Forbidden, "parley.toml:7 gives this rule"},
	}
	for _, test := range tests {
		_, err := b.Set(ctx, test.actor, test.key, test.value)
		if parley.KindOf(err) != test.kind || err == nil || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if _, err := b.Reset(ctx, admin, "policy.pictures"); parley.KindOf(err) != parley.Forbidden {
		t.Errorf("resetting what is locked: %v", err)
	}
	if _, err := b.Settings(person); err != parley.ErrWithheld {
		t.Errorf("settings for a person: %v", err)
	}
	if _, err := b.Setting(person, "policy.pictures"); err != parley.ErrWithheld {
		t.Errorf("a setting for a person: %v", err)
	}
	if _, err := b.History(ctx, person, "", 0, 0); err != parley.ErrWithheld {
		t.Errorf("history for a person: %v", err)
	}
	if _, err := b.History(ctx, admin, "policy.dance", 0, 0); parley.KindOf(err) != parley.NotFound {
		t.Errorf("history of no rule: %v", err)
	}
	if len(b.store.changes) != 0 || len(b.takeTold()) != 0 {
		t.Errorf("changed all the same: %+v", b.store.changes)
	}
}

func TestConfigurationWins(t *testing.T) {
	s := &fakeStore{changes: []Change{{ID: 1, Key: "policy.pictures", Value: "false", Stands: true}}}
	b := newBook(t, s, Given{})
	if b.Policy().Pictures {
		t.Error("what is stored does not hold")
	}
	b.Configure(given(func(p *Policy) { p.MaxDevices, p.MaxBody = 3, 2000 },
		map[string]string{"policy.pictures": "parley.toml:7", "limits.devices": "PARLEY_LIMITS_DEVICES"}))
	if p := b.Policy(); !p.Pictures || p.MaxDevices != 3 || p.MaxBody != Default().MaxBody {
		t.Errorf("the configuration gave other rules than %+v", p)
	}
	if told := b.takeTold(); !slices.Equal(told, []string{"policy.pictures limits.devices"}) {
		t.Errorf("told %q", told)
	}
	is, err := b.Setting(admin, "policy.pictures")
	if err != nil || is.Origin != FromConfiguration || is.Where != "parley.toml:7" || is.Last.ID != 1 {
		t.Errorf("described as %+v, %v", is, err)
	}
	b.Configure(Given{})
	if p := b.Policy(); p.Pictures || p.MaxDevices != 25 {
		t.Errorf("without the configuration the rules are %+v", p)
	}
	b.takeTold()
	b.Configure(Given{})
	if told := b.takeTold(); len(told) != 0 {
		t.Errorf("told %q of nothing", told)
	}
}

// A program that makes its own configuration, as tests do, may give what nobody
// could set.
func TestConfigurationIsTakenAsItIs(t *testing.T) {
	all := map[string]string{}
	want := Policy{DirectoryPublic: Alias, MessageLimit: 1500 * time.Millisecond, MaxBody: 1, DeviceIdle: time.Second, MaxDevices: 5000, Push: true}
	for _, d := range Definitions() {
		all[d.Key] = "the program"
	}
	if got := newBook(t, &fakeStore{}, Given{Rules: want, Where: all}).Policy(); got != want {
		t.Errorf("the rules are %+v", got)
	}
}

// Two Rulebooks over one database: what one changes holds for the other when it
// reads again, and before it decides about a change of its own.
func TestAnotherNodesChange(t *testing.T) {
	s := &fakeStore{}
	here, there := newBook(t, s, Given{}), newBook(t, s, Given{})
	ctx := t.Context()
	if _, err := there.Set(ctx, admin, "policy.location", "false"); err != nil {
		t.Fatal(err)
	}
	if !here.Policy().Location {
		t.Error("it holds before anybody told")
	}
	if err := here.Reload(ctx); err != nil {
		t.Fatal(err)
	}
	if told := here.takeTold(); here.Policy().Location || !slices.Equal(told, []string{"policy.location"}) {
		t.Errorf("after reading again: %+v, told %q", here.Policy(), told)
	}
	if _, err := there.Reset(ctx, admin, "policy.location"); err != nil {
		t.Fatal(err)
	}
	// It was not told of the reset, and sets what it believes to hold already.
	if is, err := here.Set(ctx, admin, "policy.location", "false"); err != nil || len(s.changes) != 3 || is.Value != "false" {
		t.Errorf("set: %+v, %v, %d changes", is, err, len(s.changes))
	}
}

// A value that this version cannot use, from another version, leaves the default,
// and a rule that it does not know is left alone.
func TestForeignValues(t *testing.T) {
	s := &fakeStore{changes: []Change{
		{ID: 1, Key: "limits.devices", Value: "1000000", Stands: true},
		{ID: 2, Key: "policy.dance", Value: "waltz", Stands: true},
		{ID: 3, Key: "policy.pictures", Value: "false", Stands: true},
	}}
	b := newBook(t, s, Given{})
	if p := b.Policy(); p.MaxDevices != 25 || p.Pictures {
		t.Errorf("the rules are %+v", p)
	}
	if history, err := b.History(t.Context(), admin, "", 0, 10); err != nil || len(history) != 3 {
		t.Errorf("history %+v, %v", history, err)
	}
}

func TestFailingStore(t *testing.T) {
	s := &fakeStore{}
	b := newBook(t, s, Given{})
	s.fail = errors.New("the database is gone")
	if _, err := b.Set(t.Context(), admin, "policy.pictures", "false"); err == nil {
		t.Error("a change that was not stored was taken")
	}
	if err := b.Reload(t.Context()); err == nil || b.Policy() != Default() || len(b.takeTold()) != 0 {
		t.Errorf("reading failed with %v; the rules are %+v", err, b.Policy())
	}
	if _, err := NewRulebook(t.Context(), Config{Store: s}); err == nil {
		t.Error("made without its rules")
	}
}

// The rules are asked on hot paths while they change.
func TestRulesChangeWhileAsked(t *testing.T) {
	b := newBook(t, &fakeStore{}, Given{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 2000 {
				if p := b.Policy(); p.Validate() != nil {
					t.Errorf("half of a change is seen: %+v", p)
				}
			}
		})
	}
	for i := range 50 {
		if _, err := b.Set(t.Context(), admin, "policy.pictures", []string{"true", "false"}[i%2]); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
}
