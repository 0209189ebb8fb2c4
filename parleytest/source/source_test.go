package source_test

import (
	"go/types"
	"os"
	"path/filepath"
	"testing"

	"parley/parleytest/source"
)

func TestImportNames(t *testing.T) {
	m := read(t, map[string]string{"program.go": `package program

import (
	"net/http"
	web "net/http/httptest"
	. "strings"
	_ "embed"

	"github.com/danielgtaylor/huma/v2"
	"github.com/nats-io/nats.go"
	"github.com/emersion/go-vcard"
	"gopkg.in/yaml.v3"
)
`})
	want := map[string]string{
		"http": "net/http", "web": "net/http/httptest", "huma": "github.com/danielgtaylor/huma/v2",
		"nats": "github.com/nats-io/nats.go", "vcard": "github.com/emersion/go-vcard", "yaml": "gopkg.in/yaml.v3",
	}
	got := m.Packages[0].Files[0].Imports
	for name, target := range want {
		if got[name] != target {
			t.Errorf("%s is %q, want %q", name, got[name], target)
		}
	}
	if len(got) != len(want) {
		t.Errorf("names %v", got)
	}
}

func TestCheck(t *testing.T) {
	m := read(t, map[string]string{
		"program.go":               "package program\n\nimport (\n\t\"example.com/unknown\"\n\t\"program/part\"\n)\n\nvar (\n\tknown = part.New().At\n\tnone  = unknown.Thing()\n)\n",
		"part/part.go":             "package part\n\nimport \"time\"\n\ntype Thing struct{ At time.Time }\n\nfunc New() *Thing { return nil }\n",
		"part/part_other.go":       "//go:build neverwhere\n\npackage part\n\nvar Missing int\n",
		"part/part_test.go":        "package part\n\nvar Tested int\n",
		"part/testdata/data.go":    "package data\n\nvar syntax error\n",
		"node_modules/x/broken.go": "package",
	})
	checked, err := m.Check()
	if err != nil {
		t.Fatal(err)
	}
	if got := checked.Scope["."].Lookup("known").Type().String(); got != "time.Time" {
		t.Errorf("known is a %s", got)
	}
	if got := checked.Scope["."].Lookup("none").Type(); got != types.Typ[types.Invalid] {
		t.Errorf("what hangs on another module is a %s", got)
	}
	for _, name := range []string{"Missing", "Tested"} {
		if checked.Scope["part"].Lookup(name) != nil {
			t.Errorf("%s is part of the program", name)
		}
	}
	if len(checked.Unbuilt) != 1 || checked.Unbuilt[0].Name != "part/part_other.go" {
		t.Errorf("not built: %v", checked.Unbuilt)
	}
	if got := m.Position(m.Packages[1].Files[0].Syntax.Decls[1]); got != "part/part.go:5" {
		t.Errorf("position %s", got)
	}
}

func read(t *testing.T, files map[string]string) *source.Module {
	t.Helper()
	folder := t.TempDir()
	files["go.mod"] = "module program\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := source.ReadAt(folder)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
