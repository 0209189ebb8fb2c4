package bus

import (
	"net"

	"parley"
)

// RouteSecret is what routes of a cluster with this secret authenticate with.
func RouteSecret(secret parley.Secret, cluster string) string {
	return Config{Secret: secret, Cluster: cluster}.routeSecret()
}

// LimitWaiting makes a node throw away what waits to be taken in past so many
// messages.
func LimitWaiting(messages int) func(*Config) {
	return func(c *Config) { c.waiting = messages }
}

// Hold keeps a node from taking anything in until let is called.
func Hold(b *Bus) (let func()) {
	b.mu.Lock()
	return b.mu.Unlock
}

// Overrun counts what was thrown away; unlike Stats it does not wait for a node
// that is held.
func Overrun(b *Bus) uint64 { return b.overrun() }

// ClientAddr is where the node's NATS server listens for clients; nil: nowhere.
func ClientAddr(b *Bus) net.Addr { return b.server.Addr() }

// Version is the number of the last delta of a table that was sent.
func Version(t *Table) uint64 { return t.version() }
