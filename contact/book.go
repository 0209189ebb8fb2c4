package contact

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"parley"
	"parley/account"
	"parley/policy"
	"parley/privacy"
)

// Config is what a Book needs. Announce may be nil.
type Config struct {
	Store    Store
	Gate     *privacy.Gate
	Policy   policy.Source
	Announce func(parley.Event)

	// Shared says that other nodes add people to the store, too: somebody whom this
	// one has not heard of yet is looked for there.
	Shared bool

	// Region is the ISO 3166 code that completes phone numbers of people whose
	// office has none; empty: such numbers are found as written and not dialled.
	Region string
}

// Book is everybody in the directory, in memory. It is safe for concurrent use.
type Book struct {
	store    Store
	gate     *privacy.Gate
	policy   policy.Source
	announce func(parley.Event)
	region   string

	// applying makes a stored chunk and its place in memory one step. It is held
	// over the commit; readers never wait for it.
	applying sync.Mutex

	// mu guards what follows. A chunk takes it person by person, so a search
	// waits for one person at most.
	mu          sync.RWMutex
	people      []*entry // by id; nil: nobody
	bySource    map[string]parley.PersonID
	byAddress   map[string]parley.PersonID // people who are not gone
	byName      []parley.PersonID          // people who are not gone, as entry.before orders them
	reports     map[parley.PersonID][]parley.PersonID
	departments map[string][]parley.PersonID
	index       index
	typed       map[parley.PersonID][]parley.TypedPhone
	groups      groups
	shared      map[string]string // one copy of each text that many people have

	newcomers newcomers
}

// NewBook reads everybody into memory.
func NewBook(ctx context.Context, c Config) (*Book, error) {
	b := &Book{
		store: c.Store, gate: c.Gate, policy: c.Policy, announce: c.Announce, region: c.Region,
		bySource:    make(map[string]parley.PersonID),
		byAddress:   make(map[string]parley.PersonID),
		reports:     make(map[parley.PersonID][]parley.PersonID),
		departments: make(map[string][]parley.PersonID),
		index:       newIndex(),
		typed:       make(map[parley.PersonID][]parley.TypedPhone),
		groups:      newGroups(),
		shared:      make(map[string]string),
	}
	b.newcomers.shared = c.Shared
	if b.announce == nil {
		b.announce = func(parley.Event) {}
	}
	if err := b.readTyped(ctx); err != nil {
		return nil, err
	}
	for p, err := range c.Store.People(ctx) {
		if err != nil {
			return nil, fmt.Errorf("reading people: %w", err)
		}
		b.place(newEntry(b.compact(p), b.typed[p.ID], b.region))
		if !p.Gone {
			b.enter(p.ID, func(list []parley.PersonID) []parley.PersonID { return append(list, p.ID) })
		}
	}
	b.sort(b.byName)
	for _, list := range b.reports {
		b.sort(list)
	}
	for _, list := range b.departments {
		b.sort(list)
	}
	return b, b.readGroups(ctx)
}

// Person gives somebody's unabridged record, gone people included. Its Disabled
// is as it was at start: account knows. Nothing of it may reach a viewer but
// through privacy.Render.
func (b *Book) Person(id parley.PersonID) (parley.Person, bool) {
	p, known := b.remembered(id)
	if !known && b.newcomers.mayBe(b, id) {
		b.meet(id)
		p, known = b.remembered(id)
	}
	return p, known
}

// remembered is Person from memory alone.
func (b *Book) remembered(id parley.PersonID) (parley.Person, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e := b.entry(id); e != nil {
		return e.person, true
	}
	return parley.Person{}, false
}

// ByAddress finds who has a sign-in address, in any form that sign-in takes.
// People who are gone have none.
func (b *Book) ByAddress(address string) (parley.Person, bool) {
	if p, ok := b.byLowerCase(strings.ToLower(address)); ok {
		return p, true
	}
	normal, err := account.NormalAddress(address)
	if err != nil {
		return parley.Person{}, false
	}
	return b.byLowerCase(normal)
}

func (b *Book) byLowerCase(address string) (parley.Person, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if id, ok := b.byAddress[address]; ok {
		return b.people[id].person, true
	}
	return parley.Person{}, false
}

// BySource finds the person of a directory entry, gone people included.
func (b *Book) BySource(sourceID string) (parley.Person, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if id, ok := b.bySource[sourceID]; ok && sourceID != "" {
		return b.people[id].person, true
	}
	return parley.Person{}, false
}

