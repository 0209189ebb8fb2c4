// Package addressbook reads a person's own address book from a CardDAV server (RFC
// 6352) that the operator has configured, and passes it on to the person's device.
//
// It decides what is asked of such a server and how much is taken from it. It must
// never keep a card, a name or a password, put one into an error or a log, reach
// another host than the configured one, or use one person's connection for another.
//
// The requests are written here rather than by a library: the one at hand takes
// cards apart and gives up on an address book with the first that is broken, while
// the device, which reads them anyway, only leaves that one out.
package addressbook
