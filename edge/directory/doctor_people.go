package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// people reads everybody, as the server would, and looks at some closely.
func (e *Examination) people(ctx context.Context, x *Session) bool {
	count, photo, warned := 0, "", 0
	var problems []string
	for person, err := range x.People(ctx) {
		one, isOne := errors.AsType[*RecordError](err)
		switch {
		case isOne:
			warned++
			if len(problems) < maxProblems {
				problems = append(problems, one.Error())
			}
		case err != nil:
			e.unreadable(err, "Reading the people")
			return false
		default:
			count++
			if photo == "" && len(person.Photo) > 0 {
				photo = tryPhoto(person.Photo)
			}
		}
	}
	if count+warned == 0 {
		e.fail("Correct ldap.people_bases or ldap.people_filter, which is "+e.LDAP.PeopleFilter(x.root)+", or let the account see people.",
			"Nobody is found below %s.", strings.Join(e.LDAP.PeopleBases(x.root), " and "))
		return false
	}
	e.fine("People: %d.", count)
	if warned > 0 {
		e.note("", "People who cannot be taken in: %d, such as %s.", warned, strings.Join(problems, "; "))
	}
	e.attributes(ctx, x)
	switch photo {
	case "":
		e.note("", "Nobody has a photo in %s.", strings.Join(e.LDAP.config.Mapping.Photo, " or "))
	case photoGood:
		e.fine("A photo was read.")
	default:
		e.note("", "A photo could not be read: %s.", photo)
	}
	return true
}

const photoGood = "good"

func tryPhoto(raw []byte) string {
	if _, _, _, err := Photo(raw); err != nil {
		return err.Error()
	}
	return photoGood
}

// mapped lists the facts of a mapping by their keys in the configuration.
func mapped(m *Mapping) []struct {
	key        string
	attributes []string
} {
	return []struct {
		key        string
		attributes []string
	}{
		{"source_id", m.SourceID}, {"address", m.SignIn}, {"name", m.DisplayName}, {"given_name", m.GivenName}, {"surname", m.Surname},
		{"alias", m.Alias}, {"mail", m.Mail}, {"other_mail", m.OtherMail}, {"title", m.Title}, {"department", m.Department},
		{"company", m.Company}, {"office", m.Office}, {"manager", m.Manager}, {"work_phone", m.WorkPhone}, {"mobile", m.Mobile},
		{"home_phone", m.HomePhone}, {"other_phones", m.OtherPhones}, {"region", m.Region}, {"photo", m.Photo},
	}
}

// attributes says of a sample which facts people have.
func (e *Examination) attributes(ctx context.Context, x *Session) {
	facts := mapped(&e.LDAP.config.Mapping)
	filled, sample := make([]int, len(facts)), 0
	for _, base := range e.LDAP.PeopleBases(x.root) {
		err := x.search(ctx, base, e.LDAP.PeopleFilter(x.root), x.personAttributes(), func(entry *ldap.Entry) bool {
			rec := recordOf(entry)
			for i, fact := range facts {
				if has(rec, fact.attributes) {
					filled[i]++
				}
			}
			sample++
			return sample < maxSample
		})
		if err != nil {
			e.unreadable(err, "Reading some people")
			return
		}
		if sample >= maxSample {
			break
		}
	}
	var some, none []string
	for i, fact := range facts {
		if filled[i] > 0 {
			some = append(some, fmt.Sprintf("%s %d", fact.key, filled[i]))
		} else {
			none = append(none, fact.key)
		}
	}
	e.fine("Of %d of them so many have: %s.", sample, strings.Join(some, ", "))
	if len(none) > 0 {
		e.note("Map other attributes under [ldap.attributes] if the directory has these facts elsewhere, or let the account see them.",
			"None of them has: %s.", strings.Join(none, ", "))
	}
	if filled[0] == 0 {
		e.fail("Let the account of ldap.bind_dn read "+strings.Join(e.LDAP.config.Mapping.SourceID, " or ")+", or set ldap.attributes.source_id.",
			"Nothing tells who somebody is once they are renamed or moved.")
	}
}

func has(rec *Record, attributes []string) bool {
	for _, name := range attributes {
		if len(rec.Attributes[strings.ToLower(name)]) > 0 {
			return true
		}
	}
	return false
}
