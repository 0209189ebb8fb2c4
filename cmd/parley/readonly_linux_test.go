package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readOnly makes a folder that nobody can write to: a disk of its own, or where
// that takes more rights than there are, a folder without the right to write.
func readOnly(t *testing.T, fill func(data string)) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m,mode=700"); err != nil {
		fill(dir)
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(dir, 0o700) })
		return dir
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("removing the small disk: %v", err)
		}
	})
	fill(dir)
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A server that cannot write does not pretend to serve: it says why and ends.
func TestReadOnlyDataFolder(t *testing.T) {
	if probe := filepath.Join(readOnly(t, func(string) {}), "probe"); os.WriteFile(probe, nil, 0o600) == nil {
		t.Fatal("this user writes where nobody may, and can make no disk: nothing can be shown")
	}
	for name, fill := range map[string]func(string){
		"empty folder": func(string) {},
		"with a database": func(data string) {
			if code, _, errs := parley(t, ann, "people", "import", "-", "--data", data, "--config", writeConfig(t, goodConfig)); code != 0 {
				t.Fatalf("filling the folder: %s", errs)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			data := readOnly(t, fill)
			for _, args := range [][]string{
				{"serve", "--addr", "127.0.0.1:0"}, {"people", "list"}, {"restore", filepath.Join(data, "parley.db")},
			} {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				command := exec.CommandContext(ctx, os.Args[0], append(args, "--data", data, "--config", writeConfig(t, goodConfig))...)
				command.Env = append(os.Environ(), beParley+"=1")
				var errs bytes.Buffer
				command.Stderr = &errs
				err := command.Run()
				cancel()
				exit, ended := errors.AsType[*exec.ExitError](err)
				if !ended || exit.ExitCode() != 1 {
					t.Errorf("parley %s ended with %v, want exit code 1", args[0], err)
				}
				said := errs.String()
				clear := strings.Contains(said, "read-only file system") || strings.Contains(said, "permission denied")
				if !clear || !strings.Contains(said, data) || strings.Contains(said, "goroutine") {
					t.Errorf("parley %s says\n%s", args[0], said)
				}
			}
		})
	}
}
