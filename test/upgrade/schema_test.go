package upgrade

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/parleytest/postgres"
	"parley/store"
)

// A database that came all the way has the same tables as a new one.
func TestUpgradedSchemaIsThatOfANewDatabase(t *testing.T) {
	all, err := Fixtures(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		t.Run("sqlite "+f.Release, func(t *testing.T) {
			old, fresh := t.TempDir(), t.TempDir()
			if _, err := f.SQLite(t.Context(), old); err != nil {
				t.Fatal(err)
			}
			equal(t, sqliteSchema(t, old), sqliteSchema(t, fresh))
		})
		t.Run("postgres "+f.Release, func(t *testing.T) {
			old, fresh := postgres.Database(t), postgres.Database(t)
			if _, err := f.Postgres(t.Context(), old); err != nil {
				t.Fatal(err)
			}
			equal(t, postgresSchema(t, old), postgresSchema(t, fresh))
		})
	}
}

func migrate(t *testing.T, c store.Config) {
	t.Helper()
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// sqliteSchema is every object, with its text, and every column of the migrated
// database in a folder.
func sqliteSchema(t *testing.T, folder string) []string {
	t.Helper()
	migrate(t, store.Config{Path: folder})
	db := openDB(t, "sqlite", filepath.Join(folder, databaseFile))
	const query = `
SELECT type || ' ' || name || ': ' || sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
UNION ALL
SELECT 'column ' || m.name || '.' || c.name || ': ' || c.type || ' ' || c."notnull" || ' ' || c.pk || ' ' || coalesce(c.dflt_value, '')
FROM sqlite_schema AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'
ORDER BY 1`
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		list = append(list, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func postgresSchema(t *testing.T, url string) []string {
	t.Helper()
	migrate(t, store.Config{Path: t.TempDir(), URL: url})
	return strings.Split(postgres.Schema(t, url), "\n")
}

// equal names the lines that only one of them has.
func equal(t *testing.T, old, fresh []string) {
	t.Helper()
	if len(fresh) < 50 {
		t.Fatalf("a new database has %d lines", len(fresh))
	}
	for _, line := range old {
		if !slices.Contains(fresh, line) {
			t.Errorf("a new database lacks %q", line)
		}
	}
	for _, line := range fresh {
		if !slices.Contains(old, line) {
			t.Errorf("the upgraded one lacks %q", line)
		}
	}
	if !t.Failed() && !slices.Equal(old, fresh) {
		t.Error("the same lines stand in another order, or more often")
	}
}
