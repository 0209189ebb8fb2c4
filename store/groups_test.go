package store

import (
	"reflect"
	"slices"
	"testing"

	"parley"
	"parley/contact"
	"parley/privacy"
)

func TestTypedPhonesComeBackInTheirOrder(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		phones := []parley.TypedPhone{{Kind: parley.PhoneMobile, Number: "+49 170 1"}, {Kind: parley.PhoneWork, Number: "+49 30 2"}}
		for person, list := range map[parley.PersonID][]parley.TypedPhone{3: phones, 7: phones[1:], 9: phones} {
			if err := w.SetTypedPhones(t.Context(), person, list, parley.Alongside{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.SetTypedPhones(t.Context(), 9, nil, parley.Alongside{}); err != nil {
			t.Fatal(err)
		}
		want := []contact.PersonPhones{{Person: 3, Phones: phones}, {Person: 7, Phones: phones[1:]}}
		if got := all(t, w.TypedPhones(t.Context())); !reflect.DeepEqual(got, want) {
			t.Errorf("read %+v, want %+v", got, want)
		}
		if got := must(w.TypedPhonesOf(t.Context(), []parley.PersonID{9, 7, 7, 8}))(t); !reflect.DeepEqual(got, want[1:]) {
			t.Errorf("of some: %+v", got)
		}
	})
}

func TestPicturePreferencesComeBack(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		p := privacy.Preferences{OnlyContacts: true, ShowPhotos: false}
		if err := w.SetPreferences(t.Context(), 5, p, parley.Alongside{}); err != nil {
			t.Fatal(err)
		}
		if got := must(w.PreferencesOf(t.Context(), 5))(t); got != p {
			t.Errorf("read %+v", got)
		}
		// A node of the release before writes no show_photos.
		w.between(func(s *session) error {
			_, err := s.exec(t.Context(), `INSERT INTO preferences (person, share_photo, only_contacts, share_time_zone) VALUES (6, 0, 0, 1)`)
			return err
		})
		if got := must(w.PreferencesOf(t.Context(), 6))(t); got != (privacy.Preferences{ShareTimeZone: true, ShowPhotos: true}) {
			t.Errorf("of the release before: %+v", got)
		}
	})
}

func TestDirectoryGroupsComeBackWhole(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		crew := contact.StoredGroup{SourceID: "crew", Directory: "ldap", Name: "Crew", Mail: "crew@example.org", Description: "outdoors", Listed: true}
		rule := contact.StoredGroup{SourceID: "rule", Name: "Rule"}
		put := func(rows ...contact.GroupRows) []parley.DirectoryGroupID {
			t.Helper()
			return must(w.ApplyGroups(t.Context(), rows, parley.Alongside{Audit: []parley.Audit{{Action: parley.AuditPeopleImported}}}))(t)
		}
		ids := put(contact.GroupRows{Group: crew, AddPeople: []parley.PersonID{3, 5}, AddGroups: []string{"rule", "unknown"}}, contact.GroupRows{Group: rule})
		if len(ids) != 2 || ids[0] == ids[1] {
			t.Fatalf("the ids are %v", ids)
		}
		crew.ID, rule.ID, crew.Name = ids[0], ids[1], "The crew"
		if again := put(contact.GroupRows{Group: crew, AddPeople: []parley.PersonID{5, 8}, RemovePeople: []parley.PersonID{3, 4}, RemoveGroups: []string{"unknown"}}); again[0] != ids[0] {
			t.Errorf("the group got another id: %v", again)
		}
		crew.People, crew.GroupSources = []parley.PersonID{5, 8}, []string{"rule"}
		if got := must(w.DirectoryGroupsByID(t.Context(), slices.Concat(ids, ids)))(t); !reflect.DeepEqual(got, []contact.StoredGroup{crew, rule}) {
			t.Errorf("read %+v", got)
		}
		if got := all(t, w.GroupPeople(t.Context())); !reflect.DeepEqual(got, []contact.GroupPerson{{Group: crew.ID, Person: 5}, {Group: crew.ID, Person: 8}}) {
			t.Errorf("the people are %+v", got)
		}
		gone := crew
		gone.Gone = true
		put(contact.GroupRows{Group: gone, Empty: true})
		if len(all(t, w.GroupPeople(t.Context())))+len(all(t, w.GroupGroups(t.Context()))) > 0 {
			t.Error("somebody is in a group that is gone")
		}
		if got := all(t, w.DirectoryGroups(t.Context())); len(got) != 2 || !got[0].Gone || got[0].Name != "The crew" {
			t.Errorf("the groups are %+v", got)
		}
	})
}

func TestGroupsAreToldOnceEach(t *testing.T) {
	rows := slices.Concat(notices(parley.DirectoryGroupsChanged{Groups: []parley.DirectoryGroupID{4, 4, 9}}),
		notices(parley.DirectoryGroupsChanged{Groups: []parley.DirectoryGroupID{9}}))
	if got := events(rows); !reflect.DeepEqual(got, []parley.Event{parley.DirectoryGroupsChanged{Groups: []parley.DirectoryGroupID{4, 9}}}) {
		t.Errorf("told %+v", got)
	}
}
