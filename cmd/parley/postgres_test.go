package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"parley/parleytest/postgres"
)

// The administrator's commands over a PostgreSQL database, while no node runs.
func TestCommandsOnPostgres(t *testing.T) {
	data := t.TempDir()
	config := writeConfig(t, fmt.Sprintf("data = %q\n", data)+goodConfig+fmt.Sprintf("[database]\nurl = %q\n", postgres.Database(t)))
	steps := []struct {
		args, in string
		code     int
		want     string
	}{
		{"people import -", "dn: uid=ann,dc=x\nobjectClass: inetOrgPerson\nuid: ann\ncn: Ann\nmail: ann@example.test\n", 0, "1 added"},
		{"people set-password ann@example.test", "a long password\n", 0, ""},
		{"people list", "", 0, "ann@example.test"},
		{"audit verify", "", 0, "The audit trail is whole: "},
		{"backup " + filepath.Join(t.TempDir(), "b"), "", 1, "back it up with pg_dump"},
		{"restore --new-epoch", "", 0, "The database has a new epoch."},
		{"people list", "", 0, "ann@example.test"},
	}
	for _, step := range steps {
		code, out, errs := parley(t, step.in, append(strings.Fields(step.args), "--config", config)...)
		if code != step.code || !strings.Contains(out+errs, step.want) {
			t.Fatalf("parley %s: exit code %d, printed\n%.2000s%s", step.args, code, out, errs)
		}
	}
}
