package webapi

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"parley"
	"parley/contact"
	"parley/privacy"
)

// view is what a viewer may see of a person, presence included: the only way on
// which a fact about somebody leaves through this edge. Behind it is
// privacy.Render.
//
// Render decides what the owner shows. What the viewer does not want to see, which
// is the same for everybody they look at, is taken away here.
func (s *Server) view(owner parley.PersonID, viewer parley.Actor) (privacy.View, bool) {
	v, ok := s.config.Book.View(viewer, owner, s.config.Board.Presence(owner))
	if viewer.Inside() && viewer.Person != owner && viewer.Person != 0 && !s.config.Gate.Preferences(viewer.Person).ShowPhotos {
		v.Card.Photo = 0
	}
	return v, ok
}

// row is a person in a list.
func (s *Server) row(owner parley.PersonID, viewer parley.Actor) (PersonRow, bool) {
	v, ok := s.view(owner, viewer)
	return rowOf(v), ok
}

// rows leaves out who is no longer there.
func (s *Server) rows(views []privacy.View, viewer parley.Actor) []PersonRow {
	list := make([]PersonRow, 0, len(views))
	for _, v := range views {
		if row, ok := s.row(v.ID, viewer); ok {
			list = append(list, row)
		}
	}
	return list
}

func rowOf(v privacy.View) PersonRow {
	return PersonRow{
		ID: v.ID.String(), DisplayName: v.Card.DisplayName, Address: v.Card.Address,
		Mail: v.Card.Mail, OtherMail: v.Card.OtherMail, Title: v.Card.Title, Department: v.Card.Department,
		Photo: photoName(v.Card.Photo), Presence: presenceOf(v.Presence),
	}
}

// photoName is a picture's version on the wire; empty without a picture.
func photoName(v parley.PhotoVersion) string {
	if v == 0 {
		return ""
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(v))
	return hex.EncodeToString(b[:])
}

// cardOf is everything that a viewer may see of a person.
func (s *Server) cardOf(c contact.Card, viewer parley.Actor) (Card, bool) {
	v, ok := s.view(c.View.ID, viewer)
	if !ok {
		return Card{}, false
	}
	card := Card{
		PersonRow: rowOf(v), Alias: v.Card.Alias, Company: v.Card.Company,
		Office: v.Card.Office, Phones: s.phonesOf(v.Card), Reports: s.rows(c.Reports, viewer), Relationship: relationship(c, viewer),
	}
	if c.Manager != nil {
		if row, ok := s.row(c.Manager.ID, viewer); ok {
			card.Manager = &row
		}
	}
	return card, true
}

// relationship is the level that the viewer gives the person: the viewer's own
// choice, which nobody else learns of, nor who acts for the viewer.
func relationship(c contact.Card, viewer parley.Actor) string {
	switch {
	case viewer.Kind != parley.ActorPerson || c.View.ID == viewer.Person:
		return ""
	case c.Decided:
		return c.Relationship.Level.String()
	default:
		return privacy.DefaultLevel(true).String()
	}
}

func (s *Server) phonesOf(c privacy.Card) []Phone {
	var list []Phone
	region := c.Region
	if region == "" {
		region = s.config.Region
	}
	add := func(kind, number string) {
		if number = strings.TrimSpace(number); number != "" {
			list = append(list, s.phone(kind, number, region))
		}
	}
	add("work", c.WorkPhone)
	add("mobile", c.Mobile)
	add("home", c.HomePhone)
	for _, number := range c.OtherPhones {
		add("other", number)
	}
	return append(list, s.typedOf(c)...)
}

// typedOf are the numbers that the person typed, of those in a card.
func (s *Server) typedOf(c privacy.Card) []Phone {
	var list []Phone
	for _, typed := range c.Typed {
		p := s.phone(typed.Kind.String(), typed.Number, "")
		p.Typed = true
		list = append(list, p)
	}
	return list
}

func (s *Server) phone(kind, number, region string) Phone {
	return Phone{
		Kind: kind, Number: number, Dial: contact.DialString(number, region),
		Shown: contact.ShownNumber(number, region, s.config.Region),
	}
}

// presenceOf is a state on the wire; nil when it is withheld.
func presenceOf(p parley.Presence) *Presence {
	if p.Availability == 0 {
		return nil
	}
	out := &Presence{
		Availability: int(p.Availability), Activity: string(p.Token), Source: string(p.Source), Since: stamp(p.Since), Until: stamp(p.Until),
		Note: p.Note, NoteUntil: stamp(p.NoteUntil), OutOfOffice: p.OutOfOffice, TimeZone: p.TimeZone, LastActive: stamp(p.LastActive),
	}
	if p.Mobile {
		out.Device = parley.Mobile.String()
	}
	return out
}
