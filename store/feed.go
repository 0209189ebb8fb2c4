package store

import (
	"context"
	"fmt"
	"slices"

	"parley"
)

// The feed of changes tells nodes over one database what the others have changed
// of what they hold in memory. Its rows are numbered like entries, without a gap,
// and committed with the change that they tell of.

// notice is a row of the feed. What other, pos and detail say depends on the kind.
type notice struct {
	seq    int64
	kind   string
	person parley.PersonID
	other  int64
	pos    parley.Pos
	detail string
}

// The kinds of notice. They are stored; never change one.
const (
	noticeSignedIn    = "device-signed-in" // other is the device, pos from where it reads
	noticeEnded       = "device-ended"     // other is the device, pos its cursor, detail the reason
	noticeDisabled    = "disabled"
	noticePeople      = "people"
	noticeGroup       = "directory-group" // other is the group
	noticeRelation    = "relation"        // other is the person that it is about
	noticePreferences = "preferences"
	noticeChoice      = "choice"
	noticePolicy      = "policy"   // detail is the key of the rule
	noticeContacts    = "contacts" // other is the version of the list
)

// notices are the rows that tell of an event. An event that only this node can
// know of has none.
func notices(event parley.Event) []notice {
	switch e := event.(type) {
	case parley.DeviceSignedIn:
		return []notice{{kind: noticeSignedIn, person: e.Person, other: int64(e.Device), pos: e.From}}
	case parley.DevicesEnded:
		rows := make([]notice, len(e.Devices))
		for i, device := range e.Devices {
			rows[i] = notice{kind: noticeEnded, person: e.Person, other: int64(device), pos: e.Cursors[i], detail: string(e.Reason)}
		}
		return rows
	case parley.AccountDisabled:
		return []notice{{kind: noticeDisabled, person: e.Person}}
	case parley.PeopleChanged:
		rows := make([]notice, len(e.People))
		for i, person := range e.People {
			rows[i] = notice{kind: noticePeople, person: person}
		}
		return rows
	case parley.DirectoryGroupsChanged:
		rows := make([]notice, len(e.Groups))
		for i, group := range e.Groups {
			rows[i] = notice{kind: noticeGroup, other: int64(group)}
		}
		return rows
	case parley.RelationChanged:
		return []notice{{kind: noticeRelation, person: e.Owner, other: int64(e.Other)}}
	case parley.PreferencesChanged:
		return []notice{{kind: noticePreferences, person: e.Person}}
	case parley.ChoiceChanged:
		return []notice{{kind: noticeChoice, person: e.Person}}
	case parley.ContactsChanged:
		return []notice{{kind: noticeContacts, person: e.Person, other: e.Version}}
	case parley.PolicyChanged:
		rows := make([]notice, len(e.Keys))
		for i, key := range e.Keys {
			rows[i] = notice{kind: noticePolicy, detail: key}
		}
		return rows
	}
	return nil
}

// events are what rows of the feed tell, in their order. People that follow each
// other are told together, as are devices that ended together. A kind that a
// newer program has written is passed over.
func events(rows []notice) []parley.Event {
	var list []parley.Event
	for _, n := range rows {
		switch n.kind {
		case noticeSignedIn:
			list = append(list, parley.DeviceSignedIn{Person: n.person, Device: parley.DeviceID(n.other), From: n.pos})
		case noticeEnded:
			list = ended(list, n)
		case noticeDisabled:
			list = append(list, parley.AccountDisabled{Person: n.person})
		case noticePeople:
			list = changed(list, n.person)
		case noticeGroup:
			list = changedGroup(list, parley.DirectoryGroupID(n.other))
		case noticeRelation:
			list = append(list, parley.RelationChanged{Owner: n.person, Other: parley.PersonID(n.other)})
		case noticePreferences:
			list = append(list, parley.PreferencesChanged{Person: n.person})
		case noticeChoice:
			list = append(list, parley.ChoiceChanged{Person: n.person})
		case noticeContacts:
			list = append(list, parley.ContactsChanged{Person: n.person, Version: n.other})
		case noticePolicy:
			list = append(list, parley.PolicyChanged{Keys: []string{n.detail}})
		}
	}
	return list
}

func ended(list []parley.Event, n notice) []parley.Event {
	e := parley.DevicesEnded{Person: n.person, Reason: parley.EndReason(n.detail)}
	if last := len(list) - 1; last >= 0 {
		if former, ok := list[last].(parley.DevicesEnded); ok && former.Person == e.Person && former.Reason == e.Reason {
			e, list = former, list[:last]
		}
	}
	e.Devices = append(e.Devices, parley.DeviceID(n.other))
	e.Cursors = append(e.Cursors, n.pos)
	return append(list, e)
}

func changed(list []parley.Event, person parley.PersonID) []parley.Event {
	if last := len(list) - 1; last >= 0 {
		if e, ok := list[last].(parley.PeopleChanged); ok {
			e.People = append(e.People, person)
			list[last] = e
			return list
		}
	}
	return append(list, parley.PeopleChanged{People: []parley.PersonID{person}})
}

// changedGroup joins groups that follow each other: one of many people comes over
// and over.
func changedGroup(list []parley.Event, group parley.DirectoryGroupID) []parley.Event {
	if last := len(list) - 1; last >= 0 {
		if e, ok := list[last].(parley.DirectoryGroupsChanged); ok {
			if !slices.Contains(e.Groups, group) {
				e.Groups = append(e.Groups, group)
			}
			list[last] = e
			return list
		}
	}
	return append(list, parley.DirectoryGroupsChanged{Groups: []parley.DirectoryGroupID{group}})
}

// readFeed returns the rows with numbers above after and up to upto, at most
// pageRows of them.
func readFeed(ctx context.Context, s *session, after, upto int64) ([]notice, error) {
	const query = `
SELECT seq, kind, person, other, pos, detail FROM changes WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3`
	rows, err := s.query(ctx, query, after, upto, pageRows)
	list, err := collect(rows, err, func(r row) (n notice, err error) {
		err = r.Scan(&n.seq, &n.kind, &n.person, &n.other, &n.pos, &n.detail)
		return n, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading what other nodes changed: %w", err)
	}
	return list, nil
}
