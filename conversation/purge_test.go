package conversation

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"parley"
)

func (b *bench) purges(want ...PurgeRange) {
	b.Helper()
	b.store.purged = nil
	b.must(b.log.purgePassed(b.Context()))
	if !slices.Equal(b.store.purged, want) {
		b.Errorf("purged %v, want %v", b.store.purged, want)
	}
}

func TestPurgeWaitsForEveryDevice(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2}, Reader{Person: bob, Device: 3})
	sender, phone, desk := b.follow(on(alice, 1), 0), b.follow(on(bob, 2), 0), b.follow(on(bob, 3), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "one"))
	b.must(b.send(on(alice, 1), aliceAndBob, "two"))
	phone.Acknowledge(2)
	b.purges()
	desk.Acknowledge(1)
	b.purges() // the sender may still resend
	sender.Acknowledge(2)
	b.purges(PurgeRange{aliceAndBob, 1})
	desk.Acknowledge(2)
	b.purges(PurgeRange{aliceAndBob, 2})
	b.purges()
	if len(b.log.streams) > 0 || len(b.log.reader(bob).live) > 0 {
		t.Error("an empty stream is still booked")
	}
}

func TestPurgeWaitsForSomebodyWithoutADevice(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1})
	sender := b.follow(on(alice, 1), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "for when you come"))
	sender.Acknowledge(1)
	b.purges()
	b.log.Notify(parley.DeviceSignedIn{Person: bob, Device: 2, From: 0})
	f := b.follow(on(bob, 2), 0)
	b.collects(f, "for when you come")
	f.Acknowledge(1)
	b.purges(PurgeRange{aliceAndBob, 1})
}

func TestSigningOutLetsGo(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2}, Reader{Person: bob, Device: 3})
	sender, phone := b.follow(on(alice, 1), 0), b.follow(on(bob, 2), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "one"))
	sender.Acknowledge(1)
	phone.Acknowledge(1)
	b.purges() // the desk has it not
	b.log.Notify(parley.DevicesEnded{Person: bob, Devices: []parley.DeviceID{3}})
	b.purges(PurgeRange{aliceAndBob, 1})
}

func TestPurgeAfterARestart(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	b.must(b.send(on(alice, 1), aliceAndBob, "one"))
	b.must(b.send(on(alice, 1), aliceAndBob, "two"))
	b.store.readers = []Reader{{Person: alice, Device: 1, Cursor: 2}, {Person: bob, Device: 2, Cursor: 1}}
	b.load()
	b.purges(PurgeRange{aliceAndBob, 1})
	f := b.follow(on(bob, 2), 1)
	b.collects(f, "two")
}

func TestFailedPurgeIsTriedAgain(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	sender, phone := b.follow(on(alice, 1), 0), b.follow(on(bob, 2), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "one"))
	sender.Acknowledge(1)
	phone.Acknowledge(1)
	b.store.purgeErr = errors.New("disk full")
	if err := b.log.purgePassed(t.Context()); err == nil {
		t.Fatal("a failed purge is not told")
	}
	b.store.purgeErr = nil
	b.purges(PurgeRange{aliceAndBob, 1})
}

func TestTimeLimitTellsWhoMissed(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	sender := b.follow(on(alice, 1), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "old"))
	sender.Acknowledge(1)
	b.must(b.log.purgeOld(t.Context()))
	page, err := b.log.Sync(t.Context(), on(bob, 2), 0, 0)
	b.must(err)
	if !page.Missed || len(page.Items) > 0 {
		t.Errorf("the device that came too late got %+v", page)
	}
	b.follow(on(bob, 2), 0).Acknowledge(1)
	if got := sender.Collect(10).Delivered; len(got) > 0 {
		t.Errorf("a message that nobody got is delivered: %v", got)
	}
	page, err = b.log.Sync(t.Context(), on(alice, 1), 1, 0)
	b.must(err)
	if page.Missed {
		t.Error("the sender is told of a loss")
	}
}

func TestDeliveredMarksAfterPurge(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	sender, phone := b.follow(on(alice, 1), 0), b.follow(on(bob, 2), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "one"))
	b.must(b.send(on(alice, 1), aliceAndBob, "two"))
	sender.Acknowledge(2)
	phone.Acknowledge(1)
	b.purges(PurgeRange{aliceAndBob, 1})
	upto := func() parley.Pos {
		marks, err := b.log.Marks(t.Context(), on(alice, 1), 0)
		b.must(err)
		if len(marks) != 1 || len(marks[0].Delivered) != 1 {
			t.Fatalf("marks %+v, want one", marks)
		}
		return marks[0].Delivered[0].Upto
	}
	if got := upto(); got != 1 {
		t.Errorf("delivered up to %d, want 1 (purged)", got)
	}
	phone.Acknowledge(2)
	if got := upto(); got != 2 {
		t.Errorf("delivered up to %d, want 2 (still held)", got)
	}
}

// Somebody blocked must not find out by what is forgotten: a message to somebody
// who never signs in stays until its time limit, and is known when sent again.
func TestWhatABlockedPersonSentStaysAsWithSomebodyWhoNeverSignsIn(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	b.world.blocked[[2]parley.PersonID{bob, alice}] = true
	aliceAndCarol := parley.DirectStream(alice, carol) // who never signed in
	sender := b.follow(on(alice, 1), 0)
	for i, to := range []parley.StreamID{aliceAndBob, aliceAndCarol} {
		b.must(b.sendAs(on(alice, 1), to, clientID(i), "are you there"))
	}
	sender.Acknowledge(2)
	for _, restart := range []bool{false, true} {
		if restart {
			b.store.readers[0].Cursor = 2
			b.load()
		}
		b.purges()
		page, err := b.log.Sync(t.Context(), on(alice, 1), 0, 0)
		b.must(err)
		if got := texts(page.Items); got != "are you there are you there" {
			t.Errorf("restarted %t: of both messages the sender finds %q", restart, got)
		}
		for i, to := range []parley.StreamID{aliceAndBob, aliceAndCarol} {
			if err := b.sendAs(on(alice, 1), to, clientID(i), "are you there"); !errors.Is(err, ErrKnown) {
				t.Errorf("restarted %t: message %d sent again: %v", restart, i, err)
			}
		}
	}
	b.must(b.log.purgeOld(t.Context()))
	if len(b.log.streams) > 0 {
		t.Error("the time limit leaves something behind")
	}
}

func clientID(i int) parley.ClientID { return parley.ClientID(fmt.Sprintf("%022d", i)) }

// What came after a sign-in is the new device's too, also when everybody else was
// quicker than the event that tells of the sign-in.
func TestPurgeWaitsForADeviceThatTheLogWasNotToldOf(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	sender, phone := b.follow(on(alice, 1), 0), b.follow(on(bob, 2), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "before"))
	b.store.readers = append(b.store.readers, Reader{Person: bob, Device: 3, Cursor: 1, From: 1})
	b.must(b.send(on(alice, 1), aliceAndBob, "after"))
	sender.Acknowledge(2)
	phone.Acknowledge(2)
	b.purges(PurgeRange{aliceAndBob, 1})
	b.log.Notify(parley.DeviceSignedIn{Person: bob, Device: 3, From: 1})
	page, err := b.log.Sync(t.Context(), on(bob, 3), 1, 0)
	b.must(err)
	if got := texts(page.Items); got != "after" {
		t.Errorf("the new device got %q", got)
	}
	b.follow(on(bob, 3), 2).Acknowledge(2)
	b.purges(PurgeRange{aliceAndBob, 2})
}
