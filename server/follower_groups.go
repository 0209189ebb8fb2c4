package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// moves says where the people and groups of changes stand who stood elsewhere
// until now, by the place where they stood.
func (g *followedGroups) moves(c *directory.Changes) map[contact.Place]contact.Place {
	moved := map[contact.Place]contact.Place{}
	note := func(was contact.Place, dn string) {
		if now := g.importer.Place(dn); dn == "" || now == was {
			delete(moved, was)
		} else {
			moved[was] = now
		}
	}
	for i := range c.People {
		e := &c.People[i].Entry
		person, known := g.importer.Book.BySource(e.Person.SourceID)
		if !known {
			continue
		}
		if was, stood := g.importer.PlaceOf(person.ID); stood {
			note(was, e.DN)
		}
	}
	for i := range c.Groups {
		if was := g.byID[c.Groups[i].SourceID]; was != nil {
			note(was.place, c.Groups[i].DN)
		}
	}
	return moved
}

// move lets members stand where they stand now. A directory does not tell of a
// group when it names a member otherwise, since nothing was changed in the group.
func (g *followedGroups) move(moved map[contact.Place]contact.Place) {
	if len(moved) == 0 {
		return
	}
	for _, group := range g.byID {
		if moveIn(group.members, moved) {
			slices.Sort(group.members)
		}
	}
}

// moveIn changes places in a list, all at once, and reports whether it did.
func moveIn(places []contact.Place, moved map[contact.Place]contact.Place) bool {
	some := false
	for i, was := range places {
		if now, is := moved[was]; is {
			places[i], some = now, true
		}
	}
	return some
}

// renamedAbove reports whether changed groups look as if an entry above some of
// their members was renamed: members of whom one knows are missing, and there are
// others of whom one knows nothing. The directory tells nothing of the people below
// such an entry.
func (g *followedGroups) renamedAbove(c *directory.Changes) bool {
	come := map[contact.Place]bool{}
	for i := range c.People {
		come[g.importer.Place(c.People[i].Entry.DN)] = true
	}
	for i := range c.Groups {
		come[g.importer.Place(c.Groups[i].DN)] = true
	}
	known := func(p contact.Place) bool {
		_, person := g.importer.At(p)
		return person || g.at[p] != nil
	}
	for i := range c.Groups {
		was := g.byID[c.Groups[i].SourceID]
		if was == nil {
			continue
		}
		members := make(map[contact.Place]bool, len(c.Groups[i].Members))
		strange := false
		for _, dn := range c.Groups[i].Members {
			place := g.importer.Place(dn)
			members[place] = true
			_, before := slices.BinarySearch(was.members, place)
			strange = strange || !before && !come[place] && !known(place)
		}
		if strange && slices.ContainsFunc(was.members, func(p contact.Place) bool { return !members[p] && known(p) }) {
			return true
		}
	}
	return false
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
