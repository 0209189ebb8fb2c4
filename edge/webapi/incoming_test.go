package webapi

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"parley"
)

func TestDecodeFrame(t *testing.T) {
	tests := []struct {
		name  string
		text  string
		field string // of the refusal; "-": the frame is taken
	}{
		{"a frame", `{"type":"ping"}`, "-"},
		{"space around it", " \n{\"type\":\"ping\"}\n", "-"},
		{"fields that nobody knows", `{"type":"ping","later":{"a":[1]}}`, "-"},
		{"no type", `{}`, "-"},
		{"nothing", ``, ""},
		{"not JSON", `hello`, ""},
		{"cut short", `{"type":"ping"`, ""},
		{"something behind it", `{"type":"ping"}{}`, ""},
		{"an array", `[{"type":"ping"}]`, ""},
		{"a string", `"ping"`, ""},
		{"null", `null`, ""},
		{"a number for a text", `{"type":5}`, "type"},
		{"a text for a list", `{"type":"watch","people":"p1"}`, "people"},
		{"a number in a list", `{"type":"watch","people":["p1",2]}`, "people"},
		{"a body that is no base64", `{"type":"send","body":"%%"}`, ""},
		{"not UTF-8", "{\"type\":\"pi\xffng\"}", ""},
		{"too deep", `{"type":"ping","x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "}", ""},
	}
	for _, test := range tests {
		_, err := decodeFrame([]byte(test.text))
		if test.field == "-" {
			if err != nil {
				t.Errorf("%s: refused: %v", test.name, err)
			}
			continue
		}
		p := problemOf(err)
		if err == nil || p.Title != "invalid" || p.Key != "frame.malformed" || p.Field != test.field {
			t.Errorf("%s: got %+v, want invalid with field %q", test.name, p, test.field)
		}
	}
}

// TestIncomingCoversEveryFrame holds the one struct that frames are decoded into
// to the structs that the contract is made from.
func TestIncomingCoversEveryFrame(t *testing.T) {
	known := jsonNames(reflect.TypeFor[incoming]())
	for _, frame := range frames {
		for _, name := range jsonNames(reflect.TypeOf(frame)) {
			if !slices.Contains(known, name) {
				t.Errorf("%T has the field %s, which decodeFrame does not read", frame, name)
			}
		}
	}
}

func jsonNames(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func TestParsePeople(t *testing.T) {
	got, err := parsePeople([]string{"p9", "p2", "p9", "p5"})
	if want := []parley.PersonID{2, 5, 9}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if _, err := parsePeople([]string{"p1", "d2"}); parley.KindOf(err) != parley.Invalid {
		t.Errorf("an id that is no person's: %v, want invalid", err)
	}
	if _, err := parsePeople(make([]string, maxWatched+1)); parley.KindOf(err) != parley.TooLarge {
		t.Errorf("too many people: %v, want too-large", err)
	}
}

func FuzzDecodeFrame(f *testing.F) {
	for _, frame := range frames {
		text, err := json.Marshal(frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"type":"send","client_id":"AAAAAAAAAAAAAAAAAAAAAA","body":"aGk="}`))
	f.Add([]byte(`{"type":"watch","people":["p1","p2"]}`))
	f.Add([]byte("{\"type\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		frame, err := decodeFrame(text)
		if err != nil {
			if problemOf(err).Title != "invalid" {
				t.Errorf("%q: refused with %v, want invalid", text, err)
			}
			return
		}
		if !json.Valid(text) {
			t.Errorf("%q is not JSON and was taken", text)
		}
		people, err := parsePeople(frame.People)
		if err == nil && !slices.IsSorted(people) {
			t.Errorf("people of %q are not sorted: %v", text, people)
		}
	})
}
