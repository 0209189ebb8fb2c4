package main

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// beParley makes the test binary be the program.
const beParley = "TEST_BE_PARLEY"

func TestMain(m *testing.M) {
	if os.Getenv(beParley) != "" {
		main()
	}
	os.Exit(m.Run())
}

// parley carries out a command in this process.
func parley(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(file, []byte(in), 0o600); err != nil {
		t.Fatal(err)
	}
	stdin, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), console{stdin, &stdout, &stderr, nil}, args)
	return code, stdout.String(), stderr.String()
}

func TestUsage(t *testing.T) {
	tests := []struct {
		args []string
		code int
		want string // in what is printed
	}{
		{nil, 2, "parley serve          run the server"},
		{[]string{"help"}, 0, "parley serve          run the server"},
		{[]string{"--help"}, 0, "parley serve          run the server"},
		{[]string{"version"}, 0, "parley development"},
		{[]string{"dance"}, 2, `there is no command "dance"`},
		{[]string{"serve"}, 2, "whose server is this?"},
		{[]string{"serve", "--loud"}, 2, "parley serve: flag provided but not defined: -loud\nUsage: parley serve"},
		{[]string{"serve", "--demo", "extra"}, 2, "1 arguments given, 0 needed"},
		{[]string{"serve", "--help"}, 0, "fills an empty data folder"},
		{[]string{"serve", "--demo", "--addr", "nonsense"}, 1, `--addr: addr: "nonsense" is no address and port`},
		{[]string{"serve", "--config", "/nowhere"}, 1, "/nowhere: cannot be read"},
		{[]string{"people"}, 2, "import FILE|-"},
		{[]string{"people", "help"}, 0, "import FILE|-"},
		{[]string{"people", "dance"}, 2, `there is no command "dance"`},
		{[]string{"people", "disable"}, 2, "0 arguments given, 1 needed"},
		{[]string{"people", "import", "--help"}, 0, "entryUUID or objectGUID"},
		{[]string{"people", "list", "--data", "/nowhere"}, 1, "the data folder"},
		{[]string{"policy"}, 2, "history [KEY]"},
		{[]string{"policy", "set", "x"}, 2, "1 arguments given, 2 needed"},
		{[]string{"policy", "history", "a", "b"}, 2, "2 arguments given, 1 needed"},
		{[]string{"jobs"}, 2, "retry ID"},
		{[]string{"jobs", "--help"}, 0, "retry ID"},
		{[]string{"jobs", "dance"}, 2, `there is no command "dance"`},
		{[]string{"jobs", "remove", "x"}, 1, "the number of a job is needed"},
		{[]string{"audit", "dance"}, 2, `there is no command "dance"`},
		{[]string{"audit", "verify", "--help"}, 0, "carries a hash"},
		{[]string{"doctor"}, 2, "Usage: parley doctor directory"},
		{[]string{"doctor", "directory", "--help"}, 0, "the server need not run"},
		{[]string{"doctor", "teeth"}, 2, `there is no command "teeth"`},
		{[]string{"doctor", "directory"}, 1, "the configuration is wrong"},
		{[]string{"egress", "--help"}, 0, "A connection\nfor anything else is refused."},
		{[]string{"egress", "all"}, 2, "1 arguments given, 0 needed"},
		{[]string{"backup"}, 2, "Usage: parley backup FILE|-"},
		{[]string{"restore", "a", "b"}, 2, "2 arguments given, 1 needed"},
	}
	for _, test := range tests {
		code, out, errs := parley(t, "", test.args...)
		if code != test.code || !strings.Contains(out+errs, test.want) {
			t.Errorf("parley %s: exit code %d, printed\n%s%s", strings.Join(test.args, " "), code, out, errs)
		}
		if (code == 0) != (errs == "") {
			t.Errorf("parley %s: exit code %d, on standard error %q", strings.Join(test.args, " "), code, errs)
		}
	}
}

const goodConfig = "[organisation]\nname = \"Example Ltd\"\ndomains = [\"example.test\"]\nregion = \"GB\"\n"

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "parley.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCheckConfig(t *testing.T) {
	code, out, errs := parley(t, "", "check-config", "--config", writeConfig(t, goodConfig))
	if code != 0 || out != "The configuration is good.\n" || errs != "" {
		t.Errorf("code %d, %q, %q", code, out, errs)
	}
	file := writeConfig(t, goodConfig+"[tls]\nmod = \"files\"\n[log]\nlevel = 3\n")
	code, out, errs = parley(t, "", "check-config", "--config", file)
	want := file + ":6: tls.mod: unknown; known here: ca, cert, email, hosts, http, key, mode\n" + file + ":8: log.level: must be a text: \"…\"\n"
	if code != 1 || out != want || !strings.Contains(errs, "2 problems") {
		t.Errorf("code %d, %q, %q", code, out, errs)
	}
	code, out, _ = parley(t, "", "check-config", "--example")
	if code != 0 || !strings.Contains(out, "[organisation]") {
		t.Errorf("code %d, %q", code, out)
	}
}

const ann = "dn: uid=ann,dc=example,dc=test\nobjectClass: inetOrgPerson\nentryUUID: 00000000-0000-4000-8000-000000000001\nuid: ann\ncn: Ann Example\nsn: Example\n"

