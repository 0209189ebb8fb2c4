package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"parley"
	"parley/account"
)

// addDevice is a sign-in.
type addDevice struct {
	new  account.NewDevice
	also parley.Alongside

	added account.AddedDevice
}

func (*addDevice) afterCursors() {}

func (o *addDevice) apply(b *batch) error {
	o.added = account.AddedDevice{Device: o.new.Device}
	d := &o.added.Device
	if err := mayStillSignIn(b, d.Person, o.new.CheckedHash); err != nil {
		return err
	}
	key, err := historyKey(b, d.Person, d.Installation, o.new.FreshKey)
	if err != nil {
		return err
	}
	o.added.HistoryKey = key
	others, err := devicesOf(b, d.Person)
	if err != nil {
		return err
	}
	if err := o.place(b, others); err != nil {
		return err
	}
	if err := insertDevice(b, d, o.new.Token); err != nil {
		return err
	}
	b.tell(parley.DeviceSignedIn{Person: d.Person, Device: d.ID, From: d.From})
	if err := o.makeRoom(b, others); err != nil {
		return err
	}
	also := o.also
	also.Audit = slices.Clone(also.Audit)
	for i := range also.Audit {
		also.Audit[i].Actor.Device = d.ID
	}
	return b.alongside(also)
}

// place says from where the device reads the log: where the device that it
// replaces had stopped; else from the head if there is another device; else from
// where the last one had stopped, so that it gets everything that waits.
func (o *addDevice) place(b *batch, others []account.Device) error {
	d := &o.added.Device
	d.Waiting = false
	for _, other := range others {
		if other.Installation == d.Installation {
			d.From, d.Cursor = other.Cursor, other.Cursor
			return nil
		}
	}
	if len(others) > 0 {
		d.From, d.Cursor = b.head, b.head
		return nil
	}
	err := b.queryRow(`SELECT coalesce((SELECT floor FROM readers WHERE person = $1), 0)`, int64(d.Person)).Scan(&d.Cursor)
	if err != nil {
		return fmt.Errorf("reading where a person had stopped: %w", err)
	}
	d.From, d.Waiting = d.Cursor, true
	return nil
}

// makeRoom ends the devices that the new one replaces, and those past the limit,
// the one used longest ago first.
func (o *addDevice) makeRoom(b *batch, others []account.Device) error {
	var kept []account.Device // the one used last first
	for _, other := range others {
		if other.Installation == o.new.Device.Installation {
			o.added.Replaced = append(o.added.Replaced, other.ID)
		} else {
			kept = append(kept, other)
		}
	}
	if room := max(o.new.Limit-1, 0); len(kept) > room {
		for _, other := range kept[room:] {
			o.added.Crowded = append(o.added.Crowded, other.ID)
		}
	}
	ended := slices.Concat(o.added.Replaced, o.added.Crowded)
	if len(ended) == 0 {
		return nil // nil would mean all of them, the new one too
	}
	_, err := endDevices(b, o.new.Device.Person, ended, 0, parley.EndedReplaced)
	return err
}

func mayStillSignIn(b *batch, person parley.PersonID, checked string) error {
	const query = `
SELECT coalesce(passwords.hash, '') FROM people LEFT JOIN passwords ON passwords.person = people.id
WHERE people.id = $1 AND disabled = 0 AND barred = 0 AND gone = 0`
	var hash string
	err := b.queryRow(query, int64(person)).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) || err == nil && hash != checked {
		return account.ErrStale
	}
	return parley.Wrap(err, "checking the facts of a sign-in")
}

// historyKey keeps fresh as the key of person and installation unless there is
// one, and returns the one that is kept.
func historyKey(b *batch, person parley.PersonID, installation string, fresh []byte) (key []byte, err error) {
	const insert = `
INSERT INTO history_keys (person, installation, history_key) VALUES ($1, $2, $3)
ON CONFLICT (person, installation) DO NOTHING`
	if _, err := b.exec(insert, int64(person), installation, fresh); err != nil {
		return nil, fmt.Errorf("keeping a history key: %w", err)
	}
	err = b.queryRow(selectHistoryKey, int64(person), installation).Scan(&key)
	return key, parley.Wrap(err, "reading a history key")
}

