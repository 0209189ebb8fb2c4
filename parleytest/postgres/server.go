//go:build unix

// Package postgres gives tests databases of a PostgreSQL server that is theirs
// alone: started by the first test of a process that wants one, and gone with the
// process, however that ends.
//
// It decides nothing about what is in a database, and it never touches a server
// that it did not start.
package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// errNotInstalled says that there is no PostgreSQL on this machine.
var errNotInstalled = errors.New("PostgreSQL is not installed; on Debian: apt-get install postgresql")

// startTime is how long a server may take to answer.
const startTime = 30 * time.Second

// maxConnections is how many connections a server takes.
const maxConnections = 200

// fast leaves out what only a power cut would miss.
var fast = []string{"fsync=off", "full_page_writes=off"}

var (
	quick   = sync.OnceValues(func() (*server, error) { return start(fast) })
	durable = sync.OnceValues(func() (*server, error) { return start(nil) })
)

// server is a running PostgreSQL. It serves the loopback address only, by a
// password that was made for it.
type server struct {
	port     int
	password string

	mu        sync.Mutex // one database is made at a time
	made      int
	templates map[string]error // those that were prepared, and how that ended
}

// Database gives a test an empty database, which is dropped after it. The server
// does not sync files. Without PostgreSQL on the machine the test is skipped.
func Database(t testing.TB) (url string) {
	t.Helper()
	return running(t, quick).database(t, "template0")
}

// Durable is Database with files synced at every commit, as in production.
func Durable(t testing.TB) (url string) {
	t.Helper()
	return running(t, durable).database(t, "template0")
}

// Copy gives a test a database with what prepare has put into a first one of that
// name. prepare runs once in a process, and must have closed its connections when
// it returns.
func Copy(t testing.TB, name string, prepare func(url string) error) (url string) {
	t.Helper()
	s := running(t, quick)
	if err := s.template(name, prepare); err != nil {
		t.Fatalf("preparing database %s: %v", name, err)
	}
	return s.database(t, name)
}

func running(t testing.TB, get func() (*server, error)) *server {
	t.Helper()
	s, err := get()
	if errors.Is(err, errNotInstalled) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("starting PostgreSQL: %v", err)
	}
	return s
}

// database makes a database from a template and drops it after the test.
func (s *server) database(t testing.TB, template string) string {
	t.Helper()
	s.mu.Lock()
	s.made++
	name := "test" + strconv.Itoa(s.made)
	s.mu.Unlock()
	if err := s.create(name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.command("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("dropping a database: %v", err)
		}
	})
	return s.url(name)
}

func (s *server) template(name string, prepare func(url string) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err, known := s.templates[name]
	if !known {
		if err = s.createLocked(name, "template0"); err == nil {
			err = prepare(s.url(name))
		}
		s.templates[name] = err
	}
	return err
}

func (s *server) create(name, template string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.createLocked(name, template)
}

func (s *server) createLocked(name, template string) error {
	err := s.command("CREATE DATABASE " + pgx.Identifier{name}.Sanitize() + " TEMPLATE " + pgx.Identifier{template}.Sanitize())
	if err != nil {
		return fmt.Errorf("creating a database: %w", err)
	}
	return nil
}

// command runs a statement about the server as a whole.
func (s *server) command(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, text)
	return errors.Join(err, conn.Close(ctx))
}

func (s *server) url(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("parley", s.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// start makes a cluster and runs a server on it. Another program may take the
// port first.
func start(settings []string) (s *server, err error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	for range 3 {
		if s, err = attempt(bin, as, settings); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func attempt(bin string, as *syscall.Credential, settings []string) (_ *server, err error) {
	dir, err := os.MkdirTemp("", "parley-postgres-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return nil, err
		}
	}
	s := &server{password: rand.Text(), templates: map[string]error{}}
	if err := initialise(bin, dir, s.password, as); err != nil {
		return nil, err
	}
	return s, s.serve(bin, dir, as, settings)
}

// initialise makes the cluster in dir/data.
func initialise(bin, dir, password string, as *syscall.Credential) error {
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(password), 0o600); err != nil {
		return err
	}
	if as != nil {
		if err := os.Chown(secret, int(as.Uid), int(as.Gid)); err != nil {
			return err
		}
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata="+filepath.Join(dir, "data"), "--username=parley",
		"--pwfile="+secret, "--auth=md5", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// watch runs a server until it ends or its standard input is closed: that is a
// pipe to this process, which the system closes whatever becomes of it. Then
// nothing is left, the folder included.
const watch = `
dir=$1; shift
exec 3<&0
"$@" >"$dir/log" 2>&1 3<&- &
server=$!
(read -r ignored <&3; kill -QUIT $server; while kill -0 $server; do sleep 0.05; done; rm -rf "$dir") 2>/dev/null &
wait $server
`

// serve starts the server and waits until it answers.
func (s *server) serve(bin, dir string, as *syscall.Credential, settings []string) error {
	var err error
	if s.port, err = freePort(); err != nil {
		return err
	}
	args := []string{"-c", watch, "watch", dir, filepath.Join(bin, "postgres"), "-D", filepath.Join(dir, "data"),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "port=" + strconv.Itoa(s.port),
		"-c", "max_connections=" + strconv.Itoa(maxConnections), "-c", "shared_buffers=32MB", "-c", "jit=off",
	}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	watcher := exec.Command("/bin/sh", args...)
	watcher.Dir = dir
	watcher.Stdin = read
	// In a group of its own: what a terminal sends to the tests is not for it.
	watcher.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true}
	err = watcher.Start()
	read.Close()
	if err != nil {
		return errors.Join(err, write.Close())
	}
	ended := make(chan error, 1)
	go func() {
		ended <- watcher.Wait()
		write.Close() // open until here: the server's life hangs on it
	}()
	if err := s.answers(ended); err != nil {
		text, _ := os.ReadFile(filepath.Join(dir, "log"))
		return errors.Join(fmt.Errorf("%w\n%s", err, bytes.TrimSpace(text)), syscall.Kill(-watcher.Process.Pid, syscall.SIGKILL))
	}
	return nil
}

// answers waits until the server takes connections, or has ended.
func (s *server) answers(ended <-chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ended:
			return errors.New("the server ended at once")
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-tick.C:
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// binaries finds the folder of the newest PostgreSQL. Debian keeps the programs of
// each version apart and out of PATH.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4])
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if len(found) > 0 {
		return filepath.Dir(found[0]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errNotInstalled
}

// unprivileged is who runs the server: PostgreSQL refuses to run as root. nil:
// whoever runs the tests.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("finding a user for the server, which must not be root: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
