package privacy

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"parley"
	"parley/policy"
)

// Config is what a Gate needs. Announce may be nil.
type Config struct {
	Store    Store
	Policy   policy.Source
	Announce func(parley.Event)
}

// Gate answers who is what to whom. It holds every relation in memory, so that
// the question costs no I/O and no allocation. It is safe for concurrent use.
type Gate struct {
	store    Store
	policy   policy.Source
	announce func(parley.Event)

	// choosing makes reading preferences and storing them changed one step.
	choosing sync.Mutex

	mu     sync.RWMutex
	owners []*owner // by owner's PersonID; nil: everything at its default
	learnt uint64   // grows with every row that is taken over from the store
}

// owner is what one person decided. It costs five bytes a relation and holds
// none that was never set.
type owner struct {
	preferences Preferences
	others      []parley.PersonID // sorted
	marks       []mark            // in the order of others
}

// mark packs a level and, in inContacts, whether somebody is in the Contacts
// list.
type mark uint8

const inContacts mark = 1 << 7

func (m mark) level() Level { return Level(m &^ inContacts) }

// NewGate reads all relations and preferences into memory.
func NewGate(ctx context.Context, c Config) (*Gate, error) {
	g := &Gate{store: c.Store, policy: c.Policy, announce: c.Announce}
	if g.announce == nil {
		g.announce = func(parley.Event) {}
	}
	for r, err := range c.Store.Relations(ctx) {
		if err != nil {
			return nil, fmt.Errorf("reading relations: %w", err)
		}
		if !r.Level.Valid() {
			return nil, fmt.Errorf("reading relations: %s to %s has the unknown level %d", r.Owner, r.Other, r.Level)
		}
		g.remember(r)
	}
	for p, err := range c.Store.AllPreferences(ctx) {
		if err != nil {
			return nil, fmt.Errorf("reading preferences: %w", err)
		}
		g.owner(p.Person).preferences = p.Preferences
	}
	return g, nil
}

// Class says what viewer is to owner. It is asked for every viewer of every
// change: it neither allocates nor waits for I/O.
func (g *Gate) Class(owner parley.PersonID, viewer parley.Actor) Class {
	if viewer.Kind == parley.Nobody {
		return Nothing
	}
	inside := viewer.Inside()
	if inside && viewer.Person == owner && owner != 0 {
		return Self
	}
	g.mu.RLock()
	m, stored, private := g.look(owner, viewer.Person)
	g.mu.RUnlock()
	if stored && m.level() == Blocked {
		return ClassOf(Blocked, inside)
	}
	if private && m&inContacts == 0 && g.policy.Policy().PrivacyMode {
		return NonContactClass(inside)
	}
	if stored {
		return ClassOf(m.level(), inside)
	}
	return ClassOf(DefaultLevel(inside), inside)
}

// look finds the mark that an owner gave, and whether the owner chose Privacy
// Mode. The caller holds mu.
func (g *Gate) look(person, other parley.PersonID) (m mark, stored, private bool) {
	if int(person) >= len(g.owners) || g.owners[person] == nil {
		return 0, false, false
	}
	o := g.owners[person]
	i, found := slices.BinarySearch(o.others, other)
	if found {
		m = o.marks[i]
	}
	return m, found, o.preferences.OnlyContacts
}

// Reach says whether from may message or call to. It does not say whether to
// exists.
func (g *Gate) Reach(from parley.Actor, to parley.PersonID) Reach {
	return RightsOf(g.Class(to, from), g.policy.Policy()).Reach
}

