package lan

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Place is how a machine is known in its network.
type Place struct {
	Host      string       // its name, without a domain
	Addresses []netip.Addr // of its network cards, the most likely to be reached first
}

// Here says where this machine is. It fails only if the system does not list its
// network cards.
func Here() (Place, error) {
	var place Place
	if host, err := os.Hostname(); err == nil {
		place.Host = label(host)
	}
	cards, err := net.Interfaces()
	if err != nil {
		return place, fmt.Errorf("listing the network cards: %w", err)
	}
	for _, card := range cards {
		if card.Flags&net.FlagUp == 0 || card.Flags&net.FlagLoopback != 0 {
			continue
		}
		addresses, err := card.Addrs()
		if err != nil {
			continue // the card is gone again
		}
		for _, a := range addresses {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				place.Addresses = append(place.Addresses, prefix.Addr().Unmap())
			}
		}
	}
	slices.SortStableFunc(place.Addresses, func(a, b netip.Addr) int { return rank(a) - rank(b) })
	return place, nil
}

// label is the first part of a host name, or empty if that cannot stand in a
// certificate.
func label(host string) string {
	host, _, _ = strings.Cut(strings.ToLower(host), ".")
	wrong := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	if len(host) > 63 || strings.ContainsFunc(host, wrong) || strings.Trim(host, "-") != host {
		return ""
	}
	return host
}

var homeNetworks = prefixes("192.168.0.0/16", "10.0.0.0/8", "172.16.0.0/12")

// rank puts first what a home or office network hands out. 172.16/12 comes last
// of these because container software uses it.
func rank(a netip.Addr) int {
	if i := slices.IndexFunc(homeNetworks, func(p netip.Prefix) bool { return p.Contains(a) }); i >= 0 {
		return i
	}
	if a.Is4() {
		return len(homeNetworks)
	}
	return len(homeNetworks) + 1
}

// Address is the address that phones are told, if there is one that the
// authority may speak for.
func (p Place) Address() (netip.Addr, bool) {
	for _, a := range p.Addresses {
		if Private(a) && !a.IsLinkLocalUnicast() {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// covered lists what a certificate for this place says, in a fixed order.
func (p Place) covered() (names []string, addresses []net.IP) {
	names = []string{"localhost"}
	if p.Host != "" && p.Host != "localhost" {
		names = append(names, p.Host+".local")
	}
	all := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	for _, a := range p.Addresses {
		if Private(a) {
			all = append(all, a.WithZone(""))
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	for _, a := range slices.Compact(all) {
		addresses = append(addresses, a.AsSlice())
	}
	return names, addresses
}
