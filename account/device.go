package account

import (
	"context"
	"slices"

	"parley"
)

// Devices returns the actor's own live devices, the one used last first.
func (a *Authority) Devices(ctx context.Context, actor parley.Actor) ([]Device, error) {
	if err := needDevice(actor); err != nil {
		return nil, err
	}
	return a.devicesOf(ctx, actor.Person)
}

// DevicesOf returns the live devices of anybody, for an administrator.
func (a *Authority) DevicesOf(ctx context.Context, admin parley.Actor, person parley.PersonID) ([]Device, error) {
	if err := needAdmin(admin); err != nil {
		return nil, err
	}
	return a.devicesOf(ctx, person)
}

func (a *Authority) devicesOf(ctx context.Context, person parley.PersonID) ([]Device, error) {
	devices, err := a.store.Devices(ctx, person)
	if err != nil {
		return nil, parley.Wrap(err, "listing devices of %s", person)
	}
	idle := a.policy.Policy().DeviceIdle
	for i := range devices {
		d := &devices[i]
		if at := a.sessions.lastUse(d.ID); at.After(d.LastUsed) {
			d.LastUsed = at
		}
		d.Expires = d.LastUsed.Add(idle)
	}
	slices.SortStableFunc(devices, func(x, y Device) int { return y.LastUsed.Compare(x.LastUsed) })
	return devices, nil
}

// SignOut ends the actor's own device.
func (a *Authority) SignOut(ctx context.Context, actor parley.Actor) error {
	if err := needDevice(actor); err != nil {
		return err
	}
	with := audit(actor, parley.AuditSignedOut, actor.Person, actor.Device.String())
	return a.end(ctx, actor.Person, []parley.DeviceID{actor.Device}, parley.EndedSignedOut, with)
}

// Revoke ends one of the actor's own devices. Any other is withheld, as is one
// that does not exist.
func (a *Authority) Revoke(ctx context.Context, actor parley.Actor, device parley.DeviceID) error {
	if err := needDevice(actor); err != nil {
		return err
	}
	if device == actor.Device {
		return a.SignOut(ctx, actor)
	}
	return a.revoke(ctx, actor, actor.Person, device)
}

// RevokeOf ends a device of anybody, for an administrator.
func (a *Authority) RevokeOf(ctx context.Context, admin parley.Actor, person parley.PersonID, device parley.DeviceID) error {
	if err := needAdmin(admin); err != nil {
		return err
	}
	return a.revoke(ctx, admin, person, device)
}

func (a *Authority) revoke(ctx context.Context, actor parley.Actor, person parley.PersonID, device parley.DeviceID) error {
	devices, err := a.store.Devices(ctx, person)
	if err != nil {
		return parley.Wrap(err, "looking up the devices of %s", person)
	}
	// Asked before anything is written, so that no record stands in the trail
	// for a device that was not theirs.
	if !slices.ContainsFunc(devices, func(d Device) bool { return d.ID == device }) {
		return parley.ErrWithheld
	}
	with := audit(actor, parley.AuditDeviceRevoked, person, device.String())
	return a.end(ctx, person, []parley.DeviceID{device}, parley.EndedRevoked, with)
}

// Recheck takes notice of a change in the directory: sessions of these people
// are read anew, and devices of people who may no longer sign in end. Run does
// the latter every minute too; this is for doing it at once.
func (a *Authority) Recheck(ctx context.Context, people []parley.PersonID) error {
	a.sessions.forget(people)
	return a.endBarred(ctx)
}

// endIdle signs out the devices that were not used for the policy's time.
func (a *Authority) endIdle(ctx context.Context) error {
	before := now().Add(-a.policy.Policy().DeviceIdle)
	idle, err := a.store.IdleDevices(ctx, before)
	if err != nil {
		return parley.Wrap(err, "looking for idle devices")
	}
	// A use since the last writing is in memory only.
	idle = slices.DeleteFunc(idle, func(d Device) bool { return a.sessions.lastUse(d.ID).After(before) })
	return a.endAll(ctx, idle, parley.EndedExpired)
}

// endBarred ends devices of people who are disabled or gone by an import's word.
func (a *Authority) endBarred(ctx context.Context) error {
	barred, err := a.store.BarredDevices(ctx)
	if err != nil {
		return parley.Wrap(err, "looking for devices of barred people")
	}
	return a.endAll(ctx, barred, parley.EndedDisabled)
}

func (a *Authority) endAll(ctx context.Context, devices []Device, reason parley.EndReason) error {
	byPerson := map[parley.PersonID][]parley.DeviceID{}
	for _, d := range devices {
		byPerson[d.Person] = append(byPerson[d.Person], d.ID)
	}
	for person, ids := range byPerson {
		if err := a.end(ctx, person, ids, reason, parley.Alongside{}); err != nil {
			return err
		}
		if reason == parley.EndedDisabled {
			a.announce(parley.AccountDisabled{Person: person})
		}
	}
	return nil
}

func (a *Authority) end(ctx context.Context, person parley.PersonID, devices []parley.DeviceID, reason parley.EndReason, with parley.Alongside) error {
	ended, err := a.store.EndDevices(ctx, person, devices, 0, reason, with)
	if err != nil {
		return parley.Wrap(err, "ending devices of %s", person)
	}
	a.ended(person, ended, reason)
	return nil
}

// ended takes the committed end of devices to the cache and then to everybody
// else, in this order: who hears of it finds no session any more.
func (a *Authority) ended(person parley.PersonID, devices []parley.DeviceID, reason parley.EndReason) {
	if len(devices) == 0 {
		return
	}
	a.sessions.end(devices)
	a.announce(parley.DevicesEnded{Person: person, Devices: devices, Reason: reason})
}

// needDevice refuses everybody but a person on a signed-in device.
func needDevice(actor parley.Actor) error {
	if actor.Kind != parley.ActorPerson || actor.Person == 0 || actor.Device == 0 {
		return errNoSession
	}
	return nil
}

// needAdmin refuses everybody but an administrator and the server itself.
func needAdmin(actor parley.Actor) error {
	if actor.Kind != parley.ActorAdmin && actor.Kind != parley.ActorSystem {
		return parley.Refuse(parley.Forbidden, "administrator.only")
	}
	return nil
}
