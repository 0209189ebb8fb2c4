package contact

import (
	"slices"
	"strings"

	"parley"
)

// compact copies a person's texts into little memory: those that many people
// have are shared, the others stand in one piece. The copy holds nothing of what
// it was made from.
func (b *Book) compact(p parley.Person) parley.Person {
	for _, s := range []*string{&p.GivenName, &p.Surname, &p.Title, &p.Department, &p.Company, &p.Office, &p.Region} {
		*s = b.share(*s)
	}
	own := []*string{&p.SourceID, &p.Address, &p.DisplayName, &p.Alias, &p.WorkPhone, &p.Mobile, &p.HomePhone}
	sameMail := p.Mail == p.Address
	if !sameMail {
		own = append(own, &p.Mail)
	}
	p.OtherMail, p.OtherPhones = slices.Clone(p.OtherMail), slices.Clone(p.OtherPhones)
	for i := range p.OtherMail {
		own = append(own, &p.OtherMail[i])
	}
	for i := range p.OtherPhones {
		own = append(own, &p.OtherPhones[i])
	}
	var all strings.Builder
	for _, s := range own {
		all.WriteString(*s)
	}
	rest := all.String()
	for _, s := range own {
		*s, rest = rest[:len(*s)], rest[len(*s):]
	}
	if sameMail {
		p.Mail = p.Address
	}
	return p
}

// share gives the one copy of a text. Only NewBook and whoever holds applying
// may call it.
func (b *Book) share(s string) string {
	if s == "" {
		return ""
	}
	if one, ok := b.shared[s]; ok {
		return one
	}
	s = strings.Clone(s)
	b.shared[s] = s
	return s
}
