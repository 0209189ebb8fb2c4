package privacy

import "parley"

// Level is the privacy relationship that an owner gives to somebody. The numbers
// are stored; never renumber.
type Level uint8

// The levels (PRODUCT PR7). The zero value is what people of the same
// organisation are to each other.
const (
	Colleagues Level = iota
	External
	Workgroup
	Friends // Friends and Family
	Blocked

	numLevels = iota
)

var levelNames = [numLevels]string{"colleagues", "external", "workgroup", "friends", "blocked"}

// Valid reports whether l is one of the levels.
func (l Level) Valid() bool { return l < numLevels }

// String gives the form used on the wire and in the store.
func (l Level) String() string {
	if !l.Valid() {
		return ""
	}
	return levelNames[l]
}

// ParseLevel reads the form that String writes.
func ParseLevel(s string) (Level, bool) {
	for i, name := range levelNames {
		if s == name {
			return Level(i), true
		}
	}
	return 0, false
}

// DefaultLevel is the level of somebody to whom the owner gave none: Colleagues
// inside the organisation, External outside.
func DefaultLevel(inside bool) Level {
	if inside {
		return Colleagues
	}
	return External
}

// Relation is what Owner decided about Other. Nobody but Owner and Owner's own
// devices may learn of it.
type Relation struct {
	Owner      parley.PersonID
	Other      parley.PersonID
	Level      Level // for somebody outside write External: there is no "default" here
	InContacts bool  // Other is in Owner's Contacts list
}

// Preferences are a person's own switches.
type Preferences struct {
	SharePhoto    bool // the directory photo may be shown to others (PP2)
	OnlyContacts  bool // Privacy Mode: only people in my Contacts list see my presence (PM1)
	ShareTimeZone bool // the time zone of the device may be shown to others (LS1)
	ShowPhotos    bool // the person wants to see the pictures of others (PP2)
}

// DefaultPreferences hold for whoever never chose.
var DefaultPreferences = Preferences{SharePhoto: true, ShareTimeZone: true, ShowPhotos: true}

// PersonPreferences are the preferences of one person.
type PersonPreferences struct {
	Person      parley.PersonID
	Preferences Preferences
}
