package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"parley"
	"parley/contact"
)

var _ contact.Store = (*Store)(nil)

const personColumns = `id, source_id, address, directory, disabled, barred, gone, display_name, given_name, surname, alias, mail, other_mail,
title, department, company, office, manager, work_phone, mobile, home_phone, other_phones, region, photo`

func scanPerson(r row) (p parley.Person, err error) {
	var otherMail, otherPhones string
	var photo int64
	err = r.Scan(&p.ID, &p.SourceID, &p.Address, &p.Directory, &p.Disabled, &p.Barred, &p.Gone, &p.DisplayName, &p.GivenName, &p.Surname, &p.Alias, &p.Mail, &otherMail,
		&p.Title, &p.Department, &p.Company, &p.Office, &p.Manager, &p.WorkPhone, &p.Mobile, &p.HomePhone, &otherPhones, &p.Region, &photo)
	if err != nil {
		return p, err
	}
	p.Photo = parley.PhotoVersion(photo)
	if p.OtherMail, err = parseList(otherMail); err != nil {
		return p, err
	}
	p.OtherPhones, err = parseList(otherPhones)
	return p, err
}

// People implements contact.Store.
func (s *Store) People(ctx context.Context) iter.Seq2[parley.Person, error] {
	const query = `SELECT ` + personColumns + ` FROM people WHERE id > $1 ORDER BY id LIMIT $2`
	return pages("reading people", func(last parley.Person) ([]parley.Person, error) {
		rows, err := s.read.query(ctx, query, int64(last.ID), pageRows)
		return collect(rows, err, scanPerson)
	})
}

// PeopleByID returns the people with these ids that there are, in the order of
// the ids.
func (s *Store) PeopleByID(ctx context.Context, ids []parley.PersonID) ([]parley.Person, error) {
	var all []parley.Person
	for some := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(ids))), maxListed) {
		rows, err := s.read.queryAmong(ctx, `SELECT `+personColumns+` FROM people WHERE id {ids} ORDER BY id`, plain(some))
		people, err := collect(rows, err, scanPerson)
		if err != nil {
			return nil, fmt.Errorf("reading people: %w", err)
		}
		all = append(all, people...)
	}
	return all, nil
}

// Photo implements contact.Store.
func (s *Store) Photo(ctx context.Context, person parley.PersonID, large bool) (picture []byte, _ parley.PhotoVersion, err error) {
	query := `SELECT small, photo FROM photos JOIN people ON people.id = person WHERE person = $1`
	if large {
		query = `SELECT large, photo FROM photos JOIN people ON people.id = person WHERE person = $1`
	}
	var version int64
	err = s.read.queryRow(ctx, query, int64(person)).Scan(&picture, &version)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, parley.ErrWithheld
	}
	return picture, parley.PhotoVersion(version), parley.Wrap(err, "reading a photo")
}

// PhotoSources implements contact.Store.
func (s *Store) PhotoSources(ctx context.Context, ids []parley.PersonID) (map[parley.PersonID]uint64, error) {
	type origin struct {
		person parley.PersonID
		source uint64
	}
	sources := make(map[parley.PersonID]uint64, len(ids))
	for some := range slices.Chunk(ids, maxListed) {
		rows, err := s.read.queryAmong(ctx, `SELECT person, source FROM photos WHERE source <> 0 AND person {ids}`, plain(some))
		found, err := collect(rows, err, func(r row) (o origin, err error) {
			var source int64
			err = r.Scan(&o.person, &source)
			o.source = uint64(source)
			return o, err
		})
		if err != nil {
			return nil, fmt.Errorf("reading what photos were made of: %w", err)
		}
		for _, o := range found {
			sources[o.person] = o.source
		}
	}
	return sources, nil
}

// applyPeople is a chunk of an import.
type applyPeople struct {
	changes []contact.Change
	also    parley.Alongside

	ids []parley.PersonID // one for each change
}

func (o *applyPeople) apply(b *batch) error {
	o.ids = make([]parley.PersonID, len(o.changes))
	for i := range o.changes {
		if c := &o.changes[i]; c.Moves {
			if err := b.later(`UPDATE people SET address = $2 WHERE id = $1`, int64(c.Person.ID), movingAddress(c.Person.ID)); err != nil {
				return parley.Wrap(err, "taking an address from %v", c.Person.ID)
			}
		}
	}
	for i := range o.changes {
		if err := applyPerson(b, &o.changes[i], &o.ids[i]); err != nil {
			return err
		}
	}
	if err := b.tx.answers(); err != nil {
		return parley.Wrap(err, "storing people")
	}
	b.tell(parley.PeopleChanged{People: o.ids})
	return b.alongside(o.also)
}

// movingAddress is what somebody has for an address while the chunk that gives
// theirs to somebody else is under way. Nobody can have it for good.
func movingAddress(person parley.PersonID) string { return "moving " + person.String() }

// ApplyPeople implements contact.Store. An address that somebody else has is a
// refusal of kind Conflict whose cause names both.
func (s *Store) ApplyPeople(ctx context.Context, changes []contact.Change, with parley.Alongside) ([]parley.PersonID, error) {
	if len(changes) > contact.MaxChunk {
		return nil, fmt.Errorf("storing %d people: at most %d at once", len(changes), contact.MaxChunk)
	}
	op := &applyPeople{changes: changes, also: with}
	if err := s.writer.do(ctx, s.writer.bulk, op); err != nil {
		return nil, err
	}
	return op.ids, nil
}

