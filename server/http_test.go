package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley"
)

func TestFiguresAreForThisMachineOrTheToken(t *testing.T) {
	const token = parley.Secret("0123456789abcdef")
	tests := []struct {
		name   string
		token  parley.Secret
		peer   string
		header [2]string
		want   int
	}{
		{"loopback", "", "127.0.0.1:5", [2]string{}, 200},
		{"loopback of version 6", "", "[::1]:5", [2]string{}, 200},
		{"mapped loopback", "", "[::ffff:127.0.0.1]:5", [2]string{}, 200},
		{"elsewhere", "", "192.0.2.1:5", [2]string{}, 404},
		{"passed on by a proxy on this machine", "", "127.0.0.1:5", [2]string{"X-Forwarded-For", "192.0.2.1"}, 404},
		{"passed on, standard header", "", "127.0.0.1:5", [2]string{"Forwarded", "for=192.0.2.1"}, 404},
		{"no address", "", "@", [2]string{}, 404},
		{"token", token, "192.0.2.1:5", [2]string{"Authorization", "Bearer 0123456789abcdef"}, 200},
		{"wrong token", token, "192.0.2.1:5", [2]string{"Authorization", "Bearer 0123456789abcdee"}, 404},
		{"token needed on this machine too", token, "127.0.0.1:5", [2]string{}, 404},
		{"bare token", token, "192.0.2.1:5", [2]string{"Authorization", "0123456789abcdef"}, 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/metrics", nil)
			r.RemoteAddr = test.peer
			if test.header[0] != "" {
				r.Header.Set(test.header[0], test.header[1])
			}
			w := httptest.NewRecorder()
			figuresFor(test.token, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
			if w.Code != test.want {
				t.Errorf("status %d, want %d", w.Code, test.want)
			}
		})
	}
}

func TestRequestsAreCountedByRouteAndLoggedWithoutDetails(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	figures := newFigures("test")
	h := watched(http.NotFoundHandler(), newRouteNames(routePatterns()), figures, log)
	for _, path := range []string{"/api/people/alice@secret.example?q=secret", "/api/nothing/secret", "/people/secret"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	for _, want := range []string{`route="GET /api/people/{who}" status=404`, `route=unknown status=404`, `route=app status=404`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "secret") {
		t.Errorf("the log tells too much:\n%s", out.String())
	}
	w := httptest.NewRecorder()
	figures.handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if want := `parley_http_requests_total{route="GET /api/people/{who}",status="404"} 1`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("the figures lack %s", want)
	}
}

// Somebody who sends headers one byte at a time is cut off, and others are served
// meanwhile.
func TestSlowHeadersAreCutOff(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	e, err := listen("test", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }), log)
	if err != nil {
		t.Fatal(err)
	}
	if s := e.server; s.ReadHeaderTimeout != headerTime || s.ReadTimeout == 0 || s.WriteTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes != maxHeaderSize {
		t.Errorf("limits %v %v %v %v %d", s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout, s.MaxHeaderBytes)
	}
	e.server.ReadHeaderTimeout = 100 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- e.serve(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	slow, err := net.Dial("tcp", e.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow:"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get("http://" + e.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	slow.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadAll(slow); err != nil {
		t.Errorf("the slow connection is still open: %v", err)
	}
}

func TestReadiness(t *testing.T) {
	var h health
	status := func(f http.HandlerFunc) int {
		w := httptest.NewRecorder()
		f(w, httptest.NewRequest("GET", "/", nil))
		return w.Code
	}
	if status(h.readiness) != 503 || status(h.alive) != 200 {
		t.Error("ready before it is")
	}
	h.ready.Store(true)
	if status(h.readiness) != 200 {
		t.Error("not ready")
	}
}
