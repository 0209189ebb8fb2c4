package server

import (
	"context"
	"errors"
	"fmt"

	"parley/egress"
	"parley/store"
)

// Restore makes a backup the database of a data folder over which no server runs.
// The database that was there stays beside it, under the name that is returned;
// empty when there was none.
func Restore(ctx context.Context, data, backup string) (former string, err error) {
	former, err = store.Restore(ctx, backup, data)
	if errors.Is(err, store.ErrInUse) {
		return former, fmt.Errorf("stop the server first: %w", err)
	}
	return former, err
}

// RenewEpoch makes a PostgreSQL database fit for use that was restored by its own
// programs, while no node runs.
func RenewEpoch(ctx context.Context, c Config) error {
	if c.Database.URL == "" {
		return errors.New("this server's database is SQLite in the data folder; \"parley restore FILE\" restores it")
	}
	dial := egress.New(c.Outside).Dialer(egress.Database)
	return store.RenewEpoch(ctx, store.Config{Path: c.Data, URL: string(c.Database.URL), Dial: dial})
}
