package contact

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"parley"
)

// DirectoryGroup is a group of the directory as it is known here.
type DirectoryGroup struct {
	ID          parley.DirectoryGroupID
	SourceID    string // as of a Person
	Directory   string // likewise
	Name        string
	Mail        string
	Description string
	People      []parley.PersonID         // directly in it, by id
	Groups      []parley.DirectoryGroupID // directly in it and known, by id

	// Listed says that the group is shown. One that is not serves rules, as who is
	// an administrator.
	Listed bool
	Gone   bool // the directory has it no longer; nobody is in it
}

// GroupChange is one group as the directory has it now.
type GroupChange struct {
	SourceID     string // whose group it is; never empty
	Directory    string
	Name         string
	Mail         string
	Description  string
	Listed       bool
	People       []parley.PersonID // directly in it, in any order
	GroupSources []string          // the SourceIDs of the groups directly in it, also of unknown ones

	// Gone says that the directory has the group no longer; only SourceID counts
	// beside it.
	Gone bool
}

// StoredGroup is a group as it is stored.
type StoredGroup struct {
	ID           parley.DirectoryGroupID
	SourceID     string
	Directory    string
	Name         string
	Mail         string
	Description  string
	Listed       bool
	Gone         bool
	People       []parley.PersonID // sorted
	GroupSources []string          // sorted
}

// GroupRows is what one transaction changes of one group: its own row, and members.
type GroupRows struct {
	Group StoredGroup // without members; a zero ID adds it

	AddPeople, RemovePeople []parley.PersonID
	AddGroups, RemoveGroups []string

	Empty bool // takes everybody out instead
}

// GroupStore keeps the directory's groups.
type GroupStore interface {
	// DirectoryGroups yields every group, gone ones included, in the order of their
	// ids and without members.
	DirectoryGroups(ctx context.Context) iter.Seq2[StoredGroup, error]

	// GroupPeople yields who is directly in which group, by group and person.
	GroupPeople(ctx context.Context) iter.Seq2[GroupPerson, error]

	// GroupGroups yields which group is directly in which, by group and source.
	GroupGroups(ctx context.Context) iter.Seq2[GroupGroup, error]

	// DirectoryGroupsByID returns those of these groups that there are, with their
	// members.
	DirectoryGroupsByID(ctx context.Context, ids []parley.DirectoryGroupID) ([]StoredGroup, error)

	// ApplyGroups makes a chunk of changes in one transaction, behind messages, and
	// returns the ids of the groups in their order.
	ApplyGroups(ctx context.Context, changes []GroupRows, with parley.Alongside) ([]parley.DirectoryGroupID, error)
}

// GroupPerson says that a person is directly in a group.
type GroupPerson struct {
	Group  parley.DirectoryGroupID
	Person parley.PersonID
}

// GroupGroup says that the group of a SourceID is directly in a group.
type GroupGroup struct {
	Group  parley.DirectoryGroupID
	Source string
}

// maxGroupRows bounds the rows of one transaction, so that messages never wait
// long behind a group of everybody.
const maxGroupRows = 1000

// groups are the directory's groups in memory. The Book's mu guards them.
type groups struct {
	byID     map[parley.DirectoryGroupID]*group
	bySource map[string]parley.DirectoryGroupID
	listed   []*group // those that are shown, by name
}

// group is one group. It never changes: a change makes another one.
type group struct {
	StoredGroup
	entry *entry // by which it is found and ordered; nil for one that is not shown
}

func newGroups() groups {
	return groups{byID: make(map[parley.DirectoryGroupID]*group), bySource: make(map[string]parley.DirectoryGroupID)}
}

// newGroup works out what a group is found by: what a person of its name, address
// and title would be found by.
func newGroup(s StoredGroup) *group {
	g := &group{StoredGroup: s}
	if s.Listed && !s.Gone {
		g.entry = newEntry(parley.Person{
			ID: parley.PersonID(s.ID), DisplayName: s.Name, Address: strings.ToLower(s.Mail), Title: s.Description,
		}, nil, "")
	}
	return g
}

// place puts a group where its id says.
func (x *groups) place(g *group) {
	if was := x.byID[g.ID]; was != nil && was.entry != nil {
		if i, found := slices.BinarySearchFunc(x.listed, was, compareGroups); found {
			x.listed = slices.Delete(x.listed, i, i+1)
		}
	}
	x.byID[g.ID], x.bySource[g.SourceID] = g, g.ID
	if g.entry != nil {
		i, _ := slices.BinarySearchFunc(x.listed, g, compareGroups)
		x.listed = slices.Insert(x.listed, i, g)
	}
}

func compareGroups(a, b *group) int {
	switch {
	case a.entry.before(b.entry):
		return -1
	case b.entry.before(a.entry):
		return 1
	default:
		return 0
	}
}

