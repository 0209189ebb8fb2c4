package directory

import (
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"a name", "Müller, Jörg", "Müller, Jörg"},
		{"spaces at the ends", "  Ann \u00a0", "Ann"},
		{"decomposed", "Jo\u0308rg", "Jörg"},
		{"lines", "1 Poultry\r\nLondon", "1 Poultry  London"},
		{"control characters", "A\x00n\x1b[31mn\u0085", "An[31mn"},
		{"override", "Ann\u202egpj.exe", "Anngpj.exe"},
		{"isolates and marks", "\u2067Ann\u2069\u200f\u061c", "Ann"},
		{"zero-width space", "A\u200bnn\ufeff", "Ann"},
		{"tag characters", "Ann\U000e0041", "Ann"},
		{"joiner in Persian", "نمی\u200cدانم", "نمی\u200cدانم"},
		{"joined emoji", "👩\u200d💻", "👩\u200d💻"},
		{"right-to-left name", "محمد الفارسي", "محمد الفارسي"},
		{"nothing visible", "\u200b \x00", ""},
		{"too long", strings.Repeat("ä", 300), strings.Repeat("ä", 256)},
		{"too long, cut at a space", strings.Repeat("ä", 255) + " b", strings.Repeat("ä", 255)},
		{"far too long", strings.Repeat("日", 10_000), strings.Repeat("日", 256)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := clean(test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAddress(t *testing.T) {
	good := map[string]string{
		"ann@example.test":        "ann@example.test",
		" Ann.X@EXAMPLE.test ":    "ann.x@example.test",
		"jörg@exämple.test":       "jörg@exämple.test",
		"JO\u0308RG@example.test": "jörg@example.test",
		"o'neill+x@corp":          "o'neill+x@corp",
	}
	for in, want := range good {
		if got, ok := address(in); !ok || got != want {
			t.Errorf("%q: got %q, %v; want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{
		"", "ann", "@example.test", "ann@", "a@b@c", "a b@c", "a@b c", "<a@b>", "a,b@c", `"a"@b`, "a@[127.0.0.1]",
		"a@.b", "a@b.", "a@b/c", "a\u200b@b", "a\u202e@b", "a\x00@b", "a\xff@b",
		strings.Repeat("a", 250) + "@b.test",
	} {
		if got, ok := address(in); ok {
			t.Errorf("%q: taken for the address %q", in, got)
		}
	}
}
