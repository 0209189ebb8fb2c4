package server

import (
	"context"
	"errors"
	"fmt"

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
