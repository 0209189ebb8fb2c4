package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// crowd is people who connect to a server. Scenarios know no protocol: what Parley
// is asked to do, and measured by, the peers are too.
type crowd interface {
	// join connects a device, and returns when the server has told it all that it
	// tells whoever connects.
	join(ctx context.Context, j joining) (member, error)
	// voice gives a way to change people's notes. One goroutine uses it.
	voice(number int) (voice, error)
	// acknowledges reports whether the server tells a sender that it took a message.
	acknowledges() bool
	// whole reports why a device was cut off, if one was.
	whole() error
	// gaps is how often devices fell behind and had to fetch what they lacked.
	gaps() int64
	// close cuts everybody off and waits until all that was heard is dealt with. A
	// crowd can be joined again after it.
	close()
}

// joining says whose device connects.
type joining struct {
	person int   // number in the roster
	device int   // which of the person's
	alone  bool  // shows nobody's presence; else that of the whole circle
	follow []int // shows the presence of these people, too
	ears   ears
}

// ears are told what a device hears, on its reading goroutine. What they are given
// is valid until they return.
type ears interface {
	message(text []byte)
	accepted()
	refused(why []byte)
	notice(person int, note []byte)
	applied() // behind everything that came together
}

// deaf are ears that hear nothing.
type deaf struct{}

func (deaf) message([]byte)     {}
func (deaf) accepted()          {}
func (deaf) refused([]byte)     {}
func (deaf) notice(int, []byte) {}
func (deaf) applied()           {}

// member is a connected device.
type member interface {
	// write prepares a message to a person; flush sends what was prepared, at once.
	// One goroutine at a time calls them.
	write(to int, number uint64, text []byte) error
	flush() error
	// leave cuts the device off.
	leave()
}

// voice changes the notes of people who are connected.
type voice interface {
	say(ctx context.Context, person int, note string) error
	close()
}

// joinWithin bounds the connecting of one device.
const joinWithin = 30 * time.Second

// joinAll connects devices, so many at once, and calls then with each, its place in
// the list, and how long it took.
func (s *site) joinAll(ctx context.Context, c crowd, all []joining, then func(i int, m member, took time.Duration)) error {
	if len(all) > maxSockets {
		return fmt.Errorf("%d sockets: at most %d", len(all), maxSockets)
	}
	group, joining := errgroup.WithContext(ctx)
	group.SetLimit(s.workers)
	for i, j := range all {
		if joining.Err() != nil {
			break
		}
		group.Go(func() error {
			began := time.Now()
			within, cancel := context.WithTimeout(joining, joinWithin)
			defer cancel()
			m, err := c.join(within, j)
			if err != nil {
				return fmt.Errorf("connecting person %d: %w", j.person, err)
			}
			then(i, m, time.Since(began))
			return nil
		})
	}
	return group.Wait()
}
