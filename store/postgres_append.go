package store

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"parley"
)

// This file is the append: many entries in a few statements.

const (
	// Not a join: that was planned as a walk through the whole index.
	selectSent = `
SELECT sent.device, sent.client_id, coalesce(
    (SELECT pos FROM log WHERE device = sent.device AND client_id = sent.client_id AND device <> 0),
    0)
FROM unnest($1::bigint[], $2::text[]) AS sent (device, client_id)`
	selectReads = `SELECT id, cursor FROM devices WHERE id = ANY($1::bigint[])`
	selectRead  = `SELECT cursor FROM devices WHERE id = $1`
	selectHeads = `
SELECT wanted.id, coalesce(
    (SELECT n FROM log WHERE stream = wanted.id ORDER BY pos DESC LIMIT 1),
    (SELECT purged_n FROM streams WHERE id = wanted.id),
    0)
FROM unnest($1::bigint[]) AS wanted (id)`
)

func (t *postgresTx) expect(entries []*parley.Entry, heads map[parley.StreamID]uint64) error {
	var devices, streams []int64
	var ids []string
	for _, e := range entries {
		key := sent{e.Device, e.ClientID}
		if _, looked := t.known[key]; e.Device != 0 && !looked && fit(string(e.ClientID)) == nil {
			t.known[key] = 0
			devices, ids = append(devices, int64(e.Device)), append(ids, string(e.ClientID))
		}
		if _, looked := heads[e.Stream]; !looked {
			heads[e.Stream] = 0
			streams = append(streams, int64(e.Stream))
		}
	}
	var batch pgx.Batch
	if len(devices) > 0 {
		batch.Queue(selectSent, devices, ids).Query(t.scanSent)
		batch.Queue(selectReads, devices).Query(t.scanReads)
	}
	if len(streams) > 0 {
		batch.Queue(selectHeads, streams).Query(func(rows pgx.Rows) error { return scanHeads(rows, heads) })
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := t.send(&batch); err != nil {
		t.failed = err
		return fmt.Errorf("looking up entries: %w", err)
	}
	return nil
}

func (t *postgresTx) scanSent(rows pgx.Rows) error {
	var device int64
	var id string
	var pos int64
	_, err := pgx.ForEachRow(rows, []any{&device, &id, &pos}, func() error {
		t.known[sent{parley.DeviceID(device), parley.ClientID(id)}] = parley.Pos(pos)
		return nil
	})
	return err
}

func (t *postgresTx) scanReads(rows pgx.Rows) error {
	var device, cursor int64
	_, err := pgx.ForEachRow(rows, []any{&device, &cursor}, func() error {
		t.reads[parley.DeviceID(device)] = parley.Pos(cursor)
		return nil
	})
	return err
}

func (t *postgresTx) left(e *parley.Entry) (bool, error) {
	if e.Device == 0 || e.Seen == 0 {
		return false, nil
	}
	if t.careful {
		var cursor parley.Pos
		err := t.queryRow(selectRead, int64(e.Device)).Scan(&cursor)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, fmt.Errorf("looking how far a device has read: %w", err)
		}
		return cursor > e.Seen, nil
	}
	return t.reads[e.Device] > e.Seen, nil
}

func scanHeads(rows pgx.Rows, heads map[parley.StreamID]uint64) error {
	var stream, n int64
	_, err := pgx.ForEachRow(rows, []any{&stream, &n}, func() error {
		heads[parley.StreamID(stream)] = uint64(n)
		return nil
	})
	return err
}

func (t *postgresTx) put(e *parley.Entry) (fresh bool, err error) {
	if err := fit(string(e.ClientID), e.Content); err != nil {
		return false, err
	}
	if e.Device != 0 {
		if _, stored, err := t.find(e.Device, e.ClientID); err != nil || stored {
			return false, err
		}
		key := sent{e.Device, e.ClientID}
		t.known[key] = e.Pos
		t.ours = append(t.ours, key)
	}
	if t.careful {
		_, err := t.exec(insertEntry, entryArgs(e)...)
		return err == nil, err
	}
	t.rows = append(t.rows, *e)
	return true, nil
}

func (t *postgresTx) find(device parley.DeviceID, id parley.ClientID) (parley.Pos, bool, error) {
	key := sent{device, id}
	if pos, looked := t.known[key]; looked || device == 0 || fit(string(id)) != nil {
		return pos, pos != 0, nil
	}
	pos, stored, err := scanKnown(t.queryRow(selectKnown, int64(device), string(id)))
	if err == nil {
		t.known[key] = pos
	}
	return pos, stored, err
}

// The list of ids stands there twice so that no plan reads all devices.
const updateCursors = `
UPDATE devices SET cursor = taken.pos FROM unnest($1::bigint[], $2::bigint[]) AS taken (id, pos)
WHERE devices.id = taken.id AND devices.cursor < taken.pos AND devices.id = ANY($1::bigint[])`

func (t *postgresTx) cursors(taken map[parley.DeviceID]parley.Pos) error {
	if len(taken) == 0 {
		return nil
	}
	devices, positions := make([]int64, 0, len(taken)), make([]int64, 0, len(taken))
	for device, pos := range taken {
		devices, positions = append(devices, int64(device)), append(positions, int64(pos))
	}
	return t.later(updateCursors, devices, positions)
}

const insertEntries = `
INSERT INTO log (pos, stream, n, sender, device, client_id, about, kind, content, at, body)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
    $8::bigint[], $9::text[], $10::bigint[], $11::bytea[])`

// insertRows adds the statement that stores entries.
func insertRows(list []statement, rows []parley.Entry) []statement {
	if len(rows) == 0 {
		return list
	}
	numbers := make([][]int64, 8)
	for i := range numbers {
		numbers[i] = make([]int64, len(rows))
	}
	ids, contents, bodies := make([]string, len(rows)), make([]string, len(rows)), make([][]byte, len(rows))
	for i := range rows {
		e := &rows[i]
		for column, value := range [...]int64{int64(e.Pos), int64(e.Stream), int64(e.N), int64(e.Sender),
			int64(e.Device), int64(e.About), int64(e.Kind), e.At.UnixMilli()} {
			numbers[column][i] = value
		}
		ids[i], contents[i], bodies[i] = string(e.ClientID), e.Content, e.Body
	}
	return append(list, statement{insertEntries, []any{numbers[0], numbers[1], numbers[2], numbers[3],
		numbers[4], ids, numbers[5], numbers[6], contents, numbers[7], bodies}})
}
