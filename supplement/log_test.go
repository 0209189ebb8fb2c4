package supplement_test

import (
	"go/ast"
	"go/constant"
	"go/types"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/parleytest/source"
	"parley/supplement"
)

// foreignLogs are the places that take a logger whose messages somebody else
// words, with the reason.
var foreignLogs = map[string]string{
	"server/http.go": "net/http words what went wrong with a connection, with the address of the peer: at level debug only",
}

// Every key of every log record is declared, and every text is constant, so that
// nothing finds its way into a log that nobody has thought of.
func TestLogFieldsAreDeclared(t *testing.T) {
	found, problems := readLog(readModule(t))
	for _, problem := range problems {
		t.Error(problem)
	}
	compare(t, supplement.Log, found, `{Log, asLongAsTheLog, names("NAME")}`)
}

// readLog gives the keys of whatever a program logs, and what of it cannot be
// read.
func readLog(m *source.Checked) (found reality, problems []string) {
	r := &logReader{module: m, info: m.Info, passing: map[types.Object]int{}}
	for before := -1; before < len(r.passing); { // who passes fields on to somebody who passes them on
		before = len(r.passing)
		r.read()
	}
	for _, f := range m.Unbuilt {
		if slices.Contains(slices.Collect(maps.Values(f.Imports)), "log/slog") {
			r.problems = append(r.problems, f.Name+" is not built on this machine, so what it logs cannot be read: log in a file without build constraints")
		}
	}
	for place := range foreignLogs {
		if !r.foreign[place] {
			r.problems = append(r.problems, place+" no longer lets others log: take it out of foreignLogs in supplement/log_test.go")
		}
	}
	return r.found, r.problems
}

// logReader reads what is logged out of the program's text.
type logReader struct {
	module  *source.Checked
	info    *types.Info
	passing map[types.Object]int // functions that pass fields on, and from which argument

	found    reality
	problems []string
	foreign  map[string]bool // files that let others log

	file     string
	command  bool              // it is of a command, which speaks to whoever started it
	calling  map[ast.Expr]bool // expressions that are called
	function *ast.FuncDecl     // around the call
}

func (r *logReader) read() {
	r.problems, r.foreign = nil, map[string]bool{}
	r.found = reality{slog.TimeKey: "log/slog", slog.LevelKey: "log/slog", slog.MessageKey: "log/slog"}
	for _, p := range r.module.Packages {
		if p.Dir == "parleytest" || strings.HasPrefix(p.Dir, "parleytest/") || p.Dir == "cmd/parley-load" {
			continue // for tests: they make no log of the server
		}
		for _, f := range p.Files {
			r.file, r.command = f.Name, f.Syntax.Name.Name == "main"
			for _, declaration := range f.Syntax.Decls {
				r.function, _ = declaration.(*ast.FuncDecl)
				r.calling = map[ast.Expr]bool{}
				ast.Inspect(declaration, r.node)
			}
		}
	}
}

func (r *logReader) problem(node ast.Node, text string) {
	r.problems = append(r.problems, r.module.Position(node)+": "+text)
}

func (r *logReader) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		r.calling[ast.Unparen(n.Fun)] = true
		r.call(n)
	case *ast.SelectorExpr:
		if f := r.info.Uses[n.Sel]; f != nil && f.Pkg() != nil && f.Pkg().Path() == "os" && (n.Sel.Name == "Stderr" || n.Sel.Name == "Stdout") && !r.command {
			r.problem(n, "os."+n.Sel.Name+" is where the log goes: use log/slog, whose fields can be declared")
		}
		if f := r.info.Uses[n.Sel]; f != nil && !r.calling[n] && r.logs(f) {
			r.problem(n, "a function of log/slog is passed on as a value: call it, so that its fields can be read")
		}
	case *ast.CompositeLit:
		if r.named(r.info.TypeOf(n), "Attr") && len(n.Elts) > 0 {
			r.problem(n, "a log attribute is made as a literal: use slog.String and the like, whose key can be read")
		}
	case *ast.ImportSpec:
		if n.Path.Value == `"log"` {
			r.problem(n, "package log is imported: use log/slog, whose fields can be declared")
		}
	}
	return true
}

