package webapi

import "time"

// The bodies of the REST operations. Fields that are absent and fields that are
// withheld look the same: they are left out. Times are strings in RFC 3339, UTC,
// with milliseconds; stamp writes them.

// About is what anybody may know of this server.
type About struct {
	Name     string    `json:"name" doc:"The organisation's name."`
	Operator *Operator `json:"operator,omitempty" doc:"Who runs the server, if that is not the organisation itself."`
	Domains  []string  `json:"domains" doc:"The sign-in domains of this server."`
	Build    string    `json:"build"`
	Protocol int       `json:"protocol"`
	Secure   bool      `json:"secure" doc:"Whether this origin is secure enough for a browser to keep an encrypted history."`
	Features []string  `json:"features"`

	PasswordURL string `json:"password_url,omitempty" doc:"Where people of the corporate directory change their password."`
}

// Operator is the third party that receives the information.
type Operator struct {
	Name       string `json:"name"`
	Contact    string `json:"contact,omitempty" doc:"A mail address or a URL."`
	PrivacyURL string `json:"privacy_url,omitempty" doc:"The operator's own privacy statement."`
}

// DiscoverRequest asks where an address signs in.
type DiscoverRequest struct {
	Address string `json:"address" minLength:"1" maxLength:"320"`
}

// Discovered says where an address signs in.
type Discovered struct {
	Where  string `json:"where" enum:"here,elsewhere,unknown"`
	Server string `json:"server,omitempty" doc:"With elsewhere: the URL of the server."`
}

// WellKnown is what the sign-in domain's own web server may publish.
type WellKnown struct {
	Server string `json:"server" doc:"The URL of the server."`
}

// SignInRequest signs a device in.
type SignInRequest struct {
	Address      string `json:"address" minLength:"1" maxLength:"320" doc:"The sign-in address. With a corporate directory also DOMAIN\\name or the directory's own name of the account. A name without a domain is completed."`
	Password     string `json:"password" minLength:"1" maxLength:"1024"`
	Installation string `json:"installation" pattern:"^[A-Za-z0-9_-]{22}$" doc:"The browser profile's own random id."`
	DeviceName   string `json:"device_name" maxLength:"100"`
	DeviceClass  string `json:"device_class" enum:"mobile,desktop"`
	TimeZone     string `json:"time_zone" maxLength:"64" doc:"IANA name."`
	Token        bool   `json:"token,omitempty" doc:"Give the token in the body instead of a cookie."`
}

// Session is what a signed-in device knows of itself.
type Session struct {
	Person      PersonRow `json:"person"`
	Address     string    `json:"address"`
	Device      string    `json:"device"`
	DeviceClass string    `json:"device_class" enum:"mobile,desktop"`
	Expires     string    `json:"expires" format:"date-time"`
	AuthMethods []string  `json:"auth_methods" doc:"As in RFC 8176."`
	AuthTime    string    `json:"auth_time" format:"date-time"`
	HistoryKey  string    `json:"history_key" doc:"32 bytes in base64; the same at every sign-in of this person on this installation."`
	Cursor      string    `json:"cursor" doc:"Where this device begins to read."`
	Starts      string    `json:"starts" enum:"waiting,head"`
	Epoch       string    `json:"epoch"`
	Token       string    `json:"token,omitempty"`
}

// ForgottenRequest tells the administrator that somebody forgot the password.
type ForgottenRequest struct {
	Address string `json:"address" minLength:"1" maxLength:"320"`
}

// InvitationRequest asks whom an invitation is for.
type InvitationRequest struct {
	Code string `json:"code" minLength:"1" maxLength:"100"`
}

// Invitation is whom an invitation is for.
type Invitation struct {
	Address     string `json:"address"`
	DisplayName string `json:"display_name"`
}

// UseInvitationRequest sets the first password.
type UseInvitationRequest struct {
	Code     string `json:"code" minLength:"1" maxLength:"100"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
}

// ChangePasswordRequest changes the own password.
type ChangePasswordRequest struct {
	Current  string `json:"current" minLength:"1" maxLength:"1024"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
}

// SetPresenceRequest chooses a state by hand, or goes back to the automatic one.
type SetPresenceRequest struct {
	State string `json:"state" enum:"available,busy,do-not-disturb,be-right-back,off-work,appear-away,reset"`
	Until string `json:"until,omitempty" format:"date-time" doc:"When the choice lapses."`
}

// SetNoteRequest sets the personal note; an empty one removes it.
type SetNoteRequest struct {
	Note  string `json:"note" maxLength:"500"`
	Until string `json:"until,omitempty" format:"date-time" doc:"When the note lapses."`
}

// PersonRow is a person in a list, as this viewer may see them.
type PersonRow struct {
	ID          string    `json:"id"`
	DisplayName string    `json:"display_name"`
	Address     string    `json:"address"`
	Mail        string    `json:"mail,omitempty"`
	OtherMail   []string  `json:"other_mail,omitempty" doc:"Further mail and SIP addresses: the device joins its own contacts by them."`
	Title       string    `json:"title,omitempty"`
	Department  string    `json:"department,omitempty"`
	Photo       string    `json:"photo,omitempty" doc:"The picture's version; without it there is no picture to ask for."`
	Presence    *Presence `json:"presence,omitempty"`
}

