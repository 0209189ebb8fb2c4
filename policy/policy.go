// Package policy holds the operator's rules: which features are on, what a
// directory shows to everyone inside, and limits; and who changed which of them.
//
// It only states the rules. It never decides about a person or a viewer (that is
// privacy), and it knows of people only who changed a rule.
package policy

import (
	"fmt"
	"strings"
	"time"
)

// AttributeSet names directory attributes, one bit each.
type AttributeSet uint16

// The attributes that an operator can show to everyone inside the organisation,
// or keep to the privacy relationships. Display name, sign-in address and mail
// are not among them: everyone sees those.
const (
	Title AttributeSet = 1 << iota
	Company
	Department
	Office
	WorkPhone
	Manager // the manager, and so the reports
	Alias
	Mobile
	HomePhone
	OtherPhones

	allAttributes = 1<<iota - 1
)

// attributeNames are the names in the configuration, in the order of the bits.
var attributeNames = [...]string{
	"title", "company", "department", "office", "work_phone", "manager",
	"alias", "mobile", "home_phone", "other_phones",
}

// Attributes are all attributes there are.
func Attributes() AttributeSet { return allAttributes }

// Has reports whether every attribute of want is in s.
func (s AttributeSet) Has(want AttributeSet) bool { return s&want == want }

// String lists the names, separated by commas, in the order of the bits.
func (s AttributeSet) String() string { return strings.Join(s.Names(), ",") }

// Names returns the names of the attributes in s, in the order of the bits.
func (s AttributeSet) Names() []string {
	var names []string
	for i, name := range attributeNames {
		if s.Has(1 << i) {
			names = append(names, name)
		}
	}
	return names
}

// ParseAttributes reads the names of directory.public in the configuration. It
// refuses a name that it does not know, so that a misspelt one hides nothing and
// shows nothing by accident.
func ParseAttributes(names []string) (AttributeSet, error) {
	var s AttributeSet
next:
	for _, name := range names {
		for i, known := range attributeNames {
			if name == known {
				s |= 1 << i
				continue next
			}
		}
		return 0, fmt.Errorf("directory attribute %q is unknown; known are %s", name, AttributeSet(allAttributes))
	}
	return s, nil
}

// Policy is the operator's rules at one moment. It is a value: whoever asks
// twice within one decision asks once and passes the value on. Definitions says
// what each rule means, and its limits.
type Policy struct {
	// DirectoryPublic are the attributes of a directory entry that everyone
	// inside the organisation sees whatever the relationship.
	DirectoryPublic AttributeSet

	Pictures bool // directory photos are handed out at all
	Location bool // time zones are collected and shared at all

	// PrivacyMode offers people the choice "only people in my Contacts list see
	// my presence". While it is false a choice made earlier has no effect.
	PrivacyMode bool

	// NonContactsMayReach lets people message and call somebody in Privacy Mode
	// who does not have them in the Contacts list.
	NonContactsMayReach bool

	Delegation          bool // people may name delegates
	DelegatesOnPhones   bool // and may do so on a phone
	DelegatesMustAccept bool // and a delegate has to agree before it takes effect

	Push        bool // notices through the push services of browsers and phones
	Calendar    bool // people may have their calendar read
	Federation  bool // people talk to those of other organisations
	Guests      bool // people without an account join meetings
	CallViaWork bool // the server calls both sides of a call from a mobile phone

	MessageLimit  time.Duration // a message that some device has not fetched is purged after this time
	MaxBody       int           // largest body of a message, in bytes
	FileMegabytes int           // largest file, in millions of bytes

	DeviceIdle time.Duration // a device that is not used for this long is signed out
	MaxDevices int           // devices of one person; one more signs out the one used longest ago
}

// Default returns the rules of a fresh installation.
func Default() Policy {
	return Policy{
		DirectoryPublic:     Title | Company | Department | Office | WorkPhone | Manager,
		Pictures:            true,
		Location:            true,
		PrivacyMode:         true,
		NonContactsMayReach: true,
		Delegation:          true,
		MessageLimit:        30 * 24 * time.Hour,
		MaxBody:             64 << 10,
		FileMegabytes:       25,
		DeviceIdle:          30 * 24 * time.Hour,
		MaxDevices:          25,
	}
}

// Validate says which rule makes no sense.
func (p Policy) Validate() error {
	for _, d := range definitions {
		q := p
		if err := d.Set(&q, d.Get(&p)); err != nil {
			return fmt.Errorf("%s: %w", d.Key, err)
		}
		if q != p { // bits that no name stands for
			return fmt.Errorf("%s: it holds what has no name", d.Key)
		}
	}
	return nil
}

// Source gives the rules that hold now. Policy must be cheap and safe for
// concurrent use: it is asked on hot paths.
type Source interface{ Policy() Policy }

// Fixed is a Source whose rules never change.
type Fixed Policy

// Policy returns the rules.
func (f Fixed) Policy() Policy { return Policy(f) }
