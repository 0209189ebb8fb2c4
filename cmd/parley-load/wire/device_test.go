package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// hearing notes what a device is told.
type hearing struct {
	heard   []string
	applied int
}

func (h *hearing) Heard(e *Event) {
	h.heard = append(h.heard, strings.TrimSpace(string(e.Type)+" "+string(e.Cursor)))
}

func (h *hearing) Applied() { h.applied++ }

// script is the server's side of a socket: what it sends, and what it waits for,
// which begins with "<".
type script []string

func (s script) play(t *testing.T, conn net.Conn, r *bufio.Reader) {
	for _, line := range s {
		want, waits := strings.CutPrefix(line, "<")
		if !waits {
			conn.Write(served(opText, []byte(line)))
			continue
		}
		got, err := clientFrame(r)
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("the device sent %q, %v; want %q", got, err, want)
			return
		}
	}
}

// clientFrame reads a short frame of a client, which is masked with zeros.
func clientFrame(r *bufio.Reader) (string, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", err
	}
	size := int(head[1] & 0x7f)
	if size == 126 {
		var long [2]byte
		if _, err := io.ReadFull(r, long[:]); err != nil {
			return "", err
		}
		size = int(long[0])<<8 | int(long[1])
	}
	frame := make([]byte, 4+size)
	if _, err := io.ReadFull(r, frame); err != nil {
		return "", err
	}
	return string(frame[4:]), nil
}

// follow runs a device against a script. pages are the answers of syncs, by the
// cursor that they are asked with.
func follow(t *testing.T, s script, pages map[string]string) (*Device, *hearing) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/sync", func(w http.ResponseWriter, r *http.Request) {
		page, known := pages[r.URL.Query().Get("after")]
		if !known || r.Header.Get("Authorization") != "Bearer secret" {
			http.Error(w, "no such cursor", http.StatusUnprocessableEntity)
			return
		}
		io.WriteString(w, page)
	})
	mux.HandleFunc("GET /api/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		answerShake(conn, r)
		s.play(t, conn, rw.Reader)
		conn.Write(served(opClose, []byte{0x03, 0xe9}))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	h := &hearing{}
	d, err := Open(t.Context(), Where{Addr: server.Listener.Addr().String(), From: netip.MustParseAddr("127.0.0.3")}, "secret", h)
	if err != nil {
		t.Fatal(err)
	}
	d.Run()
	return d, h
}

const welcome = `[{"type":"welcome","person":"p1","device":"d1","cursor":"c0"}]`

func entry(prev, cursor string) string {
	return fmt.Sprintf(`{"type":"entry","prev":%q,"cursor":%q,"body":""}`, prev, cursor)
}

func TestDeviceAcknowledgesOnceAFrame(t *testing.T) {
	d, h := follow(t, script{
		`<"hello"`, welcome,
		"[" + entry("c0", "c1") + "," + entry("c1", "c2") + `,{"type":"accepted","prev":"c2","cursor":"c3"}]`, `<{"type":"ack","cursor":"c3"}`,
		`[{"type":"presence","person":"p2"}]`,
		"[" + entry("c3", "c4") + "]", `<{"type":"ack","cursor":"c4"}`,
	}, nil)
	if want := []string{"welcome c0", "entry c1", "entry c2", "accepted c3", "presence", "entry c4"}; !slices.Equal(h.heard, want) {
		t.Errorf("heard %q, want %q", h.heard, want)
	}
	if h.applied != 3 || d.Gaps() != 0 || d.Person != "p1" || d.Name != "d1" {
		t.Errorf("%d frames applied, %d gaps, %s on %s", h.applied, d.Gaps(), d.Person, d.Name)
	}
	if closed, ok := errors.AsType[Closed](d.Err()); !ok || closed.Code != 1001 {
		t.Errorf("ended with %v", d.Err())
	}
}

