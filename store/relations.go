package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"

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
	args := []any{int64(r.Owner), int64(r.Other), int64(r.Level), number(r.InContacts)}
	tells := []parley.Event{parley.RelationChanged{Owner: r.Owner, Other: r.Other}}
	return s.writer.do(ctx, s.writer.queue, change{steps: []step{{query: upsertRelation, args: args}}, tells: tells, also: with})
}

const upsertRelation = `
INSERT INTO relations (owner, other, level, in_contacts) VALUES ($1, $2, $3, $4)
ON CONFLICT (owner, other) DO UPDATE SET level = excluded.level, in_contacts = excluded.in_contacts`

// Relation returns what owner decided about other; parley.ErrWithheld when nothing
// is stored.
func (s *Store) Relation(ctx context.Context, owner, other parley.PersonID) (privacy.Relation, error) {
	r := privacy.Relation{Owner: owner, Other: other}
	err := s.read.queryRow(ctx, `SELECT level, in_contacts FROM relations WHERE owner = $1 AND other = $2`,
		int64(owner), int64(other)).Scan(&r.Level, &r.InContacts)
	if errors.Is(err, sql.ErrNoRows) {
		return privacy.Relation{}, parley.ErrWithheld
	}
	return r, parley.Wrap(err, "reading the relation of %v to %v", owner, other)
}

// PreferencesOf returns a person's preferences; privacy.DefaultPreferences when
// they never set any.
func (s *Store) PreferencesOf(ctx context.Context, person parley.PersonID) (p privacy.Preferences, err error) {
	err = s.read.queryRow(ctx, `SELECT share_photo, only_contacts, share_time_zone, show_photos FROM preferences WHERE person = $1`,
		int64(person)).Scan(&p.SharePhoto, &p.OnlyContacts, &p.ShareTimeZone, &p.ShowPhotos)
	if errors.Is(err, sql.ErrNoRows) {
		return privacy.DefaultPreferences, nil
	}
	return p, parley.Wrap(err, "reading the preferences of %v", person)
}

// AllPreferences implements privacy.Store.
func (s *Store) AllPreferences(ctx context.Context) iter.Seq2[privacy.PersonPreferences, error] {
	const query = `
SELECT person, share_photo, only_contacts, share_time_zone, show_photos FROM preferences WHERE person > $1 ORDER BY person LIMIT $2`
	return pages("reading preferences", func(last privacy.PersonPreferences) ([]privacy.PersonPreferences, error) {
		rows, err := s.read.query(ctx, query, int64(last.Person), pageRows)
		return collect(rows, err, func(r row) (p privacy.PersonPreferences, err error) {
			err = r.Scan(&p.Person, &p.Preferences.SharePhoto, &p.Preferences.OnlyContacts, &p.Preferences.ShareTimeZone, &p.Preferences.ShowPhotos)
			return p, err
		})
	})
}

// SetPreferences implements privacy.Store.
func (s *Store) SetPreferences(ctx context.Context, person parley.PersonID, p privacy.Preferences, with parley.Alongside) error {
	const upsert = `
INSERT INTO preferences (person, share_photo, only_contacts, share_time_zone, show_photos) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person) DO UPDATE SET share_photo = excluded.share_photo, only_contacts = excluded.only_contacts,
    share_time_zone = excluded.share_time_zone, show_photos = excluded.show_photos`
	args := []any{int64(person), number(p.SharePhoto), number(p.OnlyContacts), number(p.ShareTimeZone), number(p.ShowPhotos)}
	tells := []parley.Event{parley.PreferencesChanged{Person: person}}
	return s.writer.do(ctx, s.writer.queue, change{steps: []step{{query: upsert, args: args}}, tells: tells, also: with})
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

// setChoice replaces one choice by another.
type setChoice struct {
	person  parley.PersonID
	was, is presence.Choice
	also    parley.Alongside
}

func (o setChoice) apply(b *batch) error {
	const upsert = `
INSERT INTO choices (person, state, set_at, until, note, note_until) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (person) DO UPDATE SET state = excluded.state, set_at = excluded.set_at, until = excluded.until,
    note = excluded.note, note_until = excluded.note_until`
	stored, err := scanChoice(b.queryRow(selectChoice, int64(o.person)))
	if err != nil {
		return err
	}
	if !slices.Equal(choiceArgs(stored), choiceArgs(o.was)) {
		return presence.ErrStale
	}
	if err := b.later(upsert, append([]any{int64(o.person)}, choiceArgs(o.is)...)...); err != nil {
		return fmt.Errorf("storing what %v chose: %w", o.person, err)
	}
	b.tell(parley.ChoiceChanged{Person: o.person})
	return b.alongside(o.also)
}

// choiceArgs are the values of a choice's columns.
func choiceArgs(c presence.Choice) []any {
	return []any{string(c.State), millis(c.SetAt), millis(c.Until), c.Note, millis(c.NoteUntil)}
}

// SetChoice implements presence.Store.
func (s *Store) SetChoice(ctx context.Context, person parley.PersonID, was, is presence.Choice, with parley.Alongside) error {
	return s.writer.do(ctx, s.writer.queue, setChoice{person, was, is, with})
}

const selectChoice = `SELECT state, set_at, until, note, note_until FROM choices WHERE person = $1`

// Choice implements presence.Store.
func (s *Store) Choice(ctx context.Context, person parley.PersonID) (presence.Choice, error) {
	return scanChoice(s.read.queryRow(ctx, selectChoice, int64(person)))
}

func scanChoice(r row) (c presence.Choice, err error) {
	var setAt, until, noteUntil int64
	err = r.Scan(&c.State, &setAt, &until, &c.Note, &noteUntil)
	if errors.Is(err, sql.ErrNoRows) {
		return presence.Choice{}, nil
	}
	c.SetAt, c.Until, c.NoteUntil = fromMillis(setAt), fromMillis(until), fromMillis(noteUntil)
	return c, parley.Wrap(err, "reading what somebody chose")
}
