package server

import "testing"

func TestOriginOf(t *testing.T) {
	for _, test := range []struct{ url, want string }{
		{"https://parley.example.com", "https://parley.example.com"},
		{"https://Parley.Example.COM/", "https://parley.example.com"},
		{"https://parley.example.com:443", "https://parley.example.com"},
		{"http://parley.example.com:80/", "http://parley.example.com"},
		{"https://parley.example.com:8443", "https://parley.example.com:8443"},
		{"http://parley.example.com:443", "http://parley.example.com:443"},
		{"https://[2001:db8::1]:443", "https://[2001:db8::1]"},
	} {
		if got := originOf(test.url); got != test.want {
			t.Errorf("originOf(%q) = %q, want %q", test.url, got, test.want)
		}
	}
}
