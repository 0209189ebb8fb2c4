package webapi

import (
	"slices"

	"parley"
)

// A set of people is a sorted slice: for the few dozen that a connection shows it
// is smaller and faster than a map.

// sortedSet sorts a list and keeps each element once. It reuses the list.
func sortedSet(list []parley.PersonID) []parley.PersonID {
	slices.Sort(list)
	return slices.Compact(list)
}

func contains(set []parley.PersonID, p parley.PersonID) bool {
	_, found := slices.BinarySearch(set, p)
	return found
}

func with(set []parley.PersonID, p parley.PersonID) []parley.PersonID {
	i, found := slices.BinarySearch(set, p)
	if found {
		return set
	}
	return slices.Insert(set, i, p)
}

// within keeps of set what is in other too. It reuses set.
func within(set, other []parley.PersonID) []parley.PersonID {
	return slices.DeleteFunc(set, func(p parley.PersonID) bool { return !contains(other, p) })
}
