package store

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"parley"
)

// later is the schema with migrations of the coming release, each of which changes
// every table.
func later(t *testing.T, w *world, n int) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range must(fs.Glob(postgresSchema, "schema/postgres/*.sql"))(t) {
		files[name[len("schema/postgres/"):]] = &fstest.MapFile{Data: must(fs.ReadFile(postgresSchema, name))(t)}
	}
	rows, err := w.read.db.QueryContext(t.Context(), `
SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'schema_versions' ORDER BY tablename`)
	tables := must(collect(rows, err, func(r row) (name string, err error) {
		err = r.Scan(&name)
		return name, err
	}))(t)
	for i := range n {
		text := "-- +goose Up\nLOCK TABLE meta IN ACCESS EXCLUSIVE MODE;\n" // as test/migrations wants it
		for _, table := range tables {
			text += fmt.Sprintf("ALTER TABLE %s ADD COLUMN later_%d TEXT NOT NULL DEFAULT '';\n", table, i)
		}
		files[fmt.Sprintf("9%04d_later.sql", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

// A node of the coming release changes the tables while others are under load. It
// comes to its end, nodes and tables are none the worse, and every message is there
// once.
func TestTablesAreChangedUnderLoad(t *testing.T) {
	const devices, chunk, streams, changes = 4, 100, 5, 5
	senders := map[parley.DeviceID]*sender{}
	c, nodes := threeNodes(t, func(node int, e parley.Entry) {
		if s := senders[e.Device]; s != nil && int(e.Device-1)/devices == node {
			s.take(must(strconv.Atoi(string(e.ClientID)))(t), e.Pos)
		}
	})
	for d := range parley.DeviceID(3 * devices) {
		senders[d+1] = newSender(nodes[int(d)/devices], d+1, streams)
	}
	files := later(t, nodes[0], changes)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	changed := make(chan struct{})
	var load sync.WaitGroup
	for _, s := range senders {
		load.Go(func() {
			for n, over := 0, false; !over && ctx.Err() == nil; n += chunk { // and once more when all is done
				select {
				case <-changed:
					over = true
				default:
				}
				if err := s.send(ctx, n, n+chunk, 20); err != nil {
					t.Errorf("device %d: %v", s.device, err)
				}
			}
		})
	}
	for _, s := range senders {
		until(t, "everybody has said something", func() bool { return s.has(0) })
	}
	e := must(newPostgres(c))(t)
	began := time.Now()
	err := e.migrate(ctx, files)
	took := time.Since(began)
	close(changed)
	load.Wait()
	check(t, err)
	sum := 0
	for _, s := range senders {
		sum += len(s.taken)
	}
	if entries := sameLog(t, nodes...); len(entries) != sum {
		t.Errorf("%d entries, %d messages", len(entries), sum)
	}
	var columns int
	check(t, nodes[0].read.db.QueryRowContext(ctx, `
SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema() AND column_name LIKE 'later\_%'`).Scan(&columns))
	if columns == 0 || columns%changes != 0 {
		t.Errorf("%d columns were added", columns)
	}
	t.Logf("%d messages, %d columns, changed in %v", sum, columns, took)
}

// What is wrong with a migration itself is not tried again.
func TestMigrationThatCannotBeDoneFailsAtOnce(t *testing.T) {
	c := onPostgres(t)
	e := must(newPostgres(c))(t)
	files := later(t, prepared(t, c), 1)
	files["90000_later.sql"].Data = []byte("-- +goose Up\nALTER TABLE nowhere ADD COLUMN x TEXT;\n")
	err := e.migrate(t.Context(), files)
	if err == nil || inTheWay(err) {
		t.Errorf("a table that is not there is changed with %v", err)
	}
}
