package source

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Checked is the module with the types of its parts.
type Checked struct {
	*Module
	Info  *types.Info
	Scope map[string]*types.Scope // of each package, by folder

	// Unbuilt are the files that this machine does not build, so that nothing is
	// known of their types.
	Unbuilt []*File
}

// Check type-checks the packages of the module, those files that this machine
// builds. Packages of other modules are left empty, so what hangs on them has no
// type; the standard library is known in full.
func (m *Module) Check() (*Checked, error) {
	c := &checker{
		module: m, byPath: map[string]*Package{}, done: map[string]*types.Package{},
		info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
			Defs: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
		},
	}
	for _, p := range m.Packages {
		c.byPath[m.PathOf(p)] = p
	}
	if err := c.openStandard(); err != nil {
		return nil, err
	}
	checked := &Checked{Module: m, Info: c.info, Scope: map[string]*types.Scope{}}
	c.checked = checked
	for _, p := range m.Packages {
		found, err := c.Import(m.PathOf(p))
		if err != nil {
			return nil, err
		}
		checked.Scope[p.Dir] = found.Scope()
	}
	return checked, nil
}

// checker is a types.Importer.
type checker struct {
	module   *Module
	byPath   map[string]*Package
	done     map[string]*types.Package
	standard types.Importer
	info     *types.Info
	checked  *Checked
}

// Import implements types.Importer.
func (c *checker) Import(target string) (*types.Package, error) {
	if done := c.done[target]; done != nil {
		return done, nil
	}
	if p := c.byPath[target]; p != nil {
		return c.check(target, p)
	}
	if standard(target) {
		return c.standard.Import(target)
	}
	empty := types.NewPackage(target, defaultName(target))
	empty.MarkComplete()
	c.done[target] = empty
	return empty, nil
}

func (c *checker) check(target string, p *Package) (*types.Package, error) {
	var files []*ast.File
	for _, f := range p.Files {
		dir, name := path.Split(f.Name)
		built, err := build.Default.MatchFile(filepath.Join(c.module.Root, dir), name)
		if err != nil {
			return nil, fmt.Errorf("reading the build constraints of %s: %w", f.Name, err)
		}
		if built {
			files = append(files, f.Syntax)
		} else {
			c.checked.Unbuilt = append(c.checked.Unbuilt, f)
		}
	}
	config := types.Config{Importer: c, Error: func(error) {}, FakeImportC: true}
	checked, _ := config.Check(target, c.module.Fset, files, c.info) // what hangs on other modules has no type
	c.done[target] = checked
	return checked, nil
}

// standard reports whether a path names a package of the standard library.
func standard(target string) bool {
	first, _, _ := strings.Cut(target, "/")
	return !strings.Contains(first, ".")
}

// openStandard finds the compiled form of the standard packages that the module
// imports. One question for all of them: the go command takes its time.
func (c *checker) openStandard() error {
	wanted := []string{"errors"} // without any the go command would take the working folder
	for _, p := range c.module.Packages {
		for _, f := range p.Files {
			for _, spec := range f.Syntax.Imports {
				target, _ := strconv.Unquote(spec.Path.Value)
				if c.byPath[target] == nil && standard(target) && target != "unsafe" {
					wanted = append(wanted, target)
				}
			}
		}
	}
	slices.Sort(wanted)
	list := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}, slices.Compact(wanted)...)...)
	list.Dir = c.module.Root
	list.Stderr = os.Stderr
	text, err := list.Output()
	if err != nil {
		return fmt.Errorf("looking for the standard library: %w", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(text)) {
		target, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[target] = file
	}
	c.standard = importer.ForCompiler(token.NewFileSet(), "gc", func(target string) (io.ReadCloser, error) {
		return os.Open(exports[target])
	})
	return nil
}
