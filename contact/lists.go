package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"parley"
	"parley/privacy"
)

// ListsConfig is what Lists need. Announce may be nil.
type ListsConfig struct {
	Store    ListStore
	Gate     *privacy.Gate
	Book     *Book
	Announce func(parley.Event)
}

// Lists are everybody's Contacts lists. Nobody but a list's owner reads or changes
// it: no program and no administrator. It is safe for concurrent use and keeps
// nothing in memory.
type Lists struct {
	store    ListStore
	gate     *privacy.Gate
	book     *Book
	announce func(parley.Event)
}

// NewLists makes Lists.
func NewLists(c ListsConfig) *Lists {
	l := &Lists{store: c.Store, gate: c.Gate, book: c.Book, announce: c.Announce}
	if l.announce == nil {
		l.announce = func(parley.Event) {}
	}
	return l
}

// needOwner refuses whoever is not a person on a signed-in device.
func needOwner(actor parley.Actor) error {
	if actor.Kind != parley.ActorPerson || actor.Person == 0 || actor.Device == 0 {
		return parley.Refuse(parley.Forbidden, "relation.not-yours")
	}
	return nil
}

// List gives the actor's own list, without the groups of the directory that are not
// there any more, or not shown: they are in it again when they are back.
func (l *Lists) List(ctx context.Context, actor parley.Actor) (ContactList, error) {
	if err := needOwner(actor); err != nil {
		return ContactList{}, err
	}
	list, err := l.store.ContactList(ctx, actor.Person)
	list.Contacts = slices.DeleteFunc(list.Contacts, func(c Listed) bool {
		group, is := c.Contact.Group()
		if !is {
			return false
		}
		_, shown := l.book.ShownGroup(actor, group)
		return !shown
	})
	return list, parley.Wrap(err, "reading the contacts of %s", actor.Person)
}

// Set puts a contact into the actor's list, or changes where they stand in it. It
// is for a desk, but for adding somebody back of whom the actor was told.
func (l *Lists) Set(ctx context.Context, actor parley.Actor, change ListChange) (version int64, err error) {
	if err := needOwner(actor); err != nil {
		return 0, err
	}
	person, isPerson := change.Contact.Person()
	switch known := l.knows(actor, change.Contact); {
	case !known:
		return 0, parley.ErrWithheld
	case !isPerson && change.Level != nil:
		return 0, parley.RefuseField("", "level") // people have one, groups do not
	}
	if err := actor.AtDesk(); err != nil && (change.Groups != nil || change.Favourite != nil || !l.answers(ctx, actor, person)) {
		return 0, err
	}
	change.Remove = false
	return l.change(ctx, actor, []ListChange{change})
}

// knows reports whether the actor may put somebody, or a group, into their list.
func (l *Lists) knows(actor parley.Actor, contact ContactID) bool {
	if group, ok := contact.Group(); ok {
		_, shown := l.book.ShownGroup(actor, group)
		return shown
	}
	person, ok := contact.Person()
	if ok {
		_, ok = l.book.Person(person)
	}
	return ok && mayLook(actor)
}

// Remove takes a contact out of the actor's list and of all groups. A level that
// was given stays.
func (l *Lists) Remove(ctx context.Context, actor parley.Actor, contact ContactID) (version int64, err error) {
	if err := actor.AtDesk(); err != nil {
		return 0, err
	}
	return l.change(ctx, actor, []ListChange{{Contact: contact, Remove: true}})
}

// answers reports whether the actor was told that somebody added them, so that
// they may answer from a phone.
func (l *Lists) answers(ctx context.Context, actor parley.Actor, person parley.PersonID) bool {
	told, err := l.store.Told(ctx, person, actor.Person)
	return err == nil && told
}

