package supplement_test

import (
	"go/ast"
	"go/token"
	"strconv"
	"testing"

	"parley/parleytest/source"
	"parley/supplement"
)

const prometheus = "github.com/prometheus/client_golang/prometheus"

// Every label of every metric is declared, so that none ever holds an id unseen.
func TestFigureLabelsAreDeclared(t *testing.T) {
	found, problems := readLabels(readModule(t))
	for _, problem := range problems {
		t.Error(problem)
	}
	compare(t, supplement.Figures, found, `{Figures, toMonitoring, names("NAME")}`)
}

// readLabels gives the labels of the metrics that a program makes: lists of texts
// that a function of package prometheus takes, and prometheus.Labels.
func readLabels(m *source.Checked) (found reality, problems []string) {
	found = reality{}
	label := func(e ast.Expr) {
		literal, ok := e.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			problems = append(problems, m.Position(e)+": the label of a metric is not written out, so it cannot be declared")
			return
		}
		name, _ := strconv.Unquote(literal.Value)
		found[name] = m.Position(e)
	}
	for _, p := range m.Packages {
		for _, f := range p.Files {
			ast.Inspect(f.Syntax, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if !isOf(f, n.Fun, prometheus, "") {
						return true
					}
					for _, argument := range n.Args {
						if list, ok := argument.(*ast.CompositeLit); ok && isTexts(list.Type) {
							for _, e := range list.Elts {
								label(e)
							}
						}
					}
				case *ast.CompositeLit:
					if isOf(f, n.Type, prometheus, "Labels") {
						for _, e := range n.Elts {
							label(e.(*ast.KeyValueExpr).Key)
						}
					}
				}
				return true
			})
		}
	}
	return found, problems
}

// isOf reports whether an expression names something of a package: this name, or
// with no name anything.
func isOf(f *source.File, e ast.Expr, target, name string) bool {
	selector, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := selector.X.(*ast.Ident)
	return ok && f.Imports[x.Name] == target && (name == "" || selector.Sel.Name == name)
}

func isTexts(e ast.Expr) bool {
	list, ok := e.(*ast.ArrayType)
	if !ok {
		return false
	}
	element, ok := list.Elt.(*ast.Ident)
	return ok && element.Name == "string"
}