// Outcome counts what a chunk of changes came to.
type Outcome struct{ Added, Updated, Unchanged, Gone int }

// Apply takes a chunk of at most MaxChunk changes over: first into the store, in
// one transaction that also holds with, then into memory, then it tells. Changes
// that change nothing are not stored. A change without an id whose SourceID is
// known is one of that person.
func (b *Book) Apply(ctx context.Context, changes []Change, with parley.Alongside) (Outcome, error) {
	return b.applyWith(ctx, changes, func(Outcome) parley.Alongside { return with })
}

// applyWith is Apply; with is asked once it is known what changes.
func (b *Book) applyWith(ctx context.Context, changes []Change, with func(Outcome) parley.Alongside) (Outcome, error) {
	b.applying.Lock()
	people, outcome, err := b.apply(ctx, changes, with)
	b.applying.Unlock()
	if err == nil && len(people) > 0 {
		b.announce(parley.PeopleChanged{People: people})
	}
	return outcome, err
}

// apply stores and remembers. The caller holds applying.
func (b *Book) apply(ctx context.Context, changes []Change, with func(Outcome) parley.Alongside) ([]parley.PersonID, Outcome, error) {
	if len(changes) > MaxChunk {
		return nil, Outcome{}, fmt.Errorf("applying %d people: at most %d at once", len(changes), MaxChunk)
	}
	real, outcome, err := b.plan(changes)
	if err != nil {
		return nil, Outcome{}, err
	}
	alongside := with(outcome)
	if len(real) == 0 && len(alongside.Entries)+len(alongside.Jobs)+len(alongside.Audit) == 0 {
		return nil, outcome, nil
	}
	ids, err := b.store.ApplyPeople(ctx, real, alongside)
	if err != nil {
		return nil, Outcome{}, fmt.Errorf("storing %d people: %w", len(real), err)
	}
	if len(ids) != len(real) {
		return nil, Outcome{}, fmt.Errorf("storing %d people: the store gave %d ids", len(real), len(ids))
	}
	for i, c := range real {
		b.remember(c, ids[i])
	}
	return ids, outcome, nil
}

// Refresh takes over what is stored of people whom another node changed. It waits
// for a chunk that is being stored, so it must not run on the store's writer. It
// tells nobody.
func (b *Book) Refresh(ctx context.Context, ids []parley.PersonID) error {
	b.applying.Lock()
	defer b.applying.Unlock()
	people, err := b.store.PeopleByID(ctx, ids)
	if err != nil {
		return fmt.Errorf("reading %d people again: %w", len(ids), err)
	}
	typed, err := b.refreshTyped(ctx, ids)
	if err != nil {
		return err
	}
	for _, p := range people {
		if was, known := b.remembered(p.ID); !known || typed[p.ID] || !samePerson(was, p) {
			b.put(p)
		}
	}
	return nil
}

// errUnknownPerson says that a change names an id that nobody has.
var errUnknownPerson = errors.New("no such person")

// plan leaves out what changes nothing and counts the rest.
func (b *Book) plan(changes []Change) ([]Change, Outcome, error) {
	var o Outcome
	real := make([]Change, 0, len(changes))
	for _, c := range changes {
		if c.Person.ID == 0 {
			if p, known := b.BySource(c.Person.SourceID); known {
				c.Person.ID = p.ID
			}
		}
		was, known := b.remembered(c.Person.ID)
		switch {
		case c.Person.ID != 0 && !known:
			return nil, Outcome{}, fmt.Errorf("changing %s: %w", c.Person.ID, errUnknownPerson)
		case c.Gone && !known:
			return nil, Outcome{}, fmt.Errorf("marking somebody gone: %w", errUnknownPerson)
		case c.Gone && was.Gone, !c.Gone && known && !c.remade() && samePerson(was, c.result(was)):
			o.Unchanged++
			continue
		case c.Gone:
			o.Gone++
		case known:
			o.Updated++
		default:
			o.Added++
		}
		real = append(real, c)
	}
	return real, o, nil
}

// result is what a change makes of somebody.
func (c *Change) result(was parley.Person) parley.Person {
	if c.Gone {
		was.Gone = true
		return was
	}
	p := c.Person
	p.Disabled, p.Gone = was.Disabled, false
	p.Address = strings.ToLower(p.Address)
	switch {
	case c.KeepPhoto:
		p.Photo = was.Photo
	case c.Photo != nil:
		p.Photo = c.Photo.Version
	default:
		p.Photo = 0
	}
	return p
}

