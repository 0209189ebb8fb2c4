package privacy

// Class is all that Render knows of a viewer: the level that the owner gave
// them, whether they belong to the organisation, and whether the owner's Privacy
// Mode shuts them out. Classes are dense from 0, so a cache may be an array of
// NumClasses.
//
// The zero Class sees nothing at all; it is what Nobody gets.
type Class uint8

// NumClasses is the number of classes.
const NumClasses = 2 + 2*(numLevels+1)

// Nothing is the class of an actor that may not see anything.
const Nothing Class = 0

// Self is the person looking at themselves.
const Self Class = 1

const firstLeveled = 2

// nonContact stands where a level would, for people whom Privacy Mode shuts out.
const nonContact = numLevels

// ClassOf is the class of a viewer with a level.
func ClassOf(l Level, inside bool) Class { return classAt(uint8(l), inside) }

// NonContactClass is the class of a viewer whom the owner's Privacy Mode shuts
// out. Somebody blocked is never in it: they are in the class of their level.
func NonContactClass(inside bool) Class { return classAt(nonContact, inside) }

func classAt(row uint8, inside bool) Class {
	c := Class(firstLeveled + 2*row)
	if !inside {
		c++
	}
	return c
}

// Inside reports whether the viewer belongs to the organisation.
func (c Class) Inside() bool { return c == Self || c >= firstLeveled && c%2 == firstLeveled%2 }

// NonContact reports whether Privacy Mode shuts the viewer out.
func (c Class) NonContact() bool { return c >= firstLeveled && (c-firstLeveled)/2 == nonContact }

// Level gives the level of the class. For Nothing, Self and non-contacts, which
// have none, it gives the default of their side, so that only somebody who is
// blocked is ever told to be.
func (c Class) Level() Level {
	if c < firstLeveled || c.NonContact() || c >= NumClasses {
		return DefaultLevel(c.Inside())
	}
	return Level((c - firstLeveled) / 2)
}

// String names the class for tests and logs of the operator.
func (c Class) String() string {
	side := " outside"
	if c.Inside() {
		side = " inside"
	}
	switch {
	case c == Nothing:
		return "nothing"
	case c == Self:
		return "self"
	case c >= NumClasses:
		return "unknown"
	case c.NonContact():
		return "non-contact" + side
	default:
		return c.Level().String() + side
	}
}
