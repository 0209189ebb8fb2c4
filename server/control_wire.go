package server

import (
	"context"
	"errors"
	"strings"
	"time"

	"parley"
)

// What the command line and the server say to each other over the control
// socket: HTTP with JSON, and a stream of JSON lines where there is progress. It
// is between two copies of one program and no public interface.

// ImportOptions say how an export is taken over.
type ImportOptions struct {
	// Complete says that the export holds everybody: whoever is missing from it
	// has left.
	Complete bool

	// Domain completes an alias to a sign-in address for people without one.
	// Empty: organisation.default_domain.
	Domain string
}

// ImportCount counts what an import did so far.
type ImportCount struct {
	Read      int `json:"read"`      // people in the export
	Added     int `json:"added"`     // new
	Changed   int `json:"changed"`   // known, with other facts
	Unchanged int `json:"unchanged"` // known, as they were
	Skipped   int `json:"skipped"`   // records that could not be used
	Left      int `json:"left"`      // known, missing from a complete export
	Problems  int `json:"problems"`  // of records and of single values
}

// importLine is one line of the answer to an import.
type importLine struct {
	Problem  string       `json:"problem,omitempty"`
	Progress *ImportCount `json:"progress,omitempty"`
	Done     *ImportCount `json:"done,omitempty"`   // the last line of an import that came to its end
	Failed   string       `json:"failed,omitempty"` // the last line of one that did not
}

// Listed is a person as the administrator's list shows them.
type Listed struct {
	Address     string    `json:"address"`
	DisplayName string    `json:"display_name"`
	Disabled    bool      `json:"disabled,omitempty"`
	Barred      bool      `json:"barred,omitempty"` // by the directory's word
	Gone        bool      `json:"gone,omitempty"`
	Requested   time.Time `json:"requested,omitzero"` // when they asked for a new password, if they did
}

// Invited is an invitation for a person to choose a password.
type Invited struct {
	Link    string    `json:"link"` // works once
	Expires time.Time `json:"expires"`
}

// personRequest names a person, and for a new password gives it.
type personRequest struct {
	Address  string `json:"address"`
	Password string `json:"password,omitempty"`
}

// controlRefusal is the answer to a request that failed.
type controlRefusal struct {
	Error string `json:"error"`
}

// refusalTexts are the refusals that an administrator can meet, in words. The
// app has its own catalogue.
var refusalTexts = map[string]string{
	"not-found":             "nobody has this sign-in address",
	"address.invalid":       "this is no sign-in address",
	"password.empty":        "the password is empty",
	"password.short":        "the password is too short; at least 10 characters",
	"password.long":         "the password is too long; at most 1024 bytes",
	"password.characters":   "the password holds characters that cannot be typed everywhere",
	"password.guessable":    "the password is the person's own name or address",
	"password.in-directory": "the password is in the corporate directory; change it there",
	"person.disabled":       "this person is disabled or has left",
	"sign-in.busy":          "too many passwords are being checked; try again",
	"audit.verifying":       "the audit trail is being verified already; try again when that is done",
	"policy.unknown":        "there is no such rule; \"parley policy list\" lists them",
	"directory.not-running": "no server runs; it compares everything when it starts",
	"directory.none":        "no corporate directory is configured: [ldap] servers is empty",
	"job.unknown":           "there is no job of this number that was given up",
	"job.replaced":          "another job of this name is waiting by now; it does the work",
}

// inWords says what was wrong to the administrator, who may know everything.
func inWords(err error) string {
	if errors.Is(err, context.Canceled) {
		return "the server stops; try again when it runs"
	}
	if refusal, ok := asRefusal(err); ok {
		if strings.HasPrefix(refusal.Key, "policy.") && refusal.Err != nil {
			return refusal.Err.Error() // it says which values there are, or where the rule is given
		}
		if text, ok := refusalTexts[refusal.Key]; ok {
			return text
		}
	}
	return err.Error()
}

var commandLine = parley.Actor{Kind: parley.ActorAdmin, Methods: []string{"local"}}
