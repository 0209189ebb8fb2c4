package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"parley"
	"parley/contact"
	"parley/privacy"
)

var _ contact.ListStore = (*Store)(nil)

// ContactList implements contact.ListStore. The version is read first, so what
// follows is never older.
func (s *Store) ContactList(ctx context.Context, owner parley.PersonID) (list contact.ContactList, err error) {
	err = s.read.queryRow(ctx, `SELECT version FROM contact_lists WHERE owner = $1`, int64(owner)).Scan(&list.Version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return list, fmt.Errorf("reading the version of a list: %w", err)
	}
	rows, err := s.read.query(ctx, `SELECT id, name FROM contact_groups WHERE owner = $1 ORDER BY place, id`, int64(owner))
	list.Groups, err = collect(rows, err, func(r row) (g contact.OwnGroup, err error) {
		err = r.Scan(&g.ID, &g.Name)
		return g, err
	})
	if err != nil {
		return list, fmt.Errorf("reading groups: %w", err)
	}
	rows, err = s.read.query(ctx, selectListed, int64(owner))
	list.Contacts, err = collect(rows, err, func(r row) (l contact.Listed, err error) {
		err = r.Scan(&l.Contact, &l.Level)
		return l, err
	})
	if err != nil {
		return list, fmt.Errorf("reading contacts: %w", err)
	}
	rows, err = s.read.query(ctx, `SELECT contact, grp FROM contact_members WHERE owner = $1 ORDER BY contact, grp`, int64(owner))
	members, err := collect(rows, err, scanMember)
	if err != nil {
		return list, fmt.Errorf("reading who stands in which group: %w", err)
	}
	for _, m := range members {
		i, found := slices.BinarySearchFunc(list.Contacts, m.contact, func(l contact.Listed, c contact.ContactID) int { return int(l.Contact - c) })
		if found {
			list.Contacts[i].Groups = append(list.Contacts[i].Groups, m.group)
		}
	}
	return list, nil
}

// selectListed reads who is in a list, groups of the directory (negative) first.
const selectListed = `
SELECT -directory_group AS contact, 0 AS level FROM contact_directory_groups WHERE owner = $1
UNION ALL
SELECT other, level FROM relations WHERE owner = $1 AND in_contacts <> 0
ORDER BY contact`

// member says that a contact stands in a group.
type member struct {
	contact contact.ContactID
	group   contact.GroupID
}

func scanMember(r row) (m member, err error) {
	err = r.Scan(&m.contact, &m.group)
	return m, err
}

// Told implements contact.ListStore.
func (s *Store) Told(ctx context.Context, owner, other parley.PersonID) (told bool, err error) {
	var at int64
	err = s.read.queryRow(ctx, `SELECT at FROM contact_notices WHERE owner = $1 AND other = $2`, int64(owner), int64(other)).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, parley.Wrap(err, "reading whether somebody was told")
}

// changeContacts changes somebody's list.
type changeContacts struct {
	owner   parley.PersonID
	changes []contact.ListChange
	also    parley.Alongside

	version int64 // of the list afterwards
}

// ChangeContacts implements contact.ListStore. Many changes go behind messages.
func (s *Store) ChangeContacts(ctx context.Context, owner parley.PersonID, changes []contact.ListChange, with parley.Alongside) (int64, error) {
	if len(changes) == 0 || len(changes) > contact.MaxListChanges {
		return 0, fmt.Errorf("changing %d contacts: from 1 to %d at once", len(changes), contact.MaxListChanges)
	}
	op := &changeContacts{owner: owner, changes: changes, also: with}
	queue := s.writer.queue
	if len(changes) > 1 {
		queue = s.writer.bulk
	}
	if err := s.writer.do(ctx, queue, op); err != nil {
		return 0, err
	}
	return op.version, nil
}

// stored is what a change finds of the contact.
type stored struct {
	was    privacy.Relation
	known  bool // there is a relation
	listed bool // in the list
	groups []contact.GroupID
	back   privacy.Relation // theirs to the owner
	told   int64            // when they were last told
}

