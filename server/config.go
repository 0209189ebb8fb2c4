package server

import (
	"io"
	"log/slog"
	"net/netip"

	"parley"
	"parley/account"
	"parley/edge/webapi"
	"parley/egress"
	"parley/policy"
)

// Config is everything that the operator decides. Fields with a key come from
// the configuration file, from PARLEY_ variables and from flags, in this order;
// their doc tags are the text of parley.example.toml. The others are set by the
// program that starts the server.
type Config struct {
	Addr           string         `key:"addr" doc:"Address and port to listen on. 127.0.0.1 is for a proxy on this machine; \":443\" is every address."`
	Data           string         `key:"data" doc:"Folder that holds everything the server stores. Relative to the folder that the server starts in."`
	PublicURL      string         `key:"public_url" doc:"How people reach this server, such as https://parley.example.com. Needed when the sign-in address's domain is another one, and for invitation links. Empty: made from addr and tls."`
	TrustedProxies []netip.Prefix `key:"trusted_proxies" doc:"Proxies whose X-Forwarded-For is believed, as addresses or prefixes, such as [\"127.0.0.1\", \"10.0.0.0/8\"]. Everybody else's is ignored."`

	Administrators []string `key:"administrators" doc:"Sign-in addresses of the people who may change the rules of the organisation while the server runs. To everybody else the operations for that do not exist."`

	Organisation OrganisationConfig `key:"organisation" doc:"The organisation that this server is for."`
	Operator     OperatorConfig     `key:"operator" doc:"Who runs this server, if that is not the organisation itself. The sign-in page and the privacy page name them."`
	TLS          TLSConfig          `key:"tls" doc:"Encryption of the connections. Browsers give an app on plain HTTP no encryption, worker or microphone, so use TLS here or in a proxy."`
	Database     DatabaseConfig     `key:"database" doc:"Where the database is."`
	Cluster      ClusterConfig      `key:"cluster" doc:"Several nodes over one PostgreSQL database, for more people than one machine carries, and to go on when one of them fails."`
	LDAP         LDAPConfig         `key:"ldap" doc:"The corporate directory, over LDAP: Active Directory, OpenLDAP and others. Its people sign in with their passwords there. Without ldap.servers there is none, and people come from an LDIF file. \"parley doctor directory\" tries these settings."`
	Policy       policy.Policy      // its keys, limits and texts are those of policy.Definitions
	Limits       LimitsConfig       `key:"limits" doc:"How much one person or device may ask for."`
	AddressBook  AddressBookConfig  `key:"address_book" doc:"People's own address books elsewhere. Who wants to sees theirs in the app; nothing of it is kept on this server."`
	Metrics      MetricsConfig      `key:"metrics" doc:"Figures for Prometheus at /metrics. Without the settings below they are given to this machine only."`
	Log          LogConfig          `key:"log" doc:"The server's own log, on standard error. It never holds content, passwords, tokens or query strings."`

	// Given says where a setting was given, by key: ReadConfig fills it in. A rule
	// that is given, or that differs from its default, cannot be changed while the
	// server runs.
	Given map[string]string

	Logger  *slog.Logger   // nil: nothing is logged
	Level   *slog.LevelVar // how severe what Logger writes must be; nil: log.level needs a restart
	Out     io.Writer      // is told how to reach the server once it serves; nil: nobody is
	Build   string         // version of the program, as people are told it
	Demo    bool           // fill an empty data folder with the demo organisation
	LAN     bool           // serve this machine's network with a certificate authority of its own
	Outside egress.Config  // how the outside is reached; the zero value is the network itself
	LANPage string         // with LAN: address of the page that explains how to trust it; empty: :8080
}

// OrganisationConfig says whose server this is.
type OrganisationConfig struct {
	Name          string   `key:"name" required:"Example Ltd" doc:"Name of the organisation, as people see it."`
	Domains       []string `key:"domains" required:"example.com" doc:"Domains of the sign-in addresses that this server serves."`
	DefaultDomain string   `key:"default_domain" doc:"Domain that completes a name without one at the command line, and a directory record without an address. Empty: the first of domains."`
	Region        string   `key:"region" required:"GB" doc:"Country of the organisation (two letters, ISO 3166). It completes phone numbers that are written without a country code."`
}

