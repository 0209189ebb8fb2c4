package egress

import "net/netip"

// public reports whether an address belongs to the public internet, as opposed
// to this machine, this network, the surroundings of a cloud machine, or nobody
// (the special-purpose registries of RFC 6890). Addresses that carry an IPv4
// address are judged by that.
func public(addr netip.Addr) bool {
	if addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap() // ::ffff:a.b.c.d reaches a.b.c.d
	if nat64.Contains(addr) {
		bytes := addr.As16()
		addr = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false
	}
	if addr.Is6() && !globalUnicast6.Contains(addr) {
		return false
	}
	for _, prefix := range notPublic {
		if prefix.Contains(addr) {
			return false
		}
	}
	return true
}

var (
	nat64          = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: a public IPv4 address behind a translator
	globalUnicast6 = netip.MustParsePrefix("2000::/3")     // RFC 4291 §2.4; all else is local, special or unassigned
)

// notPublic are the prefixes that net/netip takes for global and that are not.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),         // this network, RFC 791
	netip.MustParsePrefix("100.64.0.0/10"),     // carrier-grade NAT, RFC 6598; metadata of some clouds
	netip.MustParsePrefix("168.63.129.16/32"),  // metadata and agents of a large cloud
	netip.MustParsePrefix("192.0.0.0/24"),      // protocol assignments, RFC 6890
	netip.MustParsePrefix("192.0.2.0/24"),      // documentation, RFC 5737
	netip.MustParsePrefix("192.88.99.0/24"),    // 6to4 relays, RFC 7526
	netip.MustParsePrefix("198.18.0.0/15"),     // benchmarks, RFC 2544
	netip.MustParsePrefix("198.51.100.0/24"),   // documentation
	netip.MustParsePrefix("203.0.113.0/24"),    // documentation
	netip.MustParsePrefix("240.0.0.0/4"),       // reserved, and broadcast
	netip.MustParsePrefix("2001::/23"),         // protocol assignments: Teredo, ORCHID, benchmarks
	netip.MustParsePrefix("2001:db8::/32"),     // documentation, RFC 3849
	netip.MustParsePrefix("2002::/16"),         // 6to4, RFC 7526: carries any IPv4 address
	netip.MustParsePrefix("2620:4f:8000::/48"), // AS112, RFC 7534
	netip.MustParsePrefix("3fff::/20"),         // documentation, RFC 9637
}