// applyPerson makes a change, and says in id of whom.
func applyPerson(b *batch, c *contact.Change, id *parley.PersonID) error {
	p := c.Person
	p.Address = strings.ToLower(p.Address)
	*id = p.ID
	known := func(r row) error {
		err := r.Scan(id)
		if errors.Is(err, sql.ErrNoRows) {
			err = parley.ErrWithheld
		}
		return parley.Wrap(err, "storing person %q", p.SourceID)
	}
	if c.Gone {
		return b.tx.ask(`UPDATE people SET gone = 1 WHERE id = $1 RETURNING id`, []any{int64(p.ID)}, known)
	}
	if err := addressFree(b, p); err != nil {
		return err
	}
	if p.ID == 0 {
		if err := b.tx.ask(insertPerson, personArgs(p), known); err != nil {
			return err
		}
	} else if err := updatePerson(b, p, known); err != nil {
		return err
	}
	if c.KeepPhoto {
		return nil
	}
	return setPhoto(b, p.SourceID, c.Photo)
}

// addressFree refuses a second person with the same address. People who are gone
// keep theirs without being in the way.
func addressFree(b *batch, p parley.Person) error {
	const query = `SELECT id, source_id FROM people WHERE address = $1 AND gone = 0 AND id <> $2 AND source_id <> $3`
	return b.tx.ask(query, []any{p.Address, int64(p.ID), p.SourceID}, func(r row) error {
		var other parley.PersonID
		var source string
		err := r.Scan(&other, &source)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("looking for the owner of an address: %w", err)
		}
		return &parley.Error{
			Kind: parley.Conflict, Key: "people.address-taken", Field: "address",
			Err: fmt.Errorf("address %q of %q belongs to %v (%q)", p.Address, p.SourceID, other, source),
		}
	})
}

// personArgs are the values of a person's own columns, in the order of the
// statements below.
func personArgs(p parley.Person) []any {
	return []any{
		p.SourceID, p.Address, p.DisplayName, p.GivenName, p.Surname, p.Alias, p.Mail, list(p.OtherMail),
		p.Title, p.Department, p.Company, p.Office, int64(p.Manager), p.WorkPhone, p.Mobile, p.HomePhone, list(p.OtherPhones), p.Region,
		p.Directory, number(p.Barred),
	}
}

const (
	ownColumns = `source_id, address, display_name, given_name, surname, alias, mail, other_mail,
title, department, company, office, manager, work_phone, mobile, home_phone, other_phones, region, directory, barred`
	ownValues = `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20`

	// insertPerson adds somebody. Whom another node has added a moment ago, so that
	// the caller could not know of them, is changed instead.
	insertPerson = `INSERT INTO people (` + ownColumns + `) VALUES (` + ownValues + `)
ON CONFLICT (source_id) DO UPDATE SET (` + ownColumns + `, gone) = (` + ownValues + `, 0)
WHERE people.directory = excluded.directory RETURNING id`
)

// updatePerson writes nothing if nothing differs. Whoever comes to a directory, which
// has their password from then on, loses the one that was here: should the directory
// go away, it must not be good again.
func updatePerson(b *batch, p parley.Person, known func(row) error) error {
	const update = `UPDATE people SET (` + ownColumns + `, gone) = (` + ownValues + `, 0)
WHERE id = $21 AND (` + ownColumns + `, gone) <> (` + ownValues + `, 0)`
	if err := b.tx.ask(`SELECT id FROM people WHERE id = $1`, []any{int64(p.ID)}, known); err != nil {
		return err
	}
	if p.Directory != "" {
		const former = `DELETE FROM passwords WHERE person = $1 AND person IN (SELECT id FROM people WHERE id = $1 AND directory <> $2)`
		if err := b.later(former, int64(p.ID), p.Directory); err != nil {
			return fmt.Errorf("removing the password of %q: %w", p.SourceID, err)
		}
	}
	return parley.Wrap(b.later(update, append(personArgs(p), int64(p.ID))...), "storing person %q", p.SourceID)
}

// setPhoto replaces or removes the photo of whoever has this source id, and writes
// nothing if it is the same.
func setPhoto(b *batch, source string, photo *contact.Photo) error {
	const (
		upsert = `
INSERT INTO photos (person, small, large, source) SELECT id, $3, $4, $5 FROM people WHERE source_id = $1 AND photo <> $2
ON CONFLICT (person) DO UPDATE SET small = excluded.small, large = excluded.large`
		origin = `
UPDATE photos SET source = $2 WHERE source <> $2 AND person IN (SELECT id FROM people WHERE source_id = $1)`
		remove  = `DELETE FROM photos WHERE person IN (SELECT id FROM people WHERE source_id = $1 AND photo <> 0)`
		version = `UPDATE people SET photo = $2 WHERE source_id = $1 AND photo <> $2`
	)
	var number int64
	var err error
	if photo == nil {
		err = b.later(remove, source)
	} else {
		number = int64(photo.Version)
		err = b.later(upsert, source, number, photo.Small, photo.Large, int64(photo.Source))
		if err == nil {
			err = b.later(origin, source, int64(photo.Source))
		}
	}
	if err == nil {
		err = b.later(version, source, number)
	}
	return parley.Wrap(err, "storing the photo of %q", source)
}
