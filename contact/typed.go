package contact

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"parley"
)

// PhoneStore keeps the phone numbers that people typed.
type PhoneStore interface {
	// TypedPhones yields everybody who typed any, in the order of their ids.
	TypedPhones(ctx context.Context) iter.Seq2[PersonPhones, error]

	// TypedPhonesOf returns those of these people who typed any, in the order of
	// their ids.
	TypedPhonesOf(ctx context.Context, people []parley.PersonID) ([]PersonPhones, error)

	// SetTypedPhones replaces what a person typed, and tells the other nodes that
	// the person changed.
	SetTypedPhones(ctx context.Context, person parley.PersonID, phones []parley.TypedPhone, with parley.Alongside) error
}

// PersonPhones are the numbers that one person typed, in their order.
type PersonPhones struct {
	Person parley.PersonID
	Phones []parley.TypedPhone
}

// The limits of typed numbers.
const (
	MaxTypedPhones = 10
	maxTypedNumber = 40 // characters
)

// SetPhones replaces the numbers that the actor typed, at a desk. A number has to
// be one that can be dialled from everywhere once region and country are added, so
// neither an extension nor an emergency number is taken. A number that is there
// twice is kept once.
func (b *Book) SetPhones(ctx context.Context, actor parley.Actor, phones []parley.TypedPhone) error {
	if err := actor.AtDesk(); err != nil {
		return err
	}
	me, known := b.Person(actor.Person)
	if !known || me.Gone {
		return parley.ErrWithheld
	}
	if len(phones) > MaxTypedPhones {
		return parley.RefuseField("phones.too-many", "phones")
	}
	kept := make([]parley.TypedPhone, 0, len(phones))
	for _, p := range phones {
		whole, err := wholeNumber(p, regionOf(&me, b.region))
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(kept, func(k parley.TypedPhone) bool {
			return k.Kind == whole.Kind && DialString(k.Number, "") == DialString(whole.Number, "")
		}) {
			kept = append(kept, whole)
		}
	}
	return b.setPhones(ctx, actor.Person, kept)
}

func (b *Book) setPhones(ctx context.Context, person parley.PersonID, phones []parley.TypedPhone) error {
	b.applying.Lock()
	defer b.applying.Unlock()
	if slices.Equal(phones, b.TypedPhones(person)) {
		return nil
	}
	if err := b.store.SetTypedPhones(ctx, person, phones, parley.Alongside{}); err != nil {
		return fmt.Errorf("storing the phone numbers that %s typed: %w", person, err)
	}
	b.retype(person, phones)
	b.announce(parley.PeopleChanged{People: []parley.PersonID{person}})
	return nil
}

// TypedPhones gives the numbers that a person typed, for the person: a copy.
// Nothing of it may reach a viewer but through privacy.Render.
func (b *Book) TypedPhones(person parley.PersonID) []parley.TypedPhone {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Clone(b.typed[person])
}

// retype takes over what a person typed. The caller holds applying.
func (b *Book) retype(person parley.PersonID, phones []parley.TypedPhone) {
	b.mu.Lock()
	b.keepTyped(person, phones)
	b.mu.Unlock()
	if p, known := b.Person(person); known {
		b.put(p)
	}
}

// keepTyped remembers what a person typed. The caller holds mu, or is NewBook.
func (b *Book) keepTyped(person parley.PersonID, phones []parley.TypedPhone) {
	if len(phones) == 0 {
		delete(b.typed, person)
		return
	}
	b.typed[person] = phones
}

// readTyped takes over what everybody typed, before people are placed.
func (b *Book) readTyped(ctx context.Context) error {
	for p, err := range b.store.TypedPhones(ctx) {
		if err != nil {
			return fmt.Errorf("reading typed phone numbers: %w", err)
		}
		b.typed[p.Person] = p.Phones
	}
	return nil
}

// refreshTyped takes over what is stored of numbers that these people typed. It
// gives those of whom that changed. The caller holds applying.
func (b *Book) refreshTyped(ctx context.Context, ids []parley.PersonID) (map[parley.PersonID]bool, error) {
	stored, err := b.store.TypedPhonesOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("reading what %d people typed: %w", len(ids), err)
	}
	now := make(map[parley.PersonID][]parley.TypedPhone, len(stored))
	for _, p := range stored {
		now[p.Person] = p.Phones
	}
	changed := make(map[parley.PersonID]bool)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if !slices.Equal(b.typed[id], now[id]) {
			b.keepTyped(id, now[id])
			changed[id] = true
		}
	}
	return changed, nil
}

// regionOf is the region that completes a person's numbers.
func regionOf(p *parley.Person, region string) string {
	if p.Region != "" {
		return p.Region
	}
	return region
}

// wholeNumber gives a number with its country code, which it keeps wherever the
// person's office moves, and refuses what can be none.
func wholeNumber(p parley.TypedPhone, region string) (parley.TypedPhone, error) {
	p.Number = strings.Join(strings.FieldsFunc(strings.TrimSpace(p.Number), unicode.IsSpace), " ")
	switch {
	case !p.Kind.Valid():
		return p, parley.RefuseField("phones.kind", "kind")
	case p.Number == "" || utf8.RuneCountInString(p.Number) > maxTypedNumber || strings.ContainsFunc(p.Number, unicode.IsControl):
		return p, parley.RefuseField("phones.not-a-number", "number")
	case isEmergency(p.Number):
		return p, parley.RefuseField("phones.emergency", "number")
	case DialString(p.Number, region) == "":
		return p, parley.RefuseField("phones.not-a-number", "number")
	case strings.HasPrefix(trimNumber(p.Number), "+"):
		return p, nil
	}
	parsed, ok := parseNumber(p.Number, region)
	if !ok {
		return p, parley.RefuseField("phones.not-a-number", "number")
	}
	p.Number = phonenumbers.Format(parsed, phonenumbers.INTERNATIONAL)
	return p, nil
}

// longestEmergency is how many digits an emergency number has at most.
const longestEmergency = 6

// isEmergency reports whether a number is an emergency number of any country,
// also with a country code before it.
func isEmergency(number string) bool {
	number = trimNumber(number)
	run := digits(number)
	tries := []string{run}
	if rest, abroad := strings.CutPrefix(run, "00"); abroad || strings.HasPrefix(number, "+") {
		for n := 0; n <= 3 && n < len(rest); n++ {
			tries = append(tries, rest[n:])
		}
	}
	for _, try := range tries {
		if len(try) >= minRun && len(try) <= longestEmergency && emergencyAnywhere(try) {
			return true
		}
	}
	return false
}

func emergencyAnywhere(number string) bool {
	for region := range maps.Keys(phonenumbers.GetSupportedRegions()) {
		if phonenumbers.IsEmergencyNumber(number, region) {
			return true
		}
	}
	return false
}