// OperatorConfig names the party that receives the information.
type OperatorConfig struct {
	Name       string `key:"name" doc:"Name of the operator."`
	Contact    string `key:"contact" doc:"How to reach the operator: a mail address or a URL."`
	PrivacyURL string `key:"privacy_url" doc:"The operator's privacy statement."`
}

// The values of tls.mode.
const (
	TLSOff   = "off"
	TLSFiles = "files"
	TLSACME  = "acme"
)

// TLSConfig says where the certificate comes from.
type TLSConfig struct {
	Mode  string   `key:"mode" allowed:"off files acme" doc:"off: plain HTTP, for a proxy in front. files: cert and key below, read again when they change. acme: certificates are got and renewed by ACME, which needs ports 80 and 443 to be reachable from outside."`
	Cert  string   `key:"cert" doc:"With files: certificate chain, PEM."`
	Key   string   `key:"key" doc:"With files: private key, PEM."`
	Email string   `key:"email" doc:"With acme: where the authority sends warnings. Giving it agrees to the authority's terms."`
	Hosts []string `key:"hosts" doc:"With acme: the host names to get certificates for. Empty: the host of public_url."`
	CA    string   `key:"ca" doc:"With acme: the certificate authority, by the URL of its ACME directory. Empty: Let's Encrypt."`
	HTTP  string   `key:"http" doc:"With acme: address for the authority's check over plain HTTP, which sends everybody else to HTTPS. Empty: none."`
}

// ruleTables are the tables of the file that hold nothing but rules.
var ruleTables = map[string]string{
	"policy": "The rules of the organisation. What is given here cannot be changed while the server runs; what is not given can, by " +
		"\"parley policy\" and by administrators. The same holds for directory.public, limits.message_body and limits.devices.",
	"directory": "What of the directory is whose business.",
}

// LimitsConfig bounds what one person or device can take.
type LimitsConfig struct {
	FramesAtOnce    int `key:"frames_at_once" min:"1" max:"1000000" doc:"Frames of the socket from one device at once."`
	FramesPerSecond int `key:"frames_per_second" min:"1" max:"1000000" doc:"Frames a second from one device, in the long run."`

	RequestsAtOnce           int `key:"requests_at_once" min:"1" max:"1000000" doc:"HTTP requests from one signed-in device at once. Whoever asks more often gets 429 and is told when to come back."`
	RequestsPerSecond        int `key:"requests_per_second" min:"1" max:"1000000" doc:"HTTP requests a second from one device, in the long run."`
	PersonRequestsAtOnce     int `key:"person_requests_at_once" min:"1" max:"1000000" doc:"HTTP requests from all devices of one person at once."`
	PersonRequestsPerSecond  int `key:"person_requests_per_second" min:"1" max:"1000000" doc:"HTTP requests a second from all devices of one person, in the long run."`
	NetworkRequestsAtOnce    int `key:"network_requests_at_once" min:"1" max:"1000000" doc:"HTTP requests without a session from one network at once: an IPv4 address or an IPv6 /64. Signing in is one; signed-in people of the network are not slowed down."`
	NetworkRequestsPerSecond int `key:"network_requests_per_second" min:"1" max:"1000000" doc:"HTTP requests a second without a session from one network, in the long run."`

	SignInFailures        int `key:"sign_in_failures" min:"1" max:"1000000" doc:"Wrong passwords for one sign-in address from one network in 15 minutes. Then the network waits; signing in with the right password is no failure."`
	AddressSignInFailures int `key:"address_sign_in_failures" min:"1" max:"1000000" doc:"Wrong passwords for one sign-in address from anywhere in 15 minutes."`
	NetworkSignInFailures int `key:"network_sign_in_failures" min:"1" max:"1000000" doc:"Wrong passwords from one network for any address in 15 minutes."`
	ForgottenPasswords    int `key:"forgotten_passwords" min:"1" max:"1000000" doc:"Requests for a new password from one network in 15 minutes. Those beyond it are dropped without a word."`
	InvitationFailures    int `key:"invitation_failures" min:"1" max:"1000000" doc:"Wrong invitation codes from one network in 15 minutes."`
	Lookups               int `key:"lookups" min:"1" max:"1000000" doc:"Questions for the server of another organisation's sign-in address from one network in 15 minutes."`

	PasswordChecks int `key:"password_checks" min:"0" max:"1024" doc:"Passwords checked at the same time; each takes 19 MiB and a core. 0: half the cores."`
}

