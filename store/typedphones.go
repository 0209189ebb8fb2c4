package store

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"parley"
	"parley/contact"
)

// phoneRow is one number that somebody typed.
type phoneRow struct {
	person parley.PersonID
	place  int64
	phone  parley.TypedPhone
}

func scanPhone(r row) (p phoneRow, err error) {
	err = r.Scan(&p.person, &p.place, &p.phone.Kind, &p.phone.Number)
	return p, err
}

// TypedPhones implements contact.PhoneStore.
func (s *Store) TypedPhones(ctx context.Context) iter.Seq2[contact.PersonPhones, error] {
	const query = `
SELECT person, place, kind, number FROM typed_phones WHERE (person, place) > ($1, $2) ORDER BY person, place LIMIT $3`
	all := pages("reading typed phone numbers", func(last phoneRow) ([]phoneRow, error) {
		rows, err := s.read.query(ctx, query, int64(last.person), last.place, pageRows)
		return collect(rows, err, scanPhone)
	})
	return func(yield func(contact.PersonPhones, error) bool) {
		var of contact.PersonPhones
		for p, err := range all {
			if err != nil {
				yield(contact.PersonPhones{}, err)
				return
			}
			if p.person != of.Person && of.Person != 0 {
				if !yield(of, nil) {
					return
				}
				of = contact.PersonPhones{}
			}
			of.Person, of.Phones = p.person, append(of.Phones, p.phone)
		}
		if of.Person != 0 {
			yield(of, nil)
		}
	}
}

// TypedPhonesOf implements contact.PhoneStore.
func (s *Store) TypedPhonesOf(ctx context.Context, people []parley.PersonID) ([]contact.PersonPhones, error) {
	var all []contact.PersonPhones
	for some := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(people))), maxListed) {
		rows, err := s.read.queryAmong(ctx,
			`SELECT person, place, kind, number FROM typed_phones WHERE person {ids} ORDER BY person, place`, plain(some))
		phones, err := collect(rows, err, scanPhone)
		if err != nil {
			return nil, fmt.Errorf("reading typed phone numbers: %w", err)
		}
		for _, p := range phones {
			if n := len(all); n == 0 || all[n-1].Person != p.person {
				all = append(all, contact.PersonPhones{Person: p.person})
			}
			of := &all[len(all)-1]
			of.Phones = append(of.Phones, p.phone)
		}
	}
	return all, nil
}

// SetTypedPhones implements contact.PhoneStore.
func (s *Store) SetTypedPhones(ctx context.Context, person parley.PersonID, phones []parley.TypedPhone, with parley.Alongside) error {
	steps := []step{{query: `DELETE FROM typed_phones WHERE person = $1`, args: []any{int64(person)}}}
	for i, p := range phones {
		steps = append(steps, step{
			query: `INSERT INTO typed_phones (person, place, kind, number) VALUES ($1, $2, $3, $4)`,
			args:  []any{int64(person), int64(i + 1), int64(p.Kind), p.Number},
		})
	}
	tells := []parley.Event{parley.PeopleChanged{People: []parley.PersonID{person}}}
	return s.writer.do(ctx, s.writer.queue, change{steps: steps, tells: tells, also: with})
}
