package conversation

import (
	"log/slog"
	"slices"
	"testing"

	"parley"
)

// node is one of several Logs over the same store. What it tells the others is
// kept until pass takes it there.
type node struct {
	*bench
	others []*node
	told   []Hint
	leader bool
}

func (n *node) Tell(h Hint) { n.told = append(n.told, h) }
func (n *node) Leads() bool { return n.leader }

// pass takes the hints to the other nodes; lose drops them.
func (n *node) pass() {
	for _, h := range n.told {
		for _, other := range n.others {
			other.log.Hear(h)
		}
	}
	n.told = nil
}

func (n *node) lose() { n.told = nil }

// twoNodes are two Logs, of which the first one leads.
func twoNodes(t *testing.T, readers ...Reader) (a, b *node) {
	t.Helper()
	store := newMemoryStore(readers...)
	nodes := []*node{{leader: true}, {}}
	for _, n := range nodes {
		n.bench = &bench{T: t, store: store, world: &world{blocked: map[[2]parley.PersonID]bool{}}}
		l, err := NewLog(t.Context(), Config{
			Store: store, Gate: n.world, People: n.world, Policy: rules, Log: slog.New(slog.DiscardHandler), Peers: n,
		})
		if err != nil {
			t.Fatal(err)
		}
		n.log = l
	}
	a, b = nodes[0], nodes[1]
	a.others, b.others = []*node{b}, []*node{a}
	b.made = 1000 // other client ids
	return a, b
}

