package privacy

import "parley/policy"

// Reach says whether somebody may message or call somebody.
type Reach uint8

// The answers. The zero value is no.
const (
	ReachNo       Reach = iota // refused, with the same answer for everybody whom the rules shut out
	ReachYes                   //
	ReachSilently              // the sender is blocked and must not notice: accepted, kept for the sender's own devices, never delivered
)

// Rights are the rows of the matrix that are no information about the owner but
// say what the server does for a viewer. They are never sent to anybody: they
// would tell somebody blocked that they are.
type Rights struct {
	Reach         Reach
	Notices       bool // typing and read marks of the owner reach the viewer, as far as the owner gives any
	BreaksThrough bool // the viewer's calls and alerts get through the owner's Do Not Disturb
}

// RightsOf gives what a class may do.
func RightsOf(c Class, p policy.Policy) Rights {
	switch {
	case c == Nothing || c >= NumClasses:
		return Rights{}
	case c == Self:
		return Rights{Reach: ReachYes, Notices: true, BreaksThrough: true}
	case c.NonContact() && !p.NonContactsMayReach:
		return Rights{}
	case c.Level() == Blocked:
		return Rights{Reach: ReachSilently}
	default:
		return Rights{Reach: ReachYes, Notices: true, BreaksThrough: !c.NonContact() && c.Level() == Workgroup}
	}
}
