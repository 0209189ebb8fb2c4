package contact

import (
	"context"
	"time"

	"parley"
)

// DirectoryState is how far a directory is followed, and how that goes. All nodes
// read it; the one that follows the directory writes it.
type DirectoryState struct {
	Directory string // parley.Person.Directory of its people
	Mode      string // how changes are noticed
	Kind      string // what sort of server it is
	Server    string // which one answered last

	LastSync     time.Time // when it was last in step; zero: never
	LastFull     time.Time // when everything was compared last; zero: never
	FailingSince time.Time // zero: it works

	Problem  string // key of a text; empty: none
	Detail   string // what the server said, or how many it concerns
	Problems []EntryProblem
}

// EntryProblem is something wrong with one entry of a directory.
type EntryProblem struct {
	DN   string // as the directory writes it; empty: unknown
	Text string
}

// StateStore keeps how directories are followed.
type StateStore interface {
	// DirectoryState gives what was stored last of a directory; of one that was
	// never followed the zero state with its name.
	DirectoryState(ctx context.Context, directory string) (DirectoryState, error)

	// SetDirectoryState stores it, behind messages.
	SetDirectoryState(ctx context.Context, s DirectoryState) error
}

// Missing gives the SourceIDs of the directory's people who are not among those
// that are there.
func (im *Importer) Missing(there map[string]bool) []string {
	var sources []string
	for _, id := range im.Book.missing(im.Directory, there) {
		if p, known := im.Book.Person(id); known {
			sources = append(sources, p.SourceID)
		}
	}
	return sources
}

// Aliases says who of a directory has which alias, gone people left out. Of two
// with one alias it is the one who is here longer.
func (b *Book) Aliases(directory string) map[string]parley.PersonID {
	b.mu.RLock()
	defer b.mu.RUnlock()
	aliases := make(map[string]parley.PersonID)
	for _, e := range b.people {
		if e == nil || e.person.Gone || e.person.Directory != directory || e.person.Alias == "" {
			continue
		}
		if _, taken := aliases[e.person.Alias]; !taken {
			aliases[e.person.Alias] = e.person.ID
		}
	}
	return aliases
}

// GroupSources gives the SourceIDs of the groups of a directory, gone ones left
// out, in no order.
func (b *Book) GroupSources(directory string) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var sources []string
	for _, g := range b.groups.byID {
		if g.Directory == directory && !g.Gone {
			sources = append(sources, g.SourceID)
		}
	}
	return sources
}
