package bus

import "bytes"

// own are this node's rows of one table. It is not safe for concurrent use.
type own struct {
	rows    map[uint64][]byte
	changed map[uint64]struct{} // since the last delta
	version uint64              // of the last delta
	serial  uint64              // of the last snapshot
}

func newOwn() own { return own{rows: map[uint64][]byte{}, changed: map[uint64]struct{}{}} }

// set changes a row to a value, nil for none, and reports whether it is another.
func (o *own) set(key uint64, value []byte) bool {
	was, existed := o.rows[key]
	switch {
	case value == nil && !existed, value != nil && existed && bytes.Equal(was, value):
		return false
	case value == nil:
		delete(o.rows, key)
	default:
		o.rows[key] = value
	}
	o.changed[key] = struct{}{}
	return true
}

// deltas gives what changed since it was last called.
func (o *own) deltas(table string) []delta {
	if len(o.changed) == 0 {
		return nil
	}
	rows := make([]row, 0, len(o.changed))
	for key := range o.changed {
		rows = append(rows, row{key, o.rows[key]})
	}
	clear(o.changed)
	var list []delta
	for _, part := range split(rows) {
		o.version++
		list = append(list, delta{table, o.version, part})
	}
	return list
}

// snapshot gives all rows. A row that is not in a delta yet may be among them,
// which does no harm: the delta that follows says the same.
func (o *own) snapshot(table string) []chunk {
	rows := make([]row, 0, len(o.rows))
	for key, value := range o.rows {
		rows = append(rows, row{key, value})
	}
	o.serial++
	parts := split(rows)
	list := make([]chunk, len(parts))
	for i, part := range parts {
		list[i] = chunk{table, o.serial, o.version, uint64(i), i == len(parts)-1, part}
	}
	return list
}
