package supplement

import "parley/privacy"

var presences = Feature{
	Name: "Presence",
	Does: "People see whether somebody can be reached, since when, and a note.",
	Items: []Item{
		{
			Name:    "the state that a person chooses",
			Source:  "the person, under My Info",
			Use:     "show it instead of the automatic one",
			Seen:    row(privacy.Colour | privacy.State | privacy.Urgent),
			Control: "Reset Status goes back to the automatic state. The privacy relationship decides who sees it, and Privacy Mode can keep it to the person's contacts.",
			Rules:   []string{"PrivacyMode"},
			Claims:  []string{"PR2", "PR7", "PM1"},
			Kept: []Kept{
				{Database, untilReplaced, names("choices.person choices.state choices.set_at choices.until")},
				{Memory, whileRunning, names("presence.Choice.State presence.Choice.SetAt presence.Choice.Until presence.Facts.Choice")},
			},
			Sent: []Sent{
				{Wire, toServer, names("SetPresenceRequest.state SetPresenceRequest.until")},
			},
		},
		{
			Name:    "the state",
			Source:  "the person's devices, which say whether they are used, and the person's choice",
			Use:     "show whether somebody can be reached",
			Seen:    row(privacy.Colour | privacy.State | privacy.Urgent),
			Control: "The privacy relationship decides who sees it, and Privacy Mode can keep it to the person's contacts. It is never stored.",
			Rules:   []string{"PrivacyMode"},
			Claims:  []string{"PR1", "PR3", "PR5", "PR7", "PM1"},
			Kept: []Kept{
				{Memory, whileConnected, names("Presence.Availability presence.Facts.Devices presence.Facts.Was presence.Device.ID presence.Device.Lease " +
					"presence.Device.Visible presence.Device.Node presence.Device.Seen presence.Seen.Availability")},
			},
			Sent: []Sent{
				{Bus, otherServers, names("table:presence presence.Fact.Person presence.Fact.Device presence.Fact.Visible presence.Fact.Seen presence.Seen.Availability")},
				{Wire, toServer, names("HelloFrame.active HelloFrame.visible ActivityFrame.active ActivityFrame.visible")},
				{Wire, toViewers, names("PersonRow.presence FoundPerson.presence Card.presence PresenceEvent.person PresenceEvent.presence Presence.availability")},
			},
		},
		{
			Name:    "what a state stands for",
			Source:  "the person's choice, as Off Work",
			Use:     "say more than Away or Busy",
			Seen:    row(privacy.State | privacy.Urgent),
			Control: "The privacy relationship decides who sees it; outside people see no more than the colour.",
			Rules:   []string{"PrivacyMode"},
			Claims:  []string{"PR2", "PR7"},
			Kept: []Kept{
				{Memory, whileConnected, names("Presence.Token presence.Seen.Token")},
			},
			Sent: []Sent{
				{Bus, otherServers, names("presence.Seen.Token")},
				{Wire, toViewers, names("Presence.activity")},
			},
		},
		{
			Name:    "since when and until when a state holds, and what it comes from",
			Source:  "the server, from the devices and the choice",
			Use:     "show how fresh a state is",
			Seen:    row(privacy.Since),
			Control: "The privacy relationship decides who sees it.",
			Rules:   []string{"PrivacyMode"},
			Claims:  []string{"CC4", "PR7"},
			Kept: []Kept{
				{Memory, whileRunning, names("Presence.Since Presence.Until Presence.Source Presence.LastActive presence.Device.LastActive presence.Facts.LastActive presence.Seen.Since")},
			},
			Sent: []Sent{
				{Bus, otherServers, names("presence.Fact.LastActive presence.Seen.Since")},
				{Wire, toViewers, names("Presence.since Presence.until Presence.source Presence.last_active")},
			},
		},
		{
			Name:    "the note",
			Source:  "the person, under My Info",
			Use:     "tell others something",
			Seen:    row(privacy.Notes),
			Control: "The person deletes it or lets it lapse. The privacy relationship decides who sees it.",
			Rules:   []string{"PrivacyMode"},
			Claims:  []string{"PR1", "PR7"},
			Kept: []Kept{
				{Database, untilReplaced, names("choices.note choices.note_until")},
				{Memory, whileRunning, names("presence.Choice.Note presence.Choice.NoteUntil Presence.Note Presence.NoteUntil Presence.OutOfOffice")},
			},
			Sent: []Sent{
				{Wire, toServer, names("SetNoteRequest.note SetNoteRequest.until")},
				{Wire, toViewers, names("Presence.note Presence.note_until Presence.out_of_office")},
			},
		},
		{
			Name:    "whom a device watches",
			Source:  "the person's device, which shows them",
			Use:     "tell the device of their changes and of nobody else's",
			Seen:    nobody,
			Control: "It is forgotten when the device disconnects.",
			Claims:  []string{"PR1"},
			Kept: []Kept{
				{Memory, "while the device is connected", names("presence.seat.watcher presence.seat.viewer presence.seat.people")},
			},
			Sent: []Sent{
				{Wire, toServer, names("WatchFrame.people")},
			},
		},
		{
			Name:    "the time zone and the kind of the device",
			Source:  "the device's operating system",
			Use:     "show the person's local time, and whether a phone or a computer is used",
			Seen:    row(privacy.Place),
			Control: "The administrator can switch it off; a person who does not share the time zone is obeyed, but this version has no screen to choose it. Nothing else about the place is ever asked for.",
			Rules:   []string{"Location", "PrivacyMode"},
			Claims:  []string{"LS1", "LS2", "LS3", "PM2"},
			Kept: []Kept{
				{Memory, whileConnected, names("Presence.TimeZone Presence.Mobile presence.Device.TimeZone presence.Device.Class")},
			},
			Sent: []Sent{
				{Bus, otherServers, names("presence.Fact.TimeZone presence.Fact.Class")},
				{Wire, toServer, names("SignInRequest.time_zone HelloFrame.time_zone ActivityFrame.time_zone")},
				{Wire, toViewers, names("Presence.time_zone Presence.device")},
			},
		},
	},
}

