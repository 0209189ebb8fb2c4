package wire

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Event is what a load test reads of one event, whatever its type: the fields of
// all of them, of which Type says which count. The slices lie in the frame.
type Event struct {
	Type         []byte
	Prev         []byte
	Cursor       []byte
	Conversation []byte
	From         []byte
	ClientID     []byte
	Body         []byte // base64
	Person       []byte
	Device       []byte
	Key          []byte // of a problem
	Reason       []byte
	Note         []byte // of a presence
	State        int    // availability of a presence; 0: withheld
	Resync       bool
	OwnDevice    bool
}

// errEvents says that a frame from the server is not what the protocol says.
var errEvents = errors.New("frame is no JSON array of objects")

// EachEvent reads a frame: a JSON array of objects. The Event is valid until each
// returns. What is nested deeper than a problem or a presence is passed over; so
// are fields with another type than the protocol gives them.
func EachEvent(frame []byte, each func(*Event) error) error {
	s := scanner{text: frame}
	var event Event
	return s.array(func() error {
		event = Event{}
		if err := s.object(func(key []byte) error { return s.field(&event, key) }); err != nil {
			return err
		}
		return each(&event)
	})
}

// field reads the value of a field of an event.
func (s *scanner) field(e *Event, key []byte) (err error) {
	if nested := string(key); nested == "presence" || nested == "problem" {
		if s.peek() == '{' {
			return s.object(func(inner []byte) error { return s.nested(e, inner) })
		}
		return s.skip(0)
	}
	switch string(key) {
	case "type":
		e.Type, err = s.textOr(e.Type)
	case "prev":
		e.Prev, err = s.textOr(e.Prev)
	case "cursor":
		e.Cursor, err = s.textOr(e.Cursor)
	case "conversation":
		e.Conversation, err = s.textOr(e.Conversation)
	case "from":
		e.From, err = s.textOr(e.From)
	case "client_id":
		e.ClientID, err = s.textOr(e.ClientID)
	case "body":
		e.Body, err = s.textOr(e.Body)
	case "person":
		e.Person, err = s.textOr(e.Person)
	case "device":
		e.Device, err = s.textOr(e.Device)
	case "reason":
		e.Reason, err = s.textOr(e.Reason)
	case "resync":
		e.Resync = s.peek() == 't'
		err = s.skip(0)
	case "own_device":
		e.OwnDevice = s.peek() == 't'
		err = s.skip(0)
	default:
		err = s.skip(0)
	}
	return err
}

// nested reads a field of a presence or a problem.
func (s *scanner) nested(e *Event, key []byte) (err error) {
	switch string(key) {
	case "note":
		e.Note, err = s.textOr(e.Note)
	case "key":
		e.Key, err = s.textOr(e.Key)
	case "availability":
		from := s.at
		if err = s.skip(0); err == nil {
			e.State = number(s.text[from:s.at])
		}
	default:
		err = s.skip(0)
	}
	return err
}

// number reads a short whole number; anything else is 0.
func number(digits []byte) int {
	n := 0
	digits = bytes.TrimSpace(digits)
	if len(digits) > 9 {
		return 0
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// scanner goes through JSON (RFC 8259) without building anything.
type scanner struct {
	text []byte
	at   int
}

// space passes over white space.
func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// peek is the next character that is no space; 0 at the end.
func (s *scanner) peek() byte {
	if s.space(); s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// take passes over one character, which must be c.
func (s *scanner) take(c byte) error {
	if s.peek() != c {
		return errEvents
	}
	s.at++
	return nil
}

// array calls element where each element begins; element passes over it. Nothing
// may stand behind the array.
func (s *scanner) array(element func() error) error {
	if err := s.list('[', ']', element); err != nil {
		return err
	}
	if s.peek() != 0 || s.at < len(s.text) {
		return errEvents
	}
	return nil
}

// object calls value where the value of each field begins; value passes over it.
func (s *scanner) object(value func(key []byte) error) error {
	return s.list('{', '}', func() error {
		key, err := s.string()
		if err == nil {
			err = s.take(':')
		}
		if err != nil {
			return err
		}
		return value(key)
	})
}

func (s *scanner) list(open, end byte, element func() error) error {
	if err := s.take(open); err != nil {
		return err
	}
	if s.peek() == end {
		s.at++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if s.peek() == end {
			s.at++
			return nil
		}
		if err := s.take(','); err != nil {
			return err
		}
	}
}

// textOr reads a string for a field; a value of another type leaves the field as
// it was.
func (s *scanner) textOr(was []byte) ([]byte, error) {
	if s.peek() != '"' {
		return was, s.skip(0)
	}
	return s.string()
}

// string reads a string. Nearly always it holds no escape and is handed out where
// it lies.
func (s *scanner) string() ([]byte, error) {
	if err := s.take('"'); err != nil {
		return nil, err
	}
	from := s.at
	escaped := false
	for {
		i := bytes.IndexByte(s.text[s.at:], '"')
		if i < 0 {
			return nil, errEvents
		}
		run := s.text[s.at : s.at+i]
		s.at += i + 1
		j := bytes.IndexByte(run, '\\')
		if j < 0 {
			break
		}
		escaped = true
		if !quoted(run[j:]) {
			break
		}
	}
	raw := s.text[from : s.at-1]
	if !escaped {
		return raw, nil
	}
	var plain string
	if err := json.Unmarshal(s.text[from-1:s.at], &plain); err != nil {
		return nil, errEvents
	}
	return []byte(plain), nil
}

// quoted reports whether the character behind run is escaped: an odd number of
// backslashes stands before it.
func quoted(run []byte) bool {
	n := 0
	for i := len(run) - 1; i >= 0 && run[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

// maxNesting bounds how deep a value that is passed over may be nested.
const maxNesting = 32

// skip passes over any value.
func (s *scanner) skip(depth int) error {
	if depth > maxNesting {
		return errEvents
	}
	switch s.peek() {
	case '"':
		_, err := s.string()
		return err
	case '{':
		return s.object(func([]byte) error { return s.skip(depth + 1) })
	case '[':
		return s.list('[', ']', func() error { return s.skip(depth + 1) })
	}
	from := s.at
	for s.at < len(s.text) && !ends(s.text[s.at]) {
		s.at++
	}
	if !json.Valid(s.text[from:s.at]) { // a number, true, false or null
		return errEvents
	}
	return nil
}

// ends reports whether c cannot stand in a number or word.
func ends(c byte) bool {
	switch c {
	case ' ', '\t', '\n', '\r', ',', ':', '"', '[', ']', '{', '}':
		return true
	}
	return false
}
