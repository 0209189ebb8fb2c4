package directory

import (
	"strings"
	"testing"
)

func TestNormalDN(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"case", "CN=Ann,OU=People,DC=Example", "cn=ann,ou=people,dc=example"},
		{"spaces around separators", "cn = Ann , ou= People ,dc=x", "cn=ann,ou=people,dc=x"},
		{"runs of spaces", "cn=Ann   Example", "cn=ann example"},
		{"escaped comma", `CN=Müller\, Jörg (4),OU=P`, `cn=müller\, jörg (4),ou=p`},
		{"hex comma", `CN=Müller\2C Jörg (4),OU=P`, `cn=müller\, jörg (4),ou=p`},
		{"hex UTF-8", `cn=M\C3\BCller`, `cn=müller`},
		{"hex of a plain letter", `cn=\41nn`, `cn=ann`},
		{"needless escapes", `cn=a\"b\;c\<d\>e\=f`, `cn=a"b;c<d>e=f`},
		{"escaped backslash", `cn=a\\b,dc=x`, `cn=a\\b,dc=x`},
		{"escaped backslash before a separator", `cn=a\\,dc=x`, `cn=a\\,dc=x`},
		{"escaped spaces at the ends", `cn=\ a\ ,dc=x`, `cn=a,dc=x`},
		{"escaped number sign", `cn=\#5`, `cn=\#5`},
		{"BER", `1.3.6=#04024869`, `1.3.6=#04024869`},
		{"BER in capitals", `1.3.6=#04AB `, `1.3.6=#04ab`},
		{"decomposed letters", "cn=Mu\u0308ller", "cn=müller"},
		{"capitals beyond ASCII", "cn=ØSTERGÅRD,cn=ИВАНОВ", "cn=østergård,cn=иванов"},
		{"several values", "UID=1+CN=a,dc=x", "cn=a+uid=1,dc=x"},
		{"several values, other order", "cn=a + uid=1,dc=x", "cn=a+uid=1,dc=x"},
		{"escaped plus", `cn=a\+b`, `cn=a\+b`},
		{"empty value", "cn=,dc=x", "cn=,dc=x"},
		{"equals sign in a value", "cn=a=b", "cn=a=b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := NormalDN(test.in)
			if err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestNormalDNRefuses(t *testing.T) {
	for _, dn := range []string{
		"", " ", "x", "=x", "cn=a,", ",cn=a", "cn=a,,dc=x", "cn=a+", "c n=a", "cn;x=a",
		`cn=a\`, `cn=a\x`, `cn=\FF`, `cn=\C3`, "cn=\xff", "cn=#", "cn=#0", "cn=#zz",
		"cn=" + strings.Repeat("a", MaxDN),
	} {
		if got, err := NormalDN(dn); err != ErrDN {
			t.Errorf("%.40q: got %.40q, %v; want ErrDN", dn, got, err)
		}
	}
}

// TestNormalDNTellsApart holds pairs that must stay two names.
func TestNormalDNTellsApart(t *testing.T) {
	for _, pair := range [][2]string{
		{`cn=a\,b`, `cn=a,cn=b`},
		{`cn=a\,dc=x`, `cn=a,dc=x`},
		{`cn=a\+cn=b`, `cn=a+cn=b`},
		{`cn=\#04`, `cn=#04`},
		{`cn=a\\2c`, `cn=a\2c`},
		{`cn=a b`, `cn=ab`},
		{`cn=Jörg`, `cn=Jorg`},
	} {
		a, errA := NormalDN(pair[0])
		b, errB := NormalDN(pair[1])
		if errA != nil || errB != nil || a == b {
			t.Errorf("%q and %q: got %q, %q (%v, %v)", pair[0], pair[1], a, b, errA, errB)
		}
	}
}
