package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// chatServer is as much of an XMPP server as the scenarios need: it signs everybody
// in, delivers messages, and tells everybody of everybody's presence.
type chatServer struct {
	mu      sync.Mutex
	streams map[string]net.Conn // by full address
}

// startChat starts one and gives its address.
func startChat(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &chatServer{streams: map[string]net.Conn{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	return listener.Addr().String()
}

// What a client sends, one piece at a time.
var (
	chatPiece = regexp.MustCompile(`(?s)^(<\?xml[^>]*>)?<stream:stream [^>]*>|^<auth .*?</auth>|^<iq .*?</iq>|^<presence/>|^<presence>.*?</presence>|^<message .*?</message>`)
	chatTo    = regexp.MustCompile(`to='([^']*)'`)
	chatAuth  = regexp.MustCompile(`mechanism='PLAIN'>([^<]*)<`)
)

func (s *chatServer) serve(conn net.Conn) {
	defer conn.Close()
	var buf []byte
	user, address := "", ""
	room := make([]byte, 4096)
	for {
		n, err := conn.Read(room)
		if err != nil {
			s.mu.Lock()
			delete(s.streams, address)
			s.mu.Unlock()
			return
		}
		buf = append(buf, room[:n]...)
		for piece := chatPiece.Find(buf); piece != nil; piece = chatPiece.Find(buf) {
			s.take(conn, string(piece), &user, &address)
			buf = buf[len(piece):]
		}
	}
}

// take deals with one piece.
func (s *chatServer) take(conn net.Conn, piece string, user, address *string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case strings.Contains(piece, "<stream:stream"):
		io.WriteString(conn, "<?xml version='1.0'?><stream:stream><stream:features/>")
	case strings.HasPrefix(piece, "<auth"):
		var secret []byte
		json.Unmarshal([]byte(`"`+chatAuth.FindStringSubmatch(piece)[1]+`"`), &secret) // base64
		*user = string(bytes.Split(secret, []byte{0})[1])
		io.WriteString(conn, "<success/>")
	case strings.Contains(piece, "<bind"):
		*address = *user + "@localhost/load"
		s.streams[*address] = conn
		fmt.Fprintf(conn, "<iq type='result'><bind><jid>%s</jid></bind></iq>", *address)
	case strings.HasPrefix(piece, "<iq"):
		io.WriteString(conn, "<iq type='result'/>")
	case strings.HasPrefix(piece, "<presence"):
		inner := strings.TrimPrefix(strings.TrimPrefix(piece, "<presence>"), "<presence/>")
		for _, other := range s.streams {
			fmt.Fprintf(other, "<presence from='%s'>%s", *address, strings.TrimSuffix(inner, "</presence>")+"</presence>")
		}
	case strings.HasPrefix(piece, "<message"):
		if to := s.streams[chatTo.FindStringSubmatch(piece)[1]]; to != nil {
			io.WriteString(to, strings.Replace(piece, "<message", "<message from='"+*address+"'", 1))
		}
	}
}

// TestOtherServers shows that the scenarios measure a server that speaks XMPP.
func TestOtherServers(t *testing.T) {
	t.Parallel()
	addr := startChat(t)
	pid := fmt.Sprint(os.Getpid())
	for _, args := range [][]string{
		{"messages", "--pairs", "2", "--window", "3", "--duration", "200ms", "--rates", "100"},
		{"reconnect", "--people", "20", "--rounds", "1"},
		{"fanout", "--people", "81", "--rounds", "3"},
		{"storm", "--people", "20", "--rounds", "1"},
		{"idle", "--people", "20", "--settle", "50ms"},
	} {
		results := load(t, append(args, "--xmpp", addr, "--pid", pid, "--label", "chat")...)
		if len(results) == 0 {
			t.Errorf("%s: no results", args[0])
		}
		for _, r := range results {
			if r.Server != "chat" || r.Metrics["lost"] != 0 || len(r.Metrics) < 3 {
				t.Errorf("%s: %+v", args[0], r)
			}
		}
	}
	var out, errs bytes.Buffer
	for _, args := range [][]string{{"search", "--xmpp", addr}, {"messages", "--xmpp", addr, "--url", "http://127.0.0.1:1", "--tokens", "x"}} {
		if code := run(t.Context(), &out, &errs, args); code != exitUsage {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
	if code := run(t.Context(), &out, &errs, []string{"messages", "--xmpp", "192.0.2.1:5222"}); code != exitFailed || !strings.Contains(errs.String(), "loopback") {
		t.Errorf("another machine: %d %s", code, &errs)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for form, file := range map[string]string{"portable": "", "prosody": "localhost/accounts/u89.dat"} {
		path := filepath.Join(folder, form)
		load(t, "accounts", "--form", form, "--provision", path, "--people", "90")
		if info, err := os.Stat(filepath.Join(path, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", form, err)
		}
		var out, errs bytes.Buffer
		if code := run(t.Context(), &out, &errs, []string{"accounts", "--form", form, "--provision", path}); code != exitUsage {
			t.Errorf("%s is written over: %d", form, code)
		}
	}
}
