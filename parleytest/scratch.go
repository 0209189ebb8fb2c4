package parleytest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scratchPatience is how long a go command in a copy may take. The copy shares
// the build cache, so it takes seconds; a machine that has built nothing yet
// compiles the database driver first.
const scratchPatience = 10 * time.Minute

// ScratchCopy is a copy of the module's sources that a test may damage, to show
// that a check of this project finds the damage.
type ScratchCopy struct {
	t   testing.TB
	Dir string // the copy's root
}

// Scratch copies the module's sources to a folder that goes with the test. What
// is built, installed or stored is left out; web/dist is empty.
func Scratch(t testing.TB) *ScratchCopy {
	t.Helper()
	s := &ScratchCopy{t: t, Dir: t.TempDir()}
	root := moduleRoot(t)
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if leftOut(name) {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(s.Dir, name), 0o755)
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(s.Dir, name), text, 0o644)
	})
	if err != nil {
		t.Fatalf("copying the module: %v", err)
	}
	s.Write("web/dist/.keep", "")
	return s
}

// leftOut reports whether a folder holds nothing that the module is made of.
func leftOut(folder string) bool {
	switch folder {
	case ".":
		return false
	case "bin", "data", filepath.Join("web", "dist"), filepath.Join("test", "out"):
		return true
	}
	base := filepath.Base(folder)
	return base == "node_modules" || base == ".git"
}

// moduleRoot is the folder of go.mod, at or above the one that the test runs in.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			t.Fatal("there is no go.mod at or above the folder of the test")
		}
		dir = above
	}
}

// Read gives a file of the copy; file is relative to the module.
func (s *ScratchCopy) Read(file string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir, file))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// Write makes or replaces a file of the copy.
func (s *ScratchCopy) Write(file, text string) {
	s.t.Helper()
	path := filepath.Join(s.Dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// Append adds to the end of a file that is there.
func (s *ScratchCopy) Append(file, text string) {
	s.t.Helper()
	s.Write(file, s.Read(file)+text)
}

// Replace changes a text that the file holds exactly once, so that a test whose
// damage no longer fits the sources says so.
func (s *ScratchCopy) Replace(file, old, new string) {
	s.t.Helper()
	text := s.Read(file)
	if n := strings.Count(text, old); n != 1 {
		s.t.Fatalf("%s holds %q %d times, want once", file, old, n)
	}
	s.Write(file, strings.Replace(text, old, new, 1))
}

// GoTest runs the tests of one package of the copy that match run, a regular
// expression as in go test -run, and gives what they wrote and whether they
// passed. The flags are those that bin/parley is built with, so that the build
// cache serves what the copy did not change.
func (s *ScratchCopy) GoTest(folder, run string) (output string, passed bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), scratchPatience)
	defer cancel()
	test := exec.CommandContext(ctx, "go", "test", "-trimpath", "-ldflags", "-s -w", "-vet", "off", "-count", "1", "-run", run, folder)
	test.Dir = s.Dir
	test.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOWORK=off", "GOPROXY=off")
	text, err := test.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited || ctx.Err() != nil {
		s.t.Fatalf("running the tests of the copy: %v\n%s", err, text)
	}
	return string(text), err == nil
}

// Refuses wants the tests of the copy to run, to fail, and to say every one of
// these texts.
func (s *ScratchCopy) Refuses(folder, run string, says ...string) {
	s.t.Helper()
	output, passed := s.GoTest(folder, run)
	switch {
	case strings.Contains(output, "[no tests to run]"):
		s.t.Fatalf("%s has no test %s:\n%s", folder, run, output)
	case passed:
		s.t.Fatalf("%s passes in %s, and should not:\n%s", run, folder, output)
	case strings.Contains(output, "[build failed]"), strings.Contains(output, "[setup failed]"):
		s.t.Fatalf("the copy does not compile:\n%s", output)
	}
	for _, text := range says {
		if !strings.Contains(output, text) {
			s.t.Errorf("%s fails without saying %q:\n%s", run, text, output)
		}
	}
}