var relationships = Feature{
	Name: "Privacy relationships and Privacy Mode",
	Does: "Each person decides how much each other person gets to see.",
	Items: []Item{
		{
			Name:    "what a person decided about another",
			Source:  "the person",
			Use:     "decide what the other gets to see and whether they get through",
			Seen:    self,
			Control: "It holds at once, and the other person is never told. At a desk the person changes it for anybody, on a phone they block.",
			Claims:  []string{"PR7", "UC5"},
			Kept: []Kept{
				{Database, untilReplaced, names("relations.owner relations.other relations.level relations.in_contacts")},
				{Memory, whileRunning, names("privacy.owner.others privacy.owner.marks")},
			},
			Sent: []Sent{
				{Wire, toServer, names("setRelationship.who SetRelationshipRequest.level SetContactRequest.level")},
				{Wire, toOwnDevices, names("Card.relationship")},
			},
		},
		{
			Name:    "how a person arranges their Contacts list",
			Source:  "the person",
			Use:     "show the list in the person's own groups and order, on all of their devices",
			Seen:    self,
			Control: "The person changes it at any time, and deletes it by removing contacts and groups. Nobody else sees it, no administrator either.",
			Claims:  []string{"UC5"},
			Kept: []Kept{
				{Database, untilRemoved, names("contact_lists.owner contact_lists.version contact_lists.last_group " +
					"contact_groups.owner contact_groups.id contact_groups.name contact_groups.folded contact_groups.place " +
					"contact_members.owner contact_members.contact contact_members.grp " +
					"contact_directory_groups.owner contact_directory_groups.directory_group")},
			},
			Sent: []Sent{
				{Wire, toServer, names("setContact.who removeContact.who SetContactRequest.groups SetContactRequest.favourite ContactGroupRequest.name " +
					"changeContactGroup.group deleteContactGroup.group ChangeContactGroupRequest.name ChangeContactGroupRequest.position " +
					"exportContacts.format ImportContactsRequest.format ImportContactsRequest.data")},
				{Wire, toOwnDevices, names("exportContacts.application/octet-stream Groups.groups Groups.version Group.id Group.key Group.name Group.people Group.lists Group.suggested " +
					"ContactsChange.version ContactsChange.group ContactsEvent.version " +
					"ContactsImported.added ContactsImported.known ContactsImported.unknown ContactsImported.groups ContactsImported.version")},
			},
		},
		{
			Name:    "when a person was last told that somebody added them",
			Source:  "the server",
			Use:     "tell them once and not again at every change, and let them answer from any device",
			Seen:    nobody,
			Control: "Only those are told who do not have the other among their contacts already and do not block them.",
			Claims:  []string{"UC5"},
			Kept: []Kept{
				{Database, forGood, names("contact_notices.owner contact_notices.other contact_notices.at")},
			},
		},
		{
			Name:    "what a person shares at all",
			Source:  "the person",
			Use:     "keep picture, time zone or presence from others",
			Seen:    self,
			Control: "The person switches pictures on and off at a desk, the own one and those of others. The administrator decides what can be chosen. This version has no screen for time zone and Privacy Mode.",
			Rules:   []string{"Pictures", "Location", "PrivacyMode", "NonContactsMayReach"},
			Claims:  []string{"PM1", "PP2", "LS3"},
			Kept: []Kept{
				{Database, untilReplaced, names("preferences.person preferences.share_photo preferences.only_contacts preferences.share_time_zone preferences.show_photos")},
				{Memory, whileRunning, names("privacy.owner.preferences privacy.Preferences.SharePhoto privacy.Preferences.OnlyContacts privacy.Preferences.ShareTimeZone privacy.Preferences.ShowPhotos")},
			},
			Sent: []Sent{
				{Wire, toServer, names("SetPicturesRequest.share SetPicturesRequest.show")},
				{Wire, toOwnDevices, names("Settings.pictures PictureSettings.share PictureSettings.show PictureSettings.allowed")},
			},
		},
	},
}