// TestDeviceSyncs shows that a device that is told of a gap, or finds one itself,
// fetches what it lacks and takes nothing twice.
func TestDeviceSyncs(t *testing.T) {
	pages := map[string]string{
		"c0": `{"entries":[{"type":"entry","cursor":"c1"}],"cursor":"c1","more":true}`,
		"c1": `{"entries":[{"type":"entry","cursor":"c2"},{"type":"entry","cursor":"c3"}],"cursor":"c3","more":false}`,
	}
	for name, cause := range map[string]string{"told": `[{"type":"gap"}]`, "found": "[" + entry("c2", "c3") + "]"} {
		t.Run(name, func(t *testing.T) {
			d, h := follow(t, script{
				`<"hello"`, welcome, cause, `<{"type":"resume","cursor":"c3"}`, `<{"type":"ack","cursor":"c3"}`,
				"[" + entry("c1", "c2") + "]", // from before the resume was read
				"[" + entry("c3", "c4") + "]", `<{"type":"ack","cursor":"c4"}`,
			}, pages)
			var entries []string
			for _, one := range h.heard {
				if strings.HasPrefix(one, "entry") {
					entries = append(entries, one)
				}
			}
			if want := []string{"entry c1", "entry c2", "entry c3", "entry c4"}; !slices.Equal(entries, want) || d.Gaps() != 1 {
				t.Errorf("heard %q with %d gaps, want %q", entries, d.Gaps(), want)
			}
		})
	}
}

func TestDeviceEndsWhenItCannotSync(t *testing.T) {
	d, _ := follow(t, script{`<"hello"`, welcome, `[{"type":"gap"}]`}, nil)
	if err := d.Err(); err == nil || !strings.Contains(err.Error(), "syncing") {
		t.Errorf("ended with %v", err)
	}
}

func TestAppendMessageAndWatch(t *testing.T) {
	const want = `{"type":"send","kind":"message","content":"text.v1","conversation":"p1.p2","client_id":"i","body":"eCA="}`
	if got := string(AppendMessage(nil, "p1.p2", "i", []byte("x "))); got != want {
		t.Errorf("got %s", got)
	}
	for want, people := range map[string][]string{
		`{"type":"watch","people":[]}`: nil, `{"type":"watch","people":["p1","p2"]}`: {"p1", "p2"},
	} {
		if got := string(appendWatch(nil, people)); got != want {
			t.Errorf("got %s", got)
		}
	}
}

// TestLine shows that a line keeps its connection, tells refusals, and comes back
// when the server has hung up.
func TestLine(t *testing.T) {
	var mu sync.Mutex
	var connections []string
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if !slices.Contains(connections, r.RemoteAddr) {
			connections = append(connections, r.RemoteAddr)
		}
		mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/refused":
			http.Error(w, "not you", http.StatusForbidden)
		case "/hang-up":
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.Close()
		default:
			fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL, r.Header.Get("Authorization"), body)
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	l, err := NewLine(server.Listener.Addr().String(), netip.Addr{}, time.Second*10)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 2 {
		if got, err := l.Do(t.Context(), "PUT", "/a?b=c", "token", []byte(`{"x":1}`)); err != nil || string(got) != `PUT /a?b=c Bearer token {"x":1}` {
			t.Errorf("got %s, %v", got, err)
		}
	}
	_, err = l.Do(t.Context(), "GET", "/refused", "", nil)
	if refused, ok := errors.AsType[*Refused](err); !ok || refused.Status != 403 || !strings.Contains(refused.Text, "not you") {
		t.Errorf("got %v", err)
	}
	if _, err := l.Do(t.Context(), "GET", "/hang-up", "", nil); err == nil {
		t.Error("no answer is no error")
	}
	if _, err := l.Do(t.Context(), "GET", "/", "", nil); err != nil {
		t.Errorf("after a hang-up: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(connections) != 3 { // one, one more try of what was hung up on, and a new one
		t.Errorf("%d connections", len(connections))
	}
}
