package supplement

// Whom the credentials of an address book are sent to.
const toAddressBook Receiver = "the server of the person's address book, which the operator has configured"

var sources = Feature{
	Name: "Contacts of the device and of address books",
	Does: "The app joins the people of the organisation with contacts that the person has elsewhere: an export that they import, and an address book that they connect. It joins them on the device.",
	Items: []Item{
		{
			Name:    "contacts of the device",
			Source:  "an export or the device's contact picker, when the person brings them along, or their address book",
			Use:     "show them in the app, joined with the people of the organisation",
			Seen:    self,
			Control: "The person imports, switches off and removes each source under Settings > Contacts sources. Nothing of it is ever sent to the server.",
			Claims:  []string{"UC1", "UC2", "UC4", "UC6"},
			Kept: []Kept{
				{Clear, untilNextPerson, names("store:sources SourceRecord.k")},
				{Sealed, untilNextPerson, names("SourceRecord.box CardItem.id CardItem.name CardItem.nick CardItem.mails CardItem.addresses CardItem.phones CardItem.title " +
					"CardItem.company CardItem.department CardItem.office CardItem.photo CardPhoneItem.kind CardPhoneItem.number")},
			},
		},
		{
			Name:    "where contacts of the device come from",
			Source:  "the app, when the person brings them along",
			Use:     "list the sources, switch them, and read an address book again",
			Seen:    self,
			Control: "Removing a source removes it.",
			Claims:  []string{"UC3", "UC6"},
			Kept: []Kept{
				{Sealed, untilNextPerson, names("SourceItem.id SourceItem.kind SourceItem.name SourceItem.on SourceItem.pages SourceItem.count SourceItem.skipped SourceItem.left SourceItem.at " +
					"SourceItem.book SourceItem.user SourceItem.etag")},
			},
		},
		{
			Name:    "which contacts are not, or are, the same person",
			Source:  "the person, who says so on a card",
			Use:     "keep what was joined wrongly apart",
			Seen:    self,
			Control: "The person says otherwise on the card.",
			Claims:  []string{"UC3"},
			Kept: []Kept{
				{Sealed, untilNextPerson, names("DecisionBox.apart DecisionBox.together")},
			},
		},
		{
			Name:    "the servers of address books that people may connect",
			Source:  "the configuration",
			Use:     "offer them in the app, and reach no other",
			Seen:    insiders,
			Control: "The administrator configures them.",
			Claims:  []string{"UC6"},
			Sent: []Sent{
				{Wire, toDevice, names("AddressBookList.books AddressBook.id AddressBook.name")},
			},
		},
		{
			Name:    "user name and password of the person's address book",
			Source:  "the person, who types them",
			Use:     "read the address book once, when the person asks for it",
			Seen:    self,
			Control: "Nobody has to connect an address book. The server keeps neither; the device keeps the password only if the person asks for it.",
			Claims:  []string{"UC6"},
			Kept: []Kept{
				{Sealed, untilNextPerson, names("SourceItem.password")},
			},
			Sent: []Sent{
				{Wire, toServer, names("FetchAddressBookRequest.user FetchAddressBookRequest.password fetchAddressBook.book")},
				{Outbound, toAddressBook, names("address-book")},
			},
		},
		{
			Name:    "the cards of the person's address book",
			Source:  "the server of the address book",
			Use:     "show them in the app, joined with the people of the organisation",
			Seen:    self,
			Control: "The person connects an address book and removes it again under Settings > Contacts sources. The server passes the cards on and keeps none.",
			Claims:  []string{"UC6"},
			Sent: []Sent{
				{Wire, toServer, names("FetchAddressBookRequest.etag")},
				{Wire, toDevice, names("FetchedAddressBook.cards FetchedAddressBook.etag FetchedAddressBook.skipped FetchedAddressBook.unchanged")},
				{Wire, toAddressBook, names("header:Depth header:Location")},
			},
		},
	},
}
