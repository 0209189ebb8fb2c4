package presence

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/policy"
	"pgregory.net/rapid"
)

type fakeStore struct {
	mu      sync.Mutex
	choices map[parley.PersonID]Choice
	fail    error
	unread  error // reading one choice fails
}

func (s *fakeStore) Choices(context.Context) iter.Seq2[PersonChoice, error] {
	return func(yield func(PersonChoice, error) bool) {
		for id, c := range s.choices {
			if !yield(PersonChoice{id, c}, s.fail) {
				return
			}
		}
	}
}

func (s *fakeStore) Choice(_ context.Context, id parley.PersonID) (Choice, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.choices[id], errors.Join(s.fail, s.unread)
}

func (s *fakeStore) SetChoice(_ context.Context, id parley.PersonID, was, is Choice, _ parley.Alongside) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if s.choices[id] != was {
		return ErrStale
	}
	s.set(id, is)
	return nil
}

func (s *fakeStore) set(id parley.PersonID, c Choice) {
	if s.choices == nil {
		s.choices = make(map[parley.PersonID]Choice)
	}
	s.choices[id] = c
}

// watcher notes whom it was told of.
type watcher struct {
	viewer parley.PersonID
	mu     sync.Mutex
	dirty  map[parley.PersonID]int
}

func (w *watcher) Viewer() parley.PersonID { return w.viewer }

func (w *watcher) Dirty(p parley.PersonID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dirty == nil {
		w.dirty = make(map[parley.PersonID]int)
	}
	w.dirty[p]++
}

// take gives how often each person was marked since the last take.
func (w *watcher) take() map[parley.PersonID]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.dirty
	w.dirty = nil
	return d
}

func newBoard(t *testing.T, s *fakeStore) *Board {
	t.Helper()
	b, err := NewBoard(t.Context(), Config{Store: s, Policy: policy.Fixed(policy.Default())})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bubble runs a test with a Board that runs, in made-up time.
func bubble(t *testing.T, s *fakeStore, test func(t *testing.T, b *Board)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, s)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := b.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		test(t, b)
		stop()
		wg.Wait()
	})
}

// pass lets time pass, the Board included. The clock is synctest's.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func on(person parley.PersonID, device parley.DeviceID) parley.Actor {
	return parley.Actor{Kind: parley.ActorPerson, Person: person, Device: device, Class: parley.Desktop}
}

var active = Activity{Active: true, Visible: true, TimeZone: "Europe/Berlin"}

func expect(t *testing.T, b *Board, person parley.PersonID, want parley.Availability) {
	t.Helper()
	if got := b.Presence(person).Availability; got != want {
		t.Errorf("at %s %s is %d, want %d", time.Now().Format("15:04:05"), person, got, want)
	}
}

func TestADayOnTheBoard(t *testing.T) {
	bubble(t, &fakeStore{}, func(t *testing.T, b *Board) {
		w := &watcher{viewer: 2}
		b.Watch(w, []parley.PersonID{1})
		w.take()
		expect(t, b, 1, parley.Offline)

		me := on(1, 7)
		b.Report(me, active)
		expect(t, b, 1, parley.Available)
		began := time.Now()
		if got := w.take(); got[1] != 1 {
			t.Errorf("coming marked %v", got)
		}

		alive := func(d time.Duration) { // the socket is there, nobody touches the device
			for ; d > 0; d -= 20 * time.Second {
				pass(min(d, 20*time.Second))
				b.Renew(7)
			}
		}
		alive(time.Minute)
		b.Report(me, active)
		if got := w.take(); got != nil {
			t.Errorf("another touch marked %v", got)
		}
		alive(5*time.Minute - time.Second)
		expect(t, b, 1, parley.Available)
		alive(time.Second)
		expect(t, b, 1, parley.Inactive)
		if p := b.Presence(1); !p.Since.Equal(began.Add(6*time.Minute)) || !p.LastActive.Equal(began.Add(time.Minute)) {
			t.Errorf("inactive since %v, last active %v, began %v", p.Since, p.LastActive, began)
		}
		alive(5 * time.Minute)
		expect(t, b, 1, parley.Away)
		if got := w.take(); got[1] != 2 {
			t.Errorf("two changes marked %v", got)
		}
		pass(Lease)
		expect(t, b, 1, parley.Offline)
		if p := b.Presence(1); p.Source != parley.SourceNone || p.Since.IsZero() || p.TimeZone != "" {
			t.Errorf("offline is %+v", p)
		}
		b.Renew(7) // the connection was only slow
		expect(t, b, 1, parley.Away)
		b.Gone(me)
		expect(t, b, 1, parley.Offline)
		b.Renew(7)
		expect(t, b, 1, parley.Offline)
	})
}

