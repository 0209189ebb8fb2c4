// Package directory turns what a corporate directory says into people: an LDIF
// export (RFC 2849) into attribute records, a record into a parley.Person, and a
// directory photo into the two sizes that the app shows.
//
// It decides which records are people, which attribute feeds which fact, what a
// sign-in address is made of, and what of a text or a photo may enter the
// program. It stores nothing and resolves nobody: who is new, who changed and
// whose manager is whom is for its caller to find out.
//
// It must never open a file or an address that a record names, follow a
// referral, keep a password attribute, hand on a photo as it came, or hold more
// than one record in memory.
package directory
