// Package radicale gives a test a Radicale server of its own: a real server of
// address books (CardDAV), as a plain process on the loopback address.
//
// It never touches a server that it did not start.
package radicale

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startTime is how long the server may take to answer.
const startTime = 30 * time.Second

const config = `[server]
hosts = %s
max_connections = 50
[auth]
type = htpasswd
htpasswd_filename = %s
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = %s
[rights]
type = owner_only
[logging]
level = error
`

// Server is a running server.
type Server struct {
	URL    string // http, with a slash at the end
	Folder string // where it keeps collections
}

// Start starts a server with some users ("name:password"), for as long as the
// test. Without Radicale on the machine the test is skipped.
func Start(t testing.TB, users ...string) *Server {
	t.Helper()
	program, err := exec.LookPath("radicale")
	if err != nil {
		t.Skip("Radicale is not installed; on Debian: apt-get install radicale")
	}
	dir := t.TempDir()
	address := freeAddress(t)
	s := &Server{URL: "http://" + address + "/", Folder: filepath.Join(dir, "collections")}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("users", strings.Join(users, "\n")+"\n")
	var said bytes.Buffer
	command := exec.Command(program, "-C", write("config", fmt.Sprintf(config, address, file, s.Folder)))
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-ended
	})
	s.await(t, ended, &said)
	return s
}

// await returns when the server answers.
func (s *Server) await(t testing.TB, ended <-chan struct{}, said *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimSuffix(strings.TrimPrefix(s.URL, "http://"), "/"))
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("Radicale ended: %s", said)
		case <-ctx.Done():
			t.Fatal("Radicale does not answer")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// MakeBook makes an address book for a user.
func (s *Server) MakeBook(t testing.TB, user, password, book string) {
	t.Helper()
	s.send(t, "MKCOL", user, password, user+"/"+book+"/", "application/xml", `<d:mkcol xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:set><d:prop><d:resourcetype><d:collection/><c:addressbook/></d:resourcetype></d:prop></d:set></d:mkcol>`)
}

// Put puts a vCard into an address book.
func (s *Server) Put(t testing.TB, user, password, book, name, card string) {
	t.Helper()
	s.send(t, http.MethodPut, user, password, user+"/"+book+"/"+name, "text/vcard", card)
}

// PutBook makes an address book with all its cards at once.
func (s *Server) PutBook(t testing.TB, user, password, book, cards string) {
	t.Helper()
	s.send(t, http.MethodPut, user, password, user+"/"+book+"/", "text/vcard", cards)
}

// Delete takes a card out of it.
func (s *Server) Delete(t testing.TB, user, password, book, name string) {
	t.Helper()
	s.send(t, http.MethodDelete, user, password, user+"/"+book+"/"+name, "", "")
}

func (s *Server) send(t testing.TB, method, user, password, path, kind, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(user, password)
	r.Header.Set("Content-Type", kind)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s", method, path, answer.Status)
	}
}