func TestSeveralDevices(t *testing.T) {
	bubble(t, &fakeStore{}, func(t *testing.T, b *Board) {
		desk, mobile := on(1, 7), on(1, 8)
		mobile.Class = parley.Mobile
		b.Report(desk, active)
		pass(time.Second)
		b.Report(mobile, Activity{Active: true, Visible: true, TimeZone: "Asia/Tokyo"})
		if p := b.Presence(1); !p.Mobile || p.TimeZone != "Asia/Tokyo" {
			t.Errorf("the phone was touched last: %+v", p)
		}
		b.Gone(mobile)
		if p := b.Presence(1); p.Mobile || p.TimeZone != "Europe/Berlin" || p.Availability != parley.Available {
			t.Errorf("the phone left: %+v", p)
		}
		b.Report(mobile, Activity{})
		if p := b.Presence(1); !p.Mobile || p.Availability != parley.Available {
			t.Errorf("the phone is back untouched, and was touched last: %+v", p)
		}
		pass(Lease)
		expect(t, b, 1, parley.Offline)
	})
}

func TestAChoiceOutlivesNoDeviceAndComesBack(t *testing.T) {
	bubble(t, &fakeStore{}, func(t *testing.T, b *Board) {
		me := on(1, 7)
		b.Report(me, active)
		if err := b.SetState(t.Context(), me, ChooseDoNotDisturb, time.Time{}); err != nil {
			t.Fatal(err)
		}
		expect(t, b, 1, parley.DoNotDisturb)
		b.Gone(me)
		expect(t, b, 1, parley.Offline)
		pass(23 * time.Hour)
		b.Report(me, active)
		expect(t, b, 1, parley.DoNotDisturb)
		b.Gone(me)
		pass(time.Hour)
		b.Report(me, active)
		expect(t, b, 1, parley.Available)

		if err := b.SetState(t.Context(), me, ChooseBusy, time.Now().Add(30*time.Second)); err != nil {
			t.Fatal(err)
		}
		expect(t, b, 1, parley.Busy)
		pass(30 * time.Second)
		expect(t, b, 1, parley.Available)

		if err := b.SetState(t.Context(), me, ChooseOffWork, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if p := b.Presence(1); p.Availability != parley.OffWorkAway || p.Token != parley.TokenOffWork || p.Source != parley.SourceManual {
			t.Errorf("off work is %+v", p)
		}
		if err := b.SetState(t.Context(), me, Reset, time.Time{}); err != nil {
			t.Fatal(err)
		}
		expect(t, b, 1, parley.Available)
	})
}

func TestARestartRemembersChoices(t *testing.T) {
	s := &fakeStore{}
	bubble(t, s, func(t *testing.T, b *Board) {
		if err := b.SetState(t.Context(), on(1, 7), ChooseBeRightBack, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if err := b.SetNote(t.Context(), on(1, 7), "  back\nsoon ", time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	})
	bubble(t, s, func(t *testing.T, b *Board) { // synctest's clock starts where it did
		p := b.Presence(1)
		if p.Availability != parley.Offline || p.Note != "back soon" || !p.Since.IsZero() {
			t.Errorf("after a restart, before any device: %+v", p)
		}
		b.Report(on(1, 7), active)
		expect(t, b, 1, parley.BeRightBack)
		pass(time.Hour)
		if p := b.Presence(1); p.Note != "" {
			t.Errorf("the note lapsed: %+v", p)
		}
	})
}

// TestWhatWasChosenShowsThoughItCannotBeReadAgain: the database may be gone a
// moment after it took a choice, and no other node tells this one of its own.
func TestWhatWasChosenShowsThoughItCannotBeReadAgain(t *testing.T) {
	s := &fakeStore{choices: map[parley.PersonID]Choice{}, unread: errors.New("out of reach")}
	b, err := NewBoard(t.Context(), Config{Store: s, Policy: policy.Fixed(policy.Default())})
	if err != nil {
		t.Fatal(err)
	}
	actor := parley.Actor{Kind: parley.ActorPerson, Person: 1, Device: 1}
	b.Report(actor, Activity{Active: true})
	if err := b.SetState(t.Context(), actor, ChooseAppearAway, time.Time{}); err != nil {
		t.Errorf("SetState: %v", err)
	}
	if got := b.Presence(1).Availability; got != parley.Away {
		t.Errorf("shows %d", got)
	}
}

// Another node may store a choice of the same person in between.
func TestTwoNodesDoNotOverwriteEachOther(t *testing.T) {
	s := &fakeStore{}
	b := newBoard(t, s)
	me := on(1, 7)
	b.Report(me, active)
	s.set(1, Choice{Note: "from another node"})
	if err := b.SetState(t.Context(), me, ChooseBusy, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if p := b.Presence(1); p.Note != "from another node" || p.Availability != parley.Busy {
		t.Errorf("shown: %+v", p)
	}
	if c := s.choices[1]; c.Note != "from another node" || c.State != ChooseBusy {
		t.Errorf("stored: %+v", c)
	}
	b.store = alwaysStale{s}
	if err := b.SetNote(t.Context(), me, "late", time.Time{}); parley.KindOf(err) != parley.Unavailable {
		t.Errorf("never in time: %v", err)
	}
	if p := b.Presence(1); p.Note != "from another node" {
		t.Errorf("shown although it was not stored: %+v", p)
	}
}

type alwaysStale struct{ *fakeStore }

func (alwaysStale) SetChoice(context.Context, parley.PersonID, Choice, Choice, parley.Alongside) error {
	return ErrStale
}

func TestOnlyRealZonesAndOnlyIfTheyAreWanted(t *testing.T) {
	b := newBoard(t, &fakeStore{})
	for _, zone := range []string{"", "Local", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", strings.Repeat("a", 10_000), "Europe/\xff"} {
		b.Report(on(1, 7), Activity{Active: true, TimeZone: zone})
		if p := b.Presence(1); p.TimeZone != "" {
			t.Errorf("zone %.20q is shown as %.20q", zone, p.TimeZone)
		}
	}
	for range 2 {
		b.Report(on(1, 7), active)
		if p := b.Presence(1); p.TimeZone != "Europe/Berlin" {
			t.Errorf("a real zone is shown as %q", p.TimeZone)
		}
	}
	rules := policy.Default()
	rules.Location = false
	without, err := NewBoard(t.Context(), Config{Store: &fakeStore{}, Policy: policy.Fixed(rules)})
	if err != nil {
		t.Fatal(err)
	}
	without.Report(on(1, 7), active)
	if p := without.Presence(1); p.TimeZone != "" || p.Availability != parley.Available {
		t.Errorf("location is switched off: %+v", p)
	}
}

func TestRefusals(t *testing.T) {
	s := &fakeStore{}
	b := newBoard(t, s)
	me := on(1, 7)
	state := func(a parley.Actor, st State, until time.Time) error { return b.SetState(t.Context(), a, st, until) }
	note := func(a parley.Actor, n string, until time.Time) error { return b.SetNote(t.Context(), a, n, until) }
	past, never := time.Now().Add(-time.Second), time.Time{}
	for _, test := range []struct {
		name string
		err  error
		want parley.Kind
	}{
		{"unknown state", state(me, "sleeping", never), parley.Invalid},
		{"offline cannot be chosen", state(me, "offline", never), parley.Invalid},
		{"state until the past", state(me, ChooseBusy, past), parley.Invalid},
		{"note until the past", note(me, "x", past), parley.Invalid},
		{"note too long", note(me, strings.Repeat("ä", MaxNote+1), never), parley.Invalid},
		{"note that is no text", note(me, "\xff", never), parley.Invalid},
		{"a program", state(parley.Actor{Kind: parley.ActorProgram, Person: 1}, ChooseBusy, never), parley.Forbidden},
		{"an administrator", note(parley.Actor{Kind: parley.ActorAdmin, Person: 1}, "x", never), parley.Forbidden},
		{"nobody", state(parley.Actor{}, ChooseBusy, never), parley.Forbidden},
	} {
		if test.err == nil || parley.KindOf(test.err) != test.want {
			t.Errorf("%s: %v, want %s", test.name, test.err, test.want)
		}
	}
	if len(s.choices) != 0 {
		t.Errorf("refused, and stored: %v", s.choices)
	}
	if err := note(me, strings.Repeat("ä", MaxNote), never); err != nil {
		t.Errorf("the longest note: %v", err)
	}

	b.Report(me, active)
	s.fail = errors.New("disk full")
	if err := state(me, ChooseBusy, never); !errors.Is(err, s.fail) {
		t.Errorf("a choice that cannot be stored: %v", err)
	}
	expect(t, b, 1, parley.Available)
	if _, err := NewBoard(t.Context(), Config{Store: s, Policy: policy.Fixed(policy.Default())}); !errors.Is(err, s.fail) {
		t.Errorf("NewBoard over a broken store: %v", err)
	}
}

func TestReportsOfOthersArePassedOver(t *testing.T) {
	b := newBoard(t, &fakeStore{})
	for _, a := range []parley.Actor{{}, parley.System, {Kind: parley.ActorProgram, Person: 1, Device: 1},
		{Kind: parley.ActorRemote, Person: 1, Device: 1}, {Kind: parley.ActorPerson, Person: 1}} {
		b.Report(a, active)
		b.Gone(a)
	}
	if got := b.Presence(1); got != (parley.Presence{Availability: parley.Offline}) {
		t.Errorf("shown: %+v", got)
	}
	b.Report(on(1, 1), active)
	b.Gone(parley.Actor{Kind: parley.ActorProgram, Person: 1, Device: 1})
	expect(t, b, 1, parley.Available)
}

func TestWatching(t *testing.T) {
	b := newBoard(t, &fakeStore{})
	w, other := &watcher{viewer: 20}, &watcher{viewer: 21}
	b.Watch(w, []parley.PersonID{3, 1, 2, 3})
	if got := w.take(); len(got) != 3 || got[3] != 1 {
		t.Errorf("a first list marks %v", got)
	}
	b.Watch(other, []parley.PersonID{1})
	other.take()
	b.Watch(w, []parley.PersonID{2, 4, 1})
	if got := w.take(); len(got) != 1 || got[4] != 1 {
		t.Errorf("a further list marks %v", got)
	}
	b.Report(on(3, 1), active)
	b.Report(on(4, 2), active)
	if got := w.take(); len(got) != 1 || got[4] != 1 {
		t.Errorf("changes mark %v", got)
	}
	b.MarkDirty(1)
	if w.take()[1] != 1 || other.take()[1] != 1 {
		t.Error("MarkDirty does not reach every watcher")
	}
	b.MarkDirtyFor(1, 21)
	if w.take() != nil || other.take()[1] != 1 {
		t.Error("MarkDirtyFor does not reach exactly the viewer's connections")
	}
	b.Unwatch(w)
	b.Unwatch(w)
	b.MarkDirty(1)
	if w.take() != nil || other.take()[1] != 1 {
		t.Error("Unwatch ends the wrong watching")
	}
	b.Unwatch(other)
	if a := &b.audience; len(a.watching)+len(a.numbers) != 0 || len(a.free) != len(a.seats) {
		t.Errorf("left behind: %d people, %d watchers, %d of %d seats", len(a.watching), len(a.numbers), len(a.free), len(a.seats))
	}
	b.Watch(w, []parley.PersonID{9})
	if len(b.audience.seats) != 2 {
		t.Error("a free seat is not used again")
	}
}

// Random facts over time: what the Board shows is at every moment what Aggregate
// says of the same facts, and whoever watches has been told of every change.
func TestBoardShowsWhatTheFactsSay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 6), 1, 12).Draw(rt, "steps")
		waits := rapid.SliceOfN(rapid.IntRange(1, 320), len(steps), len(steps)).Draw(rt, "seconds")
		states := []State{ChooseBusy, ChooseDoNotDisturb, ChooseAppearAway, Reset}
		broken := "" // rapid wants to hear of it on its own goroutine
		bubble(t, &fakeStore{}, func(t *testing.T, b *Board) {
			w := &watcher{viewer: 2}
			b.Watch(w, []parley.PersonID{1})
			seen := b.Presence(1)
			w.take()
			for i, step := range steps {
				device := parley.DeviceID(step%2 + 1)
				switch step {
				case 0, 1:
					b.Report(on(1, device), active)
				case 2, 3:
					b.Renew(device)
				case 4:
					b.Gone(on(1, device))
				case 5:
					if err := b.SetState(t.Context(), on(1, 1), states[i%len(states)], time.Time{}); err != nil {
						t.Error(err)
					}
				case 6:
					b.Report(on(1, device), Activity{})
				}
				for range waits[i] {
					pass(time.Second)
					is, facts := b.Presence(1), factsOf(b, 1)
					if want, _ := Aggregate(facts, clock()); is != want {
						broken = fmt.Sprintf("shown\n%+v, the facts say\n%+v", is, want)
						return
					}
					if told := w.take()[1] > 0; is != seen && !told {
						broken = fmt.Sprintf("nobody was told of\n%+v after\n%+v", is, seen)
						return
					}
					seen = is
				}
			}
		})
		if broken != "" {
			rt.Fatal(broken)
		}
	})
}

