package webapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley"
)

// TestAccessMatrixOperations asks every operation as every role and compares what
// comes back with the matrix: the status or the refusal, and which fields are
// there.
//
// claim: CC6, PR7
func TestAccessMatrixOperations(t *testing.T) {
	w := newMatrixWorld(t)
	w.talk()
	for i, row := range operationRows {
		if row.id == "socket" {
			continue // driven with its frames
		}
		for j, r := range onTheWire() {
			want, ok := cellOf(row.cells, r.name)
			if !ok {
				t.Errorf("%s has no cell for %s", row.name(), r.name)
				continue
			}
			t.Run(row.name()+"/"+r.name, func(t *testing.T) {
				w := w.within(t)
				c := w.clients[r.name]
				switch {
				case row.fresh:
					c = w.clientFor(r)
				case row.desk:
					c = w.deskOf(c, r)
				}
				compare(t, want, w.ask(c, row, fmt.Sprintf("192.0.%d.%d", i, j)))
			})
		}
	}
}

func (row operationRow) name() string {
	if row.how == "" {
		return row.id
	}
	return row.id + ", " + row.how
}

func cellOf(cells []cell, role string) (cell, bool) {
	i := slices.IndexFunc(cells, func(c cell) bool { return slices.Contains(rolesOf(c.roles), role) })
	if i < 0 {
		return cell{}, false
	}
	return cells[i], true
}

// answer is what came back.
type answer struct {
	status int
	kind   string
	header http.Header
	text   []byte
}

func (w *matrixWorld) ask(c *client, row operationRow, network string) answer {
	c.Helper()
	method, path, _ := strings.Cut(w.fill(row.ask, c), " ")
	var body any
	if row.body != "" {
		body = w.fill(row.body, c)
	}
	response := c.call(method, path, body, "X-Forwarded-For", network)
	return answer{status: response.StatusCode, kind: response.Header.Get("Content-Type"), header: response.Header, text: c.text(response)}
}

// compare holds an answer against its cell.
func compare(t *testing.T, want cell, got answer) {
	t.Helper()
	if want.refusal != "" {
		compareRefusal(t, want.refusal, got)
		return
	}
	if got.status != want.status {
		t.Fatalf("status %d, want %d: %.500s", got.status, want.status, got.text)
	}
	if want.fields == "-" {
		return
	}
	var fields []string
	if strings.HasSuffix(got.kind, "json") {
		fields = fieldsOf(t, got.text)
	}
	compareFields(t, want.fields, fields)
}

func compareRefusal(t *testing.T, refusal string, got answer) {
	t.Helper()
	kind, key, _ := strings.Cut(refusal, " ")
	var p Problem
	if err := json.Unmarshal(got.text, &p); err != nil || got.kind != problemMedia || p.Title != kind || key != "" && p.Key != key {
		t.Fatalf("status %d with %.500s, want the refusal %s", got.status, got.text, refusal)
	}
	compareFields(t, problemFields, fieldsOf(t, got.text))
}

// compareFields wants all fields of a list, but for those with ?, and no others.
func compareFields(t *testing.T, list string, got []string) {
	t.Helper()
	allowed := map[string]bool{}
	for field := range strings.FieldsSeq(list) {
		name, optional := strings.CutSuffix(field, "?")
		allowed[name] = true
		if !optional && !slices.Contains(got, name) {
			t.Errorf("the field %s is not there", name)
		}
	}
	for _, name := range got {
		if !allowed[name] {
			t.Errorf("the field %s is there", name)
		}
	}
}

// fieldsOf gives the paths of the values in a JSON text, sorted: "presence.note",
// "reports[].id". In a list of people only the subject's is looked at, and a
// phone stands under its kind.
func fieldsOf(t *testing.T, text []byte) []string {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%.500s: %v", text, err)
	}
	found := map[string]bool{}
	walk("", value, found)
	return slices.Sorted(maps.Keys(found))
}

func walk(path string, value any, found map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			walk(strings.TrimPrefix(path+"."+name, "."), inner, found)
		}
	case []any:
		for _, element := range v {
			object, _ := element.(map[string]any)
			if strings.HasSuffix(path, "people") && object["display_name"] != "Sofia Sandoval" {
				continue
			}
			index := "[]"
			if strings.HasSuffix(path, "phones") {
				index = fmt.Sprintf("[%v]", object["kind"])
			}
			walk(path+index, element, found)
		}
	default:
		found[path] = true
	}
}

// talk makes every role on a device exchange messages with the subject, who has
// them delivered; the role has read what it got. The subject's other device
// acknowledges nothing, so that nothing is purged.
func (w *matrixWorld) talk() {
	w.Helper()
	for _, r := range onTheWire() {
		if r.kind != parley.ActorPerson {
			continue
		}
		c, to := w.clients[r.name], w.ids[subjectName]
		if r.name == "self" {
			to = w.ids[bystanderName]
		}
		d := c.online()
		mine := w.messageTo(c, to, "message")
		d.send(mine)
		accepted := d.expect("accepted")
		if r.name == "self" {
			other := w.signIn(bystanderName).online()
			e := other.expect("entry")
			other.send(AckFrame{Type: "ack", Cursor: e.text("cursor")})
			d.expect("delivered")
			d.send(ReadFrame{Type: "read", Conversation: mine.Conversation, ID: accepted.text("cursor")})
			d.settle()
			continue
		}
		theirs := w.messageTo(w.subject, w.ids[c.name()], "message")
		w.socket.send(theirs)
		w.socket.send(AckFrame{Type: "ack", Cursor: w.socket.expect("accepted").text("cursor")})
		e := d.expect("entry")
		d.send(ReadFrame{Type: "read", Conversation: e.text("conversation"), ID: e.text("cursor")})
		d.settle()
	}
}
