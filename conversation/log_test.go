package conversation

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"parley"
)

const (
	alice parley.PersonID = 1
	bob   parley.PersonID = 2
	carol parley.PersonID = 3
)

var aliceAndBob = parley.DirectStream(alice, bob)

// bench is a Log over a memory store with the devices that a test names.
type bench struct {
	*testing.T
	log   *Log
	store *memoryStore
	world *world
	made  int
}

func newBench(t *testing.T, readers ...Reader) *bench {
	t.Helper()
	b := &bench{T: t, store: newMemoryStore(readers...), world: &world{blocked: map[[2]parley.PersonID]bool{}}}
	b.load()
	return b
}

// load makes the Log anew over the same store, as after a restart.
func (b *bench) load() {
	b.Helper()
	b.store.commits = nil
	l, err := NewLog(b.Context(), Config{Store: b.store, Gate: b.world, People: b.world, Policy: rules, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.log = l
}

func on(p parley.PersonID, d parley.DeviceID) parley.Actor {
	return parley.Actor{Kind: parley.ActorPerson, Person: p, Device: d, Class: parley.Mobile}
}

func (b *bench) follow(actor parley.Actor, after parley.Pos) *Feed {
	b.Helper()
	f, err := b.log.Follow(b.Context(), actor, after, func() {})
	if err != nil {
		b.Fatalf("following as %s: %v", actor.Person, err)
	}
	return f
}

// send sends a text and returns what it was refused with.
func (b *bench) send(actor parley.Actor, s parley.StreamID, text string) error {
	b.made++
	id := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%016d", b.made))
	return b.sendAs(actor, s, parley.ClientID(id), text)
}

func (b *bench) sendAs(actor parley.Actor, s parley.StreamID, id parley.ClientID, text string) error {
	var refusal error
	err := b.log.Send(b.Context(), actor, Message{
		Conversation: s, ClientID: id, Kind: parley.KindMessage, Content: "text.v1", Body: parley.Body(text),
	}, func(err error) { refusal = err })
	return errors.Join(err, refusal)
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func texts(items []*Item) string {
	var list []string
	for _, i := range items {
		list = append(list, string([]byte(i.Body)))
	}
	return strings.Join(list, " ")
}

func (b *bench) collects(f *Feed, want string) Batch {
	b.Helper()
	batch := f.Collect(1000)
	if got := texts(batch.Items); got != want {
		b.Errorf("the device of %s got %q, want %q", f.actor.Person, got, want)
	}
	return batch
}

func TestEveryDeviceGetsEveryMessageInOrder(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2}, Reader{Person: bob, Device: 3}, Reader{Person: carol, Device: 4})
	sender := b.follow(on(alice, 1), 0)
	phone, desk, stranger := b.follow(on(bob, 2), 0), b.follow(on(bob, 3), 0), b.follow(on(carol, 4), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "one"))
	b.must(b.send(on(bob, 2), aliceAndBob, "two"))
	b.collects(sender, "one two")
	b.collects(phone, "one two")
	b.collects(stranger, "")
	b.must(b.send(on(alice, 1), aliceAndBob, "three"))
	if batch := b.collects(phone, "three"); batch.Prev != 2 {
		t.Errorf("the chain goes on from %d, want 2", batch.Prev)
	}
	b.collects(desk, "one two three")
}

func TestBacklogComesBeforeWhatIsNew(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	b.must(b.send(on(alice, 1), aliceAndBob, "missed"))
	b.store.reading = make(chan struct{})
	got := make(chan *Feed)
	go func() { got <- b.follow(on(bob, 2), 0) }()
	b.store.reading <- struct{}{} // the backlog is being read ...
	b.must(b.send(on(alice, 1), aliceAndBob, "meanwhile"))
	f := <-got
	b.collects(f, "missed meanwhile")
}

