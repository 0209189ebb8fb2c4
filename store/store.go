package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/conversation"
)

// Config is what a Store needs.
type Config struct {
	Path string       // the data directory of this node; made if it is not there
	Log  *slog.Logger // nil: nothing is logged

	// URL is the PostgreSQL database that this node shares with others,
	// "postgres://user:password@host/name?sslmode=verify-full". Empty: SQLite in
	// Path, for one node.
	URL string

	// Dial and Lookup make the connections to PostgreSQL. nil: the system's.
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	Lookup func(ctx context.Context, host string) (addrs []string, err error)

	// Committed is called after every commit of this node that other nodes have to
	// know of, so that they can be woken. It runs on the writer's goroutine and
	// must not block. nil: nobody is told, and they look by themselves.
	Committed func()

	// Settle is how long after a change the files are tidied: what purging left
	// is wiped and the write-ahead log emptied. 0: 5 seconds. The promise of
	// conversation.Store needs it well below 30 seconds.
	Settle time.Duration
}

// Store is the database of one node: one SQLite file in one directory, which
// nobody else writes, or a PostgreSQL database that other nodes write, too. Every
// method is safe for concurrent use. Changes need Run and return when they are
// durable. The errors are those of the interfaces it implements; beyond them a
// method answers *parley.Error of kind Full when the disk is, and of kind
// Unavailable while the store stops and while the database is out of reach.
type Store struct {
	path    string
	log     *slog.Logger
	settle  time.Duration
	lock    *dirLock
	engine  engine
	read    *reader
	writer  *writer
	stats   counters
	claim   *claim // nil: none; belongs to Run when it runs
	swept   uint64 // rows purged when the last sweep began; belongs to Run
	epoch   uint64
	sealKey [16]byte
	running atomic.Bool
	stopped chan struct{} // closed when Run has returned
}

// Open opens the database and makes it if there is none. It refuses a directory
// that another program has open (ErrInUse), a database of a newer schema and one
// that is damaged; after a crash it looks for damage.
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
	where := "in " + c.Path
	if c.URL != "" {
		where = "on a PostgreSQL server" // the address holds a password
	}
	if err := s.open(ctx, c); err != nil {
		if errors.Is(err, errDamaged) {
			err = fmt.Errorf("%w; restore it from a backup", err)
		}
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", where, err), s.closeFiles())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, c Config) error {
	s.engine = &sqliteEngine{path: filepath.Join(c.Path, databaseFile)}
	if c.URL != "" {
		shared, err := newPostgres(c)
		if err != nil {
			return err
		}
		s.engine = shared
	}
	if err := s.engine.prepare(ctx); err != nil {
		return err
	}
	session, err := s.engine.connect(ctx)
	if err != nil {
		return err
	}
	s.writer = newWriter(s.engine, session, s.log, &s.stats)
	if c.Committed != nil {
		s.writer.wakeOthers = c.Committed
	}
	if err := s.identity(ctx, session); err != nil {
		return err
	}
	top, err := s.engine.top(ctx, session)
	if err != nil {
		return fmt.Errorf("reading the end of the log: %w", err)
	}
	s.writer.reached(top)
	if err := s.writer.alone(chainAudit{}); err != nil {
		return err
	}
	pool, err := s.engine.pool()
	if err != nil {
		return err
	}
	s.read = newReader(s.engine, pool)
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
	var epoch int64
	if err := session.queryRow(ctx, `SELECT epoch, seal_key FROM meta WHERE id = 1`).Scan(&epoch, &key); err != nil {
		return fmt.Errorf("reading the database's name: %w", err)
	}
	s.epoch = uint64(epoch)
	copy(s.sealKey[:], key)
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

// Head implements conversation.Store.
func (s *Store) Head() parley.Pos { return parley.Pos(s.writer.head.Load()) }

// OnCommit implements conversation.Store.
func (s *Store) OnCommit(told func([]parley.Entry)) { s.writer.committed = told }

// OnAdmit implements conversation.Store.
func (s *Store) OnAdmit(ask func(*parley.Entry) error) { s.writer.admit = ask }

// OnChanges sets the function that is told of what other nodes changed, in order:
// before any entry of the same commit or a later one, and before this node's own
// entries of later commits are admitted. It runs on the writer's goroutine, may
// read from the Store, and must not wait for a change of its own. When it fails,
// nothing later is told and nothing committed; it is told the same again. What the
// node itself changed it is told only if it could not know whether the commit had
// succeeded. Call it once, before the store runs.
func (s *Store) OnChanges(told func([]parley.Event) error) { s.writer.changed = told }

// Wake says that another node has committed something. It does not block.
func (s *Store) Wake() { s.writer.look() }

// Failing reports whether the last attempt to reach the database or to commit has
// failed, and since when all of them have.
func (s *Store) Failing() (since time.Time, failing bool) { return s.writer.reach.failing() }

// CatchUp implements conversation.Store.
func (s *Store) CatchUp(ctx context.Context) error {
	if !s.engine.shared() {
		return nil // one node is always up to date
	}
	return s.writer.between(ctx, func(*session) error { return s.writer.tail() })
}

// Run commits changes until ctx ends. Then it takes no more, makes what is
// queued durable, looks after the files once more, and returns. It runs once. It
// returns an error before that when the node has missed so much of what others
// changed that only a new start can make up for it.
func (s *Store) Run(ctx context.Context) error {
	if !s.running.CompareAndSwap(false, true) {
		return errors.New("store: Run was called twice")
	}
	defer close(s.stopped)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { s.engine.keep(ctx, s) })
	err := s.writer.run(ctx)
	cancel()
	running.Wait()
	return errors.Join(err, s.engine.finish(s))
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
		errs = append(errs, s.writer.disconnect())
	}
	errs = append(errs, s.claim.drop(), s.lock.release())
	return errors.Join(errs...)
}

var _ conversation.Store = (*Store)(nil)
