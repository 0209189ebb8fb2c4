package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
)

func TestBackupWhileRunning(t *testing.T) {
	w := start(t, inDir(t.TempDir()))
	var entries []parley.Entry
	for n := range 500 {
		entries = append(entries, message(1, 1, n, strings.Repeat("x", 500)))
	}
	check(t, w.add(entries...))
	ctx, cancel := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	writing.Go(func() {
		for n := 500; ctx.Err() == nil; n++ {
			check(t, w.add(message(1, 1, n, "written meanwhile")))
		}
	})
	path := filepath.Join(t.TempDir(), "copy.db")
	check(t, w.Backup(t.Context(), path))
	cancel()
	writing.Wait()
	if info := must(os.Stat(path))(t); info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v", info.Mode())
	}
	if err := w.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("overwriting: %v", err)
	}
	if files := must(os.ReadDir(filepath.Dir(path)))(t); len(files) != 1 {
		t.Errorf("left beside it: %v", files)
	}

	dir := t.TempDir()
	if former := must(Restore(t.Context(), path, dir))(t); former != "" {
		t.Errorf("there was no database, yet %q was set aside", former)
	}
	r := start(t, inDir(dir))
	for i, e := range all(t, r.Retained(t.Context())) {
		if e.Pos != parley.Pos(i+1) {
			t.Fatalf("entry %d has pos %d", i+1, e.Pos)
		}
	}
	if r.Head() < 500 || r.Head() > w.Head() {
		t.Errorf("head of the copy is %d of %d", r.Head(), w.Head())
	}
}

func TestFailedBackupLeavesNothing(t *testing.T) {
	w := start(t, inDir(t.TempDir()))
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Backup(ctx, filepath.Join(dir, "copy.db")); err == nil {
		t.Error("no error")
	}
	if err := w.Backup(t.Context(), filepath.Join(dir, "missing", "copy.db")); err == nil {
		t.Error("no error for a missing directory")
	}
	if files := must(os.ReadDir(dir))(t); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
}

func TestRestore(t *testing.T) {
	dir := t.TempDir()
	w := start(t, inDir(dir))
	crowd(t, w, 1)
	d := w.signIn(t, 1, "a")
	check(t, w.add(message(1, d.ID, 1, "saved")))
	backup := filepath.Join(t.TempDir(), "copy.db")
	check(t, w.Backup(t.Context(), backup))
	check(t, w.add(message(1, d.ID, 2, canary(2, 40))))
	if _, err := Restore(t.Context(), backup, dir); !errors.Is(err, ErrInUse) {
		t.Errorf("while in use: %v", err)
	}
	epoch, key := w.Epoch(), w.SealKey()
	w.close()

	former := must(Restore(t.Context(), backup, dir))(t)
	if filepath.Dir(former) != dir || !canaries(t, dir)[2] {
		t.Errorf("the former database is %q", former)
	}
	w = start(t, inDir(dir))
	if w.Epoch() == epoch || w.SealKey() != key {
		t.Errorf("epoch %x after %x", w.Epoch(), epoch)
	}
	if w.Head() != 1 || count(t, w, "log") != 1 {
		t.Errorf("head %d", w.Head())
	}
	var action parley.AuditAction
	check(t, w.read.db.QueryRowContext(t.Context(), `SELECT action FROM audit`).Scan(&action))
	if action != parley.AuditRestored {
		t.Errorf("audited as %q", action)
	}
	check(t, w.add(message(1, d.ID, 2, "the same id again")))
	if got := w.entries()[0]; got.Pos != 2 || got.N != 2 {
		t.Errorf("next entry has pos %d and n %d", got.Pos, got.N)
	}
	w.close()
	if second := must(Restore(t.Context(), former, dir))(t); second == former {
		t.Error("two former databases have one name")
	}
	if w = start(t, inDir(dir)); w.Head() != 2 {
		t.Errorf("head of the former database is %d", w.Head())
	}
}

