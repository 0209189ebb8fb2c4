package webapi

import (
	"hash/maphash"
	"sync"

	"parley"
	"parley/policy"
	"parley/privacy"
)

// encodedPresence keeps the presence events of people, encoded once for each
// class of viewers. An encoding is used only while the facts it was made from
// are still the facts, so nothing has to be told when they change.
type encodedPresence struct {
	seed   maphash.Seed
	shards [encodedShards]encodedShard
}

// stateEvent is a presence event and a sum by which it can be recognised; the
// sum is never 0.
type stateEvent struct {
	bytes []byte
	sum   uint64
}

const (
	encodedShards = 64
	maxEncoded    = 512 // people a shard remembers
)

type encodedShard struct {
	mu     sync.Mutex
	policy policy.Policy // under which everything in people was made
	people map[parley.PersonID]*encodedPerson
}

// encodedPerson is one person. Nearly everybody is watched by viewers of one class
// alone, and there is one for everybody who is watched, so it has room for those
// classes that are asked for and no others.
type encodedPerson struct {
	presence    parley.Presence
	preferences privacy.Preferences
	events      []classEvent
}

type classEvent struct {
	class privacy.Class
	event stateEvent
}

func newEncodedPresence() *encodedPresence {
	e := &encodedPresence{seed: maphash.MakeSeed()}
	for i := range e.shards {
		e.shards[i].people = map[parley.PersonID]*encodedPerson{}
	}
	return e
}

// event gives the presence event of a person for a class of viewers. The bytes
// are shared and must not be changed.
func (e *encodedPresence) event(f privacy.Facts, class privacy.Class, p policy.Policy) stateEvent {
	shard := &e.shards[f.Person.ID%encodedShards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.policy != p {
		shard.policy = p
		clear(shard.people)
	}
	person := shard.people[f.Person.ID]
	if person == nil || person.presence != f.Presence || person.preferences != f.Preferences {
		shard.makeRoom()
		person = &encodedPerson{presence: f.Presence, preferences: f.Preferences}
		shard.people[f.Person.ID] = person
	}
	for i := range person.events {
		if person.events[i].class == class {
			return person.events[i].event
		}
	}
	event := stateEvent{bytes: encodePresence(f, class, p)}
	event.sum = maphash.Bytes(e.seed, event.bytes) | 1
	person.events = append(person.events, classEvent{class, event})
	return event
}

// makeRoom forgets somebody when the shard is full; whom does not matter.
func (s *encodedShard) makeRoom() {
	for id := range s.people {
		if len(s.people) < maxEncoded {
			return
		}
		delete(s.people, id)
	}
}

func encodePresence(f privacy.Facts, class privacy.Class, p policy.Policy) []byte {
	event := PresenceEvent{Type: "presence", Person: f.Person.ID.String()}
	if seen := presenceOf(privacy.Render(f, class, p).Presence); seen != nil {
		event.Presence = *seen
	}
	return mustEncode(event)
}
