package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEachEvent(t *testing.T) {
	const frame = ` [ {"type":"entry","prev":"a","cursor":"b","conversation":"p1.p2","from":"p1","client_id":"c","own_device":true,"kind":"message",` +
		`"content":"text.v1","at":"2026-11-22T10:00:00.000Z","body":"eHg="},` +
		`{"type":"presence","person":"p7","presence":{"availability":3500,"note":"a \"quoted\" \\ \u00e9","more":{"note":"not this one","list":[1,{}]}}},` +
		`{"type":"presence","person":"p8"},` +
		`{"type":"refused","client_id":"c","problem":{"key":"message.not-allowed","status":403,"retry_after":null}},` +
		`{"resync":true,"features":["x",[]],"limits":{"a":-1.5e3},"type":"welcome","person":"p1","device":"d4","cursor":"z"} ]`
	var got []Event
	err := EachEvent([]byte(frame), func(e *Event) error {
		got = append(got, *e)
		return nil
	})
	if err != nil || len(got) != 5 {
		t.Fatalf("got %d events, %v", len(got), err)
	}
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"type", string(got[0].Type), "entry"},
		{"prev", string(got[0].Prev), "a"},
		{"cursor", string(got[0].Cursor), "b"},
		{"conversation", string(got[0].Conversation), "p1.p2"},
		{"from", string(got[0].From), "p1"},
		{"client_id", string(got[0].ClientID), "c"},
		{"body", string(got[0].Body), "eHg="},
		{"own_device", got[0].OwnDevice, true},
		{"person", string(got[1].Person), "p7"},
		{"availability", got[1].State, 3500},
		{"note", string(got[1].Note), `a "quoted" \ é`},
		{"a withheld presence", got[2].State, 0},
		{"key", string(got[3].Key), "message.not-allowed"},
		{"welcome", string(got[4].Type) + string(got[4].Device) + string(got[4].Cursor), "welcomed4z"},
		{"resync", got[4].Resync, true},
		{"own_device of another", got[4].OwnDevice, false},
	} {
		if check.got != check.want {
			t.Errorf("%s: got %v, want %v", check.what, check.got, check.want)
		}
	}
}

func TestEachEventRefuses(t *testing.T) {
	for _, frame := range []string{
		``, `{}`, `[`, `[{]`, `[1]`, `[{"type":"a"}`, `[{"type":"a"}]x`, `[{"type":"a"},]`, `[{"type" "a"}]`, `[{"type":}]`, `[{"type":tru}]`,
		`[{"type":"a}]`, `[{"type":"a\"}]`, `[{"type":"\q"}]`, `[{"x":` + strings.Repeat("[", 5000), `[{"presence":{"note":"x"]`, `[{"x":1.2.3}]`,
	} {
		if err := EachEvent([]byte(frame), func(*Event) error { return nil }); err == nil {
			t.Errorf("%.40q was read", frame)
		}
	}
	stop := errors.New("enough")
	if err := EachEvent([]byte(`[{},{}]`), func(*Event) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the reader's own error is lost: %v", err)
	}
}

// FuzzEachEvent holds the scanner to encoding/json: what that takes for an array
// of objects is read, and the type of each is the same.
func FuzzEachEvent(f *testing.F) {
	f.Add([]byte(`[{"type":"entry","body":"eHg=","x":[{"type":"no"}]},{"type":"a\u0062c"}]`))
	f.Add([]byte(`[{"type":"presence","presence":{"availability":15000,"note":"\\"}}]`))
	f.Add([]byte(`[{"problem":null,"presence":[],"type":7}]`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		var types []string
		err := EachEvent(frame, func(e *Event) error {
			types = append(types, string(e.Type))
			return nil
		})
		var objects []map[string]json.RawMessage
		if !utf8.Valid(frame) || bytes.Contains(frame, []byte("null")) || json.Unmarshal(frame, &objects) != nil ||
			bytes.Count(frame, []byte("[")) > maxNesting/2 || bytes.Count(frame, []byte("{")) > maxNesting/2 {
			return
		}
		if err != nil || len(types) != len(objects) {
			t.Fatalf("%q: %d events, %v; there are %d", frame, len(types), err, len(objects))
		}
		for i, object := range objects {
			var want string
			if json.Unmarshal(object["type"], &want) == nil && bytes.Count(frame, []byte("type")) == 1 && want != types[i] {
				t.Errorf("%q: type %q, want %q", frame, types[i], want)
			}
		}
	})
}

func BenchmarkEachEvent(b *testing.B) {
	frame := []byte(`[{"type":"entry","prev":"AAAAAAAAAAAAAAAAAAAAAA","cursor":"BBBBBBBBBBBBBBBBBBBBBB","conversation":"p1.p2","from":"p1",` +
		`"client_id":"CCCCCCCCCCCCCCCCCCCCCC","own_device":false,"kind":"message","content":"text.v1","at":"2026-11-22T10:00:00.000Z","body":"` +
		strings.Repeat("x", 80) + `"}]`)
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		if err := EachEvent(frame, func(*Event) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
