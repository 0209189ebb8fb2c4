package parley_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// domain lists the domain packages in the order of the import rule: each may
// import package parley and what stands to its left.
var domain = []string{
	"policy", "privacy", "account", "contact", "presence", "alert",
	"conversation", "calling", "meeting", "supplement",
}

// adapters stand around the domain. They may import package parley and the
// domain, never each other.
var adapters = []string{"store", "bus", "media", "egress", "edge/", "web"}

// goPackage is one folder with Go files, read from the source itself: a test
// that asks the go command is answered from the test cache.
type goPackage struct {
	dir      string // relative to the module, "." for the root
	name     string
	imports  map[string]bool // of non-test files
	comments []string        // files with a package comment
}

func readPackages(t *testing.T) []*goPackage {
	t.Helper()
	packages := map[string]*goPackage{}
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name == "node_modules" || name == "testdata" || name == "dist" || (strings.HasPrefix(name, ".") && name != ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		return readFile(packages, file)
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []*goPackage
	for _, p := range packages {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *goPackage) int { return strings.Compare(a.dir, b.dir) })
	return list
}

func readFile(packages map[string]*goPackage, file string) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.ImportsOnly)
	if err != nil {
		return err
	}
	dir := filepath.ToSlash(filepath.Dir(file))
	p := packages[dir]
	if p == nil {
		p = &goPackage{dir: dir, name: parsed.Name.Name, imports: map[string]bool{}}
		packages[dir] = p
	}
	for _, spec := range parsed.Imports {
		p.imports[strings.Trim(spec.Path.Value, `"`)] = true
	}
	if hasPackageComment(parsed) {
		p.comments = append(p.comments, file)
	}
	return nil
}

func hasPackageComment(f *ast.File) bool {
	return f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != ""
}

// mayImport says whether the package in dir may import target, both relative to
// the module.
func mayImport(dir, target string) bool {
	under := func(dir, top string) bool { return dir == top || strings.HasPrefix(dir, top+"/") }
	if i := slices.IndexFunc(domain, func(d string) bool { return under(dir, d) }); i >= 0 {
		return target == "." || under(target, domain[i]) || slices.ContainsFunc(domain[:i], func(d string) bool { return under(target, d) })
	}
	for _, a := range adapters {
		if !under(dir, strings.TrimSuffix(a, "/")) {
			continue
		}
		own := dir
		if a == "edge/" { // edge/webapi and what is below it is one adapter
			own = strings.Join(strings.SplitN(dir, "/", 3)[:2], "/")
		}
		return target == "." || under(target, own) || slices.ContainsFunc(domain, func(d string) bool { return under(target, d) })
	}
	switch {
	case dir == ".":
		return false
	case under(dir, "server"), under(dir, "parleytest"):
		return !under(target, "cmd")
	case dir == "cmd/parley":
		return target == "." || under(target, "server")
	case under(dir, "cmd"), under(dir, "test"):
		return true
	default:
		return false
	}
}

func TestImportRule(t *testing.T) {
	for _, p := range readPackages(t) {
		for imported := range p.imports {
			if imported == "parley" {
				imported = "parley/."
			}
			target, ours := strings.CutPrefix(imported, "parley/")
			if !ours {
				if p.dir == "." && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
					t.Errorf("package parley imports %s: the vocabulary knows the standard library only", imported)
				}
				continue
			}
			if p.dir != target && !mayImport(p.dir, path.Clean(target)) {
				t.Errorf("%s imports %s, which the import rule of docs/architecture.md does not allow", p.dir, target)
			}
		}
	}
}

// TestImportRuleCatches shows that the rule refuses what it is there to refuse.
func TestImportRuleCatches(t *testing.T) {
	tests := []struct {
		dir, target string
		want        bool
	}{
		{"privacy", "policy", true},
		{"privacy", "account", false},
		{"conversation", "presence", true},
		{"presence", "conversation", false},
		{"store", "contact", true},
		{"store", "edge/webapi", false},
		{"edge/webapi", "edge/directory", false},
		{"edge/webapi/gents", "edge/webapi", true},
		{"edge/webapi", "store", false},
		{"contact", "store", false},
		{"server", "edge/webapi", true},
		{"server", "cmd/parley", false},
		{"cmd/parley", "server", true},
		{"cmd/parley", "store", false},
		{".", "policy", false},
		{"somewhere", ".", false},
	}
	for _, test := range tests {
		if got := mayImport(test.dir, test.target); got != test.want {
			t.Errorf("may %s import %s: got %v, want %v", test.dir, test.target, got, test.want)
		}
	}
}

func TestOnePackageComment(t *testing.T) {
	for _, p := range readPackages(t) {
		if len(p.comments) != 1 {
			t.Errorf("package %s (%s): want one package comment, found %d %v", p.name, p.dir, len(p.comments), p.comments)
		}
	}
}

// TestPackageNames keeps out the names that say nothing.
func TestPackageNames(t *testing.T) {
	for _, p := range readPackages(t) {
		switch p.name {
		case "util", "utils", "common", "helpers", "manager", "misc", "types":
			t.Errorf("%s: a package is named after what it decides", p.dir)
		}
	}
}
