package contact

import (
	"slices"

	"parley"
	"parley/policy"
	"parley/privacy"
)

// near says how close somebody is to whoever searches. Among equals the closer
// ones come first.
type near uint8

const (
	inContacts near = iota
	inTeam
	inDepartment
	nowhereNear
)

// closeness is who is close to an actor. Nothing of it may tell the actor what
// they may not see: who does not show them their department is not in it.
type closeness struct {
	actor      parley.Actor
	contacts   []parley.PersonID        // by id
	team       []parley.PersonID        // by id
	department []parley.PersonID        // by name
	key        string                   // of the department; empty: none
	shows      [privacy.NumClasses]bool // whether somebody shows a class their department
}

// closeTo gives who is close to an actor. The caller holds mu.
func (b *Book) closeTo(actor parley.Actor, rules policy.Policy) closeness {
	c := closeness{actor: actor, team: b.team(actor, rules), contacts: b.gate.Contacts(actor.Person)}
	if me := b.entry(actor.Person); me != nil && !me.person.Gone {
		c.key = departmentKey(&me.person)
		c.department = b.departments[c.key]
	}
	for class := range privacy.Class(privacy.NumClasses) {
		c.shows[class] = privacy.Visible(class, rules).Has(privacy.Department | privacy.Company)
	}
	return c
}

// atBest says how close somebody is, if they show the actor their department.
func (c *closeness) atBest(e *entry) near {
	if _, found := slices.BinarySearch(c.contacts, e.person.ID); found {
		return inContacts
	}
	if _, found := slices.BinarySearch(c.team, e.person.ID); found {
		return inTeam
	}
	if c.key != "" && sameDepartment(&e.person, c.key) {
		return inDepartment
	}
	return nowhereNear
}

// sameDepartment reports whether somebody is in the department of a key.
func sameDepartment(p *parley.Person, key string) bool {
	n := len(p.Company)
	return p.Department != "" && len(key) == n+1+len(p.Department) && key[:n] == p.Company && key[n+1:] == p.Department
}
