package account

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"parley"
)

const (
	// invitationTime is how long an invitation can be used.
	invitationTime = 7 * 24 * time.Hour

	// requestInterval is how often a request for a new password is stored for
	// one person at most.
	requestInterval = time.Hour
)

// ChangePassword replaces the actor's password and ends their other devices. The
// current one is asked again, and guessing it is limited like a sign-in.
// Refusals: Invalid for a wrong current or an unfit new password, Conflict when
// the password was changed meanwhile or is in the corporate directory, TooMany,
// Unavailable.
func (a *Authority) ChangePassword(ctx context.Context, actor parley.Actor, current, next parley.Secret, network netip.Addr) error {
	if err := needDevice(actor); err != nil {
		return err
	}
	who, err := a.store.Identity(ctx, actor.Person)
	if err != nil {
		return parley.Wrap(err, "looking up %s", actor.Person)
	}
	if !a.PasswordHere(who.Directory) {
		return errInDirectory
	}
	old, err := normalPassword(current, "current")
	if err != nil {
		return err
	}
	fresh, err := newPassword(next, who, "password")
	if err != nil {
		return err
	}
	change := PasswordChange{Person: actor.Person, EndDevices: true, Except: actor.Device}
	rules := a.passwordRules(who.Address, network)
	err = a.hashing(ctx, rules, func() (outcome, error) {
		stored, err := a.store.PasswordHash(ctx, actor.Person)
		if err != nil {
			return outcomeNone, parley.Wrap(err, "looking up a password")
		}
		if match, _ := a.checkPassword(actor.Person, old, stored); !match {
			return outcomeFailed, parley.RefuseField("password.wrong", "current")
		}
		change.Checked = stored
		change.Hash, err = a.hasher.Hash(fresh)
		return outcomeNone, err
	})
	if err != nil {
		return err
	}
	a.failures.clear(rules[0])
	return a.storePassword(ctx, actor, change)
}

// SetPassword gives a person a password, for an administrator, and ends all
// their devices.
func (a *Authority) SetPassword(ctx context.Context, admin parley.Actor, person parley.PersonID, next parley.Secret) error {
	if err := needAdmin(admin); err != nil {
		return err
	}
	who, err := a.store.Identity(ctx, person)
	if err != nil {
		return parley.Wrap(err, "looking up %s", person)
	}
	if !a.PasswordHere(who.Directory) {
		return errInDirectory
	}
	fresh, err := newPassword(next, who, "password")
	if err != nil {
		return err
	}
	hash, err := a.hash(ctx, fresh)
	if err != nil {
		return err
	}
	return a.storePassword(ctx, admin, PasswordChange{Person: person, Hash: hash, EndDevices: true})
}

func (a *Authority) storePassword(ctx context.Context, actor parley.Actor, change PasswordChange) error {
	ended, err := a.store.SetPasswordHash(ctx, change, audit(actor, parley.AuditPasswordSet, change.Person, ""))
	if errors.Is(err, ErrStale) {
		return &parley.Error{Kind: parley.Conflict, Key: "password.changed", Err: err}
	}
	if err != nil {
		return parley.Wrap(err, "setting the password of %s", change.Person)
	}
	a.ended(change.Person, ended, parley.EndedPassword)
	return nil
}

// hash waits for a checker slot and hashes a password.
func (a *Authority) hash(ctx context.Context, password string) (hash string, err error) {
	err = a.hashing(ctx, nil, func() (outcome, error) {
		hash, err = a.hasher.Hash(password)
		return outcomeNone, err
	})
	return hash, err
}

// Disable bars a person from signing in, for an administrator, and ends all
// their devices at once.
func (a *Authority) Disable(ctx context.Context, admin parley.Actor, person parley.PersonID) error {
	return a.setDisabled(ctx, admin, person, true)
}

// Enable lifts what Disable did. What the directory itself says about the person
// stays.
func (a *Authority) Enable(ctx context.Context, admin parley.Actor, person parley.PersonID) error {
	return a.setDisabled(ctx, admin, person, false)
}

func (a *Authority) setDisabled(ctx context.Context, admin parley.Actor, person parley.PersonID, disabled bool) error {
	if err := needAdmin(admin); err != nil {
		return err
	}
	if _, err := a.store.Identity(ctx, person); err != nil {
		return parley.Wrap(err, "looking up %s", person)
	}
	action := parley.AuditPersonEnabled
	if disabled {
		action = parley.AuditPersonDisabled
	}
	ended, err := a.store.SetDisabled(ctx, person, disabled, audit(admin, action, person, ""))
	if err != nil {
		return parley.Wrap(err, "disabling or enabling %s", person)
	}
	a.ended(person, ended, parley.EndedDisabled)
	if disabled {
		a.announce(parley.AccountDisabled{Person: person})
	}
	a.announce(parley.PeopleChanged{People: []parley.PersonID{person}})
	return nil
}

