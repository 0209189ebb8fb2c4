package conversation

import (
	"context"
	"iter"
	"time"

	"parley"
)

// Store is what the log needs of the database. Positions are handed out by its
// single writer; a position is the order, whatever the clock says.
type Store interface {
	// Append queues an entry for the next commit and returns. Pos, N and At are
	// set by the writer. A success is told by OnCommit only; done is called at
	// most once, for a failure: ErrKnown (with the position of the stored entry),
	// what OnAdmit refused with, or a *parley.Error of kind Full or Unavailable,
	// after which nothing of the entry is stored. done runs on the writer's
	// goroutine (or before Append returns) and must not block. Append waits while
	// the queue is full, until ctx ends.
	Append(ctx context.Context, e parley.Entry, done func(pos parley.Pos, err error))

	// Acknowledge says that a device has everything up to pos. Calls are joined:
	// the highest position of a device is written with the next commit, and none
	// waits for it. A crash before that commit only means that the device is told
	// again.
	Acknowledge(device parley.DeviceID, pos parley.Pos)

	// OnCommit sets the function that is told of every committed entry, those
	// that other changes carried alongside and those that other nodes committed
	// included, in the order of their positions. It runs on the writer's goroutine after the commit and before
	// anybody is answered; it must not block and may keep the slice. Call it once,
	// before the store runs.
	OnCommit(func([]parley.Entry))

	// OnAdmit sets the function that is asked about every entry given to Append,
	// inside the writer, in the order in which entries get their positions: it may
	// rewrite the entry (its Stream and About) or refuse it; it may be asked once more
	// about an entry as it came in, when a commit has to be tried again. An entry that is
	// refused although it is stored already is answered with ErrKnown: what was
	// accepted stays accepted. Call it once, before the store runs.
	OnAdmit(func(*parley.Entry) error)

	// Retained yields every stored entry by ascending position, without its body.
	Retained(ctx context.Context) iter.Seq2[parley.Entry, error]

	// EntriesAfter returns at most limit entries of these streams with positions
	// above after, by ascending position. The list of streams may be long and in
	// any order; it must not name a stream twice.
	EntriesAfter(ctx context.Context, streams []parley.StreamID, after parley.Pos, limit int) ([]parley.Entry, error)

	// Readers yields every signed-in device with an id above after, in the order
	// of their ids, which is that of their sign-ins.
	Readers(ctx context.Context, after parley.DeviceID) iter.Seq2[Reader, error]

	// Reader returns one signed-in device; parley.ErrWithheld when it is none, or
	// no longer.
	Reader(ctx context.Context, device parley.DeviceID) (Reader, error)

	// Floors yields what is kept for people whether they have a device or not.
	// Who is not among them has never had a device and has missed nothing.
	Floors(ctx context.Context) iter.Seq2[Floor, error]

	// Floor returns it for one person; zero but for the person when nothing is kept.
	Floor(ctx context.Context, person parley.PersonID) (Floor, error)

	// SetRead moves a person's read mark in a stream forward to the entry at pos,
	// whose number is n. An older mark than the stored one changes nothing, but
	// what it carries alongside is stored.
	SetRead(ctx context.Context, person parley.PersonID, stream parley.StreamID, pos parley.Pos, n uint64, also parley.Alongside) error

	// Marks returns the person's read marks that were set when the log's head was
	// at after or beyond.
	Marks(ctx context.Context, person parley.PersonID, after parley.Pos) ([]Mark, error)

	// Delivered returns the conversations of the person of which Purge deleted
	// something when the log's head was at after or beyond, each with the highest
	// position that Purge (not PurgeOlder) ever deleted: everything up to there
	// reached every device.
	Delivered(ctx context.Context, person parley.PersonID, after parley.Pos) ([]PurgeRange, error)

	// Purge deletes these ranges, in small steps behind messages. It returns when
	// all are deleted. The text is out of the files within 30 seconds more.
	Purge(ctx context.Context, ranges []PurgeRange) error

	// PurgeOlder deletes every entry that was committed before the given time,
	// delivered or not, and says which ranges that made. It moves Floor.Missed of
	// the people who read those streams.
	PurgeOlder(ctx context.Context, before time.Time) ([]PurgeRange, error)

	// Purged returns how far these streams are purged, by whichever node. A stream
	// of which nothing was purged is left out.
	Purged(ctx context.Context, streams []parley.StreamID) ([]PurgeRange, error)

	// CatchUp returns when OnCommit was told of everything that any node had
	// committed when CatchUp was called.
	CatchUp(ctx context.Context) error

	// Epoch is the log's incarnation: random, made with the database and anew by
	// every restore. A position means nothing in another epoch.
	Epoch() uint64

	// Head is the position of the newest entry that OnCommit was told of; 0: there
	// was none yet.
	Head() parley.Pos

	// StreamHead is the number of the newest committed entry of a stream, purged
	// or not; 0: there was none yet.
	StreamHead(ctx context.Context, stream parley.StreamID) (uint64, error)
}

// Reader is a device's place in the log.
type Reader struct {
	Person parley.PersonID
	Device parley.DeviceID
	Cursor parley.Pos // it has acknowledged everything up to here
	From   parley.Pos // it reads from here on, exclusive; never above Cursor
}

// Floor is a person's place in the log while they have no device.
type Floor struct {
	Person parley.PersonID
	Floor  parley.Pos // the highest position that an ended device of theirs had; their next first device reads on from here

	// Missed is the highest position that the time limit deleted from a stream
	// of theirs. A device whose cursor is below it has missed messages.
	Missed parley.Pos
}

// Mark is a person's own read mark in a stream.
type Mark struct {
	Stream parley.StreamID
	Pos    parley.Pos // read up to this entry, inclusive
	N      uint64     // that entry's number in the stream; unread is the stream's head less N
}

// PurgeRange is the part of a stream from its beginning to a position.
type PurgeRange struct {
	Stream parley.StreamID
	Upto   parley.Pos // inclusive
}
