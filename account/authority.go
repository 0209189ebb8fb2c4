package account

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"parley"
	"parley/policy"
)

// failureWindow is the time in which the Limits count.
const failureWindow = 15 * time.Minute

// Limits are how often somebody may fail, or ask, within 15 minutes (the defaults
// are those of docs/protocol.md §1.3). Zero means the default.
type Limits struct {
	Failures        int // wrong passwords for one address from one network; 10
	AddressFailures int // for one address from anywhere; 100
	NetworkFailures int // from one network for any address; 100
	Forgotten       int // requests for a new password from one network; 20
	Invitations     int // wrong invitation codes from one network; 100
	Lookups         int // questions for the server of another domain from one network; 60
}

// withDefaults fills in what is not set.
func (l Limits) withDefaults() Limits {
	for _, limit := range []struct {
		value    *int
		fallback int
	}{
		{&l.Failures, 10}, {&l.AddressFailures, 100}, {&l.NetworkFailures, 100},
		{&l.Forgotten, 20}, {&l.Invitations, 100}, {&l.Lookups, 60},
	} {
		if *limit.value <= 0 {
			*limit.value = limit.fallback
		}
	}
	return l
}

// Config is what an Authority is built from.
type Config struct {
	Store    Store
	Policy   policy.Source
	Announce func(parley.Event) // nil: nobody listens
	Log      *slog.Logger       // nil: no log
	Domains  []string           // sign-in domains that this server serves
	Checkers int                // passwords checked at once; 0: half the cores, at least one
	Limits   Limits
	Hasher   Hasher // nil: Argon2id

	// Administrators are the sign-in addresses of the people who may act as
	// administrators, and InAdministrators, if not nil, says of others whether the
	// directory makes them so.
	Administrators   []string
	InAdministrators func(parley.PersonID) bool

	// DefaultDomain completes a name that is typed without a domain; empty: such
	// names are refused.
	DefaultDomain string

	// Directory checks the passwords of the people that come from there; nil:
	// there is none. Unknown, if not nil, takes somebody over from there who was
	// let in and is not among the people yet; parley.ErrWithheld: they are not
	// to be.
	Directory Directory
	Unknown   func(ctx context.Context, sourceID string) error
}

// Authority decides who somebody is: it signs people in, knows which device a
// token belongs to, and ends devices. Its methods are safe for concurrent use.
type Authority struct {
	store    Store
	policy   policy.Source
	announce func(parley.Event)
	log      *slog.Logger
	domains  map[string]bool

	hasher   Hasher
	dummy    string // the hash that is checked when there is none
	checkers checkers
	limits   atomic.Pointer[Limits]

	administrators   atomic.Pointer[map[string]bool] // by sign-in address
	inAdministrators func(parley.PersonID) bool

	defaultDomain string
	directory     Directory
	unknown       func(context.Context, string) error
	asking        checkers // in front of the directory

	failures  *limiter // sign-ins, password changes and invitation codes
	requests  *limiter // forgotten passwords by network, every one counted
	stored    *limiter // forgotten passwords by person, those stored
	sessions  *sessions
	forgotten chan string // addresses waiting for Run
}

// NewAuthority builds an Authority. It fails when a domain has not the form of
// one. It hashes once, which takes about 20 ms.
func NewAuthority(c Config) (*Authority, error) {
	a := &Authority{
		store: c.Store, policy: c.Policy, announce: c.Announce, log: c.Log, hasher: c.Hasher,
		inAdministrators: c.InAdministrators, defaultDomain: c.DefaultDomain, directory: c.Directory, unknown: c.Unknown,
		domains:   map[string]bool{},
		failures:  newLimiter(failureWindow),
		requests:  newLimiter(failureWindow),
		stored:    newLimiter(requestInterval),
		sessions:  newSessions(),
		forgotten: make(chan string, 256),
	}
	if a.announce == nil {
		a.announce = func(parley.Event) {}
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.hasher == nil {
		a.hasher = Argon2id{}
	}
	if a.inAdministrators == nil {
		a.inAdministrators = func(parley.PersonID) bool { return false }
	}
	a.asking.resize(directoryChecks)
	a.SetLimits(c.Limits, c.Checkers)
	a.SetAdministrators(c.Administrators)
	for _, name := range c.Domains {
		domain, err := NormalDomain(name)
		if err != nil {
			return nil, fmt.Errorf("sign-in domain %q: %w", name, err)
		}
		a.domains[domain] = true
	}
	// The dummy has the parameters of every fresh hash, and nobody knows its
	// password.
	nobody, _ := newCode()
	dummy, err := a.hasher.Hash(string(nobody))
	if err != nil {
		return nil, fmt.Errorf("preparing the password check: %w", err)
	}
	a.dummy = dummy
	return a, nil
}

// SetLimits changes, while the Authority works, what Config set: the limits, and
// how many passwords are checked at once (0: half the cores, at least one). A
// limit that is lowered counts what was counted before.
func (a *Authority) SetLimits(l Limits, checkers int) {
	if checkers <= 0 {
		checkers = max(1, runtime.NumCPU()/2)
	}
	l = l.withDefaults()
	a.limits.Store(&l)
	a.checkers.resize(checkers)
}

// Served reports whether people of the domain sign in at this server.
func (a *Authority) Served(domain string) bool {
	normal, err := NormalDomain(domain)
	return err == nil && a.domains[normal]
}

// Run writes joined uses of devices, signs idle devices out, ends devices of
// people whom the directory no longer lets in, and stores requests for new
// passwords, until ctx ends. Then it writes what is left.
func (a *Authority) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			a.finish(context.WithoutCancel(ctx))
			return nil
		case <-tick.C:
			a.tidy(ctx)
		case address := <-a.forgotten:
			a.storeRequest(ctx, address)
		}
	}
}