func (o *changeContacts) apply(b *batch) error {
	list, err := readList(b, o.owner)
	if err != nil {
		return err
	}
	found, err := o.find(b)
	if err != nil {
		return err
	}
	changed := false
	for i, c := range o.changes {
		// A contact that is named twice is found as the first change left them.
		if j := slices.IndexFunc(o.changes[:i], func(other contact.ListChange) bool { return other.Contact == c.Contact }); j >= 0 {
			return fmt.Errorf("changing contact %d twice at once", c.Contact)
		}
		one, err := o.one(b, list, c, found[i])
		if err != nil {
			return err
		}
		changed = changed || one
	}
	if o.version = list.version; changed {
		if o.version, err = list.step(b); err != nil {
			return err
		}
	}
	return b.alongside(o.also)
}

// find reads what is stored of all contacts, in as few round trips as it can.
func (o *changeContacts) find(b *batch) ([]stored, error) {
	found := make([]stored, len(o.changes))
	for i, c := range o.changes {
		f := &found[i]
		if err := o.ask(b, c, f); err != nil {
			return nil, fmt.Errorf("reading a contact: %w", err)
		}
	}
	if err := b.tx.answers(); err != nil {
		return nil, fmt.Errorf("reading contacts: %w", err)
	}
	first, last := o.changes[0].Contact, o.changes[0].Contact
	for _, c := range o.changes {
		first, last = min(first, c.Contact), max(last, c.Contact)
	}
	rows, err := b.query(`SELECT contact, grp FROM contact_members WHERE owner = $1 AND contact >= $2 AND contact <= $3 ORDER BY contact, grp`,
		int64(o.owner), int64(first), int64(last))
	members, err := collect(rows, err, scanMember)
	if err != nil {
		return nil, fmt.Errorf("reading who stands in which group: %w", err)
	}
	for i, c := range o.changes {
		for _, m := range members {
			if m.contact == c.Contact {
				found[i].groups = append(found[i].groups, m.group)
			}
		}
	}
	return found, nil
}

// ask asks for what is stored of one contact.
func (o *changeContacts) ask(b *batch, c contact.ListChange, f *stored) error {
	relation := func(into *privacy.Relation, known *bool) func(row) error {
		return func(r row) error {
			var level, listed int64 // what rows of a bundle are read into
			err := r.Scan(&level, &listed)
			into.Level, into.InContacts, *known = privacy.Level(level), listed != 0, err == nil
			return ignoreAbsent(err)
		}
	}
	person, ok := c.Contact.Person()
	if !ok {
		return b.tx.ask(`SELECT 1 FROM contact_directory_groups WHERE owner = $1 AND directory_group = $2`, []any{int64(o.owner), -int64(c.Contact)},
			func(r row) error {
				var one int64
				err := r.Scan(&one)
				f.listed = err == nil
				return ignoreAbsent(err)
			})
	}
	if err := b.tx.ask(selectRelation, []any{int64(o.owner), int64(person)}, relation(&f.was, &f.known)); err != nil {
		return err
	}
	if c.Notice == nil {
		return nil
	}
	var decided bool
	if err := b.tx.ask(selectRelation, []any{int64(person), int64(o.owner)}, relation(&f.back, &decided)); err != nil {
		return err
	}
	return b.tx.ask(`SELECT at FROM contact_notices WHERE owner = $1 AND other = $2`, []any{int64(o.owner), int64(person)},
		func(r row) error { return ignoreAbsent(r.Scan(&f.told)) })
}

const selectRelation = `SELECT level, in_contacts FROM relations WHERE owner = $1 AND other = $2`

