// Package egress is the one dialer: every connection that the server opens to
// somewhere else is opened here, for a declared purpose, and counted.
//
// It decides which purposes there are and what each may reach, and keeps the
// ledger of what went out. A purpose that is not declared cannot dial. It never
// reads what a connection carries, and logs no host name that came from a user.
package egress
