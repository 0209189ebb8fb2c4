package store

import (
	"context"

	"parley"
	"parley/policy"
)

var _ policy.Store = (*Store)(nil)

const changeColumns = `id, rule, value, stands, at, kind, actor, device`

func scanChange(r row) (c policy.Change, err error) {
	var at int64
	err = r.Scan(&c.ID, &c.Key, &c.Value, &c.Stands, &at, &c.By.Kind, &c.By.Person, &c.By.Device)
	c.At = fromMillis(at)
	return c, err
}

// StandingRules implements policy.Store.
func (s *Store) StandingRules(ctx context.Context) ([]policy.Change, error) {
	const query = `
SELECT ` + changeColumns + ` FROM policy_changes WHERE id IN (SELECT max(id) FROM policy_changes GROUP BY rule) ORDER BY id`
	rows, err := s.read.query(ctx, query)
	changes, err := collect(rows, err, scanChange)
	return changes, parley.Wrap(err, "reading the rules that were changed")
}

// RuleChanges implements policy.Store.
func (s *Store) RuleChanges(ctx context.Context, key string, before int64, limit int) ([]policy.Change, error) {
	const (
		all = `SELECT ` + changeColumns + ` FROM policy_changes WHERE id < $1 ORDER BY id DESC LIMIT $2`
		one = `SELECT ` + changeColumns + ` FROM policy_changes WHERE id < $1 AND rule = $3 ORDER BY id DESC LIMIT $2`
	)
	if before <= 0 {
		before = 1<<63 - 1
	}
	query, args := all, []any{before, limit}
	if key != "" {
		query, args = one, append(args, key)
	}
	rows, err := s.read.query(ctx, query, args...)
	changes, err := collect(rows, err, scanChange)
	return changes, parley.Wrap(err, "reading how rules were changed")
}

// ChangeRule implements policy.Store.
func (s *Store) ChangeRule(ctx context.Context, c policy.Change, with parley.Alongside) error {
	const insert = `
INSERT INTO policy_changes (rule, value, stands, at, kind, actor, device) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	args := []any{c.Key, c.Value, number(c.Stands), millis(c.At), int64(c.By.Kind), int64(c.By.Person), int64(c.By.Device)}
	tells := []parley.Event{parley.PolicyChanged{Keys: []string{c.Key}}}
	return s.writer.do(ctx, s.writer.queue, change{steps: []step{{query: insert, args: args}}, tells: tells, also: with})
}
