package parley

import "time"

// Person is what the directory says about somebody, plus what the person typed.
// It is the unabridged record: nothing of it may reach a viewer except through
// privacy.Render.
type Person struct {
	ID       PersonID
	SourceID string // entryUUID or objectGUID in its text form; the person's identity in the directory
	Address  string // sign-in address, "user@domain", lower case
	Disabled bool   // may not sign in, by an administrator's word; their card stays
	Barred   bool   // likewise by the directory's own word
	Gone     bool   // no longer in the directory; shown only where somebody already has them

	// Directory is where the person comes from and where their password is: "" is
	// this server, with people whom exports brought in.
	Directory string

	DisplayName string
	GivenName   string
	Surname     string
	Alias       string   // uid or sAMAccountName
	Mail        string   // primary mail address
	OtherMail   []string // further mail and SIP addresses, lower case
	Title       string
	Department  string
	Company     string
	Office      string
	Manager     PersonID // 0: none. Directories hold cycles; whoever walks it must stop

	WorkPhone   string // as the directory writes it; DialString says what to dial
	Mobile      string
	HomePhone   string
	OtherPhones []string

	// Region is the ISO 3166 country of the office, "DE", or empty. It completes
	// numbers that are written without a country code.
	Region string

	Photo PhotoVersion // zero: no photo
}

// LDAP is the Person.Directory of the people of the corporate directory that this
// server follows.
const LDAP = "ldap"

// Enabled reports whether somebody may sign in.
func (p *Person) Enabled() bool { return !p.Disabled && !p.Barred && !p.Gone }

// PhotoVersion changes with every change of a photo. It is a short hash of the
// re-encoded picture, so equal pictures have equal versions.
type PhotoVersion uint64

// Availability is a presence number; the ranges are those of PRODUCT.md §3.
type Availability int

// The published values.
const (
	Available    Availability = 3500
	Inactive     Availability = 5000
	Busy         Availability = 6500
	Urgent       Availability = 6900 // what Workgroup sees of a Do Not Disturb
	BusyInactive Availability = 8000
	DoNotDisturb Availability = 9500
	BeRightBack  Availability = 12500
	Away         Availability = 15500
	OffWorkAway  Availability = 15600
	Offline      Availability = 18500
)

// Token refines an availability. The texts belong to the app's catalogue.
type Token string

// The activity tokens of PRODUCT.md §3.
const (
	TokenOnThePhone   Token = "on-the-phone"
	TokenInAMeeting   Token = "in-a-meeting"
	TokenInConference Token = "in-a-conference"
	TokenUrgent       Token = "urgent-interruptions-only"
	TokenPresenting   Token = "presenting"
	TokenOffWork      Token = "off-work"
	TokenOutOfOffice  Token = "out-of-office"
	TokenReachable    Token = "reachable-by-notification"
)

// PresenceSource says what a shown state comes from.
type PresenceSource string

// The sources.
const (
	SourceDevice   PresenceSource = "device"   // what the devices report
	SourceManual   PresenceSource = "manual"   // what the person chose
	SourceCalendar PresenceSource = "calendar" // a meeting or out-of-office entry
	SourceCall     PresenceSource = "call"
	SourceMeeting  PresenceSource = "meeting"
	SourceNone     PresenceSource = "" // Offline for want of anything else
)

// Presence is a person's state as the person's own devices see it, unabridged.
type Presence struct {
	Availability Availability
	Token        Token
	Source       PresenceSource
	Since        time.Time // when this state began; zero when unknown
	Until        time.Time // when a chosen state lapses; zero: not set
	Note         string
	NoteUntil    time.Time
	OutOfOffice  string // out-of-office note
	Mobile       bool   // the deciding device is a phone
	TimeZone     string // IANA name, of the deciding device
	LastActive   time.Time
}