// AddressBookConfig says where people may have their own address books.
type AddressBookConfig struct {
	Servers []string `key:"servers" doc:"CardDAV servers whose address books people may connect, each as \"Name=https://dav.example.com/\". No other server is ever asked."`
}

// MetricsConfig says who gets the figures.
type MetricsConfig struct {
	Listen   string        `key:"listen" doc:"Address and port to serve /metrics on by itself. Empty: on addr."`
	Token    parley.Secret `key:"token" doc:"With a token, whoever sends it as \"Authorization: Bearer\" gets the figures, from anywhere. At least 16 characters."`
	Profiles bool          `key:"profiles" doc:"Serve profiles of the running program at /debug/pprof/ beside the figures, for finding out what takes its time and memory. They hold no content. Needs listen on a loopback address; leave it off unless somebody looks for something."`
}

// LogConfig says what is logged and how.
type LogConfig struct {
	Level  string `key:"level" allowed:"debug info warn error" doc:"The least severe entries to log. debug tells every request: method, route, status and time."`
	Format string `key:"format" allowed:"text json" doc:"Form of the entries."`
}

// lanAddr is the default address for the phones of the network.
const lanAddr = ":8443"

// DefaultConfig is the configuration of somebody who sets nothing.
func DefaultConfig() Config {
	return Config{
		Addr:   "127.0.0.1:8080",
		Data:   "data",
		TLS:    TLSConfig{Mode: TLSOff, HTTP: ":80"},
		LDAP:   defaultLDAP(),
		Policy: policy.Default(),
		Limits: LimitsConfig{
			FramesAtOnce: 200, FramesPerSecond: 50,
			RequestsAtOnce: 200, RequestsPerSecond: 20,
			PersonRequestsAtOnce: 600, PersonRequestsPerSecond: 60,
			NetworkRequestsAtOnce: 100, NetworkRequestsPerSecond: 10,
			SignInFailures: 10, AddressSignInFailures: 100, NetworkSignInFailures: 100,
			ForgottenPasswords: 20, InvitationFailures: 100, Lookups: 60,
		},
		Log: LogConfig{Level: "info", Format: "text"},
	}
}

// edge are the limits of requests and frames in the edge's form.
func (l *LimitsConfig) edge() webapi.Limits {
	return webapi.Limits{
		FrameBurst: l.FramesAtOnce, FrameRate: float64(l.FramesPerSecond),
		DeviceBurst: l.RequestsAtOnce, DeviceRate: float64(l.RequestsPerSecond),
		PersonBurst: l.PersonRequestsAtOnce, PersonRate: float64(l.PersonRequestsPerSecond),
		NetworkBurst: l.NetworkRequestsAtOnce, NetworkRate: float64(l.NetworkRequestsPerSecond),
	}
}

// account are the limits of failures in the domain's form.
func (l *LimitsConfig) account() account.Limits {
	return account.Limits{
		Failures: l.SignInFailures, AddressFailures: l.AddressSignInFailures, NetworkFailures: l.NetworkSignInFailures,
		Forgotten: l.ForgottenPasswords, Invitations: l.InvitationFailures, Lookups: l.Lookups,
	}
}

// rules are what the configuration gives the rulebook: the rules that were given
// somewhere, and those that the program itself set.
func (c *Config) rules() policy.Given {
	given, defaults := policy.Given{Rules: c.Policy, Where: map[string]string{}}, policy.Default()
	for _, d := range policy.Definitions() {
		where := c.Given[d.Key]
		if where == "" && d.Get(&c.Policy) != d.Get(&defaults) {
			where = "the program that runs the server"
		}
		if where != "" {
			given.Where[d.Key] = where
		}
	}
	return given
}
