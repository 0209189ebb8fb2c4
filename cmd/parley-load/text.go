package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strconv"
	"time"
)

// message is what a load test writes into a text: by it the reader knows what was
// lost, doubled or late.
type message struct {
	pair   int           // which sender
	number uint64        // of the sender's messages
	due    time.Duration // when it should have been sent, since the run began
}

// minText is the longest that the three numbers of a message can be with the
// spaces between them.
const minText = 6 + 1 + 20 + 1 + 19

// appendMessageText appends a text of so many bytes.
func appendMessageText(b []byte, m message, size int) []byte {
	from := len(b)
	b = strconv.AppendInt(b, int64(m.pair), 10)
	b = append(b, ' ')
	b = strconv.AppendUint(b, m.number, 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(m.due), 10)
	if len(b)-from < size {
		b = append(b, ' ')
	}
	for len(b)-from < size {
		b = append(b, 'x')
	}
	return b
}

var errText = errors.New("no message of a load test")

// parseMessage reads a text, whatever its padding.
func parseMessage(text []byte) (m message, err error) {
	var fields [3]uint64
	for i := range fields {
		field, rest, more := bytes.Cut(text, []byte(" "))
		if !more && i < len(fields)-1 {
			return m, errText
		}
		if fields[i], err = strconv.ParseUint(string(field), 10, 63); err != nil {
			return m, errText
		}
		text = rest
	}
	if fields[0] > maxPeople {
		return m, errText
	}
	return message{pair: int(fields[0]), number: fields[1], due: time.Duration(fields[2])}, nil
}

// prefixLength is how much of a client id tells the run; the rest is a number.
const prefixLength = 10

// newPrefix begins the client ids of a run: the same people may have written in an
// earlier one.
func newPrefix() string {
	var raw [8]byte
	rand.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])[:prefixLength]
}

// clientID is the id of a message: 22 characters of base64url.
func clientID(prefix string, number uint64) string {
	const digits = "0123456789abcdef"
	var id [22]byte
	copy(id[:], prefix)
	for i := len(id) - 1; i >= prefixLength; i-- {
		id[i] = digits[number&0xf]
		number >>= 4
	}
	return string(id[:])
}
