package server_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/parleytest"
	"parley/parleytest/postgres"
	"parley/server"
)

// onPostgres is a server over a PostgreSQL database; with a name it is a node that
// listens at the first of the addresses.
func onPostgres(t *testing.T, database, name string, addresses ...string) server.Config {
	c := server.DefaultConfig()
	c.Addr, c.Data, c.Database.URL = "127.0.0.1:0", t.TempDir(), parley.Secret(database)
	parleytest.Organisation("example.com")(&c)
	if name != "" {
		c.Cluster = server.ClusterConfig{Node: name, Listen: addresses[0], Routes: addresses, Secret: "sixteen characters"}
	}
	return c
}

// serving runs a server until stop.
func serving(t *testing.T, c server.Config) (s *server.Server, stop func()) {
	t.Helper()
	s, err := server.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	var stopped bool
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	}
	t.Cleanup(stop)
	return s, stop
}

func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Servers over one database that do not know of each other would each keep people
// in whom the other has signed out, and show none of the other's. The second one
// does not start, and says why.
func TestServersThatCannotShareADatabase(t *testing.T) {
	database, at, further := postgres.Database(t), address(t), address(t)
	alone, node := onPostgres(t, database, ""), onPostgres(t, database, "a", at)
	for _, test := range []struct {
		name          string
		first, second server.Config
		says          string
	}{
		{"neither is a node", alone, onPostgres(t, database, ""), "several have to be nodes of one cluster"},
		{"the second is no node", node, alone, "several have to be nodes of one cluster"},
		{"the first is no node", alone, node, "has no cluster.node"},
		{"nodes of one name", node, onPostgres(t, database, "a", further, at), `cluster.node is "a" on another server`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, stop := serving(t, test.first)
			if _, err := server.New(test.second); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("the second server: %v, want something that says %q", err, test.says)
			}
			stop()
			serving(t, test.second) // which ends with this part of the test
		})
	}
}

// Nodes over different databases know people by the same numbers: what one says of
// whom must not reach the other, whatever else they have in common.
func TestNodesOverDifferentDatabases(t *testing.T) {
	database, addresses := postgres.Database(t), []string{address(t), address(t), address(t)}
	turned := func(i int) []string { return slices.Concat(addresses[i:], addresses[:i]) }
	stranger, _ := serving(t, onPostgres(t, postgres.Database(t), "stranger", turned(0)...))
	one, _ := serving(t, onPostgres(t, database, "one", turned(1)...))
	two, _ := serving(t, onPostgres(t, database, "two", turned(2)...))
	deadline := time.Now().Add(20 * time.Second)
	for len(one.Nodes()) < 2 || len(two.Nodes()) < 2 {
		if time.Now().After(deadline) {
			t.Fatalf("one hears %q, two %q", one.Nodes(), two.Nodes())
		}
		<-time.After(10 * time.Millisecond)
	}
	if got := one.Nodes(); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("one hears %q", got)
	}
	if got := stranger.Nodes(); !slices.Equal(got, []string{"stranger"}) {
		t.Errorf("the node over another database hears %q", got)
	}
}

// A node stops within its time, also while the database does not answer.
func TestStoppingWhileTheDatabaseDoesNotAnswer(t *testing.T) {
	c := parleytest.StartCluster(t, 2)
	hanna, kwame := c.SignIn("hanna", 0).Online(), c.SignIn("kwame", 1).Online()
	hanna.Say(kwame, "before")
	c.Nodes[0].Database.Stall()
	hanna.Queue(hanna.With(kwame), "while it does not answer")
	began := time.Now()
	c.Nodes[0].Stop()
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("stopping took %v", took)
	}
	kwame.Hears(hanna, "while it does not answer")
}
