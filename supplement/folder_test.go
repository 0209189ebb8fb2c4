package supplement_test

import (
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"parley/parleytest"
	"parley/server/lan"
	"parley/supplement"
)

// elsewhere are the files that a test cannot have made, with the reason.
var elsewhere = map[string]string{
	"acme/*":               "needs a certificate authority",
	"parley-before-*.db*":  "is left by a restore",
	".backup-*/*":          "is there while a backup is fetched",
	"parley.db.restoring*": "is there while a restore runs",
}

// Every file in the data folder of a running server is declared.
func TestFilesAreDeclared(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	hanna.Say(kwame, "a message in a file")
	kwame.Hears(hanna, "a message in a file")
	if _, err := lan.Open(filepath.Join(w.Data, "lan")); err != nil {
		t.Fatal(err)
	}
	patterns := supplement.Declared(supplement.Folder)
	found := reality{}
	err := filepath.WalkDir(w.Data, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(w.Data, file)
		found[declaredAs(patterns, filepath.ToSlash(name))] = "a file of a running server"
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for pattern := range elsewhere {
		found[pattern] = "a file that the test cannot make"
	}
	compare(t, supplement.Folder, found, `{Folder, HOW LONG, names("NAME")}`)
}

// declaredAs gives the pattern that a file belongs to; without one its own name.
func declaredAs(patterns map[string][]supplement.Item, file string) string {
	for pattern := range patterns {
		if ok, _ := path.Match(pattern, file); ok || strings.HasSuffix(pattern, "/*") && strings.HasPrefix(file, strings.TrimSuffix(pattern, "*")) {
			return pattern
		}
	}
	return file
}
