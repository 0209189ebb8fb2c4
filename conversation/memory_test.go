package conversation

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"parley"
	"parley/policy"
	"parley/privacy"
)

// memoryStore is the log's store without a disk: each Append is a commit. It
// serves the tests of the log's own decisions; what the database does is tested
// with the database.
type memoryStore struct {
	mu       sync.Mutex
	entries  []parley.Entry
	heads    map[parley.StreamID]uint64
	head     parley.Pos
	readers  []Reader
	floors   []Floor
	marks    []Mark
	purged   []PurgeRange
	acked    map[parley.DeviceID]parley.Pos
	admit    func(*parley.Entry) error
	commits  []func([]parley.Entry) // one for each Log over this store
	reading  chan struct{}          // if set, EntriesAfter waits for it
	purgeErr error
	readErr  error  // of EntriesAfter
	onReader func() // called once a device was found
	behind   func() // what CatchUp tells
}

func newMemoryStore(readers ...Reader) *memoryStore {
	return &memoryStore{readers: readers, heads: map[parley.StreamID]uint64{}, acked: map[parley.DeviceID]parley.Pos{}}
}

func (m *memoryStore) Append(_ context.Context, e parley.Entry, done func(parley.Pos, error)) {
	m.mu.Lock()
	for _, old := range m.entries {
		if e.Device != 0 && old.Device == e.Device && old.ClientID == e.ClientID {
			m.mu.Unlock()
			done(old.Pos, ErrKnown)
			return
		}
	}
	m.mu.Unlock()
	if err := m.admit(&e); err != nil {
		done(0, err)
		return
	}
	m.mu.Lock()
	m.head++
	m.heads[e.Stream]++
	e.Pos, e.N = m.head, m.heads[e.Stream]
	m.entries = append(m.entries, e)
	m.mu.Unlock()
	m.tell(e)
}

func (m *memoryStore) tell(e parley.Entry) {
	for _, told := range m.commits {
		told([]parley.Entry{e})
	}
}

func (m *memoryStore) Acknowledge(d parley.DeviceID, pos parley.Pos) { m.acked[d] = pos }
func (m *memoryStore) OnCommit(f func([]parley.Entry))               { m.commits = append(m.commits, f) }
func (m *memoryStore) OnAdmit(f func(*parley.Entry) error)           { m.admit = f }
func (m *memoryStore) Epoch() uint64                                 { return 1 }
func (m *memoryStore) Head() parley.Pos                              { return m.head }

func (m *memoryStore) CatchUp(context.Context) error {
	if m.behind != nil {
		m.behind()
	}
	return nil
}

func (m *memoryStore) Purged(_ context.Context, streams []parley.StreamID) ([]PurgeRange, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.purged), func(r PurgeRange) bool { return !slices.Contains(streams, r.Stream) }), nil
}

func (m *memoryStore) Retained(context.Context) iter.Seq2[parley.Entry, error] {
	return sequence(m.entries)
}
func (m *memoryStore) Floors(context.Context) iter.Seq2[Floor, error] { return sequence(m.floors) }

func (m *memoryStore) Floor(_ context.Context, person parley.PersonID) (Floor, error) {
	for _, f := range m.floors {
		if f.Person == person {
			return f, nil
		}
	}
	return Floor{Person: person}, nil
}

func (m *memoryStore) Readers(_ context.Context, after parley.DeviceID) iter.Seq2[Reader, error] {
	list := slices.DeleteFunc(slices.Clone(m.readers), func(r Reader) bool { return r.Device <= after })
	slices.SortFunc(list, func(a, b Reader) int { return cmp.Compare(a.Device, b.Device) })
	return sequence(list)
}

func (m *memoryStore) Reader(_ context.Context, d parley.DeviceID) (Reader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.readers {
		if r.Device == d {
			if m.onReader != nil {
				defer m.onReader()
			}
			return r, nil
		}
	}
	return Reader{}, parley.ErrWithheld
}

func sequence[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func (m *memoryStore) EntriesAfter(_ context.Context, streams []parley.StreamID, after parley.Pos, limit int) ([]parley.Entry, error) {
	if m.reading != nil {
		<-m.reading
	}
	if m.readErr != nil {
		return nil, m.readErr
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []parley.Entry
	for _, e := range m.entries {
		if e.Pos > after && slices.Contains(streams, e.Stream) && len(found) < limit {
			found = append(found, e)
		}
	}
	return found, nil
}

func (m *memoryStore) SetRead(_ context.Context, _ parley.PersonID, s parley.StreamID, pos parley.Pos, n uint64, _ parley.Alongside) error {
	m.marks = append(m.marks, Mark{Stream: s, Pos: pos, N: n})
	return nil
}

func (m *memoryStore) Marks(context.Context, parley.PersonID, parley.Pos) ([]Mark, error) {
	return m.marks, nil
}

func (m *memoryStore) Delivered(context.Context, parley.PersonID, parley.Pos) ([]PurgeRange, error) {
	return m.purged, nil
}

func (m *memoryStore) Purge(_ context.Context, ranges []PurgeRange) error {
	if m.purgeErr != nil {
		return m.purgeErr
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.purged = append(m.purged, ranges...)
	for _, r := range ranges {
		m.entries = slices.DeleteFunc(m.entries, func(e parley.Entry) bool { return e.Stream == r.Stream && e.Pos <= r.Upto })
	}
	return nil
}

func (m *memoryStore) PurgeOlder(context.Context, time.Time) ([]PurgeRange, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := map[parley.StreamID]parley.Pos{}
	for _, e := range m.entries {
		last[e.Stream] = e.Pos
	}
	m.entries = nil
	var ranges []PurgeRange
	for s, pos := range last {
		ranges = append(ranges, PurgeRange{Stream: s, Upto: pos})
	}
	return ranges, nil
}

func (m *memoryStore) StreamHead(_ context.Context, s parley.StreamID) (uint64, error) {
	return m.heads[s], nil
}

// everybody exists and may reach everybody but who is blocked.
type world struct {
	blocked map[[2]parley.PersonID]bool // owner, other
}

func (w *world) Person(p parley.PersonID) (parley.Person, bool) {
	return parley.Person{ID: p}, p < 100
}

func (w *world) Reach(from parley.Actor, to parley.PersonID) privacy.Reach {
	if w.blocked[[2]parley.PersonID{to, from.Person}] {
		return privacy.ReachSilently
	}
	return privacy.ReachYes
}

func (w *world) Class(owner parley.PersonID, viewer parley.Actor) privacy.Class {
	if w.blocked[[2]parley.PersonID{owner, viewer.Person}] {
		return privacy.ClassOf(privacy.Blocked, true)
	}
	return privacy.ClassOf(privacy.Colleagues, true)
}

var rules = policy.Fixed(policy.Default())
