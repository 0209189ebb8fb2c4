package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The command says what is wrong, asks for the password of --as on standard input,
// shows it nowhere, and its exit code tells.
func TestDoctorDirectory(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	write := func(ldap string) string {
		file := filepath.Join(t.TempDir(), "parley.toml")
		text := "[organisation]\nname = \"x\"\ndomains = [\"example.com\"]\nregion = \"GB\"\n" + ldap
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	code, out, errs := parley(t, "", "doctor", "directory", "--config", write(""))
	if code != 1 || out != "" || !strings.Contains(errs, "there is no corporate directory") {
		t.Errorf("without a directory: %d %q %q", code, out, errs)
	}
	file := write("[ldap]\nservers = [\"ldap://" + closed.Addr().String() + "\"]\nbind_dn = \"cn=x\"\nbind_password = \"hunter22\"\n")
	code, out, errs = parley(t, "swordfish\n", "doctor", "directory", "--config", file, "--as", "ann")
	if code != 1 || !strings.Contains(out, "WRONG  No connection to "+closed.Addr().String()+": connection refused.\n") || !strings.Contains(errs, "one thing has to be changed") {
		t.Errorf("a server that is down: %d %q %q", code, out, errs)
	}
	if strings.Contains(out+errs, "hunter22") || strings.Contains(out+errs, "swordfish") {
		t.Errorf("a password is shown: %q %q", out, errs)
	}
}
