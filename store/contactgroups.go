package store

import (
	"context"
	"fmt"
	"slices"

	"parley"
	"parley/contact"
)

// ownList is what a change needs to know of the list as a whole.
type ownList struct {
	owner    parley.PersonID
	version  int64
	last     contact.GroupID // highest number that a group was given
	contacts int             // those that are shown: groups that the directory has no longer are in no list
	groups   []ownGroup      // in their order
}

type ownGroup struct {
	id     contact.GroupID
	name   string
	folded string
	place  int
}

// readList reads it within a commit.
func readList(b *batch, owner parley.PersonID) (*ownList, error) {
	l := &ownList{owner: owner}
	const query = `
SELECT coalesce((SELECT version FROM contact_lists WHERE owner = $1), 0), coalesce((SELECT last_group FROM contact_lists WHERE owner = $1), 0),
    (SELECT count(*) FROM relations WHERE owner = $1 AND in_contacts <> 0) + (SELECT count(*) FROM contact_directory_groups c
        JOIN directory_groups g ON g.id = c.directory_group WHERE c.owner = $1 AND g.gone = 0 AND g.listed <> 0)`
	if err := b.queryRow(query, int64(owner)).Scan(&l.version, &l.last, &l.contacts); err != nil {
		return nil, fmt.Errorf("reading a list: %w", err)
	}
	rows, err := b.query(`SELECT id, name, folded, place FROM contact_groups WHERE owner = $1 ORDER BY place, id`, int64(owner))
	l.groups, err = collect(rows, err, func(r row) (g ownGroup, err error) {
		err = r.Scan(&g.id, &g.name, &g.folded, &g.place)
		return g, err
	})
	return l, parley.Wrap(err, "reading the groups of a list")
}

// step gives the list its next version, and tells.
func (l *ownList) step(b *batch) (version int64, err error) {
	const upsert = `
INSERT INTO contact_lists (owner, version, last_group) VALUES ($1, $2, $3)
ON CONFLICT (owner) DO UPDATE SET version = excluded.version, last_group = excluded.last_group`
	if err := b.later(upsert, int64(l.owner), l.version+1, int64(l.last)); err != nil {
		return 0, fmt.Errorf("storing the version of a list: %w", err)
	}
	b.tell(parley.ContactsChanged{Person: l.owner, Version: l.version + 1})
	return l.version + 1, nil
}

// editGroup changes one of somebody's own groups.
type editGroup struct {
	owner parley.PersonID
	edit  contact.GroupEdit
	also  parley.Alongside

	id      contact.GroupID
	version int64
}

// EditGroup implements contact.ListStore.
func (s *Store) EditGroup(ctx context.Context, owner parley.PersonID, edit contact.GroupEdit, with parley.Alongside) (contact.GroupID, int64, error) {
	op := &editGroup{owner: owner, edit: edit, also: with}
	if err := s.writer.do(ctx, s.writer.queue, op); err != nil {
		return 0, 0, err
	}
	return op.id, op.version, nil
}

func (o *editGroup) apply(b *batch) error {
	list, err := readList(b, o.owner)
	if err != nil {
		return err
	}
	o.version = list.version
	changed, err := o.change(b, list)
	if err != nil {
		return err
	}
	if changed {
		if o.version, err = list.step(b); err != nil {
			return err
		}
	}
	return b.alongside(o.also)
}

func (o *editGroup) change(b *batch, list *ownList) (changed bool, err error) {
	at := slices.IndexFunc(list.groups, func(g ownGroup) bool { return g.id == o.edit.ID })
	o.id = o.edit.ID
	if o.edit.ID == 0 {
		if len(list.groups) >= contact.MaxOwnGroups {
			return false, contact.ErrTooManyGroups
		}
		list.last++
		at, o.id = len(list.groups), list.last
	} else if at < 0 {
		return false, parley.ErrWithheld
	}
	if o.edit.Delete {
		return true, o.remove(b, list, at)
	}
	if o.edit.Folded != "" && slices.ContainsFunc(list.groups, func(g ownGroup) bool { return g.id != o.id && g.folded == o.edit.Folded }) {
		return false, contact.ErrGroupName
	}
	if o.edit.ID == 0 {
		list.groups = append(list.groups, ownGroup{id: o.id, name: o.edit.Name, folded: o.edit.Folded, place: at + 1})
		const insert = `INSERT INTO contact_groups (owner, id, name, folded, place) VALUES ($1, $2, $3, $4, $5)`
		err = b.later(insert, int64(o.owner), int64(o.id), o.edit.Name, o.edit.Folded, at+1)
		changed = true
	} else if o.edit.Name != "" && o.edit.Name != list.groups[at].name {
		const update = `UPDATE contact_groups SET name = $3, folded = $4 WHERE owner = $1 AND id = $2`
		err = b.later(update, int64(o.owner), int64(o.id), o.edit.Name, o.edit.Folded)
		changed = true
	}
	if err == nil && o.edit.Place != nil {
		g := list.groups[at]
		list.groups = slices.Insert(slices.Delete(list.groups, at, at+1), min(*o.edit.Place, len(list.groups)-1), g)
	}
	if err != nil {
		return false, fmt.Errorf("storing a group: %w", err)
	}
	moved, err := list.renumber(b)
	return changed || moved, err
}

// remove deletes the group at a place of the list.
func (o *editGroup) remove(b *batch, list *ownList, at int) error {
	for _, query := range []string{
		`DELETE FROM contact_members WHERE owner = $1 AND grp = $2`,
		`DELETE FROM contact_groups WHERE owner = $1 AND id = $2`,
	} {
		if err := b.later(query, int64(o.owner), int64(o.id)); err != nil {
			return fmt.Errorf("deleting a group: %w", err)
		}
	}
	list.groups = slices.Delete(list.groups, at, at+1)
	_, err := list.renumber(b)
	return err
}

// renumber stores the places of groups that have others than before.
func (l *ownList) renumber(b *batch) (changed bool, err error) {
	for i, g := range l.groups {
		if g.place == i+1 {
			continue
		}
		changed = true
		if err := b.later(`UPDATE contact_groups SET place = $3 WHERE owner = $1 AND id = $2`, int64(l.owner), int64(g.id), i+1); err != nil {
			return false, fmt.Errorf("storing the order of groups: %w", err)
		}
	}
	return changed, nil
}
