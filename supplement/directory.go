package supplement

import "parley/privacy"

const (
	fromDirectory = "the organisation's directory"
	inDirectory   = "The directory's administrator changes it. What everybody in the organisation sees of it is set under directory.public."
	publicRule    = "DirectoryPublic"
	phoneFields   = "Card.phones Phone.kind Phone.number Phone.dial Phone.shown FoundPerson.matched"
)

// fact is an item that the directory tells of a person. In the database and on the
// way to a viewer it is one value; privacy.Render decides who gets it.
func fact(name, use string, rows privacy.Fields, columns, memory, wire string) Item {
	return Item{
		Name: name, Source: fromDirectory, Use: use, Seen: row(rows), Control: inDirectory,
		Rules: []string{publicRule}, Claims: []string{"CC3", "CC6", "UC1"},
		Kept: []Kept{{Database, whileInDirectory, names(columns)}, {Memory, whileRunning, names(memory)}},
		Sent: []Sent{{Wire, toViewers, names(wire)}},
	}
}

var directory = Feature{
	Name: "People and contact cards",
	Does: "Everybody finds the people of the organisation and sees of each what the directory and the privacy relationship allow.",
	Items: []Item{
		{
			Name:    "who is who",
			Source:  "the server, which numbers people, and " + fromDirectory + ", which says who they are",
			Use:     "know a person again whose name or address changes",
			Seen:    row(privacy.Name),
			Control: "The directory's administrator adds, disables and removes people.",
			Claims:  []string{"CC3"},
			Kept: []Kept{
				{Database, whileInDirectory, names("people.id people.source_id people.directory people.disabled people.barred people.gone")},
				{Memory, whileRunning, names("Person.ID Person.SourceID Person.Directory Person.Disabled Person.Barred Person.Gone contact.entry.person contact.entry.key contact.entry.text")},
				{Log, asLongAsTheLog, names("person")},
			},
			Sent: []Sent{
				{Wire, toServer, names("getCard.who getPhoto.who")},
				{Wire, toViewers, names("PersonRow.id Card.id CardEvent.person WelcomeEvent.person Card.reports Groups.groups Group.people FoundPerson.id PeopleFound.people PeopleFound.more")},
			},
		},
		fact("the name", "show who somebody is and find people", privacy.Name,
			"people.display_name people.given_name people.surname",
			"Person.DisplayName Person.GivenName Person.Surname", "PersonRow.display_name FoundPerson.display_name Card.display_name"),
		fact("the sign-in address and mail address", "reach the person and find people", privacy.Address,
			"people.address people.mail", "Person.Address Person.Mail", "PersonRow.address PersonRow.mail FoundPerson.address FoundPerson.mail FoundPerson.matched Card.address Card.mail"),
		fact("further mail and SIP addresses", "find people", privacy.OtherMail, "people.other_mail", "Person.OtherMail", "PersonRow.other_mail FoundPerson.other_mail FoundPerson.matched Card.other_mail"),
		fact("the title", "show what somebody does", privacy.Title, "people.title", "Person.Title", "PersonRow.title FoundPerson.title FoundPerson.matched Card.title"),
		fact("the department", "show where somebody works and group the Contacts tab", privacy.Department,
			"people.department", "Person.Department", "PersonRow.department FoundPerson.department FoundPerson.matched Card.department"),
		fact("the company", "show where somebody works", privacy.Company, "people.company", "Person.Company", "Card.company"),
		fact("the office", "show where somebody works", privacy.Office, "people.office", "Person.Office", "Card.office"),
		fact("the manager", "show the manager and the reports", privacy.Manager, "people.manager", "Person.Manager", "Card.manager"),
		fact("the alias", "find people", privacy.Alias, "people.alias", "Person.Alias", "Card.alias FoundPerson.matched"),
		fact("the work phone number", "call the person and find people", privacy.WorkPhone,
			"people.work_phone", "Person.WorkPhone", phoneFields),
		fact("the mobile phone number", "call the person and find people", privacy.Mobile,
			"people.mobile", "Person.Mobile", phoneFields),
		fact("the home phone number", "call the person and find people", privacy.HomePhone,
			"people.home_phone", "Person.HomePhone", phoneFields),
		fact("other phone numbers", "call the person and find people", privacy.OtherPhones,
			"people.other_phones", "Person.OtherPhones", phoneFields),
		fact("the country of the office", "complete phone numbers that are written without one",
			privacy.WorkPhone|privacy.Mobile|privacy.HomePhone|privacy.OtherPhones, "people.region", "Person.Region", "Phone.dial Phone.shown"),
		{
			Name: "the picture", Source: fromDirectory, Use: "show the person", Seen: row(privacy.Photo),
			Control: "Nobody uploads one. The administrator can switch pictures off, and each person decides whether the own is shared.",
			Rules:   []string{"Pictures"}, Claims: []string{"PP1", "PP2"},
			Kept: []Kept{
				{Database, whileInDirectory, names("people.photo photos.person photos.small photos.large photos.source")},
				{Memory, whileRunning, names("Person.Photo")},
			},
			Sent: []Sent{
				{Wire, toServer, names("getPhoto.size header:If-None-Match")},
				{Wire, toViewers, names("PersonRow.photo FoundPerson.photo Card.photo getPhoto.image/jpeg header:Etag")},
			},
		},
		{
			Name:   "how the directory is followed",
			Source: "the server, as it synchronises people with the organisation's directory",
			Use: "show the operator that it works: when it last did, which server answered, " +
				"and which entries cannot be taken in for what reason",
			Seen:    administrators,
			Control: "A single entry is named by its place in the directory only while something is wrong with it.",
			Claims:  []string{"CC3"},
			Kept: []Kept{
				{Database, untilReplaced, names("directory_state.directory directory_state.mode directory_state.kind directory_state.server " +
					"directory_state.last_sync directory_state.last_full directory_state.failing_since " +
					"directory_state.problem directory_state.detail directory_state.problems")},
				{Log, asLongAsTheLog, names("mode")},
			},
			Sent: []Sent{
				{Wire, toAdministrators, names("DirectoryState.configured DirectoryState.kind DirectoryState.server DirectoryState.mode DirectoryState.people " +
					"DirectoryState.groups DirectoryState.last_sync DirectoryState.last_full DirectoryState.failing_since DirectoryState.problem " +
					"DirectoryState.detail DirectoryState.problems DirectoryProblem.dn DirectoryProblem.text")},
				{Wire, toServer, names("control:directoryRequest.accept_removals")},
				{Wire, toAdministrator, names("control:DirectoryStatus.kind control:DirectoryStatus.server control:DirectoryStatus.mode control:DirectoryStatus.people " +
					"control:DirectoryStatus.groups control:DirectoryStatus.last_sync control:DirectoryStatus.last_full control:DirectoryStatus.failing_since " +
					"control:DirectoryStatus.problem control:DirectoryStatus.detail control:DirectoryStatus.problems control:DirectoryEntry.dn " +
					"control:DirectoryEntry.text")},
				{Figures, toMonitoring, names("change")},
			},
		},
		{
			Name:    "the phone numbers that a person types",
			Source:  "the person, under Phone numbers",
			Use:     "call the person and find people",
			Seen:    typed(privacy.WorkPhone | privacy.Mobile | privacy.HomePhone | privacy.OtherPhones),
			Control: "The person changes and removes them. The privacy relationship alone decides who sees them: directory.public does not open them.",
			Claims:  []string{"CC5", "CC6"},
			Kept: []Kept{
				{Database, untilRemoved, names("typed_phones.person typed_phones.place typed_phones.kind typed_phones.number")},
				{Memory, untilRemoved, names("TypedPhone.Kind TypedPhone.Number")},
			},
			Sent: []Sent{
				{Wire, toServer, names("SetPhonesRequest.phones TypedPhone.kind TypedPhone.number")},
				{Wire, toViewers, names(phoneFields + " Phone.typed Settings.phones")},
			},
		},
		{
			Name:    "the groups of the directory",
			Source:  fromDirectory,
			Use:     "find the people of a group together, and decide by rules of the operator who is an administrator and who may use Parley",
			Seen:    insiders,
			Control: "The directory's administrator changes them. A group that only serves a rule is shown to nobody.",
			Claims:  []string{"UC1"},
			Kept: []Kept{
				{Database, whileInDirectory, names("directory_groups.id directory_groups.source_id directory_groups.directory directory_groups.name " +
					"directory_groups.mail directory_groups.description directory_groups.listed directory_groups.gone " +
					"directory_group_people.grp directory_group_people.person directory_group_groups.grp directory_group_groups.source")},
				{Memory, whileRunning, names("contact.StoredGroup.ID contact.StoredGroup.SourceID contact.StoredGroup.Directory contact.StoredGroup.Name " +
					"contact.StoredGroup.Mail contact.StoredGroup.Description contact.StoredGroup.Listed contact.StoredGroup.Gone " +
					"contact.StoredGroup.People contact.StoredGroup.GroupSources contact.group.StoredGroup contact.group.entry")},
			},
			Sent: []Sent{
				{Wire, toServer, names("getDirectoryGroup.group getDirectoryGroup.after")},
				{Wire, toViewers, names("DirectoryGroupRow.id DirectoryGroupRow.name DirectoryGroupRow.mail DirectoryGroupRow.description DirectoryGroup.id " +
					"DirectoryGroup.name DirectoryGroup.mail DirectoryGroup.description DirectoryGroup.people DirectoryGroup.groups DirectoryGroup.more PeopleFound.groups")},
			},
		},
		{
			Name: "what somebody searches for", Source: "the person, who types it", Use: "find people", Seen: nobody,
			Control: "It is answered and forgotten: it is neither kept nor logged.", Claims: []string{"UC1", "LG4"},
			Sent: []Sent{{Wire, toServer, names("searchPeople.q searchPeople.limit searchPeople.pad")}},
		},
	},
}
