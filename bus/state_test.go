package bus

import (
	"maps"
	"slices"
	"testing"
	"time"
)

var testPace = Pace{Beat: 3 * time.Second, Lease: 15 * time.Second}

// clocked is a state and the time, and what it decided since the last look.
type clocked struct {
	*state
	testing.TB
	now time.Time
	effects
}

func newClocked(t testing.TB) *clocked {
	return &clocked{
		TB: t, state: newState("me", 100, testPace, map[string]bool{"t": true}),
		now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (c *clocked) add(e effects) {
	c.changes = append(c.changes, e.changes...)
	c.hints = append(c.hints, e.hints...)
	c.effects.missed = append(c.effects.missed, e.missed...)
	c.asks = append(c.asks, e.asks...)
	c.serve = append(c.serve, e.serve...)
	c.events = append(c.events, e.events...)
	c.beat = c.beat || e.beat
}

func (c *clocked) hear(node string, incarnation uint64, body any) {
	c.add(c.receive(message{node, incarnation, body}, c.now))
}

// pass lets time pass, with a tick every second.
func (c *clocked) pass(d time.Duration) {
	for end := c.now.Add(d); c.now.Before(end); {
		c.now = c.now.Add(min(time.Second, end.Sub(c.now)))
		c.add(c.tick(c.now))
	}
}

func (c *clocked) look() effects {
	e := c.effects
	c.effects = effects{}
	return e
}

func (e effects) kinds() (list []eventKind) {
	for _, event := range e.events {
		list = append(list, event.kind)
	}
	return list
}

func (c *clocked) rows(node string) map[uint64]string {
	rows := map[uint64]string{}
	if r := c.remotes[node]; r != nil && r.replicas["t"] != nil {
		for key, value := range r.replicas["t"].rows {
			rows[key] = string(value)
		}
	}
	return rows
}

func (c *clocked) wantRows(node string, want map[uint64]string) {
	c.Helper()
	if got := c.rows(node); !maps.Equal(got, want) {
		c.Errorf("rows of %s: got %v, want %v", node, got, want)
	}
}

func (c *clocked) wantMembers(want ...string) {
	c.Helper()
	var got []string
	for _, m := range c.state.members() {
		got = append(got, m.Node)
	}
	if !slices.Equal(got, want) {
		c.Errorf("members: got %v, want %v", got, want)
	}
}

func set(version, key uint64, value string) delta {
	return delta{"t", version, []row{{key, []byte(value)}}}
}

func beatAt(version uint64) beat { return beat{versions: []tableVersion{{"t", version}}} }

// whole is a snapshot in one part.
func whole(serial, version uint64, rows ...row) chunk {
	return chunk{table: "t", serial: serial, version: version, last: true, rows: rows}
}

func TestLeaseEnds(t *testing.T) {
	c := newClocked(t)
	c.hear("a", 1, set(1, 7, "seven"))
	c.hear("b", 1, beatAt(0))
	c.pass(14 * time.Second)
	c.hear("b", 1, beatAt(0))
	c.wantMembers("a", "b", "me")
	c.wantRows("a", map[uint64]string{7: "seven"})
	c.look()
	c.pass(time.Second)
	c.wantMembers("b", "me")
	e := c.look()
	if len(e.changes) != 1 || e.changes[0].Key != 7 || e.changes[0].Value != nil || e.changes[0].Snapshot {
		t.Errorf("the end of a lease is told as %+v", e.changes)
	}
	if !slices.Equal(e.kinds(), []eventKind{nodeLeft}) {
		t.Errorf("events: %+v", e.events)
	}
	c.pass(15 * time.Second)
	c.wantMembers("me")
}

// A node that was stopped for longer than its lease comes back with the rows that
// it had, none of which it tells by itself.
func TestThawedNodeIsAskedForItsRows(t *testing.T) {
	c := newClocked(t)
	c.hear("a", 1, set(1, 7, "seven"))
	c.pass(20 * time.Second)
	c.wantMembers("me")
	c.look()
	c.hear("a", 1, beatAt(1))
	c.wantMembers("a", "me")
	if e := c.look(); !slices.Equal(e.asks, []request{{1, "t"}}) || !e.beat || !slices.Equal(e.missed, []string{"a"}) {
		t.Errorf("a node that is back leads to %+v", e)
	}
	c.hear("a", 1, whole(1, 1, row{7, []byte("seven")}))
	c.wantRows("a", map[uint64]string{7: "seven"})
	if e := c.look(); len(e.changes) != 1 || !e.changes[0].Snapshot || e.changes[0].existed {
		t.Errorf("the rows that are back are told as %+v", e.changes)
	}
}

// The node itself was stopped: nobody spoke to it, which is not their fault.
func TestOwnThawKeepsOthers(t *testing.T) {
	c := newClocked(t)
	c.pass(time.Second)
	c.hear("a", 1, set(1, 7, "seven"))
	c.look()
	c.now = c.now.Add(20 * time.Second)
	c.add(c.tick(c.now))
	c.wantMembers("a", "me")
	c.wantRows("a", map[uint64]string{7: "seven"})
	if e := c.look(); !slices.Equal(e.kinds(), []eventKind{stoodStill}) || !e.beat || len(e.changes) > 0 {
		t.Errorf("standing still leads to %+v", e)
	}
	c.pass(14 * time.Second)
	c.wantMembers("a", "me")
	c.pass(time.Second)
	c.wantMembers("me") // it is gone after all

	c = newClocked(t) // once more, right after the start
	c.hear("a", 1, set(1, 7, "seven"))
	c.now = c.now.Add(20 * time.Second)
	c.add(c.tick(c.now))
	c.wantMembers("a", "me")
}

func TestRestartRemovesRowsOfTheOldIncarnation(t *testing.T) {
	c := newClocked(t)
	c.hear("a", 1, set(1, 7, "seven"))
	c.look()
	c.hear("a", 2, beatAt(0))
	c.wantRows("a", map[uint64]string{})
	e := c.look()
	if len(e.changes) != 1 || e.changes[0].Value != nil {
		t.Errorf("changes: %+v", e.changes)
	}
	if !slices.Equal(e.kinds(), []eventKind{nodeLeft, nodeCame}) || len(e.asks) > 0 {
		t.Errorf("a restart leads to %+v", e)
	}
	c.hear("a", 1, set(2, 8, "late"))
	c.hear("a", 2, set(1, 9, "nine"))
	c.wantRows("a", map[uint64]string{9: "nine"})
}

// A machine whose clock went back starts with a lower incarnation than before.
func TestLowerIncarnationIsHeardWhenTheHigherIsGone(t *testing.T) {
	c := newClocked(t)
	c.hear("a", 5, set(1, 7, "seven"))
	for range 15 {
		c.hear("a", 4, beatAt(0))
		c.pass(time.Second)
	}
	c.wantMembers("me")
	c.hear("a", 4, set(1, 8, "eight"))
	c.wantRows("a", map[uint64]string{8: "eight"})
	for _, kind := range c.look().kinds() {
		if kind == sameName {
			t.Error("a restarted node is taken for two")
		}
	}
}

func TestGoodbyeIsFinal(t *testing.T) {
	c := newClocked(t)
	c.hear("a", 1, set(1, 7, "seven"))
	c.hear("a", 1, goodbye{})
	c.wantMembers("me")
	c.hear("a", 1, ask{"t"})
	c.hear("a", 1, whole(1, 1))
	c.wantMembers("me") // what was under way does not bring it back
	c.hear("a", 2, beatAt(0))
	c.wantMembers("a", "me")
	c.hear("a", 1, goodbye{})
	c.wantMembers("a", "me")
	c.pass(15 * time.Second)
	if len(c.buried) > 0 {
		t.Errorf("still remembered: %v", c.buried)
	}
	c.hear("b", 1, goodbye{})
	c.wantMembers("me")
}

func TestTwoNodesWithOneNameAreTold(t *testing.T) {
	c := newClocked(t)
	c.hear("a", 1, set(1, 7, "of the first"))
	told := 0
	for range 90 { // a minute and a half
		c.hear("a", 2, beatAt(0))
		c.hear("a", 1, beatAt(1))
		c.pass(time.Second)
		for _, kind := range c.look().kinds() {
			if kind == sameName {
				told++
			}
		}
	}
	if told != 2 {
		t.Errorf("told %d times in 90 s, want 2", told)
	}
	c.wantRows("a", map[uint64]string{})
}

func TestOwnNameHeardIsTold(t *testing.T) {
	c := newClocked(t)
	c.hear("me", 100, beatAt(0)) // its own voice
	c.hear("me", 7, goodbye{})   // its predecessor's
	if e := c.look(); len(e.events) > 0 {
		t.Errorf("told: %+v", e.events)
	}
	told := 0
	for range 90 {
		c.hear("me", 101, set(1, 1, "x"))
		c.pass(time.Second)
		e := c.look()
		if len(e.changes) > 0 {
			t.Errorf("rows in this node's name are taken: %+v", e.changes)
		}
		told += len(e.events)
	}
	if told != 2 {
		t.Errorf("told %d times in 90 s, want 2", told)
	}
}

func TestGapLeadsToASnapshot(t *testing.T) {
	c := newClocked(t)
	c.hear("a", 1, set(1, 1, "one"))
	c.look()
	c.hear("a", 1, set(3, 3, "three")) // 2 is lost
	c.hear("a", 1, set(4, 4, "four"))
	if e := c.look(); !slices.Equal(e.asks, []request{{1, "t"}}) || len(e.changes) > 0 {
		t.Errorf("a gap leads to %+v", e)
	}
	c.hear("a", 1, whole(1, 3, row{2, []byte("two")}, row{3, []byte("three")}))
	c.wantRows("a", map[uint64]string{2: "two", 3: "three", 4: "four"})
	e := c.look()
	slices.SortFunc(e.changes, func(a, b rowChange) int { return int(a.Key) - int(b.Key) })
	var snapshot []bool
	for _, change := range e.changes {
		snapshot = append(snapshot, change.Snapshot)
	}
	if !slices.Equal(snapshot, []bool{true, true, true, false}) {
		t.Errorf("changes: %+v", e.changes)
	}
	c.hear("a", 1, set(4, 4, "again")) // came before
	c.hear("a", 1, set(5, 5, "five"))
	c.wantRows("a", map[uint64]string{2: "two", 3: "three", 4: "four", 5: "five"})
}

func TestQuietGapIsNoticedByASignOfLife(t *testing.T) {
	c := newClocked(t)
	c.hear("a", 1, set(1, 1, "one"))
	c.look()
	c.hear("a", 1, beatAt(1))
	if e := c.look(); len(e.asks) > 0 {
		t.Errorf("asked without a gap: %+v", e.asks)
	}
	c.hear("a", 1, beatAt(2))
	if e := c.look(); len(e.asks) != 1 {
		t.Errorf("not asked: %+v", e)
	}
	c.hear("a", 1, beatAt(2))
	if e := c.look(); len(e.asks) != 0 {
		t.Errorf("asked while waiting for the answer: %+v", e)
	}
}

func TestQuestionsAreRepeatedSlower(t *testing.T) {
	c := newClocked(t)
	c.hear("a", 1, beatAt(9))
	var at []int
	for second := range 60 {
		if len(c.look().asks) > 0 {
			at = append(at, second)
		}
		c.hear("a", 1, beatAt(9))
		c.pass(time.Second)
	}
	if want := []int{0, 3, 9, 21, 33, 45, 57}; !slices.Equal(at, want) {
		t.Errorf("asked after %v s, want %v", at, want)
	}
}

// A connection that loses something all the time does not make nodes send
// nothing but snapshots.
func TestGapsInARowAreAskedAboutSlower(t *testing.T) {
	c := newClocked(t)
	asked := 0
	version := uint64(0)
	for range 600 { // a minute
		version += 2
		c.hear("a", 1, set(version, version, "x"))
		if e := c.look(); len(e.asks) > 0 {
			asked++
			c.hear("a", 1, whole(version, version))
		}
		c.now = c.now.Add(100 * time.Millisecond)
		c.add(c.tick(c.now))
	}
	if asked < 10 || asked > 18 {
		t.Errorf("asked %d times a minute, want about one in 4 s", asked)
	}
	c.pass(14 * time.Second)
	c.hear("a", 1, beatAt(version))
	c.hear("a", 1, whole(version, version))
	c.pass(10 * time.Second)
	c.hear("a", 1, beatAt(version))
	c.pass(10 * time.Second)
	c.hear("a", 1, beatAt(version))
	c.pass(12 * time.Second)
	c.look()
	c.hear("a", 1, beatAt(version+1))
	if e := c.look(); len(e.asks) != 1 {
		t.Error("after a quiet time a gap is not asked about at once")
	}
}

func TestPartsOfASnapshot(t *testing.T) {
	part := func(serial, index uint64, last bool, key uint64) chunk {
		return chunk{"t", serial, 9, index, last, []row{{key, []byte("v")}}}
	}
	tests := []struct {
		name  string
		parts []chunk
		want  map[uint64]string
	}{
		{"in order", []chunk{part(1, 0, false, 1), part(1, 1, false, 2), part(1, 2, true, 3)}, map[uint64]string{1: "v", 2: "v", 3: "v"}},
		{"one missing", []chunk{part(1, 0, false, 1), part(1, 2, true, 3)}, map[uint64]string{}},
		{"the first missing", []chunk{part(1, 1, false, 1), part(1, 2, true, 3)}, map[uint64]string{}},
		{"begun again", []chunk{part(1, 0, false, 1), part(2, 0, false, 2), part(2, 1, true, 3)}, map[uint64]string{2: "v", 3: "v"}},
		{"two mixed", []chunk{part(1, 0, false, 1), part(2, 1, true, 3)}, map[uint64]string{}},
		{"a later one after a loss", []chunk{part(1, 0, false, 1), part(1, 2, true, 3), part(2, 0, true, 4)}, map[uint64]string{4: "v"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClocked(t)
			c.hear("a", 1, beatAt(9))
			for _, p := range test.parts {
				c.hear("a", 1, p)
			}
			c.wantRows("a", test.want)
		})
	}
	t.Run("not asked for", func(t *testing.T) {
		c := newClocked(t)
		c.hear("a", 1, set(1, 1, "one"))
		c.hear("a", 1, whole(1, 0))
		c.wantRows("a", map[uint64]string{1: "one"})
	})
	t.Run("from before what is here", func(t *testing.T) {
		c := newClocked(t)
		c.hear("a", 1, set(1, 1, "one"))
		c.hear("a", 1, set(2, 2, "two"))
		c.hear("a", 1, set(4, 4, "four"))
		c.hear("a", 1, whole(1, 1, row{1, []byte("one")}))
		c.wantRows("a", map[uint64]string{1: "one", 2: "two"})
		c.pass(5 * time.Second)
		c.hear("a", 1, whole(2, 4, row{4, []byte("four")}))
		c.wantRows("a", map[uint64]string{4: "four"})
	})
}

func TestHeldDeltasAreBounded(t *testing.T) {
	c := newClocked(t)
	c.hear("a", 1, beatAt(1))
	big := make([]byte, maxValue)
	p := c.remotes["a"].replicas["t"]
	for version := uint64(2); version < 2000; version++ {
		c.hear("a", 1, delta{"t", version, []row{{1, big}}})
		if p.heldBytes > maxHeld {
			t.Fatalf("%d bytes are held", p.heldBytes)
		}
	}
	c.hear("a", 1, whole(1, 1))
	c.pass(20 * time.Second)
	if !p.asking {
		t.Error("what was thrown away is not missed")
	}
}

func TestMissedHintsAreNoticed(t *testing.T) {
	c := newClocked(t)
	tell := func(number uint64) { c.hear("a", 1, hint{number, "log", []byte("x")}) }
	missed := func(step string, want int) {
		t.Helper()
		if e := c.look(); len(e.missed) != want {
			t.Errorf("%s: missed %d times, want %d", step, len(e.missed), want)
		}
	}
	tell(5)
	missed("a node that appears", 1)
	tell(6)
	c.hear("a", 1, beat{told: 6})
	missed("all heard", 0)
	tell(8)
	missed("one left out", 1)
	c.hear("a", 1, beat{told: 9})
	missed("one that nothing followed", 1)
	c.hear("a", 1, beat{told: 9})
	tell(10)
	missed("nothing since", 0)
}

func TestTablesThatNobodyWatchesAreLeftAlone(t *testing.T) {
	c := newClocked(t)
	c.hear("a", 1, beat{versions: []tableVersion{{"other", 7}}})
	c.hear("a", 1, delta{"other", 8, []row{{1, []byte("x")}}})
	if e := c.look(); len(e.asks) > 0 || len(e.changes) > 0 {
		t.Errorf("got %+v", e)
	}
}
