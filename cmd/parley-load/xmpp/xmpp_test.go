package xmpp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestStreamParts(t *testing.T) {
	const text = "<?xml version='1.0'?>\n<stream:stream id='a>b' from=\"it's\">" +
		"<stream:features><a b='/>'/><c></c></stream:features> \n\n" +
		"<presence from='u1@localhost/load'/><message id='1'><body>a &lt; b</body></message><r/></stream:stream>"
	want := []string{
		"<stream:stream id='a>b' from=\"it's\">", "<stream:features><a b='/>'/><c></c></stream:features>",
		"<presence from='u1@localhost/load'/>", "<message id='1'><body>a &lt; b</body></message>", "<r/>",
	}
	for name, from := range map[string]io.Reader{
		"whole": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)), "in halves": iotest.HalfReader(strings.NewReader(text)),
	} {
		s := stream{from: from}
		for _, part := range want {
			if got, err := s.part(); err != nil || string(got) != part {
				t.Fatalf("%s: got %q, %v, want %q", name, got, err, part)
			}
		}
		if _, err := s.part(); err != io.EOF {
			t.Errorf("%s: the end is %v", name, err)
		}
	}
}

func TestStreamGrowsWithinItsBound(t *testing.T) {
	long := "<message><body>" + strings.Repeat("x", 200_000) + "</body></message>"
	s := stream{from: strings.NewReader(long + long)}
	for range 2 {
		if got, err := s.part(); err != nil || string(got) != long {
			t.Fatalf("got %d bytes, %v", len(got), err)
		}
	}
	s = stream{from: strings.NewReader("<message>" + strings.Repeat("x", 2*largestStanza))}
	if _, err := s.part(); err == nil || err == io.EOF {
		t.Errorf("a stanza without end: %v", err)
	}
}

func TestStanzas(t *testing.T) {
	stanza := []byte(`<presence xml:from='no' to = "from='no'" from='u7@localhost/load' x="1"><show>away</show><status>it&apos;s me</status></presence>`)
	for name, want := range map[string]string{"from": "u7@localhost/load", "to": "from='no'", "x": "1", "show": ""} {
		if got := string(attribute(stanza, name)); got != want {
			t.Errorf("attribute %s is %q", name, got)
		}
	}
	for name, want := range map[string]string{"status": "it's me", "show": "away", "body": ""} {
		if got := string(content(stanza, name)); got != want {
			t.Errorf("content of %s is %q", name, got)
		}
	}
	if !named(stanza, "presence") || named(stanza, "pres") || named([]byte("<presence"), "presence") || !named([]byte("<r/>"), "r") {
		t.Error("names are not recognised")
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte("<stream:stream><a b='>'><c/></a><d/></stream:stream>"))
	f.Add([]byte("<a></a></a>"))
	f.Add([]byte("<><!-- -->"))
	f.Fuzz(func(t *testing.T, text []byte) {
		whole, single := stream{from: bytes.NewReader(text)}, stream{from: iotest.OneByteReader(bytes.NewReader(text))}
		for range len(text) + 1 {
			a, errA := whole.part()
			b, errB := single.part()
			if !bytes.Equal(a, b) || (errA == nil) != (errB == nil) {
				t.Fatalf("%q: %q %v, byte by byte %q %v", text, a, errA, b, errB)
			}
			if errA != nil {
				return
			}
			if len(a) == 0 || a[0] != '<' || a[len(a)-1] != '>' {
				t.Fatalf("%q: part %q", text, a)
			}
			attribute(a, "from")
			content(a, "body")
			Number(attribute(a, "from"))
		}
		t.Fatalf("%q has no end", text)
	})
}

// heard are ears that remember.
type heard struct{ lines []string }

func (h *heard) Message(from, text []byte) {
	h.lines = append(h.lines, fmt.Sprintf("%s: %s", from, text))
}
func (h *heard) Presence(from, note []byte) {
	h.lines = append(h.lines, fmt.Sprintf("%s is %s", from, note))
}
func (h *heard) Applied() { h.lines = append(h.lines, "applied") }

