// Package presence decides what state a person is in, out of what their devices
// report and what the person chose by hand, and who has to hear of a change.
//
// The rules are in Aggregate, a pure function. The Board holds the facts in
// memory, each with a lease, keeps what was chosen by hand in its Store, watches
// the clock, and marks a person dirty for those who watch when the shown state
// changed. What a watcher may see of it is privacy.Render's to say.
//
// It must never let a state outlive its lease, queue anything for a watcher, or
// call a watcher while it holds its own lock.
package presence
