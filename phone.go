package parley

// PhoneKind says what a phone number is for. The numbers are stored; never
// renumber.
type PhoneKind uint8

// The kinds. The zero value is none.
const (
	PhoneWork PhoneKind = iota + 1
	PhoneMobile
	PhoneHome
	PhoneOther

	phoneKindEnd
)

var phoneKindNames = [phoneKindEnd]string{PhoneWork: "work", PhoneMobile: "mobile", PhoneHome: "home", PhoneOther: "other"}

// Valid reports whether k is one of the kinds.
func (k PhoneKind) Valid() bool { return k > 0 && k < phoneKindEnd }

// String gives the form used on the wire.
func (k PhoneKind) String() string {
	if !k.Valid() {
		return ""
	}
	return phoneKindNames[k]
}

// ParsePhoneKind reads the form that String writes.
func ParsePhoneKind(s string) (PhoneKind, bool) {
	for k := PhoneWork; k < phoneKindEnd; k++ {
		if phoneKindNames[k] == s {
			return k, true
		}
	}
	return 0, false
}

// TypedPhone is a phone number that a person typed for the others to see, beside
// those that the directory has.
type TypedPhone struct {
	Kind   PhoneKind
	Number string // with its country code
}
