package store

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"parley"
	"parley/contact"
)

const groupColumns = `id, source_id, directory, name, mail, description, listed, gone`

func scanGroup(r row) (g contact.StoredGroup, err error) {
	err = r.Scan(&g.ID, &g.SourceID, &g.Directory, &g.Name, &g.Mail, &g.Description, &g.Listed, &g.Gone)
	return g, err
}

func scanGroupPerson(r row) (m contact.GroupPerson, err error) {
	err = r.Scan(&m.Group, &m.Person)
	return m, err
}

func scanGroupGroup(r row) (m contact.GroupGroup, err error) {
	err = r.Scan(&m.Group, &m.Source)
	return m, err
}

// DirectoryGroups implements contact.GroupStore.
func (s *Store) DirectoryGroups(ctx context.Context) iter.Seq2[contact.StoredGroup, error] {
	const query = `SELECT ` + groupColumns + ` FROM directory_groups WHERE id > $1 ORDER BY id LIMIT $2`
	return pages("reading the directory's groups", func(last contact.StoredGroup) ([]contact.StoredGroup, error) {
		rows, err := s.read.query(ctx, query, int64(last.ID), pageRows)
		return collect(rows, err, scanGroup)
	})
}

// GroupPeople implements contact.GroupStore.
func (s *Store) GroupPeople(ctx context.Context) iter.Seq2[contact.GroupPerson, error] {
	const query = `
SELECT grp, person FROM directory_group_people WHERE (grp, person) > ($1, $2) ORDER BY grp, person LIMIT $3`
	return pages("reading who is in the directory's groups", func(last contact.GroupPerson) ([]contact.GroupPerson, error) {
		rows, err := s.read.query(ctx, query, int64(last.Group), int64(last.Person), pageRows)
		return collect(rows, err, scanGroupPerson)
	})
}

// GroupGroups implements contact.GroupStore.
func (s *Store) GroupGroups(ctx context.Context) iter.Seq2[contact.GroupGroup, error] {
	const query = `
SELECT grp, source FROM directory_group_groups WHERE (grp, source) > ($1, $2) ORDER BY grp, source LIMIT $3`
	return pages("reading the groups in the directory's groups", func(last contact.GroupGroup) ([]contact.GroupGroup, error) {
		rows, err := s.read.query(ctx, query, int64(last.Group), last.Source, pageRows)
		return collect(rows, err, scanGroupGroup)
	})
}

// DirectoryGroupsByID implements contact.GroupStore, in the order of the ids.
func (s *Store) DirectoryGroupsByID(ctx context.Context, ids []parley.DirectoryGroupID) ([]contact.StoredGroup, error) {
	var all []contact.StoredGroup
	for some := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(ids))), maxListed) {
		rows, err := s.read.queryAmong(ctx, `SELECT `+groupColumns+` FROM directory_groups WHERE id {ids} ORDER BY id`, plain(some))
		groups, err := collect(rows, err, scanGroup)
		if err != nil {
			return nil, fmt.Errorf("reading groups: %w", err)
		}
		all = append(all, groups...)
	}
	for i := range all {
		g := &all[i]
		rows, err := s.read.query(ctx, `SELECT grp, person FROM directory_group_people WHERE grp = $1 ORDER BY person`, int64(g.ID))
		people, err := collect(rows, err, scanGroupPerson)
		if err != nil {
			return nil, fmt.Errorf("reading who is in %v: %w", g.ID, err)
		}
		for _, m := range people {
			g.People = append(g.People, m.Person)
		}
		rows, err = s.read.query(ctx, `SELECT grp, source FROM directory_group_groups WHERE grp = $1 ORDER BY source`, int64(g.ID))
		inner, err := collect(rows, err, scanGroupGroup)
		if err != nil {
			return nil, fmt.Errorf("reading the groups in %v: %w", g.ID, err)
		}
		for _, m := range inner {
			g.GroupSources = append(g.GroupSources, m.Source)
		}
	}
	return all, nil
}

// applyGroups is a chunk of the directory's groups.
type applyGroups struct {
	changes []contact.GroupRows
	also    parley.Alongside

	ids []parley.DirectoryGroupID // one for each change
}

// ApplyGroups implements contact.GroupStore.
func (s *Store) ApplyGroups(ctx context.Context, changes []contact.GroupRows, with parley.Alongside) ([]parley.DirectoryGroupID, error) {
	op := &applyGroups{changes: changes, also: with}
	if err := s.writer.do(ctx, s.writer.bulk, op); err != nil {
		return nil, err
	}
	return op.ids, nil
}

func (o *applyGroups) apply(b *batch) error {
	o.ids = make([]parley.DirectoryGroupID, len(o.changes))
	for i := range o.changes {
		if err := applyGroup(b, &o.changes[i], &o.ids[i]); err != nil {
			return fmt.Errorf("storing the group %q: %w", o.changes[i].Group.SourceID, err)
		}
	}
	if err := b.tx.answers(); err != nil {
		return parley.Wrap(err, "storing groups")
	}
	if len(o.ids) > 0 {
		b.tell(parley.DirectoryGroupsChanged{Groups: o.ids})
	}
	return b.alongside(o.also)
}

// The statements of a change. What is about members finds the group by its
// source_id: the id of a new one is not known when they are sent.
const (
	upsertGroup = `
INSERT INTO directory_groups (source_id, directory, name, mail, description, listed, gone) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (source_id) DO UPDATE SET directory = excluded.directory, name = excluded.name, mail = excluded.mail,
    description = excluded.description, listed = excluded.listed, gone = excluded.gone
RETURNING id`
	theGroup     = `(SELECT id FROM directory_groups WHERE source_id = $1)`
	removePeople = `DELETE FROM directory_group_people WHERE grp = ` + theGroup
	removeGroups = `DELETE FROM directory_group_groups WHERE grp = ` + theGroup
	addPerson    = `INSERT INTO directory_group_people (grp, person) SELECT id, $2 FROM directory_groups WHERE source_id = $1 ON CONFLICT DO NOTHING`
	removePerson = removePeople + ` AND person = $2`
	addGroup     = `INSERT INTO directory_group_groups (grp, source) SELECT id, $2 FROM directory_groups WHERE source_id = $1 ON CONFLICT DO NOTHING`
	removeGroup  = removeGroups + ` AND source = $2`
)

// applyGroup makes a change, and says in id of which group.
func applyGroup(b *batch, c *contact.GroupRows, id *parley.DirectoryGroupID) error {
	g := &c.Group
	args := []any{g.SourceID, g.Directory, g.Name, g.Mail, g.Description, number(g.Listed), number(g.Gone)}
	if err := b.tx.ask(upsertGroup, args, func(r row) error { return r.Scan(id) }); err != nil {
		return err
	}
	if c.Empty {
		if err := b.later(removePeople, g.SourceID); err != nil {
			return err
		}
		return b.later(removeGroups, g.SourceID)
	}
	for _, members := range []struct {
		query string
		list  []any
	}{
		{removePerson, memberIDs(c.RemovePeople)}, {addPerson, memberIDs(c.AddPeople)},
		{removeGroup, memberSources(c.RemoveGroups)}, {addGroup, memberSources(c.AddGroups)},
	} {
		for _, member := range members.list {
			if err := b.later(members.query, g.SourceID, member); err != nil {
				return err
			}
		}
	}
	return nil
}

func memberIDs(people []parley.PersonID) []any {
	list := make([]any, len(people))
	for i, p := range people {
		list[i] = int64(p)
	}
	return list
}

func memberSources(sources []string) []any {
	list := make([]any, len(sources))
	for i, s := range sources {
		list[i] = s
	}
	return list
}
