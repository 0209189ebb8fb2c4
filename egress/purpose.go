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

	// Names asks the resolver of this machine: for the addresses of the hosts that
	// the other purposes dial, and for the records of Discovery.
	Names Purpose = "names"

	// Database reaches the PostgreSQL server that is configured.
	Database Purpose = "database"

	// Directory reaches the corporate directory that is configured, over LDAP.
	Directory Purpose = "directory"

	// Bus reaches the NATS servers that are configured, where the servers of one
	// organisation do not carry the bus themselves.
	Bus Purpose = "bus"

	// Routes joins the servers of one organisation to each other.
	Routes Purpose = "routes"

	// Certificates gets TLS certificates from the configured authority.
	Certificates Purpose = "certificates"

	// AddressBook reads people's own address books for them.
	AddressBook Purpose = "address-book"

	// Control is the command line asking the running server.
	Control Purpose = "control"
)

// Declaration is one line of the ledger: what is sent where, and within which
// limits.
type Declaration struct {
	Purpose Purpose
	For     string // what it is for, one sentence
	Data    string // the class of data that leaves the server
	Hosts   string // which hosts are reached

	// Past says who opens the connections of this purpose, where it is not Egress,
	// and why. It is an exception: then there are no limits, and the ledger counts
	// what it is told. Empty: Egress opens every one.
	Past string

	// Uncounted says of a purpose with Past that nobody tells the ledger.
	Uncounted bool

	// Untrusted says that host names come from outside. Then only public
	// addresses are dialled, on the port of HTTPS, and only by HTTPS.
	Untrusted bool

	Timeout   time.Duration // of a whole request, or of a dial
	MaxBody   int64         // bytes of a response; 0: no limit
	Redirects int           // followed at most, each vetted like the first request
	Together  int           // requests, or questions for records, under way at once; 0: no limit
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
		For:      "Resolves the names of the hosts of the other purposes, and asks for the _parley._tcp record of a typed domain.",
		Data:     "host names: those in the configuration, and the domain of a typed sign-in address; nothing about the person",
		Hosts:    "the resolver of this machine",
		Timeout:  5 * time.Second,
		Together: 8,
	},
	{
		Purpose: Database,
		For:     "Keeps what the server stores in PostgreSQL, where that is configured.",
		Data:    "everything that the server stores",
		Hosts:   "the database server in the configuration",
		Timeout: 10 * time.Second,
	},
	{
		Purpose: Directory,
		For:     "Reads people and groups from the corporate directory, and has it check passwords, where one is configured.",
		Data:    "the sign-in name and password of whoever signs in with the directory, and the password of the account that reads it",
		Hosts:   "the directory servers in the configuration",
		Timeout: 5 * time.Second,
	},
	{
		Purpose: Bus,
		For:     "Tells the other servers of the organisation what has changed, through NATS servers, where those are configured.",
		Data:    "hints and presence; no message",
		Hosts:   "the NATS servers in the configuration",
		Timeout: 5 * time.Second,
	},
	{
		Purpose:   Routes,
		For:       "Tells the other servers of the organisation what has changed, without NATS servers of their own.",
		Data:      "hints and presence; no message",
		Hosts:     "the other servers in the configuration, and those that they know of",
		Past:      "nats-server, which runs inside the server, opens its routes itself and takes no dialer",
		Uncounted: true,
		Timeout:   5 * time.Second,
	},
	{
		Purpose: Certificates,
		For:     "Gets and renews this server's TLS certificate.",
		Data:    "this server's host names and the operator's mail address",
		Hosts:   "the certificate authority in the configuration",
		Past:    "certmagic opens its connections itself and takes no dialer; it tells the ledger of every request",
		Timeout: 30 * time.Second,
	},
	{
		Purpose:  AddressBook,
		For:      "Reads somebody's own address book when they ask for it, and passes it on to their device.",
		Data:     "the user name and password of the address book, which the person types for it; nothing that Parley knows",
		Hosts:    "the address book servers in the configuration",
		Timeout:  30 * time.Second,
		MaxBody:  48 << 20,
		Together: 8,
	},
	{
		Purpose:   Control,
		For:       "Lets the command line ask the running server on the same machine.",
		Data:      "what the administrator types, and the answers",
		Hosts:     "the Unix socket in the data folder",
		Past:      "the command line is another process than the server, and nothing leaves the machine",
		Uncounted: true,
		Timeout:   5 * time.Second,
	},
}

// Declared lists every purpose there is.
func Declared() []Declaration { return slices.Clone(declarations) }
