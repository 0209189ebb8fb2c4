package presence

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/policy"
	"pgregory.net/rapid"
)

// wire is the bus between two Boards: what one tells is kept until pass, in order.
type wire struct {
	name  string
	board *Board
	other *wire

	mu    sync.Mutex
	queue []func()
	rows  map[parley.DeviceID]Fact // what the other node holds of this one
}

func (w *wire) Publish(f Fact) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, func() {
		w.rows[f.Device] = f
		w.other.board.Learn(w.name, f)
	})
}

func (w *wire) Withdraw(d parley.DeviceID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, func() {
		f := w.rows[d]
		delete(w.rows, d)
		w.other.board.Unlearn(w.name, f.Person, d)
	})
}

// exchange delivers until nobody has anything more to say, and reports whether
// that came to an end.
func exchange(a, b *wire) bool {
	for range 100 {
		quiet := true
		for _, w := range []*wire{a, b} {
			w.mu.Lock()
			queue := w.queue
			w.queue = nil
			w.mu.Unlock()
			for _, f := range queue {
				quiet = false
				f()
			}
		}
		if quiet {
			return true
		}
	}
	return false
}

// dies takes everything back that a node has told, as the end of its lease does.
func (w *wire) dies() {
	for d, f := range w.rows {
		w.other.board.Unlearn(w.name, f.Person, d)
	}
	clear(w.rows)
}

func twoBoards(t interface {
	Fatal(...any)
}, s *fakeStore) (a, b *wire) {
	a, b = &wire{name: "a", rows: map[parley.DeviceID]Fact{}}, &wire{name: "b", rows: map[parley.DeviceID]Fact{}}
	a.other, b.other = b, a
	for _, w := range []*wire{a, b} {
		var err error
		if w.board, err = NewBoard(context.Background(), Config{Store: s, Policy: policy.Fixed(policy.Default()), Peers: w}); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

func TestEveryNodeShowsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := twoBoards(t, &fakeStore{})
		a.board.Report(on(1, 7), active)
		exchange(a, b)
		if got, want := b.board.Presence(1), a.board.Presence(1); got != want || got.Availability != parley.Available {
			t.Fatalf("the other node shows %+v, this one %+v", got, want)
		}
		pass(6 * time.Minute)
		a.board.Renew(7)
		a.board.lapse(clock())
		b.board.lapse(clock())
		exchange(a, b)
		a.board.Report(on(1, 7), Activity{Visible: true, TimeZone: "Europe/Berlin"})
		exchange(a, b)
		if got, want := b.board.Presence(1), a.board.Presence(1); got.Availability != parley.Inactive || got != want {
			t.Errorf("idle: the other node shows %+v, this one %+v", got, want)
		}
		a.board.Gone(on(1, 7))
		exchange(a, b)
		if got := b.board.Presence(1); got.Availability != parley.Offline || got.LastActive.IsZero() {
			t.Errorf("gone: the other node shows %+v", got)
		}
	})
}

func TestADeviceWithoutALeaseIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := twoBoards(t, &fakeStore{})
		a.board.Report(on(1, 7), active)
		exchange(a, b)
		pass(Lease)
		a.board.lapse(clock())
		exchange(a, b)
		if got := b.board.Presence(1).Availability; got != parley.Offline {
			t.Errorf("a device without a sign of life shows as %d on the other node", got)
		}
		a.board.Renew(7)
		exchange(a, b)
		if got := b.board.Presence(1).Availability; got != parley.Available {
			t.Errorf("its sign of life shows as %d on the other node", got)
		}
	})
}

func TestANodeTakesItsDevicesWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := twoBoards(t, &fakeStore{})
		a.board.Report(on(1, 7), active)
		b.board.Report(on(1, 8), Activity{})
		b.board.Report(on(2, 9), active)
		exchange(a, b)
		a.dies()
		if got := b.board.Presence(1).Availability; got == parley.Offline {
			t.Error("the device on the node that is left counts no more")
		}
		b.board.Gone(on(1, 8))
		if got := b.board.Presence(1).Availability; got != parley.Offline {
			t.Errorf("nobody is there, and the state is %d", got)
		}
	})
}

// A node that was restarted in between tells the same start of a state.
func TestSinceSurvivesARestartOfTheOtherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := twoBoards(t, &fakeStore{})
		a.board.Report(on(1, 7), active)
		exchange(a, b)
		began := a.board.Presence(1).Since
		pass(time.Minute)
		fresh, err := NewBoard(t.Context(), Config{Store: &fakeStore{}, Policy: policy.Fixed(policy.Default()), Peers: b})
		if err != nil {
			t.Fatal(err)
		}
		b.board = fresh
		for _, f := range a.rows {
			fresh.Learn("a", f)
		}
		if got := fresh.Presence(1).Since; !got.Equal(began) {
			t.Errorf("since %v, want %v", got, began)
		}
	})
}

func TestChoiceOfAnotherNodeShows(t *testing.T) {
	s := &fakeStore{}
	a, b := twoBoards(t, s)
	a.board.Report(on(1, 7), active)
	exchange(a, b)
	if err := a.board.SetState(t.Context(), on(1, 7), ChooseBusy, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := b.board.Refresh(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	exchange(a, b)
	if got := b.board.Presence(1); got.Availability != parley.Busy {
		t.Errorf("the other node shows %+v", got)
	}
}

// Whatever happens in whatever order, two nodes that have told each other
// everything show the same, and stop talking.
func TestNodesConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := twoBoards(t, &fakeStore{})
		nodes := []*wire{a, b}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			w := nodes[rapid.IntRange(0, 1).Draw(t, "node")]
			who := on(parley.PersonID(rapid.IntRange(1, 2).Draw(t, "person")), parley.DeviceID(rapid.IntRange(1, 3).Draw(t, "device")))
			who.Device += parley.DeviceID(10 * who.Person)
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				w.board.Report(who, Activity{Active: rapid.Bool().Draw(t, "active"), Visible: true})
			case 1:
				w.board.Gone(who)
			case 2:
				w.board.Renew(who.Device)
			case 3:
				if !exchange(a, b) {
					t.Fatal("the nodes do not stop talking")
				}
			}
		}
		if !exchange(a, b) {
			t.Fatal("the nodes do not stop talking")
		}
		for p := parley.PersonID(1); p <= 2; p++ {
			x, y := a.board.Presence(p), b.board.Presence(p)
			if x.Availability != y.Availability || x.Mobile != y.Mobile || x.TimeZone != y.TimeZone {
				t.Fatalf("%s: a shows %+v, b shows %+v", p, x, y)
			}
		}
	})
}
