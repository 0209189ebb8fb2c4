package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

var built = fstest.MapFS{
	".keep":                {Data: nil},
	"index.html":           {Data: []byte("<!doctype html>page")},
	"index.html.br":        {Data: []byte("squeezed page")},
	"build.txt":            {Data: []byte("0123456789abcdef")},
	"sw.js":                {Data: []byte("worker")},
	"manifest.webmanifest": {Data: []byte("{}")},
	"icons/icon-192.png":   {Data: []byte("png")},
	"assets/app-x1.js":     {Data: []byte("script")},
	"assets/app-x1.js.br":  {Data: []byte("squeezed")},
}

func get(t *testing.T, h http.Handler, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAddresses(t *testing.T) {
	h := handlerFor(built)
	const forever = "public, max-age=31536000, immutable"
	for _, c := range []struct {
		name, target string
		header       []string
		status       int
		kind, cache  string
		body         string
	}{
		{"root", "/", nil, 200, "text/html; charset=utf-8", "no-cache", "<!doctype html>page"},
		{"page by name", "/index.html", nil, 200, "text/html; charset=utf-8", "no-cache", "<!doctype html>page"},
		{"asset", "/assets/app-x1.js", nil, 200, "text/javascript; charset=utf-8", forever, "script"},
		{"worker", "/sw.js", nil, 200, "text/javascript; charset=utf-8", "no-cache", "worker"},
		{"manifest", "/manifest.webmanifest", nil, 200, "application/manifest+json", "no-cache", "{}"},
		{"icon", "/icons/icon-192.png", nil, 200, "image/png", "no-cache", "png"},
		{"navigation", "/anything", []string{"Sec-Fetch-Mode", "navigate"}, 200, "text/html; charset=utf-8", "no-cache", "<!doctype html>page"},
		{"navigation of an old browser", "/anything", []string{"Accept", "text/html,*/*"}, 200, "text/html; charset=utf-8", "no-cache", "<!doctype html>page"},
		{"not a navigation", "/anything.js", []string{"Sec-Fetch-Mode", "no-cors", "Accept", "text/html"}, 404, "", "no-cache", ""},
		{"no headers at all", "/anything", nil, 404, "", "no-cache", ""},
		{"unknown asset, opened", "/assets/gone.js", []string{"Sec-Fetch-Mode", "navigate"}, 404, "", "no-cache", ""},
		{"API, opened", "/api/about", []string{"Sec-Fetch-Mode", "navigate"}, 404, "", "no-cache", ""},
		{"API root, opened", "/api", []string{"Sec-Fetch-Mode", "navigate"}, 404, "", "no-cache", ""},
		{"well-known, opened", "/.well-known/parley", []string{"Sec-Fetch-Mode", "navigate"}, 404, "", "no-cache", ""},
		{"compressed twin by name", "/assets/app-x1.js.br", nil, 404, "", "no-cache", ""},
		{"hidden file", "/.keep", nil, 404, "", "no-cache", ""},
		{"climbing", "/assets/../../web.go", nil, 404, "", "no-cache", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := get(t, h, c.target, c.header...)
			if r.StatusCode != c.status {
				t.Fatalf("status %d, want %d", r.StatusCode, c.status)
			}
			if got := r.Header.Get("Cache-Control"); got != c.cache && c.status == 200 {
				t.Errorf("Cache-Control %q, want %q", got, c.cache)
			}
			if c.status != 200 {
				return
			}
			if got := r.Header.Get("Content-Type"); got != c.kind {
				t.Errorf("Content-Type %q, want %q", got, c.kind)
			}
			if got := body(t, r); got != c.body {
				t.Errorf("body %q, want %q", got, c.body)
			}
		})
	}
}