func TestTooMuchBacklogIsAGap(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	for i := range maxBacklog + 1 {
		b.must(b.send(on(alice, 1), aliceAndBob, fmt.Sprint(i)))
	}
	f := b.follow(on(bob, 2), 0)
	if batch := f.Collect(10); !batch.Gap || len(batch.Items) > 0 {
		t.Fatalf("got %+v, want a gap and nothing else", batch)
	}
	if !f.Collect(10).Empty() {
		t.Error("the gap is told twice")
	}
	page, err := b.log.Sync(t.Context(), on(bob, 2), 0, 200)
	b.must(err)
	if len(page.Items) != 200 || !page.More {
		t.Errorf("the first page has %d entries, more %v", len(page.Items), page.More)
	}
	page, err = b.log.Sync(t.Context(), on(bob, 2), page.Cursor, 200)
	b.must(err)
	b.must(f.Resume(t.Context(), page.Cursor))
	b.must(b.send(on(alice, 1), aliceAndBob, "live"))
	if batch := b.collects(f, "live"); batch.Prev != page.Cursor {
		t.Errorf("the chain goes on from %d, want %d", batch.Prev, page.Cursor)
	}
}

func TestSlowReaderCostsBoundedMemory(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	slow := b.follow(on(bob, 2), 0)
	for range maxGathered + 1 {
		b.must(b.send(on(alice, 1), aliceAndBob, "x"))
	}
	if n := len(slow.items); n != 0 {
		t.Errorf("a feed that fell behind still holds %d entries", n)
	}
	if !slow.Collect(10).Gap {
		t.Error("a feed that fell behind is not told of its gap")
	}
}

func TestBacklogCountsAsGathered(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	for range 10 {
		b.must(b.send(on(alice, 1), aliceAndBob, "before"))
	}
	f := b.follow(on(bob, 2), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "after"))
	if want := 10*len("before") + len("after"); f.bytes != want {
		t.Errorf("a feed counts %d bytes of what it holds, want %d", f.bytes, want)
	}
	f.Collect(maxGathered)
	if f.bytes != 0 {
		t.Errorf("an empty feed counts %d bytes", f.bytes)
	}
}

// A backlog that could not be read is a gap, and the connection is woken to say
// so: nothing else might wake it.
func TestBacklogThatCannotBeReadIsAGap(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	b.must(b.send(on(alice, 1), aliceAndBob, "missed"))
	woken := 0
	f, err := b.log.Follow(t.Context(), on(bob, 2), -1, func() { woken++ })
	b.must(err)
	f.Collect(10) // the first gap
	b.store.readErr = errors.New("the disk is gone")
	woken = 0
	if err := f.Resume(t.Context(), 0); !errors.Is(err, b.store.readErr) {
		t.Errorf("resuming over a broken store: %v", err)
	}
	if woken == 0 || !f.Collect(10).Gap {
		t.Errorf("woken %d times; the device is not told that nothing streams", woken)
	}
}

func TestSendIsRefused(t *testing.T) {
	valid := parley.ClientID("AAAAAAAAAAAAAAAAAAAAAA")
	tests := []struct {
		name  string
		actor parley.Actor
		m     Message
		want  parley.Kind
		key   string
	}{
		{"without a device", parley.Actor{Kind: parley.ActorSystem}, Message{}, parley.SignIn, "session.required"},
		{"client id too short", on(alice, 1), Message{ClientID: "abc"}, parley.Invalid, "message.client-id"},
		{"unknown kind", on(alice, 1), Message{ClientID: valid, Kind: 99}, parley.Unsupported, "message.kind-unknown"},
		{"unknown content", on(alice, 1), Message{ClientID: valid, Kind: 1, Content: "html.v9", Body: parley.Body("x")}, parley.Unsupported, "message.content-unknown"},
		{"empty", on(alice, 1), Message{ClientID: valid, Kind: 1, Content: "text.v1"}, parley.Invalid, "message.empty"},
		{"not UTF-8", on(alice, 1), Message{ClientID: valid, Kind: 1, Content: "text.v1", Body: parley.Body{0xff}}, parley.Invalid, "message.not-text"},
		{"text too long", on(alice, 1), Message{ClientID: valid, Kind: 1, Content: "text.v1", Body: make(parley.Body, 16_001)}, parley.TooLarge, "message.too-large"},
		{"body too large", on(alice, 1), Message{ClientID: valid, Kind: 1, Content: "html.v9", Body: make(parley.Body, 65_537)}, parley.TooLarge, "message.too-large"},
		{"somebody else's conversation", on(carol, 3), Message{ClientID: valid, Kind: 1, Content: "text.v1", Body: parley.Body("x"), Conversation: aliceAndBob}, parley.NotFound, "not-found"},
		{"to nobody", on(alice, 1), Message{ClientID: valid, Kind: 1, Content: "text.v1", Body: parley.Body("x"), Conversation: parley.DirectStream(alice, 4711)}, parley.NotFound, "not-found"},
		{"into a private stream", on(alice, 1), Message{ClientID: valid, Kind: 1, Content: "text.v1", Body: parley.Body("x"), Conversation: parley.PrivateStream(bob)}, parley.NotFound, "not-found"},
		{"device signed out", on(alice, 77), Message{ClientID: valid, Kind: 1, Content: "text.v1", Body: parley.Body("x"), Conversation: aliceAndBob}, parley.SignIn, "session.ended"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
			var refusal error
			err := b.log.Send(t.Context(), test.actor, test.m, func(err error) { refusal = err })
			err = errors.Join(err, refusal)
			refused, ok := errors.AsType[*parley.Error](err)
			if !ok || refused.Kind != test.want || refused.Key != test.key {
				t.Errorf("got %v, want %v %s", err, test.want, test.key)
			}
			if len(b.store.entries) > 0 {
				t.Error("a refused message is in the log")
			}
		})
	}
}

