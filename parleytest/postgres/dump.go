//go:build unix

package postgres

import (
	"os/exec"
	"path/filepath"
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
