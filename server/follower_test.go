package server

import (
	"context"
	"errors"
	"maps"
	"testing"

	"parley"
	"parley/contact"
	"parley/edge/directory"
)

// nowhere keeps no state of a directory.
type nowhere struct{ contact.StateStore }

func (nowhere) SetDirectoryState(context.Context, contact.DirectoryState) error { return nil }

// A group that was taken in before an error would be equal the next time, so
// everything is compared.
func TestAfterAnErrorEverythingIsCompared(t *testing.T) {
	f := &follower{config: &LDAPConfig{}, book: new(contact.Book), store: nowhere{}, cursor: []byte("here")}
	f.importer = contact.Importer{Book: f.book, Directory: parley.LDAP}
	f.groups = newFollowedGroups(&f.importer)
	f.standing.problems = map[string]contact.EntryProblem{}
	broken := errors.New("broken off")
	err := f.take(t.Context(), new(directory.Session), &directory.Changes{
		People: []directory.Found{{Err: broken}}, Groups: []directory.Group{{SourceID: "g", DN: "cn=g"}}, Cursor: []byte("there"),
	})
	if !errors.Is(err, broken) || f.cursor != nil {
		t.Errorf("after %v it goes on at %q", err, f.cursor)
	}
}

func TestMembersMoveAllAtOnce(t *testing.T) {
	moved := map[contact.Place]contact.Place{1: 2, 2: 1, 3: 4}
	places := []contact.Place{1, 3, 5}
	if !moveIn(places, moved) || places[0] != 2 || places[1] != 4 || places[2] != 5 {
		t.Errorf("members stand at %v", places)
	}
	a := &allowed{places: map[contact.Place]bool{1: true, 3: true, 5: true}}
	a.move(moved)
	if !maps.Equal(a.places, map[contact.Place]bool{2: true, 4: true, 5: true}) {
		t.Errorf("at %v people may sign in", a.places)
	}
}

func TestWhoIsAdmittedByAliasDiffers(t *testing.T) {
	a := &allowed{places: map[contact.Place]bool{1: true, 2: true}, aliases: map[string]bool{"ann": true, "bob": true}}
	b := &allowed{places: map[contact.Place]bool{2: true}, aliases: map[string]bool{"bob": true, "cleo": true}}
	places, aliases := a.differs(b)
	if len(places) != 1 || places[0] != 1 || !maps.Equal(aliases, map[string]bool{"ann": true, "cleo": true}) {
		t.Errorf("places %v and aliases %v differ", places, aliases)
	}
}
