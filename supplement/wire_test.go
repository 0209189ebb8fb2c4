package supplement_test

import (
	"go/ast"
	"go/constant"
	"go/types"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"parley/edge/webapi"
	"parley/parleytest/source"
	"parley/supplement"
)

// Every field of every request, answer, frame and event is declared, and every
// field that the command line and the server exchange.
func TestWireFieldsAreDeclared(t *testing.T) {
	found := wireFields(t, webapi.Describe().OpenAPI)
	addHeaders(t, found)
	m := readModule(t)
	for _, field := range taggedFields(m.Scope["server"]) {
		found["control:"+field] = "a field of the control socket, in server"
	}
	compare(t, supplement.Wire, found, `{Wire, TO WHOM, names("NAME")}`)
}

// wireFields names what the document describes: schema.field, and
// operation.parameter.
func wireFields(t *testing.T, doc *huma.OpenAPI) reality {
	t.Helper()
	found := reality{}
	for name, schema := range doc.Components.Schemas.Map() {
		for field, of := range schema.Properties {
			if field == "type" && len(of.Enum) == 1 {
				continue // tells events and frames apart, and no more
			}
			found[name+"."+field] = "a field of edge/webapi"
			if nameless(of) {
				t.Errorf("%s.%s is a struct without a name: its fields cannot be declared", name, field)
			}
		}
	}
	for path, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch, item.Head, item.Options, item.Trace} {
			if op != nil {
				addOperation(t, found, path, op)
			}
		}
	}
	return found
}

// nameless reports whether a schema has, somewhere inside, fields of its own
// instead of a reference to a schema with a name.
func nameless(s *huma.Schema) bool {
	if s == nil || s.Ref != "" {
		return false
	}
	inner, _ := s.AdditionalProperties.(*huma.Schema)
	return len(s.Properties) > 0 || nameless(s.Items) || nameless(inner)
}

// addOperation adds the parameters of an operation and the bodies that are no
// schema of their own.
func addOperation(t *testing.T, found reality, path string, op *huma.Operation) {
	t.Helper()
	for _, parameter := range op.Parameters {
		found[op.OperationID+"."+parameter.Name] = "a parameter of " + path
	}
	contents := map[string]*huma.MediaType{}
	if op.RequestBody != nil {
		for media, content := range op.RequestBody.Content {
			contents["request "+media] = content
		}
	}
	for status, response := range op.Responses {
		for media, content := range response.Content {
			contents[status+" "+media] = content
		}
	}
	for where, content := range contents {
		_, media, _ := strings.Cut(where, " ")
		schema := content.Schema
		if schema != nil && schema.Items != nil {
			schema = schema.Items
		}
		switch {
		case schema != nil && schema.Ref != "": // named above
		case strings.HasSuffix(media, "json"):
			t.Errorf("%s: its body (%s) has no named type: its fields cannot be declared", op.OperationID, where)
		default:
			found[op.OperationID+"."+media] = "the body of " + path
		}
	}
}

// addHeaders adds the headers that the edges, the app's server and package server
// declare in their inputs and outputs and those that they read or write
// themselves, and the address of the peer.
func addHeaders(t *testing.T, found reality) {
	t.Helper()
	m := readModule(t)
	for _, p := range m.Packages {
		if !strings.HasPrefix(p.Dir, "edge/") && p.Dir != "server" && p.Dir != "web" {
			continue
		}
		for _, f := range p.Files {
			ast.Inspect(f.Syntax, func(n ast.Node) bool {
				for _, name := range headersOf(t, m, n) {
					found[name] = m.Position(n)
				}
				return true
			})
		}
	}
}

// headersOf are the headers that a node names: the tag of a field, a call of a
// method of http.Header, a literal of it, or what http.Request has in a form of
// its own.
func headersOf(t *testing.T, m *source.Checked, n ast.Node) []string {
	info := m.Info
	switch n := n.(type) {
	case *ast.Field:
		if n.Tag != nil {
			tag, _ := strconv.Unquote(n.Tag.Value)
			if name := reflect.StructTag(tag).Get("header"); name != "" {
				return []string{header(name)}
			}
		}
	case *ast.CompositeLit:
		if ofHTTP(info.TypeOf(n), "Header") {
			var names []string
			for _, e := range n.Elts {
				names = append(names, headerIn(t, m, e.(*ast.KeyValueExpr).Key))
			}
			return names
		}
	case *ast.CallExpr:
		method, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || info.Selections[method] == nil || len(n.Args) == 0 {
			return nil
		}
		switch receiver := info.Selections[method].Recv(); {
		case ofHTTP(receiver, "Header") && slices.Contains([]string{"Get", "Values", "Set", "Add", "Del"}, method.Sel.Name):
			return []string{headerIn(t, m, n.Args[0])}
		case ofHTTP(receiver, "Request") && strings.HasPrefix(method.Sel.Name, "Cookie"):
			return []string{"header:Cookie"}
		}
	case *ast.SelectorExpr:
		if s := info.Selections[n]; s != nil && ofHTTP(s.Recv(), "Request") {
			switch n.Sel.Name {
			case "RemoteAddr":
				return []string{"address:peer"}
			case "UserAgent", "Referer":
				return []string{header(n.Sel.Name)}
			}
		}
	}
	return nil
}

func header(name string) string { return "header:" + http.CanonicalHeaderKey(name) }

func headerIn(t *testing.T, m *source.Checked, e ast.Expr) string {
	value := m.Info.Types[e].Value
	if value == nil || value.Kind() != constant.String {
		t.Errorf("%s: the name of a header is not constant, so it cannot be declared", m.Position(e))
		return "header:?"
	}
	return header(constant.StringVal(value))
}

// ofHTTP reports whether a type is, or points to, this one of net/http.
func ofHTTP(t types.Type, name string) bool {
	if pointer, ok := t.(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := t.(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "net/http"
}
