package privacy

import (
	"context"
	"iter"

	"parley"
)

// Store keeps relations and preferences. The Gate reads all of it once, at start,
// and after that each row that changes. A row that is read is never older than a
// change whose method has returned.
type Store interface {
	// Relations yields every stored relation, in any order.
	Relations(ctx context.Context) iter.Seq2[Relation, error]

	// Relation returns one relation. Nothing stored: parley.ErrWithheld.
	Relation(ctx context.Context, owner, other parley.PersonID) (Relation, error)

	// SetRelation adds or replaces the relation of r.Owner to r.Other.
	SetRelation(ctx context.Context, r Relation, with parley.Alongside) error

	// AllPreferences yields the preferences of everybody who ever set any.
	AllPreferences(ctx context.Context) iter.Seq2[PersonPreferences, error]

	// PreferencesOf returns the preferences of one person: DefaultPreferences if
	// they never set any.
	PreferencesOf(ctx context.Context, person parley.PersonID) (Preferences, error)

	// SetPreferences replaces the preferences of a person.
	SetPreferences(ctx context.Context, person parley.PersonID, p Preferences, with parley.Alongside) error
}
