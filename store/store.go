package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"parley"
	"parley/conversation"
)

// The pool of reading connections.
const readers = 4

// Config is what a Store needs.
type Config struct {
	Path string       // the data directory; made if it is not there
	Log  *slog.Logger // nil: nothing is logged

	// Settle is how long after a change the files are tidied: what purging left
	// is wiped and the write-ahead log emptied. 0: 5 seconds. The promise of
	// conversation.Store needs it well below 30 seconds.
	Settle time.Duration
}

// Store is the database of one server: one SQLite file in one directory, which
// nobody else writes. Every method is safe for concurrent use. Changes need Run
// and return when they are durable. The errors are those of the interfaces it
// implements; beyond them a method answers *parley.Error of kind Full when the
// disk is, and of kind Unavailable while the store stops.
type Store struct {
	path    string
	log     *slog.Logger
	settle  time.Duration
	lock    *dirLock
	read    *reader
	writer  *writer
	stats   counters
	swept   uint64 // rows purged when the last sweep began; belongs to Run
	epoch   uint64
	sealKey [16]byte
	running atomic.Bool
	stopped chan struct{} // closed when Run has returned
}

// Open opens the database in a directory and makes it if there is none. It
// refuses a directory that another program has open (ErrInUse), a database of a
// newer schema and one that is damaged; after a crash it looks for damage.
func Open(ctx context.Context, c Config) (*Store, error) {
	if err := os.MkdirAll(c.Path, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	lock, err := lockDir(c.Path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: c.Path, log: c.Log, settle: c.Settle, lock: lock, stopped: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.settle == 0 {
		s.settle = 5 * time.Second
	}
	if err := s.open(ctx); err != nil {
		if errors.Is(err, errDamaged) {
			err = fmt.Errorf("%w; restore it from a backup", err)
		}
		return nil, errors.Join(fmt.Errorf("opening the database in %s: %w", c.Path, err), s.closeFiles())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	path := filepath.Join(s.path, databaseFile)
	if err := createFile(path); err != nil {
		return err
	}
	if err := syncFile(s.path); err != nil {
		return err
	}
	if err := prepare(ctx, path); err != nil {
		return err
	}
	db, err := openDatabase(path, writerPragmas, 1)
	if err != nil {
		return err
	}
	session, err := newSession(ctx, db)
	if err != nil {
		return err
	}
	s.writer = newWriter(session, s.log, &s.stats)
	if err := s.identity(ctx, session); err != nil {
		return err
	}
	if err := s.writer.alone(chainAudit{}); err != nil {
		return err
	}
	pool, err := openDatabase(path, readerPragmas, readers)
	if err != nil {
		return err
	}
	s.read = newReader(pool)
	return nil
}

// prepare brings the database at path up to date, and looks for damage if the
// last program did not close it.
func prepare(ctx context.Context, path string) (err error) {
	wal, statErr := os.Stat(path + "-wal")
	unclean := statErr == nil && wal.Size() > 0
	db, err := openDatabase(path, writerPragmas, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrate(ctx, db); err != nil {
		return err
	}
	if unclean {
		return quickCheck(ctx, db)
	}
	return nil
}

// identity reads what the database is, and makes it up in a new one.
func (s *Store) identity(ctx context.Context, session *session) error {
	const insert = `
INSERT INTO meta (id, epoch, seal_key, created) VALUES (1, $1, $2, $3) ON CONFLICT (id) DO NOTHING`
	key := make([]byte, 16)
	rand.Read(key)
	if _, err := session.exec(ctx, insert, newEpoch(), key, time.Now().UnixMilli()); err != nil {
		return fmt.Errorf("naming the database: %w", err)
	}
	const read = `
SELECT epoch, seal_key, coalesce((SELECT max(pos) FROM log), 0), head FROM meta WHERE id = 1`
	var epoch, top, head int64
	if err := session.queryRow(ctx, read).Scan(&epoch, &key, &top, &head); err != nil {
		return fmt.Errorf("reading the database's name: %w", damaged(err))
	}
	s.epoch = uint64(epoch)
	copy(s.sealKey[:], key)
	s.writer.head.Store(max(top, head))
	return nil
}

// newEpoch makes the name of an incarnation of the log.
func newEpoch() int64 {
	var b [8]byte
	rand.Read(b[:])
	return int64(binary.LittleEndian.Uint64(b[:]))
}

// Epoch is the log's incarnation: random, made with the database and anew by
// every restore.
func (s *Store) Epoch() uint64 { return s.epoch }

// SealKey is a random key made with the database, for sealing what leaves the
// server and comes back, such as cursors.
func (s *Store) SealKey() [16]byte { return s.sealKey }

// Head is the position of the newest committed entry; 0: there was none yet.
func (s *Store) Head() parley.Pos { return parley.Pos(s.writer.head.Load()) }

// OnCommit implements conversation.Store.
func (s *Store) OnCommit(told func([]parley.Entry)) { s.writer.committed = told }

// OnAdmit implements conversation.Store.
func (s *Store) OnAdmit(ask func(*parley.Entry) error) { s.writer.admit = ask }

// Run commits changes until ctx ends. Then it takes no more, makes what is
// queued durable, empties the write-ahead log, and returns. It runs once.
func (s *Store) Run(ctx context.Context) error {
	if !s.running.CompareAndSwap(false, true) {
		return errors.New("store: Run was called twice")
	}
	defer close(s.stopped)
	return s.run(ctx)
}

// Close lets go of the files. Call it when Run has returned, or without Run.
// What was never committed is gone.
func (s *Store) Close() error {
	if s.running.Load() {
		<-s.stopped
	}
	return s.closeFiles()
}

func (s *Store) closeFiles() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.session.close())
	}
	errs = append(errs, s.lock.release())
	return errors.Join(errs...)
}

var _ conversation.Store = (*Store)(nil)
