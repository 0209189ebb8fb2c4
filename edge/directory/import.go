package directory

import (
	"errors"
	"io"
	"iter"
)

// People reads the people of an LDIF export one after the other. With each comes
// nil, or instead of one comes
//
//   - a *RecordError: that record is left out, and the iteration goes on;
//   - any other error: the export could not be read further, and it ends.
//
// Records that are not people (groups, organisational units, computers, mail
// contacts) are passed over silently. Only attributes that m names are looked
// at. Memory stays bounded by one record, whatever the length of the export.
func People(r io.Reader, m Mapping) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		in := NewReader(r)
		in.Only(m.Attributes()...)
		for {
			entry, person, err := nextPerson(in, &m)
			if err == io.EOF {
				return
			}
			if !person && err == nil {
				continue
			}
			if !yield(entry, err) {
				return
			}
			if _, one := errors.AsType[*RecordError](err); err != nil && !one {
				return
			}
		}
	}
}

func nextPerson(in *Reader, m *Mapping) (Entry, bool, error) {
	rec, err := in.Next()
	if err != nil {
		return Entry{}, false, err
	}
	return m.Person(rec)
}