func TestRestoreRefuses(t *testing.T) {
	sound := start(t, inDir(t.TempDir()))
	var entries []parley.Entry
	for n := range 200 {
		entries = append(entries, message(1, 1, n, strings.Repeat("x", 300)))
	}
	check(t, sound.add(entries...))
	dir := t.TempDir()
	backup := filepath.Join(dir, "backup.db")
	check(t, sound.Backup(t.Context(), backup))
	data := must(os.ReadFile(backup))(t)

	foreign := filepath.Join(dir, "foreign.db")
	db := must(openDatabase(foreign, writerPragmas, 1))(t)
	must(db.Exec(`CREATE TABLE notes (text)`))(t)
	check(t, db.Close())
	broken := slices.Clone(data)
	for i := 8 * 4096; i < len(broken); i += 4096 {
		broken[i] = 0x77
	}
	files := map[string][]byte{
		"empty": {}, "text": []byte("this is a text and no database, however long it may be made"),
		"cut": data[:len(data)/2], "broken": broken, "foreign": must(os.ReadFile(foreign))(t),
	}
	target := filepath.Join(dir, "data")
	start(t, inDir(target)).close()
	before := must(os.ReadFile(filepath.Join(target, databaseFile)))(t)
	for name, data := range files {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, data, 0o600))
		former, err := Restore(t.Context(), path, target)
		if err == nil || former != "" {
			t.Errorf("%s was restored", name)
		}
		t.Logf("%s: %v", name, err)
	}
	if _, err := Restore(t.Context(), filepath.Join(dir, "missing"), target); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing backup: %v", err)
	}
	if !slices.Equal(must(os.ReadFile(filepath.Join(target, databaseFile)))(t), before) {
		t.Error("a refused backup changed the database")
	}
	if left := must(os.ReadDir(target))(t); len(left) != 2 {
		t.Errorf("left in the directory: %v", left)
	}
}

func TestOpenRefuses(t *testing.T) {
	open := func(dir string) error {
		s, err := Open(t.Context(), Config{Path: dir})
		if err == nil {
			s.Close()
		}
		return err
	}
	dir := t.TempDir()
	w := start(t, inDir(dir))
	if err := open(dir); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "process") {
		t.Errorf("in use: %v", err)
	}
	if info := must(os.Stat(filepath.Join(dir, databaseFile)))(t); info.Mode().Perm() != 0o600 {
		t.Errorf("the database has mode %v", info.Mode())
	}
	w.between(func(s *session) error {
		_, err := s.exec(context.Background(), `INSERT INTO schema_versions (version_id, is_applied) VALUES (999, 1)`)
		return err
	})
	w.close()
	if err := open(dir); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("newer schema: %v", err)
	}

	text := t.TempDir()
	check(t, os.WriteFile(filepath.Join(text, databaseFile), []byte(strings.Repeat("no database ", 1000)), 0o600))
	if err := open(text); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("no database: %v", err)
	}
	if err := open(filepath.Join(text, databaseFile)); err == nil {
		t.Error("a file was taken for a directory")
	}
	fresh := filepath.Join(text, "new", "data")
	check(t, open(fresh))
	if info := must(os.Stat(fresh))(t); info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v", info.Mode())
	}
}

// TestDamageIsFoundAfterCrash overwrites pages of the log in a directory that was
// not closed.
func TestDamageIsFoundAfterCrash(t *testing.T) {
	dir, crashed := t.TempDir(), t.TempDir()
	w := prepared(t, Config{Path: dir, Settle: time.Hour})
	w.run()
	var entries []parley.Entry
	for n := range 300 {
		entries = append(entries, message(1, 1, n, strings.Repeat("x", 300)))
	}
	check(t, w.add(entries...))
	must(w.checkpoint(t.Context()))(t)
	check(t, w.add(message(1, 1, 300, "in the write-ahead log")))
	for _, suffix := range []string{"", "-wal"} {
		check(t, copyFile(filepath.Join(dir, databaseFile+suffix), filepath.Join(crashed, databaseFile+suffix)))
	}
	file := must(os.OpenFile(filepath.Join(crashed, databaseFile), os.O_RDWR, 0))(t)
	size := must(file.Stat())(t).Size()
	for page := size / 4096 / 2; page < size/4096; page++ {
		must(file.WriteAt([]byte("damage"), page*4096))(t)
	}
	check(t, file.Close())
	if s, err := Open(t.Context(), Config{Path: crashed}); err == nil {
		s.Close()
		t.Error("a damaged database was opened")
	} else if !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "backup") {
		t.Errorf("damaged database: %v", err)
	}
}
