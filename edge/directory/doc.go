// Package directory turns what a corporate directory says into people: an LDIF
// export (RFC 2849) into attribute records, a record into a parley.Person, and a
// directory photo into the two sizes that the app shows.
//
// It decides which records are people, which attribute feeds which fact, what a
// sign-in address is made of, and what of a text or a photo may enter the
// program. It stores nothing and resolves nobody: who is new, who changed and
// whose manager is whom is for its caller to find out.
//
// It also reaches that directory over LDAP: over connections that are encrypted
// before a password goes over them, to the first server that works. It decides
// which entry a login means and what the answer to a bind says; examining a
// configuration for the operator is part of it. Whether somebody may sign in is
// for package account to decide.
//
// It must never open a file or an address that a record names, follow a
// referral, keep a password or its attribute, hand on a photo as it came, or hold more
// than one record in memory.
package directory
