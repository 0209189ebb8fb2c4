package account

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley"
)

// maxDeviceName is the longest name of a device, in characters. A longer one is
// cut, not refused: it only helps to tell devices apart.
const maxDeviceName = 60

// SignIn is what somebody gives to sign in with a password.
type SignIn struct {
	Address      string // or what else parseLogin takes
	Password     parley.Secret
	Installation string // the browser profile's own id, in the form of a parley.ClientID
	DeviceName   string
	Class        parley.DeviceClass
	Network      netip.Addr // where the attempt comes from, for the limits
}

// Session is a signed-in device and what it needs to know when it starts.
type Session struct {
	Actor      parley.Actor  // its Methods are shared: do not change them
	Device     Device        // likewise
	Token      parley.Secret // right after sign-in only
	HistoryKey []byte        // of this person in this installation; do not change it
	Address    string        // the person's sign-in address
}

// Starts says what the device reads first: "waiting" when everything that still
// waited for the person came to it, "head" when older messages are on the
// person's other devices only.
func (s Session) Starts() string {
	if s.Device.Waiting {
		return "waiting"
	}
	return "head"
}

// errWrong is the one answer to a wrong password, an unknown address and a
// person without a password.
var errWrong error = parley.Refuse(parley.SignIn, "sign-in.wrong")

// errDisabled is the answer to the right password of somebody who may not sign
// in.
var errDisabled error = parley.Refuse(parley.Forbidden, "sign-in.disabled")

// SignIn checks a password and adds a device. Refusals: Invalid for input that
// cannot be right, SignIn for a wrong address or password, Forbidden for the
// right password of somebody who may not sign in, TooMany past the limits of
// failures (nothing was checked), Unavailable when too many wait.
func (a *Authority) SignIn(ctx context.Context, in SignIn) (Session, error) {
	as, err := a.parseLogin(in.Address)
	if err != nil {
		return Session{}, err
	}
	password, err := normalPassword(in.Password, "password")
	if err != nil {
		return Session{}, err
	}
	if !parley.ClientID(in.Installation).Valid() {
		return Session{}, parley.RefuseField("installation.invalid", "installation")
	}
	if in.Class != parley.Mobile && in.Class != parley.Desktop {
		return Session{}, parley.RefuseField("device-class.invalid", "device_class")
	}
	// A password change or a rehash by another sign-in can come in between the
	// check and the commit. Then the check is made again.
	for range 3 {
		session, err := a.trySignIn(ctx, in, as, password)
		if !errors.Is(err, ErrStale) {
			return session, err
		}
	}
	return Session{}, parley.Refuse(parley.Unavailable, "sign-in.busy")
}

func (a *Authority) trySignIn(ctx context.Context, in SignIn, as login, password string) (Session, error) {
	elsewhere, err := a.elsewhere(ctx, as)
	switch {
	case err != nil:
		return Session{}, err
	case elsewhere:
		return a.trySignInElsewhere(ctx, in, as, password)
	}
	var who Identity
	var hash string
	rules, vain := a.passwordRules(as.key(), in.Network), false
	err = a.hashing(ctx, rules, func() (result outcome, err error) {
		who, hash, result, err = a.checkHere(ctx, in, as, password)
		if vain = result == outcomeFailed && a.directory != nil; vain {
			return outcomeNone, err // askInVain counts it
		}
		return result, err
	})
	if vain {
		err = a.askInVain(ctx, in, as, rules)
	}
	if err != nil {
		return Session{}, err
	}
	a.failures.clear(rules[0])
	return a.addDevice(ctx, in, who, hash)
}

