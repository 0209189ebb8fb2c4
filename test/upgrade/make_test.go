package upgrade

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"parley/parleytest"
	"parley/parleytest/postgres"
	"parley/test/migrations"
)

// release is given by "make fixture".
var release = flag.String("release", "", "make the fixture of this release")

// schema is the folder of the migrations.
var schema = filepath.Join("..", "..", "store", "schema")

// TestMakeFixture makes the fixture of a release, and with it the list of its
// migrations.
func TestMakeFixture(t *testing.T) {
	if *release == "" {
		t.Skip("is run by: make fixture RELEASE=0001")
	}
	tree, err := migrations.Read(os.DirFS(schema))
	if err != nil {
		t.Fatal(err)
	}
	list, err := tree.Release(*release)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	makePostgres(t, dir)
	makeSQLite(t, dir, inChromium(filepath.Join(dir, profileFile)))
	deprecated, err := os.ReadFile(filepath.Join(schema, migrations.DeprecatedList))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(*release); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(*release, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(schema, migrations.ReleasedList), []byte(list))
	write(t, filepath.Join(schema, migrations.DeprecatedList), []byte(migrations.Deprecate(string(deprecated), *release)))
}

// Every release has a fixture, and no other.
func TestEveryReleaseHasAFixture(t *testing.T) {
	tree, err := migrations.Read(os.DirFS(schema))
	if err != nil {
		t.Fatal(err)
	}
	all, err := Fixtures(".")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, f := range all {
		have = append(have, f.Release)
		if !f.hasProfile() {
			t.Errorf("the fixture of %s has no client profile", f.Release)
		}
	}
	if !slices.Equal(have, tree.Releases()) {
		t.Errorf("there are fixtures of %q, and releases %q", have, tree.Releases())
	}
}

// makeSQLite makes the SQLite part of a fixture in a folder.
func makeSQLite(t *testing.T, dir string, play func(*life) lena) {
	t.Helper()
	data := t.TempDir()
	path := filepath.Join(data, databaseFile)
	w := parleytest.StartOver(t, data, Configure)
	db := openDB(t, "sqlite", path)
	facts := live(w, db, play)
	noteTimes(t, facts, db, sqliteColumns)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		t.Fatal("a stopped server leaves a write-ahead log")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, sqliteFile), pack(t, content))
	writeFacts(t, filepath.Join(dir, sqliteFacts), facts)
}

// makePostgres makes the PostgreSQL part.
func makePostgres(t *testing.T, dir string) {
	t.Helper()
	url := postgres.Database(t)
	w := parleytest.StartNodesOver(t, url, Configure)
	db := openDB(t, "pgx", url)
	facts := live(w, db, func(l *life) lena { return player{l} })
	noteTimes(t, facts, db, postgresColumns)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, postgresFile), postgres.PlainDump(t, url))
	writeFacts(t, filepath.Join(dir, postgresFacts), facts)
}

func openDB(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func noteTimes(t *testing.T, facts *Facts, db *sql.DB, columns string) {
	t.Helper()
	list, err := readColumns(t.Context(), db, columns)
	if err != nil {
		t.Fatal(err)
	}
	if facts.Times, err = findTimes(t.Context(), db, list, facts.Made); err != nil {
		t.Fatal(err)
	}
}

func pack(t *testing.T, content []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// writeFacts writes them with one thing a line, for whoever compares two fixtures.
func writeFacts(t *testing.T, path string, facts *Facts) {
	t.Helper()
	text, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	depth, quoted := 0, false
	for i, c := range text {
		switch {
		case quoted:
			quoted = c != '"' || text[i-1] == '\\'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		b.WriteByte(c)
		if !quoted && (c == ',' || c == '{' || c == '[') && depth <= 2 {
			b.WriteByte('\n')
		}
	}
	b.WriteByte('\n')
	write(t, path, b.Bytes())
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
