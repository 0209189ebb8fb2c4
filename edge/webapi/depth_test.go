package webapi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestTooDeep(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct {
		name string
		text string
		want bool
	}{
		{"nothing", "", false},
		{"flat", `{"a":1}`, false},
		{"at the limit", nested(maxDepth), false},
		{"past the limit", nested(maxDepth + 1), true},
		{"objects count too", strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1), true},
		{"side by side", strings.Repeat("[],", 1000), false},
		{"inside a string", `{"a":"` + strings.Repeat("[", 100) + `"}`, false},
		{"after an escaped quote", `{"a":"\"` + strings.Repeat("[", 100) + `"}`, false},
		{"after an escaped backslash", `{"a":"\\"` + strings.Repeat("[", 100), true},
		{"never closed", strings.Repeat("[", 1<<16), true},
		{"an escape at the end", `"\`, false},
	}
	for _, test := range tests {
		if got := tooDeep([]byte(test.text), maxDepth); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// FuzzTooDeep compares the scanner with the standard library's tokens.
func FuzzTooDeep(f *testing.F) {
	f.Add([]byte(`{"a":[1,"[[",{"b":"\"{"}]}`))
	f.Add([]byte(strings.Repeat("[", 20) + strings.Repeat("]", 20)))
	f.Add([]byte(`"\\"`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got := tooDeep(text, maxDepth)
		if !json.Valid(text) {
			return
		}
		if want := deepest(text) > maxDepth; got != want {
			t.Errorf("tooDeep(%q) = %v, want %v", text, got, want)
		}
	})
}

// deepest is the nesting of valid JSON.
func deepest(text []byte) int {
	d := json.NewDecoder(bytes.NewReader(text))
	depth, most := 0, 0
	for {
		token, err := d.Token()
		if err != nil {
			return most
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			most = max(most, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}