// server plays a script against one client: what it waits for, and what it answers.
func server(t *testing.T, script [][2]string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		r := bufio.NewReader(conn)
		for _, step := range script {
			var got strings.Builder
			for !strings.Contains(got.String(), step[0]) {
				c, err := r.ReadByte()
				if err != nil {
					t.Errorf("waiting for %q: %v after %q", step[0], err, got.String())
					return
				}
				got.WriteByte(c)
			}
			io.WriteString(conn, step[1])
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return listener.Addr().String()
}

// signIn is how a server answers a sign-in.
var signIn = [][2]string{
	{"to='localhost'>", "<?xml version='1.0'?><stream:stream id='1'><stream:features><mechanisms/></stream:features>"},
	{"AHU3AHNlY3JldA==</auth>", "<success xmlns='x'/>"}, // \0u7\0secret
	{"to='localhost'>", "<stream:stream id='2'><stream:features/>"},
	{"<resource>load</resource></bind></iq>", "<iq type='result' id='b'><bind><jid>u7@localhost/load</jid></bind></iq>"},
	{"roster'/></iq>", "<iq type='result' id='r'/>"},
	{"<presence/>", "<presence from='u8@localhost/load'><status>here</status></presence><presence from='u7@localhost/load'/>"},
}

func TestClient(t *testing.T) {
	addr := server(t, append(slices.Clone(signIn),
		[2]string{"<status>a &lt; b</status></presence>", "<message type='chat' from='u8@localhost/load'><body>hello</body></message>" +
			"<message type='error' from='u9@localhost'><body>lost</body></message>"},
		[2]string{"<message type='chat' to='u8@localhost/load' id='i'><body>hi</body></message>", "</stream:stream>"}))
	ears := &heard{}
	c, err := Open(t.Context(), Account{Addr: addr, Domain: Domain, User: User(7), Password: Password}, ears)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Note("a < b"), c.Write(AppendMessage(nil, "u8@localhost/load", "i", []byte("hi")))); err != nil {
		t.Fatal(err)
	}
	c.Run()
	want := []string{"u8@localhost/load is here", "u7@localhost/load is ", "u8@localhost/load: hello", "applied", "applied"}
	if !slices.Equal(ears.lines, want) || c.Address != "u7@localhost/load" {
		t.Errorf("%s heard %q, want %q", c.Address, ears.lines, want)
	}
	if c.Err() == nil {
		t.Error("the end of the stream is no error")
	}
}

func TestClientIsRefused(t *testing.T) {
	refusing := slices.Clone(signIn[:2])
	refusing[1][1] = "<failure><not-authorized/></failure>"
	addr := server(t, refusing)
	_, err := Open(t.Context(), Account{Addr: addr, Domain: Domain, User: User(7), Password: Password}, &heard{})
	if err == nil || !strings.Contains(err.Error(), "not-authorized") {
		t.Errorf("got %v", err)
	}
	if _, err := Open(t.Context(), Account{Addr: "192.0.2.1:5222"}, &heard{}); err == nil {
		t.Error("another machine was reached")
	}
}

func TestNumber(t *testing.T) {
	for address, want := range map[string]int{"u0@localhost/load": 0, "u17@localhost": 17, "u123456": 123456} {
		if got, err := Number([]byte(address)); err != nil || got != want || !strings.HasPrefix(address, User(want)) {
			t.Errorf("%s: %d, %v", address, got, err)
		}
	}
	for _, address := range []string{"", "u", "x17@localhost", "u-1", "u1x@localhost", "u99999999999"} {
		if got, err := Number([]byte(address)); err == nil {
			t.Errorf("%s: %d", address, got)
		}
	}
}

// TestAccounts shows that contacts are mutual and as many as they should be.
func TestAccounts(t *testing.T) {
	a := Accounts{People: 2*81 + 5, Circle: 81, Fans: 100}
	for i := range a.People {
		for _, other := range a.contacts(i) {
			if other == i || !slices.Contains(a.contacts(other), i) {
				t.Errorf("%d has %d, not the other way", i, other)
			}
		}
	}
	for number, want := range map[int]int{0: 80 + 20, 1: 80, 81: 80 + 1, 100: 80 + 1, 101: 80, 162: 4} {
		if got := len(a.contacts(number)); got != want {
			t.Errorf("%d has %d contacts, want %d", number, got, want)
		}
	}
	if got := (Accounts{People: 10}).contacts(3); len(got) != 0 {
		t.Errorf("without circles: %v", got)
	}
}

func TestWriteAccounts(t *testing.T) {
	a := Accounts{People: 3, Circle: 2, Fans: 2}
	var out bytes.Buffer
	if err := a.WritePortable(&out); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<user name='u2' password='secret'>", "<item jid='u1@localhost' subscription='both'/>", "</server-data>"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is missing in\n%s", part, &out)
		}
	}
	folder := t.TempDir()
	if err := a.WriteProsody(folder); err != nil {
		t.Fatal(err)
	}
	for file, part := range map[string]string{"accounts/u2.dat": `["password"] = "secret"`, "roster/u2.dat": `["u0@localhost"]`} {
		if text, err := os.ReadFile(filepath.Join(folder, Domain, file)); err != nil || !strings.Contains(string(text), part) {
			t.Errorf("%s: %s, %v", file, text, err)
		}
	}
}