// Everything an administrator does without a server, in the order in which they
// do it.
func TestAdministratorsDay(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	common := []string{"--data", data, "--config", writeConfig(t, goodConfig)}
	backup := filepath.Join(t.TempDir(), "backup")
	steps := []struct {
		args string
		in   string
		code int
		want string
	}{
		{"people import -", ann, 0, "1 people read: 1 added, 0 changed"},
		{"people import --complete --domain other.test -", ann + "title: Head\n", 0, "0 added, 1 changed"},
		{"people list", "", 0, "ann@"},
		{"people set-password ann@other.test", "a long password\n", 0, ""},
		{"people set-password ann@other.test", "short\n", 1, "too short; at least 10 characters"},
		{"people set-password ann@other.test", "", 1, "reading the password"},
		{"people set-password nobody", "a long password\n", 1, "nobody has this sign-in address"},
		{"people invite ann@other.test", "", 0, "/#/invitation/"},
		{"people disable ann@other.test", "", 0, ""},
		{"people list", "", 0, "disabled"},
		{"people enable ann@other.test", "", 0, ""},
		{"policy list", "", 0, "policy.message_limit           30d"},
		{"policy set policy.message_limit 168h", "", 0, "policy.message_limit = 7d\n"},
		{"policy show policy.message_limit", "", 0, "set by the command line, "},
		{"policy show policy.push", "", 0, "without effect in this version"},
		{"policy set policy.message_limit soon", "", 1, "no length of time such as 30d"},
		{"policy set policy.dance on", "", 1, "there is no such rule"},
		{"policy show policy.dance", "", 1, "there is no rule"},
		{"policy reset policy.message_limit", "", 0, "policy.message_limit = 30d\n"},
		{"policy history policy.message_limit", "", 0, "(default) by the command line, "},
		{"policy history", "", 0, "7d by the command line, "},
		{"jobs list", "", 0, ""},
		{"jobs retry 5", "", 1, "there is no job of this number"},
		{"audit verify", "", 0, "The audit trail is whole: "},
		{"audit verify --mark 1:00", "", 1, "no mark of the audit trail"},
		{"audit verify --mark 1:" + strings.Repeat("00", 32), "", 1, "record 1 is not the one of the mark"},
		{"backup " + backup, "", 0, ""},
		{"backup " + backup, "", 1, "exists already"},
		{"backup -", "", 0, "SQLite format 3"},
		{"restore " + backup, "", 0, "The former database is "},
		{"restore --new-epoch", "", 1, "this server's database is SQLite in the data folder"},
		{"people list --requests", "", 0, ""},
		{"egress", "", 0, "  reaches: the resolver of this machine"},
	}
	for _, step := range steps {
		args := strings.Fields(step.args)
		code, out, errs := parley(t, step.in, append(args, common...)...)
		if code != step.code || !strings.Contains(out+errs, step.want) {
			t.Fatalf("parley %s: exit code %d, printed\n%.2000s%s", step.args, code, out, errs)
		}
	}
	info, err := os.Stat(backup)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v, error %v", info.Mode(), err)
	}
}

var served = regexp.MustCompile(`Open (http://127\.0\.0\.1:\d+) and sign in as`)

// The program itself, from its start to SIGTERM.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	data := filepath.Join(t.TempDir(), "data")
	command := exec.CommandContext(ctx, os.Args[0], "serve", "--demo", "--data", data)
	command.Env = append(os.Environ(), beParley+"=1", "PARLEY_ADDR=127.0.0.1:0")
	var errs bytes.Buffer
	command.Stderr = &errs
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var url string
	lines := bufio.NewScanner(out)
	for url == "" && lines.Scan() {
		if found := served.FindStringSubmatch(lines.Text()); found != nil {
			url = found[1]
		}
	}
	if url == "" {
		t.Fatalf("it does not say where it serves:\n%s", errs.String())
	}
	answer, err := http.Get(url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()

	// The command line reaches the running server.
	code, list, _ := parley(t, "", "people", "list", "--data", data)
	if code != 0 || strings.Count(list, "@demo.example") != 41 {
		t.Errorf("exit code %d, list\n%s", code, list)
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // Wait may be called only when everything is read
	}
	if err := command.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, errs.String())
	}
}

// told takes what a process prints, line by line.
type told struct{ lines chan string }

func (c told) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		c.lines <- line
	}
	return len(p), nil
}

// until waits for a line that holds a text.
func (c told) until(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case line := <-c.lines:
			if strings.Contains(line, text) {
				return
			}
		case <-deadline:
			t.Fatalf("it never says %q", text)
		}
	}
}

// SIGHUP has the program read its configuration again; it ends nothing.
func TestServeRereads(t *testing.T) {
	data, file := filepath.Join(t.TempDir(), "data"), writeConfig(t, goodConfig)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0], "serve", "--config", file, "--data", data, "--addr", "127.0.0.1:0")
	command.Env = append(os.Environ(), beParley+"=1")
	log := told{make(chan string, 1000)}
	command.Stderr = log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	log.until(t, "msg=serving")
	hup := func(text, said string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := command.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		log.until(t, said)
	}
	pictures := func(want string) {
		t.Helper()
		if code, out, errs := parley(t, "", "policy", "show", "policy.pictures", "--data", data); code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, printed %s%s, want %q", code, out, errs, want)
		}
	}
	pictures("policy.pictures = true\ndefault\n")
	hup(goodConfig+"[policy]\npictures = false\n", "configuration read again")
	pictures("policy.pictures = false\nlocked by " + file + ":6\n")
	hup("nonsense", "the configuration is wrong and was not taken over")
	pictures("policy.pictures = false\n")
	hup("addr = \"127.0.0.1:1\"\n"+goodConfig, "configuration read again") // the flag wins: nothing changes
	pictures("policy.pictures = true\ndefault\n")
	hup("public_url = \"https://parley.example.test\"\n"+goodConfig, `msg="restart needed" key=public_url`)
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
