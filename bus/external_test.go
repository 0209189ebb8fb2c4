package bus_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"parley/bus"
	"parley/parleytest"
)

// external is a NATS server that is not ours, behind a link.
type external struct {
	testing.TB
	server *server.Server
	limit  int32 // of a message, in bytes; 0: the default
	link   *parleytest.Link
	port   int
}

func newExternal(t testing.TB) *external {
	t.Helper()
	noLeaks(t)
	e := &external{TB: t, link: parleytest.NewLink(t, ""), port: server.RANDOM_PORT}
	e.run()
	t.Cleanup(func() { e.halt() })
	return e
}

func (e *external) run() {
	e.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: e.port, Username: "parley", Password: secret, NoSigs: true, NoLog: true, MaxPayload: e.limit})
	if err != nil {
		e.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		e.Fatal("NATS does not start")
	}
	e.server = s
	e.link.To(s.Addr().String())
}

func (e *external) halt() {
	e.server.Shutdown()
	e.server.WaitForShutdown()
}

func (e *external) node(name string, change ...func(*bus.Config)) *node {
	e.Helper()
	c := bus.Config{
		Node: name, URLs: []string{"nats://" + e.link.Addr()}, User: "parley", Password: secret,
		Dialer: &net.Dialer{Timeout: time.Second}, Pace: pace,
	}
	for _, f := range change {
		f(&c)
	}
	return startNode(e, c)
}

// raw is a client that says what it likes.
func (e *external) raw() *nats.Conn {
	e.Helper()
	conn, err := nats.Connect("nats://"+e.server.Addr().String(), nats.UserInfo("parley", secret))
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(conn.Close)
	return conn
}

func TestExternalCluster(t *testing.T) {
	e := newExternal(t)
	a, b := e.node("a"), e.node("b")
	a.meets("a", "b")
	b.meets("a", "b")
	a.table.Set(1, []byte("one"))
	b.sees("a", map[uint64]string{1: "one"})
	b.Tell("log", []byte("hello"))
	a.hears("b:hello")
	if a.Addr() != "" {
		t.Errorf("a node that uses an external cluster listens at %s", a.Addr())
	}

	e.link.Cut()
	b.sees("a", map[uint64]string{})
	a.table.Set(2, []byte("two"))
	a.Tell("log", []byte("lost"))
	e.link.Heal()
	b.sees("a", map[uint64]string{1: "one", 2: "two"})
	b.wait("news of what was missed", func() bool { return b.missed["a"] > 1 })
	if a.Stats().Unsent == 0 {
		t.Error("what could not be sent is not counted")
	}

	a.stop()
	b.meets("b")
	b.sees("a", map[uint64]string{})
}

func TestExternalClusterComesLater(t *testing.T) {
	e := newExternal(t)
	e.port = e.server.Addr().(*net.TCPAddr).Port
	e.halt()
	a, b := e.node("a"), e.node("b")
	a.meets("a")
	if !strings.Contains(a.log.String(), "NATS cannot be reached yet") {
		t.Error("the log does not say that NATS cannot be reached")
	}
	e.run()
	a.meets("a", "b")
	a.table.Set(1, []byte("one"))
	b.sees("a", map[uint64]string{1: "one"})

	e.halt() // and is started anew
	a.meets("a")
	e.run()
	a.meets("a", "b")
	b.sees("a", map[uint64]string{1: "one"})
}

func TestExternalClusterWithSmallMessagesIsTold(t *testing.T) {
	e := newExternal(t)
	e.halt()
	e.limit = 16 << 10
	e.run()
	a := e.node("a")
	a.wait("the error", func() bool {
		return strings.Contains(a.log.String(), "level=ERROR msg=\"NATS is configured for messages that are too small")
	})
}

func TestExternalClusterRefuses(t *testing.T) {
	e := newExternal(t)
	a := e.node("a", func(c *bus.Config) { c.Password = "a-wrong-password-of-this-test" })
	b := e.node("b")
	b.meets("b")
	a.wait("the refusal", func() bool { return strings.Contains(strings.ToLower(a.log.String()), "authorization violation") })
	a.table.Set(1, []byte("one"))
	b.meets("b")
	if strings.Contains(a.log.String(), "a-wrong-password-of-this-test") {
		t.Error("the log holds the password")
	}
}

func TestOddMessagesArePassedOver(t *testing.T) {
	e := newExternal(t)
	a, b := e.node("a"), e.node("b")
	a.meets("a", "b")
	conn := e.raw()
	for range 3 {
		for _, data := range [][]byte{nil, {1}, {2, 1}, {3, 1}, {1, 99, 0}, []byte("hello, hello, hello, hello")} {
			if err := conn.Publish("parley.parley.all", data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	a.wait("the messages", func() bool { return a.Stats().Foreign == 18 })
	if n := strings.Count(a.log.String(), "passed over"); n != 4 { // versions 2, 3 and 104, and what cannot be read
		t.Errorf("told %d times, want 4:\n%s", n, a.log)
	}
	b.table.Set(1, []byte("one"))
	a.sees("b", map[uint64]string{1: "one"})
}

// Two organisations, or an old and a new installation, may share a NATS cluster.
func TestClustersKeepApart(t *testing.T) {
	e := newExternal(t)
	a := e.node("a")
	b := e.node("b")
	elsewhere := e.node("a", func(c *bus.Config) { c.Cluster = "elsewhere" })
	a.meets("a", "b")
	b.table.Set(1, []byte("one"))
	a.sees("b", map[uint64]string{1: "one"})
	elsewhere.meets("a")
	if a.Stats().Foreign+a.Stats().Twins+elsewhere.Stats().Twins > 0 {
		t.Error("they hear each other")
	}
}
