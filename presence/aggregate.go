package presence

import (
	"time"

	"parley"
)

// Device is what is known of one connected device.
type Device struct {
	ID         parley.DeviceID
	Class      parley.DeviceClass
	LastActive time.Time // when the person last touched it
	Lease      time.Time // until when it counts as there without a further sign of life
	Visible    bool      // the app is on screen
	TimeZone   string    // IANA name; empty: unknown

	// Node is the node that the device is connected to; empty: this one. Another
	// node vouches for its devices: it takes back what has no lease any more, and
	// with the node's own lease all of them end.
	Node string

	// Seen is the person's state as Node last told it, Since included.
	Seen Seen
}

// Seen is what has to be equal for a state to go on, and since when it holds.
type Seen struct {
	Availability parley.Availability
	Token        parley.Token
	Since        time.Time
}

// live reports whether the device counts as there.
func (d *Device) live(now time.Time) bool { return d.Node != "" || d.Lease.After(now) }

// Facts is everything that a person's state is made of.
type Facts struct {
	Devices []Device
	Choice  Choice

	// LastActive is the last activity on devices that are gone by now.
	LastActive time.Time

	// Was is what Aggregate gave last; zero at first. A state that goes on keeps
	// its Since.
	Was parley.Presence
}

// chosen is what each manual state shows.
var chosen = map[State]struct {
	availability parley.Availability
	token        parley.Token
	lapses       bool // after ManualLapse
}{
	ChooseAvailable:    {availability: parley.Available},
	ChooseBusy:         {availability: parley.Busy, lapses: true},
	ChooseDoNotDisturb: {availability: parley.DoNotDisturb, lapses: true},
	ChooseBeRightBack:  {availability: parley.BeRightBack},
	ChooseOffWork:      {availability: parley.OffWorkAway, token: parley.TokenOffWork},
	ChooseAppearAway:   {availability: parley.Away},
}

// Aggregate gives a person's state at now, unabridged, and when it will change
// by itself: next is zero if only another fact can change it.
//
// The rules (PRODUCT PR2, PR3, PR5): a device is Available, after five idle
// minutes Inactive, after five more Away, and nothing once its lease is over.
// The lowest number wins, ties go to the most recent activity, and time zone and
// device kind come from that device. What the person chose by hand wins over
// all devices, but only while one is there; without any the person is Offline.
// Busy shows as inactive while no device is in use.
func Aggregate(f Facts, now time.Time) (p parley.Presence, next time.Time) {
	soonest := earliest{now: now}
	best, idle := decide(f.Devices, &soonest)
	choice := f.Choice.in(now, &soonest)
	last := lastActive(f)

	switch c, manual := chosen[choice.State]; {
	case best == nil:
		p.Availability = parley.Offline
	case manual:
		p.Availability, p.Token, p.Source, p.Until = c.availability, c.token, parley.SourceManual, choice.lapse()
		if c.availability == parley.Busy && idle > parley.Available {
			p.Availability = parley.BusyInactive
		}
	default:
		p.Availability, p.Source = idle, parley.SourceDevice
	}
	if best != nil {
		p.Mobile, p.TimeZone = best.Class == parley.Mobile, best.TimeZone
	}
	p.Note, p.NoteUntil = choice.Note, choice.NoteUntil
	p.LastActive = shownLastActive(p.Availability, idle, last, choice)
	p.Since = sinceAnywhere(f.Devices, p, since(f.Was, p, now))
	return p, soonest.at
}

// sinceAnywhere gives the earliest start that a node tells of the same state, so
// that everybody is told the same, also by a node that was restarted meanwhile.
func sinceAnywhere(devices []Device, p parley.Presence, since time.Time) time.Time {
	for _, d := range devices {
		same := d.Node != "" && d.Seen.Availability == p.Availability && d.Seen.Token == p.Token
		if same && !d.Seen.Since.IsZero() && d.Seen.Since.Before(since) {
			since = d.Seen.Since
		}
	}
	return since
}

// decide finds the device whose number counts, and that number. best is nil
// without a live device.
func decide(devices []Device, soonest *earliest) (best *Device, number parley.Availability) {
	for i := range devices {
		d := &devices[i]
		if !d.live(soonest.now) {
			continue
		}
		if d.Node == "" {
			soonest.offer(d.Lease)
		}
		n := parley.Available
		switch inactive, away := d.LastActive.Add(InactiveAfter), d.LastActive.Add(AwayAfter); {
		case !away.After(soonest.now):
			n = parley.Away
		case !inactive.After(soonest.now):
			n = parley.Inactive
			soonest.offer(away)
		default:
			soonest.offer(inactive)
		}
		if best == nil || n < number || n == number && d.LastActive.After(best.LastActive) {
			best, number = d, n
		}
	}
	return best, number
}

// in gives what of a choice still holds at a time.
func (c Choice) in(now time.Time, soonest *earliest) Choice {
	if c.State != Automatic {
		if lapse := c.lapse(); lapse.IsZero() || lapse.After(now) {
			soonest.offer(lapse)
		} else {
			c.State = Automatic
		}
	}
	if c.NoteUntil.IsZero() || c.NoteUntil.After(now) {
		soonest.offer(c.NoteUntil)
	} else {
		c.Note, c.NoteUntil = "", time.Time{}
	}
	return c
}

// lapse gives when the chosen state ends: when the person said, and Busy and Do
// Not Disturb not later than ManualLapse after they were chosen.
func (c Choice) lapse() time.Time {
	if !chosen[c.State].lapses {
		return c.Until
	}
	limit := c.SetAt.Add(ManualLapse)
	if c.Until.IsZero() || c.Until.After(limit) {
		return limit
	}
	return c.Until
}

func lastActive(f Facts) time.Time {
	last := f.LastActive
	for _, d := range f.Devices {
		if d.LastActive.After(last) {
			last = d.LastActive
		}
	}
	return last
}

// shownLastActive tells the last activity only of somebody who is not active,
// so that the field does not change with every touch. To somebody who chose to
// seem away it gives the moment of the choice at the latest, or it would give
// them away.
func shownLastActive(shown, idle parley.Availability, last time.Time, c Choice) time.Time {
	seemsAway := chosen[c.State].availability >= parley.BeRightBack
	switch {
	case seemsAway && last.After(c.SetAt):
		return c.SetAt
	case seemsAway || shown == parley.Offline || idle > parley.Available && shown != parley.Available:
		return last
	default:
		return time.Time{}
	}
}

// since keeps the start of a state that goes on. A person who has been Offline
// since before this program knew them has no start.
func since(was, is parley.Presence, now time.Time) time.Time {
	switch {
	case was.Availability == is.Availability && was.Token == is.Token:
		return was.Since
	case was.Availability == 0 && is.Availability == parley.Offline:
		return time.Time{}
	default:
		return now
	}
}

// earliest collects the soonest of several times after now.
type earliest struct{ now, at time.Time }

func (e *earliest) offer(t time.Time) {
	if t.After(e.now) && (e.at.IsZero() || t.Before(e.at)) {
		e.at = t
	}
}
