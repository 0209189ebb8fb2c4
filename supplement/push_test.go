package supplement_test

import (
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"parley/parleytest/source"
	"parley/supplement"
)

// pushers are what the import path of a library that sends push notifications
// holds.
var pushers = []string{"webpush", "apns", "firebase", "fcm"}

// Whatever a push notification carries is declared. A payload is a struct with
// json tags in a package that imports a library for it. Today nothing is pushed,
// and nothing may be before it is declared.
func TestPushPayloadsAreDeclared(t *testing.T) {
	found, problems := readPayloads(readModule(t))
	for _, problem := range problems {
		t.Error(problem)
	}
	compare(t, supplement.Push, found, `{Push, TO WHOM, names("NAME")}`)
}

// readPayloads gives the fields of the payloads, as type.field.
func readPayloads(m *source.Checked) (found reality, problems []string) {
	found = reality{}
	for _, p := range m.Packages {
		library := pushes(p)
		if library == "" {
			continue
		}
		fields := taggedFields(m.Scope[p.Dir])
		if len(fields) == 0 {
			problems = append(problems, p.Dir+" imports "+library+
				", which sends push notifications, and has no payload that could be declared: make it a struct with json tags, and declare its fields in supplement/*.go as {Push, TO WHOM, names(...)}")
		}
		for _, field := range fields {
			found[field] = p.Dir
		}
	}
	return found, problems
}

// pushes is the library with which a package sends push notifications.
func pushes(p *source.Package) string {
	for _, f := range p.Files {
		for _, target := range slices.Sorted(maps.Values(f.Imports)) {
			if slices.ContainsFunc(pushers, func(word string) bool { return strings.Contains(target, word) }) {
				return target
			}
		}
	}
	return ""
}

// taggedFields are the fields with json tags of the structs of a package, as
// type.field in the words of the tags.
func taggedFields(scope *types.Scope) (fields []string) {
	for _, name := range scope.Names() {
		structure, ok := scope.Lookup(name).Type().Underlying().(*types.Struct)
		if !ok {
			continue
		}
		for i := range structure.NumFields() {
			if tag := reflect.StructTag(structure.Tag(i)).Get("json"); tag != "" && tag != "-" {
				word, _, _ := strings.Cut(tag, ",")
				fields = append(fields, name+"."+word)
			}
		}
	}
	return fields
}

// TestPayloadReaderCatches shows that the reader finds what it is there to find.
func TestPayloadReaderCatches(t *testing.T) {
	found, problems := readPayloads(module(t, `package program

import webpush "github.com/SherClockHolmes/webpush-go"

type payload struct {
	Title string `+"`json:\"title\"`"+`
	Body  string `+"`json:\"body,omitempty\"`"+`
}

var _ = webpush.SendNotification
`))
	if want := []string{"payload.body", "payload.title"}; !slices.Equal(slices.Sorted(maps.Keys(found)), want) || len(problems) != 0 {
		t.Errorf("found %v, problems %v", found, problems)
	}
	_, problems = readPayloads(module(t, "package program\n\nimport \"github.com/sideshow/apns2\"\n\nvar _ = apns2.NewClient\n"))
	if len(problems) != 1 || !strings.Contains(problems[0], "has no payload that could be declared") {
		t.Errorf("problems %v", problems)
	}
}
