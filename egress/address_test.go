package egress

import (
	"net/netip"
	"testing"
)

func TestPublic(t *testing.T) {
	tests := map[string]bool{
		"93.184.216.34":               true,
		"8.8.8.8":                     true,
		"2606:2800:220:1:248:1893::1": true,
		"::ffff:93.184.216.34":        true,
		"64:ff9b::5db8:d822":          true, // 93.184.216.34

		"0.0.0.0":            false,
		"0.1.2.3":            false,
		"10.0.0.1":           false,
		"100.64.0.1":         false,
		"100.100.100.200":    false, // metadata
		"127.0.0.1":          false,
		"127.255.255.254":    false,
		"168.63.129.16":      false, // metadata
		"169.254.169.254":    false, // metadata
		"172.16.0.1":         false,
		"172.31.255.255":     false,
		"192.0.0.192":        false, // metadata
		"192.0.2.1":          false,
		"192.88.99.1":        false,
		"192.168.1.1":        false,
		"198.18.0.1":         false,
		"198.51.100.1":       false,
		"203.0.113.1":        false,
		"224.0.0.1":          false,
		"239.255.255.250":    false,
		"240.0.0.1":          false,
		"255.255.255.255":    false,
		"::":                 false,
		"::1":                false,
		"::127.0.0.1":        false, // IPv4-compatible
		"::ffff:127.0.0.1":   false,
		"::ffff:10.0.0.1":    false,
		"::ffff:a9fe:a9fe":   false, // metadata
		"::ffff:0:127.0.0.1": false, // IPv4-translated
		"64:ff9b::7f00:1":    false, // 127.0.0.1
		"64:ff9b::a9fe:a9fe": false,
		"64:ff9b:1::1":       false,
		"100::1":             false,
		"2001::1":            false, // Teredo
		"2001:10::1":         false,
		"2001:db8::1":        false,
		"2002:7f00:1::1":     false, // 6to4 of 127.0.0.1
		"2002:5db8:d822::1":  false,
		"3fff::1":            false,
		"5f00::1":            false,
		"fc00::1":            false,
		"fd00:ec2::254":      false, // metadata
		"fe80::1":            false,
		"fe80::1%eth0":       false,
		"2606:2800::1%eth0":  false,
		"fec0::1":            false,
		"ff02::1":            false,
	}
	for text, want := range tests {
		if got := public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public %v, want %v", text, got, want)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func FuzzPublic(f *testing.F) {
	for _, seed := range []string{"93.184.216.34", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "fe80::1%a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		addr, err := netip.ParseAddr(text)
		if err != nil || !public(addr) {
			return
		}
		plain := addr.Unmap()
		if plain.IsLoopback() || plain.IsPrivate() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified() || plain.Zone() != "" {
			t.Errorf("%s passes for public", addr)
		}
		if mapped := netip.AddrFrom16(addr.As16()); !public(mapped) {
			t.Errorf("%s is public, %s is not", addr, mapped)
		}
	})
}
