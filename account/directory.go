package account

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"parley"
)

const (
	// directoryChecks is how many passwords the directory checks at once. Each
	// waits for it and takes no core.
	directoryChecks = 32

	// directoryTime bounds one sign-in with the directory, the wait for a place
	// included.
	directoryTime = 30 * time.Second
)

// Directory is the corporate directory as far as signing in is concerned. Errors
// that are no *parley.Error say that it cannot be asked.
type Directory interface {
	// Find looks up whom a login means. Somebody whom the directory does not have
	// is an Entry like any other, without SourceID; "" is never looked up.
	Find(ctx context.Context, login string) (Entry, error)
}

// Entry is somebody in the directory, or nobody.
type Entry interface {
	// SourceID is parley.Person.SourceID; empty: there is nobody.
	SourceID() string

	// Check has the directory check a password that is not empty. It costs the
	// same for nobody. A refusal of kind SignIn says that the password is wrong;
	// every other one comes with the right password only.
	Check(ctx context.Context, password parley.Secret) error
}

// elsewhere reports whether a login is for the directory to check: there is one,
// and nobody whose password is here has it as their sign-in address.
func (a *Authority) elsewhere(ctx context.Context, in login) (bool, error) {
	if a.directory == nil {
		return false, nil
	}
	if in.address == "" {
		return true, nil
	}
	who, err := a.store.IdentityByAddress(ctx, in.address)
	if err != nil {
		if withheld(err) {
			return true, nil
		}
		return false, parley.Wrap(err, "looking up where somebody signs in")
	}
	return who.Directory != "" || who.Gone, nil
}

// trySignInElsewhere signs somebody in whose password the directory has. Unless it
// is right the work of a check here is done too, as for whoever has it here.
func (a *Authority) trySignInElsewhere(ctx context.Context, in SignIn, as login, password string) (Session, error) {
	asking, cancel := context.WithTimeout(ctx, directoryTime)
	defer cancel()
	rules := a.passwordRules(as.key(), in.Network)
	var source string
	err := a.attempt(asking, &a.asking, rules, func() (outcome, error) {
		entry, err := a.directory.Find(asking, as.typed)
		if err != nil {
			return a.checkNothing(asking, password, outcomeNone, a.unreachable(err))
		}
		source = entry.SourceID()
		result, err := a.checkElsewhere(asking, entry, in)
		if kind := parley.KindOf(err); err != nil && (kind == parley.SignIn || kind == parley.Unavailable) {
			return a.checkNothing(asking, password, result, err)
		}
		return result, err
	})
	if err != nil {
		return Session{}, err
	}
	a.failures.clear(rules[0])
	a.failures.clear(a.sourceRules(source, in.Network)[0])
	who, hash, err := a.personOf(ctx, source)
	if err != nil {
		return Session{}, err
	}
	return a.addDevice(ctx, in, who, hash)
}

// checkNothing checks a password here against nobody's and gives what was decided
// already, so that the time tells nothing.
func (a *Authority) checkNothing(ctx context.Context, password string, result outcome, decided error) (outcome, error) {
	release, err := a.checkers.take(ctx)
	if err != nil {
		return result, err
	}
	defer release()
	a.checkPassword(0, password, "")
	return result, decided
}

// askInVain is the second half of an attempt whose password was not the one that is
// kept here: it goes on as if the address were unknown. The directory is asked for
// nobody's password, so that nobody comes in by it or is locked out there, and the
// answer is the directory's: while it is down that it cannot be asked.
func (a *Authority) askInVain(ctx context.Context, in SignIn, as login, rules []rule) error {
	asking, cancel := context.WithTimeout(ctx, directoryTime)
	defer cancel()
	return a.attempt(asking, &a.asking, rules, func() (outcome, error) {
		if _, err := a.directory.Find(asking, as.typed); err != nil {
			return outcomeNone, a.unreachable(err)
		}
		nobody, err := a.directory.Find(asking, "")
		if err != nil {
			return outcomeNone, a.unreachable(err)
		}
		return a.checkElsewhere(asking, nobody, in)
	})
}

