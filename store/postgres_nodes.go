package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Roster is the list of nodes in the database that they share: each says now and
// then that it is there. It has a connection of its own, so that a writer that
// waits for its turn does not make its node look dead, and goes by the database's
// clock alone.
type Roster struct {
	store *Store
	db    *sql.DB
}

// Roster opens the list. It fails when the database is not shared.
func (s *Store) Roster() (*Roster, error) {
	e, ok := s.engine.(*postgresEngine)
	if !ok {
		return nil, errors.New("a database in a folder has one node")
	}
	return &Roster{store: s, db: e.open(rosterSettings, 1)}, nil
}

// rosterSettings are those of the roster's connection. A sign of life that a crash
// of the database takes is made good by the next one.
var rosterSettings = map[string]string{
	"application_name":   "parley roster",
	"synchronous_commit": "off",
	"statement_timeout":  "3s",
	"jit":                "off",
}

// Beat says that a node is there, and returns the names of those that said so
// within a time, this one included.
func (r *Roster) Beat(ctx context.Context, node string, within time.Duration) ([]string, error) {
	const (
		upsert = `
INSERT INTO nodes (name, seen) VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
ON CONFLICT (name) DO UPDATE SET seen = excluded.seen`
		fresh = `
SELECT name FROM nodes WHERE seen > (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1::bigint ORDER BY name`
	)
	if _, err := r.db.ExecContext(ctx, upsert, node); err != nil {
		return nil, fmt.Errorf("saying that this node is there: %w", err)
	}
	rows, err := r.db.QueryContext(ctx, fresh, within.Milliseconds())
	names, err := collect(rows, err, func(r row) (name string, err error) {
		err = r.Scan(&name)
		return name, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading which nodes are there: %w", err)
	}
	return names, nil
}

// Leave takes a node off the list.
func (r *Roster) Leave(ctx context.Context, node string) error {
	if _, err := r.db.ExecContext(ctx, `DELETE FROM nodes WHERE name = $1`, node); err != nil {
		return fmt.Errorf("taking this node off the list: %w", err)
	}
	return nil
}

// Failing is that of the Store.
func (r *Roster) Failing() (since time.Time, failing bool) { return r.store.Failing() }

// Close ends the connection.
func (r *Roster) Close() error { return r.db.Close() }
