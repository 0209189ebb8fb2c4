package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"parley"
	"parley/contact"
	"parley/edge/directory"
)

// administratorsPrefix begins the SourceID of the group of those whom the
// configuration's groups make administrators.
const administratorsPrefix = "parley:administrators:"

// administratorsGroup names the group that holds the groups of a configuration's
// ldap.administrators, so that every node knows who is in them, and without the
// directory. Another list is another group: what is stored of an earlier one makes
// nobody an administrator while the directory has not said who is in these.
func administratorsGroup(dns []string) string {
	list := make([]string, len(dns))
	for i, dn := range dns {
		list[i] = dn
		if normal, err := directory.NormalDN(dn); err == nil {
			list[i] = normal
		}
	}
	slices.Sort(list)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(list), "\n")))
	return administratorsPrefix + hex.EncodeToString(sum[:16])
}

// errNobody says that nobody may sign in, which is not what anybody wants.
var errNobody = errors.New("the groups of ldap.users hold nobody, or the account may not see whom")

// followedGroups are the directory's groups, with their members by place.
type followedGroups struct {
	importer *contact.Importer
	byID     map[string]*followedGroup // by SourceID
	at       map[contact.Place]*followedGroup
}

// followedGroup is one of them.
type followedGroup struct {
	source, name, mail, description string

	place   contact.Place
	members []contact.Place
	aliases []string
	listed  bool
}

func newFollowedGroups(im *contact.Importer) followedGroups {
	return followedGroups{importer: im, byID: map[string]*followedGroup{}, at: map[contact.Place]*followedGroup{}}
}

// keep takes a group as it is now, and reports whether it was another one.
func (g *followedGroups) keep(from *directory.Group) bool {
	to := &followedGroup{
		source: from.SourceID, name: from.Name, mail: from.Mail, description: from.Description, listed: from.Listed,
		place: g.importer.Place(from.DN), aliases: from.Aliases,
	}
	for _, dn := range from.Members {
		to.members = append(to.members, g.importer.Place(dn))
	}
	slices.Sort(to.members)
	if was := g.byID[to.source]; was != nil && reflect.DeepEqual(was, to) {
		return false
	}
	g.drop(from.SourceID)
	g.byID[to.source], g.at[to.place] = to, to
	return true
}

func (g *followedGroups) drop(source string) bool {
	was := g.byID[source]
	if was == nil {
		return false
	}
	delete(g.byID, source)
	if g.at[was.place] == was {
		delete(g.at, was.place)
	}
	return true
}

// take takes the groups among changes, and reports whether there were any.
func (g *followedGroups) take(c *directory.Changes) bool {
	some := false
	for i := range c.Groups {
		some = g.keep(&c.Groups[i]) || some
	}
	for _, source := range c.EndedGroups {
		some = g.drop(source) || some
	}
	if c.EveryGroupIs != nil {
		for source := range g.byID {
			if !c.EveryGroupIs[source] {
				some = g.drop(source) || some
			}
		}
	}
	return some
}

// people leaves out the SourceIDs that nobody has.
func (g *followedGroups) people(sources []string) []string {
	var people []string
	for _, source := range sources {
		if _, known := g.importer.Book.BySource(source); known {
			people = append(people, source)
		}
	}
	return people
}

// allowed are the people who are in some groups, by place and by alias.
type allowed struct {
	places  map[contact.Place]bool
	aliases map[string]bool
}

// allowed finds everybody who is in one of these groups or in a group inside it.
// Circles are taken as they are. Without groups it is nil.
func (g *followedGroups) allowed(dns []string) (*allowed, error) {
	if len(dns) == 0 {
		return nil, nil
	}
	in := &allowed{map[contact.Place]bool{}, map[string]bool{}}
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
	if len(in.aliases) > 0 || !g.importer.Knows() {
		return len(in.aliases)+len(in.places) > 0
	}
	for place := range in.places {
		if _, known := g.importer.At(place); known {
			return true
		}
	}
	return false
}

// of finds a group of the configuration.
func (g *followedGroups) of(dn string) (*followedGroup, error) {
	normal, err := directory.NormalDN(dn)
	if err != nil {
		return nil, fmt.Errorf("%w: %.200q", err, dn)
	}
	group := g.at[g.importer.Place(normal)]
	if group == nil {
		return nil, fmt.Errorf("%w: %.200q", directory.ErrNoGroup, dn)
	}
	return group, nil
}

// admits reports whether somebody may sign in.
func (a *allowed) admits(place contact.Place, alias string) bool {
	return a == nil || a.places[place] || a.aliases[strings.ToLower(alias)]
}

// differs gives the places of those for whom the answers differ. Whoever is in by
// alias alone is not among them.
func (a *allowed) differs(b *allowed) []contact.Place {
	var places []contact.Place
	if a == nil || b == nil {
		return nil
	}
	for place := range a.places {
		if !b.places[place] {
			places = append(places, place)
		}
	}
	for place := range b.places {
		if !a.places[place] {
			places = append(places, place)
		}
	}
	return places
}

// applyGroups takes the groups over, with those that are no longer there.
func (f *follower) applyGroups(ctx context.Context) (contact.Outcome, error) {
	var aliases map[string]parley.PersonID
	var changes []contact.GroupChange
	for _, g := range f.groups.byID {
		if len(g.aliases) > 0 && aliases == nil {
			aliases = f.book.Aliases(parley.LDAP)
		}
		changes = append(changes, f.groupChange(g, aliases))
	}
	admins := contact.GroupChange{SourceID: f.administrators, Directory: parley.LDAP, Name: f.administrators}
	for _, dn := range f.config.Administrators {
		g, err := f.groups.of(dn)
		if err != nil { // whoever is named otherwise is one still
			f.standing.entry(contact.Problem{DN: dn, Err: directory.ErrNoGroup})
			continue
		}
		admins.GroupSources = append(admins.GroupSources, g.source)
	}
	changes = append(changes, admins)
	for _, source := range f.book.GroupSources(parley.LDAP) {
		if f.groups.byID[source] == nil && source != f.administrators {
			changes = append(changes, contact.GroupChange{SourceID: source, Directory: parley.LDAP, Gone: true})
		}
	}
	o, err := f.book.ApplyGroups(ctx, changes, parley.Alongside{})
	if err != nil {
		return o, fmt.Errorf("taking groups over: %w", err)
	}
	return o, nil
}

// groupChange is a group with the members that are known.
func (f *follower) groupChange(g *followedGroup, aliases map[string]parley.PersonID) contact.GroupChange {
	c := contact.GroupChange{
		SourceID: g.source, Directory: parley.LDAP, Name: g.name, Mail: g.mail, Description: g.description, Listed: g.listed,
	}
	for _, member := range g.members {
		if inside := f.groups.at[member]; inside != nil {
			c.GroupSources = append(c.GroupSources, inside.source)
		} else if id, known := f.importer.At(member); known {
			c.People = append(c.People, id)
		}
	}
	for _, alias := range g.aliases {
		if id, known := aliases[alias]; known {
			c.People = append(c.People, id)
		}
	}
	return c
}