func factsOf(b *Board, person parley.PersonID) Facts {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if r := b.people[person]; r != nil {
		f := r.facts
		f.Devices = slices.Clone(f.Devices)
		return f
	}
	return Facts{}
}

func TestBoardUnderConcurrentUse(t *testing.T) {
	b := newBoard(t, &fakeStore{})
	ctx, stop := context.WithCancel(t.Context())
	var running, wg sync.WaitGroup
	running.Go(func() { _ = b.Run(ctx) })
	for i := range parley.PersonID(8) {
		wg.Go(func() {
			me, w := on(i+1, parley.DeviceID(i+1)), &watcher{viewer: i + 1}
			for n := range parley.PersonID(100) {
				b.Watch(w, []parley.PersonID{n%8 + 1, i + 1, n + 1})
				b.Report(me, active)
				b.Renew(me.Device)
				if err := b.SetState(ctx, me, ChooseBusy, time.Time{}); err != nil {
					t.Error(err)
				}
				b.Presence(n%8 + 1)
				b.MarkDirtyFor(n%8+1, i+1)
				b.Gone(me)
			}
			b.Unwatch(w)
		})
	}
	wg.Wait()
	stop()
	running.Wait()
	for i := range parley.PersonID(8) {
		expect(t, b, i+1, parley.Offline)
	}
}

