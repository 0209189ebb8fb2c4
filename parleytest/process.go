package parleytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/server"
)

// serveVariable makes a test binary be the server instead of running tests.
const serveVariable = "PARLEYTEST_SERVE"

// Main is for TestMain of a package that starts servers as processes of their
// own: in such a process it serves until it is told to stop, and does not return.
// Else it runs the tests.
func Main(m *testing.M) {
	if addr := os.Getenv(serveVariable); addr != "" {
		if err := serve(addr, os.Getenv(serveVariable+"_NODE")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	removeDemoFolder()
	os.Exit(code)
}

func serve(addr, node string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var is setup
	if err := json.Unmarshal([]byte(node), &is); err != nil {
		return fmt.Errorf("reading what this node is: %w", err)
	}
	c := configure("", addr)
	is.apply(&c)
	s, err := server.New(c)
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// Process is the server in a process of its own, which a test may kill in the
// middle of whatever it does.
type Process struct {
	t    testing.TB
	Base string
	Data string
	addr string
	is   setup
	cmd  *exec.Cmd
	log  *lockedBuffer
}

// lockedBuffer takes the output of a process.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// StartProcess starts a server with the demo organisation over a fresh folder and
// waits until it serves.
func StartProcess(t testing.TB) *Process {
	t.Helper()
	return StartProcessIn(t, t.TempDir())
}

// StartProcessIn is StartProcess over an empty folder of the test's choice.
func StartProcessIn(t testing.TB, data string) *Process {
	t.Helper()
	fillDemo(t, data)
	p := newProcess(t, setup{Data: data})
	p.Start()
	return p
}

// StartFollowing starts a server that follows the corporate directory at a URL,
// read anonymously, over a fresh folder, and waits until it serves.
func StartFollowing(t testing.TB, url, ca, domain string) *Process {
	t.Helper()
	p := newProcess(t, setup{Data: t.TempDir(), Directory: url, CA: ca, Domain: domain})
	p.Start()
	return p
}

// newProcess prepares a process that ends with the test.
func newProcess(t testing.TB, is setup) *Process {
	t.Helper()
	addr := freeAddress(t)
	p := &Process{t: t, Base: "http://" + addr, Data: is.Data, addr: addr, is: is, log: &lockedBuffer{}}
	t.Cleanup(func() {
		if !t.Failed() {
			p.Kill()
			return
		}
		p.end(syscall.SIGQUIT) // tells what every goroutine does
		t.Logf("the server's log:\n%s", p.Log())
	})
	return p
}

// Start starts the process again over the same folder and address, and waits
// until it serves.
func (p *Process) Start() {
	p.t.Helper()
	p.Launch()
	p.Ready()
}

// Launch starts the process without waiting.
func (p *Process) Launch() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), serveVariable+"="+p.addr, p.is.variable())
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatalf("starting the server: %v", err)
	}
}

// Ready waits until the server serves.
func (p *Process) Ready() {
	p.t.Helper()
	client := http.Client{Timeout: time.Second}
	deadline := time.Now().Add(patience)
	for {
		answer, err := client.Get(p.Base + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the server does not serve (%v):\n%s", err, p.Log())
		}
		<-time.After(10 * time.Millisecond)
	}
}

// Kill ends the process as a pulled plug does: nothing of it runs any more.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Stop ends the process as an operator does.
func (p *Process) Stop() { p.end(syscall.SIGTERM) }

func (p *Process) end(signal syscall.Signal) {
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Signal(signal)
	p.cmd.Process.Signal(syscall.SIGCONT) // a frozen one hears nothing
	p.cmd.Wait()
	p.cmd = nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Control reaches the process as the command line does.
func (p *Process) Control() *server.Control {
	p.t.Helper()
	control, err := server.OpenControl(p.t.Context(), p.Data, func() (server.Config, error) {
		return server.Config{}, errors.New("the server does not run")
	})
	if err != nil {
		p.t.Fatalf("reaching the server's control: %v", err)
	}
	return control
}

// Log is what the server wrote.
func (p *Process) Log() string { return p.log.String() }

// SignIn signs somebody of the demo organisation in on a new device.
func (p *Process) SignIn(alias string) *Device {
	p.t.Helper()
	return SignIn(p.t, p.Base, demoSignIn(alias))
}
