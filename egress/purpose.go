package egress

import (
	"slices"
	"time"
)

// Purpose names why the server opens connections to the outside.
type Purpose string

// The declared purposes.
const (
	// Discovery looks up the server of another organisation. The host names
	// come from whoever types a sign-in address, so nothing inside this network
	// may be reached.
	Discovery Purpose = "discovery"

	// Names asks the resolver for the records of Discovery.
	Names Purpose = "names"

	// Certificates gets TLS certificates from the configured authority.
	Certificates Purpose = "certificates"
)

// Declaration is one line of the ledger: what is sent where, and within which
// limits.
type Declaration struct {
	Purpose Purpose
	For     string // what it is for, one sentence
	Data    string // the class of data that leaves the server
	Hosts   string // which hosts are reached

	// Untrusted says that host names come from outside. Then only public
	// addresses are dialled, on the port of HTTPS, and only by HTTPS.
	Untrusted bool

	Timeout   time.Duration // of a whole request, or of a dial
	MaxBody   int64         // bytes of a response; 0: no limit
	Redirects int           // followed at most, each vetted like the first request
	Together  int           // requests under way at once; 0: no limit
}

var declarations = []Declaration{
	{
		Purpose:   Discovery,
		For:       "Finds the server of another organisation when somebody types a sign-in address that this server does not serve.",
		Data:      "the domain of the address; nothing about the person",
		Hosts:     "that domain, and where its web server redirects to",
		Untrusted: true,
		Timeout:   5 * time.Second,
		MaxBody:   64 << 10,
		Redirects: 3,
		Together:  8,
	},
	{
		Purpose:  Names,
		For:      "Asks for the _parley._tcp record of the same domain.",
		Data:     "the domain of the address; nothing about the person",
		Hosts:    "the resolver of this machine",
		Timeout:  5 * time.Second,
		Together: 8,
	},
	{
		Purpose: Certificates,
		For:     "Gets and renews this server's TLS certificate.",
		Data:    "this server's host names and the operator's mail address",
		Hosts:   "the certificate authority in the configuration",
		Timeout: 30 * time.Second,
	},
}

// Declared lists every purpose there is.
func Declared() []Declaration { return slices.Clone(declarations) }
