package contact

import (
	"cmp"
	"slices"
)

// Unlink gives the decisions after somebody said that a record is not the person
// of the others.
func (d Decisions) Unlink(record RecordKey, others ...RecordKey) Decisions {
	for _, other := range others {
		if other == record {
			continue
		}
		d.Together = withoutPair(d.Together, Pair{record, other})
		d.Apart = append(withoutPair(d.Apart, Pair{record, other}), ordered(record, other))
	}
	return d
}

// Link gives the decisions after somebody said that two records are one person.
// It takes back what keeps them, and what they are joined to, apart; where that is
// not enough, it joins them outright. Two people of the directory stay two.
func (d Decisions) Link(records []MergeRecord, a, b RecordKey) Decisions {
	var with []RecordKey
	for _, m := range Merge(records, d) {
		if slices.Contains(m.Records, a) || slices.Contains(m.Records, b) {
			with = append(with, m.Records...)
		}
	}
	for _, x := range with {
		for _, y := range with {
			d.Apart = withoutPair(d.Apart, Pair{x, y})
		}
	}
	for _, m := range Merge(records, d) {
		if slices.Contains(m.Records, a) && slices.Contains(m.Records, b) {
			return d
		}
	}
	d.Together = append(withoutPair(d.Together, Pair{a, b}), ordered(a, b))
	return d
}

// ordered gives a pair in the order in which it is kept.
func ordered(a, b RecordKey) Pair {
	if cmp.Less(b, a) {
		return Pair{b, a}
	}
	return Pair{a, b}
}

func withoutPair(list []Pair, p Pair) []Pair {
	return slices.DeleteFunc(slices.Clone(list), func(q Pair) bool { return q == p || q == Pair{p[1], p[0]} })
}
