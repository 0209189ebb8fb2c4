package privacy

import (
	"time"

	"parley"
	"parley/policy"
)

// Facts is everything there is to tell about a person, unabridged.
type Facts struct {
	Person      parley.Person
	Presence    parley.Presence // zero: not asked for, and then in no View either
	Preferences Preferences
	Typed       []parley.TypedPhone // what the person typed beside the directory's numbers
}

// Card is the part of a View that comes from the directory. The fields mean what
// parley.Person's of the same name mean; a withheld one is zero.
type Card struct {
	DisplayName string
	GivenName   string
	Surname     string
	Address     string
	Mail        string
	OtherMail   []string // shared with the facts: not to be changed
	Title       string
	Company     string
	Department  string
	Office      string
	Manager     parley.PersonID
	Alias       string

	WorkPhone   string
	Mobile      string
	HomePhone   string
	OtherPhones []string // shared with the facts: not to be changed

	// Region completes the numbers above; without a number it is withheld.
	Region string

	// Typed are the numbers that the person typed, in their order. They are whole
	// without the region.
	Typed []parley.TypedPhone

	Photo parley.PhotoVersion
}

// View is what one class of viewers gets to see of a person. A withheld field is
// zero, and so is one without a value: the two look the same.
type View struct {
	ID       parley.PersonID
	Card     Card
	Presence parley.Presence // zero Availability: withheld, or not asked for
}

// Render gives what a class sees of a person: the matrix of PRODUCT §2. It sees
// no viewer, so its answer may be shared by everybody of the class.
func Render(f Facts, c Class, p policy.Policy) View {
	if c.Level() == Blocked {
		f = twin(f)
	}
	visible := Visible(c, p)
	if visible == 0 {
		return View{}
	}
	if c != Self {
		if !f.Preferences.SharePhoto {
			visible &^= Photo
		}
		if !p.Location || !f.Preferences.ShareTimeZone {
			f.Presence.TimeZone = ""
		}
	}
	v := View{ID: f.Person.ID, Card: card(&f.Person, visible), Presence: presence(f.Presence, visible)}
	v.Card.Typed = typedPhones(f.Typed, VisibleTyped(c))
	return v
}

// rowOfPhone is the row of the matrix that a kind of number belongs to.
var rowOfPhone = [...]Fields{
	parley.PhoneWork: WorkPhone, parley.PhoneMobile: Mobile, parley.PhoneHome: HomePhone, parley.PhoneOther: OtherPhones,
}

// RowOfPhone gives the row of the matrix that a kind of number belongs to; 0 for
// what is no kind.
func RowOfPhone(k parley.PhoneKind) Fields {
	if !k.Valid() {
		return 0
	}
	return rowOfPhone[k]
}

// typedPhones leaves those of the visible rows.
func typedPhones(list []parley.TypedPhone, visible Fields) []parley.TypedPhone {
	var seen []parley.TypedPhone
	for _, p := range list {
		if row := RowOfPhone(p.Kind); row != 0 && visible.Has(row) {
			seen = append(seen, p)
		}
	}
	return seen
}

// twin is somebody with the same directory entry who never signed in: the whole
// of what a blocked person may learn. Whether the photo is shared stays, because
// it is the person's word about the directory entry.
func twin(f Facts) Facts {
	t := Facts{Person: f.Person, Preferences: DefaultPreferences}
	t.Preferences.SharePhoto = f.Preferences.SharePhoto
	if f.Presence.Availability != 0 {
		t.Presence.Availability = parley.Offline
	}
	return t
}

// card copies the rows of the directory entry that are visible.
func card(p *parley.Person, visible Fields) Card {
	var c Card
	if visible.Has(Name) {
		c.DisplayName, c.GivenName, c.Surname = p.DisplayName, p.GivenName, p.Surname
	}
	if visible.Has(Address) {
		c.Address, c.Mail = p.Address, p.Mail
	}
	if visible.Has(OtherMail) {
		c.OtherMail = p.OtherMail
	}
	for _, row := range [...]struct {
		field Fields
		to    *string
		value string
	}{
		{Title, &c.Title, p.Title},
		{Company, &c.Company, p.Company},
		{Department, &c.Department, p.Department},
		{Office, &c.Office, p.Office},
		{Alias, &c.Alias, p.Alias},
		{WorkPhone, &c.WorkPhone, p.WorkPhone},
		{Mobile, &c.Mobile, p.Mobile},
		{HomePhone, &c.HomePhone, p.HomePhone},
	} {
		if visible.Has(row.field) {
			*row.to = row.value
		}
	}
	if visible.Has(OtherPhones) {
		c.OtherPhones = p.OtherPhones
	}
	if c.WorkPhone != "" || c.Mobile != "" || c.HomePhone != "" || len(c.OtherPhones) > 0 {
		c.Region = p.Region
	}
	if visible.Has(Manager) {
		c.Manager = p.Manager
	}
	if visible.Has(Photo) {
		c.Photo = p.Photo
	}
	return c
}

// presence copies what is visible of a state.
func presence(p parley.Presence, visible Fields) parley.Presence {
	if visible.Has(Colour) && !visible.Has(State) {
		return parley.Presence{Availability: Base(p.Availability)}
	}
	if !visible.Has(State) {
		return parley.Presence{}
	}
	if visible.Has(Urgent) && Base(p.Availability) == parley.DoNotDisturb {
		p.Availability, p.Token = parley.Urgent, parley.TokenUrgent
	}
	if !visible.Has(Since) {
		p.Since, p.Until, p.LastActive, p.Source = time.Time{}, time.Time{}, time.Time{}, parley.SourceNone
	}
	if !visible.Has(Notes) {
		p.Note, p.NoteUntil, p.OutOfOffice = "", time.Time{}, ""
	}
	if !visible.Has(Place) {
		p.TimeZone, p.Mobile = "", false
	}
	return p
}

// Base gives the published value of the range that an availability lies in
// (PRODUCT §3): its colour and nothing else. Zero and what is below every range
// stay without a state.
func Base(a parley.Availability) parley.Availability {
	switch {
	case a < 3000:
		return 0
	case a < 4500:
		return parley.Available
	case a < 6000:
		return parley.Inactive
	case a < 7500:
		return parley.Busy
	case a < 9000:
		return parley.BusyInactive
	case a < 12000:
		return parley.DoNotDisturb
	case a < 15000:
		return parley.BeRightBack
	case a < 18000:
		return parley.Away
	default:
		return parley.Offline
	}
}
