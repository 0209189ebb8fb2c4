package server_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley"
	"parley/parleytest/postgres"
	"parley/server"
)

// secret begins with a t, as far as which a TOML decoder could take it for true.
const secret = "tellnobodyofthis"

// A secret that is written in a wrong way is not repeated by what says so.
func TestProblemsDoNotRepeatSecrets(t *testing.T) {
	for _, text := range []string{
		"[cluster]\nsecret = %s\n",
		"[cluster]\nsecret = '%s\n",
		"[cluster]\nsecret = ['%s']\n",
		"[cluster]\nsecret = \"%s\\y\"\n",
		"[cluster]\nnode = 'a'\nnats = ['nats://parley:%s@nats.example.com']\n",
		"[cluster]\nnode = 'a'\nlisten = ':6222'\nroutes = ['nats://parley:%s@10.0.0.2']\n",
		"[database]\nurl = postgres://parley:%s@db.example.com/parley\n",
		"[database]\nurl = 'postgres://parley:%s@db.example.com:x/parley'\n",
		"[database]\nurl = 'host=db.example.com password=%s'\n",
		"[metrics]\ntoken = %s\n",
	} {
		file := filepath.Join(t.TempDir(), "parley.toml")
		if err := os.WriteFile(file, fmt.Appendf(nil, text, secret), 0o600); err != nil {
			t.Fatal(err)
		}
		_, problems := server.ReadConfig(server.Sources{File: file})
		if !problems.Fatal() || strings.Contains(problems.Error(), secret) {
			t.Errorf("%q: %v", text, problems)
		}
	}
}

// Whatever is wrong with the way to the database, its password stays out of the log
// and of the error.
func TestPasswordOfTheDatabaseStaysSecret(t *testing.T) {
	real := postgres.Database(t)
	for _, url := range []string{
		"postgres://parley:" + secret + "@127.0.0.1:1/parley",
		"postgres://parley:" + secret + "@127.0.0.1:x/parley",
		"postgres://parley:" + secret + "%zz@127.0.0.1:1/parley",
		"postgres://parley:" + secret + "@nowhere.invalid/parley",
		"postgres://a:" + secret + "@127.0.0.1:1,b:" + secret + "@127.0.0.1:2/parley",
		"postgres://127.0.0.1:1/parley?user=parley&password=" + secret,
		"postgres://127.0.0.1:1/parley?user=parley&password=" + secret + "&sslmode=bogus",
		"postgres://127.0.0.1:1/parley?user=parley&sslpassword=" + secret + "&sslmode=verify-full&sslcert=/nowhere&sslkey=/nowhere",
		strings.Replace(real, "parley:", "parley:"+secret, 1),
	} {
		var log bytes.Buffer
		c := onPostgres(t, url, "")
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, err := server.New(c)
		if err == nil {
			t.Fatal("the server started") // and nothing can stop it
		}
		if said := err.Error() + log.String(); strings.Contains(said, secret) {
			t.Errorf("the password is told: %s", said)
		}
		c.Logger = nil
		if err := server.RenewEpoch(context.Background(), c); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("renewing the epoch: %v", err)
		}
	}
}

// lines is a log that several write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Nodes with different secrets say what is wrong, now and then, and not with which
// secrets.
func TestNodesWithDifferentSecrets(t *testing.T) {
	database, addresses := postgres.Database(t), []string{address(t), address(t)}
	var log lines
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	one, two := onPostgres(t, database, "one", addresses...), onPostgres(t, database, "two", addresses[1], addresses[0])
	one.Cluster.Secret, two.Cluster.Secret = parley.Secret("one "+secret), parley.Secret("two "+secret)
	one.Logger, two.Logger = logger, logger
	serving(t, one)
	serving(t, two)
	eventually(t, "both say why", func() bool { return strings.Count(log.String(), "Error 'Authorization Violation'") > 8 })
	said := log.String()
	if strings.Contains(said, secret) {
		t.Errorf("a secret is in the log:\n%s", said)
	}
	const reason = "level=ERROR msg=\"another server is refused as a node"
	if n := strings.Count(said, reason); n == 0 || n > 4 {
		t.Errorf("why is told %d times:\n%s", n, said)
	}
	if n := strings.Count(said, "level=WARN"); n > 20 {
		t.Errorf("%d warnings in a few seconds:\n%s", n, said)
	}
}