// Invite makes an invitation for a person to set a password, for an
// administrator. It replaces an earlier one. The code is shown once and not
// kept; who has it can set the password until it expires.
func (a *Authority) Invite(ctx context.Context, admin parley.Actor, person parley.PersonID) (code parley.Secret, expires time.Time, err error) {
	if err := needAdmin(admin); err != nil {
		return "", time.Time{}, err
	}
	who, err := a.store.Identity(ctx, person)
	if err != nil {
		return "", time.Time{}, parley.Wrap(err, "looking up %s", person)
	}
	if !a.PasswordHere(who.Directory) {
		return "", time.Time{}, errInDirectory
	}
	if !who.Enabled() {
		return "", time.Time{}, parley.Refuse(parley.Conflict, "person.disabled")
	}
	code, hash := newCode()
	expires = now().Add(invitationTime)
	with := audit(admin, parley.AuditInvited, person, "")
	if err := a.store.AddInvitation(ctx, hash, Invitation{Person: person, Expires: expires}, with); err != nil {
		return "", time.Time{}, parley.Wrap(err, "inviting %s", person)
	}
	return code, expires, nil
}

// InvitationFor says whom an invitation is for. One that does not exist, was
// used, has expired or is for somebody who may not sign in is withheld; asking
// for such ones is limited by network.
func (a *Authority) InvitationFor(ctx context.Context, code parley.Secret, network netip.Addr) (Identity, error) {
	who, _, err := a.invitation(ctx, code, network)
	return who, err
}

func (a *Authority) invitation(ctx context.Context, code parley.Secret, network netip.Addr) (Identity, [32]byte, error) {
	limit := a.failures.rule(a.limits.Load().Invitations, "invitation", networkOf(network))
	if wait := a.failures.begin(limit); wait > 0 {
		return Identity{}, [32]byte{}, tooMany(wait)
	}
	hash, ok := hashCode(code)
	if !ok {
		a.failures.counts(limit)
		return Identity{}, hash, parley.ErrWithheld
	}
	who, err := a.invited(ctx, hash)
	if withheld(err) {
		a.failures.counts(limit)
		return Identity{}, hash, parley.ErrWithheld
	}
	a.failures.undo(limit)
	return who, hash, err
}

func (a *Authority) invited(ctx context.Context, hash [32]byte) (Identity, error) {
	invitation, err := a.store.Invitation(ctx, hash)
	if err != nil {
		return Identity{}, parley.Wrap(err, "looking up an invitation")
	}
	who, err := a.store.Identity(ctx, invitation.Person)
	if err != nil {
		return Identity{}, parley.Wrap(err, "looking up who was invited")
	}
	if !who.Enabled() || !a.PasswordHere(who.Directory) || !now().Before(invitation.Expires) {
		return Identity{}, parley.ErrWithheld
	}
	return who, nil
}

// RemoveExpired removes invitations that nobody can use any more, and says how
// many there were. Nothing hangs on when it is called.
func (a *Authority) RemoveExpired(ctx context.Context) (int, error) {
	n, err := a.store.RemoveInvitations(ctx, now())
	return n, parley.Wrap(err, "removing expired invitations")
}

// UseInvitation sets the password of the invited person, once, and ends their
// devices.
func (a *Authority) UseInvitation(ctx context.Context, code, password parley.Secret, network netip.Addr) error {
	who, hash, err := a.invitation(ctx, code, network)
	if err != nil {
		return err
	}
	fresh, err := newPassword(password, who, "password")
	if err != nil {
		return err
	}
	passwordHash, err := a.hash(ctx, fresh)
	if err != nil {
		return err
	}
	actor := parley.Actor{Kind: parley.ActorPerson, Person: who.Person}
	ended, err := a.store.UseInvitation(ctx, hash, passwordHash, audit(actor, parley.AuditPasswordSet, who.Person, "invitation"))
	if err != nil {
		return parley.Wrap(err, "using an invitation of %s", who.Person)
	}
	a.ended(who.Person, ended, parley.EndedPassword)
	return nil
}

// Forgotten asks the administrator for a new password. It answers nothing,
// whoever the address belongs to and however often it is called: Run looks the
// address up later, so that not even the time tells.
func (a *Authority) Forgotten(address string, network netip.Addr) {
	normal, err := NormalAddress(address)
	if err != nil {
		return
	}
	limit := a.requests.rule(a.limits.Load().Forgotten, networkOf(network))
	if a.requests.begin(limit) > 0 {
		return
	}
	a.requests.counts(limit) // every request counts
	select {
	case a.forgotten <- normal:
	default:
		a.log.Warn("too many requests for a new password at once; one was dropped")
	}
}

// storeRequest stores a request for a person who exists, may sign in and has the
// password here, at most once an hour.
func (a *Authority) storeRequest(ctx context.Context, address string) {
	who, err := a.store.IdentityByAddress(ctx, address)
	if withheld(err) {
		return
	}
	if err != nil {
		a.log.Error("looking up who asks for a new password failed", "error", err)
		return
	}
	limit := a.stored.rule(1, who.Person.String())
	if !who.Enabled() || !a.PasswordHere(who.Directory) || a.stored.begin(limit) > 0 {
		return
	}
	if err := a.store.AddResetRequest(ctx, ResetRequest{Person: who.Person, At: now()}, parley.Alongside{}); err != nil {
		a.stored.undo(limit)
		a.log.Error("storing a request for a new password failed", "person", who.Person, "error", err)
		return
	}
	a.stored.counts(limit)
}

// ResetRequests lists the requests for new passwords, the newest first, for an
// administrator. One ends when the person gets a password.
func (a *Authority) ResetRequests(ctx context.Context, admin parley.Actor) ([]ResetRequest, error) {
	if err := needAdmin(admin); err != nil {
		return nil, err
	}
	requests, err := a.store.ResetRequests(ctx)
	return requests, parley.Wrap(err, "listing requests for new passwords")
}
