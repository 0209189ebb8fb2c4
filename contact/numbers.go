package contact

import "parley"

// numberOf gives the digits of a number as one; false for too many.
func numberOf(digits string) (n uint64, ok bool) {
	if len(digits) > 18 || digits == "" {
		return 0, false
	}
	n = 1 // so that leading zeros count
	for i := range len(digits) {
		n = n*10 + uint64(digits[i]-'0')
	}
	return n, true
}

// numberIndex finds who has exactly this phone number. Most numbers belong to one
// person.
type numberIndex struct {
	first map[uint64]parley.PersonID
	more  map[uint64][]parley.PersonID // of numbers that several people have: all of them
}

func (x *numberIndex) add(digits string, id parley.PersonID) {
	n, ok := numberOf(digits)
	if !ok {
		return
	}
	switch first, known := x.first[n]; {
	case !known:
		x.first[n] = id
	case first != id:
		list := x.more[n]
		if list == nil {
			list = with(list, first)
		}
		x.more[n] = with(list, id)
	}
}

func (x *numberIndex) remove(digits string, id parley.PersonID) {
	n, ok := numberOf(digits)
	if !ok {
		return
	}
	list := without(x.more[n], id)
	switch {
	case len(list) > 1:
		x.more[n], x.first[n] = list, list[0]
	case len(list) == 1:
		x.first[n] = list[0]
		delete(x.more, n)
	case x.first[n] == id:
		delete(x.first, n)
		delete(x.more, n)
	}
}

// having gives who has exactly this number.
func (x *numberIndex) having(digits string) []parley.PersonID {
	n, ok := numberOf(digits)
	if !ok {
		return nil
	}
	if list := x.more[n]; list != nil {
		return list
	}
	if id, known := x.first[n]; known {
		return []parley.PersonID{id}
	}
	return nil
}
