// Package privacy decides who may see, find or reach whom, field by field. It is
// the only place that does: card, list, search, push, export and log all ask it.
//
// It knows the relations between people (the level that an owner gives to
// somebody, and who is in whose Contacts list) and each person's preferences. A
// Gate turns owner and viewer into a Class; Render turns facts, a Class and the
// operator's policy into what that class sees. Render sees no viewer, so
// whatever it gives may be encoded once for a whole class.
//
// It must never tell a viewer their own class: a blocked person and a person who
// asks about somebody who never signed in get the same answer. It does no I/O
// except through its Store, and none at all on the way to a Class.
package privacy
