package webapi

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"parley"
	"parley/privacy"
)

const (
	tableFile  = "edge/webapi/matrix_table_test.go"
	socketFile = "edge/webapi/matrix_sockettable_test.go"
	rolesFile  = "edge/webapi/matrix_roles_test.go"
)

// TestAccessMatrixIsComplete finds what the matrix says nothing of: an operation,
// event, frame, kind of entry, kind of actor or level, and any field of those. It
// looks at the contract and at the sources, and asks no server.
func TestAccessMatrixIsComplete(t *testing.T) {
	t.Run("roles", checkRoles)
	t.Run("operations", checkOperations)
	t.Run("socket", checkSocket)
	t.Run("entries", checkEntries)
	t.Run("sources", checkSources)
}

// everyRole is what a new row has to speak of.
func everyRole() string {
	var names []string
	for _, r := range onTheWire() {
		names = append(names, r.name)
	}
	return strings.Join(names, ", ")
}

func checkRoles(t *testing.T) {
	for kind := range parley.ActorKind(255) {
		if kind != parley.Nobody && kind.String() == parley.Nobody.String() {
			continue // there is no such kind
		}
		if !slices.ContainsFunc(roles, func(r role) bool { return r.kind == kind }) {
			t.Errorf("%s: no role is an actor of the kind %s: add it to roles, to a group of roleGroups, and a cell to every row", rolesFile, kind)
		}
	}
	for level := range privacy.Level(255) {
		if level.Valid() && !slices.ContainsFunc(roles, func(r role) bool { return r.kind == parley.ActorPerson && r.level == level }) {
			t.Errorf("%s: no role stands at the level %s: add it to roles, to the groups devices and others, and a cell to every row", rolesFile, level)
		}
	}
	listed := rolesOf("everybody")
	for _, r := range onTheWire() {
		if !slices.Contains(listed, r.name) {
			t.Errorf("%s: the role %s is in no group that makes up everybody", rolesFile, r.name)
		}
	}
}

// checkCells wants every role on the wire to stand in exactly one cell of a row.
func checkCells(t *testing.T, file, row string, cells []cell) {
	t.Helper()
	count := map[string]int{}
	for _, c := range cells {
		for _, name := range rolesOf(c.roles) {
			count[name]++
			if r, ok := roleOf(name); !ok || r.nowhere != "" {
				t.Errorf("%s: %s: there is no role %q on the wire", file, row, name)
			}
		}
	}
	for _, r := range onTheWire() {
		switch n := count[r.name]; {
		case n == 0:
			t.Errorf("%s: %s says nothing of %s: add the role to the cell with what it gets", file, row, r.name)
		case n > 1:
			t.Errorf("%s: %s speaks of %s %d times", file, row, r.name, n)
		}
	}
}

func checkOperations(t *testing.T) {
	known := operations()
	rows := map[string][]operationRow{"socket": {socketRow}}
	for _, row := range operationRows {
		rows[row.id] = append(rows[row.id], row)
		checkCells(t, tableFile, row.name(), row.cells)
	}
	checkCells(t, socketFile, "socketRow", socketRow.cells)
	for _, id := range slices.Sorted(maps.Keys(known)) {
		op := known[id]
		if len(rows[id]) == 0 {
			t.Errorf("%s: the operation %s (%s %s) has no row: add one to operationRows with a cell for every role (%s) that says the status or refusal and every field it gets, as PRODUCT §2 has it",
				tableFile, id, op.Method, op.Path, everyRole())
			continue
		}
		checkTakes(t, op, rows[id])
		checkAnswer(t, op, rows[id])
		anonymous, _ := cellOf(rows[id][0].cells, "anonymous")
		// What belongs to administrators is not there for anybody else.
		needed := anonymous.refusal == "sign-in sign-in.required" || anonymous.refusal == "not-found"
		if session := len(op.Security) > 0; session != needed {
			t.Errorf("%s: %s: the document says that a session is needed: %v; anonymous gets %+v", tableFile, id, session, anonymous)
		}
	}
	for id := range rows {
		if known[id] == nil && !strings.Contains(id, "/") {
			t.Errorf("%s: there is no operation %s", tableFile, id)
		}
	}
}

