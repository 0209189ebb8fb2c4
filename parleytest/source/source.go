// Package source reads the module's own Go files, for tests that hold rules
// about the text of the program: what may be logged, who may open connections.
//
// It parses the files itself, so that a change of them is never answered from
// the test cache. It must never decide what is allowed; that is the tests' part.
package source

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Module is the text of the module's program: every Go file but tests.
type Module struct {
	Root     string
	Path     string // as go.mod has it
	Fset     *token.FileSet
	Packages []*Package // by folder
}

// Package is the Go files of one folder.
type Package struct {
	Dir   string // relative to the module, with slashes; "." for the root
	Files []*File
}

// File is one Go file.
type File struct {
	Name    string // relative to the module, with slashes
	Syntax  *ast.File
	Imports map[string]string // path by the name that the file uses for it; "." and "_" imports are left out
}

// Root is the folder of go.mod, at or above the working folder.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", errors.New("there is no go.mod at or above the working folder")
		}
		dir = above
	}
}

// Read reads the module that the working folder lies in.
func Read() (*Module, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	return ReadAt(root)
}

// ReadAt reads the module whose root this is.
func ReadAt(root string) (*Module, error) {
	m := &Module{Root: root, Fset: token.NewFileSet()}
	if err := m.readPath(); err != nil {
		return nil, err
	}
	packages := map[string]*Package{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if file != root && leftOut(entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		return m.readFile(packages, file)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the module: %w", err)
	}
	slices.SortFunc(m.Packages, func(a, b *Package) int { return strings.Compare(a.Dir, b.Dir) })
	return m, nil
}

func leftOut(folder string) bool {
	return folder == "node_modules" || folder == "testdata" || folder == "dist" || strings.HasPrefix(folder, ".")
}

func (m *Module) readPath() error {
	text, err := os.ReadFile(filepath.Join(m.Root, "go.mod"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	name, ok := strings.CutPrefix(first, "module ")
	if !ok {
		return fmt.Errorf("go.mod begins with %q, not with the module", first)
	}
	m.Path = strings.TrimSpace(name)
	return nil
}

func (m *Module) readFile(packages map[string]*Package, file string) error {
	name, err := filepath.Rel(m.Root, file)
	if err != nil {
		return err
	}
	name = filepath.ToSlash(name)
	syntax, err := parser.ParseFile(m.Fset, file, nil, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	p := packages[dir]
	if p == nil {
		p = &Package{Dir: dir}
		packages[dir] = p
		m.Packages = append(m.Packages, p)
	}
	p.Files = append(p.Files, &File{Name: name, Syntax: syntax, Imports: imports(syntax)})
	return nil
}

func imports(f *ast.File) map[string]string {
	named := map[string]string{}
	for _, spec := range f.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		name := defaultName(target)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name != "." && name != "_" {
			named[name] = target
		}
	}
	return named
}

// defaultName is the name of a package by its path: what stands last, a version
// and the like aside.
func defaultName(target string) string {
	name := path.Base(target)
	if len(name) > 1 && name[0] == 'v' && name[1] >= '0' && name[1] <= '9' {
		name = path.Base(path.Dir(target))
	}
	name, _, _ = strings.Cut(name, ".") // gopkg.in/yaml.v3, nats.go
	return strings.TrimPrefix(name, "go-")
}

// Position is where a node stands, as file:line, the file relative to the module.
func (m *Module) Position(node ast.Node) string {
	at := m.Fset.Position(node.Pos())
	name, err := filepath.Rel(m.Root, at.Filename)
	if err != nil {
		name = at.Filename
	}
	return fmt.Sprintf("%s:%d", filepath.ToSlash(name), at.Line)
}

// PathOf is the import path of a package of the module.
func (m *Module) PathOf(p *Package) string {
	if p.Dir == "." {
		return m.Path
	}
	return m.Path + "/" + p.Dir
}
