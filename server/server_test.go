package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"parley/server/demo"
)

// output takes what several goroutines write.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func testConfig(t *testing.T) Config {
	t.Helper()
	c := DefaultConfig()
	c.Addr, c.Data = "127.0.0.1:0", filepath.Join(t.TempDir(), "data")
	c.Organisation = OrganisationConfig{Name: "Example Ltd", Domains: []string{"example.test"}, DefaultDomain: "example.test", Region: "GB"}
	return c
}

// started is a server that runs in this process.
type started struct {
	*Server
	t    *testing.T
	out  *output // what it told whoever started it
	log  *output
	stop func() // stops it and waits, once
}

// serve starts a server and waits until it is ready.
func serve(t *testing.T, c Config) *started {
	t.Helper()
	s := &started{t: t, out: &output{}, log: &output{}}
	options := &slog.HandlerOptions{}
	if c.Level != nil {
		options.Level = c.Level
	}
	c.Out, c.Logger = s.out, slog.New(slog.NewTextHandler(s.log, options))
	server, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = server
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	t.Cleanup(s.stop)
	for deadline := time.Now().Add(30 * time.Second); !server.health.ready.Load(); {
		select {
		case err := <-ended:
			t.Fatalf("the server ended at once: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not get ready")
		}
	}
	return s
}

