package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"parley"
)

// DirectoryStatus is how the synchronisation with the corporate directory stands.
type DirectoryStatus struct {
	Kind         string           `json:"kind,omitempty"`
	Server       string           `json:"server,omitempty"`
	Mode         string           `json:"mode,omitempty"`
	People       int              `json:"people"`
	Groups       int              `json:"groups"`
	LastSync     time.Time        `json:"last_sync,omitzero"`     // when it was last in step
	LastFull     time.Time        `json:"last_full,omitzero"`     // when everything was compared last
	FailingSince time.Time        `json:"failing_since,omitzero"` // zero: it works
	Problem      string           `json:"problem,omitempty"`      // in words
	Detail       string           `json:"detail,omitempty"`       // what the directory itself said
	Problems     []DirectoryEntry `json:"problems,omitempty"`
}

// DirectoryEntry is what is wrong with one entry.
type DirectoryEntry struct {
	DN   string `json:"dn"`
	Text string `json:"text"`
}

// directoryRequest asks for a comparison of everything.
type directoryRequest struct {
	AcceptRemovals bool `json:"accept_removals"`
}

// directoryProblems are the problems with the whole in words, with what to do.
var directoryProblems = map[string]string{
	"directory.unreachable": "the directory does not answer. People and groups stay as they were last known",
	"directory.certificate": "the server's certificate is not believed: look at ldap.ca, and at the name in ldap.servers",
	"directory.encryption":  "the connection cannot be encrypted: look at ldap.servers and ldap.start_tls",
	"directory.refused":     "the directory refuses the account: look at ldap.bind_dn and ldap.bind_password",
	"directory.size-limit":  "the server gives only a part of the entries. Raise its limit for the account, or allow the account paged searches",
	"directory.no-base":     "a base does not exist, or the account may not see it: look at ldap.people_bases and ldap.group_bases",
	"directory.no-group":    "a group does not exist, or the account may not see it: look at ldap.users. Who may sign in stays as it was",
	"directory.nobody":      "the groups of ldap.users hold nobody. Who may sign in stays as it was until they do, and nobody new signs in",
	"directory.failed":      "the directory answers, but not what it was asked",
	"directory.unreadable":  "some entries cannot be read so far that it is known whose they are, so nobody is marked gone",
	"directory.held-back": "so many people are missing at once that a base or filter may be wrong. If they have left: " +
		"parley directory sync --accept-removals",
}

// Directory says how the synchronisation with the corporate directory stands.
func (c *Control) Directory(ctx context.Context) (DirectoryStatus, error) {
	var status DirectoryStatus
	return status, c.ask(ctx, "GET", "/directory", nil, &status)
}

// SyncDirectory has everything compared with the corporate directory. With removals
// as many people who are missing are marked gone as were shown to be.
func (c *Control) SyncDirectory(ctx context.Context, removals bool) error {
	return c.ask(ctx, "POST", "/directory/sync", directoryRequest{removals}, nil)
}

// errNoDirectory is the answer where there is no corporate directory.
var errNoDirectory error = parley.Refuse(parley.Conflict, "directory.none")

func (c *control) directoryStatus(w http.ResponseWriter, r *http.Request) {
	if c.parts.follower == nil {
		c.refuse(w, r.URL.Path, errNoDirectory)
		return
	}
	state, _, err := c.parts.State(r.Context())
	if err != nil {
		c.refuse(w, r.URL.Path, err)
		return
	}
	people, groups := c.parts.Size()
	status := DirectoryStatus{
		Kind: state.Kind, Server: state.Server, Mode: state.Mode, People: people, Groups: groups,
		LastSync: state.LastSync, LastFull: state.LastFull, FailingSince: state.FailingSince,
		Problem: directoryProblems[state.Problem], Detail: state.Detail,
	}
	for _, p := range state.Problems {
		status.Problems = append(status.Problems, DirectoryEntry(p))
	}
	writeJSON(w, http.StatusOK, status)
}

func (c *control) syncDirectory(w http.ResponseWriter, r *http.Request) {
	var request directoryRequest
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody)).Decode(&request)
	switch {
	case err != nil:
	case c.parts.follower == nil:
		err = errNoDirectory
	default:
		err = c.parts.Sync(r.Context(), commandLine, request.AcceptRemovals)
	}
	if err != nil {
		c.refuse(w, r.URL.Path, err)
		return
	}
	c.log.Info("administrator's command done", "command", r.URL.Path)
	writeJSON(w, http.StatusOK, nil)
}
