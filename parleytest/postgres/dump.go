//go:build unix

package postgres

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// Dump writes a database to a file, as an operator's backup does.
func Dump(t testing.TB, url, file string) {
	t.Helper()
	run(t, "pg_dump", "--format=custom", "--file="+file, "--dbname="+url)
}

// Load puts a dump in the place of everything that a database holds. Nobody may
// use it meanwhile.
func Load(t testing.TB, url, file string) {
	t.Helper()
	run(t, "psql", "--quiet", "--dbname="+url, "--command=DROP SCHEMA public CASCADE", "--command=CREATE SCHEMA public")
	run(t, "pg_restore", "--exit-on-error", "--no-owner", "--schema=public", "--dbname="+url, file)
}

// versionBound are the lines of a dump that only a server or psql of its own version
// understands.
var versionBound = regexp.MustCompile(`(?m)^(\\(un)?restrict .*|SET transaction_timeout .*|-- Dumped .*)\n`)

// PlainDump returns a database as SQL that any version restores without psql: the
// rows are INSERT statements.
func PlainDump(t testing.TB, url string) []byte {
	t.Helper()
	return plain(t, url, "--inserts", "--rows-per-insert=100")
}

// Schema returns everything of a database but its rows, as SQL in an order that does
// not depend on how it came about.
func Schema(t testing.TB, url string) string {
	t.Helper()
	return string(plain(t, url, "--schema-only"))
}

func plain(t testing.TB, url string, args ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "dump")
	run(t, "pg_dump", append(args, "--no-owner", "--no-privileges", "--file="+file, "--dbname="+url)...)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return versionBound.ReplaceAll(text, nil)
}

// run runs one of PostgreSQL's own programs.
func run(t testing.TB, program string, args ...string) {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(bin, program), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}
