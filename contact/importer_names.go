package contact

import (
	"hash/maphash"
	"iter"

	"parley"
)

// Place is where in a directory an entry stands: a hash of its DN, under a key
// that each Importer has for itself, so that nobody can make two names that
// collide; of 100,000 people two do by chance once in some billions of servers.
type Place uint64

// names says who stands at which place of a directory.
type names struct {
	at    map[Place]parley.PersonID
	of    map[parley.PersonID]Place
	wants map[Place][]parley.PersonID // whose manager is at a place where nobody stands
	came  []Place                     // places among those where somebody stands by now
}

func newNames() names {
	return names{
		at: make(map[Place]parley.PersonID), of: make(map[parley.PersonID]Place), wants: make(map[Place][]parley.PersonID),
	}
}

// Place gives the place of a DN, in a form in which equal names are equal strings.
func (im *Importer) Place(dn string) Place {
	if !im.keyed {
		im.key, im.keyed = maphash.MakeSeed(), true
	}
	return Place(maphash.String(im.key, dn))
}

// At finds who stands at a place, as far as Import and Update know.
func (im *Importer) At(place Place) (parley.PersonID, bool) {
	id, known := im.names.at[place]
	return id, known
}

// PlaceOf gives where somebody stands, as far as Import and Update know.
func (im *Importer) PlaceOf(id parley.PersonID) (Place, bool) {
	place, known := im.names.of[id]
	return place, known
}

// Knows reports whether it is known of anybody where they stand.
func (im *Importer) Knows() bool { return len(im.names.at) > 0 }

// byDN finds who stands at a DN.
func (im *Importer) byDN(dn string) (parley.PersonID, bool) { return im.At(im.Place(dn)) }

// set notes that somebody stands at a place, and nowhere else any more.
func (n *names) set(place Place, id parley.PersonID) {
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

// want notes that somebody's manager is whoever will stand at a place.
func (n *names) want(place Place, id parley.PersonID) {
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
