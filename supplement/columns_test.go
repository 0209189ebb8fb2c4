package supplement_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"parley/store"
	"parley/supplement"
)

// Every column that the migrations of a dialect leave is declared.
func TestColumnsAreDeclared(t *testing.T) {
	found := sqliteColumns(t)
	for name, where := range declaredColumns(t, "postgres") {
		if _, both := found[name]; !both {
			found[name] = where
		}
	}
	compare(t, supplement.Database, found, `{Database, HOW LONG, names("NAME")}`)
}

// What one database stores the other does too. PostgreSQL may have more, for
// several nodes; all of it is declared.
func TestPostgreSQLStoresWhatSQLiteStores(t *testing.T) {
	postgres := declaredColumns(t, "postgres")
	for name := range declaredColumns(t, "sqlite") {
		if _, ok := postgres[name]; !ok {
			t.Errorf("%s is a column in store/schema/sqlite and none in store/schema/postgres", name)
		}
	}
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