// called is the function or method that a call names.
func (r *logReader) called(call *ast.CallExpr) types.Object {
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return r.info.Uses[f]
	case *ast.SelectorExpr:
		return r.info.Uses[f.Sel]
	}
	return nil
}

// logging says of a function of log/slog at which argument its text, or its key,
// and its keys and values stand; -1: it has none.
var logging = map[string]struct{ text, key, pairs int }{
	"Debug": {0, -1, 1}, "Info": {0, -1, 1}, "Warn": {0, -1, 1}, "Error": {0, -1, 1},
	"DebugContext": {1, -1, 2}, "InfoContext": {1, -1, 2}, "WarnContext": {1, -1, 2}, "ErrorContext": {1, -1, 2},
	"Log": {2, -1, 3}, "LogAttrs": {2, -1, 3}, "With": {-1, -1, 0}, "WithGroup": {-1, 0, -1},
	"String": {-1, 0, -1}, "Int": {-1, 0, -1}, "Int64": {-1, 0, -1}, "Uint64": {-1, 0, -1}, "Float64": {-1, 0, -1},
	"Bool": {-1, 0, -1}, "Time": {-1, 0, -1}, "Duration": {-1, 0, -1}, "Any": {-1, 0, -1},
	"Group": {-1, 0, 1}, "GroupAttrs": {-1, 0, -1},
}

// byOthers are the ways to let somebody else word a record.
var byOthers = []string{"NewLogLogger", "NewRecord", "SetDefault", "SetLogLoggerLevel"}

func (r *logReader) call(call *ast.CallExpr) {
	f := r.called(call)
	if builtin, ok := f.(*types.Builtin); ok && strings.HasPrefix(builtin.Name(), "print") {
		r.problem(call, builtin.Name()+" writes where the log goes: use log/slog, whose fields can be declared")
	}
	if f == nil || f.Pkg() == nil {
		return
	}
	if from, ok := r.passing[f]; ok {
		r.pairs(call, call.Args[min(from, len(call.Args)):])
		return
	}
	if !r.logs(f) {
		return
	}
	if slices.Contains(byOthers, f.Name()) {
		r.foreign[r.file] = true
		if foreignLogs[r.file] == "" {
			r.problem(call, "slog."+f.Name()+" lets others word the log: declare it in foreignLogs of supplement/log_test.go, with the reason")
		}
		return
	}
	at := logging[f.Name()]
	if at.text >= 0 && r.constant(call.Args[at.text]) == "" {
		r.problem(call, "the text of a log record is not constant: put what varies into a declared field")
	}
	if at.key >= 0 {
		r.key(call.Args[at.key])
	}
	if at.pairs >= 0 {
		r.pairs(call, call.Args[min(at.pairs, len(call.Args)):])
	}
}

// logs reports whether f is a function of log/slog that stands by itself or
// belongs to Logger: methods of handlers and values have the same names.
func (r *logReader) logs(f types.Object) bool {
	signature, ok := f.Type().(*types.Signature)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "log/slog" {
		return false
	}
	_, read := logging[f.Name()]
	return (read || slices.Contains(byOthers, f.Name())) && (signature.Recv() == nil || r.named(signature.Recv().Type(), "Logger"))
}

