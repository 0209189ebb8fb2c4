package contact

import (
	"parley"
	"parley/policy"
	"parley/privacy"
)

// matched gives what of a view somebody was found by, where it is not the name. It
// looks at nothing but the view, so it cannot tell more.
func (b *Book) matched(q *query, e *entry, v *privacy.View, rules policy.Policy) string {
	named := sight{directory: privacy.Name}
	if q.padRank(e, named) != unmatched {
		return ""
	}
	region := v.Card.Region
	if region == "" {
		region = b.region
	}
	for i := range q.terms {
		if t := &q.terms[i]; t.grade(e, named) == noMatch {
			return t.matchedBy(&v.Card, region, b.region)
		}
	}
	return ""
}

// matchedBy gives the text of a card that fits a term.
func (t *term) matchedBy(c *privacy.Card, region, organisation string) string {
	for _, field := range []struct {
		mark  byte
		texts []string
	}{
		{sectionAddress, []string{c.Address, c.Mail}}, {sectionOtherMail, c.OtherMail}, {sectionAlias, []string{c.Alias}},
		{sectionTitle, []string{c.Title}}, {sectionDepartment, []string{c.Department}},
		{sectionWorkPhone, []string{c.WorkPhone}}, {sectionMobile, []string{c.Mobile}}, {sectionHomePhone, []string{c.HomePhone}},
		{sectionOtherPhones, c.OtherPhones}, {sectionTypedOther, numbersOf(c.Typed)},
	} {
		for _, text := range field.texts {
			if text == "" || !t.fits(field.mark, text, region) {
				continue
			}
			if field.mark >= sectionWorkPhone {
				return ShownNumber(text, region, organisation)
			}
			return text
		}
	}
	return ""
}

// fits reports whether a term matches one text of a section.
func (t *term) fits(mark byte, text, region string) bool {
	var b textBuilder
	switch {
	case mark == sectionAddress, mark == sectionOtherMail:
		b.addresses(mark, text)
	case mark >= sectionWorkPhone:
		b.numbers(mark, region, text)
	default:
		b.section(mark, indexWords(pieces(text)))
	}
	everything := sight{directory: ^privacy.Fields(0), typed: ^privacy.Fields(0)}
	return t.grade(&entry{text: b.String()}, everything) != noMatch
}

func numbersOf(typed []parley.TypedPhone) []string {
	numbers := make([]string, len(typed))
	for i, p := range typed {
		numbers[i] = p.Number
	}
	return numbers
}
