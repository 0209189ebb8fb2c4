// Package demo is an invented organisation of forty-one people to try Parley with:
// who they are, what they look like, and how to sign in as them, written as the
// directory export of a real organisation would be.
//
// It decides nothing about the program. Its people, addresses and numbers are
// made up: the domain is reserved for examples (RFC 2606), and the phone numbers
// are of the ranges that the countries keep for films and books.
package demo
