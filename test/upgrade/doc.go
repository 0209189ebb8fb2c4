// Package upgrade holds what releases left behind: their databases, in both
// dialects, and what a browser kept of their app; and it has today's program open
// all of it.
//
// A fixture is never changed once its release is out. It is brought to the present
// by moving its times, never by touching anything else: what a release stored is
// what today's program has to understand.
package upgrade