const (
	selectHistoryKey = `SELECT history_key FROM history_keys WHERE person = $1 AND installation = $2`

	deviceColumns = `devices.id, person, class, name, installation, created, last_used, auth_time, methods, from_pos, cursor, waiting`

	selectDevices = `SELECT ` + deviceColumns + ` FROM devices WHERE person = $1 ORDER BY last_used DESC, id DESC`
)

func scanDevice(r row) (d account.Device, err error) {
	var created, lastUsed, authTime int64
	var methods string
	err = r.Scan(&d.ID, &d.Person, &d.Class, &d.Name, &d.Installation, &created, &lastUsed, &authTime, &methods,
		&d.From, &d.Cursor, &d.Waiting)
	if err != nil {
		return d, err
	}
	d.Created, d.LastUsed, d.AuthTime = fromMillis(created), fromMillis(lastUsed), fromMillis(authTime)
	d.Methods, err = parseList(methods)
	return d, err
}

func devicesOf(b *batch, person parley.PersonID) ([]account.Device, error) {
	rows, err := b.query(selectDevices, int64(person))
	devices, err := collect(rows, err, scanDevice)
	return devices, parley.Wrap(err, "reading the devices of %v", person)
}

func insertDevice(b *batch, d *account.Device, token [32]byte) error {
	const insert = `
INSERT INTO devices (person, token, class, name, installation, created, last_used, auth_time, methods, from_pos, cursor, waiting)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id`
	err := b.queryRow(insert, int64(d.Person), token[:], int64(d.Class), d.Name, d.Installation,
		millis(d.Created), millis(d.LastUsed), millis(d.AuthTime), list(d.Methods),
		int64(d.From), int64(d.Cursor), number(d.Waiting)).Scan(&d.ID)
	return parley.Wrap(err, "adding a device of %v", d.Person)
}

// endDevices ends the named devices of a person (nil: all) but except, and
// remembers how far they had read.
func endDevices(b *batch, person parley.PersonID, ids []parley.DeviceID, except parley.DeviceID, reason parley.EndReason) ([]parley.DeviceID, error) {
	const (
		remove = `DELETE FROM devices WHERE id = $1 AND person = $2 RETURNING cursor`
		raise  = `
INSERT INTO readers (person, floor) VALUES ($1, $2)
ON CONFLICT (person) DO UPDATE SET floor = excluded.floor WHERE readers.floor < excluded.floor`
	)
	if ids == nil {
		devices, err := devicesOf(b, person)
		if err != nil {
			return nil, err
		}
		for _, d := range devices {
			ids = append(ids, d.ID)
		}
	}
	var ended []parley.DeviceID
	var cursors []parley.Pos
	for _, id := range ids {
		if id == except {
			continue
		}
		var cursor parley.Pos
		err := b.queryRow(remove, int64(id), int64(person)).Scan(&cursor)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err == nil {
			err = b.later(raise, int64(person), int64(cursor))
		}
		if err != nil {
			return nil, fmt.Errorf("ending %v: %w", id, err)
		}
		ended, cursors = append(ended, id), append(cursors, cursor)
	}
	b.tell(parley.DevicesEnded{Person: person, Devices: ended, Reason: reason, Cursors: cursors})
	return ended, nil
}

// AddDevice implements account.Store.
func (s *Store) AddDevice(ctx context.Context, device account.NewDevice, with parley.Alongside) (account.AddedDevice, error) {
	op := &addDevice{new: device, also: with}
	if err := s.writer.do(ctx, s.writer.queue, op); err != nil {
		return account.AddedDevice{}, err
	}
	return op.added, nil
}

// removeDevices is a sign-out, a revocation, or the end of all devices.
type removeDevices struct {
	person parley.PersonID
	ids    []parley.DeviceID // nil: all
	except parley.DeviceID
	reason parley.EndReason
	also   parley.Alongside

	ended []parley.DeviceID
}

func (*removeDevices) afterCursors() {}