// change commits changes, of at most MaxListChanges contacts, together with the
// relations that they mean and with the news for those who are added.
func (l *Lists) change(ctx context.Context, actor parley.Actor, changes []ListChange) (version int64, err error) {
	var decisions []privacy.Decision
	for i := range changes {
		c := &changes[i]
		if d, ok := c.Decision(); ok {
			decisions = append(decisions, d)
			if p, known := l.book.Person(d.Other); !c.Remove && known && !p.Gone {
				c.Notice = added(actor.Person, d.Other)
			}
		}
	}
	err = l.gate.Decide(ctx, actor, decisions, func(ctx context.Context) (err error) {
		version, err = l.store.ChangeContacts(ctx, actor.Person, changes, parley.Alongside{})
		return parley.Wrap(err, "changing the contacts of %s", actor.Person)
	})
	if err != nil {
		return 0, err
	}
	l.announce(parley.ContactsChanged{Person: actor.Person, Version: version})
	return version, nil
}

// added is the entry that tells somebody who added them.
func added(by, whom parley.PersonID) *parley.Entry {
	body, err := json.Marshal(map[string]string{"person": by.String()})
	if err != nil {
		panic(fmt.Sprintf("contact: %v", err)) // a text in a map
	}
	return &parley.Entry{Stream: parley.PrivateStream(whom), Kind: parley.KindNotice, Content: AddedContent, Body: body}
}

// SetLevel gives somebody a level, whether they are a contact or not; Colleagues
// for the default. On a phone one may only block, or answer somebody of whom one
// was told.
func (l *Lists) SetLevel(ctx context.Context, actor parley.Actor, person parley.PersonID, level privacy.Level) error {
	if err := needOwner(actor); err != nil {
		return err
	}
	if _, known := l.book.Person(person); !known || !mayLook(actor) {
		return parley.ErrWithheld
	}
	if err := actor.AtDesk(); err != nil && level != privacy.Blocked && !l.answers(ctx, actor, person) {
		return err
	}
	return l.gate.Decide(ctx, actor, []privacy.Decision{{Other: person, Level: &level}}, func(ctx context.Context) error {
		err := l.store.SetLevel(ctx, actor.Person, person, level, parley.Alongside{})
		return parley.Wrap(err, "storing a level")
	})
}

// AddGroup makes a group, the last one.
func (l *Lists) AddGroup(ctx context.Context, actor parley.Actor, name string) (id GroupID, version int64, err error) {
	if err := actor.AtDesk(); err != nil {
		return 0, 0, err
	}
	if name, err = GroupName(name); err != nil {
		return 0, 0, err
	}
	return l.edit(ctx, actor, GroupEdit{Name: name, Folded: FoldGroupName(name)})
}

// ChangeGroup gives one of the actor's groups another name or another place, from
// 0; what is nil stays.
func (l *Lists) ChangeGroup(ctx context.Context, actor parley.Actor, id GroupID, name *string, place *int) (version int64, err error) {
	if err := actor.AtDesk(); err != nil {
		return 0, err
	}
	edit := GroupEdit{ID: id, Place: place}
	if name != nil {
		if edit.Name, err = GroupName(*name); err != nil {
			return 0, err
		}
		edit.Folded = FoldGroupName(edit.Name)
	}
	if place != nil && *place < 0 {
		return 0, parley.RefuseField("", "position")
	}
	if id == Favourites {
		return 0, parley.ErrWithheld
	}
	_, version, err = l.edit(ctx, actor, edit)
	return version, err
}

// DeleteGroup removes one of the actor's groups. Who stood in it stays a contact.
func (l *Lists) DeleteGroup(ctx context.Context, actor parley.Actor, id GroupID) (version int64, err error) {
	if err := actor.AtDesk(); err != nil {
		return 0, err
	}
	if id == Favourites {
		return 0, parley.ErrWithheld
	}
	_, version, err = l.edit(ctx, actor, GroupEdit{ID: id, Delete: true})
	return version, err
}

func (l *Lists) edit(ctx context.Context, actor parley.Actor, edit GroupEdit) (GroupID, int64, error) {
	id, version, err := l.store.EditGroup(ctx, actor.Person, edit, parley.Alongside{})
	if err != nil {
		return 0, 0, fmt.Errorf("changing a group of %s: %w", actor.Person, err)
	}
	l.announce(parley.ContactsChanged{Person: actor.Person, Version: version})
	return id, version, nil
}
