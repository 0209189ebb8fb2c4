// Package supplement holds the inventory of data: every item that Parley knows,
// where it comes from, where it lies and for how long, whom it goes to, who sees
// it, what it is for and who controls it. The privacy supplement that people read
// is made from it.
//
// It decides what may be kept and sent at all: the tests of this package compare
// it with the database, the device's store, the wire, the log, the figures, the
// bus and the outbound connections, both ways, and fail the build for whatever
// stands on one side only. Whoever adds a column, a field or a key declares here
// what it is for.
//
// It must never ask a running server anything, and never describe a plan: an item
// that is not there yet is not here yet.
package supplement