// Card is everything that this viewer may see of a person.
type Card struct {
	PersonRow
	Alias        string      `json:"alias,omitempty"`
	Company      string      `json:"company,omitempty"`
	Office       string      `json:"office,omitempty"`
	Phones       []Phone     `json:"phones,omitempty"`
	Manager      *PersonRow  `json:"manager,omitempty"`
	Reports      []PersonRow `json:"reports,omitempty"`
	Relationship string      `json:"relationship,omitempty" doc:"The viewer's own level for this person: friends, workgroup, colleagues, external or blocked."`
}

// Phone is one number of a card.
type Phone struct {
	Kind   string `json:"kind" enum:"work,mobile,home,other"`
	Number string `json:"number" doc:"As the directory writes it, or as it was typed, with its country code."`
	Dial   string `json:"dial,omitempty" doc:"What to dial: E.164."`
	Shown  string `json:"shown" doc:"For reading: the national form inside the organisation's region, the international one otherwise, with the extension."`
	Typed  bool   `json:"typed,omitempty" doc:"The person typed it; the directory does not have it."`
}

// Presence is a person's state, as this viewer may see it.
type Presence struct {
	Availability int    `json:"availability"`
	Activity     string `json:"activity,omitempty"`
	Since        string `json:"since,omitempty" format:"date-time"`
	Until        string `json:"until,omitempty" format:"date-time"`
	Source       string `json:"source,omitempty"`
	Note         string `json:"note,omitempty"`
	NoteUntil    string `json:"note_until,omitempty" format:"date-time"`
	OutOfOffice  string `json:"out_of_office,omitempty"`
	Device       string `json:"device,omitempty" enum:"mobile,desktop"`
	TimeZone     string `json:"time_zone,omitempty"`
	LastActive   string `json:"last_active,omitempty" format:"date-time"`
}

// FoundPerson is a person whom a search has found.
type FoundPerson struct {
	PersonRow
	Matched string `json:"matched,omitempty" doc:"What they were found by, where it is not the name."`
}

// PeopleFound is the answer to a search. There is no total.
type PeopleFound struct {
	People []FoundPerson       `json:"people"`
	Groups []DirectoryGroupRow `json:"groups,omitempty" doc:"Groups of the directory, at most 10."`
	More   bool                `json:"more" doc:"There are further people."`
}

// Devices are the signed-in devices of one person.
type Devices struct {
	Devices []Device `json:"devices"`
}

// Device is one signed-in device.
type Device struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Class    string `json:"class" enum:"mobile,desktop"`
	Current  bool   `json:"current" doc:"It is the device that asks."`
	Created  string `json:"created" format:"date-time"`
	LastUsed string `json:"last_used" format:"date-time"`
	Expires  string `json:"expires" format:"date-time"`
}

// Synced is one page of the log.
type Synced struct {
	Epoch   string  `json:"epoch"`
	Resync  bool    `json:"resync" doc:"The cursor was of another epoch or unknown: the answer starts at the beginning of what the server holds for this device."`
	Entries []Entry `json:"entries"`
	Cursor  string  `json:"cursor" doc:"Where this page ends."`
	More    bool    `json:"more"`
	Missed  bool    `json:"missed" doc:"Messages were purged by the time limit before this device came for them."`
}

// Marks are the marks that changed since a cursor.
type Marks struct {
	Marks []ConversationMarks `json:"marks"`
}

// ConversationMarks are the cumulative marks of one conversation.
type ConversationMarks struct {
	Conversation string          `json:"conversation"`
	Delivered    []DeliveredMark `json:"delivered,omitempty"`
	Read         string          `json:"read,omitempty" doc:"The last entry that the person has read."`
}

// DeliveredMark is the last entry that has reached a device of a person.
type DeliveredMark struct {
	Person string `json:"person"`
	ID     string `json:"id"`
}

// AddressBookList are the servers of people's own address books.
type AddressBookList struct {
	Books []AddressBook `json:"books"`
}

// AddressBook is a server of people's own address books.
type AddressBook struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// FetchAddressBookRequest is what somebody signs in to their address book with.
// The server uses it for this request and keeps none of it.
type FetchAddressBookRequest struct {
	User     string `json:"user" minLength:"1" maxLength:"320"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
	ETag     string `json:"etag,omitempty" maxLength:"64" doc:"Of the last fetch."`
}

// FetchedAddressBook is what an address book holds.
type FetchedAddressBook struct {
	Cards     string `json:"cards" doc:"vCards, one after the other, as the address book's server gave them."`
	ETag      string `json:"etag" doc:"Changes when a card does; empty when the address book's server does not tell."`
	Skipped   int    `json:"skipped" doc:"Cards that could not be had."`
	Unchanged bool   `json:"unchanged,omitempty" doc:"Nothing has changed since the given etag; there are no cards."`
}

// Problem is a refusal, an RFC 9457 problem document.
type Problem struct {
	Type       string `json:"type"`
	Title      string `json:"title" enum:"invalid,too-large,unsupported,sign-in,forbidden,not-found,conflict,too-many,unavailable,full,internal" doc:"The kind, one of a closed list."`
	Status     int    `json:"status"`
	Key        string `json:"key" doc:"Text key of the app's catalogue."`
	Field      string `json:"field,omitempty" doc:"The input at fault, where there is one."`
	Retry      string `json:"retry" enum:"never,later,after-sign-in"`
	RetryAfter int    `json:"retry_after,omitempty" doc:"Seconds."`
}

// timeForm is RFC 3339 in UTC with milliseconds.
const timeForm = "2006-01-02T15:04:05.000Z"

// stamp writes a time for the wire; the zero time is left out.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeForm)
}