// A storm: 1,944 people with 80 watchers each change at once.
func BenchmarkStorm(bench *testing.B) {
	b, err := NewBoard(bench.Context(), Config{Store: &fakeStore{}, Policy: policy.Fixed(policy.Default())})
	if err != nil {
		bench.Fatal(err)
	}
	const people = 1944
	for i := range parley.PersonID(people) {
		list := make([]parley.PersonID, 80)
		for n := range list {
			list[n] = (i+parley.PersonID(n)*24)%people + 1
		}
		b.Watch(&counter{}, list)
	}
	bench.ReportAllocs()
	for n := 0; bench.Loop(); n++ {
		for i := range parley.PersonID(people) {
			if a := on(i+1, parley.DeviceID(i+1)); n%2 == 0 {
				b.Report(a, active)
			} else {
				b.Gone(a)
			}
		}
	}
	bench.ReportMetric(float64(bench.Elapsed().Microseconds())/float64(bench.N)/1000, "ms/storm")
}

type counter struct{ n int }

func (c *counter) Viewer() parley.PersonID { return 1 }
func (c *counter) Dirty(parley.PersonID)   { c.n++ }

// switched is a policy.Source of which one rule changes.
type switched struct{ location atomic.Bool }

func (s *switched) Policy() policy.Policy {
	p := policy.Default()
	p.Location = s.location.Load()
	return p
}

