package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"

	"parley"
)

// DatabaseConfig says where the database is.
type DatabaseConfig struct {
	URL parley.Secret `key:"url" doc:"PostgreSQL database, such as postgres://parley:PASSWORD@db.example.com/parley?sslmode=verify-full. Empty: SQLite in the data folder, which is right for one node."`
}

// ClusterConfig makes this process one of several nodes over one database.
type ClusterConfig struct {
	Node      string        `key:"node" doc:"Name of this node, unlike every other's: letters, digits, dots, underscores and hyphens. Empty: this is the only node."`
	Listen    string        `key:"listen" doc:"Address and port at which the other nodes reach this one, such as 10.0.0.1:6222. Nobody else should. Empty with cluster.nats."`
	Advertise string        `key:"advertise" doc:"Address and port that the others are told to reach this node at, if not listen."`
	Routes    []string      `key:"routes" doc:"Addresses and ports of the other nodes. This node's own does no harm, so the list can be the same on all of them."`
	Secret    parley.Secret `key:"secret" doc:"The same on all nodes, at least 16 characters."`
	NATS      []string      `key:"nats" doc:"URLs of a NATS cluster to use instead of listen and routes, such as nats://nats.example.com:4222."`
	User      string        `key:"nats_user" doc:"User at the NATS cluster."`
	Password  parley.Secret `key:"nats_password" doc:"Password of that user."`
	Token     parley.Secret `key:"nats_token" doc:"Token for the NATS cluster, instead of a user."`
	Cert      string        `key:"cert" doc:"Certificate of this node, PEM. With it the nodes speak TLS to each other. Empty: in the clear, for a network that nobody else reads."`
	Key       string        `key:"key" doc:"Its private key, PEM."`
	CA        string        `key:"ca" doc:"Certificate of the authority that signed those of all nodes, PEM."`
}

var nodeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// minClusterSecret is the least length of cluster.secret.
const minClusterSecret = 16

// checkDatabase looks at database and cluster.
func (r *reading) checkDatabase() {
	d, c := string(r.config.Database.URL), &r.config.Cluster
	u, err := url.Parse(d)
	r.fails("database.url", d != "" && (err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "" && u.Query().Get("host") == ""),
		"is no URL such as postgres://user:password@host/database") // without its text, which holds a password
	if c.Node == "" {
		for _, key := range []struct {
			name string
			set  bool
		}{
			{"cluster.listen", c.Listen != ""}, {"cluster.routes", len(c.Routes) > 0}, {"cluster.nats", len(c.NATS) > 0}, {"cluster.secret", c.Secret != ""},
		} {
			r.fails(key.name, key.set, "has no effect without cluster.node")
		}
		return
	}
	r.fails("cluster.node", !nodeName.MatchString(c.Node), "%.40q: only letters, digits, dots, underscores and hyphens", c.Node)
	r.fails("database.url", d == "", "missing; several nodes need a PostgreSQL database that all of them use")
	r.checkBus(c)
}

func (r *reading) checkBus(c *ClusterConfig) {
	r.fails("cluster.listen", c.Listen == "" && len(c.NATS) == 0, "missing; give an address for the other nodes, or cluster.nats")
	r.fails("cluster.listen", c.Listen != "" && len(c.NATS) > 0, "is not used with cluster.nats; set one of them")
	if c.Listen != "" {
		r.checkAddress("cluster.listen", c.Listen)
		r.fails("cluster.secret", len(c.Secret) < minClusterSecret, "too short; at least %d characters, the same on all nodes", minClusterSecret)
	}
	for i, route := range c.Routes { // whose text may be a URL with a password
		host, _, err := net.SplitHostPort(route)
		r.fails("cluster.routes", err != nil || host == "", "number %d is no address and port such as 10.0.0.2:6222", i+1)
	}
	for _, text := range c.NATS {
		u, err := url.Parse(text)
		r.fails("cluster.nats", err != nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Host == "" || u.User != nil,
			"is no URL such as nats://host:4222; user, password and token have settings of their own")
	}
	r.fails("cluster.nats_token", c.Token != "" && c.User != "", "give a user or a token, not both")
	if _, err := c.tls(); err != nil {
		r.fails("cluster.cert", true, "%v", err)
	}
}

// tls is how nodes speak to each other; nil: in the clear.
func (c *ClusterConfig) tls() (*tls.Config, error) {
	if c.Cert == "" && c.Key == "" && c.CA == "" {
		if len(c.NATS) > 0 && strings.HasPrefix(c.NATS[0], "tls:") {
			return &tls.Config{MinVersion: tls.VersionTLS13}, nil
		}
		return nil, nil
	}
	if c.CA == "" || (c.Cert == "") != (c.Key == "") || len(c.NATS) == 0 && c.Cert == "" {
		return nil, errors.New("cluster.cert, cluster.key and cluster.ca go together")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: x509.NewCertPool()}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("reading cluster.ca: %w", err)
	}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("cluster.ca holds no certificate")
	}
	config.ClientCAs, config.ClientAuth = config.RootCAs, tls.RequireAndVerifyClientCert
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("not a certificate and its key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
