package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	startPatience = 10 * time.Second
	maxMessage    = 128 << 10 // bytes; above what any message of ours has
	routeUser     = "parley"

	// noPort is no port, so that listening for clients fails. The server has an
	// option for that, DontListen, with which it never starts its routes: they wait
	// for the clients' listener, be it for its failure (nats-server 2.15).
	noPort = 1 << 16
)

// startServer runs a NATS server in this process. No client can connect to it from
// outside: it listens for routes alone, and those have to know the secret.
func startServer(ctx context.Context, c Config, incarnation uint64) (*server.Server, error) {
	host, port, _ := splitAddress(c.Listen)
	if port == 0 {
		port = server.RANDOM_PORT
	}
	secret := c.routeSecret()
	options := &server.Options{
		ServerName:      fmt.Sprintf("%s-%x", c.Node, incarnation), // two nodes with one name are for us to notice
		Host:            "127.0.0.1",
		Port:            noPort,
		NoSigs:          true,
		NoLog:           true,
		NoSystemAccount: true,

		NoFastProducerStall: true, // a node that takes nothing in is not to slow down what the others hear
		MaxPayload:          maxMessage,
		PingInterval:        c.Pace.Beat,
		Cluster: server.ClusterOpts{
			Name: c.Cluster, Host: host, Port: port, Advertise: c.Advertise,
			Username: routeUser, Password: secret,
			PoolSize:     -1, // one connection between two nodes, so that messages stay in order
			PingInterval: c.Pace.Beat,
			MaxPingsOut:  2,
			Compression:  server.CompressionOpts{Mode: server.CompressionOff},
		},
		// Otherwise a node that is down is told every second.
		ConnectErrorReports:   300,
		ReconnectErrorReports: 300,
	}
	for _, r := range c.Routes {
		options.Routes = append(options.Routes, &url.URL{Scheme: "nats", Host: r, User: url.UserPassword(routeUser, secret)})
	}
	if c.TLS != nil {
		options.Cluster.TLSConfig = routeTLS(c.TLS)
		options.Cluster.TLSTimeout = 5
	}
	s, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("preparing the NATS server: %w", err)
	}
	log := &serverLog{log: c.Log, fatal: make(chan error, 1)}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if err := ready(ctx, s, log); err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("starting the NATS server: %w", err)
	}
	return s, nil
}

// ready waits until routes can come in.
func ready(ctx context.Context, s *server.Server, log *serverLog) error {
	ctx, stop := context.WithTimeout(ctx, startPatience)
	defer stop()
	for {
		select {
		case err := <-log.fatal:
			return err
		default:
		}
		if s.ClusterAddr() != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// routeTLS makes both sides of a route show a certificate of the same authority.
func routeTLS(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.ClientAuth = tls.RequireAndVerifyClientCert
	if c.ClientCAs == nil {
		c.ClientCAs = c.RootCAs
	}
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	return c
}

// connect opens the connection to the NATS server: to the one of this process, or
// an external one. With one that cannot be reached, it goes on trying.
func (b *Bus) connect() error {
	c := b.config
	options := append(b.handlers(),
		nats.Name("parley "+c.Node),
		nats.NoEcho(),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(c.Pace.Beat/2),
		nats.ReconnectJitter(c.Pace.Beat/10, c.Pace.Beat/10),
		nats.ReconnectBufSize(-1), // what cannot be sent now is old when it can
		nats.PingInterval(c.Pace.Beat),
		nats.MaxPingsOutstanding(2),
		nats.FlusherTimeout(c.Pace.Lease/3),
		nats.ReconnectOnFlusherError(),
	)
	var err error
	if b.server != nil {
		b.conn, err = nats.Connect("", append(options, nats.InProcessServer(b.server))...)
	} else {
		b.conn, err = nats.Connect(strings.Join(c.URLs, ","), append(options, external(c)...)...)
	}
	if err != nil {
		return fmt.Errorf("connecting to NATS: %w", err)
	}
	if !b.conn.IsConnected() {
		c.Log.Warn("NATS cannot be reached yet; until it can, the nodes do not hear each other")
	}
	return nil
}

// handlers log what happens to the connection.
func (b *Bus) handlers() []nats.Option {
	log := b.config.Log
	return []nats.Option{
		nats.NoCallbacksAfterClientClose(),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			log.Warn("the connection to NATS is lost", "error", err)
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			if b.trouble.is(err.Error()) {
				log.Warn("NATS cannot be reached", "error", err)
			}
		}),
		nats.ConnectHandler(b.connected),
		nats.ReconnectHandler(func(conn *nats.Conn) {
			log.Info("the connection to NATS is there again")
			b.connected(conn)
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("NATS reports a fault of the connection", "error", err)
		}),
		nats.ClosedHandler(func(*nats.Conn) { b.closed() }),
	}
}

func (b *Bus) connected(conn *nats.Conn) {
	b.trouble.is("")
	if limit := conn.MaxPayload(); limit < maxMessage {
		b.config.Log.Error("NATS is configured for messages that are too small, so some of the bus is lost: set its max_payload to 128 KiB or more", "bytes", limit)
	}
	b.out.beatSoon()
}

// trouble is why NATS could not be reached the last time, so that it is told when
// it is another reason and not at each attempt.
type trouble struct {
	mu  sync.Mutex
	was string
}

// is reports whether the reason is another one than before.
func (t *trouble) is(reason string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	changed := reason != t.was
	t.was = reason
	return changed
}

func external(c Config) []nats.Option {
	options := []nats.Option{
		nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(),
		nats.IgnoreDiscoveredServers(), // only what is configured is dialled
		nats.SetCustomDialer(c.Dialer),
		nats.SkipHostLookup(), // the dialer's to do
	}
	if c.User != "" {
		options = append(options, nats.UserInfo(c.User, string(c.Password)))
	}
	if c.Token != "" {
		options = append(options, nats.Token(string(c.Token)))
	}
	if c.TLS != nil {
		options = append(options, nats.Secure(c.TLS))
	}
	return options
}

var errClosed = errors.New("the connection to NATS was closed for good")
