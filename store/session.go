package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley"
)

// session is one connection with the statements it has prepared. Only one
// goroutine may use it.
type session struct {
	db    *sql.DB // holds nothing but conn
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// newSession takes over a database that was opened for one connection.
func newSession(ctx context.Context, db *sql.DB) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &session{db: db, conn: conn, stmts: map[string]*sql.Stmt{}}, nil
}

// prepare keeps the statement of a text; the number of texts is that of the
// program's constants.
func (s *session) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := s.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("preparing %.60q: %w", query, err)
	}
	s.stmts[query] = stmt
	return stmt, nil
}

// exec runs a statement and returns how many rows it changed.
func (s *session) exec(ctx context.Context, query string, args ...any) (int64, error) {
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s *session) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// row is the first row of an answer, or the error that took its place.
type row interface{ Scan(dest ...any) error }

type failedRow struct{ err error }

func (f failedRow) Scan(...any) error { return f.err }

func (s *session) queryRow(ctx context.Context, query string, args ...any) row {
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return failedRow{err}
	}
	return stmt.QueryRowContext(ctx, args...)
}

func (s *session) close() error {
	var errs []error
	for _, stmt := range s.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, s.conn.Close(), s.db.Close())...)
}

// reader answers questions from a small pool of connections, each seeing every
// commit that was made before the question.
type reader struct {
	engine engine
	db     *sql.DB

	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

func newReader(e engine, db *sql.DB) *reader {
	return &reader{engine: e, db: db, stmts: map[string]*sql.Stmt{}}
}

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, stmt := range r.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, r.db.Close())...)
}

// prepare keeps the statement of a text, as session does.
func (r *reader) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	stmt := r.stmts[query]
	r.mu.Unlock()
	if stmt != nil {
		return stmt, nil
	}
	stmt, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("preparing %.60q: %w", query, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if first := r.stmts[query]; first != nil { // somebody was faster
		return first, stmt.Close()
	}
	r.stmts[query] = stmt
	return stmt, nil
}

func (r *reader) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := r.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// queryAmong is query with {ids} in the text standing for "is one of ids".
func (r *reader) queryAmong(ctx context.Context, query string, ids []int64, args ...any) (*sql.Rows, error) {
	text, args := expand(r.engine, query, ids, args)
	return r.db.QueryContext(ctx, text, args...)
}

func (r *reader) queryRow(ctx context.Context, query string, args ...any) row {
	if r.engine.shared() && fit(args...) != nil {
		return failedRow{sql.ErrNoRows} // what cannot be stored is not there
	}
	stmt, err := r.prepare(ctx, query)
	if err != nil {
		return failedRow{unreachable(err)}
	}
	return answer{stmt.QueryRowContext(ctx, args...)}
}

// answer is a row whose error says whether the database was to blame.
type answer struct{ *sql.Row }

func (a answer) Scan(dest ...any) error { return unreachable(a.Row.Scan(dest...)) }

// unreachable gives an error that concerns the database as a whole the kind that
// whoever asked is told.
func unreachable(err error) error {
	if refusal, ok := storageFailure(err); ok {
		return refusal
	}
	return err
}

// collect reads every row of an answer.
func collect[T any](rows *sql.Rows, err error, scan func(row) (T, error)) ([]T, error) {
	if err != nil {
		return nil, unreachable(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, unreachable(rows.Err())
}

// storageFailure turns an error that concerns the storage as a whole into what
// everybody who waits is told, and reports whether it is one. Other errors
// concern one statement only.
func storageFailure(err error) (*parley.Error, bool) {
	if err == nil {
		return nil, false
	}
	if refusal, ok := sqliteFailure(err); ok {
		return refusal, true
	}
	return postgresFailure(err)
}

// millis is how a time is stored; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the reverse of millis.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
