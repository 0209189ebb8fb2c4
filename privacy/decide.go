package privacy

import (
	"context"

	"parley"
)

// Decision is what a person decides anew about somebody. What is nil stays as it
// is by the time of the commit, whichever device or node changed it last.
type Decision struct {
	Other      parley.PersonID
	Level      *Level
	InContacts *bool
}

// On gives the relation that a decision makes of what was stored; without stored
// was is not looked at.
func (d Decision) On(owner parley.PersonID, was Relation, stored bool) Relation {
	r := Relation{Owner: owner, Other: d.Other, Level: DefaultLevel(true)}
	if stored {
		r.Level, r.InContacts = was.Level, was.InContacts
	}
	if d.Level != nil {
		r.Level = *d.Level
	}
	if d.InContacts != nil {
		r.InContacts = *d.InContacts
	}
	return r
}

// Decide has decisions of the actor's person stored by commit, which does so in
// one transaction with whatever belongs to them, and then takes over what is
// stored and tells. Only the person may, signed in as themselves; whether the
// others exist is for the caller to know. If commit fails nothing has changed.
func (g *Gate) Decide(ctx context.Context, actor parley.Actor, decisions []Decision, commit func(context.Context) error) error {
	if err := onlyOwner(actor, actor.Person); err != nil {
		return err
	}
	for _, d := range decisions {
		if d.Level != nil && !d.Level.Valid() {
			return parley.RefuseField("relation.level-unknown", "level")
		}
		if d.Other == 0 || d.Other == actor.Person {
			return parley.RefuseField("relation.other-wrong", "other")
		}
	}
	before := make([]mark, len(decisions))
	known := make([]bool, len(decisions))
	for i, d := range decisions {
		before[i], known[i] = g.mark(actor.Person, d.Other)
	}
	if err := commit(ctx); err != nil {
		return err
	}
	for i, d := range decisions {
		g.learn(context.WithoutCancel(ctx), actor.Person, d)
		if is, now := g.mark(actor.Person, d.Other); is != before[i] || now != known[i] {
			g.announce(parley.RelationChanged{Owner: actor.Person, Other: d.Other})
		}
	}
	return nil
}

// learn takes over what a decision has become.
func (g *Gate) learn(ctx context.Context, owner parley.PersonID, d Decision) {
	if g.Refresh(ctx, owner, d.Other) == nil {
		return
	}
	g.keep(func() {
		m, stored, _ := g.look(owner, d.Other)
		g.remember(d.On(owner, Relation{Level: m.level(), InContacts: m&inContacts != 0}, stored))
	})
}

// mark gives what a person decided about somebody, as it stands in memory.
func (g *Gate) mark(owner, other parley.PersonID) (m mark, stored bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	m, stored, _ = g.look(owner, other)
	return m, stored
}
