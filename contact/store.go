package contact

import (
	"context"
	"iter"

	"parley"
)

// Store keeps the directory's people and groups. The Book reads all of them once, at start,
// and after that those whom another node changed.
type Store interface {
	// People yields everybody, gone people included, in the order of their ids.
	// Of a photo only the version comes along.
	People(ctx context.Context) iter.Seq2[parley.Person, error]

	// PeopleByID returns those of these people whom there are, gone people
	// included, in any order. Of a photo only the version comes along.
	PeopleByID(ctx context.Context, ids []parley.PersonID) ([]parley.Person, error)

	// ApplyPeople makes a chunk of at most MaxChunk changes in one transaction,
	// behind messages. It returns one id for each change, in their order: for
	// a change whose Person.ID is zero the id that was given to the new person,
	// or that of whoever has the SourceID since another node added them.
	// Disabled is account's and is not written. Addresses are unique among people
	// who are not gone, at every moment between two chunks; a chunk that would give
	// an address away twice fails.
	ApplyPeople(ctx context.Context, changes []Change, with parley.Alongside) ([]parley.PersonID, error)

	// PhotoSources gives the Photo.Source of those of these people who have a photo
	// of which it is known.
	PhotoSources(ctx context.Context, ids []parley.PersonID) (map[parley.PersonID]uint64, error)

	// Photo gives a person's photo as JPEG, 96 pixels square or with large 320,
	// and its version. Without a photo the error is parley.ErrWithheld.
	Photo(ctx context.Context, person parley.PersonID, large bool) ([]byte, parley.PhotoVersion, error)

	PhoneStore
	GroupStore
}

// MaxChunk is the largest number of changes in one ApplyPeople.
const MaxChunk = 500

// Change is one person as the directory has them now.
type Change struct {
	// Person is the whole new record; a zero ID adds somebody. Its Disabled, Gone
	// and Photo are ignored: the fields below, or account, decide about those.
	Person parley.Person

	// Photo replaces the photo; nil removes it, unless KeepPhoto is set.
	Photo     *Photo
	KeepPhoto bool

	// Moves says that another person of the chunk gets the address that this one
	// has until then: first both lose theirs.
	Moves bool

	// Gone marks the person with Person.ID as no longer in the directory and
	// touches nothing else: no other field counts. Their address is then free for
	// another person. A change without Gone brings somebody gone back.
	Gone bool
}

// Photo is a directory photo in the two sizes that are shown, both JPEG.
type Photo struct {
	Small   []byte // 96 × 96 pixels
	Large   []byte // 320 × 320 pixels
	Version parley.PhotoVersion

	// Source is a hash of the photo as the directory had it, never zero: one that
	// is the same need not be made again. Zero: nobody knows.
	Source uint64
}
