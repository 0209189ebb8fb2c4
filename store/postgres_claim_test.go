package store

import (
	"context"
	"errors"
	"testing"
)

// TestClaims: who may use a database beside whom.
func TestClaims(t *testing.T) {
	alone := func(s *Store, ctx context.Context) error { return s.ClaimAlone(ctx) }
	visit := func(s *Store, ctx context.Context) error { return s.ClaimVisit(ctx) }
	as := func(name string) func(*Store, context.Context) error {
		return func(s *Store, ctx context.Context) error { return s.ClaimNode(ctx, name) }
	}
	for _, test := range []struct {
		name          string
		first, second func(*Store, context.Context) error
		want          error
	}{
		{"two that know nothing of each other", alone, alone, ErrInUse},
		{"a node beside one that is no node", alone, as("a"), ErrInUse},
		{"one that is no node beside a node", as("a"), alone, ErrInUse},
		{"a visit beside one that is no node", alone, visit, ErrInUse},
		{"two nodes", as("a"), as("b"), nil},
		{"two nodes of one name", as("a"), as("a"), ErrNameTaken},
		{"a visit beside a node", as("a"), visit, nil},
		{"a node beside a visit", visit, as("a"), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // each refusal takes its time
			c := onPostgres(t)
			a, b := prepared(t, c), prepared(t, node(t, c))
			check(t, test.first(a.Store, t.Context()))
			if err := test.second(b.Store, t.Context()); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if test.want != nil {
				a.close()
				check(t, test.second(b.Store, t.Context()))
			}
		})
	}
}

// TestClaimOutlivesItsConnection: it is made again, unless another was quicker.
func TestClaimOutlivesItsConnection(t *testing.T) {
	c := onPostgres(t)
	a, b := prepared(t, c), prepared(t, node(t, c))
	check(t, a.ClaimAlone(t.Context()))
	lose := func() {
		const where = ` FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'parley claim'`
		until(t, "the connection is lost", func() bool {
			_, err := b.read.db.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid)`+where)
			check(t, err)
			var left int
			check(t, b.read.db.QueryRowContext(t.Context(), `SELECT count(*)`+where).Scan(&left))
			return left == 0
		})
	}
	lose()
	a.holdClaim(t.Context())
	if err := b.ClaimVisit(t.Context()); !errors.Is(err, ErrInUse) {
		t.Fatalf("the claim was not made again: %v", err)
	}
	lose()
	check(t, b.ClaimVisit(t.Context()))
	a.holdClaim(t.Context())
	if !a.Store.claim.told {
		t.Error("another program's claim is not told")
	}
	check(t, b.claim.drop())
	a.holdClaim(t.Context())
	if a.Store.claim.told || a.Store.claim.conn == nil {
		t.Error("the claim was not made when it could be")
	}
}
