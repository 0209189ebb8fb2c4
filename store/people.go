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

const personColumns = `id, source_id, address, disabled, gone, display_name, given_name, surname, alias, mail, other_mail,
title, department, company, office, manager, work_phone, mobile, home_phone, other_phones, region, photo`

func scanPerson(r row) (p parley.Person, err error) {
	var otherMail, otherPhones string
	var photo int64
	err = r.Scan(&p.ID, &p.SourceID, &p.Address, &p.Disabled, &p.Gone, &p.DisplayName, &p.GivenName, &p.Surname, &p.Alias, &p.Mail, &otherMail,
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

// applyPeople is a chunk of an import.
type applyPeople struct {
	changes []contact.Change
	also    parley.Alongside

	ids []parley.PersonID // one for each change
}

func (o *applyPeople) apply(b *batch) error {
	o.ids = make([]parley.PersonID, len(o.changes))
	for i := range o.changes {
		id, err := applyPerson(b, &o.changes[i])
		if err != nil {
			return fmt.Errorf("storing person %q: %w", o.changes[i].Person.SourceID, err)
		}
		o.ids[i] = id
	}
	b.tell(parley.PeopleChanged{People: o.ids})
	return b.alongside(o.also)
}

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

func applyPerson(b *batch, c *contact.Change) (parley.PersonID, error) {
	id := c.Person.ID
	if c.Gone {
		n, err := b.exec(`UPDATE people SET gone = 1 WHERE id = $1`, int64(id))
		if err == nil && n == 0 {
			err = parley.ErrWithheld
		}
		return id, err
	}
	p := c.Person
	p.Address = strings.ToLower(p.Address)
	if err := addressFree(b, p); err != nil {
		return 0, err
	}
	var err error
	if id == 0 {
		id, err = insertPerson(b, p)
	} else {
		err = updatePerson(b, p)
	}
	if err != nil || c.KeepPhoto {
		return id, err
	}
	return id, setPhoto(b, id, c.Photo)
}

// addressFree refuses a second person with the same address. People who are gone
// keep theirs without being in the way.
func addressFree(b *batch, p parley.Person) error {
	const query = `SELECT id, source_id FROM people WHERE address = $1 AND gone = 0 AND id <> $2`
	var other parley.PersonID
	var source string
	err := b.queryRow(query, p.Address, int64(p.ID)).Scan(&other, &source)
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
}

// personArgs are the values of a person's own columns, in the order of the
// statements below.
func personArgs(p parley.Person) []any {
	return []any{
		p.SourceID, p.Address, p.DisplayName, p.GivenName, p.Surname, p.Alias, p.Mail, list(p.OtherMail),
		p.Title, p.Department, p.Company, p.Office, int64(p.Manager), p.WorkPhone, p.Mobile, p.HomePhone, list(p.OtherPhones), p.Region,
	}
}

const (
	ownColumns = `source_id, address, display_name, given_name, surname, alias, mail, other_mail,
title, department, company, office, manager, work_phone, mobile, home_phone, other_phones, region`
	ownValues = `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18`
)

func insertPerson(b *batch, p parley.Person) (id parley.PersonID, err error) {
	const insert = `INSERT INTO people (` + ownColumns + `) VALUES (` + ownValues + `) RETURNING id`
	err = b.queryRow(insert, personArgs(p)...).Scan(&id)
	return id, err
}

// updatePerson writes nothing if nothing differs.
func updatePerson(b *batch, p parley.Person) error {
	const update = `UPDATE people SET (` + ownColumns + `, gone) = (` + ownValues + `, 0)
WHERE id = $19 AND (` + ownColumns + `, gone) <> (` + ownValues + `, 0)`
	n, err := b.exec(update, append(personArgs(p), int64(p.ID))...)
	if err != nil || n > 0 {
		return err
	}
	var known int
	err = b.queryRow(`SELECT count(*) FROM people WHERE id = $1`, int64(p.ID)).Scan(&known)
	if err == nil && known == 0 {
		return parley.ErrWithheld
	}
	return err
}

// setPhoto replaces or removes a photo, and writes nothing if it is the same.
func setPhoto(b *batch, id parley.PersonID, photo *contact.Photo) error {
	var version int64
	if photo != nil {
		version = int64(photo.Version)
	}
	n, err := b.exec(`UPDATE people SET photo = $2 WHERE id = $1 AND photo <> $2`, int64(id), version)
	if err != nil || n == 0 {
		return parley.Wrap(err, "noting a photo")
	}
	if photo == nil {
		_, err := b.exec(`DELETE FROM photos WHERE person = $1`, int64(id))
		return parley.Wrap(err, "removing a photo")
	}
	const upsert = `
INSERT INTO photos (person, small, large) VALUES ($1, $2, $3)
ON CONFLICT (person) DO UPDATE SET small = excluded.small, large = excluded.large`
	_, err = b.exec(upsert, int64(id), photo.Small, photo.Large)
	return parley.Wrap(err, "storing a photo")
}