// hereRules limit guessing a password that is kept here beside a directory. Each
// wrong one counts, while what an address is told, and what counts under its
// passwordRules, hangs on the directory alone. Nobody sees these: past them no
// password is right.
func (a *Authority) hereRules(address string, network netip.Addr) []rule {
	from, limits := networkOf(network), a.limits.Load()
	return []rule{
		a.failures.rule(limits.Failures, "here both", address, from),
		a.failures.rule(limits.AddressFailures, "here address", address),
		a.failures.rule(limits.NetworkFailures, "here network", from),
	}
}

// sourceRules limit guessing the password of one entry of the directory, by
// whichever of its names.
func (a *Authority) sourceRules(source string, network netip.Addr) []rule {
	return a.passwordRules("source "+source, network)[:2]
}

// checkElsewhere has the directory check a password, unless this entry's was
// guessed at too often under its names together: then the directory is asked for
// nobody's, so that it locks nobody out and the answer tells nothing.
func (a *Authority) checkElsewhere(ctx context.Context, entry Entry, in SignIn) (outcome, error) {
	var rules []rule
	if source := entry.SourceID(); source != "" {
		rules = a.sourceRules(source, in.Network)
		if a.failures.begin(rules...) > 0 {
			nobody, err := a.directory.Find(ctx, "")
			if err != nil {
				return outcomeNone, a.unreachable(err)
			}
			entry, rules = nobody, nil
		}
	}
	err := entry.Check(ctx, in.Password)
	if entry.SourceID() == "" && err == nil {
		err = errWrong
	}
	if err != nil && parley.KindOf(err) == parley.SignIn {
		a.failures.counts(rules...)
		return outcomeFailed, errWrong
	}
	a.failures.undo(rules...)
	if _, refusal := errors.AsType[*parley.Error](err); err != nil && !refusal {
		err = a.unreachable(err)
	}
	return outcomeNone, err
}

// unreachable is the answer while the directory cannot be asked. The cause is for
// the log alone.
func (a *Authority) unreachable(err error) error {
	a.log.Warn("the directory cannot check a password", "error", err)
	return &parley.Error{Kind: parley.Unavailable, Key: "sign-in.directory-unreachable", RetryAfter: spread(5 * time.Second), Err: err}
}

// personOf finds the person of an entry whose password was right. Somebody who is
// new in the directory is taken over first; whoever is not to be is refused like
// somebody disabled.
func (a *Authority) personOf(ctx context.Context, source string) (Identity, string, error) {
	who, err := a.store.IdentityBySource(ctx, source)
	if a.unknown != nil && (withheld(err) || err == nil && who.Gone) {
		if err := a.unknown(ctx, source); err != nil && !withheld(err) {
			return Identity{}, "", parley.Wrap(err, "taking somebody over from the directory")
		}
		who, err = a.store.IdentityBySource(ctx, source)
	}
	switch {
	case withheld(err) || err == nil && !who.Enabled():
		return Identity{}, "", errDisabled
	case err != nil:
		return Identity{}, "", parley.Wrap(err, "looking up who signs in")
	}
	// Nobody checks a password that was set here while there was no directory, but
	// adding a device compares it.
	hash, err := a.store.PasswordHash(ctx, who.Person)
	return who, hash, parley.Wrap(err, "looking up a password")
}

// errInDirectory is the answer to whoever wants to change a password that is not
// here.
var errInDirectory error = parley.Refuse(parley.Conflict, "password.in-directory")

// PasswordHere says whether the password of people of this parley.Person.Directory
// is kept here. Without a corporate directory, as when the configuration has it no
// longer, everybody's is.
func (a *Authority) PasswordHere(directory string) bool { return directory == "" || a.directory == nil }
