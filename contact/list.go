package contact

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"parley"
	"parley/privacy"
)

// The limits of a person's Contacts list (PRODUCT UC5).
const (
	MaxContacts  = 1000
	MaxOwnGroups = 64
	MaxGroupName = 64 // characters
)

// MaxListChanges is the largest number of contacts that one commit changes.
const MaxListChanges = 100

// toldAgainAfter is for how long nobody is told once more that the same person
// added them.
const toldAgainAfter = 30 * 24 * time.Hour

// AddedContent is the content type of the entry that tells somebody that they were
// added. Its body is {"person": "p17"}: who did it.
const AddedContent = "application/vnd.parley.contact-added.v1+json"

// ContactID names what may stand in a Contacts list. It tells its own kind: a
// person's id, or negative the id of a group of the directory.
type ContactID int64

// ContactPerson is a person as a contact.
func ContactPerson(p parley.PersonID) ContactID { return ContactID(p) }

// ContactGroup is a group of the directory as a contact.
func ContactGroup(g parley.DirectoryGroupID) ContactID { return -ContactID(g) }

// Group gives the group of the directory that it is.
func (c ContactID) Group() (parley.DirectoryGroupID, bool) {
	if c < 0 && c > -1<<31 {
		return parley.DirectoryGroupID(-c), true
	}
	return 0, false
}

// Person gives the person that it is.
func (c ContactID) Person() (parley.PersonID, bool) {
	if c > 0 && c < 1<<31 {
		return parley.PersonID(c), true
	}
	return 0, false
}

// GroupID numbers one person's own groups, from 1.
type GroupID uint32

// Favourites is the group that everybody has. It has no name and stands first.
const Favourites GroupID = 0

// OwnGroup is a group that a person made.
type OwnGroup struct {
	ID   GroupID
	Name string
}

// Listed is somebody in a Contacts list.
type Listed struct {
	Contact ContactID
	Level   privacy.Level // of a person
	Groups  []GroupID     // in which they stand, by number; Favourites among them
}

// ContactList is a person's Contacts list as it is stored.
type ContactList struct {
	Version  int64      // differs with every change; the contents are never older
	Groups   []OwnGroup // in the person's order
	Contacts []Listed   // by id
}

// ListChange is what is to become of one contact. What is nil stays as it is.
type ListChange struct {
	Contact   ContactID
	Remove    bool // from the list and all groups; the level stays
	Level     *privacy.Level
	Favourite *bool
	Groups    *[]GroupID // the whole of the person's own groups that they stand in

	// Notice is what tells the other that they were added, if TellsOfAdding says so.
	Notice *parley.Entry
}

// decision is the part of a change that the Gate holds.
func (c ListChange) decision(person parley.PersonID) privacy.Decision {
	listed := !c.Remove
	return privacy.Decision{Other: person, Level: c.Level, InContacts: &listed}
}

// Decision gives what a change decides about a person; the second result is false
// for a group of the directory.
func (c ListChange) Decision() (privacy.Decision, bool) {
	person, ok := c.Contact.Person()
	return c.decision(person), ok
}

// TellsOfAdding decides whether somebody learns that owner added them. was and is
// are the owner's relation to them before and after, back is theirs to the owner,
// and last is when they were last told. Who blocks the owner, or has the owner
// among their contacts already, is not told; nor does the owner tell whom they
// block themselves.
func TellsOfAdding(was, is, back privacy.Relation, last, now time.Time) bool {
	return is.InContacts && !was.InContacts && is.Level != privacy.Blocked &&
		back.Level != privacy.Blocked && !back.InContacts && now.Sub(last) >= toldAgainAfter
}

// GroupEdit is what is to become of one of a person's own groups. A group with the
// number 0 is made.
type GroupEdit struct {
	ID     GroupID
	Name   string // empty: as it is
	Folded string // FoldGroupName of Name
	Place  *int   // from 0; nil: as it is, and of a new group the last. Beyond the last is the last
	Delete bool   // its contacts stay in the list
}

// ListStore keeps Contacts lists. relations.in_contacts stays the one truth of
// which people are in one.
type ListStore interface {
	// ContactList reads somebody's list. Who has none gets an empty one of version 0.
	ContactList(ctx context.Context, owner parley.PersonID) (ContactList, error)

	// ChangeContacts makes at most MaxListChanges changes in one transaction, the
	// relations included, and returns the list's version, which is a new one if
	// anything changed. It refuses, within the commit, a list that is too long and
	// groups that there are not.
	ChangeContacts(ctx context.Context, owner parley.PersonID, changes []ListChange, with parley.Alongside) (version int64, err error)

	// SetLevel stores a level alone; who is in the list does not change.
	SetLevel(ctx context.Context, owner, other parley.PersonID, level privacy.Level, with parley.Alongside) error

	// EditGroup changes one of the owner's own groups and returns its number. It
	// refuses, within the commit, too many groups, two of one name, and a group that
	// there is not.
	EditGroup(ctx context.Context, owner parley.PersonID, edit GroupEdit, with parley.Alongside) (id GroupID, version int64, err error)

	// Told says whether other was ever told that owner added them.
	Told(ctx context.Context, owner, other parley.PersonID) (bool, error)
}

// Refusals that are decided within the commit.
var (
	ErrTooManyContacts error = parley.Refuse(parley.TooLarge, "contacts.too-many")
	ErrTooManyGroups   error = parley.Refuse(parley.TooLarge, "contact-groups.too-many")
	ErrGroupName       error = &parley.Error{Kind: parley.Conflict, Key: "contact-groups.name-taken", Field: "name"}
	ErrNoGroup         error = &parley.Error{Kind: parley.Conflict, Key: "contact-groups.unknown", Field: "groups"}
)

// GroupName brings the name of a group in the form that is kept: composed and
// without space around it. It refuses what is no name.
func GroupName(name string) (string, error) {
	name = strings.TrimSpace(norm.NFC.String(name))
	switch n := utf8.RuneCountInString(name); {
	case !utf8.ValidString(name), strings.ContainsFunc(name, breaksLines):
		return "", parley.RefuseField("contact-groups.name-wrong", "name")
	case n == 0:
		return "", parley.RefuseField("contact-groups.name-empty", "name")
	case n > MaxGroupName:
		return "", parley.RefuseField("contact-groups.name-long", "name")
	}
	return name, nil
}

// breaksLines reports whether a character is for control and not for reading.
func breaksLines(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || r == utf8.RuneError
}

// FoldGroupName is the form in which names of groups are compared: without regard
// to case, and to the ways of writing one character.
func FoldGroupName(name string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name)))
}

// String gives the form used on the wire.
func (g GroupID) String() string {
	if g == Favourites {
		return "favourites"
	}
	return fmt.Sprintf("c%d", uint32(g))
}
