package contact

// AddressBook is a server of people's own address books that the operator has
// configured.
type AddressBook struct {
	ID   string // stays the same as long as its address does
	Name string // as people see it
}

// BookCards is what one person's address book holds. It is passed on to the
// person's device and kept nowhere.
type BookCards struct {
	Cards     string // vCards as the server gave them, one after the other
	ETag      string // changes when a card does; empty: the server does not tell
	Skipped   int    // cards that could not be had
	Unchanged bool   // the ETag is the one that was asked with: there are no Cards
}