// Relation gives what the actor's person decided about other. The second result
// is false when they never decided anything.
func (g *Gate) Relation(actor parley.Actor, other parley.PersonID) (Relation, bool) {
	if actor.Kind != parley.ActorPerson {
		return Relation{}, false
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	m, stored, _ := g.look(actor.Person, other)
	return Relation{Owner: actor.Person, Other: other, Level: m.level(), InContacts: m&inContacts != 0}, stored
}

// Preferences gives a person's own switches, for Facts.
func (g *Gate) Preferences(person parley.PersonID) Preferences {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if int(person) >= len(g.owners) || g.owners[person] == nil {
		return DefaultPreferences
	}
	return g.owners[person].preferences
}

// SetRelation stores what a person decided about somebody. Only the owner may,
// signed in as themselves; whether r.Other exists is for the caller to know.
func (g *Gate) SetRelation(ctx context.Context, actor parley.Actor, r Relation) error {
	if err := onlyOwner(actor, r.Owner); err != nil {
		return err
	}
	decision := Decision{Other: r.Other, Level: &r.Level, InContacts: &r.InContacts}
	return g.Decide(ctx, actor, []Decision{decision}, func(ctx context.Context) error {
		return parley.Wrap(g.store.SetRelation(ctx, r, parley.Alongside{}), "storing a relation")
	})
}

// Refresh takes over what is stored of a relation: after a change, whichever node
// made it. It tells nobody, and waits for no change that is being stored.
func (g *Gate) Refresh(ctx context.Context, owner, other parley.PersonID) error {
	return g.takeOver(func() (func(), error) {
		r, err := g.store.Relation(ctx, owner, other)
		if parley.KindOf(err) == parley.NotFound {
			return func() {}, nil // a relation that is stored is never deleted
		}
		if err == nil && !r.Level.Valid() {
			err = fmt.Errorf("unknown level %d", r.Level)
		}
		return func() { g.remember(r) }, parley.Wrap(err, "reading the relation of %s to %s", owner, other)
	})
}

// RefreshPreferences is Refresh for a person's own switches.
func (g *Gate) RefreshPreferences(ctx context.Context, person parley.PersonID) error {
	return g.takeOver(func() (func(), error) {
		p, err := g.store.PreferencesOf(ctx, person)
		return func() { g.owner(person).preferences = p }, parley.Wrap(err, "reading the preferences of %s", person)
	})
}

// takeOver reads a row and puts it into memory. If another row was taken over
// while it read, what it read may be older than that one, and it reads again: so
// memory ends as the store does, whoever is quicker.
func (g *Gate) takeOver(read func() (remember func(), err error)) error {
	for {
		g.mu.RLock()
		before := g.learnt
		g.mu.RUnlock()
		remember, err := read()
		if err != nil {
			return err
		}
		g.mu.Lock()
		if g.learnt == before {
			g.learnt++
			remember()
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
	}
}

// keep puts into memory what was stored just now and cannot be read again: it
// holds, and nobody else would ever tell this node of it.
func (g *Gate) keep(remember func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.learnt++
	remember()
}

// SetPreferences stores a person's own switches. Only the person may.
func (g *Gate) SetPreferences(ctx context.Context, actor parley.Actor, person parley.PersonID, p Preferences) error {
	if err := onlyOwner(actor, person); err != nil {
		return err
	}
	if err := g.store.SetPreferences(ctx, person, p, parley.Alongside{}); err != nil {
		return fmt.Errorf("storing preferences: %w", err)
	}
	if g.RefreshPreferences(context.WithoutCancel(ctx), person) != nil {
		g.keep(func() { g.owner(person).preferences = p })
	}
	g.announce(parley.PreferencesChanged{Person: person})
	g.announce(parley.PeopleChanged{People: []parley.PersonID{person}})
	return nil
}

// Pictures are a person's two switches for pictures; nil leaves one as it is.
type Pictures struct {
	Share *bool // SharePhoto
	Show  *bool // ShowPhotos
}

// SetPictures turns the actor's own switches for pictures. It is done at a desk
// (PP2). Of two changes at the same moment on two nodes the later one holds.
func (g *Gate) SetPictures(ctx context.Context, actor parley.Actor, to Pictures) error {
	if err := actor.AtDesk(); err != nil {
		return err
	}
	g.choosing.Lock()
	defer g.choosing.Unlock()
	p, err := g.store.PreferencesOf(ctx, actor.Person)
	if err != nil {
		return fmt.Errorf("reading the preferences of %s: %w", actor.Person, err)
	}
	was := p
	if to.Share != nil {
		p.SharePhoto = *to.Share
	}
	if to.Show != nil {
		p.ShowPhotos = *to.Show
	}
	if p == was {
		return nil
	}
	return g.SetPreferences(ctx, actor, actor.Person, p)
}

// Contacts gives who is in a person's Contacts list, by id.
func (g *Gate) Contacts(owner parley.PersonID) []parley.PersonID {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if int(owner) >= len(g.owners) || g.owners[owner] == nil {
		return nil
	}
	var list []parley.PersonID
	for i, m := range g.owners[owner].marks {
		if m&inContacts != 0 {
			list = append(list, g.owners[owner].others[i])
		}
	}
	return list
}

// onlyOwner refuses everybody but the owner: no administrator and no program
// changes whom a person trusts.
func onlyOwner(actor parley.Actor, owner parley.PersonID) error {
	if actor.Kind != parley.ActorPerson || actor.Person == 0 || actor.Person != owner {
		return parley.Refuse(parley.Forbidden, "relation.not-yours")
	}
	return nil
}

// remember puts a relation into memory. The caller holds mu, or is NewGate.
func (g *Gate) remember(r Relation) {
	m := mark(r.Level)
	if r.InContacts {
		m |= inContacts
	}
	o := g.owner(r.Owner)
	i, found := slices.BinarySearch(o.others, r.Other)
	if found {
		o.marks[i] = m
		return
	}
	o.others = slices.Insert(o.others, i, r.Other)
	o.marks = slices.Insert(o.marks, i, m)
}

// owner gives the record of a person, made if there is none. The caller holds
// mu, or is NewGate.
func (g *Gate) owner(person parley.PersonID) *owner {
	if n := int(person) + 1; n > len(g.owners) {
		g.owners = append(g.owners, make([]*owner, n-len(g.owners))...)
	}
	if g.owners[person] == nil {
		g.owners[person] = &owner{preferences: DefaultPreferences}
	}
	return g.owners[person]
}
