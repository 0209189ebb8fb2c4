package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parley"
	"parley/account"
)

var _ account.Store = (*Store)(nil)

const identityColumns = `id, address, display_name, directory, disabled, barred, gone`

func scanIdentity(r row) (i account.Identity, err error) {
	err = r.Scan(&i.Person, &i.Address, &i.DisplayName, &i.Directory, &i.Disabled, &i.Barred, &i.Gone)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Identity{}, parley.ErrWithheld
	}
	return i, parley.Wrap(err, "reading who somebody is")
}

// IdentityByAddress implements account.Store.
func (s *Store) IdentityByAddress(ctx context.Context, address string) (account.Identity, error) {
	const query = `SELECT ` + identityColumns + ` FROM people WHERE address = $1 ORDER BY gone, id DESC LIMIT 1`
	return scanIdentity(s.read.queryRow(ctx, query, address))
}

// IdentityBySource implements account.Store.
func (s *Store) IdentityBySource(ctx context.Context, sourceID string) (account.Identity, error) {
	const query = `SELECT ` + identityColumns + ` FROM people WHERE source_id = $1 AND directory = $2`
	return scanIdentity(s.read.queryRow(ctx, query, sourceID, parley.LDAP))
}

// Identity implements account.Store.
func (s *Store) Identity(ctx context.Context, person parley.PersonID) (account.Identity, error) {
	const query = `SELECT ` + identityColumns + ` FROM people WHERE id = $1`
	return scanIdentity(s.read.queryRow(ctx, query, int64(person)))
}

const selectHash = `SELECT hash FROM passwords WHERE person = $1`

// PasswordHash implements account.Store.
func (s *Store) PasswordHash(ctx context.Context, person parley.PersonID) (string, error) {
	return scanHash(s.read.queryRow(ctx, selectHash, int64(person)))
}

func scanHash(r row) (hash string, err error) {
	err = r.Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return hash, parley.Wrap(err, "reading a password hash")
}

// setPassword sets a hash and ends devices.
type setPassword struct {
	account.PasswordChange
	also parley.Alongside

	ended []parley.DeviceID
}

func (*setPassword) afterCursors() {}

func (o *setPassword) apply(b *batch) error {
	if o.Checked != "" {
		stored, err := scanHash(b.queryRow(selectHash, int64(o.Person)))
		if err != nil {
			return err
		}
		if stored != o.Checked {
			return account.ErrStale
		}
	}
	if err := upsertHash(b, o.Person, o.Hash); err != nil {
		return err
	}
	o.ended = nil
	if o.EndDevices {
		ended, err := startAfresh(b, o.Person, o.Except, parley.EndedPassword)
		if err != nil {
			return err
		}
		o.ended = ended
	}
	return b.alongside(o.also)
}

// upsertHash sets the password of somebody who exists.
func upsertHash(b *batch, person parley.PersonID, hash string) error {
	const upsert = `
INSERT INTO passwords (person, hash) SELECT id, $2 FROM people WHERE id = $1
ON CONFLICT (person) DO UPDATE SET hash = excluded.hash`
	n, err := b.exec(upsert, int64(person), hash)
	if err == nil && n == 0 {
		return parley.ErrWithheld
	}
	return parley.Wrap(err, "setting the password of %v", person)
}

// startAfresh ends every device of a person but one, and removes every other way
// in that was asked for.
func startAfresh(b *batch, person parley.PersonID, except parley.DeviceID, reason parley.EndReason) ([]parley.DeviceID, error) {
	for _, query := range []string{
		`DELETE FROM invitations WHERE person = $1`,
		`DELETE FROM reset_requests WHERE person = $1`,
	} {
		if err := b.later(query, int64(person)); err != nil {
			return nil, fmt.Errorf("removing invitations of %v: %w", person, err)
		}
	}
	return endDevices(b, person, nil, except, reason)
}

// SetPasswordHash implements account.Store.
func (s *Store) SetPasswordHash(ctx context.Context, c account.PasswordChange, with parley.Alongside) ([]parley.DeviceID, error) {
	op := &setPassword{PasswordChange: c, also: with}
	if err := s.writer.do(ctx, s.writer.queue, op); err != nil {
		return nil, err
	}
	return op.ended, nil
}

// setDisabled bars somebody or lets them in again.
type setDisabled struct {
	person   parley.PersonID
	disabled bool
	also     parley.Alongside

	ended []parley.DeviceID
}

func (*setDisabled) afterCursors() {}

