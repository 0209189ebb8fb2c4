package contact

import (
	"context"
	"iter"
	"maps"
	"slices"

	"parley"
)

// beside is what a fakeStore keeps beside people.
type beside struct {
	typed    map[parley.PersonID][]parley.TypedPhone
	groups   map[string]StoredGroup // by SourceID
	rows     []int                  // rows of each transaction with groups
	besides  []parley.Audit
	failNext error
}

func (s *beside) TypedPhones(context.Context) iter.Seq2[PersonPhones, error] {
	return func(yield func(PersonPhones, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(s.typed)) {
			if !yield(PersonPhones{id, s.typed[id]}, nil) {
				return
			}
		}
	}
}

func (s *beside) TypedPhonesOf(_ context.Context, people []parley.PersonID) (list []PersonPhones, err error) {
	for _, id := range people {
		if phones := s.typed[id]; len(phones) > 0 {
			list = append(list, PersonPhones{id, phones})
		}
	}
	return list, s.failNext
}

func (s *beside) SetTypedPhones(_ context.Context, person parley.PersonID, phones []parley.TypedPhone, _ parley.Alongside) error {
	if s.failNext != nil {
		return s.failNext
	}
	if s.typed == nil {
		s.typed = make(map[parley.PersonID][]parley.TypedPhone)
	}
	s.typed[person] = slices.Clone(phones)
	return nil
}

func (s *beside) sorted() []StoredGroup {
	return slices.SortedFunc(maps.Values(s.groups), func(a, b StoredGroup) int { return int(a.ID) - int(b.ID) })
}

func (s *beside) DirectoryGroups(context.Context) iter.Seq2[StoredGroup, error] {
	return func(yield func(StoredGroup, error) bool) {
		for _, g := range s.sorted() {
			g.People, g.GroupSources = nil, nil
			if !yield(g, nil) {
				return
			}
		}
	}
}

func (s *beside) GroupPeople(context.Context) iter.Seq2[GroupPerson, error] {
	return func(yield func(GroupPerson, error) bool) {
		for _, g := range s.sorted() {
			for _, p := range g.People {
				if !yield(GroupPerson{g.ID, p}, nil) {
					return
				}
			}
		}
	}
}

func (s *beside) GroupGroups(context.Context) iter.Seq2[GroupGroup, error] {
	return func(yield func(GroupGroup, error) bool) {
		for _, g := range s.sorted() {
			for _, source := range g.GroupSources {
				if !yield(GroupGroup{g.ID, source}, nil) {
					return
				}
			}
		}
	}
}

func (s *beside) DirectoryGroupsByID(_ context.Context, ids []parley.DirectoryGroupID) (list []StoredGroup, err error) {
	for _, g := range s.sorted() {
		if slices.Contains(ids, g.ID) {
			list = append(list, g)
		}
	}
	return list, nil
}

func (s *beside) ApplyGroups(_ context.Context, changes []GroupRows, with parley.Alongside) (ids []parley.DirectoryGroupID, err error) {
	if s.failNext != nil {
		return nil, s.failNext
	}
	if s.groups == nil {
		s.groups = make(map[string]StoredGroup)
	}
	rows := 0
	for _, c := range changes {
		was, known := s.groups[c.Group.SourceID]
		g := c.Group
		if g.ID = was.ID; !known {
			g.ID = parley.DirectoryGroupID(len(s.groups) + 1)
		}
		if !c.Empty {
			g.People = sortedCopy(append(difference(was.People, c.RemovePeople), c.AddPeople...))
			g.GroupSources = sortedCopy(append(difference(was.GroupSources, c.RemoveGroups), c.AddGroups...))
		}
		s.groups[g.SourceID] = g
		ids = append(ids, g.ID)
		rows += 1 + len(c.AddPeople) + len(c.RemovePeople) + len(c.AddGroups) + len(c.RemoveGroups)
	}
	s.rows = append(s.rows, rows)
	s.besides = append(s.besides, with.Audit...)
	return ids, nil
}
