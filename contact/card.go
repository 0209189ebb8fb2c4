package contact

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"parley"
	"parley/policy"
	"parley/privacy"
)

// The longest lists of people that are shown.
const (
	MaxReports    = 200
	MaxTeam       = 200
	MaxDepartment = 100
)

// Card is a contact card as one viewer sees it.
type Card struct {
	View    privacy.View
	Manager *privacy.View  // nil: none, or withheld
	Reports []privacy.View // direct reports by name, at most MaxReports

	// Relationship is what the viewer decided about the person, never the other
	// way round; Decided is false when they never did.
	Relationship privacy.Relation
	Decided      bool
}

// Card gives somebody's contact card. Of a person who is gone it shows the name,
// for those who have it in old conversations. The views lack presence.
func (b *Book) Card(_ context.Context, actor parley.Actor, id parley.PersonID) (Card, error) {
	rules := b.policy.Policy()
	b.mu.RLock()
	defer b.mu.RUnlock()
	e := b.entry(id)
	if e == nil || !mayLook(actor) {
		return Card{}, parley.ErrWithheld
	}
	c := Card{View: b.view(&e.person, actor, rules)}
	c.Relationship, c.Decided = b.gate.Relation(actor, id)
	if m := b.entry(c.View.Card.Manager); m != nil && !m.person.Gone && m != e {
		view := b.view(&m.person, actor, rules)
		c.Manager = &view
	}
	if !e.person.Gone && b.sees(&e.person, actor, rules, privacy.Manager) {
		for _, r := range b.seenReports(id, actor, rules, MaxReports) {
			c.Reports = append(c.Reports, b.view(&b.people[r].person, actor, rules))
		}
	}
	return c, nil
}

// mayLook reports whether an actor may look people up at all. A guest may not:
// who is in a meeting with them is for the meeting to tell. What the others see
// of somebody is decided by privacy.
func mayLook(actor parley.Actor) bool {
	switch actor.Kind {
	case parley.ActorPerson, parley.ActorRemote, parley.ActorProgram, parley.ActorAdmin, parley.ActorSystem:
		return true
	default:
		return false
	}
}

// View gives what an actor sees of somebody whose presence the caller knows. The
// second result is false when there is no such person, or the actor may look at
// nobody.
func (b *Book) View(actor parley.Actor, id parley.PersonID, presence parley.Presence) (privacy.View, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	e := b.entry(id)
	if e == nil || !mayLook(actor) {
		return privacy.View{}, false
	}
	f := b.facts(&e.person)
	f.Presence = presence
	return privacy.Render(f, b.gate.Class(id, actor), b.policy.Policy()), true
}

// view gives what an actor sees of somebody, without presence. The caller holds mu.
func (b *Book) view(p *parley.Person, actor parley.Actor, rules policy.Policy) privacy.View {
	return privacy.Render(b.facts(p), b.gate.Class(p.ID, actor), rules)
}

// facts gives what there is to tell about somebody; of a person who is gone
// nothing but the name. The caller holds mu.
func (b *Book) facts(p *parley.Person) privacy.Facts {
	f := privacy.Facts{Person: *p, Preferences: b.gate.Preferences(p.ID), Typed: b.typed[p.ID]}
	if p.Gone {
		f.Typed = nil
		f.Person = parley.Person{
			ID: p.ID, Gone: true, DisplayName: p.DisplayName, GivenName: p.GivenName, Surname: p.Surname,
		}
	}
	return f
}

// sees reports whether an actor sees these rows of somebody.
func (b *Book) sees(p *parley.Person, actor parley.Actor, rules policy.Policy, rows privacy.Fields) bool {
	return privacy.Visible(b.gate.Class(p.ID, actor), rules).Has(rows)
}

// seenReports gives the direct reports of somebody whose manager the actor may
// know, by name, at most n. Nobody is their own report. The caller holds mu.
func (b *Book) seenReports(manager parley.PersonID, actor parley.Actor, rules policy.Policy, n int) []parley.PersonID {
	var list []parley.PersonID
	for _, id := range b.reports[manager] {
		if len(list) == n {
			break
		}
		if id != manager && b.sees(&b.people[id].person, actor, rules, privacy.Manager) {
			list = append(list, id)
		}
	}
	return list
}

