package upgrade

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A database that was put away would have forgotten its messages and signed its
// devices out when it is opened, for those have their time. So its times are moved
// by as long as it was away. Those of the audit trail stay: they are in its hashes,
// and nothing follows from how old a record is.
const unmoved = "audit"

// move moves the times of a fixture's database by as long as it was put away.
func move(ctx context.Context, db *sql.DB, facts *Facts) error {
	away := time.Since(facts.Made).Milliseconds()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for table, columns := range facts.Times {
		for _, column := range columns {
			query := fmt.Sprintf("UPDATE %[1]s SET %[2]s = %[2]s + $1 WHERE %[2]s <> 0", table, column)
			if _, err := tx.ExecContext(ctx, query, away); err != nil {
				return fmt.Errorf("moving %s.%s: %w", table, column, err)
			}
		}
	}
	return tx.Commit()
}

// The numbers of a column that are times lie this far around the present.
const (
	before = 24 * time.Hour
	after  = 500 * 24 * time.Hour // what expires, and the longest limit
)

// findTimes finds the columns that hold times, in milliseconds since 1970: all
// their numbers but 0 are near the present, which no id and no counter is.
func findTimes(ctx context.Context, db *sql.DB, columns []column, now time.Time) (map[string][]string, error) {
	low, high := now.Add(-before).UnixMilli(), now.Add(after).UnixMilli()
	found := map[string][]string{}
	for _, c := range columns {
		if c.table == unmoved || !slices.Contains([]string{"integer", "bigint"}, c.kind) {
			continue
		}
		var near, far sql.NullInt64
		query := fmt.Sprintf(`SELECT sum(CASE WHEN %[2]s BETWEEN $1 AND $2 THEN 1 ELSE 0 END), sum(CASE WHEN %[2]s BETWEEN $1 AND $2 THEN 0 ELSE 1 END)
FROM %[1]s WHERE %[2]s <> 0`, c.table, c.name)
		if err := db.QueryRowContext(ctx, query, low, high).Scan(&near, &far); err != nil {
			return nil, fmt.Errorf("looking for times in %s.%s: %w", c.table, c.name, err)
		}
		switch {
		case near.Int64 > 0 && far.Int64 > 0:
			return nil, fmt.Errorf("%s.%s holds %d numbers that look like times and %d that do not", c.table, c.name, near.Int64, far.Int64)
		case near.Int64 > 0:
			found[c.table] = append(found[c.table], c.name)
		}
	}
	if len(found) == 0 {
		return nil, errors.New("there are no times")
	}
	return found, nil
}

// column is a column of a table, in lower case.
type column struct{ table, name, kind string }

// The columns of all tables but those of the migrations themselves.
const (
	sqliteColumns = `
SELECT m.name, c.name, lower(c.type) FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'schema_versions' ORDER BY 1, 2`
	postgresColumns = `
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name <> 'schema_versions' ORDER BY 1, 2`
)

func readColumns(ctx context.Context, db *sql.DB, query string) (list []column, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.table, &c.name, &c.kind); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// timeless takes out of a JSON value what depends on when it was asked for.
func timeless(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if slices.Contains(strings.Fields(ofTheMoment), key) {
				delete(v, key)
				continue
			}
			v[key] = timeless(value)
		}
	case []any:
		for i := range v {
			v[i] = timeless(v[i])
		}
	}
	return v
}

// ofTheMoment are the fields that hold times.
const ofTheMoment = "since until note_until last_active last_used created expires auth_time at"
