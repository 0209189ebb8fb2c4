package privacy

import (
	"context"
	"iter"

	"parley"
)

// Store keeps relations and preferences. The Gate reads it once, at start.
type Store interface {
	// Relations yields every stored relation, in any order.
	Relations(ctx context.Context) iter.Seq2[Relation, error]

	// SetRelation adds or replaces the relation of r.Owner to r.Other.
	SetRelation(ctx context.Context, r Relation, with parley.Alongside) error

	// AllPreferences yields the preferences of everybody who ever set any.
	AllPreferences(ctx context.Context) iter.Seq2[PersonPreferences, error]

	// SetPreferences replaces the preferences of a person.
	SetPreferences(ctx context.Context, person parley.PersonID, p Preferences, with parley.Alongside) error
}