// remade reports whether the photo was made of another one than is stored, even if
// the same came of it: then that is to be remembered.
func (c *Change) remade() bool { return c.Photo != nil && c.Photo.Source != 0 }

func samePerson(a, b parley.Person) bool {
	if !slices.Equal(a.OtherMail, b.OtherMail) || !slices.Equal(a.OtherPhones, b.OtherPhones) {
		return false
	}
	a.OtherMail, a.OtherPhones, b.OtherMail, b.OtherPhones = nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}

// remember puts a stored change into memory.
func (b *Book) remember(c Change, id parley.PersonID) {
	was, _ := b.remembered(id)
	p := c.result(was)
	p.ID = id
	b.put(p)
}

// put replaces somebody's record in memory. The caller holds applying.
func (b *Book) put(p parley.Person) {
	p = b.compact(p)
	e := newEntry(p, b.typed[p.ID], b.region) // what is typed changes only while applying is held
	b.mu.Lock()
	defer b.mu.Unlock()
	if was := b.entry(p.ID); was != nil && !was.person.Gone {
		b.leave(p.ID)
	}
	b.place(e)
	if !p.Gone {
		b.enter(p.ID, func(list []parley.PersonID) []parley.PersonID {
			i, _ := slices.BinarySearchFunc(list, e, b.compare)
			return slices.Insert(list, i, p.ID)
		})
	}
}

// place puts an entry where its id says. The caller holds mu, or is NewBook.
func (b *Book) place(e *entry) {
	p := &e.person
	if n := int(p.ID) + 1; n > len(b.people) {
		b.people = append(b.people, make([]*entry, n-len(b.people))...)
	}
	if was := b.people[p.ID]; was != nil && was.person.SourceID != p.SourceID {
		delete(b.bySource, was.person.SourceID)
	}
	b.people[p.ID] = e
	if p.SourceID != "" {
		b.bySource[p.SourceID] = p.ID
	}
}

// enter adds somebody who is in place to everything by which people are found;
// into puts the id into an ordered list. The caller holds mu, or is NewBook.
func (b *Book) enter(id parley.PersonID, into func([]parley.PersonID) []parley.PersonID) {
	e := b.people[id]
	b.index.add(e)
	b.byName = into(b.byName)
	if e.person.Address != "" {
		b.byAddress[e.person.Address] = id
	}
	if m := e.person.Manager; m != 0 {
		b.reports[m] = into(b.reports[m])
	}
	if d := departmentKey(&e.person); d != "" {
		b.departments[d] = into(b.departments[d])
	}
}

// leave takes somebody out of everything that enter added them to. The caller
// holds mu.
func (b *Book) leave(id parley.PersonID) {
	e := b.people[id]
	out := func(list []parley.PersonID) []parley.PersonID {
		if i, found := slices.BinarySearchFunc(list, e, b.compare); found {
			return slices.Delete(list, i, i+1)
		}
		return list
	}
	b.index.remove(e)
	b.byName = out(b.byName)
	if b.byAddress[e.person.Address] == id {
		delete(b.byAddress, e.person.Address)
	}
	if m := e.person.Manager; m != 0 {
		if b.reports[m] = out(b.reports[m]); len(b.reports[m]) == 0 {
			delete(b.reports, m)
		}
	}
	if d := departmentKey(&e.person); d != "" {
		if b.departments[d] = out(b.departments[d]); len(b.departments[d]) == 0 {
			delete(b.departments, d)
		}
	}
}

// entry gives a person's entry, nil if there is none. The caller holds mu.
func (b *Book) entry(id parley.PersonID) *entry {
	if int(id) >= len(b.people) {
		return nil
	}
	return b.people[id]
}

// compare orders ids by the entries they have now. The caller holds mu.
func (b *Book) compare(id parley.PersonID, e *entry) int {
	o := b.people[id]
	switch {
	case o.before(e):
		return -1
	case e.before(o):
		return 1
	default:
		return 0
	}
}

func (b *Book) sort(list []parley.PersonID) {
	slices.SortFunc(list, func(x, y parley.PersonID) int { return b.compare(x, b.people[y]) })
}

// departmentKey tells departments of the same name in two companies apart.
func departmentKey(p *parley.Person) string {
	if p.Department == "" {
		return ""
	}
	return p.Company + "\x00" + p.Department
}