// checkHere checks a password that is kept here. Only a checker slot may call it.
func (a *Authority) checkHere(ctx context.Context, in SignIn, as login, password string) (who Identity, hash string, result outcome, err error) {
	if who, hash, err = a.credentials(ctx, as.address); err != nil {
		return who, "", outcomeNone, err
	}
	var rules []rule
	works := hash
	if a.directory != nil {
		if rules = a.hereRules(as.address, in.Network); a.failures.begin(rules...) > 0 {
			rules, works = nil, ""
		}
	}
	match, outdated := a.checkPassword(who.Person, password, works)
	if !match {
		a.failures.counts(rules...)
		return who, hash, outcomeFailed, errWrong
	}
	a.failures.undo(rules...)
	if len(rules) > 0 {
		a.failures.clear(rules[0])
	}
	switch {
	case !who.Enabled():
		return who, hash, outcomeNone, errDisabled
	case outdated:
		hash, err = a.rehash(ctx, who.Person, password, hash)
	}
	return who, hash, outcomeNone, err
}

// credentials looks a person and their password hash up, with the same two
// questions to the store whether there is such a person or not. Whoever has a
// password in the directory has none here, even if one was set while there was none.
func (a *Authority) credentials(ctx context.Context, address string) (Identity, string, error) {
	who, err := a.store.IdentityByAddress(ctx, address)
	if err != nil && !withheld(err) {
		return Identity{}, "", parley.Wrap(err, "looking up who signs in")
	}
	hash, err := a.store.PasswordHash(ctx, who.Person)
	if err != nil {
		return Identity{}, "", parley.Wrap(err, "looking up a password")
	}
	if !a.PasswordHere(who.Directory) {
		hash = ""
	}
	return who, hash, nil
}

// rehash stores the password that was just found right with today's parameters.
// A failure to store must not keep the person out, unless the hash was changed
// meanwhile.
func (a *Authority) rehash(ctx context.Context, person parley.PersonID, password, old string) (string, error) {
	hash, err := a.hasher.Hash(password)
	if err != nil {
		return "", err
	}
	_, err = a.store.SetPasswordHash(ctx, PasswordChange{Person: person, Hash: hash, Checked: old}, parley.Alongside{})
	if errors.Is(err, ErrStale) {
		return "", err
	}
	if err != nil {
		a.log.Warn("password hash was not renewed", "person", person, "error", err)
		return old, nil
	}
	return hash, nil
}

func (a *Authority) addDevice(ctx context.Context, in SignIn, who Identity, hash string) (Session, error) {
	at := now()
	rules := a.policy.Policy()
	token, tokenHash := newCode()
	device := Device{
		Person: who.Person, Class: in.Class, Name: deviceName(in.DeviceName), Installation: in.Installation,
		Created: at, LastUsed: at, AuthTime: at, Methods: []string{"pwd"},
	}
	added, err := a.store.AddDevice(ctx, NewDevice{
		Device: device, Token: tokenHash, CheckedHash: hash, FreshKey: newHistoryKey(), Limit: rules.MaxDevices,
	}, audit(actorOf(device), parley.AuditSignedIn, who.Person, in.Class.String()))
	if err != nil {
		return Session{}, parley.Wrap(err, "adding a device of %s", who.Person)
	}
	// The new device is told first, so that the person is at no moment without
	// a reader that holds the log.
	a.announce(parley.DeviceSignedIn{Person: who.Person, Device: added.Device.ID, From: added.Device.From})
	a.ended(who.Person, slices.Concat(added.Replaced, added.Crowded), parley.EndedReplaced)

	session := sessionOf(added.Device, who.Address, added.HistoryKey)
	session.Device.Expires = at.Add(rules.DeviceIdle)
	session.Token = token
	return session, nil
}

func sessionOf(device Device, address string, historyKey []byte) Session {
	return Session{Actor: actorOf(device), Device: device, HistoryKey: historyKey, Address: address}
}

func actorOf(device Device) parley.Actor {
	return parley.Actor{
		Kind: parley.ActorPerson, Person: device.Person, Device: device.ID, Class: device.Class,
		Methods: device.Methods, AuthTime: device.AuthTime,
	}
}

// deviceName makes what a device calls itself fit for a list: one line of
// printable text.
func deviceName(s string) string {
	printable := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	name := strings.Join(strings.Fields(printable), " ")
	if runes := []rune(name); len(runes) > maxDeviceName {
		name = strings.TrimSpace(string(runes[:maxDeviceName]))
	}
	return name
}
