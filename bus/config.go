package bus

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"parley"
)

// Config says who this node is and how it reaches the others: with Listen it runs
// a NATS server of its own, with URLs it uses one that is there.
type Config struct {
	Node    string // name of this node, unlike every other's: letters, digits, ".", "_" and "-"
	Cluster string // name of the organisation's cluster, the same on all nodes; empty: "parley"

	// A NATS server in this process, with routes to those of the other nodes. They
	// tell each other of further nodes, so each needs to know of some, and a list
	// of all, with this node in it, is right on every node.
	Listen    string        // host:port where routes of other nodes come in; port 0: any
	Advertise string        // host:port that other nodes are told to reach this one at; empty: as they see it
	Routes    []string      // host:port of other nodes
	Secret    parley.Secret // the same on all nodes, at least 16 characters; what crosses the network is derived from it

	// An external NATS cluster, in which an account of its own belongs to the
	// nodes of one organisation alone.
	URLs     []string          // nats://host:port or tls://host:port, without a user
	User     string            // empty: none
	Password parley.Secret     // of User
	Token    parley.Secret     // instead of a user
	Dialer   nats.CustomDialer // opens the connections, and resolves names

	// TLS of routes, where it needs a certificate of this node and the authority
	// that signed those of all nodes (RootCAs), who are asked for theirs in turn; or
	// of the connection to an external cluster. Nil: routes are in the clear, which
	// is for networks that nobody else reads.
	TLS *tls.Config

	Log  *slog.Logger // nil: no log
	Pace Pace

	waiting int // messages that may wait to be taken in; 0: maxWaiting
}

// Pace is for tests, which have no time. A zero field is the default.
type Pace struct {
	Beat  time.Duration // between signs of life; 3 s
	Lease time.Duration // of a node that is not heard; 15 s
	Join  time.Duration // for how long changes of rows are gathered; 4 ms
}

const (
	defaultCluster = "parley"
	minSecret      = 16
)

var (
	nodeName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	clusterName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
)

// complete checks c and fills in what it leaves out.
func (c Config) complete() (Config, error) {
	c.Cluster = cmp.Or(c.Cluster, defaultCluster)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.waiting = cmp.Or(c.waiting, maxWaiting)
	c.Pace.Beat = cmp.Or(c.Pace.Beat, 3*time.Second)
	c.Pace.Lease = cmp.Or(c.Pace.Lease, 5*c.Pace.Beat)
	c.Pace.Join = cmp.Or(c.Pace.Join, 4*time.Millisecond)
	switch {
	case !nodeName.MatchString(c.Node):
		return c, fmt.Errorf("node name %.40q: want letters, digits, dots, underscores and hyphens, 128 at most", c.Node)
	case !clusterName.MatchString(c.Cluster):
		return c, fmt.Errorf("cluster name %.40q: want letters, digits, underscores and hyphens, 64 at most", c.Cluster)
	case (c.Listen == "") == (len(c.URLs) == 0):
		return c, errors.New("want either an address to listen at for routes, or URLs of a NATS cluster")
	case c.Listen == "":
		return c, c.checkExternal()
	default:
		return c, c.checkEmbedded()
	}
}

func (c Config) checkEmbedded() error {
	if len(c.Secret) < minSecret {
		return fmt.Errorf("the cluster's secret: want at least %d characters", minSecret)
	}
	if _, _, err := splitAddress(c.Listen); err != nil {
		return fmt.Errorf("address to listen at for routes: %w", err)
	}
	for _, r := range c.Routes {
		if host, port, err := splitAddress(r); err != nil || host == "" || port == 0 {
			return fmt.Errorf("route %.80q: want host:port", r)
		}
	}
	if c.Advertise != "" {
		if host, port, err := splitAddress(c.Advertise); err != nil || host == "" || port == 0 {
			return fmt.Errorf("address to advertise %.80q: want host:port", c.Advertise)
		}
	}
	if c.TLS != nil && (len(c.TLS.Certificates) == 0 && c.TLS.GetCertificate == nil || c.TLS.RootCAs == nil) {
		return errors.New("TLS of routes: want a certificate of this node and the authority that signs those of all nodes")
	}
	return nil
}

func (c Config) checkExternal() error {
	if c.Token != "" && c.User != "" {
		return errors.New("NATS: want either a user or a token")
	}
	for i, text := range c.URLs {
		// The text stays out of the error: it may hold a password after all.
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Hostname() == "" {
			return fmt.Errorf("NATS URL %d: want nats://host:port or tls://host:port", i+1)
		}
		if u.User != nil {
			return fmt.Errorf("NATS URL %d: the user, password or token have settings of their own", i+1)
		}
	}
	if c.Dialer == nil {
		return errors.New("NATS: want a dialer")
	}
	return nil
}

func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %.20q: want a number", text)
	}
	return host, int(n), nil
}

// routeSecret is what routes authenticate with. It tells nothing of the secret
// itself, and nothing to the routes of another cluster.
func (c Config) routeSecret() string {
	mac := hmac.New(sha256.New, []byte(c.Secret))
	mac.Write([]byte("parley route 1 " + c.Cluster))
	return hex.EncodeToString(mac.Sum(nil))
}
