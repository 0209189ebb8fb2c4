package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"parley"
	"parley/contact"
)

var _ contact.StateStore = (*Store)(nil)

// entryProblem is a contact.EntryProblem as it is stored.
type entryProblem struct {
	DN   string `json:"dn"`
	Text string `json:"text"`
}

// DirectoryState implements contact.StateStore.
func (s *Store) DirectoryState(ctx context.Context, directory string) (contact.DirectoryState, error) {
	const query = `
SELECT mode, kind, server, last_sync, last_full, failing_since, problem, detail, problems
FROM directory_state WHERE directory = $1`
	d := contact.DirectoryState{Directory: directory}
	var synced, full, failing int64
	var problems string
	err := s.read.queryRow(ctx, query, directory).Scan(&d.Mode, &d.Kind, &d.Server, &synced, &full, &failing, &d.Problem, &d.Detail, &problems)
	if errors.Is(err, sql.ErrNoRows) {
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("reading how a directory is followed: %w", err)
	}
	d.LastSync, d.LastFull, d.FailingSince = fromMillis(synced), fromMillis(full), fromMillis(failing)
	var list []entryProblem
	if err := json.Unmarshal([]byte(problems), &list); err != nil {
		return d, fmt.Errorf("reading the problems of a directory: %w", err)
	}
	for _, p := range list {
		d.Problems = append(d.Problems, contact.EntryProblem(p))
	}
	return d, nil
}

// SetDirectoryState implements contact.StateStore.
func (s *Store) SetDirectoryState(ctx context.Context, d contact.DirectoryState) error {
	const upsert = `
INSERT INTO directory_state (directory, mode, kind, server, last_sync, last_full, failing_since, problem, detail, problems)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (directory) DO UPDATE SET (mode, kind, server, last_sync, last_full, failing_since, problem, detail, problems) =
(excluded.mode, excluded.kind, excluded.server, excluded.last_sync, excluded.last_full, excluded.failing_since,
excluded.problem, excluded.detail, excluded.problems)`
	list := []entryProblem{}
	for _, p := range d.Problems {
		list = append(list, entryProblem(p))
	}
	problems, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("storing the problems of a directory: %w", err)
	}
	args := []any{d.Directory, d.Mode, d.Kind, d.Server, millis(d.LastSync), millis(d.LastFull), millis(d.FailingSince),
		d.Problem, d.Detail, string(problems)}
	err = s.writer.do(ctx, s.writer.bulk, change{steps: []step{{query: upsert, args: args}}})
	return parley.Wrap(err, "storing how a directory is followed")
}

// AddAudit stores a record of the trail of something that changes nothing else.
func (s *Store) AddAudit(ctx context.Context, record parley.Audit) error {
	return s.writer.do(ctx, s.writer.queue, change{also: parley.Alongside{Audit: []parley.Audit{record}}})
}
