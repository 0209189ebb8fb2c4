package place

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Server is a private server process over a folder of its own.
type Server struct {
	Addr    string // host and port of the API
	Metrics string // host and port of the metrics, and of profiles
	Started time.Duration

	cmd   *exec.Cmd
	ended chan error
	log   string
}

const (
	startWithin = 60 * time.Second // a directory of 100,000 people is read in 3
	stopWithin  = 20 * time.Second
)

// Serve starts a program over a folder and waits until it serves. extra are
// further environment variables, such as GOGC=50. It ends with Stop, with ctx, or
// with this program.
func Serve(ctx context.Context, program, folder string, extra ...string) (*Server, error) {
	s := &Server{ended: make(chan error, 1), log: filepath.Join(folder, "server.log")}
	var err error
	if s.Addr, s.Metrics, err = freeAddrs(); err != nil {
		return nil, err
	}
	config := filepath.Join(folder, "parley.toml")
	if err := os.WriteFile(config, s.config(folder), 0o600); err != nil {
		return nil, fmt.Errorf("writing the server's configuration: %w", err)
	}
	if err := s.start(ctx, extra, program, "serve", "--config", config); err != nil {
		return nil, err
	}
	return s, nil
}

// ServeDemo starts a program with the demo organisation in an empty folder.
func ServeDemo(ctx context.Context, program, folder string) (*Server, error) {
	s := &Server{ended: make(chan error, 1), log: filepath.Join(folder, "server.log")}
	var err error
	if s.Addr, _, err = freeAddrs(); err != nil {
		return nil, err
	}
	if err := s.start(ctx, nil, program, "serve", "--demo", "--addr", s.Addr, "--data", filepath.Join(folder, "demo")); err != nil {
		return nil, err
	}
	return s, nil
}

// config is the configuration of the private server: what a load test measures is
// what the server can do, not what it allows.
func (s *Server) config(folder string) []byte {
	return fmt.Appendf(nil, `addr = %q
data = %q

[organisation]
name = "Load Ltd"
domains = [%q]
region = "DE"

[limits]
frames_at_once = 1000000
frames_per_second = 1000000
requests_at_once = 1000000
requests_per_second = 1000000
person_requests_at_once = 1000000
person_requests_per_second = 1000000
network_requests_at_once = 1000000
network_requests_per_second = 1000000

[metrics]
listen = %q
profiles = true

[log]
level = "warn"
`, s.Addr, folder, domain, s.Metrics)
}

// freeAddrs finds two ports of this machine that nobody uses.
func freeAddrs() (first, second string, err error) {
	var addrs [2]string
	for i := range addrs {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", fmt.Errorf("looking for a free port: %w", err)
		}
		defer listener.Close()
		addrs[i] = listener.Addr().String()
	}
	return addrs[0], addrs[1], nil
}

// start starts the process and waits until it is ready.
func (s *Server) start(ctx context.Context, extra []string, program string, args ...string) error {
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the server's log: %w", err)
	}
	defer out.Close()
	s.cmd = exec.CommandContext(ctx, program, args...)
	s.cmd.Env = append(os.Environ(), extra...)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = stopWithin
	// Its own group: what a terminal sends at Ctrl-C comes to us alone, and we end it.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("starting the server: %w", err)
	}
	go func() { s.ended <- s.cmd.Wait() }()
	if err := s.ready(ctx); err != nil {
		return errors.Join(err, s.Stop())
	}
	s.Started = time.Since(began)
	return nil
}

// ready waits until the server serves.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("the server ended (%v): %s", err, s.said())
		case <-ctx.Done():
			return fmt.Errorf("the server does not serve: %w: %s", context.Cause(ctx), s.said())
		case <-every.C:
		}
		if _, err := get(ctx, "http://"+s.Addr+"/readyz"); err == nil {
			return nil
		}
	}
}

// said is the end of what the server wrote.
func (s *Server) said() []byte {
	text, _ := os.ReadFile(s.log) // what cannot be read is not told
	return bytes.TrimSpace(text[max(0, len(text)-1000):])
}

// PID is the process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Stop ends the process and waits for it.
func (s *Server) Stop() error {
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case end := <-s.ended:
		s.ended <- end
		return err
	case <-time.After(stopWithin):
		return errors.Join(err, errors.New("the server had to be killed"), s.cmd.Process.Kill())
	}
}

// Profile takes a profile of the server, such as "profile?seconds=10" or
// "heap?gc=1", and writes it to a file; to nowhere when the file is "".
func (s *Server) Profile(ctx context.Context, what, file string) error {
	return Profile(ctx, s.Metrics, what, file)
}

// Profile takes a profile of the server whose metrics are at addr.
func Profile(ctx context.Context, addr, what, file string) error {
	text, err := get(ctx, "http://"+addr+"/debug/pprof/"+what)
	if err != nil {
		return fmt.Errorf("taking a profile: %w", err)
	}
	if file == "" {
		return nil
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("writing a profile: %w", err)
	}
	return nil
}

// maxGet is the most that is read of an answer; profiles are the largest.
const maxGet = 64 << 20

func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxGet))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s", url, answer.Status)
	}
	return text, err
}
