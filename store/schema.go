package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// migrateTables brings the tables up to date by the files of a folder, and refuses
// a database that a newer program has written.
func migrateTables(ctx context.Context, db *sql.DB, dialect goose.Dialect, schema embed.FS, folder string) error {
	files, err := fs.Sub(schema, folder)
	if err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	provider, err := goose.NewProvider(dialect, db, files,
		goose.WithTableName("schema_versions"), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	current, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if current > known {
		return fmt.Errorf("database is of schema version %d, this program knows up to %d: use the newer program", current, known)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("changing the schema: %w", err)
	}
	return nil
}
