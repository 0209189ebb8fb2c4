package store

import (
	"encoding/binary"
	"errors"
	"fmt"
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
	smallestPage                 = 512
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
		child, bound, inner, err := descend(data, key)
		if err != nil {
			return leaf{}, err
		}
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
	if len(data) < smallestPage {
		return nil, errPage
	}
	return data, nil
}

// descend finds the child of an interior page for key. inner says that bound is
// the highest key below that child; else it is the page's last child.
func descend(data []byte, key int64) (child, bound int64, inner bool, err error) {
	low, high := 0, int(binary.BigEndian.Uint16(data[3:]))
	child = int64(binary.BigEndian.Uint32(data[8:]))
	if interiorHeader+2*high > len(data) {
		return 0, 0, false, errPage
	}
	for low < high {
		middle := (low + high) / 2
		at := int(binary.BigEndian.Uint16(data[interiorHeader+2*middle:]))
		if at+4 > len(data) {
			return 0, 0, false, errPage
		}
		upto, ok := varint(data[at+4:])
		if !ok {
			return 0, 0, false, errPage
		}
		if upto < key {
			low = middle + 1
		} else {
			high, inner, bound = middle, true, upto
			child = int64(binary.BigEndian.Uint32(data[at:]))
		}
	}
	return child, bound, inner, nil
}

// varint reads SQLite's variable-length integer: seven bits a byte, the highest
// first, and eight in the ninth.
func varint(b []byte) (v int64, ok bool) {
	for i, c := range b {
		if i == 8 {
			return v<<8 | int64(c), true
		}
		if v = v<<7 | int64(c&0x7f); c < 0x80 {
			return v, true
		}
	}
	return 0, false
}

// wipe clears the unused middle of a page, and reports whether there was
// anything in it.
func (t *tree) wipe(l leaf) (bool, error) {
	middle, err := unused(l.data)
	if err != nil || empty(middle) {
		return false, err
	}
	clear(middle)
	if _, err := t.b.exec(`UPDATE sqlite_dbpage SET data = $2 WHERE pgno = $1`, l.page, l.data); err != nil {
		return false, fmt.Errorf("clearing page %d: %w", l.page, err)
	}
	return true, nil
}

// unused is what lies between the list of cells and the first cell of a leaf.
func unused(data []byte) ([]byte, error) {
	from := leafHeader + 2*int(binary.BigEndian.Uint16(data[3:]))
	upto := int(binary.BigEndian.Uint16(data[5:]))
	if upto == 0 {
		upto = 1 << 16
	}
	if from > upto || upto > len(data) {
		return nil, errPage
	}
	return data[from:upto], nil
}

func empty(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
