// Package parley is the shared vocabulary: the ids, the actor, the kinds of
// error, a person's facts, the entries of the log and every event that one part
// of the program tells another.
//
// It decides nothing and does nothing: no I/O, no goroutine, no clock. It
// imports the standard library only, and every other package may import it.
// Its types carry no struct tags, because what leaves the program is decided by
// the edge that lets it out.
package parley
