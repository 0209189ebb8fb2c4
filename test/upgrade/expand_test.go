package upgrade

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"parley/parleytest"
	"parley/parleytest/postgres"
	"parley/server"
	"parley/test/migrations"
)

// Nodes go on while another one, of the coming release, does to their tables all that
// a migration may: that is how several nodes are upgraded one after the other.
func TestNodesBearWhatMigrationsMayDo(t *testing.T) {
	all, err := Fixtures(".")
	if err != nil {
		t.Fatal(err)
	}
	url := postgres.Database(t)
	facts, err := all[len(all)-1].Postgres(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	w := parleytest.StartNodesOver(t, url, Configure)
	seen(t, w, facts)
	devices := returned(t, w, facts)
	expand(t, openDB(t, "pgx", url))
	administered(t, w, facts)
	shown(t, devices, facts)
	written(t, devices, facts)
	signedIn(t, w, facts)
	moved := w.Import(organisation(append(aliases, "kim")), server.ImportOptions{})
	if len(moved.Problems) > 0 || moved.Added != 1 {
		t.Errorf("the import says %+v", moved)
	}
	if err := w.Control().Disable(t.Context(), address("emil")); err != nil {
		t.Error(err)
	}
	if reason := devices["emil-phone"].SignedOut(); reason != "disabled" {
		t.Errorf("emil is signed out by %q", reason)
	}
	again(t, w, map[string]*parleytest.Device{"ben-phone": devices["ben-phone"], "anna-desk": devices["anna-desk"]})
}

// expand does to every table what the check of migrations lets pass.
func expand(t *testing.T, db *sql.DB) {
	t.Helper()
	list, err := readColumns(t.Context(), db, postgresColumns)
	if err != nil {
		t.Fatal(err)
	}
	text := "-- +goose Up\nLOCK TABLE meta IN ACCESS EXCLUSIVE MODE;\nCREATE TABLE later (id BIGINT PRIMARY KEY, mood TEXT NOT NULL);\n"
	tables := map[string]bool{}
	for _, c := range list {
		if tables[c.table] {
			continue
		}
		tables[c.table] = true
		text += fmt.Sprintf("ALTER TABLE %[1]s ADD COLUMN a_later BIGINT NOT NULL DEFAULT 7, ADD COLUMN b_later TEXT NOT NULL DEFAULT '';\n"+
			"CREATE INDEX %[1]s_later ON %[1]s (a_later, %[2]s);\nCREATE UNIQUE INDEX %[1]s_once ON %[1]s (b_later) WHERE b_later <> '';\n"+
			"UPDATE %[1]s SET a_later = 8;\n", c.table, c.name)
	}
	if len(tables) < 15 {
		t.Fatalf("there are %d tables", len(tables))
	}
	statements, err := migrations.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(string) bool { return false }
	if found := migrations.Contracts([]migrations.Change{{File: "later", Statements: statements}}, map[string]string{}, refuse); len(found) > 0 {
		t.Fatalf("a migration may not do this: %v", found)
	}
	// In one transaction, as a migration is.
	if err := inTransaction(t.Context(), db, text); err != nil {
		t.Fatal(err)
	}
}

func inTransaction(ctx context.Context, db *sql.DB, text string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
