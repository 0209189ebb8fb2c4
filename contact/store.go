package contact

import (
	"context"
	"iter"

	"parley"
)

// Store keeps the directory's people. The Book reads them once, at start.
type Store interface {
	// People yields everybody, gone people included, in the order of their ids.
	// Of a photo only the version comes along.
	People(ctx context.Context) iter.Seq2[parley.Person, error]

	// ApplyPeople makes a chunk of at most MaxChunk changes in one transaction,
	// behind messages. It returns one id for each change, in their order: for
	// a change whose Person.ID is zero the id that was given to the new person.
	// Person.Disabled is account's and is neither read nor written; Person.Photo is
	// taken from Change.Photo.
	ApplyPeople(ctx context.Context, changes []Change, with parley.Alongside) ([]parley.PersonID, error)

	// Photo gives a person's photo as JPEG, 96 pixels square or with large 320,
	// and its version. Without a photo the error is parley.ErrWithheld.
	Photo(ctx context.Context, person parley.PersonID, large bool) ([]byte, parley.PhotoVersion, error)
}

// MaxChunk is the largest number of changes in one ApplyPeople.
const MaxChunk = 500

// Change is one person as the directory has them now.
type Change struct {
	// Person is the whole new record. A zero ID adds somebody. Person.Gone marks
	// somebody who is no longer in the directory; the address of somebody gone is
	// free for another person.
	Person parley.Person

	// Photo replaces the photo; nil removes it, unless KeepPhoto is set.
	Photo     *Photo
	KeepPhoto bool

	// Gone is Person.Gone for callers that mark somebody gone without touching
	// the rest: the other fields of Person but ID are then ignored.
	Gone bool
}

// Photo is a directory photo in the two sizes that are shown, both JPEG.
type Photo struct {
	Small   []byte // 96 × 96 pixels
	Large   []byte // 320 × 320 pixels
	Version parley.PhotoVersion
}
