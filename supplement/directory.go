package supplement

import "parley/privacy"

const (
	fromDirectory = "the organisation's directory"
	inDirectory   = "The directory's administrator changes it. What everybody in the organisation sees of it is set under directory.public."
	publicRule    = "DirectoryPublic"
)

// fact is an item that the directory tells of a person. In the database and on the
// way to a viewer it is one value; privacy.Render decides who gets it.
func fact(name, use string, rows privacy.Fields, columns, wire string) Item {
	return Item{
		Name: name, Source: fromDirectory, Use: use, Seen: row(rows), Control: inDirectory,
		Rules: []string{publicRule}, Claims: []string{"CC3", "CC6", "UC1"},
		Kept: []Kept{{Database, whileInDirectory, names(columns)}},
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
			Seen:    anybody,
			Control: "The directory's administrator adds, disables and removes people.",
			Claims:  []string{"CC3"},
			Kept: []Kept{
				{Database, whileInDirectory, names("people.id people.source_id people.disabled people.gone")},
				{Log, asLongAsTheLog, names("person")},
			},
			Sent: []Sent{
				{Wire, toServer, names("getCard.who getPhoto.who WatchFrame.people")},
				{Wire, toViewers, names("PersonRow.id Card.id CardEvent.person WelcomeEvent.person Card.reports Groups.groups Group.id Group.key Group.name Group.people PeopleFound.people PeopleFound.more")},
			},
		},
		fact("the name", "show who somebody is and find people", privacy.Name,
			"people.display_name people.given_name people.surname", "PersonRow.display_name Card.display_name"),
		fact("the sign-in address and mail address", "reach the person and find people", privacy.Address,
			"people.address people.mail", "PersonRow.address Card.address Card.mail"),
		fact("further mail and SIP addresses", "find people", privacy.OtherMail, "people.other_mail", "Card.other_mail"),
		fact("the title", "show what somebody does", privacy.Title, "people.title", "PersonRow.title Card.title"),
		fact("the department", "show where somebody works and group the Contacts tab", privacy.Department,
			"people.department", "PersonRow.department Card.department"),
		fact("the company", "show where somebody works", privacy.Company, "people.company", "Card.company"),
		fact("the office", "show where somebody works", privacy.Office, "people.office", "Card.office"),
		fact("the manager", "show the manager and the reports", privacy.Manager, "people.manager", "Card.manager"),
		fact("the alias", "find people", privacy.Alias, "people.alias", "Card.alias"),
		{
			Name: "phone numbers", Source: fromDirectory, Use: "call the person and find people",
			Seen:    row(privacy.WorkPhone | privacy.Mobile | privacy.HomePhone | privacy.OtherPhones),
			Control: inDirectory + " Each number has a row of its own in the matrix: work, mobile, home, others.",
			Rules:   []string{publicRule}, Claims: []string{"CC5", "CC6", "UC1"},
			Kept: []Kept{{Database, whileInDirectory, names("people.work_phone people.mobile people.home_phone people.other_phones people.region")}},
			Sent: []Sent{{Wire, toViewers, names("Card.phones Phone.kind Phone.number Phone.dial")}},
		},
		{
			Name: "the picture", Source: fromDirectory, Use: "show the person", Seen: row(privacy.Photo),
			Control: "Nobody uploads one. The person can choose not to share it, the administrator can switch pictures off.",
			Rules:   []string{"Pictures"}, Claims: []string{"PP1", "PP2"},
			Kept: []Kept{{Database, whileInDirectory, names("people.photo photos.person photos.small photos.large")}},
			Sent: []Sent{
				{Wire, toServer, names("getPhoto.size header:If-None-Match")},
				{Wire, toViewers, names("PersonRow.photo Card.photo getPhoto.image/jpeg header:Etag")},
			},
		},
		{
			Name: "what somebody searches for", Source: "the person, who types it", Use: "find people", Seen: nobody,
			Control: "It is answered and forgotten: it is neither kept nor logged.", Claims: []string{"UC1", "LG4"},
			Sent: []Sent{{Wire, toServer, names("searchPeople.q searchPeople.limit")}},
		},
	},
}
