package contact

import (
	"context"
	"sync"
	"time"

	"parley"
)

const (
	// askEvery is how often the store is asked for people who are not known, whoever
	// asks and for whomever: with invented ids nobody makes it work.
	askEvery = 100 * time.Millisecond

	// meetTime bounds how long somebody new is looked for.
	meetTime = 500 * time.Millisecond
)

// newcomers are people whom another node has added a moment ago and of whom this
// one has not been told yet. Whoever was told of them elsewhere and comes here with
// a message to them would be refused for good.
type newcomers struct {
	shared bool // there may be some

	mu    sync.Mutex
	asked time.Time
}

// mayBe reports whether somebody who is not known may be one: ids only grow, so
// their id is beyond all that are known. It says so now and then only.
func (n *newcomers) mayBe(b *Book, id parley.PersonID) bool {
	if !n.shared {
		return false
	}
	b.mu.RLock()
	beyond := int(id) >= len(b.people)
	b.mu.RUnlock()
	if !beyond {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.asked) < askEvery {
		return false
	}
	n.asked = time.Now()
	return true
}

// meet reads somebody from the store. It gives up rather than wait long for a chunk
// that is being applied: whoever asks may be who that chunk waits for.
func (b *Book) meet(id parley.PersonID) {
	ctx, cancel := context.WithTimeout(context.Background(), meetTime)
	defer cancel()
	people, err := b.store.PeopleByID(ctx, []parley.PersonID{id})
	if err != nil || len(people) != 1 {
		return // they are told of soon, if they exist
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !b.applying.TryLock() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	defer b.applying.Unlock()
	if _, known := b.remembered(id); !known {
		b.put(people[0])
	}
}