// checkTakes compares the parameters and the fields of the body of an operation
// with what its rows say that it takes.
func checkTakes(t *testing.T, op *huma.Operation, rows []operationRow) {
	t.Helper()
	var takes []string
	for _, p := range op.Parameters {
		if p.In != "header" {
			takes = append(takes, p.Name)
		}
	}
	if op.RequestBody != nil {
		takes = append(takes, schemaFields(op.RequestBody.Content["application/json"].Schema)...)
	}
	var said []string
	for _, row := range rows {
		said = append(said, strings.Fields(row.takes)...)
	}
	for _, name := range missing(takes, said) {
		t.Errorf("%s: the operation %s takes %s, which no row knows: name it in takes, and say in a row of its own what each role gets by it if that differs", tableFile, op.OperationID, name)
	}
	for _, name := range missing(said, takes) {
		t.Errorf("%s: the operation %s does not take %s", tableFile, op.OperationID, name)
	}
}

// checkAnswer compares the fields of an operation's answers with those that its
// cells speak of.
func checkAnswer(t *testing.T, op *huma.Operation, rows []operationRow) {
	t.Helper()
	var fields, said []string
	for status, response := range op.Responses {
		if content := response.Content["application/json"]; content != nil && strings.HasPrefix(status, "2") {
			fields = append(fields, schemaFields(content.Schema)...)
		}
	}
	for _, row := range rows {
		said = append(said, strings.Fields(row.nobody)...)
		for _, c := range row.cells {
			said = append(said, strings.Fields(c.fields)...)
		}
	}
	checkFields(t, tableFile, "the operation "+op.OperationID, fields, said)
}

// checkFields wants every field to be spoken of by some cell, and none to be
// spoken of that there is not.
func checkFields(t *testing.T, file, what string, fields, said []string) {
	t.Helper()
	said = slices.Clone(said)
	for i := range said {
		said[i] = strings.TrimSuffix(indexed.ReplaceAllString(said[i], "[]"), "?")
	}
	for _, name := range missing(fields, said) {
		t.Errorf("%s: %s has the field %s, which no role is expected to get: name it in the cells of the roles that may have it (PRODUCT §2)", file, what, name)
	}
	for _, name := range missing(said, fields) {
		t.Errorf("%s: %s has no field %s", file, what, name)
	}
}

var indexed = regexp.MustCompile(`\[[a-z]+\]`)

// missing gives what of a list is not in another, each once.
func missing(list, in []string) []string {
	list = slices.Compact(slices.Sorted(slices.Values(list)))
	return slices.DeleteFunc(list, func(s string) bool { return slices.Contains(in, s) })
}

// schemaFields gives the paths of the values that a schema of the contract has.
func schemaFields(s *huma.Schema) []string {
	var fields []string
	collectFields(Describe().OpenAPI.Components.Schemas, s, "", &fields)
	return fields
}

func collectFields(schemas huma.Registry, s *huma.Schema, path string, fields *[]string) {
	if s.Ref != "" {
		s = schemas.SchemaFromRef(s.Ref)
	}
	switch {
	case s.Type == huma.TypeArray:
		collectFields(schemas, s.Items, path+"[]", fields)
	case len(s.Properties) > 0:
		for name, inner := range s.Properties {
			collectFields(schemas, inner, strings.TrimPrefix(path+"."+name, "."), fields)
		}
	case path != "" && !slices.Contains(*fields, path):
		*fields = append(*fields, path)
	}
}

// typeFields gives the fields of an event or a frame.
func typeFields(value any) (kind string, fields []string) {
	schemas := Describe().OpenAPI.Components.Schemas
	ref := schemas.Schema(reflect.TypeOf(value), true, "")
	return typeOf(schemas, ref), schemaFields(ref)
}

func checkSocket(t *testing.T) {
	seen := map[string]bool{}
	for _, event := range events {
		kind, fields := typeFields(event)
		seen["event "+kind] = true
		i := slices.IndexFunc(eventRows, func(r eventRow) bool { return r.event == kind })
		if i < 0 {
			t.Errorf("%s: the event %s (%T) has no row: add one to eventRows with a cell for every role (%s) that says which fields it gets or that it never comes, and make it happen in provoke",
				socketFile, kind, event, everyRole())
			continue
		}
		checkCells(t, socketFile, "the event "+kind, eventRows[i].cells)
		var said []string
		for _, c := range eventRows[i].cells {
			said = append(said, strings.Fields(c.fields)...)
		}
		checkFields(t, socketFile, "the event "+kind, fields, said)
	}
	for _, frame := range frames {
		kind, fields := typeFields(frame)
		seen["frame "+kind] = true
		i := slices.IndexFunc(frameRows, func(r frameRow) bool { return r.frame == kind })
		if i < 0 {
			t.Errorf("%s: the frame %s (%T) has no row: add one to frameRows with its fields and a cell for every role (%s) that says what it leads to, and the frame to pair.frame",
				socketFile, kind, frame, everyRole())
			continue
		}
		checkCells(t, socketFile, "the frame "+kind, frameRows[i].cells)
		for _, name := range missing(fields, strings.Fields(frameRows[i].takes)) {
			t.Errorf("%s: the frame %s has the field %s, which its row does not know: name it in takes, and say in the cells what it leads to", socketFile, kind, name)
		}
		for _, name := range missing(strings.Fields(frameRows[i].takes), fields) {
			t.Errorf("%s: the frame %s has no field %s", socketFile, kind, name)
		}
	}
	for _, row := range eventRows {
		if !seen["event "+row.event] {
			t.Errorf("%s: there is no event %s", socketFile, row.event)
		}
	}
	for _, row := range frameRows {
		if !seen["frame "+row.frame] {
			t.Errorf("%s: there is no frame %s", socketFile, row.frame)
		}
	}
	checkIncoming(t)
	schemas := Describe().OpenAPI.Components.Schemas
	fields := schemaFields(schemas.Schema(reflect.TypeFor[Problem](), true, ""))
	checkFields(t, "edge/webapi/matrix_fields_test.go", "a refusal (problemFields)", fields, strings.Fields(problemFields))
}

