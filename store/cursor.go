package store

import (
	"maps"
	"sync"
	"time"

	"parley"
)

const (
	// cursorDelay is how long cursors gather before they are written. A cursor
	// that a crash takes only means that the device is told again.
	cursorDelay = 100 * time.Millisecond
	// maxCursors is how many one commit writes at most.
	maxCursors = 512
)

// cursors holds the positions that devices acknowledged and that are not written
// yet, the highest of each.
type cursors struct {
	due chan struct{} // one token: cursors have waited long enough

	mu      sync.Mutex
	pending map[parley.DeviceID]parley.Pos
	armed   bool // somebody will put the token into due
}

func newCursors() *cursors {
	return &cursors{due: make(chan struct{}, 1), pending: map[parley.DeviceID]parley.Pos{}}
}

// note remembers the highest position of a device.
func (c *cursors) note(device parley.DeviceID, pos parley.Pos) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending[device] = max(c.pending[device], pos)
	c.arm(cursorDelay)
}

// arm makes cursors due after a time. Call it with mu held.
func (c *cursors) arm(after time.Duration) {
	if c.armed || len(c.pending) == 0 {
		return
	}
	c.armed = true
	time.AfterFunc(after, c.ring)
}

func (c *cursors) ring() {
	select {
	case c.due <- struct{}{}:
	default:
	}
}

// take removes at most limit cursors for writing.
func (c *cursors) take(limit int) map[parley.DeviceID]parley.Pos {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) <= limit {
		taken := c.pending
		c.pending = map[parley.DeviceID]parley.Pos{}
		c.armed = false
		return taken
	}
	taken := make(map[parley.DeviceID]parley.Pos, limit)
	for device, pos := range c.pending {
		if len(taken) == limit {
			break
		}
		taken[device] = pos
		delete(c.pending, device)
	}
	c.armed = false
	c.arm(0)
	return taken
}

// putBack returns cursors whose commit failed, to be tried again after a while.
func (c *cursors) putBack(taken map[parley.DeviceID]parley.Pos) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for device, pos := range taken {
		c.pending[device] = max(c.pending[device], pos)
	}
	c.arm(time.Second)
}

// writeCursors writes at most limit of the gathered cursors.
func (b *batch) writeCursors(limit int) error {
	taken := b.cursors.take(limit)
	if b.taken == nil {
		b.taken = taken
	} else {
		maps.Copy(b.taken, taken)
	}
	return b.tx.cursors(taken)
}
