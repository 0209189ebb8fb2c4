package webapi

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"parley"
)

func loneConn() *conn {
	c := &conn{writing: true} // nobody writes for it
	c.room = sync.NewCond(&c.mu)
	return c
}

func clientID(n int) parley.ClientID { return parley.ClientID(fmt.Sprintf("%022d", n)) }

// TestReadingPausesWhileMuchIsUnderWay: it goes on when one message is answered,
// when the feed has a gap, and when the connection ends.
func TestReadingPausesWhileMuchIsUnderWay(t *testing.T) {
	ways := map[string]func(*conn){
		"an answer": func(c *conn) { c.finish(clientID(7)) },
		"a gap":     func(c *conn) { c.gap() },
		"the end": func(c *conn) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.phase = phaseClosed
			c.room.Broadcast()
		},
	}
	for name, release := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := loneConn()
				for i := range maxUnderWay {
					c.awaitRoom()
					c.begin(clientID(i))
				}
				on := false
				go func() {
					c.awaitRoom()
					on = true
				}()
				synctest.Wait()
				if on || !c.waits.Load() {
					t.Fatal("reading goes on")
				}
				c.finish(clientID(maxUnderWay)) // not under way: no room
				synctest.Wait()
				if on {
					t.Fatal("reading goes on after an answer to something else")
				}
				release(c)
				synctest.Wait()
				if !on || c.waits.Load() {
					t.Error("reading still pauses")
				}
			})
		})
	}
}

// TestNothingIsUnderWayDuringAGap: else a client could fill up what may be under
// way and never get to say resume.
func TestNothingIsUnderWayDuringAGap(t *testing.T) {
	c := loneConn()
	c.gap()
	for i := range 2 * maxUnderWay {
		c.begin(clientID(i))
		c.awaitRoom()
	}
	if len(c.underWay) != 0 {
		t.Errorf("%d messages count as under way", len(c.underWay))
	}
}

func TestDirtyPeopleAreASetOfTheWatched(t *testing.T) {
	c := loneConn()
	c.setWatched([]parley.PersonID{2, 4, 6})
	d, _ := c.takeDue()
	if !slices.Equal(d.dirty, []parley.PersonID{2, 4, 6}) {
		t.Errorf("whoever is new is due: %v", d.dirty)
	}
	for range 1000 {
		for _, p := range []parley.PersonID{4, 2, 4, 3} {
			c.Dirty(p)
		}
		c.changedCards([]parley.PersonID{6, 7})
	}
	if !slices.Equal(c.dirty, []parley.PersonID{2, 4, 6}) || !slices.Equal(c.cards, []parley.PersonID{6}) {
		t.Errorf("dirty %v, cards %v; want 2 4 6 and 6", c.dirty, c.cards)
	}
	c.setWatched([]parley.PersonID{4, 5})
	if !slices.Equal(c.dirty, []parley.PersonID{4, 5}) || len(c.cards) != 0 {
		t.Errorf("after another list: dirty %v, cards %v; want 4 5 and none", c.dirty, c.cards)
	}
}

func TestAStateIsWrittenOnce(t *testing.T) {
	c := loneConn()
	c.setWatched([]parley.PersonID{2, 4})
	steps := []struct {
		person parley.PersonID
		sum    uint64
		want   bool
	}{{2, 11, true}, {2, 11, false}, {4, 11, true}, {2, 13, true}, {2, 11, true}, {3, 11, false}}
	for i, s := range steps {
		if got := c.isNews(s.person, s.sum); got != s.want {
			t.Errorf("step %d: %v, want %v", i+1, got, s.want)
		}
	}
	c.setWatched([]parley.PersonID{1, 2})
	if c.isNews(2, 11) {
		t.Error("another list forgets what was written about somebody on both")
	}
	if !c.isNews(1, 11) {
		t.Error("somebody new counts as written")
	}
}
