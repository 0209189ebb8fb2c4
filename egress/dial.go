package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// maxAddresses is how many addresses of one name are tried.
const maxAddresses = 4

// Dialer returns the dialer of a purpose. For a purpose that is not declared, or
// that is declared to be dialled for elsewhere, it refuses every dial.
//
// It resolves names itself, which the ledger counts, so give it names: with pgx a
// LookupFunc that returns the host as it is, with nats.go SkipHostLookup. TLS is
// the caller's, over the connection. A Unix socket is dialled as it is.
func (e *Egress) Dialer(purpose Purpose) DialFunc {
	a := e.lines[purpose]
	if a == nil {
		return func(context.Context, string, string) (net.Conn, error) { return nil, undeclared(purpose) }
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if a.Past != "" {
			return nil, e.failure(a, past(a))
		}
		ctx, cancel := context.WithTimeout(ctx, a.Timeout)
		defer cancel()
		conn, err := e.dial(ctx, a, network, address)
		if err != nil {
			return nil, e.failure(a, err)
		}
		a.used()
		return &countedConn{Conn: conn, line: a}, nil
	}
}

// dial resolves the host itself and dials the very address that it vetted, so
// that a second answer of the name server changes nothing.
func (e *Egress) dial(ctx context.Context, a *line, network, address string) (net.Conn, error) {
	if network == "unix" && !a.Untrusted {
		return e.config.Dial(ctx, network, address)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: address without a port", ErrRefused)
	}
	if !strings.HasPrefix(network, "tcp") || a.Untrusted && port != "443" {
		return nil, fmt.Errorf("%w: port %s over %s", ErrRefused, port, network)
	}
	var addresses []netip.Addr
	if a.Untrusted {
		addresses, err = e.resolvePublic(ctx, host)
	} else {
		addresses, err = e.resolve(ctx, host, host)
	}
	if err != nil {
		return nil, err
	}
	return e.dialEach(ctx, network, addresses[:min(len(addresses), maxAddresses)], port)
}

// dialEach tries one address after the other, each for its share of the time that
// is left.
func (e *Egress) dialEach(ctx context.Context, network string, addresses []netip.Addr, port string) (net.Conn, error) {
	deadline, _ := ctx.Deadline() // Dialer has set one
	var last error
	for i, addr := range addresses {
		share := time.Until(deadline) / time.Duration(len(addresses)-i)
		attempt, cancel := context.WithTimeout(ctx, share)
		conn, err := e.config.Dial(attempt, network, net.JoinHostPort(addr.String(), port))
		cancel()
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

// resolvePublic returns the public addresses of a host. That a host has other
// ones too is refused: nobody's public server needs them.
func (e *Egress) resolvePublic(ctx context.Context, host string) ([]netip.Addr, error) {
	// The dot keeps the search domains of this machine out of it.
	addresses, err := e.resolve(ctx, host, strings.TrimSuffix(host, ".")+".")
	if err != nil {
		return nil, err
	}
	for i, addr := range addresses {
		if !public(addr) {
			return nil, fmt.Errorf("%w: address is not public", ErrRefused)
		}
		addresses[i] = addr.Unmap()
	}
	return addresses, nil
}

// resolve returns the addresses of a host, which may be an address itself; else
// the name server is asked for name, and the ledger counts the question.
func (e *Egress) resolve(ctx context.Context, host, name string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	e.lines[Names].used()
	addresses, err := e.config.Resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, fmt.Errorf("resolving a host: %w", err)
	}
	if len(addresses) == 0 {
		return nil, errors.New("resolving a host: no address")
	}
	return addresses, nil
}
