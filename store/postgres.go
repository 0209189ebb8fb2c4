package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"parley"
)

// This file opens PostgreSQL and knows its settings and error codes.

//go:embed schema/postgres/*.sql
var postgresSchema embed.FS

const (
	// sharedReaders is how many connections of a node only read.
	sharedReaders = 8

	// commitTime is how long a commit may take, its turn included. After that the
	// connection counts as lost.
	commitTime = 15 * time.Second

	// oldestPostgres is the oldest version that the statements were tried on.
	oldestPostgres = 130000

	// nodeName is what the connections of nodes are called in pg_stat_activity.
	nodeName = "parley node"
)

// The settings of the connection that writes. Every commit is durable before it
// returns. A node that is frozen or cut off while it has its turn loses it after
// idle_in_transaction_session_timeout. The rest keeps statements from waiting for
// ever and their plans at the indexes, whatever the statistics say.
var writerSettings = map[string]string{
	"application_name":                    nodeName,
	"synchronous_commit":                  "on",
	"idle_in_transaction_session_timeout": "3s",
	"lock_timeout":                        "5s",
	"statement_timeout":                   "10s",
	"tcp_keepalives_idle":                 "10",
	"tcp_keepalives_interval":             "5",
	"tcp_keepalives_count":                "3",
	"plan_cache_mode":                     "force_generic_plan",
	"enable_seqscan":                      "off",
	"enable_hashjoin":                     "off",
	"enable_mergejoin":                    "off",
	"enable_material":                     "off",
	"jit":                                 "off",
}

// The settings of the connections that only read.
var readerSettings = map[string]string{
	"application_name":              nodeName,
	"default_transaction_read_only": "on",
	"statement_timeout":             "60s",
	"tcp_keepalives_idle":           "10",
	"tcp_keepalives_interval":       "5",
	"tcp_keepalives_count":          "3",
	"jit":                           "off",
}

// The settings of the connections that look after the tables, which may take its
// time.
var keeperSettings = map[string]string{
	"application_name":  "parley upkeep",
	"statement_timeout": "0",
}

// The settings of the connection that changes the tables. Whoever waits for a lock on
// a table makes everybody wait who comes later, so it does not wait for long.
var migrationSettings = map[string]string{
	"application_name":  "parley upkeep",
	"statement_timeout": "0",
	"lock_timeout":      "2s",
}

// postgresEngine is a PostgreSQL database, which several nodes share.
type postgresEngine struct {
	config     *pgx.ConnConfig
	commitTime time.Duration
}

func newPostgres(c Config) (*postgresEngine, error) {
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, addressError(c.URL, err)
	}
	if c.Dial != nil {
		config.DialFunc = c.Dial
	}
	if c.Lookup != nil {
		config.LookupFunc = c.Lookup
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = dialTime
	}
	return &postgresEngine{config, commitTime}, nil
}

// addressError says what is wrong with an address and repeats nothing of it: pgx
// leaves out the password of the user, but none that stands among the parameters.
func addressError(address string, err error) error {
	const end = "`: " // of the address in pgx's text
	text := err.Error()
	i := strings.LastIndex(text, end)
	if _, bad := url.Parse(address); bad != nil || i < 0 {
		return errors.New("reading the database's address: it is no URL")
	}
	return fmt.Errorf("reading the database's address: %s", text[i+len(end):])
}

// open gives at most so many connections with these settings.
func (e *postgresEngine) open(settings map[string]string, conns int) *sql.DB {
	config := e.config.Copy()
	maps.Copy(config.RuntimeParams, settings)
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db
}

func (e *postgresEngine) pool() (*sql.DB, error) { return e.open(readerSettings, sharedReaders), nil }

