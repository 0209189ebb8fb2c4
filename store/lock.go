//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrInUse says that another program has the data directory or the database open.
var ErrInUse = errors.New("in use by another program")

// lockFile is held for as long as the directory is open. It is never removed:
// that would let a second program lock a new file of the same name.
const lockFile = "parley.lock"

// dirLock is an exclusive lock on a data directory. The system drops it when the
// process ends, however it ends.
type dirLock struct{ file *os.File }

// lockDir locks a data directory or says who has it.
func lockDir(dir string) (*dirLock, error) {
	path := filepath.Join(dir, lockFile)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data directory: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w%s", dir, ErrInUse, holder(file))
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	l := &dirLock{file}
	if err := l.sign(); err != nil {
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

// sign leaves the process id for whoever comes second.
func (l *dirLock) sign() error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("writing %s: %w", l.file.Name(), err)
	}
	if _, err := l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("writing %s: %w", l.file.Name(), err)
	}
	return nil
}

// release lets go of the directory.
func (l *dirLock) release() error { return l.file.Close() }

func holder(file *os.File) string {
	var text [20]byte
	n, _ := file.ReadAt(text[:], 0)
	pid := strings.TrimSpace(string(text[:n]))
	if _, err := strconv.Atoi(pid); err != nil {
		return ""
	}
	return " (process " + pid + ")"
}
