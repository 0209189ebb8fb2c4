package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"parley/egress"
)

// Control gives the operations of the command line: through the control socket of
// the server that runs over the data folder, or, when none does, over the data
// folder itself. One process alone ever writes to it.
type Control struct {
	client http.Client
	close  func() error
}

// OpenControl reaches the server that runs over c.Data. When none does it opens
// the folder for itself, for which the whole configuration has to be valid:
// configure is then called to get it.
func OpenControl(ctx context.Context, data string, configure func() (Config, error)) (*Control, error) {
	path := filepath.Join(data, controlSocket)
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}
		return newControl(dial, func() error { return nil }), nil
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("reaching the server: %w", err)
	}
	if _, err := os.Stat(data); err != nil {
		return nil, fmt.Errorf("the data folder: %w", err)
	}
	c, err := configure()
	if err != nil {
		return nil, err
	}
	return openAlone(ctx, c)
}

func newControl(dial func(ctx context.Context, network, addr string) (net.Conn, error), close func() error) *Control {
	return &Control{client: http.Client{Transport: &http.Transport{DialContext: dial}}, close: close}
}

// openAlone runs the parts without any listener of the network, and talks to
// their control operations in memory.
func openAlone(ctx context.Context, c Config) (*Control, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Cluster = ClusterConfig{} // the other nodes look at the database now and then
	p, err := assemble(ctx, &c, egress.New(c.Outside), toVisit)
	if err != nil {
		return nil, err
	}
	listener := newMemoryListener()
	nothing := egress.New(egress.Config{}) // that no server has done
	handler := (&control{
		parts: p, base: func() string { return c.baseURL(memoryAddr(c.Addr)) }, ledger: nothing.Stats, log: c.Logger,
	}).handler()
	stack := append(p.layers(), []task{{"control", func(ctx context.Context) error { return serveControl(ctx, listener, handler) }}})

	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() {
		ended <- stack.run(ctx, stopTime, func(context.Context, int) error { return nil }, p.close)
	}()
	return newControl(listener.dial, func() error {
		cancel()
		return <-ended
	}), nil
}

// Close ends the conversation, and closes the data folder if it was opened here.
func (c *Control) Close() error {
	c.client.CloseIdleConnections()
	return c.close()
}

// ImportPeople takes an LDIF export over. report, which may be nil, is told every
// problem in words and the counts from time to time. A record with a problem is
// left out and does not end the import.
func (c *Control) ImportPeople(ctx context.Context, export io.Reader, o ImportOptions, report func(problem string, so *ImportCount)) (ImportCount, error) {
	query := url.Values{"complete": {strconv.FormatBool(o.Complete)}, "domain": {o.Domain}}
	answer, err := c.do(ctx, "POST", "/people/import?"+query.Encode(), io.NopCloser(export))
	if err != nil {
		return ImportCount{}, err
	}
	defer answer.Close()
	lines := json.NewDecoder(answer)
	for {
		var line importLine
		if err := lines.Decode(&line); err != nil {
			return ImportCount{}, fmt.Errorf("the server stopped answering: %w", err)
		}
		switch {
		case line.Done != nil:
			return *line.Done, nil
		case line.Failed != "":
			return ImportCount{}, errors.New(line.Failed)
		case report != nil:
			report(line.Problem, line.Progress)
		}
	}
}

// People lists everybody, or only those who asked for a new password.
func (c *Control) People(ctx context.Context, requests bool) ([]Listed, error) {
	var list []Listed
	return list, c.ask(ctx, "GET", "/people?requests="+strconv.FormatBool(requests), nil, &list)
}

// SetPassword gives a person a password and signs their devices out.
func (c *Control) SetPassword(ctx context.Context, address, password string) error {
	return c.ask(ctx, "POST", "/people/password", personRequest{address, password}, nil)
}

// Disable bars a person from signing in and signs their devices out.
func (c *Control) Disable(ctx context.Context, address string) error {
	return c.ask(ctx, "POST", "/people/disable", personRequest{Address: address}, nil)
}

// Enable lifts what Disable did.
func (c *Control) Enable(ctx context.Context, address string) error {
	return c.ask(ctx, "POST", "/people/enable", personRequest{Address: address}, nil)
}

// Invite makes a link by which a person chooses a password, once.
func (c *Control) Invite(ctx context.Context, address string) (Invited, error) {
	var invited Invited
	return invited, c.ask(ctx, "POST", "/people/invite", personRequest{Address: address}, &invited)
}

// Backup writes a copy of the database, as it was at one moment, to w.
func (c *Control) Backup(ctx context.Context, w io.Writer) error {
	answer, err := c.do(ctx, "GET", "/backup", nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	if _, err := io.Copy(w, answer); err != nil {
		return fmt.Errorf("fetching the backup: %w", err)
	}
	return nil
}

// ask sends a JSON request and reads a JSON answer.
func (c *Control) ask(ctx context.Context, method, path string, request, result any) error {
	var body io.Reader
	if request != nil {
		text, err := json.Marshal(request)
		if err != nil {
			return fmt.Errorf("asking the server: %w", err)
		}
		body = bytes.NewReader(text)
	}
	answer, err := c.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	if result == nil {
		return nil
	}
	if err := json.NewDecoder(answer).Decode(result); err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	return nil
}

func (c *Control) do(ctx context.Context, method, path string, body io.Reader) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://parley"+path, body)
	if err != nil {
		return nil, fmt.Errorf("asking the server: %w", err)
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking the server: %w", err)
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	var refusal controlRefusal
	if err := json.NewDecoder(answer.Body).Decode(&refusal); err != nil || refusal.Error == "" {
		return nil, fmt.Errorf("the server answered %s", answer.Status)
	}
	return nil, errors.New(refusal.Error)
}

// memoryListener connects a client and a server in one process.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

type memoryAddr string

func (a memoryAddr) Network() string { return "memory" }
func (a memoryAddr) String() string  { return string(a) }

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *memoryListener) Addr() net.Addr { return memoryAddr("control") }

func (l *memoryListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