func (o *removeDevices) apply(b *batch) (err error) {
	if o.ended, err = endDevices(b, o.person, o.ids, o.except, o.reason); err != nil {
		return err
	}
	if o.reason == parley.EndedDisabled && len(o.ended) > 0 {
		b.tell(parley.AccountDisabled{Person: o.person})
	}
	return b.alongside(o.also)
}

// EndDevices implements account.Store.
func (s *Store) EndDevices(ctx context.Context, person parley.PersonID, devices []parley.DeviceID, except parley.DeviceID, reason parley.EndReason, with parley.Alongside) ([]parley.DeviceID, error) {
	op := &removeDevices{person: person, ids: devices, except: except, reason: reason, also: with}
	if err := s.writer.do(ctx, s.writer.queue, op); err != nil {
		return nil, err
	}
	return op.ended, nil
}

// maxTouches is how many devices one step of TouchDevices writes.
const maxTouches = 300

// TouchDevices implements account.Store. It runs behind messages, in steps.
func (s *Store) TouchDevices(ctx context.Context, used map[parley.DeviceID]time.Time) error {
	const update = `UPDATE devices SET last_used = $2 WHERE id = $1 AND last_used < $2`
	ids := slices.Sorted(maps.Keys(used))
	for some := range slices.Chunk(ids, maxTouches) {
		var c change
		for _, id := range some {
			c.steps = append(c.steps, step{query: update, args: []any{int64(id), millis(used[id])}})
		}
		if err := s.writer.do(ctx, s.writer.bulk, c); err != nil {
			return err
		}
	}
	return nil
}

// DeviceByToken implements account.Store.
func (s *Store) DeviceByToken(ctx context.Context, token [32]byte) (account.Device, error) {
	const query = `SELECT ` + deviceColumns + `
FROM devices JOIN people ON people.id = devices.person WHERE token = $1 AND disabled = 0 AND barred = 0 AND gone = 0`
	d, err := scanDevice(s.read.queryRow(ctx, query, token[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return account.Device{}, parley.ErrWithheld
	}
	return d, parley.Wrap(err, "looking up a token")
}

// Devices implements account.Store.
func (s *Store) Devices(ctx context.Context, person parley.PersonID) ([]account.Device, error) {
	rows, err := s.read.query(ctx, selectDevices, int64(person))
	devices, err := collect(rows, err, scanDevice)
	return devices, parley.Wrap(err, "reading the devices of %v", person)
}

// IdleDevices implements account.Store.
func (s *Store) IdleDevices(ctx context.Context, usedBefore time.Time) ([]account.Device, error) {
	const query = `SELECT ` + deviceColumns + ` FROM devices WHERE last_used < $1 ORDER BY devices.id`
	rows, err := s.read.query(ctx, query, millis(usedBefore))
	devices, err := collect(rows, err, scanDevice)
	return devices, parley.Wrap(err, "looking for idle devices")
}

// BarredDevices implements account.Store.
func (s *Store) BarredDevices(ctx context.Context) ([]account.Device, error) {
	const query = `SELECT ` + deviceColumns + `
FROM devices JOIN people ON people.id = devices.person WHERE disabled <> 0 OR barred <> 0 OR gone <> 0 ORDER BY devices.id`
	rows, err := s.read.query(ctx, query)
	devices, err := collect(rows, err, scanDevice)
	return devices, parley.Wrap(err, "looking for devices of people who may not sign in")
}

// HistoryKey implements account.Store.
func (s *Store) HistoryKey(ctx context.Context, person parley.PersonID, installation string) (key []byte, err error) {
	err = s.read.queryRow(ctx, selectHistoryKey, int64(person), installation).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, parley.ErrWithheld
	}
	return key, parley.Wrap(err, "reading a history key")
}

// list is how a list of texts is stored.
func list(texts []string) string {
	if len(texts) == 0 {
		return "[]"
	}
	text, _ := json.Marshal(texts) // texts always can be
	return string(text)
}

// parseList is the reverse of list.
func parseList(text string) (texts []string, err error) {
	if text == "[]" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return nil, fmt.Errorf("reading a list: %w", err)
	}
	return texts, nil
}

// number is how a switch is stored.
func number(on bool) int64 {
	if on {
		return 1
	}
	return 0
}