func TestEveryAnswerCarriesThePolicy(t *testing.T) {
	for name, h := range map[string]http.Handler{"built": handlerFor(built), "not built": handlerFor(fstest.MapFS{".keep": {}})} {
		for _, target := range []string{"/", "/sw.js", "/missing.js"} {
			t.Run(name+target, func(t *testing.T) {
				r := get(t, h, target)
				csp := r.Header.Get("Content-Security-Policy")
				for _, want := range []string{"default-src 'none'", "script-src 'self';", "require-trusted-types-for 'script'", "frame-ancestors 'none'"} {
					if !strings.Contains(csp, want) {
						t.Errorf("policy %q lacks %q", csp, want)
					}
				}
				if strings.Contains(csp, "unsafe") {
					t.Errorf("policy %q allows something unsafe", csp)
				}
				for key, want := range map[string]string{
					"X-Content-Type-Options":     "nosniff",
					"Referrer-Policy":            "no-referrer",
					"Cross-Origin-Opener-Policy": "same-origin",
					"Permissions-Policy":         "geolocation=(), camera=(self), microphone=(self)",
				} {
					if got := r.Header.Get(key); got != want {
						t.Errorf("%s: %q, want %q", key, got, want)
					}
				}
			})
		}
	}
}

func TestBuildHeaderOnEveryAnswerOfABuild(t *testing.T) {
	h := handlerFor(built)
	for _, target := range []string{"/", "/assets/app-x1.js", "/missing"} {
		if got := get(t, h, target).Header.Get(BuildHeader); got != "0123456789abcdef" {
			t.Errorf("%s: %s %q", target, BuildHeader, got)
		}
	}
}

func TestCompression(t *testing.T) {
	h := handlerFor(built)
	for _, c := range []struct {
		accept string
		br     bool
	}{
		{"", false},
		{"gzip, deflate", false},
		{"gzip, deflate, br, zstd", true},
		{"br;q=0.5", true},
		{"br;q=0", false},
		{"br; q=0.000", false},
		{"*", true},
		{"*;q=0", false},
		{"br;q=0, *", false},
		{"BR", true},
		{"brotli", false},
	} {
		t.Run(c.accept, func(t *testing.T) {
			r := get(t, h, "/assets/app-x1.js", "Accept-Encoding", c.accept)
			want := "script"
			if c.br {
				want = "squeezed"
			}
			if got := body(t, r); got != want {
				t.Errorf("body %q, want %q", got, want)
			}
			if got := r.Header.Get("Content-Encoding") == "br"; got != c.br {
				t.Errorf("Content-Encoding br: %v, want %v", got, c.br)
			}
			if r.Header.Get("Vary") != "Accept-Encoding" {
				t.Error("Vary is missing: a cache would mix the two up")
			}
			if got := r.Header.Get("Content-Length"); got != strconv.Itoa(len(want)) {
				t.Errorf("Content-Length %q, want %d", got, len(want))
			}
		})
	}
	if r := get(t, h, "/sw.js", "Accept-Encoding", "br"); r.Header.Get("Content-Encoding") != "" {
		t.Error("a file without a compressed twin was called compressed")
	}
}

func TestRevalidation(t *testing.T) {
	h := handlerFor(built)
	for _, accept := range []string{"", "br"} {
		tag := get(t, h, "/", "Accept-Encoding", accept).Header.Get("ETag")
		if tag == "" {
			t.Fatal("no ETag")
		}
		if got := get(t, h, "/", "Accept-Encoding", accept, "If-None-Match", tag).StatusCode; got != http.StatusNotModified {
			t.Errorf("encoding %q: status %d, want 304", accept, got)
		}
	}
	plain, br := get(t, h, "/").Header.Get("ETag"), get(t, h, "/", "Accept-Encoding", "br").Header.Get("ETag")
	if plain == br {
		t.Error("both encodings have one ETag")
	}
}

func TestMethods(t *testing.T) {
	h := handlerFor(built)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("POST: status %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/", nil))
	if w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("HEAD: status %d, %d bytes", w.Code, w.Body.Len())
	}
}

func TestWithoutABuild(t *testing.T) {
	r := get(t, handlerFor(fstest.MapFS{".keep": {}}), "/", "Sec-Fetch-Mode", "navigate")
	if r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", r.StatusCode)
	}
	if got := body(t, r); !strings.Contains(got, "make build") {
		t.Errorf("the page does not say what to do: %q", got)
	}
}

func TestEmbedded(t *testing.T) {
	r := get(t, Handler(), "/")
	switch {
	case Build() == "" && r.StatusCode != http.StatusServiceUnavailable:
		t.Errorf("without a build: status %d", r.StatusCode)
	case Build() != "" && r.Header.Get(BuildHeader) != Build():
		t.Errorf("%s %q, want %q", BuildHeader, r.Header.Get(BuildHeader), Build())
	}
}
