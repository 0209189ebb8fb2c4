//go:build linux

package samba

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"parley/parleytest/org"
)

// template is the folder of a domain with these people that no server runs on.
// Making one takes seconds, so it is kept, under a name that is made of what is in
// it. Test processes that want the same one at once wait for the first.
func template(o Options) (string, error) {
	var people bytes.Buffer
	if err := org.WriteLDIF(&people, org.Options{People: o.People, Photos: o.Photos, Base: Base, AD: true}); err != nil {
		return "", fmt.Errorf("inventing people: %w", err)
	}
	version, err := exec.Command("/usr/sbin/samba", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking for Samba's version: %w", err)
	}
	sum := sha256.Sum256(append(append([]byte("1\n"), version...), people.Bytes()...))
	dir := filepath.Join(os.TempDir(), "parleytest-samba-"+hex.EncodeToString(sum[:8]))
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("locking the domain: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("locking the domain: %w", err)
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	making := dir + ".making"
	if err := os.RemoveAll(making); err != nil {
		return "", fmt.Errorf("removing what was left of a domain: %w", err)
	}
	if err := provision(making, people.Bytes()); err != nil {
		return "", err
	}
	if err := os.Rename(making, dir); err != nil {
		return "", fmt.Errorf("keeping the domain: %w", err)
	}
	return dir, nil
}

// provision makes a domain and loads people into it, without a server: that is
// ten times as quick.
func provision(dir string, people []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the domain's folder: %w", err)
	}
	empty, load := filepath.Join(dir, "empty.conf"), filepath.Join(dir, "people.ldif")
	for file, content := range map[string][]byte{empty: []byte("[global]\n"), load: people} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return fmt.Errorf("making the domain's folder: %w", err)
		}
	}
	const ip = "127.0.0.1" // which is in nothing that is kept
	if err := run("samba-tool", "domain", "provision", "--configfile="+empty, "--realm="+strings.ToUpper(Realm), "--domain="+Domain,
		"--server-role=dc", "--dns-backend=NONE", "--adminpass="+adminPassword, "--host-name="+host, "--host-ip="+ip, "--targetdir="+dir,
		"--option=interfaces="+ip+"/8", "--option=bind interfaces only=yes"); err != nil {
		return err
	}
	return run("ldbadd", "-H", filepath.Join(dir, "private", "sam.ldb"), load)
}

func run(program string, args ...string) error {
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out[max(0, len(out)-2000):])
	}
	return nil
}
