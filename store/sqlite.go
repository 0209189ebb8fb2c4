package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley"
)

// This file names SQLite's driver and knows its pragmas and error codes.

const sqliteDriver = "sqlite"

// databaseFile is the database in a data directory.
const databaseFile = "parley.db"

// applicationID marks a database file as Parley's ("Prly").
const applicationID = 0x50726c79

//go:embed schema/sqlite/*.sql
var sqliteSchema embed.FS

// The pragmas of every connection that writes. FULL makes each commit durable
// before it returns. secure_delete overwrites what is deleted, and temp_store
// keeps the journals of single statements, which hold pages, out of files.
var writerPragmas = []string{
	"busy_timeout(5000)",
	"journal_mode(WAL)",
	"synchronous(FULL)",
	"secure_delete(ON)",
	"foreign_keys(ON)",
	"temp_store(MEMORY)",
	"cache_size(-32768)",
	"wal_autocheckpoint(4000)",
}

// readers is how many connections only read.
const readers = 4

// The pragmas of the connections that only read.
var readerPragmas = []string{
	"busy_timeout(5000)",
	"query_only(ON)",
	"temp_store(MEMORY)",
	"cache_size(-8192)",
}

// The pragmas of the connection that copies the database. It may write, because
// the copy counts as that.
var copyPragmas = []string{"busy_timeout(5000)", "temp_store(MEMORY)"}

func dataSource(path string, pragmas []string) string {
	query := url.Values{"_pragma": pragmas}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}
	return u.String()
}

// openDatabase opens a file with at most conns connections.
func openDatabase(path string, pragmas []string, conns int) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", path, err)
	}
	db, err := sql.Open(sqliteDriver, dataSource(path, pragmas))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

func (e *sqliteEngine) prepare(ctx context.Context) (err error) {
	if err := createFile(e.path); err != nil {
		return err
	}
	if err := syncFile(filepath.Dir(e.path)); err != nil {
		return err
	}
	wal, statErr := os.Stat(e.path + "-wal")
	unclean := statErr == nil && wal.Size() > 0
	db, err := openDatabase(e.path, writerPragmas, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrate(ctx, db); err != nil {
		return err
	}
	if unclean { // the last program did not close it
		return quickCheck(ctx, db)
	}
	return nil
}

// createFile makes an empty file that only its owner may read; SQLite gives the
// files beside it the same mode.
func createFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("creating the database: %w", err)
	}
	return file.Close()
}

// migrate brings the tables up to date and refuses a database that a newer
// program has written.
func migrate(ctx context.Context, db *sql.DB) error {
	if err := ours(ctx, db); err != nil {
		return err
	}
	if err := migrateTables(ctx, db, goose.DialectSQLite3, under(sqliteSchema, "schema/sqlite")); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return fmt.Errorf("marking the database: %w", err)
	}
	return nil
}

// errForeign says that a file is not a Parley database.
var errForeign = errors.New("this is no Parley database")

// ours refuses a file that holds anything but a Parley database. An empty one
// may become one.
func ours(ctx context.Context, db *sql.DB) error {
	var id, tables int64
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return damaged(err)
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return damaged(err)
	}
	if id != applicationID && tables > 0 {
		return errForeign
	}
	return nil
}

// marked refuses what is not a Parley database, an empty one included.
func marked(ctx context.Context, s *session) error {
	var id int64
	if err := s.queryRow(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return damaged(err)
	}
	if id != applicationID {
		return errForeign
	}
	return nil
}

// checkTables are the tables whose structure is checked after a crash: all that
// is written while running, but not the photos, which are most of a big database.
var checkTables = []string{"meta", "log", "streams", "readers", "read_marks", "people", "passwords",
	"devices", "history_keys", "invitations", "relations", "preferences", "choices", "jobs", "audit", "audit_head",
	"policy_changes"}

// quickCheck looks for damage in the tables that matter most.
func quickCheck(ctx context.Context, db *sql.DB) error {
	for _, table := range checkTables {
		if err := saysOK(db.QueryRowContext(ctx, "PRAGMA quick_check("+table+")")); err != nil {
			return err
		}
	}
	return nil
}

// fullCheck reads the whole database and compares the indexes with the tables.
func fullCheck(ctx context.Context, s *session) error {
	return saysOK(s.queryRow(ctx, "PRAGMA integrity_check"))
}

// saysOK reads the verdict of a check.
func saysOK(r row) error {
	var verdict string
	if err := r.Scan(&verdict); err != nil {
		return damaged(err)
	}
	if verdict != "ok" {
		return damaged(errors.New(verdict))
	}
	return nil
}

// errDamaged says that a database cannot be read as it stands.
var errDamaged = errors.New("the database is damaged")

// damaged explains an error that says the file is broken; others pass.
func damaged(err error) error {
	switch code, _ := sqliteCode(err); {
	case err == nil:
		return nil
	case code == sqlite3.SQLITE_CORRUPT, code == sqlite3.SQLITE_NOTADB, code == 0:
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return err
}

// copyInto writes a complete, compact copy of the database to a new file.
func copyInto(ctx context.Context, db *sql.DB, path string) error {
	if _, err := db.ExecContext(ctx, "VACUUM INTO $1", path); err != nil {
		return fmt.Errorf("copying the database: %w", err)
	}
	return nil
}

// truncateWAL moves everything from the write-ahead log into the database and
// cuts the log to nothing. It reports false when a reader is in the way. It
// waits for readers no longer than wait: the writer stands still meanwhile.
func truncateWAL(ctx context.Context, s *session, wait time.Duration) (done bool, err error) {
	if _, err := s.exec(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", wait.Milliseconds())); err != nil {
		return false, err
	}
	var busy, frames, moved int64
	err = s.queryRow(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	if _, again := s.exec(ctx, "PRAGMA busy_timeout = 5000"); err == nil {
		err = again
	}
	return busy == 0, err
}

func sqliteCode(err error) (primary int, ok bool) {
	if e, is := errors.AsType[*sqlite.Error](err); is {
		return e.Code() & 0xff, true
	}
	return 0, false
}

// sqliteFailure is storageFailure for SQLite.
func sqliteFailure(err error) (*parley.Error, bool) {
	code, ok := sqliteCode(err)
	if !ok {
		return nil, false
	}
	switch code {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return &parley.Error{Kind: parley.Full, Key: "store.full", Err: err}, true
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL,
		sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_INTERRUPT:
		return &parley.Error{Kind: parley.Unavailable, Key: "store.unavailable", Err: err}, true
	}
	return nil, false
}
