package bus

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// protocol is the version of what follows. A message begins with it; messages of
// another version are passed over.
const protocol = 1

// The limits of the protocol, in bytes. A message is kept well below what any
// NATS server carries by default (1 MiB).
const (
	maxName  = 64       // of a table or topic
	maxNode  = 128      // of a node's name
	maxValue = 16 << 10 // of a row
	maxHint  = 32 << 10 // of a hint's payload
	maxRows  = 32 << 10 // of the rows of one message, except the last of them
)

type kind byte

// The kinds of message. The numbers are the protocol's.
const (
	kindBeat kind = iota + 1
	kindDelta
	kindHint
	kindGoodbye
	kindAsk
	kindChunk
)

// message is anything that nodes say to each other.
type message struct {
	node        string
	incarnation uint64
	body        any // beat, delta, hint, goodbye, ask or chunk
}

// beat is a sign of life. It tells how far its node is, so that what got lost
// before a quiet time is noticed.
type beat struct {
	told     uint64 // hints
	versions []tableVersion
}

type tableVersion struct {
	table   string
	version uint64
}

// delta changes rows of the sender in one table. The version that it leads from
// is one lower.
type delta struct {
	table   string
	version uint64
	rows    []row
}

// row is one row of a table; a nil value removes it.
type row struct {
	key   uint64
	value []byte
}

type hint struct {
	number  uint64 // dense, over all topics, from 1
	topic   string
	payload []byte
}

type goodbye struct{}

// ask is sent to one node, for all of its rows in a table.
type ask struct{ table string }

// chunk is a part of the answer to an ask: rows as they were at a version, or
// later where a following delta says so too.
type chunk struct {
	table   string
	serial  uint64 // tells the sender's snapshots apart
	version uint64
	index   uint64
	last    bool
	rows    []row
}

var errMalformed = errors.New("malformed message")

// protocolError says that a message is of another version of the protocol.
type protocolError byte

func (v protocolError) Error() string {
	return fmt.Sprintf("protocol version %d, this node speaks %d", byte(v), protocol)
}

func encode(m message) []byte {
	b := []byte{protocol, 0}
	b = binary.BigEndian.AppendUint64(b, m.incarnation)
	b = appendString(b, m.node)
	var k kind
	switch body := m.body.(type) {
	case beat:
		k = kindBeat
		b = binary.BigEndian.AppendUint64(b, body.told)
		b = binary.AppendUvarint(b, uint64(len(body.versions)))
		for _, v := range body.versions {
			b = binary.BigEndian.AppendUint64(appendString(b, v.table), v.version)
		}
	case delta:
		k = kindDelta
		b = binary.BigEndian.AppendUint64(appendString(b, body.table), body.version)
		b = appendRows(b, body.rows)
	case hint:
		k = kindHint
		b = binary.BigEndian.AppendUint64(b, body.number)
		b = append(appendString(b, body.topic), body.payload...)
	case goodbye:
		k = kindGoodbye
	case ask:
		k = kindAsk
		b = appendString(b, body.table)
	case chunk:
		k = kindChunk
		b = binary.BigEndian.AppendUint64(appendString(b, body.table), body.serial)
		b = binary.BigEndian.AppendUint64(b, body.version)
		b = binary.AppendUvarint(b, body.index)
		last := byte(0)
		if body.last {
			last = 1
		}
		b = appendRows(append(b, last), body.rows)
	}
	b[1] = byte(k)
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendRows(b []byte, rows []row) []byte {
	b = binary.AppendUvarint(b, uint64(len(rows)))
	for _, r := range rows {
		b = binary.BigEndian.AppendUint64(b, r.key)
		if r.value == nil {
			b = append(b, 0)
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(r.value))+1), r.value...)
	}
	return b
}

// decode reads what encode writes and nothing else. What it returns does not
// share memory with data.
func decode(data []byte) (message, error) {
	if len(data) < 2 {
		return message{}, errMalformed
	}
	if data[0] != protocol {
		return message{}, protocolError(data[0])
	}
	r := reader{rest: data[2:]}
	m := message{incarnation: r.uint64(), node: r.string(maxNode)}
	switch kind(data[1]) {
	case kindBeat:
		m.body = r.beat()
	case kindDelta:
		m.body = delta{table: r.string(maxName), version: r.uint64(), rows: r.rows()}
	case kindHint:
		h := hint{number: r.uint64(), topic: r.string(maxName), payload: r.remainder(maxHint)}
		r.bad = r.bad || h.number == 0
		m.body = h
	case kindGoodbye:
		m.body = goodbye{}
	case kindAsk:
		m.body = ask{table: r.string(maxName)}
	case kindChunk:
		m.body = chunk{table: r.string(maxName), serial: r.uint64(), version: r.uint64(), index: r.uvarint(), last: r.bool(), rows: r.rows()}
	default:
		r.bad = true
	}
	if r.bad || len(r.rest) > 0 || m.node == "" || m.incarnation == 0 {
		return message{}, errMalformed
	}
	return m, nil
}

// reader takes values off the front of rest. After the first that is not there it
// is bad and gives zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) uint64() uint64 {
	b := r.take(8)
	if r.bad {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || n > 1 && r.rest[n-1] == 0 { // the latter is a longer way to write it
		r.bad = true
		return 0
	}
	r.take(uint64(n))
	return v
}

func (r *reader) bool() bool {
	b := r.take(1)
	if r.bad || b[0] > 1 {
		r.bad = true
		return false
	}
	return b[0] == 1
}

func (r *reader) string(limit uint64) string {
	n := r.uvarint()
	if n > limit {
		r.bad = true
	}
	return string(r.take(n))
}

func (r *reader) remainder(limit int) []byte {
	if len(r.rest) > limit {
		r.bad = true
	}
	return append([]byte{}, r.take(uint64(len(r.rest)))...)
}

func (r *reader) beat() beat {
	b := beat{told: r.uint64()}
	n := r.uvarint()
	if n > uint64(len(r.rest))/9 { // what a table takes at least
		r.bad = true
	}
	for i := uint64(0); i < n && !r.bad; i++ {
		b.versions = append(b.versions, tableVersion{table: r.string(maxName), version: r.uint64()})
	}
	return b
}

func (r *reader) rows() []row {
	n := r.uvarint()
	if n > uint64(len(r.rest))/9 { // what a row takes at least
		r.bad = true
	}
	if r.bad {
		return nil
	}
	rows := make([]row, 0, n)
	for i := uint64(0); i < n && !r.bad; i++ {
		next := row{key: r.uint64()}
		if size := r.uvarint(); size > maxValue+1 {
			r.bad = true
		} else if size > 0 {
			next.value = append([]byte{}, r.take(size-1)...)
		}
		rows = append(rows, next)
	}
	return rows
}

// split cuts rows into parts that each fit a message. There is always one part at
// least.
func split(rows []row) [][]row {
	var parts [][]row
	start, size := 0, 0
	for i, r := range rows {
		size += 11 + len(r.value)
		if size >= maxRows {
			parts = append(parts, rows[start:i+1])
			start, size = i+1, 0
		}
	}
	if start < len(rows) || len(parts) == 0 {
		parts = append(parts, rows[start:])
	}
	return parts
}
