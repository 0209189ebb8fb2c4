package policy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind says what values a rule takes.
type Kind uint8

// The kinds of rule.
const (
	Switch        Kind = iota + 1 // "true" or "false"
	Number                        // a whole number
	Length                        // a length of time: "30d", "12h"
	AttributeKeys                 // directory attributes, separated by commas
)

// String gives the form used on the wire.
func (k Kind) String() string {
	switch k {
	case Switch:
		return "switch"
	case Number:
		return "number"
	case Length:
		return "duration"
	case AttributeKeys:
		return "attributes"
	default:
		return ""
	}
}

// Definition is everything there is to know of a rule but its value.
type Definition struct {
	Key   string // its name in the configuration and everywhere else
	Kind  Kind
	Label string // what the administrator's page calls it
	Doc   string // sentences: what it does

	// Min and Max are the least and the greatest value of a number or a length of
	// time, written as values are.
	Min, Max string

	// Pending says that nothing in this version asks for the rule yet.
	Pending bool

	// Shows says that the rule changes what people see of each other, so that
	// whoever looks has to be shown anew when it changes.
	Shows bool

	field func(*Policy) any
}

// definitions are the rules, in the order of the administrator's page. Keys are
// stored; never change one.
var definitions = []Definition{
	{
		Key: "policy.privacy_mode", Kind: Switch, Label: "Privacy Mode", Shows: true,
		Doc:   "People may choose that only their contacts see their presence.",
		field: func(p *Policy) any { return &p.PrivacyMode },
	},
	{
		Key: "policy.non_contacts_may_reach", Kind: Switch, Label: "Non-contacts may reach people in Privacy Mode",
		Doc:   "Somebody in Privacy Mode can still be called and written to by people who are not their contacts.",
		field: func(p *Policy) any { return &p.NonContactsMayReach },
	},
	{
		Key: "policy.location", Kind: Switch, Label: "Location", Shows: true,
		Doc:   "People may share their time zone. Nothing else about the place is ever collected.",
		field: func(p *Policy) any { return &p.Location },
	},
	{
		Key: "policy.push", Kind: Switch, Label: "Push", Pending: true,
		Doc:   "Devices are told of messages and calls through the push service of their browser or phone.",
		field: func(p *Policy) any { return &p.Push },
	},
	{
		Key: "policy.pictures", Kind: Switch, Label: "Pictures", Shows: true,
		Doc:   "Photos from the directory are shown.",
		field: func(p *Policy) any { return &p.Pictures },
	},
	{
		Key: "policy.delegation", Kind: Switch, Label: "Delegation", Pending: true,
		Doc:   "People may name delegates, who answer and make calls for them.",
		field: func(p *Policy) any { return &p.Delegation },
	},
	{
		Key: "policy.delegates_on_phones", Kind: Switch, Label: "Phones may configure delegates", Pending: true,
		Doc:   "Delegates are named on phones too, not on computers only.",
		field: func(p *Policy) any { return &p.DelegatesOnPhones },
	},
	{
		Key: "policy.delegates_must_accept", Kind: Switch, Label: "Delegates must accept first", Pending: true,
		Doc:   "A delegation takes effect when the delegate has agreed, not at once.",
		field: func(p *Policy) any { return &p.DelegatesMustAccept },
	},
	{
		Key: "policy.calendar", Kind: Switch, Label: "Calendar", Pending: true,
		Doc:   "People may have the server read their calendar for presence and their card.",
		field: func(p *Policy) any { return &p.Calendar },
	},
	{
		Key: "policy.federation", Kind: Switch, Label: "Federation", Pending: true,
		Doc:   "People see and reach those of other organisations.",
		field: func(p *Policy) any { return &p.Federation },
	},
	{
		Key: "policy.guests", Kind: Switch, Label: "Guests", Pending: true,
		Doc:   "Whoever has the link of a meeting joins it without an account.",
		field: func(p *Policy) any { return &p.Guests },
	},
	{
		Key: "policy.call_via_work", Kind: Switch, Label: "Call via Work", Pending: true,
		Doc:   "The server rings a person's mobile phone and then the other side, which sees the work number.",
		field: func(p *Policy) any { return &p.CallViaWork },
	},
	{
		Key: "policy.file_megabytes", Kind: Number, Label: "Files", Min: "0", Max: "1000", Pending: true,
		Doc:   "The largest file that people can send, in millions of bytes. 0: none.",
		field: func(p *Policy) any { return &p.FileMegabytes },
	},
	{
		Key: "policy.message_limit", Kind: Length, Label: "Message time limit", Min: "1h", Max: "365d",
		Doc:   "How long a message waits for a device that does not come. Then it is purged.",
		field: func(p *Policy) any { return &p.MessageLimit },
	},
	{
		Key: "policy.device_idle", Kind: Length, Label: "Devices stay signed in", Min: "1h", Max: "365d",
		Doc:   "How long a device that is not used stays signed in.",
		field: func(p *Policy) any { return &p.DeviceIdle },
	},
	{
		Key: "directory.public", Kind: AttributeKeys, Label: "Public directory attributes", Shows: true,
		Doc: "Directory attributes that everybody in the organisation sees, whatever the privacy relationship: " +
			"title, company, department, office, work_phone, manager, alias, mobile, home_phone, other_phones. " +
			"Display name, sign-in address and mail are always public.",
		field: func(p *Policy) any { return &p.DirectoryPublic },
	},
	{
		Key: "limits.message_body", Kind: Number, Label: "Size of a message", Min: "1024", Max: "65536",
		Doc:   "Bytes of one message.",
		field: func(p *Policy) any { return &p.MaxBody },
	},
	{
		Key: "limits.devices", Kind: Number, Label: "Devices of one person", Min: "1", Max: "1000",
		Doc:   "Signed-in devices of one person. One more signs out the one used longest ago.",
		field: func(p *Policy) any { return &p.MaxDevices },
	},
}

