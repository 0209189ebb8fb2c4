package contact

import (
	"hash/maphash"
	"iter"

	"parley"
)

// names says who stands at which place of a directory. Of a DN only a hash is
// kept, under a key of its own, so that nobody can make two names that collide;
// of 100,000 people two do by chance once in some billions of servers.
type names struct {
	key   maphash.Seed
	at    map[uint64]parley.PersonID
	of    map[parley.PersonID]uint64
	wants map[uint64][]parley.PersonID // whose manager is at a place where nobody stands
	came  []uint64                     // places among those where somebody stands by now
}

func newNames() names {
	return names{
		key: maphash.MakeSeed(), at: make(map[uint64]parley.PersonID), of: make(map[parley.PersonID]uint64),
		wants: make(map[uint64][]parley.PersonID),
	}
}

// person finds who stands at a DN.
func (n *names) person(dn string) (parley.PersonID, bool) {
	if n.at == nil {
		return 0, false
	}
	id, ok := n.at[maphash.String(n.key, dn)]
	return id, ok
}

// set notes that somebody stands at a DN, and nowhere else any more.
func (n *names) set(dn string, id parley.PersonID) {
	place := maphash.String(n.key, dn)
	if n.of[id] == place && n.at[place] == id {
		return
	}
	n.drop(id)
	n.at[place], n.of[id] = id, place
	if len(n.wants[place]) > 0 {
		n.came = append(n.came, place)
	}
}

// drop forgets where somebody stood.
func (n *names) drop(id parley.PersonID) {
	if place, known := n.of[id]; known {
		delete(n.of, id)
		if n.at[place] == id {
			delete(n.at, place)
		}
	}
}

// want notes that somebody's manager is whoever will stand at a DN.
func (n *names) want(dn string, id parley.PersonID) {
	place := maphash.String(n.key, dn)
	n.wants[place] = append(n.wants[place], id)
}

// found gives those whose manager has come since, once.
func (n *names) found() iter.Seq2[parley.PersonID, parley.PersonID] {
	return func(yield func(person, manager parley.PersonID) bool) {
		for _, place := range n.came {
			manager, stands := n.at[place]
			for _, person := range n.wants[place] {
				if stands && !yield(person, manager) {
					return
				}
			}
			if stands {
				delete(n.wants, place)
			}
		}
		n.came = nil
	}
}