// Whoever acts for a person without being one of their devices has no part in
// the person's messages, whatever device is named.
func TestOnlyDevicesTakePart(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	b.must(b.send(on(alice, 1), aliceAndBob, "hello"))
	listener := b.follow(on(bob, 2), 0)
	listener.Collect(10)
	for kind := range parley.ActorSystem + 2 {
		actor := on(alice, 1)
		if actor.Kind = kind; kind == parley.ActorPerson {
			actor.Device = 0
		}
		_, follow := b.log.Follow(t.Context(), actor, 0, func() {})
		page, sync := b.log.Sync(t.Context(), actor, 0, 0)
		marks, mark := b.log.Marks(t.Context(), actor, 0)
		for what, err := range map[string]error{
			"follows": follow, "syncs": sync, "asks for marks": mark,
			"sends":         b.send(actor, aliceAndBob, "hello"),
			"marks as read": b.log.Read(t.Context(), actor, aliceAndBob, 1),
			"types":         b.log.Typing(t.Context(), actor, aliceAndBob, true),
		} {
			if err == nil || parley.KindOf(err) != parley.SignIn {
				t.Errorf("%s %s: %v, want sign-in", kind, what, err)
			}
		}
		if len(page.Items) > 0 || len(marks) > 0 {
			t.Errorf("%s gets %d entries and %d marks", kind, len(page.Items), len(marks))
		}
	}
	if batch := listener.Collect(10); !batch.Empty() {
		t.Errorf("the other side was told %+v", batch)
	}
}

func TestSameMessageAgainIsKnown(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	b.must(b.sendAs(on(alice, 1), aliceAndBob, "AAAAAAAAAAAAAAAAAAAAAA", "once"))
	if err := b.sendAs(on(alice, 1), aliceAndBob, "AAAAAAAAAAAAAAAAAAAAAA", "once"); !errors.Is(err, ErrKnown) {
		t.Errorf("got %v, want ErrKnown", err)
	}
	if len(b.store.entries) != 1 {
		t.Errorf("the log has %d entries, want 1", len(b.store.entries))
	}
}

func TestDeliveredMarks(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2}, Reader{Person: bob, Device: 3})
	sender, phone, desk := b.follow(on(alice, 1), 0), b.follow(on(bob, 2), 0), b.follow(on(bob, 3), 0)
	for _, text := range []string{"one", "two", "three"} {
		b.must(b.send(on(alice, 1), aliceAndBob, text))
	}
	phone.Acknowledge(2)
	want := []Delivered{{Conversation: aliceAndBob, Person: bob, Upto: 2}}
	if got := sender.Collect(10).Delivered; !slices.Equal(got, want) {
		t.Errorf("after the phone has two: %v, want %v", got, want)
	}
	desk.Acknowledge(2)
	if got := sender.Collect(10).Delivered; len(got) > 0 {
		t.Errorf("the second device tells again: %v", got)
	}
	desk.Acknowledge(3)
	if got := sender.Collect(10).Delivered; len(got) != 1 || got[0].Upto != 3 {
		t.Errorf("after the desk has three: %v", got)
	}
	if got := b.store.acked[3]; got != 3 {
		t.Errorf("the store has the desk at %d, want 3", got)
	}
	phone.Acknowledge(99)
	if got := b.store.acked[2]; got != 2 {
		t.Errorf("a position beyond the head was believed: %d", got)
	}
}

