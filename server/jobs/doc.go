// Package jobs does the work that a commit left behind: it leases jobs, does each
// at least once, tries again what failed, and keeps what never succeeded.
//
// It decides when and by whom a job is done, never what is in it: each kind of
// work is registered by its name. A kind that nobody registered here is left for a
// node that knows it. It must never do a job without a lease, nor let the end of
// one hang on an event.
package jobs