// export gives a copy of a group with the groups in it that are known.
func (x *groups) export(g *group) DirectoryGroup {
	d := DirectoryGroup{
		ID: g.ID, SourceID: g.SourceID, Directory: g.Directory, Name: g.Name, Mail: g.Mail, Description: g.Description,
		People: slices.Clone(g.People), Listed: g.Listed, Gone: g.Gone,
	}
	for _, source := range g.GroupSources {
		if id, known := x.bySource[source]; known && !x.byID[id].Gone {
			d.Groups = append(d.Groups, id)
		}
	}
	slices.Sort(d.Groups)
	return d
}

// readGroups reads every group into memory.
func (b *Book) readGroups(ctx context.Context) error {
	stored := make(map[parley.DirectoryGroupID]*StoredGroup)
	for g, err := range b.store.DirectoryGroups(ctx) {
		if err != nil {
			return fmt.Errorf("reading the directory's groups: %w", err)
		}
		stored[g.ID] = &g
	}
	for m, err := range b.store.GroupPeople(ctx) {
		if err != nil {
			return fmt.Errorf("reading who is in the directory's groups: %w", err)
		}
		if g := stored[m.Group]; g != nil {
			g.People = append(g.People, m.Person)
		}
	}
	for m, err := range b.store.GroupGroups(ctx) {
		if err != nil {
			return fmt.Errorf("reading the groups in the directory's groups: %w", err)
		}
		if g := stored[m.Group]; g != nil {
			g.GroupSources = append(g.GroupSources, m.Source)
		}
	}
	for _, g := range stored {
		b.groups.place(newGroup(*g))
	}
	return nil
}

// DirectoryGroup gives a group, also one that is not shown, or is gone.
func (b *Book) DirectoryGroup(id parley.DirectoryGroupID) (DirectoryGroup, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if g := b.groups.byID[id]; g != nil {
		return b.groups.export(g), true
	}
	return DirectoryGroup{}, false
}

// GroupBySource finds a group of the directory, gone ones included.
func (b *Book) GroupBySource(sourceID string) (DirectoryGroup, bool) {
	b.mu.RLock()
	id, known := b.groups.bySource[sourceID]
	b.mu.RUnlock()
	if !known {
		return DirectoryGroup{}, false
	}
	return b.DirectoryGroup(id)
}

// InGroup reports whether somebody is in a group or in any group inside it.
// Circles of groups are taken as they are.
func (b *Book) InGroup(person parley.PersonID, sourceID string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	seen := map[string]bool{sourceID: true}
	for waiting := []string{sourceID}; len(waiting) > 0; {
		g := b.groups.byID[b.groups.bySource[waiting[0]]]
		waiting = waiting[1:]
		if g == nil || g.Gone {
			continue
		}
		if _, found := slices.BinarySearch(g.People, person); found {
			return true
		}
		for _, source := range g.GroupSources {
			if !seen[source] {
				seen[source] = true
				waiting = append(waiting, source)
			}
		}
	}
	return false
}

// ApplyGroups takes groups over as the directory has them now: into the store, in
// transactions of which the first holds with, then into memory, then it tells.
// Groups that are as they were are not stored. A group is known again by its
// SourceID; one that comes twice counts as it comes last.
func (b *Book) ApplyGroups(ctx context.Context, changes []GroupChange, with parley.Alongside) (Outcome, error) {
	b.applying.Lock()
	changed, outcome, err := b.applyGroups(ctx, changes, with)
	b.applying.Unlock()
	if len(changed) > 0 {
		b.announce(parley.DirectoryGroupsChanged{Groups: changed})
	}
	return outcome, err
}

// applyGroups stores and remembers. What is stored when it fails is remembered
// and among changed. The caller holds applying.
func (b *Book) applyGroups(ctx context.Context, changes []GroupChange, with parley.Alongside) (changed []parley.DirectoryGroupID, o Outcome, err error) {
	rows, o, err := b.planGroups(changes)
	if err != nil {
		return nil, Outcome{}, err
	}
	chunks := groupChunks(rows)
	if len(chunks) == 0 && len(with.Entries)+len(with.Jobs)+len(with.Audit) > 0 {
		chunks = [][]GroupRows{nil}
	}
	for _, chunk := range chunks {
		for i := range chunk {
			chunk[i].Group.ID = b.groupID(chunk[i].Group.SourceID)
		}
		ids, err := b.store.ApplyGroups(ctx, chunk, with)
		if err != nil {
			return changed, Outcome{}, fmt.Errorf("storing %d groups: %w", len(chunk), err)
		}
		if len(ids) != len(chunk) {
			return changed, Outcome{}, fmt.Errorf("storing %d groups: the store gave %d ids", len(chunk), len(ids))
		}
		with = parley.Alongside{}
		for i, id := range ids {
			b.rememberGroup(chunk[i], id)
		}
		changed = append(changed, ids...)
	}
	slices.Sort(changed)
	return slices.Compact(changed), o, nil
}

func (b *Book) groupID(sourceID string) parley.DirectoryGroupID {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.groups.bySource[sourceID]
}

