package contact

import (
	"context"
	"slices"

	"parley"
	"parley/privacy"
)

// GroupPage is how many people of a group are shown at once.
const GroupPage = 200

// GroupContent is a group of the directory with a part of who is in it.
type GroupContent struct {
	Group  DirectoryGroup   // without People
	Groups []DirectoryGroup // directly in it and shown, by name, without People
	People []privacy.View   // directly in it, by name, at most GroupPage. Without presence
	More   bool
}

// Expand gives a group of the directory and the people in it behind after, from
// the first one for 0. Who is in a group is the directory's word and the same for
// everybody inside; what each of them shows is decided by privacy. A group that is
// not shown is as if absent, and so is every group to people from outside.
func (b *Book) Expand(_ context.Context, actor parley.Actor, id parley.DirectoryGroupID, after parley.PersonID) (GroupContent, error) {
	rules := b.policy.Policy()
	b.mu.RLock()
	defer b.mu.RUnlock()
	g := b.groups.byID[id]
	if g == nil || g.entry == nil || !actor.Inside() {
		return GroupContent{}, parley.ErrWithheld
	}
	c := GroupContent{Group: b.groups.export(g)}
	c.Group.People = nil
	for _, inner := range b.groups.innerListed(g) {
		row := b.groups.export(inner)
		row.People = nil
		c.Groups = append(c.Groups, row)
	}
	people := b.membersAfter(g.People, b.entry(after), GroupPage+1)
	if len(people) > GroupPage {
		people, c.More = people[:GroupPage], true
	}
	for _, e := range people {
		c.People = append(c.People, b.view(&e.person, actor, rules))
	}
	return c, nil
}

// innerListed gives the groups directly in a group that are shown, by name.
func (x *groups) innerListed(g *group) []*group {
	var list []*group
	for _, source := range g.GroupSources {
		if inner := x.byID[x.bySource[source]]; inner != nil && inner.entry != nil {
			list = append(list, inner)
		}
	}
	slices.SortFunc(list, compareGroups)
	return list
}

// membersAfter gives the first n of these people by name who come after somebody,
// or the first of all. People who are gone are left out. members are sorted by id.
// The caller holds mu.
func (b *Book) membersAfter(members []parley.PersonID, after *entry, n int) []*entry {
	if len(members) > len(b.byName)/largePart {
		return b.walkMembers(members, after, n)
	}
	var list []*entry
	for _, id := range members {
		if e := b.entry(id); e != nil && !e.person.Gone && (after == nil || after.before(e)) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(x, y *entry) int {
		if x.before(y) {
			return -1
		}
		return 1
	})
	return list[:min(len(list), n)]
}

// walkMembers is membersAfter for a large part of everybody: it goes through all
// people by name, which costs less than ordering the members.
func (b *Book) walkMembers(members []parley.PersonID, after *entry, n int) []*entry {
	start := 0
	if after != nil {
		i, found := slices.BinarySearchFunc(b.byName, after, b.compare)
		if start = i; found {
			start++
		}
	}
	var list []*entry
	for _, id := range b.byName[start:] {
		if len(list) == n {
			break
		}
		if _, in := slices.BinarySearch(members, id); in {
			list = append(list, b.people[id])
		}
	}
	return list
}

// ShownGroup gives a group of the directory for a list, without who is in it, if
// the actor may see it.
func (b *Book) ShownGroup(actor parley.Actor, id parley.DirectoryGroupID) (DirectoryGroup, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	g := b.groups.byID[id]
	if g == nil || g.entry == nil || !actor.Inside() {
		return DirectoryGroup{}, false
	}
	d := b.groups.export(g)
	d.People, d.Groups = nil, nil
	return d, true
}