// Definitions gives every rule there is, in the order of the administrator's page.
func Definitions() []Definition { return slices.Clone(definitions) }

// Lookup finds a rule by its key.
func Lookup(key string) (Definition, bool) {
	i := slices.IndexFunc(definitions, func(d Definition) bool { return d.Key == key })
	if i < 0 {
		return Definition{}, false
	}
	return definitions[i], true
}

// Field is the rule's place in p, for whoever fills in a Policy: a pointer to a
// bool, an int, a time.Duration or an AttributeSet.
func (d Definition) Field(p *Policy) any { return d.field(p) }

// Get gives the value of the rule in p, as text.
func (d Definition) Get(p *Policy) string {
	switch v := d.field(p).(type) {
	case *bool:
		return strconv.FormatBool(*v)
	case *int:
		return strconv.Itoa(*v)
	case *time.Duration:
		return FormatLength(*v)
	case *AttributeSet:
		return v.String()
	default:
		return ""
	}
}

// Set sets the rule in p to a value that is given as text. The error says what
// values it takes; then nothing is set.
func (d Definition) Set(p *Policy, text string) error {
	switch v := d.field(p).(type) {
	case *bool:
		on, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("must be true or false")
		}
		*v = on
		return nil
	case *int:
		return setWithin(v, text, d.Min, d.Max, parseNumber)
	case *time.Duration:
		return setWithin(v, text, d.Min, d.Max, ParseLength)
	case *AttributeSet:
		var names []string
		for name := range strings.SplitSeq(text, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
		set, err := ParseAttributes(names)
		if err == nil {
			*v = set
		}
		return err
	default:
		return fmt.Errorf("rule %s has no value", d.Key)
	}
}

// take sets the rule in to as it is in from.
func (d Definition) take(to, from *Policy) {
	switch v := d.field(to).(type) {
	case *bool:
		*v = *d.field(from).(*bool)
	case *int:
		*v = *d.field(from).(*int)
	case *time.Duration:
		*v = *d.field(from).(*time.Duration)
	case *AttributeSet:
		*v = *d.field(from).(*AttributeSet)
	}
}

// setWithin sets v to what the text says, if that is between low and high.
func setWithin[T int | time.Duration](v *T, text, low, high string, parse func(string) (T, error)) error {
	value, err := parse(text)
	if err != nil {
		return err
	}
	least, lowErr := parse(low)
	most, highErr := parse(high)
	if lowErr != nil || highErr != nil {
		return errors.Join(lowErr, highErr)
	}
	if value < least || value > most {
		return fmt.Errorf("%s is not between %s and %s", strings.TrimSpace(text), low, high)
	}
	*v = value
	return nil
}

func parseNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, errors.New("must be a whole number")
	}
	return n, nil
}

const day = 24 * time.Hour

// ParseLength reads a length of time: Go's form, or whole days as "30d".
func ParseLength(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * day, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%.40q is no length of time such as 30d, 12h or 90m", text)
	}
	return d, nil
}

// FormatLength writes a length of time in the shortest form that ParseLength
// reads.
func FormatLength(d time.Duration) string {
	if d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Shows reports whether any of these rules changes what people see of each
// other. A key that is unknown here may.
func Shows(keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool {
		d, known := Lookup(key)
		return !known || d.Shows
	})
}
