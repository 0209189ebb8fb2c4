// Package parleytest runs the real server in process, or in a process of its own,
// and drives it with real clients of the wire.
//
// Tests alone import it. It takes no short cut into the server: what a device
// knows, it was told over HTTP or the socket.
package parleytest

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"testing"

	"parley"
	"parley/edge/webapi"
	"parley/server"
	"parley/server/demo"
)

// World is a server with the demo organisation and the people in front of their
// devices.
type World struct {
	testing.TB
	Server *server.Server
	Base   string
	Data   string
	Log    *lockedBuffer

	cancel context.CancelFunc
	ended  chan error
	change func(*server.Config)
}

// Start starts a server over a fresh folder. Each change may alter its
// configuration.
func Start(t testing.TB, change ...func(*server.Config)) *World {
	t.Helper()
	w := &World{TB: t, Data: t.TempDir(), Log: &lockedBuffer{}}
	if c := configured(w.Data, change); c.Demo {
		fillDemo(t, c.Data)
	}
	w.change = func(c *server.Config) {
		for _, f := range change {
			f(c)
		}
	}
	w.Run("127.0.0.1:0")
	t.Cleanup(w.Stop)
	return w
}

// configure is the configuration that the tests share.
func configure(data, addr string) server.Config {
	c := server.DefaultConfig()
	c.Demo, c.Data, c.Addr = true, data, addr
	c.Limits.FramesAtOnce, c.Limits.FramesPerSecond = 1_000_000, 1_000_000
	c.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return c
}

func configured(data string, change []func(*server.Config)) server.Config {
	c := configure(data, "127.0.0.1:0")
	for _, f := range change {
		f(&c)
	}
	return c
}

// Run starts the server at an address; Start does it the first time.
func (w *World) Run(addr string) {
	w.Helper()
	s, err := server.New(w.config(addr))
	if err != nil {
		w.Fatalf("making the server: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.Server, w.cancel, w.ended = s, cancel, make(chan error, 1)
	go func() { w.ended <- s.Run(ctx) }()
	w.Base = "http://" + s.Addr()
}

func (w *World) config(addr string) server.Config {
	c := configure(w.Data, addr)
	c.Logger = slog.New(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.change(&c)
	return c
}

// Stop stops the server and waits for it.
func (w *World) Stop() {
	w.Helper()
	if w.cancel == nil {
		return
	}
	w.cancel()
	if err := <-w.ended; err != nil {
		w.Errorf("the server ended with: %v", err)
	}
	w.cancel = nil
}

// Restart stops the server and starts it again at the same address.
func (w *World) Restart() {
	w.Helper()
	addr := w.Server.Addr()
	w.Stop()
	w.Run(addr)
}

func demoSignIn(alias string) webapi.SignInRequest {
	return webapi.SignInRequest{
		Address: alias + "@" + demo.Domain, Password: demo.Password,
		DeviceName: alias + "'s phone", DeviceClass: parley.Mobile.String(), TimeZone: "Europe/Berlin",
	}
}

// As signs somebody of the demo organisation in on a new phone, connected.
func (w *World) As(alias string) *Device {
	w.Helper()
	return SignIn(w.TB, w.Base, demoSignIn(alias)).Online()
}

// SignIn signs in as the request says, on a device that is not connected yet.
func (w *World) SignIn(alias string, change func(*webapi.SignInRequest)) (*Device, error) {
	request := demoSignIn(alias)
	if change != nil {
		change(&request)
	}
	return TrySignIn(w.TB, w.Base, request)
}

// Logged reports whether the server's own log holds a text.
func (w *World) Logged(text string) bool {
	return bytes.Contains([]byte(w.Log.String()), []byte(text))
}
