package server

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"parley"
)

func TestDispatcherKeepsTheOrderAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispatcher()
		var first, second []parley.PersonID
		d.listeners = []func(parley.Event){
			func(e parley.Event) {
				p := e.(parley.PresenceChanged).Person
				first = append(first, p)
				if p == 1 { // a listener may announce
					d.Announce(parley.PresenceChanged{Person: 4})
				}
			},
			func(e parley.Event) { second = append(second, e.(parley.PresenceChanged).Person) },
		}
		d.Announce(parley.PresenceChanged{Person: 1}) // before run
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.run(ctx) }()
		synctest.Wait()
		d.Announce(parley.PresenceChanged{Person: 2})
		synctest.Wait()
		d.Announce(parley.PresenceChanged{Person: 3}) // not told yet when it is to stop
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if want := []parley.PersonID{1, 4, 2, 3}; !slices.Equal(first, want) || !slices.Equal(second, want) {
			t.Errorf("got %v and %v", first, second)
		}
	})
}

func TestAnnounceNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispatcher()
		release := make(chan struct{})
		d.listeners = []func(parley.Event){func(parley.Event) { <-release }}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.run(ctx) }()
		for p := range parley.PersonID(10_000) {
			d.Announce(parley.PresenceChanged{Person: p}) // would deadlock the bubble if it waited
		}
		close(release)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// An import tells of 100,000 changed people, and each time much is looked at
// again; a session that ends meanwhile must end at once all the same.
func TestNothingWaitsBehindADirectoryChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispatcher()
		release := make(chan struct{})
		ended := false
		d.listeners = []func(parley.Event){func(e parley.Event) {
			switch e.(type) {
			case parley.PeopleChanged:
				<-release
			case parley.DevicesEnded:
				ended = true
			}
		}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.run(ctx) }()
		d.Announce(parley.PeopleChanged{})
		d.Announce(parley.DevicesEnded{Person: 1})
		synctest.Wait()
		if !ended {
			t.Error("the end of a session waits until a change of the directory is dealt with")
		}
		close(release)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
