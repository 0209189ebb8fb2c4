package supplement

// Whom the credentials of an address book are sent to.
const toAddressBook Receiver = "the server of the person's address book, which the operator has configured"

var sources = Feature{
	Name: "Contacts of the device and of address books",
	Does: "The app joins the people of the organisation with contacts that the person has elsewhere: an export that they import, and an address book that they connect. It joins them on the device.",
	Items: []Item{
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
			Control: "Nobody has to connect an address book. The server keeps neither.",
			Claims:  []string{"UC6"},
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