// Group is a group of the Contacts tab.
type Group struct {
	ID     string
	Key    string // text key of its heading
	Name   string // what the heading names, if anything
	People []privacy.View
}

// Groups gives what the Contacts tab shows before there are contact lists: the
// actor's team (manager, people with the same manager, reports) and department,
// each by name and without the actor. A group without anybody is left out. It is
// a person's own page: nobody else has groups. The views lack presence.
func (b *Book) Groups(_ context.Context, actor parley.Actor) ([]Group, error) {
	rules := b.policy.Policy()
	b.mu.RLock()
	defer b.mu.RUnlock()
	me := b.entry(actor.Person)
	if me == nil || me.person.Gone || actor.Kind != parley.ActorPerson {
		return nil, nil
	}
	var groups []Group
	add := func(g Group, people []parley.PersonID) {
		for _, id := range people {
			g.People = append(g.People, b.view(&b.people[id].person, actor, rules))
		}
		if len(people) > 0 {
			groups = append(groups, g)
		}
	}
	team := b.team(actor, rules)
	b.sort(team)
	add(Group{ID: "team", Key: "contacts.team"}, team)
	add(Group{ID: "department", Key: "contacts.department", Name: me.person.Department}, b.colleagues(me, actor, rules))
	return groups, nil
}

// ByName gives those of these people whom there are, gone people included, in the
// order of their names. Groups of the directory are left out.
func (b *Book) ByName(list []Listed) []Listed {
	b.mu.RLock()
	defer b.mu.RUnlock()
	people := make([]Listed, 0, len(list))
	for _, l := range list {
		if person, ok := l.Contact.Person(); ok && b.entry(person) != nil {
			people = append(people, l)
		}
	}
	slices.SortFunc(people, func(x, y Listed) int { return b.compare(parley.PersonID(x.Contact), b.people[y.Contact]) })
	return people
}

// team gives the people next to the actor in the organisation, as far as the
// actor may know it, by id. The caller holds mu.
func (b *Book) team(actor parley.Actor, rules policy.Policy) []parley.PersonID {
	me := b.entry(actor.Person)
	if me == nil || me.person.Gone {
		return nil
	}
	list := b.seenReports(actor.Person, actor, rules, MaxTeam)
	if m := b.entry(me.person.Manager); m != nil && !m.person.Gone {
		list = append(list, m.person.ID)
		list = append(list, b.seenReports(m.person.ID, actor, rules, MaxTeam)...)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return slices.DeleteFunc(list, func(id parley.PersonID) bool { return id == actor.Person })
}

// colleagues gives the first people of somebody's department. The caller holds
// mu.
func (b *Book) colleagues(me *entry, actor parley.Actor, rules policy.Policy) []parley.PersonID {
	var list []parley.PersonID
	for _, id := range b.departments[departmentKey(&me.person)] {
		if len(list) == MaxDepartment {
			break
		}
		if id != me.person.ID && b.sees(&b.people[id].person, actor, rules, privacy.Department|privacy.Company) {
			list = append(list, id)
		}
	}
	return list
}

// Photo gives somebody's photo and its version, if the actor may see it.
func (b *Book) Photo(ctx context.Context, actor parley.Actor, id parley.PersonID, large bool) ([]byte, parley.PhotoVersion, error) {
	if view, ok := b.View(actor, id, parley.Presence{}); !ok || view.Card.Photo == 0 {
		return nil, 0, parley.ErrWithheld
	}
	jpeg, version, err := b.store.Photo(ctx, id, large)
	if errors.Is(err, parley.ErrWithheld) {
		return nil, 0, parley.ErrWithheld // it was taken away meanwhile
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading the photo of %s: %w", id, err)
	}
	return jpeg, version, nil
}
