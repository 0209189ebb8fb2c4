package parley

// Event is something that happened, told by one part of the program to the
// others. Every event there is stands in this file. An event is a hint: it comes
// after the commit it speaks of, it may be lost when the process dies, and
// nothing that must happen may hang on it.
type Event interface{ event() }

// PeopleChanged says that the directory facts of these people changed, or what they
// typed beside them.
type PeopleChanged struct{ People []PersonID }

// DirectoryGroupsChanged says that these groups of the directory changed: their
// names, or who is in them.
type DirectoryGroupsChanged struct{ Groups []DirectoryGroupID }

// AccountDisabled says that a person may no longer sign in. Their devices have
// ended.
type AccountDisabled struct{ Person PersonID }

// DevicesEnded says that these devices of a person are signed out, for whatever
// reason: their sockets must close and their positions no longer hold the log.
type DevicesEnded struct {
	Person  PersonID
	Devices []DeviceID
	Reason  EndReason

	// Cursors is how far each of Devices had acknowledged, in their order. It is
	// set when another node tells of it, which knows that better than this one.
	Cursors []Pos
}

// EndReason says why devices ended. It is told to the device, so the strings are
// part of the wire.
type EndReason string

// The reasons.
const (
	EndedSignedOut EndReason = "signed-out" // on the device itself
	EndedRevoked   EndReason = "revoked"    // by the person, on another device
	EndedDisabled  EndReason = "disabled"   // the person may no longer sign in
	EndedExpired   EndReason = "expired"    // not used for too long
	EndedPassword  EndReason = "password"   // the password was changed
	EndedReplaced  EndReason = "replaced"   // signed in anew there, or one device too many
)

// DeviceSignedIn says that a person has a new device and from which position it
// reads.
type DeviceSignedIn struct {
	Person PersonID
	Device DeviceID
	From   Pos
}

// PresenceChanged says that a person's state, as somebody may see it, changed.
type PresenceChanged struct{ Person PersonID }

// RelationChanged says that what Other may know of Owner changed.
type RelationChanged struct{ Owner, Other PersonID }

// PreferencesChanged says that this person's own switches changed: what others see
// of them, which PeopleChanged says too, and what they themselves see.
type PreferencesChanged struct{ Person PersonID }

// ChoiceChanged says that what this person chose by hand changed.
type ChoiceChanged struct{ Person PersonID }

// ContactsChanged says that this person's Contacts list changed, and its version
// since. Versions of two changes may be told in another order than they were made.
type ContactsChanged struct {
	Person  PersonID
	Version int64
}

// PolicyChanged says that these of the operator's rules, by their keys, have
// another value. Rules are asked at each use, so nothing has to be done for what is
// decided from now on; what was decided and shown before may look otherwise now.
type PolicyChanged struct{ Keys []string }

func (PeopleChanged) event()          {}
func (DirectoryGroupsChanged) event() {}
func (AccountDisabled) event()        {}
func (DevicesEnded) event()           {}
func (DeviceSignedIn) event()         {}
func (PresenceChanged) event()        {}
func (RelationChanged) event()        {}
func (PreferencesChanged) event()     {}
func (ChoiceChanged) event()          {}
func (ContactsChanged) event()        {}
func (PolicyChanged) event()          {}
