package parleytest

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"parley/parleytest/postgres"
	"parley/store"
)

// Postgres gives a test a fresh PostgreSQL database with Parley's tables, for
// store.Config.URL. Without PostgreSQL on the machine the test is skipped.
func Postgres(t testing.TB) (url string) {
	t.Helper()
	return postgres.Copy(t, "parley", func(url string) error {
		folder, err := os.MkdirTemp("", "parley-template-")
		if err != nil {
			return err
		}
		s, err := store.Open(context.Background(), store.Config{Path: folder, URL: url})
		if err == nil {
			err = s.Close()
		}
		return errors.Join(err, os.RemoveAll(folder), nameless(url))
	})
}

// nameless takes the database's name away, so that every copy makes up its own.
func nameless(url string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `DELETE FROM meta`)
	return errors.Join(err, conn.Close(ctx))
}
