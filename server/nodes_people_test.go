package server_test

import (
	"testing"

	"parley"
	"parley/contact"
	"parley/privacy"
)

// A group that one node took over from the directory is found and opened on the
// others, as is what becomes of it.
//
// claim: UC1
func TestUC1GroupOfAnotherNode(t *testing.T) {
	w := nodes(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	id, err := parley.ParsePersonID(kwame.ID())
	if err != nil {
		t.Fatal(err)
	}
	group := contact.StoredGroup{SourceID: "elsewhere", Directory: parley.LDAP, Name: "Divers", Listed: true}
	w.GroupElsewhere(contact.GroupRows{Group: group, AddPeople: []parley.PersonID{id}})
	eventually(t, "every node finds the group", func() bool {
		return len(hanna.GroupNames("divers")) == 1 && len(kwame.GroupNames("divers")) == 1
	})
	group.Name = "Wreck Divers"
	w.GroupElsewhere(contact.GroupRows{Group: group, RemovePeople: []parley.PersonID{id}})
	eventually(t, "every node has its new name", func() bool {
		return len(hanna.GroupNames("wreck")) == 1 && len(kwame.GroupNames("wreck")) == 1
	})
	group.Gone = true
	w.GroupElsewhere(contact.GroupRows{Group: group, Empty: true})
	eventually(t, "no node finds it", func() bool { return len(hanna.GroupNames("divers"))+len(kwame.GroupNames("divers")) == 0 })
}

// Who stops sharing the own picture on one node is obeyed on the others, and who
// wants to see none is handed none there.
//
// claim: PP2
func TestPP2ChosenOnAnotherNode(t *testing.T) {
	w := nodes(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	status := func() int { return hanna.Ask("GET", "/api/people/"+kwame.ID()+"/photo", nil).Status }
	eventually(t, "hanna is handed the picture", func() bool { return status() == 200 })
	shared := privacy.DefaultPreferences
	shared.SharePhoto = false
	w.PreferElsewhere(kwame, shared)
	eventually(t, "it is not shared", func() bool { return status() == 404 })
	w.PreferElsewhere(kwame, privacy.DefaultPreferences)
	eventually(t, "it is shared again", func() bool { return status() == 200 })
	unseen := privacy.DefaultPreferences
	unseen.ShowPhotos = false
	w.PreferElsewhere(hanna, unseen)
	eventually(t, "hanna wants no pictures", func() bool { return status() == 404 })
}
