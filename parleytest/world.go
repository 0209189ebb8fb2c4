// Package parleytest runs the real server in process, or in a process of its own,
// and drives it with real clients of the wire.
//
// Tests alone import it. It takes no short cut into the server: what a device
// knows, it was told over HTTP or the socket.
package parleytest

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"

	"parley"
	"parley/edge/webapi"
	"parley/server"
	"parley/server/demo"
)

// World is the server with the demo organisation and the people in front of
// their devices. In the setting of two nodes it is two servers over one
// PostgreSQL database, and devices sign in on one and the other in turn.
type World struct {
	testing.TB
	Server *server.Server // the first node
	Base   string         // of the first node
	Data   string         // its data folder
	Log    *lockedBuffer  // of all nodes

	nodes  []*node
	turn   int // whose turn it is to get a device
	change func(*server.Config)
}

// node is one server of a World.
type node struct {
	server *server.Server
	base   string
	setup  func(c *server.Config) // what makes it this node
	cancel context.CancelFunc
	ended  chan error
}

// settingVariable chooses the setting of the tests that do not choose themselves:
// "nodes" is two nodes over PostgreSQL, everything else one node over SQLite.
const settingVariable = "PARLEY_SETTING"

// TwoNodes reports whether tests run in the setting of two nodes.
func TwoNodes() bool { return os.Getenv(settingVariable) == "nodes" }

// Start starts a server over fresh data, in the setting that the tests run in.
// Each change may alter its configuration.
func Start(t testing.TB, change ...func(*server.Config)) *World {
	t.Helper()
	if TwoNodes() {
		return startNodes(t, 2, change)
	}
	return startAlone(t, change)
}

// StartAlone starts one node over SQLite whatever the setting, for tests of what
// only that has: files, backups, a folder that a stopped server leaves. In the
// setting of two nodes such a test is passed over: it ran in the other one.
func StartAlone(t testing.TB, change ...func(*server.Config)) *World {
	t.Helper()
	if TwoNodes() {
		t.Skip("is about one node over SQLite")
	}
	return startAlone(t, change)
}

func startAlone(t testing.TB, change []func(*server.Config)) *World {
	t.Helper()
	data := t.TempDir()
	if newWorld(t, change).configured(data).Demo {
		fillDemo(t, data)
	}
	return StartOver(t, data, change...)
}

// StartOver starts one node over the SQLite database of a folder, whatever the
// setting.
func StartOver(t testing.TB, data string, change ...func(*server.Config)) *World {
	t.Helper()
	w := newWorld(t, change)
	w.nodes = []*node{{setup: func(c *server.Config) { c.Data = data }}}
	w.Data = data
	return w.begin()
}

// StartNodesOver starts two nodes over a PostgreSQL database, whatever the setting.
func StartNodesOver(t testing.TB, database string, change ...func(*server.Config)) *World {
	t.Helper()
	w := newWorld(t, change)
	return w.over(setups(t, 2, database, w.configured(t.TempDir()).Demo))
}

func newWorld(t testing.TB, change []func(*server.Config)) *World {
	return &World{TB: t, Log: &lockedBuffer{}, change: func(c *server.Config) {
		for _, f := range change {
			f(c)
		}
	}}
}

// begin starts the nodes. They stop before the folders and databases go that were
// made for them until now.
func (w *World) begin() *World {
	w.Helper()
	w.Cleanup(w.Stop)
	w.Run("127.0.0.1:0")
	return w
}

// configure is the configuration that the tests share.
func configure(data, addr string) server.Config {
	c := server.DefaultConfig()
	c.Demo, c.Data, c.Addr = true, data, addr
	const plenty = 1_000_000
	c.Limits.FramesAtOnce, c.Limits.FramesPerSecond = plenty, plenty
	c.Limits.RequestsAtOnce, c.Limits.RequestsPerSecond = plenty, plenty
	c.Limits.PersonRequestsAtOnce, c.Limits.PersonRequestsPerSecond = plenty, plenty
	c.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return c
}

func (w *World) configured(data string) server.Config {
	c := configure(data, "127.0.0.1:0")
	w.change(&c)
	return c
}

// Run starts the server after Stop; Start does it the first time. The first node
// listens at the address, the others where they did.
func (w *World) Run(addr string) {
	w.Helper()
	for i, n := range w.nodes {
		at := addr
		if i > 0 {
			at = cmp.Or(n.addr(), "127.0.0.1:0")
		}
		n.run(w, at)
	}
	w.Server, w.Base = w.nodes[0].server, w.nodes[0].base
	w.meet()
}

func (n *node) addr() string { return strings.TrimPrefix(n.base, "http://") }

func (n *node) run(w *World, addr string) {
	w.Helper()
	s, err := server.New(w.configFor(n, addr))
	if err != nil {
		w.Fatalf("making the server: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.server, n.cancel, n.ended = s, cancel, make(chan error, 1)
	n.base = "http://" + s.Addr()
	go func() { n.ended <- s.Run(ctx) }()
}

// config is that of the first node.
func (w *World) config(addr string) server.Config { return w.configFor(w.nodes[0], addr) }

func (w *World) configFor(n *node, addr string) server.Config {
	c := configure("", addr)
	n.setup(&c)
	c.Logger = slog.New(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.change(&c)
	return c
}

// Stop stops the server and waits for it.
func (w *World) Stop() {
	w.Helper()
	for _, n := range w.nodes {
		if n.cancel != nil {
			n.cancel()
		}
	}
	for _, n := range w.nodes {
		if n.cancel == nil {
			continue
		}
		if err := <-n.ended; err != nil {
			w.Errorf("the server ended with: %v", err)
		}
		n.cancel = nil
	}
}

// Restart stops the server and starts it again at the same address.
func (w *World) Restart() {
	w.Helper()
	addr := w.Server.Addr()
	w.Stop()
	w.Run(addr)
}

// next is the base URL of the node whose turn it is.
func (w *World) next() string {
	n := w.nodes[w.turn%len(w.nodes)]
	w.turn++
	return n.base
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
	return SignIn(w.TB, w.next(), demoSignIn(alias)).Online()
}

// SignIn signs in as the request says, on a device that is not connected yet.
func (w *World) SignIn(alias string, change func(*webapi.SignInRequest)) (*Device, error) {
	request := demoSignIn(alias)
	if change != nil {
		change(&request)
	}
	return TrySignIn(w.TB, w.next(), request)
}

// Logged reports whether the server's own log holds a text.
func (w *World) Logged(text string) bool {
	return bytes.Contains([]byte(w.Log.String()), []byte(text))
}
