package webapi

import (
	"context"

	"parley"
	"parley/contact"
)

// AddressBooks reads people's own address books elsewhere. What it reads is passed
// on to the device that asked and kept nowhere.
type AddressBooks interface {
	// List gives the servers that the operator has configured.
	List() []contact.AddressBook
	// Fetch reads what a person has at one of them. The password is for this once.
	Fetch(ctx context.Context, who parley.PersonID, id, user string, password parley.Secret, etag string) (contact.BookCards, error)
}

func (s *Server) getAddressBooks(context.Context, caller, *nothing) (*reply[AddressBookList], error) {
	list := AddressBookList{Books: []AddressBook{}}
	if s.config.AddressBooks != nil {
		for _, b := range s.config.AddressBooks.List() {
			list.Books = append(list.Books, AddressBook{ID: b.ID, Name: b.Name})
		}
	}
	return &reply[AddressBookList]{list}, nil
}

func (s *Server) fetchAddressBook(ctx context.Context, c caller, in *fetchBookInput) (*reply[FetchedAddressBook], error) {
	if s.config.AddressBooks == nil {
		return nil, parley.ErrWithheld
	}
	found, err := s.config.AddressBooks.Fetch(ctx, c.session.Actor.Person, in.Book, in.Body.User, parley.Secret(in.Body.Password), in.Body.ETag)
	if err != nil {
		return nil, err
	}
	return &reply[FetchedAddressBook]{FetchedAddressBook{
		Cards: found.Cards, ETag: found.ETag, Skipped: found.Skipped, Unchanged: found.Unchanged,
	}}, nil
}
