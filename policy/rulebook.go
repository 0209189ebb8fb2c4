package policy

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley"
)

// Change is a change of a rule at run time.
type Change struct {
	ID     int64  // grows with time; the store's to give
	Key    string // of the rule; it may be one that this version does not know
	Value  string // as text; empty when Stands is false
	Stands bool   // false: the rule went back to what it would be without a change
	At     time.Time
	By     parley.Actor // Kind, Person and Device are kept
}

// Store is what a Rulebook needs to remember.
type Store interface {
	// StandingRules gives the newest change of each rule that was ever changed.
	StandingRules(ctx context.Context) ([]Change, error)

	// RuleChanges gives changes of a rule, or with an empty key of all rules, the
	// newest first: at most limit, with before > 0 only those older than the
	// change of that ID.
	RuleChanges(ctx context.Context, key string, before int64, limit int) ([]Change, error)

	// ChangeRule stores a change and tells the other nodes of it, in one
	// transaction.
	ChangeRule(ctx context.Context, c Change, with parley.Alongside) error
}

// Given is what the configuration gives: the rules whose keys stand in Where, with
// the place. They are taken as they are; whoever read them has looked at the limits.
type Given struct {
	Rules Policy
	Where map[string]string
}

// Origin says where the value of a rule comes from.
type Origin uint8

// The origins. Each wins over those before it.
const (
	FromDefault       Origin = iota
	FromChange               // somebody set it at run time
	FromConfiguration        // the configuration gives it: it is locked
)

// String gives the form used on the wire.
func (o Origin) String() string {
	switch o {
	case FromChange:
		return "stored"
	case FromConfiguration:
		return "configuration"
	default:
		return "default"
	}
}

// Setting is a rule with its value.
type Setting struct {
	Definition
	Value   string // in force
	Default string
	Origin  Origin
	Where   string // FromConfiguration: the place, such as "parley.toml:12"
	Last    Change // the newest change at run time, which the configuration may overrule; zero: none
}

// Config is what a Rulebook is made from.
type Config struct {
	Store    Store
	Announce func(parley.Event) // nil: nobody listens
	Log      *slog.Logger       // nil: no log

	Given Given
}

// Rulebook is a Source whose rules change while the program runs: a rule has the
// value that the configuration gives, else the one that was set last, else its
// default. It is safe for concurrent use.
type Rulebook struct {
	store    Store
	announce func(parley.Event)
	log      *slog.Logger

	rules atomic.Pointer[Policy]

	// mu makes reading the store and taking effect one step, so that the rules end
	// as the store does.
	mu     sync.Mutex
	given  Given
	stored map[string]Change // the newest of each rule
}

