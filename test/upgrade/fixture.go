package upgrade

import (
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // opens "pgx"
	_ "modernc.org/sqlite"             // opens "sqlite"

	"parley/parleytest"
	"parley/server"
)

// The files of a fixture's folder.
const (
	sqliteFile    = "sqlite.db.gz"
	sqliteFacts   = "sqlite.json"
	postgresFile  = "postgres.sql"
	postgresFacts = "postgres.json"
	profileFile   = "profile.json" // what the browser kept; the SQLite database is its server's
)

// databaseFile is the database in a data folder, of every release so far.
const databaseFile = "parley.db"

// Domain is that of everybody's sign-in address in a fixture.
const Domain = "upgrade.example"

// Configure makes the configuration that of the organisation in the fixtures.
func Configure(c *server.Config) { parleytest.Organisation(Domain)(c) }

// Fixture is what one release left behind.
type Fixture struct {
	Release string
	dir     string
}

// Fixtures lists those in a folder, the oldest first.
func Fixtures(folder string) ([]Fixture, error) {
	names, err := filepath.Glob(filepath.Join(folder, "[0-9]*", sqliteFacts))
	if err != nil {
		return nil, err
	}
	var list []Fixture
	for _, name := range names {
		dir := filepath.Dir(name)
		list = append(list, Fixture{filepath.Base(dir), dir})
	}
	slices.SortFunc(list, func(a, b Fixture) int { return strings.Compare(a.Release, b.Release) })
	return list, nil
}

// Facts are what is known of a fixture's database, for whoever opens it.
type Facts struct {
	Made     time.Time
	Times    map[string][]string // by table, the columns that hold times
	Password string              // everybody's
	People   map[string]string   // ids by alias
	Devices  map[string]Device   // those that were switched off
	Waiting  []Said              // for fay, who has never signed in
	Invited  Invited
	Jobs     []server.ListedJob // that no version knows what to do with
	Audit    string             // mark of the trail's end
	Rules    map[string]string  // by key, what the administrator made of them at run time
	Changes  int                // of rules, taken back ones among them
	Views    []View
	Browser  Browser // of lena; the zero value where the fixture has no profile
}

// Device is a device that was switched off.
type Device struct {
	parleytest.Kept
	Lacks []Said // what the server holds for it, in order
}

// Said is a message without the ids of its time.
type Said struct{ Conversation, From, Text string }

// Invited is an invitation that was not used.
type Invited struct{ Address, Code string }

// View is what the server answered to a device.
type View struct {
	Device string // its name in Devices
	Path   string
	Answer any // JSON, without times
}

// Browser is what lena's browser holds of her conversation with ben, and what the
// server holds for it.
type Browser struct {
	Shown  []Text   // in order
	Queued []string // not sent yet
	Lacks  []string
	Unread string // the whole conversation with dora, which she has not opened
	Draft  string // in the conversation with carla
}

// Text is a message as a conversation shows it.
type Text struct {
	Mine bool
	Text string
}

// SQLite puts the fixture's SQLite database into a data folder, with its times
// moved to the present.
func (f Fixture) SQLite(ctx context.Context, folder string) (*Facts, error) {
	facts, err := f.facts(sqliteFacts)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder, databaseFile)
	if err := f.unpack(sqliteFile, path); err != nil {
		return nil, fmt.Errorf("unpacking the database of %s: %w", f.Release, err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	err = move(ctx, db, facts)
	return facts, errors.Join(err, db.Close())
}

// Postgres puts the fixture's PostgreSQL database into an empty one, with its times
// moved to the present.
func (f Fixture) Postgres(ctx context.Context, url string) (*Facts, error) {
	facts, err := f.facts(postgresFacts)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(f.dir, postgresFile))
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	// One after the other, as psql would, on a connection of its own: the dump
	// changes its settings.
	_, err = conn.PgConn().Exec(ctx, string(text)).ReadAll()
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		return nil, fmt.Errorf("restoring the database of %s: %w", f.Release, err)
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, err
	}
	err = move(ctx, db, facts)
	return facts, errors.Join(err, db.Close())
}

func (f Fixture) facts(name string) (*Facts, error) {
	text, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		return nil, err
	}
	facts := &Facts{}
	if err := json.Unmarshal(text, facts); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", name, f.Release, err)
	}
	return facts, nil
}

// hasProfile reports whether the fixture has what a browser kept.
func (f Fixture) hasProfile() bool {
	_, err := os.Stat(filepath.Join(f.dir, profileFile))
	return !errors.Is(err, fs.ErrNotExist)
}

func (f Fixture) unpack(name, path string) (err error) {
	packed, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return err
	}
	defer packed.Close()
	content, err := gzip.NewReader(packed)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}
