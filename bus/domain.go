package bus

import (
	"encoding/binary"
	"time"

	"parley"
	"parley/conversation"
	"parley/presence"
)

// This file is what the domain's hints and facts look like between nodes. A node
// of another version may add to the end; what is there keeps its place.

// maxText is the longest token or time zone, in bytes.
const maxText = 64

// AppendFact writes a presence fact; its device is the key of the row.
func AppendFact(b []byte, f presence.Fact) []byte {
	var visible byte
	if f.Visible {
		visible = 1
	}
	b = binary.AppendUvarint(b, uint64(f.Person))
	b = append(b, byte(f.Class), visible)
	b = binary.AppendVarint(b, nanos(f.LastActive))
	b = binary.AppendUvarint(b, uint64(f.Seen.Availability))
	b = binary.AppendVarint(b, nanos(f.Seen.Since))
	b = appendText(b, string(f.Seen.Token))
	return appendText(b, f.TimeZone)
}

// ParseFact reads what AppendFact wrote. device is the key of the row.
func ParseFact(device uint64, b []byte) (presence.Fact, error) {
	r := reader{rest: b}
	f := presence.Fact{Device: parley.DeviceID(device), Person: parley.PersonID(r.uvarint())}
	f.Class = parley.DeviceClass(r.byte())
	f.Visible = r.bool()
	f.LastActive = fromNanos(r.varint())
	f.Seen.Availability = parley.Availability(r.uvarint())
	f.Seen.Since = fromNanos(r.varint())
	f.Seen.Token = parley.Token(r.string(maxText))
	f.TimeZone = r.string(maxText)
	if r.bad {
		return presence.Fact{}, errMalformed
	}
	return f, nil
}

// AppendHint writes a hint of the log. Several may follow each other.
func AppendHint(b []byte, h conversation.Hint) []byte {
	var on byte
	if h.On {
		on = 1
	}
	b = append(b, byte(h.Kind), on)
	b = binary.AppendUvarint(b, uint64(h.Person))
	b = binary.AppendUvarint(b, uint64(h.Device))
	b = binary.AppendVarint(b, int64(h.Conversation))
	b = binary.AppendUvarint(b, uint64(h.Upto))
	return binary.AppendUvarint(b, uint64(h.From))
}

// ParseHints reads hints up to the end.
func ParseHints(b []byte) ([]conversation.Hint, error) {
	r := reader{rest: b}
	var hints []conversation.Hint
	for len(r.rest) > 0 {
		h := conversation.Hint{Kind: conversation.HintKind(r.byte()), On: r.bool()}
		h.Person = parley.PersonID(r.uvarint())
		h.Device = parley.DeviceID(r.uvarint())
		h.Conversation = parley.StreamID(r.varint())
		h.Upto = parley.Pos(r.uvarint())
		h.From = parley.PersonID(r.uvarint())
		if r.bad {
			return hints, errMalformed
		}
		hints = append(hints, h)
	}
	return hints, nil
}

// nanos is how a time crosses: nanoseconds since 1970; 0 is the zero time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (r *reader) byte() byte {
	b := r.take(1)
	if r.bad {
		return 0
	}
	return b[0]
}

func (r *reader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1) // zigzag, as encoding/binary writes it
}
