package contact

import (
	"encoding/json"
	"os"
	"testing"
)

// TestIdentifier runs the cases that the web app's twin runs, too.
func TestIdentifier(t *testing.T) {
	data, err := os.ReadFile("testdata/merge/identifiers.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Text, Identifier string }
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got := Identifier(c.Text)
		if got != c.Identifier {
			t.Errorf("Identifier(%q) = %q, want %q", c.Text, got, c.Identifier)
		}
		if again := Identifier(got); again != got {
			t.Errorf("Identifier(%q) = %q: not the same again", got, again)
		}
	}
}

// FuzzIdentifier holds that an identifier is its own.
func FuzzIdentifier(f *testing.F) {
	for _, s := range []string{"Alice <sip:alice@bücher.example>", "mailto:a%40b@c", "用户@例子。example", "İ@ẞ.example", "a@xn--a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Identifier(s)
		if again := Identifier(once); again != once {
			t.Fatalf("Identifier(%q) = %q, of which it is %q", s, once, again)
		}
	})
}
