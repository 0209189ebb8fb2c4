package parley

import "time"

// ActorKind says what sort of party asks for something.
type ActorKind uint8

// The kinds of actor. The zero value is nobody and is refused everywhere.
const (
	Nobody       ActorKind = iota
	ActorPerson            // somebody of this organisation, on a signed-in device
	ActorRemote            // somebody of a federated organisation
	ActorGuest             // a meeting guest without an account
	ActorProgram           // a program with a token, acting with its owner's rights at most
	ActorAdmin             // an administrator in the administrator's pages or at the command line
	ActorSystem            // the server itself
)

// String names the kind in logs.
func (k ActorKind) String() string {
	switch k {
	case ActorPerson:
		return "person"
	case ActorRemote:
		return "remote"
	case ActorGuest:
		return "guest"
	case ActorProgram:
		return "program"
	case ActorAdmin:
		return "administrator"
	case ActorSystem:
		return "system"
	default:
		return "nobody"
	}
}

// DeviceClass is fixed at sign-in and carried by the device's token.
type DeviceClass uint8

// The device classes (PRODUCT CD9). The zero value is not a class.
const (
	Mobile  DeviceClass = 1 // a coarse primary pointer, or a native shell
	Desktop DeviceClass = 2 // everything else
)

// String gives the form used on the wire.
func (c DeviceClass) String() string {
	switch c {
	case Mobile:
		return "mobile"
	case Desktop:
		return "desktop"
	default:
		return ""
	}
}

// ParseDeviceClass reads the form that String writes.
func ParseDeviceClass(s string) (DeviceClass, bool) {
	switch s {
	case "mobile":
		return Mobile, true
	case "desktop":
		return Desktop, true
	default:
		return 0, false
	}
}

// Actor is who asks. It is an argument of every method that depends on it and
// never travels in a context.
type Actor struct {
	Kind   ActorKind
	Person PersonID    // whose rights count; zero for the system
	Device DeviceID    // the signed-in device, if there is one
	Class  DeviceClass // the device's class

	// Methods are the authentication methods that opened the session, as in
	// RFC 8176 ("pwd", "otp", "hwk"), and AuthTime is when that was.
	Methods  []string
	AuthTime time.Time
}

// Inside reports whether the actor belongs to this organisation.
func (a Actor) Inside() bool {
	return a.Kind == ActorPerson || a.Kind == ActorProgram || a.Kind == ActorAdmin || a.Kind == ActorSystem
}

// AtDesk refuses whoever is not a person on a signed-in device of the class
// desktop: what is set up in the desktop layout is read-only on phones (PRODUCT
// §4). It is a rule of the product, not protection: a device says its class itself
// when it signs in.
func (a Actor) AtDesk() error {
	if a.Kind != ActorPerson || a.Device == 0 || a.Class != Desktop {
		return Refuse(Forbidden, "settings.desktop-only")
	}
	return nil
}

// System is the server acting on its own.
var System = Actor{Kind: ActorSystem}