func (e *postgresEngine) connect(ctx context.Context) (*session, error) {
	s, err := newSession(ctx, e.open(writerSettings, 1))
	if err != nil {
		return nil, err
	}
	// In a transaction that has failed nothing can be prepared any more.
	err = native(s, func(conn *pgx.Conn) error {
		for _, text := range []string{beginShared, lockEnds, "COMMIT", "ROLLBACK", savepoint, release, rollBackTo} {
			if _, err := conn.Prepare(ctx, text, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// native lends the connection behind a session, for what database/sql cannot do.
func native(s *session, work func(*pgx.Conn) error) error {
	return s.conn.Raw(func(conn any) error { return work(conn.(*stdlib.Conn).Conn()) })
}

func (*postgresEngine) lost(s *session) bool {
	lost := true
	err := native(s, func(conn *pgx.Conn) error {
		lost = conn.IsClosed()
		return nil
	})
	return lost || err != nil
}

func (e *postgresEngine) patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), e.commitTime)
}

func (*postgresEngine) shared() bool { return true }

func (*postgresEngine) top(ctx context.Context, s *session) (at place, err error) {
	err = s.queryRow(ctx, `SELECT head, changes FROM meta WHERE id = 1`).Scan(&at.head, &at.seq)
	return at, err
}

func (*postgresEngine) among(n int, ids []int64) (string, []any) {
	return "= ANY($" + strconv.Itoa(n) + ")", []any{ids}
}

// entriesAfter asks the index about one stream after the other: with all of them
// in one condition the statistics may lead to a walk through the whole log.
func (*postgresEngine) entriesAfter() string {
	return `SELECT ` + entryColumns + `, body FROM log WHERE pos IN (
SELECT place.pos FROM unnest($3::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT pos FROM log WHERE stream = wanted.id AND pos > $1 ORDER BY pos LIMIT $2) AS place
ORDER BY place.pos LIMIT $2) ORDER BY pos`
}

// migrationLock keeps two nodes that start together from changing the tables at
// the same time.
const migrationLock = applicationID

func (e *postgresEngine) prepare(ctx context.Context) (err error) {
	db := e.open(keeperSettings, 1)
	defer func() { err = errors.Join(err, db.Close()) }()
	turn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, turn.Close()) }()
	if _, err := turn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(migrationLock)); err != nil {
		return fmt.Errorf("waiting for another node: %w", err)
	}
	if err := usable(ctx, turn); err != nil {
		return err
	}
	err = e.migrate(ctx, under(postgresSchema, "schema/postgres"))
	_, unlock := turn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, int64(migrationLock))
	return errors.Join(err, unlock)
}

// How often the tables are tried to be changed, and the pause between: together
// about a minute, beside waiting for locks.
const (
	migrationAttempts = 60
	migrationPause    = time.Second
)

// migrate brings the tables up to date while other nodes, of the release before,
// work with them. A change of tables and a commit may each have what the other one
// waits for. Then one of them is refused: the commit's devices try again, and so does
// this.
func (e *postgresEngine) migrate(ctx context.Context, files fs.FS) (err error) {
	db := e.open(migrationSettings, 1)
	defer func() { err = errors.Join(err, db.Close()) }()
	for attempt := 1; ; attempt++ {
		err := migrateTables(ctx, db, goose.DialectPostgres, files)
		if attempt == migrationAttempts || !inTheWay(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(migrationPause/2 + rand.N(migrationPause)):
		}
	}
}

// inTheWay reports whether a change of tables failed because others were using them.
func inTheWay(err error) bool {
	const deadlock = "40P01"
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == deadlock || e.Code == lockTimeout)
}

// usable refuses what cannot become a Parley database, or is another one.
func usable(ctx context.Context, conn *sql.Conn) error {
	const query = `
SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), to_regclass('schema_versions') IS NOT NULL,
    (SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema())`
	var version, tables int
	var encoding string
	var ours bool
	if err := conn.QueryRowContext(ctx, query).Scan(&version, &encoding, &ours, &tables); err != nil {
		return fmt.Errorf("looking at the database: %w", err)
	}
	switch {
	case version < oldestPostgres:
		return fmt.Errorf("the server is PostgreSQL %d, at least %d is needed", version/10000, oldestPostgres/10000)
	case encoding != "UTF8":
		return fmt.Errorf("the database's encoding is %s, UTF8 is needed", encoding)
	case !ours && tables > 0:
		return errForeign
	}
	return nil
}

// postgresFailure is storageFailure for PostgreSQL.
func postgresFailure(err error) (*parley.Error, bool) {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresRefusal(e.Code, err)
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	if connecting || network || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err) {
		return &parley.Error{Kind: parley.Unavailable, Key: "store.unavailable", Err: err}, true
	}
	return nil, false
}

// postgresRefusal sorts the codes of
// https://www.postgresql.org/docs/current/errcodes-appendix.html that concern the
// storage as a whole.
func postgresRefusal(code string, err error) (*parley.Error, bool) {
	switch code {
	case "53100", // disk_full
		"25006",                   // read_only_sql_transaction
		"58030", "58P01", "58P02": // io_error and its kind
		return &parley.Error{Kind: parley.Full, Key: "store.full", Err: err}, true
	case "25P03", // idle_in_transaction_session_timeout
		lockTimeout,
		"57014", // query_canceled, by a timeout
		"3D000": // invalid_catalog_name: the database is gone
		return &parley.Error{Kind: parley.Unavailable, Key: "store.unavailable", Err: err}, true
	}
	switch code[:min(2, len(code))] {
	case "08", // connection exception
		"28", // invalid authorization
		"40", // transaction rollback: deadlock, serialization
		"53", // insufficient resources
		"57", // operator intervention: shutting down, crashed, starting
		"58", // system error
		"XX": // internal error, damage
		return &parley.Error{Kind: parley.Unavailable, Key: "store.unavailable", Err: err}, true
	}
	return nil, false
}
