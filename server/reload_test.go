package server

import (
	"crypto/tls"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/edge/webapi"
	"parley/policy"
)

// reread is a server that was started from a file, which the test changes.
type reread struct {
	*started
	file  string
	flags map[string]string
}

func (r *reread) read() (Config, Problems) {
	return ReadConfig(Sources{File: r.file, Flags: r.flags})
}

// again writes the file anew, has the server read it, and gives what the log says
// of that.
func (r *reread) again(text string) string {
	r.t.Helper()
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	before := len(r.log.String())
	r.Reread(r.read)
	return r.log.String()[before:]
}

// mentions checks which lines there are and that there are no others; each is
// named by a part of it.
func mentions(t *testing.T, log string, want ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for _, part := range want {
		if !strings.Contains(log, part) {
			t.Errorf("the log does not hold %q:\n%s", part, log)
		}
	}
	if len(lines) != len(want) {
		t.Errorf("the log has %d lines, want %d:\n%s", len(lines), len(want), log)
	}
}

func serveFile(t *testing.T, text string) *reread {
	t.Helper()
	r := &reread{file: writeConfig(t, text), flags: map[string]string{"addr": "127.0.0.1:0", "data": filepath.Join(t.TempDir(), "data")}}
	c, problems := r.read()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c.Level = new(slog.LevelVar)
	r.started = serve(t, c)
	return r
}

const office = `administrators = ["Ann@Example.com"]
[organisation]
name = "Harbour & Finch"
domains = ["example.com"]
region = "de"
`

func TestRereadTakesOverWhatCanChange(t *testing.T) {
	r := serveFile(t, office+"[policy]\npictures = false\n")
	admin, edge := r.parts.accounts, r.edge
	said := r.again(strings.Replace(office, "Harbour & Finch", "Finch & Harbour", 1) + `
[operator]
name = "Hosting Ltd"
[policy]
location = false
message_limit = "7d"
[limits]
devices = 3
frames_at_once = 7
sign_in_failures = 3
lookups = 5
password_checks = 2
[log]
level = "debug"
`)
	for _, key := range []string{"organisation.name", "operator.name", "policy.pictures", "policy.location", "policy.message_limit", "limits.devices",
		"limits.frames_at_once", "limits.sign_in_failures", "limits.lookups", "limits.password_checks", "log.level"} {
		if !strings.Contains(said, `msg="setting changed" key=`+key+"\n") {
			t.Errorf("the log does not say that %s changed:\n%s", key, said)
		}
	}
	if strings.Contains(said, "restart needed") || !strings.Contains(said, `msg="configuration read again"`) {
		t.Errorf("the log says\n%s", said)
	}
	want := policy.Default()
	want.Location, want.MessageLimit, want.MaxDevices = false, 7*24*60*60*1e9, 3
	if got := r.parts.rules.Policy(); got != want {
		t.Errorf("the rules are %+v", got)
	}
	var about webapi.About
	_, text := r.get("/api/about")
	if err := json.Unmarshal([]byte(text), &about); err != nil || about.Name != "Finch & Harbour" || about.Operator == nil || about.Operator.Name != "Hosting Ltd" || about.Build == "" {
		t.Errorf("people are told %s", text)
	}
	if r.config.Level.Level() != slog.LevelDebug {
		t.Errorf("the log's level is %v", r.config.Level.Level())
	}
	for key, place := range map[string]string{"policy.location": ":10", "policy.pictures": ""} {
		if is, err := r.parts.rules.Setting(commandLine, key); err != nil || !strings.HasSuffix(is.Where, place) || (is.Where == "") != (place == "") {
			t.Errorf("%s is given at %q (%v)", key, is.Where, err)
		}
	}
	if r.parts.accounts != admin || r.edge != edge {
		t.Error("parts were made anew")
	}
	if r.again(office); r.parts.rules.Policy() != policy.Default() {
		t.Errorf("back at the beginning the rules are %+v", r.parts.rules.Policy())
	}
}