func (o *setDisabled) apply(b *batch) error {
	n, err := b.exec(`UPDATE people SET disabled = $2 WHERE id = $1`, int64(o.person), number(o.disabled))
	if err != nil {
		return fmt.Errorf("disabling or enabling %v: %w", o.person, err)
	}
	if n == 0 {
		return parley.ErrWithheld
	}
	if o.disabled {
		if o.ended, err = startAfresh(b, o.person, 0, parley.EndedDisabled); err != nil {
			return err
		}
		b.tell(parley.AccountDisabled{Person: o.person})
	}
	b.tell(parley.PeopleChanged{People: []parley.PersonID{o.person}})
	return b.alongside(o.also)
}

// SetDisabled implements account.Store.
func (s *Store) SetDisabled(ctx context.Context, person parley.PersonID, disabled bool, with parley.Alongside) ([]parley.DeviceID, error) {
	op := &setDisabled{person: person, disabled: disabled, also: with}
	if err := s.writer.do(ctx, s.writer.queue, op); err != nil {
		return nil, err
	}
	return op.ended, nil
}

// AddInvitation implements account.Store.
func (s *Store) AddInvitation(ctx context.Context, code [32]byte, i account.Invitation, with parley.Alongside) error {
	const upsert = `
INSERT INTO invitations (person, code, expires) SELECT id, $2, $3 FROM people WHERE id = $1
ON CONFLICT (person) DO UPDATE SET code = excluded.code, expires = excluded.expires`
	return s.writer.do(ctx, s.writer.queue, change{
		steps: []step{{upsert, []any{int64(i.Person), code[:], millis(i.Expires)}, parley.ErrWithheld}}, also: with,
	})
}

// Invitation implements account.Store.
func (s *Store) Invitation(ctx context.Context, code [32]byte) (i account.Invitation, err error) {
	var expires int64
	err = s.read.queryRow(ctx, `SELECT person, expires FROM invitations WHERE code = $1`, code[:]).Scan(&i.Person, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Invitation{}, parley.ErrWithheld
	}
	i.Expires = fromMillis(expires)
	return i, parley.Wrap(err, "looking up an invitation")
}

// removeInvitations removes what has expired.
type removeInvitations struct {
	before time.Time

	removed int64
}

func (o *removeInvitations) apply(b *batch) (err error) {
	o.removed, err = b.exec(`DELETE FROM invitations WHERE expires < $1`, millis(o.before))
	return err
}

// RemoveInvitations implements account.Store.
func (s *Store) RemoveInvitations(ctx context.Context, expiredBefore time.Time) (int, error) {
	op := &removeInvitations{before: expiredBefore}
	err := s.writer.do(ctx, s.writer.bulk, op)
	return int(op.removed), err
}

// useInvitation sets the password of whoever was invited.
type useInvitation struct {
	code [32]byte
	hash string
	also parley.Alongside

	ended []parley.DeviceID
}

func (*useInvitation) afterCursors() {}

func (o *useInvitation) apply(b *batch) error {
	const query = `
SELECT person FROM invitations JOIN people ON people.id = person WHERE code = $1 AND disabled = 0 AND barred = 0 AND gone = 0`
	var person parley.PersonID
	err := b.queryRow(query, o.code[:]).Scan(&person)
	if errors.Is(err, sql.ErrNoRows) {
		return parley.ErrWithheld
	}
	if err != nil {
		return fmt.Errorf("looking up an invitation: %w", err)
	}
	if err := upsertHash(b, person, o.hash); err != nil {
		return err
	}
	if o.ended, err = startAfresh(b, person, 0, parley.EndedPassword); err != nil {
		return err
	}
	return b.alongside(o.also)
}

// UseInvitation implements account.Store.
func (s *Store) UseInvitation(ctx context.Context, code [32]byte, hash string, with parley.Alongside) ([]parley.DeviceID, error) {
	op := &useInvitation{code: code, hash: hash, also: with}
	if err := s.writer.do(ctx, s.writer.queue, op); err != nil {
		return nil, err
	}
	return op.ended, nil
}

// AddResetRequest implements account.Store.
func (s *Store) AddResetRequest(ctx context.Context, r account.ResetRequest, with parley.Alongside) error {
	const upsert = `
INSERT INTO reset_requests (person, at) SELECT id, $2 FROM people WHERE id = $1
ON CONFLICT (person) DO UPDATE SET at = excluded.at`
	return s.writer.do(ctx, s.writer.queue, change{
		steps: []step{{upsert, []any{int64(r.Person), millis(r.At)}, parley.ErrWithheld}}, also: with,
	})
}

// ResetRequests implements account.Store.
func (s *Store) ResetRequests(ctx context.Context) ([]account.ResetRequest, error) {
	rows, err := s.read.query(ctx, `SELECT person, at FROM reset_requests ORDER BY at DESC, person`)
	requests, err := collect(rows, err, func(r row) (q account.ResetRequest, err error) {
		var at int64
		err = r.Scan(&q.Person, &at)
		q.At = fromMillis(at)
		return q, err
	})
	return requests, parley.Wrap(err, "reading who asked for a new password")
}