// checkIncoming wants the server to read no field of a frame that no frame has.
func checkIncoming(t *testing.T) {
	t.Helper()
	var declared []string
	for _, row := range frameRows {
		declared = append(declared, strings.Fields(strings.ReplaceAll(row.takes, "[]", ""))...)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[incoming]()) {
		if name := field.Tag.Get("json"); !slices.Contains(declared, name) {
			t.Errorf("edge/webapi/frames.go: the server reads the field %s of frames, and no frame of the contract has it", name)
		}
	}
}

func checkEntries(t *testing.T) {
	_, fields := typeFields(EntryEvent{})
	for kind := range parley.EntryKind(255) {
		if kind.String() == parley.EntryKind(0).String() {
			continue // there is no such kind
		}
		i := slices.IndexFunc(entryRows, func(r entryRow) bool { return r.kind == kind })
		if i < 0 {
			t.Errorf("%s: the kind of entry %s has no row: add one to entryRows with a cell for every role (%s) that says what becomes of one it sends and which fields it gets of one sent to it",
				socketFile, kind, everyRole())
			continue
		}
		checkCells(t, socketFile, fmt.Sprintf("the kind of entry %s", kind), entryRows[i].cells)
		for _, c := range entryRows[i].cells {
			if c.refusal == "" {
				checkFields(t, socketFile, fmt.Sprintf("the kind of entry %s, for %s,", kind, c.roles), fields, strings.Fields(c.fields))
			}
		}
	}
}

// checkSources finds what could be sent or served without standing in the
// contract: types of events and frames that are in no list, and addresses that
// are no operation.
func checkSources(t *testing.T) {
	listed := map[string]bool{}
	for _, value := range slices.Concat(events, frames) {
		kind, _ := typeFields(value)
		listed[kind] = true
	}
	addresses := map[string]bool{socketRow.ask: true, "/": true}
	for _, row := range operationRows {
		if strings.Contains(row.id, "/") {
			addresses[row.id] = true
		}
	}
	for _, file := range sourceFiles(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				if kind, ok := eventType(n); ok && !listed[kind] {
					t.Errorf("edge/webapi: the type %q of a frame stands neither in events (events.go) nor in frames (frames.go): list it there, and add its row to %s", kind, socketFile)
				}
			case *ast.CallExpr:
				if pattern, ok := servedAddress(n); ok && !addresses[pattern] {
					t.Errorf("%s: the address %q is served past the operations: make it an operation, or add a row with this id to operationRows that says what every role gets", tableFile, pattern)
				}
			}
			return true
		})
	}
}

func sourceFiles(t *testing.T) []*ast.File {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
	}
	return files
}

// eventType is the value that a field `json:"type"` of a wire type must have.
func eventType(f *ast.Field) (string, bool) {
	if f.Tag == nil {
		return "", false
	}
	text, err := strconv.Unquote(f.Tag.Value)
	tag := reflect.StructTag(text)
	return tag.Get("enum"), err == nil && tag.Get("json") == "type" && tag.Get("enum") != ""
}

// servedAddress is the pattern that a call hands to a ServeMux.
func servedAddress(call *ast.CallExpr) (string, bool) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || method.Sel.Name != "HandleFunc" && method.Sel.Name != "Handle" || len(call.Args) != 2 {
		return "", false
	}
	literal, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "an address that is computed", true
	}
	pattern, err := strconv.Unquote(literal.Value)
	return pattern, err == nil
}
