package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"parley"
)

// elsewhere is what other nodes changed in the database and this one has yet to
// take over without holding up the store's writer: people and groups, which the Book reads.
type elsewhere struct {
	apply func(context.Context, parley.Event) error
	fails func(error)
	wake  chan struct{} // one token: something waits

	mu    sync.Mutex
	queue []parley.Event
}

// retryAfter is how long what could not be read waits.
const retryAfter = time.Second

// people is how many of an import are read again at once.
const peopleAtOnce = 500

// follow makes memory follow what other nodes change. Hints of theirs only wake
// the store, which reads what happened.
func (p *parts) follow() {
	if p.peers == nil {
		return
	}
	p.elsewhere.apply, p.elsewhere.wake = p.takeOver, make(chan struct{}, 1)
	p.elsewhere.fails = func(err error) {
		p.config.Logger.Error("taking over what another node changed failed, trying again", "error", err)
	}
	p.peers.hear, p.peers.learn, p.peers.unlearn = p.log.Hear, p.board.Learn, p.board.Unlearn
	p.peers.bus.Hear(topicLog, func(string, []byte) { p.store.Wake() })
	p.peers.bus.OnMissed(func(string) { p.store.Wake() })
	p.store.OnChanges(p.changedElsewhere)
}

// changedElsewhere is called on the store's writer, before anything later is
// admitted: who ended, and who is what to whom, holds from here on. What cannot be
// read is tried again, and until then nothing is admitted: a message could be one
// of somebody who is blocked by now.
func (p *parts) changedElsewhere(events []parley.Event) error {
	for _, event := range events {
		switch event.(type) {
		case parley.PeopleChanged, parley.DirectoryGroupsChanged:
			p.elsewhere.add(event)
			continue
		}
		if err := p.takeOverSoon(event); err != nil {
			return err
		}
	}
	return nil
}

// takeOverSoon gives a read as long as the writer can wait.
func (p *parts) takeOverSoon(event parley.Event) error {
	ctx, cancel := context.WithTimeout(context.Background(), retryAfter)
	defer cancel()
	return p.takeOver(ctx, event)
}

// takeOver makes memory right and then tells everybody here.
func (p *parts) takeOver(ctx context.Context, event parley.Event) (err error) {
	switch e := event.(type) {
	case parley.RelationChanged:
		err = p.gate.Refresh(ctx, e.Owner, e.Other)
	case parley.PreferencesChanged:
		if err = p.gate.RefreshPreferences(ctx, e.Person); err == nil {
			p.events.Announce(event)
		}
		event = parley.PeopleChanged{People: []parley.PersonID{e.Person}}
	case parley.ChoiceChanged:
		err = p.board.Refresh(ctx, e.Person)
	case parley.PeopleChanged:
		err = p.book.Refresh(ctx, e.People)
	case parley.DirectoryGroupsChanged:
		err = p.book.RefreshGroups(ctx, e.Groups)
	case parley.DevicesEnded:
		p.accounts.Forget(e.Devices)
	case parley.PolicyChanged:
		return p.rules.Reload(ctx) // it tells by itself, if anything is another rule by it
	}
	if err != nil {
		return err
	}
	p.log.Notify(event)
	p.events.Announce(event)
	return nil
}

func (e *elsewhere) add(event parley.Event) {
	e.mu.Lock()
	e.queue = append(e.queue, event)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// take removes what waits, in order, with neighbouring changes of people joined.
func (e *elsewhere) take() []parley.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	queue := e.queue
	e.queue = nil
	return joinPeople(queue)
}

func joinPeople(events []parley.Event) []parley.Event {
	var joined []parley.Event
	for _, event := range events {
		people, ok := event.(parley.PeopleChanged)
		if n := len(joined); ok && n > 0 {
			if last, also := joined[n-1].(parley.PeopleChanged); also && len(last.People)+len(people.People) <= peopleAtOnce {
				joined[n-1] = parley.PeopleChanged{People: slices.Concat(last.People, people.People)}
				continue
			}
		}
		joined = append(joined, event)
	}
	return joined
}

// run takes over what waits until ctx ends.
func (e *elsewhere) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		}
		for _, event := range e.take() {
			if err := e.apply(ctx, event); err != nil && ctx.Err() == nil {
				e.fails(err)
				time.AfterFunc(retryAfter, func() { e.add(event) })
			}
		}
	}
}
