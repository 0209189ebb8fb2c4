package contact

import (
	"context"
	"slices"
	"unicode/utf8"

	"parley"
	"parley/policy"
	"parley/privacy"
)

// The limits of a search.
const (
	MaxQuery = 200 // characters of a search text
	MaxHits  = 50
)

// MaxGroupHits is how many groups of the directory a search finds at most.
const MaxGroupHits = 10

// Query is what somebody searches for.
type Query struct {
	Text  string
	Pad   bool // Text was typed on a dial pad
	Limit int  // of people; at most MaxHits, which 0 stands for
}

// Hit is one person found.
type Hit struct {
	View    privacy.View // without presence
	Matched string       // what of the view they were found by; empty for the name
}

// Found is the answer to a search. It never says how many there are.
type Found struct {
	People []Hit            // the best first, then by name
	Groups []DirectoryGroup // likewise, at most MaxGroupHits, without who is in them
	More   bool             // there are further people
}

// Search finds people by words of the name in any order, initials, alias, address
// and digits of a phone number in any notation, and by the beginnings and inner
// parts of those, with accents dropped, and by the beginnings of the words of title
// and department; from a dial pad by what its keys spell. Among equals come the
// actor's contacts first, then the team, then the department. Somebody is found only through a field that the actor may see
// of them, and who cannot be found is as if absent. Only people of the
// organisation may search.
func (b *Book) Search(ctx context.Context, actor parley.Actor, search Query) (Found, error) {
	switch {
	case actor.Kind == parley.Nobody:
		return Found{}, parley.Refuse(parley.SignIn, "session.ended")
	case !actor.Inside():
		return Found{}, parley.Refuse(parley.Forbidden, "search.not-allowed")
	case utf8.RuneCountInString(search.Text) > MaxQuery:
		return Found{}, parley.RefuseField("search.too-long", "q")
	}
	limit := search.Limit
	if limit <= 0 || limit > MaxHits {
		limit = MaxHits
	}
	rules := b.policy.Policy()
	q := parseQuery(search.Text, b.region)
	if search.Pad {
		q = parsePad(search.Text, b.region)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	best, err := b.find(ctx, actor, q, limit+1, rules)
	if err != nil {
		return Found{}, err
	}
	var found Found
	if len(best) > limit {
		best, found.More = best[:limit], true
	}
	for _, f := range best {
		view := b.view(&f.entry.person, actor, rules)
		found.People = append(found.People, Hit{View: view, Matched: b.matched(&q, f.entry, &view, rules)})
	}
	if !search.Pad {
		found.Groups = b.groups.find(&q)
	}
	return found, nil
}

// find gives the best groups that are shown.
func (x *groups) find(q *query) (list []DirectoryGroup) {
	var best [unmatched][]*group
	for _, g := range x.listed {
		if r := q.rank(g.entry, everyField); r != unmatched && len(best[r]) < MaxGroupHits {
			best[r] = append(best[r], g)
		}
	}
	for _, g := range slices.Concat(best[:]...) {
		if len(list) == MaxGroupHits {
			break
		}
		d := x.export(g)
		d.People, d.Groups = nil, nil
		list = append(list, d)
	}
	return list
}

// everyField is what of a group everybody inside may see.
var everyField = sight{directory: ^privacy.Fields(0)}

// find gives the n best people, a step for those who fit better after the other,
// and stops when nothing better can come. The caller holds mu.
func (b *Book) find(ctx context.Context, actor parley.Actor, q query, n int, rules policy.Policy) ([]found, error) {
	if len(q.terms)+len(q.pad) == 0 {
		return nil, nil
	}
	s := finder{ctx: ctx, book: b, query: q, n: n, closeness: b.closeTo(actor, rules)}
	for c := range privacy.Class(privacy.NumClasses) {
		s.visible[c] = sightOf(c, rules)
	}
	steps := b.steps(&q)
	if q.pad != nil {
		steps = b.padSteps(&q)
	}
	for _, step := range steps {
		all, err := s.run(step.best, step.list())
		if all || err != nil || s.full(step.found) {
			return s.found, err
		}
	}
	return s.found, nil
}

// step is a part of a search.
type step struct {
	best  rank // the best rank of those who are not found yet
	found rank // everybody of this rank or a better one is found in this step or before
	list  func() candidates
}

// steps looks first at those who have the words as whole words of the name, or the
// number as a whole, then at names that begin with them, then at initials, then at
// everything.
func (b *Book) steps(q *query) []step {
	x := &b.index
	fewest := func(list func(*term) candidates) func() candidates {
		return func() (fewest candidates) {
			for i := range q.terms {
				if c := list(&q.terms[i]); i == 0 || c.size() < fewest.size() {
					fewest = c
				}
			}
			return fewest
		}
	}
	begun := func(t *term) candidates { return x.nameBeginnings(t.forms) }
	return []step{
		{exact, whole, fewest(x.wholeWords)},
		{prefix, prefix, fewest(begun)},
		{initialed, initialed, fewest(func(t *term) candidates { return append(begun(t), x.initialled(t.forms)...) })},
		{other, other, fewest(x.anyOf)},
	}
}

// finder is one search under way.
type finder struct {
	ctx   context.Context
	book  *Book
	query query
	n     int
	closeness
	visible [privacy.NumClasses]sight
	looked  int
	found   []found // the best so far, in order, at most n
}

// found is somebody who matches.
type found struct {
	entry *entry
	rank  rank
	near  near
}

func (f found) before(o found) bool {
	switch {
	case f.rank != o.rank:
		return f.rank < o.rank
	case f.near != o.near:
		return f.near < o.near
	default:
		return f.entry.before(o.entry)
	}
}

// full reports whether nobody of a worse rank than this one can get in any more.
func (s *finder) full(r rank) bool {
	return len(s.found) == s.n && s.found[s.n-1].rank <= r
}

// past reports whether f could not get in, nor could anybody after f.
func (s *finder) past(f found) bool {
	return len(s.found) == s.n && !f.before(s.found[s.n-1])
}

// run looks at all candidates. Where those are a large part of all people it goes
// through everybody by name instead, the actor's own people first, and stops when
// further ones could only come after those it has. It reports whether it has
// looked at everybody.
func (s *finder) run(best rank, list candidates) (all bool, err error) {
	if list.size() > len(s.book.byName)/largePart {
		return s.runByName(best)
	}
	for _, ids := range list {
		for _, id := range ids {
			if err := s.look(s.book.people[id], best); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

func (s *finder) runByName(best rank) (all bool, err error) {
	for _, ids := range [][]parley.PersonID{s.contacts, s.team} {
		for _, id := range ids {
			if e := s.book.entry(id); e != nil && !e.person.Gone {
				if err := s.look(e, best); err != nil {
					return false, err
				}
			}
		}
	}
	for _, part := range []struct {
		ids  []parley.PersonID
		near near
	}{{s.department, inDepartment}, {s.book.byName, nowhereNear}} {
		all = true
		for _, id := range part.ids {
			e := s.book.people[id]
			if s.past(found{entry: e, rank: best, near: part.near}) {
				all = false
				break
			}
			if err := s.look(e, best); err != nil {
				return false, err
			}
		}
	}
	return all, nil
}

// largePart is the part of all people, one in so many, from which going through
// them by name is worth it.
const largePart = 4

// lookBeforeAsking is how many people are looked at between two questions
// whether anybody still waits for the answer.
const lookBeforeAsking = 4096

// look takes somebody in who matches and is better than the worst so far. best
// is the best rank they can have; most people need not be looked at closer.
func (s *finder) look(e *entry, best rank) error {
	if s.looked++; s.looked%lookBeforeAsking == 0 && s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	near := s.atBest(e)
	if s.past(found{e, best, near}) || !s.query.within(e) {
		return nil
	}
	class := s.book.gate.Class(e.person.ID, s.actor)
	r := s.query.rank(e, s.visible[class])
	if r == unmatched {
		return nil
	}
	if near == inDepartment && !s.shows[class] {
		near = nowhereNear
	}
	f := found{e, r, near}
	if s.past(f) {
		return nil
	}
	i, twice := slices.BinarySearchFunc(s.found, f, func(a, b found) int {
		switch {
		case a.entry == b.entry:
			return 0
		case a.before(b):
			return -1
		default:
			return 1
		}
	})
	if twice {
		return nil
	}
	if len(s.found) == s.n {
		s.found = s.found[:s.n-1]
	}
	s.found = slices.Insert(s.found, i, f)
	return nil
}
