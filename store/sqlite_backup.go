package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Backup writes a complete copy of the database to a new file while the store
// runs, and returns when it is durable. It refuses to overwrite (fs.ErrExist). The
// copy is as secret as the database: it holds what was not delivered yet, and it
// keeps that after the server has purged it. A database of several nodes it leaves
// to PostgreSQL's own programs (ErrShared).
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if s.engine.shared() {
		return ErrShared
	}
	// The empty file keeps the name for us until the copy is complete.
	if err := reserve(path); err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	temporary := path + ".part"
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path), removeDatabase(temporary))
		}
	}()
	if err := reserve(temporary); err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	db, err := openDatabase(filepath.Join(s.path, databaseFile), copyPragmas, 1)
	if err != nil {
		return err
	}
	err = errors.Join(copyInto(ctx, db, temporary), db.Close())
	if err != nil {
		return err
	}
	if err := syncFile(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	return syncFile(filepath.Dir(path))
}

// reserve makes an empty file that only its owner may read, and refuses if
// there is one.
func reserve(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// Restore makes a copy of a backup the database of the data directory dir, with
// a new epoch, so that every device syncs from the start. It refuses a file that
// is no Parley database or is damaged, and a directory that is in use (ErrInUse).
// The former database stays in the directory under a dated name, whose path it
// returns; "" when there was none.
func Restore(ctx context.Context, backup, dir string) (former string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the data directory: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	restored := filepath.Join(dir, databaseFile+".restoring")
	defer removeDatabase(restored)
	if err := removeDatabase(restored); err != nil {
		return "", fmt.Errorf("clearing a former attempt: %w", err)
	}
	if err := copyFile(backup, restored); err != nil {
		return "", fmt.Errorf("copying the backup: %w", err)
	}
	if err := renew(ctx, restored); err != nil {
		return "", fmt.Errorf("restoring %s: %w", backup, err)
	}
	if former, err = setAside(dir, time.Now()); err != nil {
		return "", err
	}
	if err := os.Rename(restored, filepath.Join(dir, databaseFile)); err != nil {
		return former, fmt.Errorf("putting the database in place: %w", err)
	}
	return former, syncFile(dir)
}

// renew checks a copy of a backup, brings it up to date and gives it a new epoch.
func renew(ctx context.Context, path string) error {
	e := &sqliteEngine{path}
	err := e.withSession(ctx, func(s *session) error {
		if err := marked(ctx, s); err != nil {
			return err
		}
		return fullCheck(ctx, s)
	})
	if err != nil {
		return err
	}
	if err := e.prepare(ctx); err != nil {
		return err
	}
	return e.withSession(ctx, func(s *session) error { return renewEpoch(ctx, e, s) })
}

// withSession opens the database for as long as do takes.
func (e *sqliteEngine) withSession(ctx context.Context, do func(*session) error) (err error) {
	session, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.close()) }()
	return do(session)
}

// setAside renames the database of a directory, with the files that belong to
// it.
func setAside(dir string, now time.Time) (string, error) {
	path := filepath.Join(dir, databaseFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	former := filepath.Join(dir, "parley-before-"+now.UTC().Format("20060102T150405.000Z")+".db")
	// The log goes first: a database whose log is gone is still whole, as of the
	// last checkpoint, and the next attempt finds it under its own name.
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(path+suffix, former+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("setting the former database aside: %w", err)
		}
	}
	return former, nil
}

// removeDatabase removes a database with the files that belong to it.
func removeDatabase(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// copyFile copies a file to a new one that only its owner may read.
func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	return target.Sync()
}

// syncFile makes what was written to a file or directory durable.
func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("syncing: %w", err)
	}
	return errors.Join(file.Sync(), file.Close())
}
