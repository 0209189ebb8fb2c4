package supplement_test

import (
	"go/ast"
	"go/constant"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"

	"parley/parleytest/source"
	"parley/supplement"
)

// Whatever crosses between the servers of an organisation is declared: the topics
// and tables of package bus, and the fields of what is put into them.
func TestBusIsDeclared(t *testing.T) {
	found, problems := readBus(readModule(t), "bus")
	for _, problem := range problems {
		t.Error(problem)
	}
	compare(t, supplement.Bus, found, `{Bus, TO WHOM, names("NAME")}`)
}

// readBus gives the names with which the program calls Table, Hear and Tell of
// the package's Bus, as table:name and topic:name, and the fields of the structs
// that the package's Append functions put into rows and hints, as package.type.field.
func readBus(m *source.Checked, folder string) (found reality, problems []string) {
	found = reality{}
	scope := m.Scope[folder]
	if scope == nil {
		return found, nil
	}
	for _, p := range m.Packages {
		for _, f := range p.Files {
			ast.Inspect(f.Syntax, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) == 0 {
					return true
				}
				kind := busCall(m, call, scope)
				if kind == "" {
					return true
				}
				if value := m.Info.Types[call.Args[0]].Value; value != nil && value.Kind() == constant.String {
					found[kind+":"+constant.StringVal(value)] = m.Position(call)
				} else {
					problems = append(problems, m.Position(call)+": the name of a "+kind+" is not constant, so it cannot be declared")
				}
				return true
			})
		}
	}
	for _, name := range scope.Names() {
		f, ok := scope.Lookup(name).(*types.Func)
		if ok && f.Exported() && strings.HasPrefix(name, "Append") {
			addRow(m, found, f.Signature())
		}
	}
	return found, problems
}

// busCall says what a call of a method of Bus names: a table, a topic, or nothing.
func busCall(m *source.Checked, call *ast.CallExpr, scope *types.Scope) string {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || m.Info.Selections[method] == nil || scope.Lookup("Bus") == nil {
		return ""
	}
	receiver := m.Info.Selections[method].Recv()
	if pointer, ok := receiver.(*types.Pointer); ok {
		receiver = pointer.Elem()
	}
	if !types.Identical(receiver, scope.Lookup("Bus").Type()) {
		return ""
	}
	switch method.Sel.Name {
	case "Table":
		return "table"
	case "Hear", "Tell":
		return "topic"
	}
	return ""
}

// addRow adds the fields of the structs that a function takes, and of the structs
// of the module in them.
func addRow(m *source.Checked, found reality, f *types.Signature) {
	var add func(t types.Type)
	add = func(t types.Type) {
		named, ok := t.(*types.Named)
		if !ok || named.Obj().Pkg() == nil || !strings.HasPrefix(named.Obj().Pkg().Path()+"/", m.Path+"/") {
			return
		}
		structure, ok := named.Underlying().(*types.Struct)
		if !ok {
			return
		}
		for field := range structure.Fields() {
			found[named.Obj().Pkg().Name()+"."+named.Obj().Name()+"."+field.Name()] = "a field of a row or hint"
			add(field.Type())
		}
	}
	for parameter := range f.Params().Variables() {
		add(parameter.Type())
	}
}

// TestBusReaderCatches shows that the reader finds what it is there to find.
func TestBusReaderCatches(t *testing.T) {
	found, problems := readBus(module(t, `package program

import "time"

type Bus struct{}

func (b *Bus) Table(name string)             {}
func (b *Bus) Tell(topic string, what []byte) {}

type Row struct {
	Person int
	Seen   Seen
	At     time.Time
}

type Seen struct{ State int }

func AppendRow(to []byte, r Row) []byte { return to }

const moods = "moods"

func use(b *Bus, name string) {
	b.Table(moods)
	b.Tell("log", nil)
	b.Tell(name, nil)
}
`), ".")
	want := []string{"program.Row.At", "program.Row.Person", "program.Row.Seen", "program.Seen.State", "table:moods", "topic:log"}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if len(problems) != 1 || !strings.Contains(problems[0], "program.go:25") {
		t.Errorf("problems %q", problems)
	}
}