// NewRulebook reads the rules.
func NewRulebook(ctx context.Context, c Config) (*Rulebook, error) {
	r := &Rulebook{store: c.Store, announce: c.Announce, log: c.Log, given: c.Given}
	if r.announce == nil {
		r.announce = func(parley.Event) {}
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	defaults := Default()
	r.rules.Store(&defaults)
	if _, err := r.read(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Policy implements Source.
func (r *Rulebook) Policy() Policy { return *r.rules.Load() }

// Reload reads what is stored, because this or another node changed it, and tells
// what became another rule by it.
func (r *Rulebook) Reload(ctx context.Context) error {
	changed, err := r.read(ctx)
	if err != nil {
		return err
	}
	r.tell(changed)
	return nil
}

// Configure takes what the configuration gives from now on.
func (r *Rulebook) Configure(given Given) {
	r.mu.Lock()
	r.given = given
	changed := r.apply()
	r.mu.Unlock()
	r.tell(changed)
}

// read brings the stored rules up to date and gives the keys of those that have
// another value now.
func (r *Rulebook) read(ctx context.Context) (changed []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	standing, err := r.store.StandingRules(ctx)
	if err != nil {
		return nil, parley.Wrap(err, "reading the rules")
	}
	r.stored = map[string]Change{}
	for _, c := range standing {
		r.stored[c.Key] = c
	}
	return r.apply(), nil
}

// apply works the rules out anew. The caller holds mu.
func (r *Rulebook) apply() (changed []string) {
	before, now := r.Policy(), Default()
	for _, d := range definitions {
		if _, given := r.given.Where[d.Key]; given {
			d.take(&now, &r.given.Rules)
		} else if c := r.stored[d.Key]; c.Stands {
			if err := d.Set(&now, c.Value); err != nil {
				// A newer or an older version allowed it; the default holds.
				r.log.Error("the value of a rule cannot be used", "rule", d.Key, "error", err)
			}
		}
		if d.Get(&before) != d.Get(&now) {
			changed = append(changed, d.Key)
		}
	}
	r.rules.Store(&now)
	return changed
}

func (r *Rulebook) tell(changed []string) {
	if len(changed) > 0 {
		r.announce(parley.PolicyChanged{Keys: changed})
	}
}

// Settings gives every rule with its value, for an administrator.
func (r *Rulebook) Settings(admin parley.Actor) ([]Setting, error) {
	if err := needAdmin(admin); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Setting, 0, len(definitions))
	for _, d := range definitions {
		list = append(list, r.setting(d))
	}
	return list, nil
}

// Setting gives one rule with its value, for an administrator. There is no such
// rule: NotFound.
func (r *Rulebook) Setting(admin parley.Actor, key string) (Setting, error) {
	if err := needAdmin(admin); err != nil {
		return Setting{}, err
	}
	d, ok := Lookup(key)
	if !ok {
		return Setting{}, errUnknown
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.setting(d), nil
}

// setting describes a rule. The caller holds mu.
func (r *Rulebook) setting(d Definition) Setting {
	rules, defaults := r.Policy(), Default()
	s := Setting{Definition: d, Value: d.Get(&rules), Default: d.Get(&defaults), Last: r.stored[d.Key]}
	if where, given := r.given.Where[d.Key]; given {
		s.Origin, s.Where = FromConfiguration, where
	} else if s.Last.Stands {
		s.Origin = FromChange
	}
	return s
}

// Set gives a rule a value, for an administrator, at once and on every node. It
// returns the rule as it is then. Refusals: NotFound for a key that is none,
// Invalid for a value that the rule does not take, Forbidden for a rule that the
// configuration gives.
func (r *Rulebook) Set(ctx context.Context, admin parley.Actor, key, value string) (Setting, error) {
	return r.change(ctx, admin, key, func(d Definition) (Change, parley.AuditAction, error) {
		p := Default()
		if err := d.Set(&p, value); err != nil {
			return Change{}, "", &parley.Error{Kind: parley.Invalid, Key: "policy.value", Field: "value", Err: err}
		}
		return Change{Value: d.Get(&p), Stands: true}, parley.AuditPolicySet, nil
	})
}

// Reset gives a rule its default again, as Set sets it.
func (r *Rulebook) Reset(ctx context.Context, admin parley.Actor, key string) (Setting, error) {
	return r.change(ctx, admin, key, func(Definition) (Change, parley.AuditAction, error) {
		return Change{}, parley.AuditPolicyReset, nil
	})
}

func (r *Rulebook) change(ctx context.Context, admin parley.Actor, key string, to func(Definition) (Change, parley.AuditAction, error)) (Setting, error) {
	if err := needAdmin(admin); err != nil {
		return Setting{}, err
	}
	// Another node may have changed it, of which this one was not told yet.
	if err := r.Reload(ctx); err != nil {
		return Setting{}, err
	}
	is, err := r.Setting(admin, key)
	if err != nil {
		return Setting{}, err
	}
	c, action, err := to(is.Definition)
	switch {
	case err != nil:
		return Setting{}, err
	case is.Origin == FromConfiguration:
		return is, locked(is.Where)
	case c.Stands == is.Last.Stands && c.Value == is.Last.Value:
		return is, nil // nothing to change, nothing to tell
	}
	c.Key, c.At, c.By = key, time.Now().UTC().Truncate(time.Millisecond), admin
	detail := key
	if c.Stands {
		detail += "=" + c.Value
	}
	also := parley.Alongside{Audit: []parley.Audit{{At: c.At, Actor: admin, Action: action, Detail: detail}}}
	if err := r.store.ChangeRule(ctx, c, also); err != nil {
		return Setting{}, parley.Wrap(err, "changing the rule %s", key)
	}
	if err := r.Reload(ctx); err != nil {
		return Setting{}, fmt.Errorf("the rule %s is changed and not in force yet: %w", key, err)
	}
	return r.Setting(admin, key)
}

// MaxHistory is how many changes one question of History is answered with.
const MaxHistory = 500

// History gives the changes of a rule, or with an empty key of all rules, the
// newest first, for an administrator: at most limit, with before > 0 only those
// older than that change. Keys that this version does not know may be among them.
func (r *Rulebook) History(ctx context.Context, admin parley.Actor, key string, before int64, limit int) ([]Change, error) {
	if err := needAdmin(admin); err != nil {
		return nil, err
	}
	if _, known := Lookup(key); key != "" && !known {
		return nil, errUnknown
	}
	changes, err := r.store.RuleChanges(ctx, key, before, min(cmp.Or(max(limit, 0), MaxHistory), MaxHistory))
	return slices.Clip(changes), parley.Wrap(err, "reading the changes of rules")
}

var errUnknown error = parley.Refuse(parley.NotFound, "policy.unknown")

// locked refuses a change of what the configuration gives.
func locked(where string) error {
	return &parley.Error{Kind: parley.Forbidden, Key: "policy.locked", Err: fmt.Errorf("%s gives this rule: change it there", where)}
}

// needAdmin refuses whoever is no administrator: as if there were nothing.
func needAdmin(actor parley.Actor) error {
	if actor.Kind == parley.ActorAdmin || actor.Kind == parley.ActorSystem {
		return nil
	}
	return parley.ErrWithheld
}
