package account

import (
	"strings"
	"testing"
	"unicode/utf8"

	"parley"
)

func TestNormalAddress(t *testing.T) {
	tests := []struct{ in, want string }{
		{"anna@example.org", "anna@example.org"},
		{" Anna.Berg@Example.ORG\n", "anna.berg@example.org"},
		{"anna@example.org.", "anna@example.org"},
		{"anna+sip@corp", "anna+sip@corp"},
		{"o'brien@example.org", "o'brien@example.org"},
		{"Ünal@bücher.example", "ünal@xn--bcher-kva.example"},
		{"u\u0308nal@BU\u0308CHER.example", "ünal@xn--bcher-kva.example"},
		{"anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example"},
		{"ＡＮＮＡ@example.org", "anna@example.org"},
		{strings.Repeat("a", 64) + "@example.org", strings.Repeat("a", 64) + "@example.org"},
	}
	for _, test := range tests {
		got, err := NormalAddress(test.in)
		if err != nil || got != test.want {
			t.Errorf("%q: %q, %v, want %q", test.in, got, err, test.want)
		}
	}
}

func TestNormalAddressRefuses(t *testing.T) {
	for _, in := range []string{
		"", "@", "anna", "anna@", "@example.org", "an na@example.org", "a@b@example.org", "\x00@example.org",
		"anna@exa mple.org", "anna@example..org", "anna@example.org..", "anna@.example.org", "anna@-example.org", "anna@[192.0.2.1]",
		"\"anna\"@example.org", "<anna@example.org>", "anna,boris@example.org", "anna\u202e@example.org",
		"anna@exam_ple.org", "anna\xff@example.org", "anna@" + strings.Repeat("a", 64) + ".org",
		strings.Repeat("a", 65) + "@example.org", "a@" + strings.Repeat("abcdefgh.", 40) + "org", "anna@xn--",
		"anna@example.org/path", "anna@example.org:443", "anna@example.org?x",
	} {
		got, err := NormalAddress(in)
		if err == nil {
			t.Errorf("%q: accepted as %q", in, got)
			continue
		}
		if parley.KindOf(err) != parley.Invalid {
			t.Errorf("%q: %v, want Invalid", in, err)
		}
	}
}

func TestDomainOf(t *testing.T) {
	if got, err := DomainOf("anna@Bücher.example"); err != nil || got != "xn--bcher-kva.example" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := DomainOf("anna"); err == nil {
		t.Error("an address without a domain has one")
	}
}

func FuzzNormalAddress(f *testing.F) {
	for _, seed := range []string{"anna@example.org", " Ünal@bücher.example.", "ＡＮＮＡ@xn--bcher-kva.example", "a@b@c", "İ@i.example", "ß@straße.example", "0@0..", "a@b。"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		normal, err := NormalAddress(s)
		if err != nil {
			return
		}
		if again, err := NormalAddress(normal); err != nil || again != normal {
			t.Errorf("%q: %q becomes %q, %v", s, normal, again, err)
		}
		if len(normal) > maxAddress || !utf8.ValidString(normal) || strings.ContainsAny(normal, " \t\r\n<>\x00") || strings.Count(normal, "@") != 1 {
			t.Errorf("%q: %q is no address", s, normal)
		}
		domain, err := DomainOf(s)
		if err != nil || !strings.HasSuffix(normal, "@"+domain) {
			t.Errorf("%q: domain %q, %v", s, domain, err)
		}
	})
}