// named reports whether a type is, or points to, this one of log/slog.
func (r *logReader) named(t types.Type, name string) bool {
	if pointer, ok := t.(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := t.(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "log/slog"
}

// constant is the value of a constant text, empty for every other expression.
func (r *logReader) constant(e ast.Expr) string {
	if value := r.info.Types[e].Value; value != nil && value.Kind() == constant.String {
		return constant.StringVal(value)
	}
	return ""
}

func (r *logReader) key(e ast.Expr) {
	if key := r.constant(e); key != "" {
		r.found[key] = r.module.Position(e)
		return
	}
	r.problem(e, "the key of a log field is not constant, so it cannot be declared")
}

// pairs reads keys and values, among which attributes may stand.
func (r *logReader) pairs(call *ast.CallExpr, args []ast.Expr) {
	for i := 0; i < len(args); i++ {
		switch e := args[i]; {
		case call.Ellipsis.IsValid() && i == len(args)-1:
			r.spread(e)
		case r.named(r.info.TypeOf(e), "Attr"): // read where it is made
		default:
			r.key(e)
			i++ // the value
		}
	}
}

// spread reads a list of keys and values that is passed as a whole: what is
// appended to a parameter of the function around, whose callers then count, or a
// literal.
func (r *logReader) spread(e ast.Expr) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if r.passes(r.info.Uses[e]) {
			return
		}
	case *ast.CompositeLit:
		r.pairs(&ast.CallExpr{}, e.Elts)
		return
	case *ast.CallExpr:
		if name, ok := e.Fun.(*ast.Ident); ok && name.Name == "append" {
			r.spread(e.Args[0])
			r.pairs(e, e.Args[1:])
			return
		}
	}
	r.problem(e, "these log fields cannot be read: write them where the record is logged")
}

// passes notes that the function around passes its last parameter on.
func (r *logReader) passes(parameter types.Object) bool {
	if r.function == nil || parameter == nil {
		return false
	}
	f := r.info.Defs[r.function.Name]
	signature := f.Type().(*types.Signature)
	last := signature.Params().Len() - 1
	if !signature.Variadic() || signature.Params().At(last) != parameter {
		return false
	}
	r.passing[f] = last
	return true
}

// TestLogReaderCatches shows that the reader finds what it is there to find.
func TestLogReaderCatches(t *testing.T) {
	const program = `package program

import (
	"errors"
	"log"
	"log/slog"
	"os"
)

type part struct{ logger *slog.Logger }

func (p part) refuse(err error, what ...any) { p.again(append(what, "cause", err)...) }

func (p part) again(what ...any) { p.logger.Error("refused", append(what, "last", 1)...) }

func (p part) work(text string, fields []any) {
	p.logger.Info("fine", "plain", text, slog.Int("attribute", 1))
	p.logger.With("with", 1).WithGroup("group").LogAttrs(nil, slog.LevelInfo, "fine", slog.Group("nested", "inner", 1))
	p.refuse(errors.New(text), "passed", text)
	p.logger.Info("spread", []any{"literal", 1}...)
	slog.Warn("package's own", "own", 1)

	p.logger.Info("hello " + text)
	p.logger.Info("key", text, 1)
	p.logger.Info("fields", fields...)
	p.logger.Info("attr", slog.Attr{Key: "k"})
	slog.NewLogLogger(p.logger.Handler(), 0)
	tell := p.logger.Info
	tell(text)
	log.Print(text)
	println(text)
	os.Stderr.WriteString(text)
}
`
	found, problems := readLog(module(t, program))
	want := []string{"attribute", "cause", "group", "inner", "last", "level", "literal", "msg", "nested", "own", "passed", "plain", "time", "with"}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
		t.Errorf("keys:\n got %q\nwant %q", got, want)
	}
	all := strings.Join(problems, "\n")
	for _, says := range []string{"program.go:5: package log", "program.go:23: the text of a log record",
		"program.go:24: the key of a log field", "program.go:25: these log fields", "program.go:26: a log attribute", "program.go:27: slog.NewLogLogger",
		"program.go:28: a function of log/slog", "program.go:31: println", "program.go:32: os.Stderr"} {
		if !strings.Contains(all, says) {
			t.Errorf("it does not say %q:\n%s", says, all)
		}
	}
}

// module reads a module of one file.
func module(t *testing.T, program string) *source.Checked {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module program\n\ngo 1.26\n", "program.go": program} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := source.ReadAt(folder)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := m.Check()
	if err != nil {
		t.Fatal(err)
	}
	return checked
}