func TestBlockedSenderNoticesNothing(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: alice, Device: 5}, Reader{Person: bob, Device: 2})
	b.world.blocked[[2]parley.PersonID{bob, alice}] = true
	sender, tablet, target := b.follow(on(alice, 1), 0), b.follow(on(alice, 5), 0), b.follow(on(bob, 2), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "are you there"))
	b.collects(target, "")
	for _, own := range []*Feed{sender, tablet} {
		batch := b.collects(own, "are you there")
		if got := batch.Items[0].Conversation(); got != aliceAndBob {
			t.Errorf("the sender's device files it under %s", got)
		}
	}
	b.must(b.send(on(bob, 2), aliceAndBob, "hello all the same"))
	b.must(b.log.Typing(t.Context(), on(bob, 2), aliceAndBob, true))
	b.must(b.log.Typing(t.Context(), on(alice, 1), aliceAndBob, true))
	if got := sender.Collect(10); len(got.Typing) > 0 {
		t.Error("the blocked person sees typing")
	}
	if got := target.Collect(10); len(got.Typing) > 0 {
		t.Error("the one who blocks is told of typing")
	}
	target.Acknowledge(2)
	if got := sender.Collect(10).Delivered; len(got) > 0 {
		t.Errorf("the blocked person gets a delivered mark: %v", got)
	}
	marks, err := b.log.Marks(t.Context(), on(alice, 1), 0)
	b.must(err)
	for _, m := range marks {
		if len(m.Delivered) > 0 {
			t.Errorf("the blocked person reads a delivered mark: %v", m)
		}
	}
}

func TestTypingReachesTheOthers(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	sender, target := b.follow(on(alice, 1), 0), b.follow(on(bob, 2), 0)
	b.must(b.log.Typing(t.Context(), on(alice, 1), aliceAndBob, true))
	b.must(b.log.Typing(t.Context(), on(alice, 1), aliceAndBob, false))
	if got := target.Collect(10).Typing; !slices.Equal(got, []Typing{{Conversation: aliceAndBob, Person: alice}}) {
		t.Errorf("got %v, want the last word only", got)
	}
	if got := sender.Collect(10).Typing; len(got) > 0 {
		t.Errorf("the sender is told of the own typing: %v", got)
	}
	if err := b.log.Typing(t.Context(), on(carol, 3), aliceAndBob, true); parley.KindOf(err) != parley.NotFound {
		t.Errorf("a stranger may type: %v", err)
	}
}

func TestReadMarksReachTheOwnDevices(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2}, Reader{Person: bob, Device: 3})
	phone, desk := b.follow(on(bob, 2), 0), b.follow(on(bob, 3), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "one"))
	b.must(b.send(on(alice, 1), aliceAndBob, "two"))
	b.must(b.log.Read(t.Context(), on(bob, 2), aliceAndBob, 1))
	if got := desk.Collect(10).Read; !slices.Equal(got, []ReadMark{{Conversation: aliceAndBob, Upto: 1}}) {
		t.Errorf("the desk got %v", got)
	}
	if got := phone.Collect(10).Read; len(got) > 0 {
		t.Errorf("the phone is told what it said: %v", got)
	}
	if got := b.store.marks; len(got) != 1 || got[0].N != 1 {
		t.Errorf("stored %+v, want number 1", got)
	}
	if err := b.log.Read(t.Context(), on(carol, 3), aliceAndBob, 1); parley.KindOf(err) != parley.NotFound {
		t.Errorf("a stranger may read: %v", err)
	}
	for _, nobody := range []parley.StreamID{parley.DirectStream(bob, 4000), -1} {
		if err := b.log.Read(t.Context(), on(bob, 2), nobody, 1); parley.KindOf(err) != parley.NotFound {
			t.Errorf("a conversation with nobody, %s, is read: %v", nobody, err)
		}
	}
	if len(b.store.marks) != 1 {
		t.Errorf("%d marks are stored, want 1", len(b.store.marks))
	}
	if err := b.log.Read(t.Context(), on(bob, 2), aliceAndBob, 99); parley.KindOf(err) != parley.Invalid {
		t.Errorf("a position beyond the head is read: %v", err)
	}
}