func TestRereadSaysWhatNeedsARestart(t *testing.T) {
	r := serveFile(t, office)
	text := strings.Replace(office, `region = "de"`, `region = "gb"`, 1) + "[tls]\nmode = \"acme\"\nemail = \"it@example.com\"\nhosts = [\"parley.example.com\"]\n[policy]\npictures = false\n[log]\nformat = \"json\"\n"
	want := []string{
		`level=WARN msg="restart needed" key=organisation.region`, `level=WARN msg="restart needed" key=tls.mode`, `level=WARN msg="restart needed" key=tls.email`,
		`level=WARN msg="restart needed" key=tls.hosts`, `level=WARN msg="restart needed" key=log.format`,
		`level=INFO msg="setting changed" key=policy.pictures`, `level=INFO msg="configuration read again"`,
	}
	mentions(t, r.again(text), want...)
	// It needs the restart until there is one; what was taken over is not said again.
	mentions(t, r.again(text), append(want[:5:5], want[6])...)
	mentions(t, r.again(office), `msg="setting changed" key=policy.pictures`, `msg="configuration read again"`)
	if status, _ := r.get("/api/about"); status != 200 {
		t.Errorf("about is answered %d", status)
	}
}

func TestRereadOfAWrongFileChangesNothing(t *testing.T) {
	r := serveFile(t, office)
	rules := r.parts.rules.Policy()
	for name, text := range map[string]string{
		"syntax":      office + "[policy\n",
		"a value":     office + "[policy]\npictures = false\nmessage_limit = \"5m\"\n",
		"unknown":     office + "[policy]\npictures = false\nmusic = true\n",
		"in all":      "[policy]\npictures = false\n",
		"a stranger":  strings.Replace(office, "Ann@Example.com", "ann@elsewhere.example", 1) + "[policy]\npictures = false\n",
		"no address":  strings.Replace(office, "Ann@Example.com", "Ann", 1),
		"not a table": "policy = 3\n" + office,
	} {
		said := r.again(text)
		if !strings.Contains(said, `level=ERROR msg="the configuration is wrong and was not taken over" where=`+r.file) || strings.Contains(said, "read again") {
			t.Errorf("%s: the log says\n%s", name, said)
		}
		if r.parts.rules.Policy() != rules {
			t.Fatalf("%s changed the rules", name)
		}
	}
	if err := os.Remove(r.file); err != nil {
		t.Fatal(err)
	}
	r.Reread(r.read)
	if !strings.Contains(r.log.String(), "cannot be read: no such file") {
		t.Errorf("the log says\n%s", r.log)
	}
	mentions(t, r.again(office), `msg="configuration read again"`)
}

func TestRereadReadsTheCertificate(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string) { writeCertificate(t, at(name+".pem"), at(name+".key"), name+".example") }
	text := func(name string) string {
		return office + "[tls]\nmode = \"files\"\ncert = \"" + at(name+".pem") + "\"\nkey = \"" + at(name+".key") + "\"\n"
	}
	write("one")
	write("two")
	r := serveFile(t, text("one"))
	served := func() string {
		t.Helper()
		conn, err := tls.Dial("tcp", r.Addr(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := served(); got != "one.example" {
		t.Errorf("served is %s", got)
	}
	mentions(t, r.again(text("two")), "key=tls.cert", "key=tls.key", "read again")
	if got := served(); got != "two.example" {
		t.Errorf("with other files served is %s", got)
	}
	writeCertificate(t, at("two.pem"), at("two.key"), "renewed.example")
	mentions(t, r.again(text("two")), "read again")
	if got := served(); got != "renewed.example" { // at once, not when the files are looked at again
		t.Errorf("with the same files renewed served is %s", got)
	}
	if err := os.WriteFile(at("two.pem"), []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := r.again(text("two")); !strings.Contains(said, "not a certificate and its key") {
		t.Errorf("half a certificate: the log says\n%s", said)
	}
	write("two")
	mentions(t, r.again(office), "restart needed\" key=tls.mode", "restart needed\" key=tls.cert", "restart needed\" key=tls.key", "read again")
	if got := served(); got != "two.example" {
		t.Errorf("after all that served is %s", got)
	}
}