// get gets a path of the main address.
func (s *started) get(path string) (status int, body string) {
	s.t.Helper()
	answer, err := http.Get("http://" + s.Addr() + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// signIn signs in and returns the status.
func (s *started) signIn(address, password string) int {
	s.t.Helper()
	answer := s.postSignIn(address, password)
	answer.Body.Close()
	return answer.StatusCode
}

// token signs in and returns the device's token.
func (s *started) token(address, password string) string {
	s.t.Helper()
	answer := s.postSignIn(address, password)
	defer answer.Body.Close()
	var session struct{ Token string }
	if err := json.NewDecoder(answer.Body).Decode(&session); err != nil {
		s.t.Fatal(err)
	}
	return session.Token
}

func (s *started) postSignIn(address, password string) *http.Response {
	s.t.Helper()
	request, err := json.Marshal(map[string]any{
		"address": address, "password": password, "installation": strings.Repeat("A", 22), "device_name": "test",
		"device_class": "desktop", "time_zone": "Europe/Berlin", "token": true,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := http.Post("http://"+s.Addr()+"/api/session", "application/json", bytes.NewReader(request))
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

func TestDemoServesAtOnce(t *testing.T) {
	c := testConfig(t)
	c.Demo = true
	s := serve(t, c)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/api/about": 200, "/api/session": 401} {
		if status, _ := s.get(path); status != want {
			t.Errorf("%s answers %d, want %d", path, status, want)
		}
	}
	text := s.out.String()
	for _, want := range []string{"http://" + s.Addr(), demo.SignIn()[0], demo.SignIn()[1], demo.Password} {
		if !strings.Contains(text, want) {
			t.Errorf("what is told lacks %q:\n%s", want, text)
		}
	}
	for _, address := range demo.SignIn() {
		if status := s.signIn(address, demo.Password); status != 200 {
			t.Errorf("%s signs in with %d", address, status)
		}
	}
	if status := s.signIn(demo.SignIn()[0], "wrong password"); status != 401 {
		t.Errorf("a wrong password is answered with %d", status)
	}
	if _, figures := s.get("/metrics"); !strings.Contains(figures, "parley_sockets 0") || !strings.Contains(figures, "parley_store_commit_seconds_count") {
		t.Errorf("figures:\n%s", figures)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestDemoIsFilledInOnce(t *testing.T) {
	c := testConfig(t)
	c.Demo = true
	first := serve(t, c)
	count := strings.Count(first.out.String(), "@")
	if err := first.parts.accounts.SetPassword(t.Context(), commandLine, mustIdentity(t, first.parts, demo.SignIn()[0]), "something else"); err != nil {
		t.Fatal(err)
	}
	first.stop()
	again := serve(t, c)
	if status := again.signIn(demo.SignIn()[0], "something else"); status != 200 || count != 2 {
		t.Errorf("a changed password was reset: %d", status)
	}
	people, err := again.parts.listPeople(t.Context(), false)
	if err != nil || len(people) != len(demo.Members) {
		t.Errorf("%d people, error %v", len(people), err)
	}
	again.stop()

	// A program with another version of the organisation fills it in again.
	if err := os.WriteFile(filepath.Join(c.Data, demoMark), []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := serve(t, c)
	if status := newer.signIn(demo.SignIn()[0], "something else"); status != 200 {
		t.Errorf("a changed password was reset: %d", status)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestDemoAndRealDoNotMix(t *testing.T) {
	real := testConfig(t)
	s := serve(t, real)
	importText(t, s.parts, person("1", "ann", "Ann Example"))
	s.stop()
	asDemo := real
	asDemo.Demo = true
	if _, err := New(asDemo); err == nil || !strings.Contains(err.Error(), "holds a real organisation") {
		t.Errorf("error %v", err)
	}
	if IsDemo(real.Data) {
		t.Error("the real folder is marked as the demo's")
	}

	c := testConfig(t)
	c.Demo = true
	serve(t, c).stop()
	c.Demo = false
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), "holds the demo organisation") {
		t.Errorf("error %v", err)
	}
}

func TestOneServerAFolder(t *testing.T) {
	c := testConfig(t)
	serve(t, c)
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("error %v", err)
	}
}

func TestAddressInUse(t *testing.T) {
	s := serve(t, testConfig(t))
	c := testConfig(t)
	c.Addr = s.Addr()
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("error %v", err)
	}
	c.Addr = "127.0.0.1:0"
	serve(t, c) // nothing of the failed one is left
}

// A request that is under way when the server stops is finished.
func TestRequestsUnderWayAreFinished(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	e, err := listen("test", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-release
		io.WriteString(w, "finished")
	}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served, answered := make(chan error, 1), make(chan string, 1)
	go func() { served <- e.serve(ctx) }()
	go func() {
		answer, err := http.Get("http://" + e.listener.Addr().String())
		if err != nil {
			answered <- err.Error()
			return
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		answered <- string(text)
	}()
	<-begun
	cancel()
	close(release)
	if got := <-answered; got != "finished" {
		t.Errorf("got %s", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// closeCode waits for a socket's close code.
type closeCode struct {
	gws.BuiltinEventHandler
	code chan uint16
}

// OnClose implements gws.Event.
func (c closeCode) OnClose(_ *gws.Conn, err error) {
	if closed, ok := errors.AsType[*gws.CloseError](err); ok {
		c.code <- closed.Code
		return
	}
	c.code <- 0
}

// Open sockets are told that the server goes away, so that apps come back.
func TestShutdownTellsSockets(t *testing.T) {
	c := testConfig(t)
	c.Demo = true
	s := serve(t, c)
	token := s.token(demo.SignIn()[0], demo.Password)
	handler := closeCode{code: make(chan uint16, 1)}
	socket, _, err := gws.NewClient(handler, &gws.ClientOption{
		Addr: "ws://" + s.Addr() + "/api/ws", RequestHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err != nil {
		t.Fatal(err)
	}
	go socket.ReadLoop() // ends with the socket
	s.stop()
	if code := <-handler.code; code != 1001 {
		t.Errorf("close code %d", code)
	}
	http.DefaultClient.CloseIdleConnections()
}

// Stopping an idle server takes no time, and frees the folder.
func TestShutdown(t *testing.T) {
	s := serve(t, testConfig(t))
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if _, err := http.Get("http://" + s.Addr() + "/healthz"); err == nil {
		t.Error("still answers")
	}
	if s.health.ready.Load() {
		t.Error("still ready")
	}
	serve(t, s.config).stop() // the folder is free again
}

func TestLANServesBothPages(t *testing.T) {
	c := testConfig(t)
	c.Demo, c.LAN, c.LANPage = true, true, "127.0.0.1:0"
	s := serve(t, c)
	answer, err := http.Get("http://" + s.page.listener.Addr().String() + "/parley.crt")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	pem, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("the page serves no certificate")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	secure, err := client.Get(fmt.Sprintf("https://127.0.0.1:%s/readyz", portOf(s.main.listener)))
	if err != nil {
		t.Fatal(err)
	}
	secure.Body.Close()
	if secure.StatusCode != 200 || secure.TLS == nil {
		t.Errorf("status %d", secure.StatusCode)
	}
	if text := s.out.String(); !strings.Contains(text, "/trust") && !strings.Contains(text, "no address in a private network") {
		t.Errorf("told:\n%s", text)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestMetricsOnAnAddressOfTheirOwn(t *testing.T) {
	c := testConfig(t)
	c.Metrics.Listen = "127.0.0.1:0"
	s := serve(t, c)
	if status, body := s.get("/metrics"); status == 200 && strings.Contains(body, "parley_sockets") {
		t.Error("the main address gives figures too")
	}
	answer, err := http.Get("http://" + s.endpoints[1].listener.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Errorf("status %d", answer.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestProfiles shows that profiles are there when they are asked for, on the
// address of the figures and nowhere else.
func TestProfiles(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	for _, on := range []bool{false, true} {
		c := testConfig(t)
		c.Metrics.Listen, c.Metrics.Profiles = "127.0.0.1:0", on
		s := serve(t, c)
		if _, body := s.get("/debug/pprof/heap?debug=1"); strings.Contains(body, "heap profile") {
			t.Errorf("profiles = %v: the main address gives profiles", on)
		}
		answer, err := http.Get("http://" + s.endpoints[1].listener.Addr().String() + "/debug/pprof/heap?gc=1&debug=1")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.StatusCode == 200 && strings.Contains(string(body), "heap profile"); got != on {
			t.Errorf("profiles = %v: the figures' address answers %s", on, answer.Status)
		}
	}
}

func TestTLSFiles(t *testing.T) {
	c := testConfig(t)
	dir := t.TempDir()
	c.TLS = TLSConfig{Mode: TLSFiles, Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	writeCertificate(t, c.TLS.Cert, c.TLS.Key, "parley.example")
	s := serve(t, c)
	pem, err := os.ReadFile(c.TLS.Cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "parley.example"}}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("https://" + s.Addr() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 || !strings.HasPrefix(s.URL(), "https://") || answer.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("status %d at %s, %v", answer.StatusCode, s.URL(), answer.Header)
	}
}
