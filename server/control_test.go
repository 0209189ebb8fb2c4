package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley"
)

// person is an LDIF record.
func person(id, uid, name string, more ...string) string {
	return fmt.Sprintf("dn: uid=%s,ou=People,dc=example,dc=test\nobjectClass: inetOrgPerson\n"+
		"entryUUID: 00000000-0000-4000-8000-%012s\nuid: %s\ncn: %s\nsn: %s\n%s\n", uid, id, uid, name, name, strings.Join(append(more, ""), "\n"))
}

func importText(t *testing.T, p *parts, text string) ImportCount {
	t.Helper()
	count, err := p.importPeople(t.Context(), strings.NewReader(text), ImportOptions{}, func(importLine) {})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func mustIdentity(t *testing.T, p *parts, address string) parley.PersonID {
	t.Helper()
	who, err := p.identity(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func openControl(t *testing.T, c Config) *Control {
	t.Helper()
	control, err := OpenControl(t.Context(), c.Data, func() (Config, error) { return c, nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := control.Close(); err != nil {
			t.Error(err)
		}
	})
	return control
}

// forBoth runs a test over the socket of a running server, and over a folder that
// no server runs over.
func forBoth(t *testing.T, test func(t *testing.T, control *Control)) {
	t.Run("running", func(t *testing.T) {
		c := testConfig(t)
		serve(t, c)
		control, err := OpenControl(t.Context(), c.Data, func() (Config, error) { return c, errors.New("not over the socket") })
		if err != nil {
			t.Fatal(err)
		}
		defer control.Close()
		test(t, control)
	})
	t.Run("alone", func(t *testing.T) {
		c := testConfig(t)
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			t.Fatal(err)
		}
		test(t, openControl(t, c))
	})
}

func TestControlPeople(t *testing.T) {
	forBoth(t, func(t *testing.T, control *Control) {
		ctx := t.Context()
		export := person("1", "ann", "Ann Example", "title: Head") + "\n" +
			person("2", "bob", "Bob Example", "manager: uid=ann,ou=People,dc=example,dc=test") + "\n" +
			"dn: uid=bad,dc=example,dc=test\nobjectClass: person\ncn:: !!!\n\n" +
			person("3", "anna", "Another Ann", "mail: ann@example.test")
		var problems []string
		count, err := control.ImportPeople(ctx, strings.NewReader(export), ImportOptions{}, func(problem string, _ *ImportCount) {
			problems = append(problems, problem)
		})
		if err != nil {
			t.Fatal(err)
		}
		want := ImportCount{Read: 3, Added: 2, Skipped: 2, Problems: 2}
		if count != want || len(problems) != 2 || !strings.HasPrefix(problems[0], "line 21: ") || !strings.HasPrefix(problems[1], "line 23: ") {
			t.Errorf("count %+v, problems %q", count, problems)
		}
		again, err := control.ImportPeople(ctx, strings.NewReader(person("1", "ann", "Ann Example", "title: Head")), ImportOptions{Complete: true}, nil)
		if err != nil || again != (ImportCount{Read: 1, Unchanged: 1, Left: 1}) {
			t.Errorf("count %+v, error %v", again, err)
		}
		list, err := control.People(ctx, false)
		if err != nil || len(list) != 2 || list[0].Address != "ann@example.test" || list[0].Gone || !list[1].Gone {
			t.Errorf("list %+v, error %v", list, err)
		}
		if err := control.Disable(ctx, "ann"); err != nil { // the default domain is added
			t.Error(err)
		}
		if list, err := control.People(ctx, false); err != nil || !list[0].Disabled {
			t.Errorf("list %+v, error %v", list, err)
		}
		if err := control.Enable(ctx, "ann@example.test"); err != nil {
			t.Error(err)
		}
		invited, err := control.Invite(ctx, "ann")
		if err != nil || !strings.Contains(invited.Link, "/#/invitation/") || invited.Expires.IsZero() {
			t.Errorf("invited %+v, error %v", invited, err)
		}
		if requests, err := control.People(ctx, true); err != nil || len(requests) != 0 {
			t.Errorf("requests %+v, error %v", requests, err)
		}
	})
}

func TestControlRefusals(t *testing.T) {
	forBoth(t, func(t *testing.T, control *Control) {
		ctx := t.Context()
		_, err := control.ImportPeople(ctx, strings.NewReader(person("1", "ann", "Ann Example")), ImportOptions{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		tests := map[string]error{
			"nobody has this sign-in address":                   control.Disable(ctx, "nobody@example.test"),
			"this is no sign-in address":                        control.Enable(ctx, "@"),
			"the password is too short; at least 10 characters": control.SetPassword(ctx, "ann", "short"),
			"the password is empty":                             control.SetPassword(ctx, "ann", ""),
		}
		for want, err := range tests {
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		if err := control.SetPassword(ctx, "ann", "long enough to pass"); err != nil {
			t.Error(err)
		}
	})
}

var errReader = errors.New("the disk is gone")

type brokenReader struct{ r io.Reader }

func (b brokenReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		err = errReader
	}
	return n, err
}

func TestControlTellsOfAnImportThatBroke(t *testing.T) {
	forBoth(t, func(t *testing.T, control *Control) {
		_, err := control.ImportPeople(t.Context(), brokenReader{strings.NewReader(person("1", "ann", "Ann Example"))}, ImportOptions{}, nil)
		if err == nil {
			t.Error("no error")
		}
	})
}

// An import of many people tells how far it is while it reads.
func TestControlReportsProgress(t *testing.T) {
	forBoth(t, func(t *testing.T, control *Control) {
		var export strings.Builder
		for i := range 2 * progressEvery {
			export.WriteString(person(fmt.Sprint(i), fmt.Sprintf("u%d", i), "Somebody") + "\n")
		}
		var seen []int
		count, err := control.ImportPeople(t.Context(), strings.NewReader(export.String()), ImportOptions{}, func(_ string, so *ImportCount) {
			seen = append(seen, so.Read)
		})
		if err != nil || count.Added != 2*progressEvery || len(seen) != 2 || seen[0] != progressEvery {
			t.Errorf("count %+v, seen %v, error %v", count, seen, err)
		}
	})
}

func TestBackupAndRestore(t *testing.T) {
	c := testConfig(t)
	s := serve(t, c)
	importText(t, s.parts, person("1", "ann", "Ann Example"))
	control := openControl(t, c)
	var copied bytes.Buffer
	if err := control.Backup(t.Context(), &copied); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(c.Data, backupFolder)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	importText(t, s.parts, person("2", "bob", "Bob Example"))
	epoch := s.parts.store.Epoch()
	file := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(file, copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), c.Data, file); err == nil || !strings.Contains(err.Error(), "stop the server first") {
		t.Errorf("error %v", err)
	}
	s.stop()
	former, err := Restore(t.Context(), c.Data, file)
	if err != nil || former == "" {
		t.Fatal(former, err)
	}
	restored := serve(t, c)
	people, err := restored.parts.listPeople(t.Context(), false)
	if err != nil || len(people) != 1 || restored.parts.store.Epoch() == epoch {
		t.Errorf("people %v, error %v, epoch %d", people, err, restored.parts.store.Epoch())
	}
}

func TestRemainsOfABackupAreRemoved(t *testing.T) {
	c := testConfig(t)
	left := filepath.Join(c.Data, ".backup-123")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "parley.db"), []byte("old messages"), 0o600); err != nil {
		t.Fatal(err)
	}
	serve(t, c)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
}

func TestControlSocketIsTheOwners(t *testing.T) {
	c := testConfig(t)
	s := serve(t, c)
	socket := filepath.Join(c.Data, controlSocket)
	info, err := os.Stat(socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	folder, err := os.Stat(c.Data)
	if err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, error %v", folder.Mode(), err)
	}
	// Nothing of it is on the network.
	if status, _ := s.get("/people"); status == 200 {
		_, body := s.get("/people")
		if strings.Contains(body, "address") {
			t.Error("the main address answers commands")
		}
	}
	http.DefaultClient.CloseIdleConnections()
	s.stop()
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestDeadControlSocketIsReplaced(t *testing.T) {
	c := testConfig(t)
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Data, controlSocket), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	serve(t, c)
	if _, err := openControl(t, c).People(t.Context(), false); err != nil {
		t.Error(err)
	}
}

func TestControlNeedsAFolder(t *testing.T) {
	_, err := OpenControl(t.Context(), filepath.Join(t.TempDir(), "nothing"), func() (Config, error) { return Config{}, nil })
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestLongPathOfTheControlSocket(t *testing.T) {
	_, err := listenControl("/" + strings.Repeat("x", 120))
	if err == nil || !strings.Contains(err.Error(), "choose a shorter data folder") {
		t.Errorf("error %v", err)
	}
}

func TestOneImportAtATime(t *testing.T) {
	s := serve(t, testConfig(t))
	reader, writer := io.Pipe()
	first := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_, err := s.parts.importPeople(ctx, reader, ImportOptions{}, func(importLine) {})
		first <- err
	}()
	if _, err := io.WriteString(writer, person("1", "ann", "Ann Example")); err != nil { // it reads
		t.Fatal(err)
	}
	if _, err := s.parts.importPeople(t.Context(), strings.NewReader(""), ImportOptions{}, func(importLine) {}); !errors.Is(err, errImporting) {
		t.Errorf("error %v", err)
	}
	writer.Close()
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// An import that is under way when the server stops ends with a reason.
func TestImportEndsWithTheServer(t *testing.T) {
	c := testConfig(t)
	s := serve(t, c)
	control := openControl(t, c)
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	progress := make(chan struct{}, 1)
	go func() {
		_, err := control.ImportPeople(t.Context(), reader, ImportOptions{}, func(string, *ImportCount) {
			select {
			case progress <- struct{}{}:
			default:
			}
		})
		reader.CloseWithError(io.ErrClosedPipe)
		ended <- err
	}()
	written := make(chan struct{})
	go func() { // an export without an end
		defer close(written)
		for i := 0; ; i++ {
			if _, err := io.WriteString(writer, person(fmt.Sprint(i), fmt.Sprintf("u%d", i), "Somebody")+"\n"); err != nil {
				return
			}
		}
	}()
	<-progress
	s.stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "the server stops") {
		t.Errorf("error %v", err)
	}
	<-written
}