// When nobody may share a time zone any more, those that were told before are
// forgotten, not only hidden; they come back as devices tell them again.
func TestZonesAreForgottenWhenNotAllowed(t *testing.T) {
	rules := &switched{}
	rules.location.Store(true)
	b, err := NewBoard(t.Context(), Config{Store: &fakeStore{}, Policy: rules})
	if err != nil {
		t.Fatal(err)
	}
	b.Report(on(1, 7), active)
	b.Report(on(2, 8), Activity{Active: true})
	w := &watcher{viewer: 3}
	b.Watch(w, []parley.PersonID{1, 2})
	w.take()
	b.Notify(parley.PolicyChanged{Keys: []string{"policy.pictures"}})
	b.Notify(parley.ChoiceChanged{Person: 1})
	if p := b.Presence(1); p.TimeZone != "Europe/Berlin" || len(w.take()) != 0 {
		t.Errorf("another rule changed, and the state is %+v", p)
	}
	rules.location.Store(false)
	b.Notify(parley.PolicyChanged{Keys: []string{"policy.location"}})
	if p := b.Presence(1); p.TimeZone != "" || p.Availability != parley.Available {
		t.Errorf("afterwards the state is %+v", p)
	}
	if told := w.take(); told[1] != 1 || told[2] != 0 {
		t.Errorf("told of %v", told)
	}
	rules.location.Store(true)
	b.Notify(parley.PolicyChanged{Keys: []string{"policy.location"}})
	if p := b.Presence(1); p.TimeZone != "" {
		t.Errorf("a forgotten zone is back: %+v", p)
	}
	b.Report(on(1, 7), active)
	if p := b.Presence(1); p.TimeZone != "Europe/Berlin" {
		t.Errorf("told again, the state is %+v", p)
	}
}
