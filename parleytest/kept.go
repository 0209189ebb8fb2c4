package parleytest

import (
	"slices"
	"testing"

	"parley/edge/webapi"
)

// Kept is what a device has on its disk: enough to come back another day, to
// another version of the server, as a device that was switched off.
type Kept struct {
	Session webapi.Session // with the token
	Cursor  string
	Queue   []Message // what the server has not accepted, as far as the device knows
}

// Keep returns what the device has on its disk now.
func (d *Device) Keep() Kept {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Kept{Session: d.Session, Cursor: d.cursor, Queue: slices.Clone(d.queue)}
}

// Return switches a kept device on at the server with this base URL. Its history
// holds what comes from now on.
func Return(t testing.TB, base string, kept Kept) *Device {
	t.Helper()
	d := newDevice(t, base)
	d.Session, d.token, d.cursor = kept.Session, kept.Session.Token, kept.Cursor
	d.queue, d.queued = slices.Clone(kept.Queue), slices.Clone(kept.Queue)
	d.Connect()
	return d
}

// Forgetful makes the device one that will remember nothing of what comes from now
// on: it acknowledges no more.
func (d *Device) Forgetful() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.noAck = true
}
