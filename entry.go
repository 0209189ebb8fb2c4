package parley

import (
	"log/slog"
	"time"
)

// EntryKind says what an entry of the log is. Kinds are only ever added: a
// client that does not know one stores it and shows "update to see this".
type EntryKind uint8

// The kinds of entry. The numbers are stored; never renumber.
const (
	KindMessage EntryKind = 1 // a message in a conversation
	KindNotice  EntryKind = 2 // news from the server for one person, in their private stream
)

// String gives the form used on the wire.
func (k EntryKind) String() string {
	switch k {
	case KindMessage:
		return "message"
	case KindNotice:
		return "notice"
	default:
		return "unknown"
	}
}

// Body is the content of an entry: bytes that the server carries and never
// reads. It prints as redacted everywhere.
type Body []byte

// LogValue hides the content from logs (PRODUCT LG4).
func (b Body) LogValue() slog.Value { return slog.StringValue("redacted") }

// String hides the content from %v and %s.
func (b Body) String() string { return "redacted" }

// GoString hides the content from %#v.
func (b Body) GoString() string { return "redacted" }

// Secret is a password, token or key on its way through the program. It prints
// as redacted everywhere.
type Secret string

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue("redacted") }

// String hides the secret from %v and %s.
func (s Secret) String() string { return "redacted" }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return "redacted" }

// Entry is one row of the log, whatever the number of its readers.
type Entry struct {
	Pos      Pos      // assigned by the committing writer
	Stream   StreamID // whose readers get it
	N        uint64   // dense within the stream, from 1; assigned by the writer
	Sender   PersonID // who caused it; 0: the system
	Device   DeviceID // which device sent it; 0: none. With ClientID it is unique
	ClientID ClientID

	// About is the conversation that the entry belongs to when that is not
	// Stream itself: a message to somebody who blocks its sender stands in the
	// sender's private stream, About the conversation, and so reaches the
	// sender's own devices only.
	About StreamID

	// Seen is how far the sending device has read, as far as the connection knows
	// that the entry came on. A device that has got further through another node
	// has left that connection, and what is still found on it is not stored: it may
	// have been sent again, delivered and purged since. 0: nobody asks. It is not
	// stored.
	Seen Pos

	Kind    EntryKind
	Content string    // registered, versioned content type, such as "text.v1"
	At      time.Time // when it was committed, UTC, to the millisecond; never an order
	Body    Body
}

// Conversation is the conversation that readers file the entry under.
func (e *Entry) Conversation() StreamID {
	if e.About != 0 {
		return e.About
	}
	return e.Stream
}

// JobKind names the work of a Job.
type JobKind string

// Job is work that must happen after a commit and may happen on any node: it is
// stored with the change that causes it, leased, and retried until it is done.
//
// Each effect happens at least once, not exactly once: a node can die between the
// effect and the note that it is done.
type Job struct {
	Kind JobKind

	// Name, if not empty, is given to one job at a time: while one of the name
	// waits or is worked on, another is not stored.
	Name string

	Due     time.Time // not before
	Payload []byte    // in a form that the kind defines; a later version must be able to read it
}

// AuditAction names what an audit record tells.
type AuditAction string

// The audited actions. The strings are stored; never change one.
const (
	AuditSignedIn       AuditAction = "signed-in"
	AuditSignedOut      AuditAction = "signed-out"
	AuditDeviceRevoked  AuditAction = "device-revoked"
	AuditPasswordSet    AuditAction = "password-set"
	AuditInvited        AuditAction = "invited"
	AuditPersonDisabled AuditAction = "person-disabled"
	AuditPersonEnabled  AuditAction = "person-enabled"
	AuditPeopleImported AuditAction = "people-imported"
	AuditDirectorySync  AuditAction = "directory-sync" // everything was to be compared
	AuditRestored       AuditAction = "restored"
	AuditJobRetried     AuditAction = "job-retried"
	AuditJobRemoved     AuditAction = "job-removed"
	AuditPolicySet      AuditAction = "policy-set"
	AuditPolicyReset    AuditAction = "policy-reset"
)

// Audit is one record of the trail: who did what to whom. It holds no content.
type Audit struct {
	At     time.Time
	Actor  Actor
	Action AuditAction
	Person PersonID // whose data it touched; 0: nobody's
	Detail string   // counts and ids only
}

// Alongside is what a change carries into its own transaction: entries for
// devices, jobs for any node, records for the trail. Every store method that
// changes something takes one, so that nothing that must happen hangs on an
// event.
type Alongside struct {
	Entries []Entry
	Jobs    []Job
	Audit   []Audit
}
