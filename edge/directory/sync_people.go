package directory

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// People gives everybody, base after base, with what People of an export gives:
// a *RecordError speaks of one entry and the rest follows, any other error ends it
// and says that these were not all.
func (x *Session) People(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		seen := map[string]bool{} // bases may overlap
		several := len(x.bases()) > 1
		for _, base := range x.bases() {
			stopped := false
			err := x.search(ctx, base, x.sync.ldap.PeopleFilter(x.root), x.personAttributes(), func(entry *ldap.Entry) bool {
				person, is, err := x.person(entry)
				if !is && err == nil || several && seen[person.Person.SourceID] && err == nil {
					return true
				}
				if several {
					seen[person.Person.SourceID] = true
				}
				stopped = !yield(person, err)
				return !stopped
			})
			if stopped {
				return
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
		}
	}
}

func (x *Session) bases() []string { return x.sync.ldap.PeopleBases(x.root) }

func (x *Session) personAttributes() []string {
	return append(x.sync.ldap.config.Mapping.Attributes(), modifyTimestamp)
}

// person maps an entry.
func (x *Session) person(entry *ldap.Entry) (Entry, bool, error) {
	rec := recordOf(entry)
	x.see(rec)
	return x.sync.ldap.config.Mapping.Person(rec)
}

// Person reads one person by SourceID. Somebody who is not, or no longer, among
// the people that are followed is not found.
func (x *Session) Person(ctx context.Context, source string) (entry Entry, found bool, err error) {
	condition := x.sourceFilter(source)
	if condition == "" {
		return Entry{}, false, nil
	}
	for _, base := range x.bases() {
		var problem error
		err := x.search(ctx, base, "(&"+x.sync.ldap.PeopleFilter(x.root)+condition+")", x.personAttributes(), func(e *ldap.Entry) bool {
			entry, found, problem = x.person(e)
			return !found
		})
		if err != nil && !errors.Is(err, ErrNoBase) {
			return Entry{}, false, err
		}
		if found {
			return entry, true, problem
		}
	}
	return Entry{}, false, nil
}

// followed reports whether a DN lies below one of the bases.
func (x *Session) followed(dn string, bases []string) bool {
	normal, err := NormalDN(dn)
	if err != nil {
		return false
	}
	for _, base := range bases {
		below, err := NormalDN(base)
		if err == nil && (normal == below || strings.HasSuffix(normal, ","+below)) {
			return true
		}
	}
	return false
}

// sourceFilter is the condition for the entry with a SourceID; empty if nothing
// can have it.
func (x *Session) sourceFilter(source string) string {
	for _, name := range x.sync.ldap.config.Mapping.SourceID {
		value := source
		switch lower := strings.ToLower(name); {
		case lower == "entryuuid" && isUUID(source):
			if x.Kind == KindAD {
				continue
			}
		case lower == "objectguid" && isUUID(source):
			return "(objectGUID=" + guidFilter(source) + ")"
		default:
			var ok bool
			if value, ok = strings.CutPrefix(source, lower+":"); !ok {
				continue
			}
		}
		return "(" + name + "=" + ldap.EscapeFilter(value) + ")"
	}
	return ""
}

// guidFilter writes a GUID in the form of a filter: its bytes as guid reads them.
func guidFilter(text string) string {
	hex := strings.ReplaceAll(text, "-", "")
	order := []int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}
	var b strings.Builder
	for _, i := range order {
		fmt.Fprintf(&b, `\%s`, hex[2*i:2*i+2])
	}
	return b.String()
}
