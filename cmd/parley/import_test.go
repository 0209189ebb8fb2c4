package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serveFor starts the program as a server and returns when it serves. stop ends it.
func serveFor(t *testing.T, data, config string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	command := exec.CommandContext(ctx, os.Args[0], "serve", "--data", data, "--config", config, "--addr", "127.0.0.1:0")
	command.Env = append(os.Environ(), beParley+"=1")
	errs, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(errs)
	for lines.Scan() && !strings.Contains(lines.Text(), "msg=serving") {
	}
	return func() {
		defer cancel()
		command.Process.Signal(syscall.SIGTERM)
		for lines.Scan() { // Wait may be called only when everything is read
		}
		if err := command.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	}
}

const badExport = ann + `mail: ann@example.test
manager: uid=bob,dc=example,dc=test

dn: uid=bob,dc=example,dc=test
objectClass: inetOrgPerson
entryUUID: 00000000-0000-4000-8000-000000000002
uid: bob
cn:: Qm9iIEV4
 YW1wbGU=
manager: uid=ann,dc=example,dc=test

dn: uid=cleo,dc=example,dc=test
objectClass: inetOrgPerson
entryUUID: 00000000-0000-4000-8000-000000000003
cn:: ***

dn: uid=ann2,dc=example,dc=test
objectClass: inetOrgPerson
entryUUID: 00000000-0000-4000-8000-000000000004
uid: ann2
cn: Another Ann
mail: ann@example.test
`

// An export with mistakes, by the command line: over the socket of a running
// server and over the folder of one that is stopped, with the same words.
func TestImportByCommandLine(t *testing.T) {
	config := writeConfig(t, goodConfig)
	file := filepath.Join(t.TempDir(), "org.ldif")
	if err := os.WriteFile(file, []byte(badExport), 0o600); err != nil {
		t.Fatal(err)
	}
	counts := regexp.MustCompile(`^(\d+) people read: (\d+) added, (\d+) changed, (\d+) as they were, (\d+) records left out`)
	for _, running := range []bool{true, false} {
		data := filepath.Join(t.TempDir(), "data")
		if err := os.Mkdir(data, 0o700); err != nil {
			t.Fatal(err)
		}
		stop := func() {}
		if running {
			stop = serveFor(t, data, config)
		}
		for _, want := range []string{"3 people read: 2 added, 0 changed, 0 as they were, 2 records left out", "3 people read: 0 added, 0 changed, 2 as they were, 2 records left out"} {
			code, out, errs := parley(t, "", "people", "import", file, "--data", data, "--config", config)
			if code != 0 || counts.FindString(out) != want {
				t.Errorf("running %v: exit code %d, printed %q, want %q", running, code, out, want)
			}
			for _, problem := range []string{`line 21: "uid=cleo,`, "not base64", `line 23: "uid=ann2,`, "somebody else has this sign-in address"} {
				if !strings.Contains(errs, problem) {
					t.Errorf("running %v: %q is not among the problems\n%s", running, problem, errs)
				}
			}
		}
		if code, out, _ := parley(t, "", "people", "list", "--data", data, "--config", config); code != 0 ||
			!strings.Contains(out, "Ann Example") || !strings.Contains(out, "Bob Example") || strings.Contains(out, "Another") {
			t.Errorf("running %v: exit code %d, list\n%s", running, code, out)
		}
		stop()
	}
}