func TestEndedDeviceGetsNothingMore(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	f := b.follow(on(bob, 2), 0)
	b.store.readers = b.store.readers[:1] // the commit comes before the event
	b.log.Notify(parley.DevicesEnded{Person: bob, Devices: []parley.DeviceID{2}})
	b.must(b.send(on(alice, 1), aliceAndBob, "too late"))
	if !f.Closed() || !f.Collect(10).Empty() {
		t.Error("the feed of a signed-out device goes on")
	}
	if _, err := b.log.Follow(t.Context(), on(bob, 2), 0, func() {}); parley.KindOf(err) != parley.SignIn {
		t.Errorf("a signed-out device follows: %v", err)
	}
	if _, err := b.log.Sync(t.Context(), on(bob, 2), 0, 0); parley.KindOf(err) != parley.SignIn {
		t.Errorf("a signed-out device syncs: %v", err)
	}
}

func TestNewerConnectionTakesOver(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	older := b.follow(on(bob, 2), 0)
	newer := b.follow(on(bob, 2), 0)
	older.Close()
	b.must(b.send(on(alice, 1), aliceAndBob, "hello"))
	if !older.Closed() {
		t.Error("the older feed is still open")
	}
	b.collects(newer, "hello")
}

func TestPositionBeyondTheHead(t *testing.T) {
	b := newBench(t, Reader{Person: bob, Device: 2})
	if _, err := b.log.Follow(t.Context(), on(bob, 2), 7, func() {}); !errors.Is(err, ErrResync) {
		t.Errorf("Follow: %v, want ErrResync", err)
	}
	if _, err := b.log.Sync(t.Context(), on(bob, 2), 7, 0); !errors.Is(err, ErrResync) {
		t.Errorf("Sync: %v, want ErrResync", err)
	}
	f := b.follow(on(bob, 2), -1)
	if batch := f.Collect(10); !batch.Gap {
		t.Error("a device without a position is not told to sync")
	}
	if err := f.Resume(t.Context(), 7); !errors.Is(err, ErrResync) {
		t.Errorf("Resume: %v, want ErrResync", err)
	}
}

// A device connects before the log was told of its sign-in: an event is a hint,
// and the device is in the store.
func TestDeviceThatTheLogWasNotToldOf(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1}, Reader{Person: bob, Device: 2})
	b.store.readers = append(b.store.readers, Reader{Person: bob, Device: 3, Cursor: 0})
	f := b.follow(on(bob, 3), 0)
	b.must(b.send(on(alice, 1), aliceAndBob, "hello"))
	b.collects(f, "hello")
	b.log.Notify(parley.DeviceSignedIn{Person: bob, Device: 3})
	b.must(b.send(on(bob, 3), aliceAndBob, "hello back"))
	b.collects(f, "hello back")
	b.store.readers = append(b.store.readers, Reader{Person: bob, Device: 4})
	if _, err := b.log.Sync(t.Context(), on(bob, 4), 0, 0); err != nil {
		t.Errorf("syncing before the log was told: %v", err)
	}
	if _, err := b.log.Follow(t.Context(), on(alice, 2), 0, func() {}); parley.KindOf(err) != parley.SignIn {
		t.Errorf("somebody else's device follows: %v", err)
	}
}

// The device is signed out while the log learns of it: it must not be booked as a
// reader that the log would wait for until the next start.
func TestDeviceThatEndsWhileTheLogLearnsOfIt(t *testing.T) {
	b := newBench(t, Reader{Person: alice, Device: 1})
	b.store.readers = append(b.store.readers, Reader{Person: bob, Device: 3})
	b.store.onReader = func() {
		b.store.readers, b.store.onReader = b.store.readers[:1], nil
		b.log.Notify(parley.DevicesEnded{Person: bob, Devices: []parley.DeviceID{3}})
	}
	if _, err := b.log.Follow(t.Context(), on(bob, 3), 0, func() {}); parley.KindOf(err) != parley.SignIn {
		t.Errorf("following: %v", err)
	}
	if devices := b.log.reader(bob).devices; len(devices) > 0 {
		t.Errorf("%d devices are booked", len(devices))
	}
}
