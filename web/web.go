// Package web carries the built app inside the program and serves it.
//
// It decides how the files reach a browser: compression, caching, and the
// security policy of the page. It must never serve anything that depends on who
// asks, and never answer for the API's addresses.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// dist holds the built app, or only the file .keep before the first build.
//
//go:embed all:dist
var dist embed.FS

// BuildHeader names the build in every answer of Handler. The service worker
// takes nothing for a part of the app that does not carry it: a network's own
// sign-in page answers every address too.
const BuildHeader = "Parley-Build"

// policy lets the page load and run its own files and nothing else. Inline
// scripts, inline styles and strings that become code are all refused; the one
// Trusted Types policy is for registering the service worker.
var policy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' blob: data:",
	"connect-src 'self'",
	"manifest-src 'self'",
	"worker-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types parley-sw",
}, "; ")

// SetSecurityHeaders sets the headers that every page of the app is served with:
// the content security policy, no location, no referrer, no sniffing, no other
// origin's window.
func SetSecurityHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Permissions-Policy", "geolocation=(), camera=(self), microphone=(self)")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// types are the media types of the files that a build consists of. They do not
// depend on the machine's own table.
var types = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

// file is one file of the app, ready to be sent.
type file struct {
	kind   string // media type
	plain  []byte
	brotli []byte // nil: not compressed
	tag    string // strong entity tag of plain, without quotes
}

// app is a build.
type app struct {
	build string
	files map[string]file
}

var errNotBuilt = errors.New("the web app is not built")

// Build names the embedded build: 16 hexadecimal digits of a hash of its
// content. It is empty when there is none.
func Build() string {
	name, err := fs.ReadFile(dist, "dist/build.txt")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// Handler serves the embedded build at "/". Files under /assets/ carry a hash in
// their names and may be kept for ever; everything else is revalidated. An
// unknown address gets the app's page when a browser navigates to it, and 404
// otherwise; addresses under /api/, /assets/ and /.well-known/ always get 404.
// Without a build every address answers 503 with a sentence that says what to do.
func Handler() http.Handler {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		return notBuilt(err)
	}
	return handlerFor(root)
}

func handlerFor(root fs.FS) http.Handler {
	a, err := load(root)
	if err != nil {
		return notBuilt(err)
	}
	return a
}

func notBuilt(cause error) http.Handler {
	text := "The web app is missing from this program. Run `make build`.\n"
	if !errors.Is(cause, errNotBuilt) {
		text = "The web app in this program cannot be read. Run `make build`.\n"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		SetSecurityHeaders(w.Header())
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, text, http.StatusServiceUnavailable)
	})
}

// load reads a build into memory.
func load(root fs.FS) (*app, error) {
	if _, err := fs.Stat(root, "index.html"); err != nil {
		return nil, errNotBuilt
	}
	a := &app{files: map[string]file{}}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) == ".br" || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		f, err := read(root, name)
		if err != nil {
			return err
		}
		a.files[name] = f
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the web app: %w", err)
	}
	a.build = strings.TrimSpace(string(a.files["build.txt"].plain))
	return a, nil
}

func read(root fs.FS, name string) (file, error) {
	plain, err := fs.ReadFile(root, name)
	if err != nil {
		return file{}, err
	}
	brotli, err := fs.ReadFile(root, name+".br")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return file{}, err
	}
	kind := types[path.Ext(name)]
	if kind == "" {
		kind = "application/octet-stream"
	}
	sum := sha256.Sum256(plain)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	return file{kind: kind, plain: plain, brotli: brotli, tag: tag}, nil
}

// ServeHTTP serves one file.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	SetSecurityHeaders(h)
	h.Set(BuildHeader, a.build)
	h.Set("Cache-Control", "no-cache")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name, ok := a.find(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	a.files[name].send(w, r)
}

// find says which file answers a request.
func (a *app) find(r *http.Request) (string, bool) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		return "index.html", true
	}
	if _, ok := a.files[name]; ok {
		return name, true
	}
	for _, prefix := range []string{"api/", "assets/", ".well-known/"} {
		if strings.HasPrefix(name+"/", prefix) {
			return "", false
		}
	}
	return "index.html", navigates(r)
}

// navigates reports whether a person opens the address, as opposed to a page
// that loads something.
func navigates(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

func (f file) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	content, tag := f.plain, f.tag
	if f.brotli != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsBrotli(r.Header.Get("Accept-Encoding")) {
			content, tag = f.brotli, f.tag+"-br"
			h.Set("Content-Encoding", "br")
			// ServeContent leaves the length of an encoded body to its caller.
			h.Set("Content-Length", strconv.Itoa(len(content)))
			// A range of the encoded bytes is of no use to anybody.
			r = r.Clone(r.Context())
			r.Header.Del("Range")
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// acceptsBrotli reads Accept-Encoding (RFC 9110 §12.5.3): "br" or "*" with a
// weight other than zero. A "br" of its own decides over "*".
func acceptsBrotli(header string) bool {
	wildcard := false
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		weight := strings.ToLower(strings.ReplaceAll(params, " ", ""))
		wanted := !strings.HasPrefix(weight, "q=0") || strings.Trim(weight[len("q=0"):], ".0") != ""
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "br":
			return wanted
		case "*":
			wildcard = wanted
		}
	}
	return wildcard
}
