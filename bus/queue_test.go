package bus

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
)

func TestSlowWatchGetsTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		hold := make(chan struct{})
		w := newWatch(func(c Change) {
			<-hold
			told = append(told, fmt.Sprintf("%s/%d=%s %v", c.Node, c.Key, c.Value, c.Snapshot))
		})
		go w.run(t.Context())
		v := func(s string) []byte { return []byte(s) }
		w.push(Change{"a", 1, v("first"), false}, false)
		synctest.Wait() // it is being told
		w.push(Change{"a", 1, v("2"), true}, true)
		w.push(Change{"a", 2, v("brief"), false}, false)
		for i := range 100_000 {
			w.push(Change{"a", 1, v(fmt.Sprint(i)), false}, true)
		}
		w.push(Change{"b", 1, v("found"), true}, false)
		w.push(Change{"a", 2, nil, false}, true)
		w.push(Change{"a", 3, v("x"), false}, false)
		w.push(Change{"a", 3, nil, false}, true)
		w.push(Change{"a", 3, v("back"), true}, false)
		if len(w.dirty) != 4 {
			t.Errorf("%d changes wait, want one a row", len(w.dirty))
		}
		close(hold)
		synctest.Wait()
		w.push(Change{"a", 1, nil, false}, true)
		synctest.Wait()
		want := []string{"a/1=first false", "a/1=99999 false", "b/1=found true", "a/3=back false", "a/1= false"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

func TestSlowListenerLosesTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard []string
		hold := make(chan struct{})
		e := &ear{wake: make(chan struct{}, 1), call: func(node string, payload []byte) {
			<-hold
			heard = append(heard, string(payload))
		}}
		go e.run(t.Context())
		e.push(heardHint{"a", "log", []byte("first")})
		synctest.Wait()
		lost := 0
		for i := range maxHeard + 10 {
			if e.push(heardHint{"a", "log", []byte(fmt.Sprint(i))}) != "" {
				lost++
			}
		}
		close(hold)
		synctest.Wait()
		if lost != 10 || len(heard) != maxHeard+1 || heard[0] != "first" || heard[1] != "10" {
			t.Errorf("%d are lost, %d are heard, of which the second is %q", lost, len(heard), heard[1])
		}
	})
}

func TestFullQueueOfHintsLosesTheOldest(t *testing.T) {
	o := outbox{wake: make(chan struct{}, 1)}
	var lost uint64
	for i := range maxTold + 10 {
		lost += o.tell("log", []byte(fmt.Sprint(i)))
	}
	hints := o.take().hints
	if lost != 10 || len(hints) != maxTold || string(hints[0].payload) != "10" || hints[0].number != 11 {
		t.Errorf("%d are lost, %d are left, the first is %+v", lost, len(hints), hints[0])
	}
	lost = 0
	for range 1000 {
		lost += o.tell("log", make([]byte, maxHint))
	}
	if got := len(o.take().hints) * maxHint; got > toldBytes || lost == 0 {
		t.Errorf("%d bytes wait", got)
	}
	if lost := o.tell("log", nil); lost > 0 {
		t.Error("an empty queue is full")
	}
}

func TestWhoAsksAgainIsAnsweredOnce(t *testing.T) {
	a := askers{wake: make(chan struct{}, 1), by: map[string]map[uint64]bool{}}
	for range 3 {
		a.push(request{1, "t"})
		a.push(request{2, "t"})
		a.push(request{1, "u"})
	}
	for i := range uint64(2 * maxAskers) {
		a.push(request{i + 1, "flood"})
	}
	for _, want := range []struct {
		table string
		n     int
	}{{"t", 2}, {"u", 1}, {"flood", maxAskers}, {"", 0}} {
		if table, waiting := a.take(); table != want.table || len(waiting) != want.n {
			t.Errorf("got %q for %d, want %q for %d", table, len(waiting), want.table, want.n)
		}
	}
}

// BenchmarkSet is what the caller pays for a change of a row.
func BenchmarkSet(b *testing.B) {
	t := &Table{name: "t", wake: func() {}, rows: newOwn()}
	value := make([]byte, 60)
	for i := 0; b.Loop(); i++ {
		value[0] = byte(i)
		t.Set(uint64(i%20_000), value)
	}
}

func BenchmarkDelta(b *testing.B) {
	s := newState("me", 100, testPace, map[string]bool{"t": true})
	rows := make([]row, 200)
	for i := range rows {
		rows[i] = row{uint64(i), make([]byte, 60)}
	}
	w := newWatch(func(Change) {})
	for version := uint64(1); b.Loop(); version++ {
		rows[version%200].value[0]++
		m, err := decode(encode(message{"a", 1, delta{"t", version, rows}}))
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range s.receive(m, s.ticked).changes {
			w.push(c.Change, c.existed)
		}
		w.take(1000)
	}
}
