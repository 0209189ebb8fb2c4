package presence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley"
)

// SetState stores the state that a person chose by hand; Automatic or Reset
// takes it back. until is when it lapses, zero for no time; Busy and Do Not
// Disturb lapse after ManualLapse at the latest. It shows while a device of the
// person is there.
func (b *Board) SetState(ctx context.Context, actor parley.Actor, s State, until time.Time) error {
	if s == Reset {
		s = Automatic
	}
	if _, known := chosen[s]; !known && s != Automatic {
		return parley.RefuseField("presence.state-unknown", "state")
	}
	now := clock()
	if err := future(until, now); err != nil {
		return err
	}
	return b.choose(ctx, actor, func(c *Choice) {
		c.State, c.SetAt, c.Until = s, inMilliseconds(now), inMilliseconds(until)
		if s == Automatic {
			c.SetAt, c.Until = time.Time{}, time.Time{}
		}
	})
}

// SetNote stores a person's note, at most MaxNote characters; an empty one
// removes it. until is when it lapses, zero for no time.
func (b *Board) SetNote(ctx context.Context, actor parley.Actor, note string, until time.Time) error {
	if !utf8.ValidString(note) {
		return parley.RefuseField("note.not-text", "note")
	}
	note = strings.TrimSpace(strings.Map(oneLine, note))
	if utf8.RuneCountInString(note) > MaxNote {
		return parley.RefuseField("note.too-long", "note")
	}
	if err := future(until, clock()); err != nil {
		return err
	}
	return b.choose(ctx, actor, func(c *Choice) {
		c.Note, c.NoteUntil = note, inMilliseconds(until)
		if note == "" {
			c.NoteUntil = time.Time{}
		}
	})
}

// choose stores a changed choice and, once it is durable, shows it.
func (b *Board) choose(ctx context.Context, actor parley.Actor, alter func(*Choice)) error {
	if actor.Kind != parley.ActorPerson || actor.Person == 0 {
		return parley.Refuse(parley.Forbidden, "presence.not-yours")
	}
	b.mu.Lock()
	r := b.record(actor.Person)
	b.mu.Unlock()

	r.choosing.Lock()
	defer r.choosing.Unlock()
	b.mu.RLock()
	was := r.facts.Choice
	b.mu.RUnlock()
	is, err := b.alterStored(ctx, actor.Person, was, alter)
	if err != nil {
		return fmt.Errorf("storing a choice: %w", err)
	}
	if b.Refresh(context.WithoutCancel(ctx), actor.Person) != nil {
		// It holds all the same, and nobody else would ever tell this node of it.
		b.change(actor.Person, func(r *record) {
			b.learnt++
			r.facts.Choice = is
		}, clock())
	}
	return nil
}

// maxAttempts is how often a choice is made anew from what another node has
// stored meanwhile. One person does not choose on many devices at once.
const maxAttempts = 5

// alterStored changes the stored choice, which is believed to be was, and returns
// what is stored then.
func (b *Board) alterStored(ctx context.Context, person parley.PersonID, was Choice, alter func(*Choice)) (Choice, error) {
	var err error
	for range maxAttempts {
		is := was
		alter(&is)
		if err = b.store.SetChoice(ctx, person, was, is, parley.Alongside{}); !errors.Is(err, ErrStale) {
			return is, err
		}
		if was, err = b.store.Choice(ctx, person); err != nil {
			return was, err
		}
	}
	return was, &parley.Error{Kind: parley.Unavailable, Key: "store.unavailable", Err: ErrStale}
}

func future(until, now time.Time) error {
	if !until.IsZero() && !until.After(now) {
		return parley.RefuseField("presence.until-past", "until")
	}
	return nil
}

// inMilliseconds is the precision of the store and the wire.
func inMilliseconds(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// oneLine makes line breaks and other control characters spaces.
func oneLine(r rune) rune {
	if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
		return ' '
	}
	return r
}