// planGroups leaves out what changes nothing, counts, and says what differs.
func (b *Book) planGroups(changes []GroupChange) (rows []GroupRows, o Outcome, err error) {
	last := make(map[string]int, len(changes))
	for i, c := range changes {
		if c.SourceID == "" {
			return nil, Outcome{}, fmt.Errorf("changing the group %q: %w", c.Name, ErrNoSource)
		}
		last[c.SourceID] = i
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for i, c := range changes {
		if last[c.SourceID] != i {
			continue
		}
		was := b.groups.byID[b.groups.bySource[c.SourceID]]
		switch {
		case c.Gone && was == nil, c.Gone && was.Gone:
			o.Unchanged++
		case c.Gone:
			o.Gone++
			gone := was.StoredGroup
			gone.Gone, gone.People, gone.GroupSources = true, nil, nil
			rows = append(rows, GroupRows{Group: gone, Empty: true})
		default:
			if r, differs := c.rows(was); !differs {
				o.Unchanged++
			} else {
				rows = append(rows, r)
				if was == nil {
					o.Added++
				} else {
					o.Updated++
				}
			}
		}
	}
	return rows, o, nil
}

// rows says what a change of a group that is there changes; was is nil for one
// that is new.
func (c *GroupChange) rows(was *group) (r GroupRows, differs bool) {
	r.Group = StoredGroup{
		SourceID: c.SourceID, Directory: c.Directory, Name: c.Name, Mail: c.Mail, Description: c.Description, Listed: c.Listed,
	}
	people, sources := sortedCopy(c.People), sortedCopy(c.GroupSources)
	if was == nil {
		r.AddPeople, r.AddGroups = people, sources
		return r, true
	}
	r.Group.ID = was.ID
	r.AddPeople, r.RemovePeople = difference(people, was.People), difference(was.People, people)
	r.AddGroups, r.RemoveGroups = difference(sources, was.GroupSources), difference(was.GroupSources, sources)
	return r, was.Gone || was.Directory != c.Directory || was.Name != c.Name || was.Mail != c.Mail || was.Description != c.Description ||
		was.Listed != c.Listed || len(r.AddPeople)+len(r.RemovePeople)+len(r.AddGroups)+len(r.RemoveGroups) > 0
}

// groupChunks divides changes into transactions of at most maxGroupRows rows.
func groupChunks(rows []GroupRows) (chunks [][]GroupRows) {
	var chunk []GroupRows
	room := maxGroupRows
	flush := func() {
		if len(chunk) > 0 {
			chunks = append(chunks, chunk)
		}
		chunk, room = nil, maxGroupRows
	}
	for _, r := range rows {
		for {
			part := r
			room--
			part.AddPeople, r.AddPeople, room = split(r.AddPeople, room)
			part.RemovePeople, r.RemovePeople, room = split(r.RemovePeople, room)
			part.AddGroups, r.AddGroups, room = split(r.AddGroups, room)
			part.RemoveGroups, r.RemoveGroups, room = split(r.RemoveGroups, room)
			chunk = append(chunk, part)
			if room <= 0 {
				flush()
			}
			if len(r.AddPeople)+len(r.RemovePeople)+len(r.AddGroups)+len(r.RemoveGroups) == 0 {
				break
			}
		}
	}
	flush()
	return chunks
}

// split takes what there is room for off a list.
func split[T any](list []T, room int) (now, later []T, left int) {
	n := min(len(list), max(room, 0))
	return list[:n], list[n:], room - n
}

// rememberGroup puts what a transaction stored of a group into memory.
func (b *Book) rememberGroup(r GroupRows, id parley.DirectoryGroupID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := r.Group
	g.ID = id
	if was := b.groups.byID[id]; was != nil && !r.Empty {
		g.People, g.GroupSources = was.People, was.GroupSources
	}
	g.People = sortedCopy(append(difference(g.People, r.RemovePeople), r.AddPeople...))
	g.GroupSources = sortedCopy(append(difference(g.GroupSources, r.RemoveGroups), r.AddGroups...))
	b.groups.place(newGroup(g))
}

// RefreshGroups takes over what is stored of groups that another node changed. As
// Refresh, it must not run on the store's writer, and tells nobody.
func (b *Book) RefreshGroups(ctx context.Context, ids []parley.DirectoryGroupID) error {
	b.applying.Lock()
	defer b.applying.Unlock()
	stored, err := b.store.DirectoryGroupsByID(ctx, ids)
	if err != nil {
		return fmt.Errorf("reading %d groups again: %w", len(ids), err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, g := range stored {
		b.groups.place(newGroup(g))
	}
	return nil
}

// sortedCopy gives a sorted copy of a list with each element once.
func sortedCopy[T int | uint32 | string | parley.PersonID](list []T) []T {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// difference gives what of one sorted list is not in another one.
func difference[T uint32 | string | parley.PersonID](list, without []T) []T {
	var rest []T
	for _, v := range list {
		if _, found := slices.BinarySearch(without, v); !found {
			rest = append(rest, v)
		}
	}
	return rest
}
