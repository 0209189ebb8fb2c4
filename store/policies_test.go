package store

import (
	"reflect"
	"testing"
	"time"

	"parley"
	"parley/policy"
)

func TestRuleChanges(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) { checkRuleChanges(t, c) })
}

func checkRuleChanges(t *testing.T, c Config) {
	w := start(t, c)
	ctx := t.Context()
	if standing := must(w.StandingRules(ctx))(t); len(standing) != 0 {
		t.Errorf("a fresh database has %+v", standing)
	}
	at := time.Date(2026, 7, 1, 12, 0, 0, 5e6, time.UTC)
	by := parley.Actor{Kind: parley.ActorAdmin, Person: 7, Device: 9}
	for i, c := range []policy.Change{
		{Key: "a", Value: "one", Stands: true}, {Key: "b", Value: "title,company", Stands: true}, {Key: "a", Value: "two", Stands: true}, {Key: "a"},
	} {
		c.At, c.By = at.Add(time.Duration(i)*time.Second), by
		check(t, w.ChangeRule(ctx, c, parley.Alongside{Audit: []parley.Audit{{Action: parley.AuditPolicySet}}}))
	}
	want := []policy.Change{
		{ID: 2, Key: "b", Value: "title,company", Stands: true, At: at.Add(time.Second), By: by},
		{ID: 4, Key: "a", At: at.Add(3 * time.Second), By: by},
	}
	w.close()
	w = start(t, c)
	if standing := must(w.StandingRules(ctx))(t); !reflect.DeepEqual(standing, want) {
		t.Errorf("standing are %+v", standing)
	}
	ids := func(key string, before int64, limit int) (list []int64) {
		for _, c := range must(w.RuleChanges(ctx, key, before, limit))(t) {
			list = append(list, c.ID)
		}
		return list
	}
	for _, test := range []struct {
		key    string
		before int64
		limit  int
		want   []int64
	}{
		{"", 0, 10, []int64{4, 3, 2, 1}}, {"", 0, 2, []int64{4, 3}}, {"", 3, 10, []int64{2, 1}}, {"a", 0, 10, []int64{4, 3, 1}}, {"a", 3, 1, []int64{1}}, {"c", 0, 10, nil},
	} {
		if got := ids(test.key, test.before, test.limit); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q before %d, at most %d: %v, want %v", test.key, test.before, test.limit, got, test.want)
		}
	}
	if n := count(t, w, "audit"); n != 4 {
		t.Errorf("%d audit records", n)
	}
}
