package supplement_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"parley/store"
	"parley/supplement"
)

// Every column of a database as the migrations leave it is declared.
func TestColumnsAreDeclared(t *testing.T) {
	found := sqliteColumns(t)
	compare(t, supplement.Database, found, `{Database, HOW LONG, names("NAME")}`)
}

// sqliteColumns are the columns of a fresh database.
func sqliteColumns(t *testing.T) reality {
	t.Helper()
	folder := t.TempDir()
	opened, err := store.Open(t.Context(), store.Config{Path: folder})
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(folder, "parley.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT m.name, c.name FROM sqlite_schema m, pragma_table_xinfo(m.name) c WHERE m.type IN ('table', 'view')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := reality{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(table, "sqlite_") { // SQLite's own
			found[table+"."+column] = "SQLite"
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}
