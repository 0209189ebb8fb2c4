package parley

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// PersonID names a person of this server. The store hands ids out one after the
// other from 1, so that tables in memory can be indexed by them; an id is bound
// to the directory's entryUUID or objectGUID, never to an address, and is never
// given to somebody else. Zero is nobody.
type PersonID uint32

// maxPersonID keeps a pair of ids inside the positive half of a StreamID.
const maxPersonID = 1<<31 - 1

// String gives the form used on the wire, "p17".
func (p PersonID) String() string { return "p" + strconv.FormatUint(uint64(p), 10) }

// ParsePersonID reads the form that String writes.
func ParsePersonID(s string) (PersonID, error) {
	n, err := parseID(s, "p", maxPersonID)
	return PersonID(n), err
}

// DeviceID names one signed-in device (a browser profile or a native shell) of
// one person. It ends with sign-out, revocation or expiry and is never reused.
type DeviceID int64

// String gives the form used on the wire, "d17".
func (d DeviceID) String() string { return "d" + strconv.FormatInt(int64(d), 10) }

// ParseDeviceID reads the form that String writes.
func ParseDeviceID(s string) (DeviceID, error) {
	n, err := parseID(s, "d", 1<<62)
	return DeviceID(n), err
}

// DirectoryGroupID names a group of the directory. It is bound to the directory's
// own lasting id, as a PersonID is, and is never given to another group. Zero is
// no group.
type DirectoryGroupID uint32

// String gives the form used on the wire, "dg17".
func (g DirectoryGroupID) String() string { return "dg" + strconv.FormatUint(uint64(g), 10) }

// ParseDirectoryGroupID reads the form that String writes.
func ParseDirectoryGroupID(s string) (DirectoryGroupID, error) {
	n, err := parseID(s, "dg", maxPersonID)
	return DirectoryGroupID(n), err
}

// Pos is a place in the log. The committing writer assigns it; it is the only
// order there is (never time). The first entry has position 1.
type Pos int64

// StreamID names one sequence of entries. It tells its own kind:
//
//	1 … 2³¹-1            the private stream of the person with that id
//	a<<32 | b, a < b     the conversation of exactly these two people
//	negative             a group conversation, numbered -1, -2, …
//
// So the conversation of two people needs no row and no message to create it,
// and both sides know its id before the first message.
type StreamID int64

// PrivateStream is the stream that only the devices of p read.
func PrivateStream(p PersonID) StreamID { return StreamID(p) }

// DirectStream is the conversation of a and b, in either order. The two must be
// different people.
func DirectStream(a, b PersonID) StreamID {
	if a > b {
		a, b = b, a
	}
	return StreamID(int64(a)<<32 | int64(b))
}

// Private returns the person whose private stream s is.
func (s StreamID) Private() (PersonID, bool) {
	if s > 0 && s <= maxPersonID {
		return PersonID(s), true
	}
	return 0, false
}

// Direct returns the two people, lower id first, whose conversation s is.
func (s StreamID) Direct() (a, b PersonID, ok bool) {
	if s <= maxPersonID {
		return 0, 0, false
	}
	return PersonID(s >> 32), PersonID(s & 0xffffffff), true
}

// Group reports whether s is a group conversation.
func (s StreamID) Group() bool { return s < 0 }

// String gives the form used on the wire: "p3" for a private stream, "p3.p9" for
// the conversation of two people, "g5" for a group.
func (s StreamID) String() string {
	if a, b, ok := s.Direct(); ok {
		return a.String() + "." + b.String()
	}
	if s.Group() {
		return "g" + strconv.FormatInt(-int64(s), 10)
	}
	return PersonID(s).String()
}

// ParseStreamID reads the form that String writes and accepts no other spelling
// (leading zeros, people in the wrong order).
func ParseStreamID(str string) (StreamID, error) {
	if first, second, ok := strings.Cut(str, "."); ok {
		a, err := ParsePersonID(first)
		if err != nil {
			return 0, err
		}
		b, err := ParsePersonID(second)
		if err != nil {
			return 0, err
		}
		if a >= b {
			return 0, fmt.Errorf("conversation id %q: the lower person comes first", str)
		}
		return DirectStream(a, b), nil
	}
	if strings.HasPrefix(str, "g") {
		n, err := parseID(str, "g", 1<<62)
		return StreamID(-n), err
	}
	p, err := ParsePersonID(str)
	return PrivateStream(p), err
}

// ClientID is the id that a device gives a message before it sends it: 22
// characters of unpadded base64url (128 random bits). The pair of device and
// ClientID is unique, so a message that is sent again is recognised.
type ClientID string

// ErrClientID says that a client id has not the documented form.
var ErrClientID = errors.New("client id: want 22 characters of base64url")

// Valid reports whether id has the documented form.
func (id ClientID) Valid() bool {
	if len(id) != 22 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func parseID(s, prefix string, limit int64) (int64, error) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || digits == "" || digits[0] == '0' || digits[0] == '+' || digits[0] == '-' {
		return 0, fmt.Errorf("id %.40q: want %s and a number", s, prefix)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > limit {
		return 0, fmt.Errorf("id %.40q: number out of range", s)
	}
	return n, nil
}
