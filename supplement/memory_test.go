package supplement_test

import (
	"go/types"
	"strings"
	"testing"

	"parley/parleytest/source"
	"parley/supplement"
)

// holders are the types in which the server keeps facts about people in memory
// beyond a request: package and name, without a package for package parley.
var holders = strings.Fields(`
	Person Presence TypedPhone contact.entry contact.StoredGroup contact.group
	privacy.owner privacy.Preferences
	presence.Device presence.Seen presence.Choice presence.Facts presence.seat
	account.live account.Session account.Device account.count account.found
	conversation.stream conversation.reader conversation.device conversation.waiting
`)

// Every fact that the server keeps in memory about people is declared.
func TestMemoryIsDeclared(t *testing.T) {
	m := readModule(t)
	found := reality{}
	for _, holder := range holders {
		for _, field := range fieldsOf(t, m, holder) {
			found[holder+"."+field] = "a field in memory"
		}
	}
	compare(t, supplement.Memory, found, `{Memory, HOW LONG, names("NAME")}`)
}

// fieldsOf are the fields of a struct of the module.
func fieldsOf(t *testing.T, m *source.Checked, name string) (fields []string) {
	t.Helper()
	dir, local, qualified := strings.Cut(name, ".")
	if !qualified {
		dir, local = ".", name
	}
	object := m.Scope[dir].Lookup(local)
	if object == nil {
		t.Errorf("there is no type %s: supplement/memory_test.go names it", name)
		return nil
	}
	structure, ok := object.Type().Underlying().(*types.Struct)
	if !ok {
		t.Errorf("%s is no struct: supplement/memory_test.go names it", name)
		return nil
	}
	for field := range structure.Fields() {
		fields = append(fields, field.Name())
	}
	return fields
}