func ignoreAbsent(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// one makes one change and reports whether it changed anything.
func (o *changeContacts) one(b *batch, list *ownList, c contact.ListChange, f stored) (changed bool, err error) {
	person, ok := c.Contact.Person()
	if ok {
		f.listed = f.was.InContacts
	}
	if !c.Remove && !f.listed {
		if list.contacts++; list.contacts > contact.MaxContacts {
			return false, contact.ErrTooManyContacts
		}
	} else if c.Remove && f.listed {
		list.contacts--
	}
	if ok {
		changed, err = o.relate(b, c, person, f)
	} else if f.listed == c.Remove {
		changed, err = true, o.list(b, c)
	}
	if err != nil {
		return false, err
	}
	moved, err := o.move(b, list, c, f.groups)
	return changed || moved, err
}

// list puts a group of the directory into the list, or takes it out.
func (o *changeContacts) list(b *batch, c contact.ListChange) error {
	query := `INSERT INTO contact_directory_groups (owner, directory_group) VALUES ($1, $2)`
	if c.Remove {
		query = `DELETE FROM contact_directory_groups WHERE owner = $1 AND directory_group = $2`
	}
	return parley.Wrap(b.later(query, int64(o.owner), -int64(c.Contact)), "storing a group of the directory as a contact")
}

// relate stores the relation that a change means, with the news for the other.
func (o *changeContacts) relate(b *batch, c contact.ListChange, person parley.PersonID, f stored) (changed bool, err error) {
	d, _ := c.Decision()
	if c.Remove && !f.known {
		return false, nil // there is nothing to remove
	}
	is := d.On(o.owner, f.was, f.known)
	if f.known && is.Level == f.was.Level && is.InContacts == f.was.InContacts {
		return false, nil
	}
	if err := setRelation(b, is); err != nil {
		return false, err
	}
	if c.Notice == nil || !contact.TellsOfAdding(f.was, is, f.back, fromMillis(f.told), b.now) {
		return true, nil
	}
	const upsert = `
INSERT INTO contact_notices (owner, other, at) VALUES ($1, $2, $3) ON CONFLICT (owner, other) DO UPDATE SET at = excluded.at`
	if err := b.later(upsert, int64(o.owner), int64(person), b.now.UnixMilli()); err != nil {
		return false, fmt.Errorf("noting that somebody is told: %w", err)
	}
	_, err = b.append(*c.Notice)
	return true, parley.Wrap(err, "telling somebody that they were added")
}

// setRelation stores a relation and tells the other nodes.
func setRelation(b *batch, r privacy.Relation) error {
	if err := b.later(upsertRelation, int64(r.Owner), int64(r.Other), int64(r.Level), number(r.InContacts)); err != nil {
		return fmt.Errorf("storing a relation: %w", err)
	}
	b.tell(parley.RelationChanged{Owner: r.Owner, Other: r.Other})
	return nil
}

// move puts a contact into the groups that a change names.
func (o *changeContacts) move(b *batch, list *ownList, c contact.ListChange, are []contact.GroupID) (changed bool, err error) {
	want := slices.Clone(are)
	if c.Groups != nil {
		want = slices.DeleteFunc(want, func(g contact.GroupID) bool { return g != contact.Favourites })
		for _, g := range *c.Groups {
			if !slices.ContainsFunc(list.groups, func(own ownGroup) bool { return own.id == g }) {
				return false, contact.ErrNoGroup
			}
			want = append(want, g)
		}
	}
	if c.Favourite != nil {
		want = slices.DeleteFunc(want, func(g contact.GroupID) bool { return g == contact.Favourites })
		if *c.Favourite {
			want = append(want, contact.Favourites)
		}
	}
	if c.Remove {
		want = nil
	}
	slices.Sort(want)
	want = slices.Compact(want)
	for _, g := range are {
		if !slices.Contains(want, g) {
			changed = true
			err = errors.Join(err, b.later(`DELETE FROM contact_members WHERE owner = $1 AND contact = $2 AND grp = $3`, int64(o.owner), int64(c.Contact), int64(g)))
		}
	}
	for _, g := range want {
		if !slices.Contains(are, g) {
			changed = true
			err = errors.Join(err, b.later(`INSERT INTO contact_members (owner, contact, grp) VALUES ($1, $2, $3)`, int64(o.owner), int64(c.Contact), int64(g)))
		}
	}
	return changed, parley.Wrap(err, "storing in which groups a contact stands")
}

// setLevel stores a level and leaves who is in the list as it is.
type setLevel struct {
	owner, other parley.PersonID
	level        privacy.Level
	also         parley.Alongside
}

func (o setLevel) apply(b *batch) error {
	was, known := privacy.Relation{}, true
	err := b.queryRow(selectRelation, int64(o.owner), int64(o.other)).Scan(&was.Level, &was.InContacts)
	if errors.Is(err, sql.ErrNoRows) {
		known, err = false, nil
	}
	if err != nil {
		return fmt.Errorf("reading a relation: %w", err)
	}
	if is := (privacy.Decision{Other: o.other, Level: &o.level}).On(o.owner, was, known); !known || is.Level != was.Level {
		if err := setRelation(b, is); err != nil {
			return err
		}
	}
	return b.alongside(o.also)
}

// SetLevel implements contact.ListStore.
func (s *Store) SetLevel(ctx context.Context, owner, other parley.PersonID, level privacy.Level, with parley.Alongside) error {
	return s.writer.do(ctx, s.writer.queue, setLevel{owner, other, level, with})
}