func TestSenderOnAnotherNodeLearnsOfDelivery(t *testing.T) {
	a, b := twoNodes(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	sender, phone := a.follow(on(alice, 1), 0), b.follow(on(bob, 2), 0)
	a.must(a.send(on(alice, 1), aliceAndBob, "hello"))
	b.collects(phone, "hello")
	sender.Collect(10)
	phone.Acknowledge(1)
	b.pass()
	marks := sender.Collect(10).Delivered
	if want := []Delivered{{aliceAndBob, bob, 1}}; !slices.Equal(marks, want) {
		t.Errorf("told %v, want %v", marks, want)
	}
}

// An acknowledgement may be heard before the entry that it is about.
func TestAcknowledgementThatComesBeforeItsEntry(t *testing.T) {
	a, b := twoNodes(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	sender := a.follow(on(alice, 1), 0)
	a.log.Hear(Hint{Kind: HintAcknowledged, Person: bob, Device: 2, Upto: 1})
	if got := sender.Collect(10).Delivered; len(got) != 0 {
		t.Fatalf("told of %v before there was anything", got)
	}
	b.must(b.send(on(alice, 1), aliceAndBob, "hello"))
	if got, want := sender.Collect(10).Delivered, []Delivered{{aliceAndBob, bob, 1}}; !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	if len(a.log.ahead) != 0 {
		t.Error("the acknowledgement still waits")
	}
}

func TestTypingAndReadMarksCrossNodes(t *testing.T) {
	a, b := twoNodes(t, Reader{Person: alice, Device: 1}, Reader{Person: alice, Device: 3}, Reader{Person: bob, Device: 2})
	here, there, other := a.follow(on(alice, 1), 0), b.follow(on(alice, 3), 0), b.follow(on(bob, 2), 0)
	b.must(b.send(on(bob, 2), aliceAndBob, "hello"))
	a.must(a.log.Read(t.Context(), on(alice, 1), aliceAndBob, 1))
	a.must(a.log.Typing(t.Context(), on(alice, 1), aliceAndBob, true))
	a.pass()
	if got := here.Collect(10).Read; len(got) != 0 {
		t.Errorf("the device itself was told %v", got)
	}
	if got, want := there.Collect(10).Read, []ReadMark{{aliceAndBob, 1}}; !slices.Equal(got, want) {
		t.Errorf("the other device was told %v, want %v", got, want)
	}
	if got, want := other.Collect(10).Typing, []Typing{{aliceAndBob, alice, true}}; !slices.Equal(got, want) {
		t.Errorf("bob was told %v, want %v", got, want)
	}
}

// A node that knows of a block already must not show what another one, which does
// not, tells it: neither that the blocked person writes, nor that the other does.
func TestTypingFromANodeThatDoesNotKnowOfABlockYet(t *testing.T) {
	for _, block := range [][2]parley.PersonID{{alice, bob}, {bob, alice}} {
		a, b := twoNodes(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
		here, there := a.follow(on(alice, 1), 0), b.follow(on(bob, 2), 0)
		a.world.blocked[block] = true
		a.must(b.log.Typing(t.Context(), on(bob, 2), aliceAndBob, true))
		b.pass()
		if got := here.Collect(10).Typing; len(got) != 0 {
			t.Errorf("%d blocks %d: alice was told %v", block[0], block[1], got)
		}
		b.world.blocked[block] = true
		delete(a.world.blocked, block)
		a.must(a.log.Typing(t.Context(), on(alice, 1), aliceAndBob, true))
		a.pass()
		if got := there.Collect(10).Typing; len(got) != 0 {
			t.Errorf("%d blocks %d: bob was told %v", block[0], block[1], got)
		}
	}
}

// The time limit took something a moment ago, on the node that leads. A device that
// comes to another one is told so all the same.
func TestTimeLimitOfAnotherNodeTellsWhoMissed(t *testing.T) {
	a, b := twoNodes(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	a.must(a.send(on(alice, 1), aliceAndBob, "old"))
	a.must(a.log.purgeOld(t.Context()))
	a.store.floors = []Floor{{Person: alice, Missed: 1}, {Person: bob, Missed: 1}}
	for after, want := range []bool{true, false} {
		page, err := b.log.Sync(t.Context(), on(bob, 2), parley.Pos(after), 0)
		if err != nil || page.Missed != want {
			t.Errorf("after %d: %+v, %v", after, page, err)
		}
	}
}

// What another node purged while it led is gone for the one that leads now, too.
func TestReviewOfTheLeadingNode(t *testing.T) {
	a, b := twoNodes(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	a.must(a.send(on(alice, 1), aliceAndBob, "old"))
	a.leader, b.leader = false, true
	b.must(b.log.purgeOld(t.Context()))
	b.store.purged = []PurgeRange{{aliceAndBob, 1}}
	a.leader, b.leader = true, false
	a.must(a.log.review(t.Context()))
	if len(a.log.streams) != 0 || len(a.log.reader(bob).waiting) != 0 {
		t.Error("still books what is deleted")
	}
}

// Only the leading node deletes; the other one lets go of what is deleted, and
// takes over when it leads, also what was delivered before.
func TestOneNodePurges(t *testing.T) {
	a, b := twoNodes(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	sender, phone := a.follow(on(alice, 1), 0), b.follow(on(bob, 2), 0)
	a.must(a.send(on(alice, 1), aliceAndBob, "hello"))
	sender.Acknowledge(1)
	phone.Acknowledge(1)
	a.pass()
	b.pass()
	b.purges() // it does not lead
	if len(b.log.streams) != 1 {
		t.Fatal("let go of what is still stored")
	}
	a.leader, b.leader = false, true
	b.purges(PurgeRange{aliceAndBob, 1})
	if err := a.log.purgePassed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(a.log.streams) != 0 {
		t.Error("still books what is deleted")
	}
}

// Hints that were lost are made good by the store.
func TestReviewReplacesLostHints(t *testing.T) {
	a, b := twoNodes(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	sender, phone := a.follow(on(alice, 1), 0), b.follow(on(bob, 2), 0)
	a.must(a.send(on(alice, 1), aliceAndBob, "hello"))
	sender.Acknowledge(1)
	phone.Acknowledge(1)
	a.lose()
	b.lose()
	a.purges() // it does not know that bob has it
	a.store.readers = []Reader{{Person: alice, Device: 1, Cursor: 1}, {Person: bob, Device: 2, Cursor: 1}}
	a.store.floors = []Floor{{Person: bob, Missed: 1}}
	a.must(a.log.review(t.Context()))
	if got, want := sender.Collect(10).Delivered, []Delivered{{aliceAndBob, bob, 1}}; !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	a.purges(PurgeRange{aliceAndBob, 1})
	b.must(b.log.review(t.Context()))
	if len(b.log.streams) != 0 || len(b.log.reader(bob).waiting) != 0 {
		t.Error("the other node still books what is deleted")
	}
	if page, err := b.log.Sync(t.Context(), on(bob, 2), 0, 0); err != nil || !page.Missed {
		t.Errorf("page %+v, %v: want that something was missed", page, err)
	}
}

// A device comes from a node that knows more than this one.
func TestDeviceFromANodeThatIsAhead(t *testing.T) {
	a, b := twoNodes(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	a.store.commits = a.store.commits[:1] // b hears nothing for now
	a.must(a.send(on(alice, 1), aliceAndBob, "hello"))
	caughtUp := 0
	b.store.behind = func() {
		caughtUp++
		b.log.committed(slices.Clone(b.store.entries))
	}
	f, err := b.log.Follow(t.Context(), on(bob, 2), 1, func() {})
	if err != nil {
		t.Fatalf("following from a position of another node: %v", err)
	}
	if batch := f.Collect(10); len(batch.Items) != 0 || batch.Gap {
		t.Errorf("got %+v, want nothing", batch)
	}
	if _, err := b.log.Sync(t.Context(), on(bob, 2), 1, 0); err != nil {
		t.Error(err)
	}
	if caughtUp != 1 {
		t.Errorf("caught up %d times, want once", caughtUp)
	}
	if _, err := b.log.Follow(t.Context(), on(bob, 2), 7, func() {}); err == nil {
		t.Error("a position that no node has was taken")
	}
}

// What the store holds and this Log was not told of yet must not go out by a sync
// first: the device would come back with a position that this Log does not know.
func TestSyncEndsAtTheHead(t *testing.T) {
	a, b := twoNodes(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	a.must(a.send(on(alice, 1), aliceAndBob, "one"))
	a.store.commits = a.store.commits[:1]
	a.must(a.send(on(alice, 1), aliceAndBob, "two"))
	page, err := b.log.Sync(t.Context(), on(bob, 2), 0, 0)
	if err != nil || texts(page.Items) != "one" || page.Cursor != 1 {
		t.Errorf("page %q up to %d, %v", texts(page.Items), page.Cursor, err)
	}
}

// What a connection knows goes with a message, for the store to tell whether the
// device has left for another node.
func TestMessageSaysHowFarItsConnectionHasRead(t *testing.T) {
	a, _ := twoNodes(t, Reader{Person: alice, Device: 1, Cursor: 3}, Reader{Person: bob, Device: 2})
	a.store.head, a.log.head = 9, 9
	f := a.follow(on(alice, 1), 2)
	seen := func(want parley.Pos) {
		t.Helper()
		a.must(a.send(on(alice, 1), aliceAndBob, "hello"))
		if got := a.store.entries[len(a.store.entries)-1].Seen; got != want {
			t.Errorf("the message says %d, want %d", got, want)
		}
	}
	seen(3) // what the store knew when it connected
	f.Acknowledge(8)
	seen(8)
	a.log.Hear(Hint{Kind: HintAcknowledged, Person: alice, Device: 1, Upto: 9})
	seen(8) // what it reads elsewhere is not read here
}
