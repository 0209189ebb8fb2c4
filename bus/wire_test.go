package bus

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// every is one message of every kind.
func every() []message {
	rows := []row{{1, []byte("one")}, {2, []byte{}}, {3, nil}, {1 << 63, bytes.Repeat([]byte{7}, maxValue)}}
	bodies := []any{
		beat{told: 5, versions: []tableVersion{{"presence", 9}, {"calls", 0}}},
		beat{},
		delta{table: "presence", version: 10, rows: rows},
		hint{number: 1, topic: "log", payload: []byte("123")},
		hint{number: 1 << 60, topic: "log", payload: []byte{}},
		goodbye{},
		ask{"presence"},
		chunk{table: "presence", serial: 3, version: 10, index: 300, last: true, rows: rows[:2]},
	}
	var list []message
	for _, body := range bodies {
		list = append(list, message{"node-1.example", 1 << 61, body})
	}
	return list
}

func TestMessagesSurviveTheWire(t *testing.T) {
	for _, m := range every() {
		got, err := decode(encode(m))
		if err != nil {
			t.Errorf("%T: %v", m.body, err)
		} else if !reflect.DeepEqual(got, m) {
			t.Errorf("%T: got %+v, want %+v", m.body, got, m)
		}
	}
}

func TestShortenedMessagesAreRefused(t *testing.T) {
	for _, m := range every() {
		whole := encode(m)
		for n := range len(whole) {
			if got, err := decode(whole[:n]); err == nil {
				// A hint's payload has no end of its own.
				if h, ok := got.body.(hint); !ok || len(h.payload) >= len(m.body.(hint).payload) {
					t.Errorf("%T: %d of %d bytes are read as a message", m.body, n, len(whole))
				}
			}
		}
		if _, isHint := m.body.(hint); isHint {
			continue
		}
		if _, err := decode(append(whole, 0)); err == nil {
			t.Errorf("%T: a byte too many is not noticed", m.body)
		}
	}
}

func TestOversizedMessagesAreRefused(t *testing.T) {
	long := strings.Repeat("x", maxNode+1)
	for _, m := range []message{
		{long, 1, goodbye{}},
		{"", 1, goodbye{}},
		{"a", 0, goodbye{}},
		{"a", 1, ask{long}},
		{"a", 1, hint{1, "log", make([]byte, maxHint+1)}},
		{"a", 1, hint{0, "log", nil}},
		{"a", 1, delta{"t", 1, []row{{1, make([]byte, maxValue+1)}}}},
	} {
		if _, err := decode(encode(m)); !errors.Is(err, errMalformed) {
			t.Errorf("%.60v: got error %v, want %v", m, err, errMalformed)
		}
	}
}

func TestOtherProtocolIsTold(t *testing.T) {
	data := encode(every()[0])
	data[0] = 2
	_, err := decode(data)
	if v, ok := errors.AsType[protocolError](err); !ok || v != 2 {
		t.Errorf("got error %v, want one of version 2", err)
	}
	data[0], data[1] = protocol, 99
	if _, err := decode(data); !errors.Is(err, errMalformed) {
		t.Errorf("an unknown kind: got error %v", err)
	}
}

func TestSplitKeepsMessagesSmall(t *testing.T) {
	var rows []row
	for i := range 5000 {
		rows = append(rows, row{uint64(i), make([]byte, i%600)})
	}
	rows = append(rows, row{5000, make([]byte, maxValue)}, row{5001, make([]byte, maxValue)}, row{5002, make([]byte, maxValue)})
	var joined []row
	for _, part := range split(rows) {
		size := len(encode(message{strings.Repeat("n", maxNode), 1, chunk{table: strings.Repeat("t", maxName), rows: part}}))
		if size > maxMessage/2 {
			t.Errorf("a part has %d bytes", size)
		}
		joined = append(joined, part...)
	}
	if !reflect.DeepEqual(joined, rows) {
		t.Error("the parts together are not the rows")
	}
	if parts := split(nil); len(parts) != 1 || len(parts[0]) != 0 {
		t.Errorf("no rows are split into %v", parts)
	}
}

// FuzzDecode shows that whatever decode accepts is what encode would have written,
// so there is one way to say a thing, and that nothing makes it panic or take more
// memory than there are bytes.
func FuzzDecode(f *testing.F) {
	for _, m := range every() {
		f.Add(encode(m))
	}
	f.Add([]byte{protocol, byte(kindDelta), 0, 0, 0, 0, 0, 0, 0, 1, 1, 'a', 1, 't', 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decode(data)
		if err != nil {
			return
		}
		if again := encode(m); !bytes.Equal(again, data) {
			t.Errorf("% x is read as %+v, which is written % x", data, m, again)
		}
	})
}
