package presence

import (
	"slices"
	"sync"

	"parley"
)

// Watch makes people the whole list of those whom w watches, and marks those
// dirty that it did not watch before. A list that is sorted and names everybody
// once is kept as it is, so that board and watcher share it: it must not be changed
// afterwards.
func (b *Board) Watch(w Watcher, people []parley.PersonID) { b.audience.watch(w, people) }

// Unwatch ends whatever w watches.
func (b *Board) Unwatch(w Watcher) { b.audience.watch(w, nil) }

// MarkDirty tells everybody who watches person to look again, because what the
// directory or the person's preferences say has changed.
func (b *Board) MarkDirty(person parley.PersonID) { b.audience.mark(person) }

// MarkDirtyFor tells the connections of viewer to look at owner again, because
// what viewer is to owner has changed. Nobody else hears of it: a frame without
// a change would tell them that something is up.
func (b *Board) MarkDirtyFor(owner, viewer parley.PersonID) { b.audience.markFor(owner, viewer) }

// audience is who watches whom. A seat costs four bytes for each person watched,
// and each person watched four bytes a seat.
type audience struct {
	mu       sync.Mutex
	seats    []*seat // by number; nil: free
	free     []uint32
	numbers  map[Watcher]uint32
	watching map[parley.PersonID][]uint32 // the seats that watch somebody, sorted
}

type seat struct {
	watcher Watcher
	viewer  parley.PersonID
	people  []parley.PersonID // sorted
}

// watch replaces the list of a watcher; an empty one takes the seat away.
func (a *audience) watch(w Watcher, people []parley.PersonID) {
	if !isSet(people) {
		people = slices.Clone(people)
		slices.Sort(people)
		people = slices.Compact(people)
	}

	a.mu.Lock()
	n, ok := a.numbers[w]
	if !ok {
		if len(people) == 0 {
			a.mu.Unlock()
			return
		}
		n = a.seatFor(w)
	}
	s := a.seats[n]
	left, added := difference(s.people, people)
	for _, p := range left {
		a.leave(p, n)
	}
	for _, p := range added {
		list := a.watching[p]
		i, _ := slices.BinarySearch(list, n)
		a.watching[p] = slices.Insert(list, i, n)
	}
	s.people = slices.Clip(people)
	if len(people) == 0 {
		a.seats[n] = nil
		a.free = append(a.free, n)
		delete(a.numbers, w)
	}
	a.mu.Unlock()

	for _, p := range added {
		w.Dirty(p)
	}
}

// isSet reports whether a list is sorted and names everybody once.
func isSet(people []parley.PersonID) bool {
	for i := 1; i < len(people); i++ {
		if people[i-1] >= people[i] {
			return false
		}
	}
	return true
}

// seatFor gives a watcher a number. The caller holds mu.
func (a *audience) seatFor(w Watcher) uint32 {
	if a.numbers == nil {
		a.numbers = make(map[Watcher]uint32)
		a.watching = make(map[parley.PersonID][]uint32)
	}
	s := &seat{watcher: w, viewer: w.Viewer()}
	var n uint32
	if last := len(a.free) - 1; last >= 0 {
		n = a.free[last]
		a.free = a.free[:last]
		a.seats[n] = s
	} else {
		n = uint32(len(a.seats))
		a.seats = append(a.seats, s)
	}
	a.numbers[w] = n
	return n
}

// leave takes a seat off a person. The caller holds mu.
func (a *audience) leave(p parley.PersonID, n uint32) {
	list := a.watching[p]
	if i, found := slices.BinarySearch(list, n); found {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		delete(a.watching, p)
		return
	}
	a.watching[p] = list
}

func (a *audience) mark(person parley.PersonID) {
	for _, w := range a.of(person, func(*seat) bool { return true }) {
		w.Dirty(person)
	}
}

func (a *audience) markFor(owner, viewer parley.PersonID) {
	for _, w := range a.of(owner, func(s *seat) bool { return s.viewer == viewer }) {
		w.Dirty(owner)
	}
}

// of lists watchers of a person, so that they can be called without the lock.
func (a *audience) of(person parley.PersonID, wanted func(*seat) bool) []Watcher {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.watching[person]
	watchers := make([]Watcher, 0, len(list))
	for _, n := range list {
		if s := a.seats[n]; wanted(s) {
			watchers = append(watchers, s.watcher)
		}
	}
	return watchers
}

// difference compares two sorted lists: what only the first has, and what only
// the second.
func difference(was, is []parley.PersonID) (left, added []parley.PersonID) {
	for len(was) > 0 || len(is) > 0 {
		switch {
		case len(is) == 0 || len(was) > 0 && was[0] < is[0]:
			left, was = append(left, was[0]), was[1:]
		case len(was) == 0 || is[0] < was[0]:
			added, is = append(added, is[0]), is[1:]
		default:
			was, is = was[1:], is[1:]
		}
	}
	return left, added
}
