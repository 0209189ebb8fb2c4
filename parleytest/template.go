package parleytest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"parley/server"
)

// Drawing and importing the demo organisation takes seconds under the race
// detector, so a test binary does it once and every world begins with a copy.
var demoFolder = sync.OnceValues(makeDemoFolder)

// madeFolder is where the copies come from, for removing it in the end; empty
// when no test needed one.
var madeFolder string

func makeDemoFolder() (string, error) {
	dir, err := os.MkdirTemp("", "parleytest-demo-*")
	if err != nil {
		return "", err
	}
	madeFolder = dir
	return dir, serveOnce(configure(dir, "127.0.0.1:0"))
}

// serveOnce runs a server until it serves.
func serveOnce(c server.Config) error {
	made := make(chan struct{})
	c.Out = serving{sync.OnceFunc(func() { close(made) })}
	s, err := server.New(c)
	if err != nil {
		return fmt.Errorf("making the demo organisation: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	select {
	case <-made:
		cancel()
		return <-ended
	case err := <-ended:
		return errors.Join(errors.New("making the demo organisation: the server ended"), err)
	}
}

// serving is told how to reach the server once it serves: then the folder is
// complete.
type serving struct{ tell func() }

// Write implements io.Writer.
func (s serving) Write(p []byte) (int, error) {
	s.tell()
	return len(p), nil
}

// fillDemo copies the demo organisation into an empty folder.
func fillDemo(t testing.TB, data string) {
	t.Helper()
	from, err := demoFolder()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"parley.db", "demo-organisation"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(data, name), content, 0o600)
		}
		if err != nil {
			t.Fatalf("copying the demo folder: %v", err)
		}
	}
}

// removeDemoFolder removes what was copied from.
func removeDemoFolder() {
	if madeFolder != "" {
		os.RemoveAll(madeFolder)
	}
}
