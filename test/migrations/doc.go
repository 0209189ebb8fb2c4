// Package migrations holds the rules of changing the database: what is released is
// never changed, and a change expands first and contracts a release later, because
// nodes of the previous release go on working with the tables that a new node has
// changed.
//
// It decides from the text of the migrations alone, and it must never let pass what
// it does not understand.
package migrations
