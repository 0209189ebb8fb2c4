package parleytest

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// Holds returns where the server holds a text: in which files of the data folders,
// whatever they are, and with PostgreSQL in which rows of its log. It looks into
// the files twice: a checkpoint moves what was in a file that is read later into
// one that was read before.
func (w *World) Holds(text string) []string {
	w.Helper()
	var found []string
	for _, n := range w.nodes {
		c := w.configFor(n, "")
		files := w.files(c.Data, text)
		if len(files) == 0 {
			files = w.files(c.Data, text)
		}
		found = append(found, files...)
	}
	if url := string(w.config("").Database.URL); url != "" {
		found = append(found, w.rows(url, text)...)
	}
	return found
}

func (w *World) files(folder, text string) []string {
	w.Helper()
	var found []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil // a temporary file went away meanwhile
		}
		if bytes.Contains(content, []byte(text)) {
			found = append(found, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return found
}

func (w *World) rows(url, text string) []string {
	w.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		w.Fatalf("looking into the database: %v", err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT 'log at ' || pos FROM log WHERE position($1::bytea IN body) > 0`, []byte(text))
	if err != nil {
		w.Fatalf("looking into the log: %v", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.Fatalf("looking into the log: %v", err)
	}
	return found
}
