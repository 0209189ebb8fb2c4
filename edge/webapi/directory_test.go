package webapi

import (
	"context"
	"time"

	"parley"
	"parley/contact"
)

// oneDirectory is a corporate directory of which everything is told.
type oneDirectory struct{}

func (oneDirectory) State(context.Context) (contact.DirectoryState, bool, error) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return contact.DirectoryState{
		Directory: parley.LDAP, Mode: "poll", Kind: "ad", Server: "dc1.example.test", LastSync: at, LastFull: at, FailingSince: at,
		Problem: "directory.unreachable", Detail: "connection refused", Problems: []contact.EntryProblem{{DN: "cn=a", Text: "no address"}},
	}, true, nil
}

func (oneDirectory) Size() (people, groups int) { return 2, 1 }

func (oneDirectory) Sync(context.Context, parley.Actor, bool) error { return nil }
