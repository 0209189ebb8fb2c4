package store

import (
	"context"
	"iter"

	"parley"
	"parley/presence"
	"parley/privacy"
)

var (
	_ privacy.Store  = (*Store)(nil)
	_ presence.Store = (*Store)(nil)
)

// Relations implements privacy.Store.
func (s *Store) Relations(ctx context.Context) iter.Seq2[privacy.Relation, error] {
	const query = `
SELECT owner, other, level, in_contacts FROM relations WHERE (owner, other) > ($1, $2) ORDER BY owner, other LIMIT $3`
	return pages("reading relations", func(last privacy.Relation) ([]privacy.Relation, error) {
		rows, err := s.read.query(ctx, query, int64(last.Owner), int64(last.Other), pageRows)
		return collect(rows, err, func(r row) (l privacy.Relation, err error) {
			err = r.Scan(&l.Owner, &l.Other, &l.Level, &l.InContacts)
			return l, err
		})
	})
}

// SetRelation implements privacy.Store.
func (s *Store) SetRelation(ctx context.Context, r privacy.Relation, with parley.Alongside) error {
	const upsert = `
INSERT INTO relations (owner, other, level, in_contacts) VALUES ($1, $2, $3, $4)
ON CONFLICT (owner, other) DO UPDATE SET level = excluded.level, in_contacts = excluded.in_contacts`
	args := []any{int64(r.Owner), int64(r.Other), int64(r.Level), number(r.InContacts)}
	return s.writer.do(ctx, s.writer.queue, change{steps: []step{{query: upsert, args: args}}, also: with})
}

// AllPreferences implements privacy.Store.
func (s *Store) AllPreferences(ctx context.Context) iter.Seq2[privacy.PersonPreferences, error] {
	const query = `
SELECT person, share_photo, only_contacts, share_time_zone FROM preferences WHERE person > $1 ORDER BY person LIMIT $2`
	return pages("reading preferences", func(last privacy.PersonPreferences) ([]privacy.PersonPreferences, error) {
		rows, err := s.read.query(ctx, query, int64(last.Person), pageRows)
		return collect(rows, err, func(r row) (p privacy.PersonPreferences, err error) {
			err = r.Scan(&p.Person, &p.Preferences.SharePhoto, &p.Preferences.OnlyContacts, &p.Preferences.ShareTimeZone)
			return p, err
		})
	})
}

// SetPreferences implements privacy.Store.
func (s *Store) SetPreferences(ctx context.Context, person parley.PersonID, p privacy.Preferences, with parley.Alongside) error {
	const upsert = `
INSERT INTO preferences (person, share_photo, only_contacts, share_time_zone) VALUES ($1, $2, $3, $4)
ON CONFLICT (person) DO UPDATE SET share_photo = excluded.share_photo, only_contacts = excluded.only_contacts,
    share_time_zone = excluded.share_time_zone`
	args := []any{int64(person), number(p.SharePhoto), number(p.OnlyContacts), number(p.ShareTimeZone)}
	return s.writer.do(ctx, s.writer.queue, change{steps: []step{{query: upsert, args: args}}, also: with})
}

// Choices implements presence.Store.
func (s *Store) Choices(ctx context.Context) iter.Seq2[presence.PersonChoice, error] {
	const query = `
SELECT person, state, set_at, until, note, note_until FROM choices WHERE person > $1 ORDER BY person LIMIT $2`
	return pages("reading what people chose", func(last presence.PersonChoice) ([]presence.PersonChoice, error) {
		rows, err := s.read.query(ctx, query, int64(last.Person), pageRows)
		return collect(rows, err, func(r row) (p presence.PersonChoice, err error) {
			var setAt, until, noteUntil int64
			err = r.Scan(&p.Person, &p.Choice.State, &setAt, &until, &p.Choice.Note, &noteUntil)
			p.Choice.SetAt, p.Choice.Until, p.Choice.NoteUntil = fromMillis(setAt), fromMillis(until), fromMillis(noteUntil)
			return p, err
		})
	})
}

// SetChoice implements presence.Store.
func (s *Store) SetChoice(ctx context.Context, person parley.PersonID, c presence.Choice, with parley.Alongside) error {
	const upsert = `
INSERT INTO choices (person, state, set_at, until, note, note_until) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (person) DO UPDATE SET state = excluded.state, set_at = excluded.set_at, until = excluded.until,
    note = excluded.note, note_until = excluded.note_until`
	args := []any{int64(person), string(c.State), millis(c.SetAt), millis(c.Until), c.Note, millis(c.NoteUntil)}
	return s.writer.do(ctx, s.writer.queue, change{steps: []step{{query: upsert, args: args}}, also: with})
}
