package parleytest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"parley"
	"parley/parleytest/postgres"
	"parley/server"
)

// setup makes a configuration that of one of several nodes.
type setup struct {
	Data, Database          string
	Node, Listen, Advertise string
	Routes                  []string

	Directory, CA, Domain string // a corporate directory to follow instead of the demo
}

// clusterSecret is that of every cluster of the tests.
const clusterSecret = "not a secret, for tests only"

func (s setup) apply(c *server.Config) {
	c.Data = s.Data
	if s.Directory != "" {
		Organisation(s.Domain)(c)
		c.LDAP.Servers, c.LDAP.CA = []string{s.Directory}, s.CA
	}
	c.Database.URL = parley.Secret(s.Database)
	c.Cluster = server.ClusterConfig{
		Node: s.Node, Listen: s.Listen, Advertise: s.Advertise, Routes: s.Routes, Secret: clusterSecret,
	}
}

// setups gives n nodes their folders and addresses, all over one database.
func setups(t testing.TB, n int, database string, demo bool) []setup {
	t.Helper()
	all := make([]setup, n)
	var listens []string
	for i := range all {
		all[i] = setup{Data: t.TempDir(), Database: database, Node: string(rune('a' + i)), Listen: freeAddress(t)}
		listens = append(listens, all[i].Listen)
		if demo {
			markDemo(t, all[i].Data)
		}
	}
	for i := range all {
		all[i].Routes = listens
	}
	return all
}

// freeAddress is an address of this machine that nobody listens at.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// markDemo makes a node's folder one of the demo organisation, whose people are in
// the database.
func markDemo(t testing.TB, data string) {
	t.Helper()
	from, err := demoFolder()
	if err != nil {
		t.Fatal(err)
	}
	const mark = "demo-organisation"
	content, err := os.ReadFile(filepath.Join(from, mark))
	if err == nil {
		err = os.WriteFile(filepath.Join(data, mark), content, 0o600)
	}
	if err != nil {
		t.Fatalf("copying the mark of the demo: %v", err)
	}
}

// startNodes starts a World of several nodes.
func startNodes(t testing.TB, n int, change []func(*server.Config)) *World {
	t.Helper()
	w := newWorld(t, change)
	demo := w.configured(t.TempDir()).Demo
	return w.over(setups(t, n, database(t, demo), demo))
}

// over starts the nodes of these setups.
func (w *World) over(all []setup) *World {
	w.Helper()
	for _, s := range all {
		w.nodes = append(w.nodes, &node{setup: s.apply})
		w.Data = cmp.Or(w.Data, s.Data)
	}
	return w.begin()
}

// meet waits until all nodes hear each other.
func (w *World) meet() {
	w.Helper()
	deadline := time.Now().Add(patience)
	for _, n := range w.nodes {
		for len(w.nodes) > 1 && len(n.server.Nodes()) < len(w.nodes) {
			if time.Now().After(deadline) {
				w.Fatalf("a node hears %q only", n.server.Nodes())
			}
			<-time.After(5 * time.Millisecond)
		}
	}
}

// Cluster is several nodes in processes of their own over one database, which a
// test may kill, freeze, and cut off.
type Cluster struct {
	t     testing.TB
	Nodes []*Node
}

// Node is one process of a Cluster.
type Node struct {
	*Process
	Bus      *Link // by which the others reach it
	Database *Link // by which it reaches the database
}

// StartCluster starts n nodes with the demo organisation.
func StartCluster(t testing.TB, n int) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	all := setups(t, n, database(t, true), true)
	buses := make([]string, n)
	for i := range all {
		node := &Node{Bus: NewLink(t, all[i].Listen)}
		node.Database, all[i].Database = linkDatabase(t, all[i].Database)
		all[i].Advertise = node.Bus.Addr()
		buses[i] = node.Bus.Addr()
		c.Nodes = append(c.Nodes, node)
	}
	for i := range all {
		all[i].Routes = buses
		c.Nodes[i].Process = newProcess(t, all[i])
		c.Nodes[i].Launch()
	}
	for _, node := range c.Nodes {
		node.Ready()
	}
	return c
}

// Bases are the URLs of all nodes, that of the given one first.
func (c *Cluster) Bases(first int) []string {
	var bases []string
	for i := range c.Nodes {
		bases = append(bases, c.Nodes[(first+i)%len(c.Nodes)].Base)
	}
	return bases
}

// SignIn signs somebody of the demo organisation in at a node, on a device that
// goes to another one when that is gone, and notices soon that it is.
func (c *Cluster) SignIn(alias string, node int) *Device {
	c.t.Helper()
	bases := c.Bases(node)
	d, err := TrySignIn(c.t, bases[0], demoSignIn(alias))
	if err != nil {
		c.t.Fatalf("signing %s in: %v", alias, err)
	}
	d.Roam(1500*time.Millisecond, time.Second, bases...)
	d.Connect()
	return d
}

// Freeze stops the process without ending it: nothing of it runs, and everything
// stays open.
func (n *Node) Freeze() { n.signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (n *Node) Thaw() { n.signal(syscall.SIGCONT) }

func (n *Node) signal(s syscall.Signal) {
	n.t.Helper()
	if n.cmd == nil {
		return
	}
	if err := n.cmd.Process.Signal(s); err != nil {
		n.t.Fatalf("signalling a node: %v", err)
	}
}

// variable is how a process is told what it is.
func (s setup) variable() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("a setup cannot be written: %v", err)) // it has texts only
	}
	return serveVariable + "_NODE=" + string(text)
}

// database makes a database for one test, with the demo organisation in it or
// empty.
func database(t testing.TB, demo bool) string {
	t.Helper()
	if !demo {
		return postgres.Database(t)
	}
	return postgres.Copy(t, "demo", func(url string) error {
		dir, err := os.MkdirTemp("", "parleytest-demo-*")
		if err != nil {
			return err
		}
		c := configure(dir, "127.0.0.1:0")
		c.Database.URL = parley.Secret(url)
		return errors.Join(serveOnce(c), os.RemoveAll(dir))
	})
}

// linkDatabase puts a link between a node and its database.
func linkDatabase(t testing.TB, database string) (*Link, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	link := NewLink(t, u.Host)
	u.Host = link.Addr()
	return link, u.String()
}
