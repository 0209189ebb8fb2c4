package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"time"
)

// What a program says of itself in a database that others may use, so that none
// starts that cannot be beside it: servers that do not hear each other would obey
// neither the other's blocks nor its sign-outs. It is said by locks of one
// connection, which the database drops with the connection, however the program
// ends. They have no part in commits.

// ErrNameTaken says that a node of this name uses the database.
var ErrNameTaken = errors.New("another node has this name")

const (
	// claimPatience is how long a claim waits for another to go: the database may
	// not have noticed yet that a program was killed.
	claimPatience = 3 * time.Second

	// claimEvery is how often it is seen to that a claim still stands.
	claimEvery = 10 * time.Second
)

var claimSettings = map[string]string{
	"application_name":        "parley claim",
	"statement_timeout":       "3s",
	"tcp_keepalives_idle":     "10",
	"tcp_keepalives_interval": "5",
	"tcp_keepalives_count":    "3",
}

// The statements that take a lock and report false when another has it.
const (
	claimShared = `SELECT pg_try_advisory_lock_shared($1::int, $2::int)`
	claimWhole  = `SELECT pg_try_advisory_lock($1::int, $2::int)`
)

// lock is one that a claim consists of.
type lock struct {
	query   string
	name    string // what is locked
	refused error
}

// claim is what this program claims of the database.
type claim struct {
	engine *postgresEngine
	locks  []lock
	db     *sql.DB   // holds nothing but conn
	conn   *sql.Conn // nil: lost
	told   bool      // that it cannot be had again
}

// ClaimAlone says that this program is the only one that serves from the database.
// It fails with ErrInUse when another uses it. A database in a folder is locked
// as it is; there the claims do nothing. Call one of them at most, before Run.
func (s *Store) ClaimAlone(ctx context.Context) error {
	return s.claimed(ctx, lock{claimWhole, "use", ErrInUse})
}

// ClaimNode says that this program is the node of that name. It fails with
// ErrInUse when a program uses the database that wants to be alone, and with
// ErrNameTaken when there is a node of this name.
func (s *Store) ClaimNode(ctx context.Context, name string) error {
	return s.claimed(ctx, lock{claimShared, "use", ErrInUse}, lock{claimWhole, "node " + name, ErrNameTaken})
}

// ClaimVisit says that this program uses the database for a moment and does not
// mind nodes. It fails with ErrInUse when another wants to be alone.
func (s *Store) ClaimVisit(ctx context.Context) error {
	return s.claimed(ctx, lock{claimShared, "use", ErrInUse})
}

func (s *Store) claimed(ctx context.Context, locks ...lock) error {
	e, ok := s.engine.(*postgresEngine)
	if !ok {
		return nil
	}
	c := &claim{engine: e, locks: locks}
	began := time.Now()
	for {
		err := c.take(ctx)
		if err == nil {
			s.claim = c
			return nil
		}
		refused := errors.Is(err, ErrInUse) || errors.Is(err, ErrNameTaken)
		if !refused || time.Since(began) > claimPatience || !pause(ctx, 50*time.Millisecond) {
			return err
		}
	}
}

// take takes all locks on a fresh connection, or none.
func (c *claim) take(ctx context.Context) error {
	db := c.engine.open(claimSettings, 1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("claiming the database: %w", err), db.Close())
	}
	for _, l := range c.locks {
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(l.name)) // it never fails
		var taken bool
		err := conn.QueryRowContext(ctx, l.query, applicationID, int32(hash.Sum32())).Scan(&taken)
		if err == nil && !taken {
			err = l.refused
		}
		if err != nil {
			return errors.Join(fmt.Errorf("claiming the database: %w", err), conn.Close(), db.Close())
		}
	}
	c.db, c.conn = db, conn
	return nil
}

// hold takes the locks again if their connection was lost.
func (c *claim) hold(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if c.conn != nil && c.conn.PingContext(ctx) == nil {
		return nil
	}
	if err := c.drop(); err != nil {
		return err
	}
	return c.take(ctx)
}

// drop closes the connection, and the locks with it.
func (c *claim) drop() error {
	if c == nil || c.conn == nil {
		return nil
	}
	err := c.conn.Close()
	if errors.Is(err, sql.ErrConnDone) {
		err = nil
	}
	err = errors.Join(err, c.db.Close())
	c.db, c.conn = nil, nil
	return err
}

// holdClaim sees to it that the claim stands, and says once if another's does.
func (s *Store) holdClaim(ctx context.Context) {
	err := s.claim.hold(ctx)
	taken := errors.Is(err, ErrInUse) || errors.Is(err, ErrNameTaken)
	if taken && !s.claim.told {
		s.log.Error("another program uses this database that cannot be beside this one: stop one of them", "error", err)
	}
	s.claim.told = taken
}
