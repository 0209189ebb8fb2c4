package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parley"
)

// ErrShared answers who wants a backup of a database of several nodes, or to
// restore one, from this program.
var ErrShared = errors.New("the database is PostgreSQL's: back it up with pg_dump; after pg_restore give it a new epoch before a node starts")

// RenewEpoch makes a PostgreSQL database that was restored from a backup fit for
// use: it gives the log a new epoch, so that every device syncs from the start.
// Without it devices would take entries for known that the backup lacks. It
// refuses a database that is none of Parley's, and one that nodes are connected to
// (ErrInUse).
func RenewEpoch(ctx context.Context, c Config) (err error) {
	if c.URL == "" {
		return errors.New("renewing the epoch: a SQLite database gets a new one when it is restored")
	}
	e, err := newPostgres(c)
	if err != nil {
		return err
	}
	db := e.open(keeperSettings, 1)
	if err := errors.Join(nobodyUses(ctx, db), db.Close()); err != nil {
		return err
	}
	s, err := e.connect(ctx)
	if err != nil {
		return fmt.Errorf("renewing the epoch: %w", err)
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return renewEpoch(ctx, e, s)
}

// goodbyeTime is how long the server may take to forget a connection that was
// closed.
const goodbyeTime = 3 * time.Second

// nobodyUses refuses a database that is none of Parley's, and one that nodes use.
func nobodyUses(ctx context.Context, db *sql.DB) error {
	const query = `
SELECT to_regclass('meta') IS NOT NULL AND to_regclass('schema_versions') IS NOT NULL,
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1)`
	var ours bool
	var nodes int
	for began := time.Now(); ; {
		if err := db.QueryRowContext(ctx, query, nodeName).Scan(&ours, &nodes); err != nil {
			return fmt.Errorf("looking for nodes: %w", err)
		}
		switch {
		case !ours:
			return errForeign
		case nodes == 0:
			return nil
		case time.Since(began) > goodbyeTime || !pause(ctx, 50*time.Millisecond):
			return fmt.Errorf("%w: nodes are connected to the database; stop them first", ErrInUse)
		}
	}
}

// renewEpoch gives the log of a restored database a new epoch, so that every
// device syncs from the start.
func renewEpoch(ctx context.Context, e engine, s *session) error {
	tx, began, err := e.begin(ctx, s, true)
	if err != nil {
		return fmt.Errorf("giving the log a new epoch: %w", err)
	}
	now := time.Now().UTC()
	b := &batch{tx: tx, now: now, began: began, head: began.head}
	op := change{
		steps: []step{{query: `UPDATE meta SET epoch = $1 WHERE id = 1`, args: []any{newEpoch()}, missing: errForeign}},
		also: parley.Alongside{Audit: []parley.Audit{{
			At: now, Actor: parley.Actor{Kind: parley.ActorAdmin}, Action: parley.AuditRestored,
		}}},
	}
	for _, o := range []operation{chainAudit{}, op} {
		if err == nil {
			err = b.run(o)
		}
	}
	if err == nil {
		err = b.commit()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("giving the log a new epoch: %w", err), tx.rollback())
	}
	return nil
}
