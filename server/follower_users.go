package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parley"
	"parley/contact"
	"parley/edge/directory"
)

// rereadAtMost is how many people are read one by one when it changes who may
// sign in; for more of them everything is compared.
const rereadAtMost = 200

// errNobody says that nobody may sign in, which is not what anybody wants.
var errNobody = errors.New("the groups of ldap.users hold nobody, or the account may not see whom")

// errJudgedAgain says that the groups of ldap.users tell again who may sign in.
var errJudgedAgain = fmt.Errorf("it is known again who may sign in: %w", directory.ErrResync)

// allowed are the people who are in some groups, by place and by alias.
type allowed struct {
	places  map[contact.Place]bool
	aliases map[string]bool

	// last says that the groups cannot be read, or hold nobody: these are the people
	// of the last time that they did, if there was one since the start.
	last bool

	// unproven says that these are the people whom the groups name, of none of whom
	// it is known yet whether there is such a person.
	unproven bool
}

// allowed finds everybody who is in one of these groups or in a group inside it.
// Circles are taken as they are. Without groups it is nil.
func (g *followedGroups) allowed(dns []string) (*allowed, error) {
	if len(dns) == 0 {
		return nil, nil
	}
	in := &allowed{places: map[contact.Place]bool{}, aliases: map[string]bool{}}
	seen := map[*followedGroup]bool{}
	var waiting []*followedGroup
	for _, dn := range dns {
		group, err := g.of(dn)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, group)
	}
	for len(waiting) > 0 {
		group := waiting[0]
		if waiting = waiting[1:]; seen[group] {
			continue
		}
		seen[group] = true
		for _, member := range group.members {
			if inside := g.at[member]; inside != nil {
				waiting = append(waiting, inside)
			} else {
				in.places[member] = true
			}
		}
		for _, alias := range group.aliases {
			in.aliases[strings.ToLower(alias)] = true
		}
	}
	if !g.somebody(in) {
		return nil, errNobody
	}
	return in, nil
}

// somebody reports whether there is anybody in it, as far as people are known.
func (g *followedGroups) somebody(in *allowed) bool {
	if !g.importer.Knows() {
		return len(in.aliases)+len(in.places) > 0
	}
	if len(in.aliases) > 0 {
		for alias := range g.importer.Book.Aliases(parley.LDAP) {
			if in.aliases[strings.ToLower(alias)] {
				return true
			}
		}
	}
	for place := range in.places {
		if _, known := g.importer.At(place); known {
			return true
		}
	}
	return false
}

// admits reports whether somebody may sign in.
func (a *allowed) admits(place contact.Place, alias string) bool {
	return a == nil || a.places[place] || a.aliases[strings.ToLower(alias)]
}

// move lets people stand where they stand now.
func (a *allowed) move(moved map[contact.Place]contact.Place) {
	if a == nil {
		return
	}
	var now []contact.Place
	for was, is := range moved {
		if a.places[was] {
			delete(a.places, was)
			now = append(now, is)
		}
	}
	for _, place := range now {
		a.places[place] = true
	}
}

// differs gives the places and the aliases, in small letters, for which the answers
// differ.
func (a *allowed) differs(b *allowed) ([]contact.Place, map[string]bool) {
	if a == nil || b == nil {
		return nil, nil
	}
	var places []contact.Place
	aliases := map[string]bool{}
	for _, two := range [][2]*allowed{{a, b}, {b, a}} {
		for place := range two[0].places {
			if !two[1].places[place] {
				places = append(places, place)
			}
		}
		for alias := range two[0].aliases {
			if !two[1].aliases[alias] {
				aliases[alias] = true
			}
		}
	}
	return places, aliases
}

// judge finds out who may sign in. While the groups do not tell, it stays as it is,
// and everything else is taken over.
func (f *follower) judge() *allowed {
	now, err := f.groups.allowed(f.config.Users)
	f.unjudged(err)
	if err == nil {
		if now != nil {
			now.unproven = !f.importer.Knows()
		}
		return now
	}
	last := &allowed{last: true}
	if f.users != nil {
		last.places, last.aliases = f.users.places, f.users.aliases
	}
	return last
}

// judgedAgain reports whether the groups tell by now who may sign in, after they
// did not when people were taken over.
func (f *follower) judgedAgain(then *allowed) bool {
	if then == nil || !then.last && !then.unproven {
		return false
	}
	f.users = f.judge()
	return !f.users.last && (then.last || f.spared)
}

// bars reports whether the groups bar somebody. While they do not tell, nobody is
// barred who was not, and nobody comes in who is in none that was ever seen.
func (f *follower) bars(e *directory.Entry) bool {
	if e.DN == "" || f.users.admits(f.importer.Place(e.DN), e.Person.Alias) {
		return false
	}
	if !f.users.last && !f.users.unproven {
		return true
	}
	was, known := f.book.BySource(e.Person.SourceID)
	bars := !known || was.Gone || was.Barred
	f.spared = f.spared || !bars
	return bars
}

// affected are the people for whom it is another answer whether they may sign in.
func (f *follower) affected(was, now *allowed) []parley.PersonID {
	places, aliases := was.differs(now)
	var people []parley.PersonID
	for _, place := range places {
		if id, known := f.importer.At(place); known {
			people = append(people, id)
		}
	}
	if len(aliases) > 0 {
		for alias, id := range f.book.Aliases(parley.LDAP) {
			if aliases[strings.ToLower(alias)] {
				people = append(people, id)
			}
		}
	}
	slices.Sort(people)
	return slices.Compact(people)
}

// admit finds out who may sign in now that groups have changed, and reads those
// again for whom it is another answer.
func (f *follower) admit(ctx context.Context) ([]directory.Found, error) {
	was := f.users
	f.users = f.judge()
	if f.users == nil || f.users.last {
		return nil, nil
	}
	if was.last || was.unproven {
		return nil, errJudgedAgain
	}
	differ := f.affected(was, f.users)
	if len(differ) == 0 {
		return nil, nil
	}
	if len(differ) > rereadAtMost {
		return nil, fmt.Errorf("it changed for %d people whether they may sign in: %w", len(differ), directory.ErrResync)
	}
	return f.reread(ctx, differ)
}

// reread reads what the directory says of people now.
func (f *follower) reread(ctx context.Context, people []parley.PersonID) ([]directory.Found, error) {
	x, err := f.sync.Open(ctx) // changes come on the other one
	if err != nil {
		return nil, err
	}
	defer x.Close()
	var again []directory.Found
	for _, id := range people {
		person, known := f.book.Person(id)
		if !known {
			continue
		}
		entry, there, err := x.Person(ctx, person.SourceID)
		if one, bad := errors.AsType[*directory.RecordError](err); bad {
			again = append(again, directory.Found{Entry: entry, Err: one})
		} else if err != nil {
			return nil, err
		} else if there {
			again = append(again, directory.Found{Entry: entry})
		}
	}
	// Where they stand by now may be news, too.
	moved := f.groups.moves(&directory.Changes{People: again})
	f.groups.move(moved)
	f.users.move(moved)
	return again, nil
}