// finish writes what waits in memory when the server stops.
func (a *Authority) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	a.writeUses(ctx)
	for {
		select {
		case address := <-a.forgotten:
			a.storeRequest(ctx, address)
		default:
			return
		}
	}
}

// tidy is the work of every minute.
func (a *Authority) tidy(ctx context.Context) {
	a.writeUses(ctx)
	if err := a.endIdle(ctx); err != nil {
		a.log.Error("signing idle devices out failed", "error", err)
	}
	if err := a.endBarred(ctx); err != nil {
		a.log.Error("signing devices of barred people out failed", "error", err)
	}
	a.failures.sweep()
	a.requests.sweep()
	a.stored.sweep()
}

// hashing runs work in a checker slot, once the rules allow another attempt.
// What work returns decides how the attempt counts.
func (a *Authority) hashing(ctx context.Context, rules []rule, work func() (outcome, error)) error {
	return a.attempt(ctx, &a.checkers, rules, work)
}

// attempt is hashing with another queue.
func (a *Authority) attempt(ctx context.Context, queue *checkers, rules []rule, work func() (outcome, error)) error {
	if wait := a.failures.wait(rules...); wait > 0 {
		return tooMany(wait)
	}
	release, err := queue.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if wait := a.failures.begin(rules...); wait > 0 {
		return tooMany(wait)
	}
	result, err := work()
	if result == outcomeFailed {
		a.failures.counts(rules...)
	} else {
		a.failures.undo(rules...)
	}
	return err
}

// outcome says how an attempt counts.
type outcome uint8

const (
	outcomeNone   outcome = iota // neither: it was not decided
	outcomeFailed                // the secret was wrong
)

func tooMany(wait time.Duration) error {
	return &parley.Error{Kind: parley.TooMany, Key: "sign-in.too-many", RetryAfter: max(wait, time.Second)}
}

// passwordRules are the limits for guessing the password of an address. The
// first is the one that a success clears.
func (a *Authority) passwordRules(address string, network netip.Addr) []rule {
	from, limits := networkOf(network), a.limits.Load()
	return []rule{
		a.failures.rule(limits.Failures, "both", address, from),
		a.failures.rule(limits.AddressFailures, "address", address),
		a.failures.rule(limits.NetworkFailures, "network", from),
	}
}

// checkPassword compares a password with the stored hash, or with the dummy when
// there is none that works, so that the work is the same. Only a checker slot
// may call it.
func (a *Authority) checkPassword(person parley.PersonID, password, hash string) (match, outdated bool) {
	if hash != "" {
		match, outdated, err := a.hasher.Check(password, hash)
		if err == nil {
			return match, outdated
		}
		a.log.Error("password hash cannot be used", "person", person, "error", err)
	}
	if _, _, err := a.hasher.Check(password, a.dummy); err != nil {
		a.log.Error("password check failed", "error", err)
	}
	return false, false
}

// withheld reports whether the store has no such thing.
func withheld(err error) bool { return parley.KindOf(err) == parley.NotFound }

func audit(actor parley.Actor, action parley.AuditAction, person parley.PersonID, detail string) parley.Alongside {
	return parley.Alongside{Audit: []parley.Audit{{
		At: now(), Actor: actor, Action: action, Person: person, Detail: detail,
	}}}
}

// now is the time as it is stored: UTC, to the millisecond.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
