package account

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/secure/precis"

	"parley"
)

// Limits of a password.
const (
	maxPassword   = 1024 // bytes, so that hashing it costs the same as hashing a short one
	minCharacters = 10   // of a new one
)

// Hasher computes and checks password hashes. Both methods cost about 20 ms of a
// core and 19 MiB, so only a checker slot may call them.
type Hasher interface {
	// Hash returns a fresh hash in PHC text form.
	Hash(password string) (string, error)

	// Check reports whether the password matches the hash, and whether the hash
	// was made with other parameters than Hash uses now.
	Check(password, hash string) (match, outdated bool, err error)
}

// Argon2id is the Hasher in use: argon2id (RFC 9106) with 19 MiB, two passes and
// one lane.
type Argon2id struct{}

var argonParams = argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// maxArgonMemory bounds what a stored hash can make a check cost, in KiB.
const maxArgonMemory = 128 << 10

// Hash returns a fresh hash of the password.
func (Argon2id) Hash(password string) (string, error) {
	hash, err := argon2id.CreateHash(password, &argonParams)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return hash, nil
}

// Check compares a password with a hash in constant time. It refuses parameters
// that cannot be computed, or not at a bearable cost.
func (Argon2id) Check(password, hash string) (match, outdated bool, err error) {
	params, _, _, err := argon2id.DecodeHash(hash)
	if err != nil {
		return false, false, fmt.Errorf("reading a password hash: %w", err)
	}
	if params.Iterations < 1 || params.Iterations > 8 || params.Parallelism < 1 ||
		params.Memory > maxArgonMemory || params.KeyLength < 16 || params.KeyLength > 64 {
		return false, false, errors.New("reading a password hash: parameters out of range")
	}
	match, _, err = argon2id.CheckHash(password, hash)
	if err != nil {
		return false, false, fmt.Errorf("checking a password: %w", err)
	}
	return match, *params != argonParams, nil
}

// normalPassword gives the form in which passwords are hashed and compared: NFC,
// other spaces than the ASCII one mapped to it, no mapping of case (RFC 8265
// §4.2). The refusal names the field.
func normalPassword(p parley.Secret, field string) (string, error) {
	if len(p) == 0 {
		return "", parley.RefuseField("password.empty", field)
	}
	if len(p) > maxPassword {
		return "", parley.RefuseField("password.long", field)
	}
	normal, err := precis.OpaqueString.String(string(p))
	if err != nil || !utf8.ValidString(string(p)) { // control characters and the like
		return "", parley.RefuseField("password.characters", field)
	}
	if len(normal) > maxPassword {
		return "", parley.RefuseField("password.long", field)
	}
	return normal, nil
}

// newPassword checks a password that somebody wants to have from now on, and
// returns its normal form.
func newPassword(p parley.Secret, who Identity, field string) (string, error) {
	normal, err := normalPassword(p, field)
	if err != nil {
		return "", err
	}
	if utf8.RuneCountInString(normal) < minCharacters {
		return "", parley.RefuseField("password.short", field)
	}
	local, _, _ := strings.Cut(who.Address, "@")
	for _, known := range []string{who.Address, local, who.DisplayName} {
		if strings.EqualFold(withoutSpaces(normal), withoutSpaces(known)) {
			return "", parley.RefuseField("password.guessable", field)
		}
	}
	return normal, nil
}

func withoutSpaces(s string) string { return strings.ReplaceAll(s, " ", "") }

// checkers is the queue in front of the hasher: so many at work, so many
// waiting, the rest turned away. Hashing everything at once would take the
// cores, and the memory, from messages.
//
// Resizing puts another set of slots in the place of the first. Who waits or
// works meanwhile has one of the former, so for a moment there are both.
type checkers struct {
	slots   atomic.Pointer[chan struct{}]
	waiting atomic.Int64
}

// waitingPerChecker keeps the wait below about five seconds at 20 ms a check.
const waitingPerChecker = 256

// resize makes n slots, unless there are just as many.
func (c *checkers) resize(n int) {
	if slots := c.slots.Load(); slots != nil && cap(*slots) == n {
		return
	}
	slots := make(chan struct{}, n)
	c.slots.Store(&slots)
}

// take waits for a slot, first come first served. The caller gives it back with
// release.
func (c *checkers) take(ctx context.Context) (release func(), err error) {
	slots := *c.slots.Load()
	if c.waiting.Add(1) > int64(cap(slots))*waitingPerChecker {
		c.waiting.Add(-1)
		return nil, &parley.Error{Kind: parley.Unavailable, Key: "sign-in.busy", RetryAfter: spread(5 * time.Second)}
	}
	defer c.waiting.Add(-1)
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, &parley.Error{Kind: parley.Unavailable, Key: "sign-in.busy", Err: context.Cause(ctx)}
	}
}

// spread returns base to three times base, in whole seconds, so that those who
// were turned away together do not come back together.
func spread(base time.Duration) time.Duration {
	return (base + rand.N(2*base)).Truncate(time.Second)
}
