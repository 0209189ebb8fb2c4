package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"time"
)

// Deleting with secure_delete overwrites a row where it stands. But when SQLite
// evens out neighbouring pages it moves rows and leaves their former bytes in the
// unused middle of the page; when such a row is deleted later, those bytes stay.
// The sweep therefore visits every leaf page of the log after a purge and clears
// the unused middle, inside an ordinary transaction, through SQLite's own
// sqlite_dbpage table (https://sqlite.org/dbpage.html). The bytes of a page are
// described in https://sqlite.org/fileformat2.html#b_tree_pages.

// sweepTime is about how long one step of the sweep may hold the writer.
const sweepTime = 3 * time.Millisecond

// The kinds of page in a table's tree, and the sizes of their headers.
const (
	interiorPage, interiorHeader = 5, 12
	leafPage, leafHeader         = 13, 8
)

// sweepStep clears leaf pages of the log from a key on, as many as go into one
// step.
type sweepStep struct {
	from int64 // the smallest key that is left to visit

	next  int64 // where to go on
	last  bool  // there is nothing to go on with
	wiped int   // pages that held remains
}

func (o *sweepStep) apply(b *batch) error {
	started := time.Now()
	t := &tree{b: b, interior: map[int64][]byte{}}
	if err := b.queryRow(`SELECT rootpage FROM sqlite_schema WHERE name = 'log'`).Scan(&t.root); err != nil {
		return fmt.Errorf("finding the log's pages: %w", err)
	}
	o.next = o.from
	for !o.last && time.Since(started) < sweepTime {
		leaf, err := t.find(o.next)
		if err != nil {
			return err
		}
		wiped, err := t.wipe(leaf)
		if err != nil {
			return err
		}
		if wiped {
			o.wiped++
		}
		o.next, o.last = leaf.bound+1, leaf.rightmost
	}
	return nil
}

// tree reads the pages of a table. The interior ones are kept: within one step
// they do not change.
type tree struct {
	b        *batch
	root     int64
	interior map[int64][]byte
}

// leaf is a page with rows; all their keys are at most bound, unless it is the
// last one.
type leaf struct {
	page      int64
	data      []byte
	bound     int64
	rightmost bool
}

var errPage = errors.New("page of the log is not as expected")

// find descends to the leaf that holds key or would hold it.
func (t *tree) find(key int64) (leaf, error) {
	l := leaf{page: t.root, rightmost: true}
	for range 20 { // deeper than any tree can be
		data, err := t.read(l.page)
		if err != nil {
			return leaf{}, err
		}
		if data[0] == leafPage {
			l.data = data
			return l, nil
		}
		if data[0] != interiorPage {
			break
		}
		t.interior[l.page] = data
		child, bound, inner := descend(data, key)
		if inner {
			l.bound, l.rightmost = bound, false
		}
		l.page = child
	}
	return leaf{}, errPage
}

func (t *tree) read(page int64) ([]byte, error) {
	if data := t.interior[page]; data != nil {
		return data, nil
	}
	var data []byte
	if err := t.b.queryRow(`SELECT data FROM sqlite_dbpage WHERE pgno = $1`, page).Scan(&data); err != nil {
		return nil, fmt.Errorf("reading page %d: %w", page, err)
	}
	if len(data) < 512 {
		return nil, errPage
	}
	return data, nil
}

// descend finds the child of an interior page for key. inner says that bound is
// the highest key below that child; else it is the page's last child.
func descend(data []byte, key int64) (child, bound int64, inner bool) {
	cells := int(binary.BigEndian.Uint16(data[3:]))
	cell := func(i int) []byte { return data[binary.BigEndian.Uint16(data[interiorHeader+2*i:]):] }
	i := sort.Search(cells, func(i int) bool { return varint(cell(i)[4:]) >= key })
	if i == cells {
		return int64(binary.BigEndian.Uint32(data[8:])), 0, false
	}
	return int64(binary.BigEndian.Uint32(cell(i))), varint(cell(i)[4:]), true
}

// varint reads SQLite's variable-length integer: seven bits a byte, the highest
// first, and eight in the ninth.
func varint(b []byte) int64 {
	var v uint64
	for i := range 8 {
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return int64(v)
		}
	}
	return int64(v<<8 | uint64(b[8]))
}

// wipe clears what lies between the list of cells and the first cell, and
// reports whether there was anything.
func (t *tree) wipe(l leaf) (bool, error) {
	from := leafHeader + 2*int(binary.BigEndian.Uint16(l.data[3:]))
	upto := int(binary.BigEndian.Uint16(l.data[5:]))
	if upto == 0 {
		upto = 1 << 16
	}
	if from > upto || upto > len(l.data) {
		return false, errPage
	}
	unused := l.data[from:upto]
	if empty(unused) {
		return false, nil
	}
	clear(unused)
	if _, err := t.b.exec(`UPDATE sqlite_dbpage SET data = $2 WHERE pgno = $1`, l.page, l.data); err != nil {
		return false, fmt.Errorf("clearing page %d: %w", l.page, err)
	}
	return true, nil
}

func empty(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
