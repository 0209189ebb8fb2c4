//go:build unix

package postgres

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func query(t *testing.T, url, text string) (answer string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := conn.QueryRow(t.Context(), text).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return answer
}

func TestDatabasesAreApart(t *testing.T) {
	var url string
	t.Run("first", func(t *testing.T) {
		url = Database(t)
		query(t, url, "WITH made AS (SELECT 1) SELECT set_config('parley.x', 'y', false)")
		if answer := query(t, url, "SHOW fsync"); answer != "off" {
			t.Errorf("fsync is %s", answer)
		}
		if other := Database(t); other == url {
			t.Error("the same database twice")
		}
		conn, err := pgx.Connect(t.Context(), url) // left open: it must not be in the way of the end
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(context.Background()) })
	})
	if url == "" {
		t.SkipNow()
	}
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		conn.Close(t.Context())
		t.Error("the database is still there after its test")
	}
	if answer := query(t, Durable(t), "SHOW fsync"); answer != "on" {
		t.Errorf("a durable server has fsync %s", answer)
	}
}

func TestCopiesOfOneTemplate(t *testing.T) {
	prepared := 0
	prepare := func(url string) error {
		prepared++
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(t.Context(), "CREATE TABLE filled AS SELECT 'yes' AS answer")
		return errors.Join(err, conn.Close(t.Context()))
	}
	for range 2 {
		if answer := query(t, Copy(t, "filled", prepare), "SELECT answer FROM filled"); answer != "yes" {
			t.Errorf("read %q", answer)
		}
	}
	if prepared != 1 {
		t.Errorf("prepared %d times", prepared)
	}
}

// TestHelperServer is no test: it is the process that TestNothingIsLeft kills.
func TestHelperServer(t *testing.T) {
	if os.Getenv("PARLEY_HELPER") == "" {
		t.Skip("runs for TestNothingIsLeft only")
	}
	url := Database(t)
	os.Stdout.WriteString("\nfolder " + query(t, url, "SELECT current_setting('data_directory')") + "\n")
	select {}
}

func TestNothingIsLeft(t *testing.T) {
	Database(t) // skips where there is none
	helper := exec.Command(os.Args[0], "-test.run=^TestHelperServer$")
	helper.Env = append(os.Environ(), "PARLEY_HELPER=1")
	out, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	var folder string
	for lines := bufio.NewScanner(out); folder == "" && lines.Scan(); {
		folder, _ = strings.CutPrefix(lines.Text(), "folder ")
		if folder == lines.Text() {
			folder = ""
		}
	}
	if _, err := os.Stat(folder); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	if err := helper.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = helper.Wait() // killed
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	parent := strings.TrimSuffix(folder, "/data")
	for {
		if _, err := os.Stat(parent); errors.Is(err, os.ErrNotExist) {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s is still there", parent)
		case <-tick.C:
		}
	}
}
