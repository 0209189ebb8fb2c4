package presence

import (
	"context"
	"errors"
	"iter"
	"time"

	"parley"
)

// The times of the automatic states (PRODUCT PR3, PR5).
const (
	Lease         = 45 * time.Second // a device that gives no sign of life for this long is not there
	InactiveAfter = 5 * time.Minute  // without activity
	AwayAfter     = 10 * time.Minute // without activity
	ManualLapse   = 24 * time.Hour   // Busy and Do Not Disturb chosen by hand last no longer
)

// MaxNote is the longest note, in characters.
const MaxNote = 500

// State is what a person can choose by hand (PRODUCT PR2).
type State string

// The choices, in the form used on the wire and in the store.
const (
	Automatic          State = "" // nothing chosen; Reset Status leads here
	ChooseAvailable    State = "available"
	ChooseBusy         State = "busy"
	ChooseDoNotDisturb State = "do-not-disturb"
	ChooseBeRightBack  State = "be-right-back"
	ChooseOffWork      State = "off-work"
	ChooseAppearAway   State = "appear-away"
)

// Reset is the wire's word for going back to Automatic.
const Reset State = "reset"

// Choice is what a person chose by hand: a state and a note. The zero Choice is
// that of somebody who chose nothing.
type Choice struct {
	State State
	SetAt time.Time // when State was chosen
	Until time.Time // when State lapses; zero: the person set no time

	Note      string
	NoteUntil time.Time // when Note lapses; zero: it does not
}

// PersonChoice is the choice of one person.
type PersonChoice struct {
	Person parley.PersonID
	Choice Choice
}

// Store keeps what people chose by hand. The Board reads all of it once, at start.
type Store interface {
	// Choices yields the choice of everybody who ever made one.
	Choices(ctx context.Context) iter.Seq2[PersonChoice, error]

	// Choice returns the choice of a person; the zero Choice when there is none.
	Choice(ctx context.Context, person parley.PersonID) (Choice, error)

	// SetChoice replaces the choice was of a person by the choice is. When
	// another one than was is stored, nothing changes and the answer is ErrStale:
	// two nodes must not overwrite each other. Times have milliseconds.
	SetChoice(ctx context.Context, person parley.PersonID, was, is Choice, with parley.Alongside) error
}

// ErrStale says that a choice was made from one that is no longer stored.
var ErrStale = errors.New("presence: decided on a choice that has changed")

// Activity is what a device tells about itself.
type Activity struct {
	Active   bool   // the person touched the device just now
	Visible  bool   // the app is on screen
	TimeZone string // IANA name; empty: unknown
}

// Watcher is one connection that shows people. It has to be comparable (a
// pointer), and its methods must not block and must not call the Board.
type Watcher interface {
	// Viewer is the person at the other end; it never changes.
	Viewer() parley.PersonID

	// Dirty says that what the viewer sees of person may have changed. It may
	// come from any goroutine, for somebody who is no longer watched, and once
	// more just after Unwatch.
	Dirty(person parley.PersonID)
}
