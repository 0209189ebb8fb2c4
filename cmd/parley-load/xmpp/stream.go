package xmpp

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"strings"
)

// stream cuts what a server sends into its parts: the head of the stream, and then
// one stanza after the other (RFC 6120 §4). What XMPP forbids (comments, processing
// instructions, DTDs: §11.1) is not understood.
type stream struct {
	from io.Reader
	buf  []byte
	next int // what lies before it was handed out

	// How far the part that begins at next was looked through.
	at    int
	depth int
}

const (
	firstBuffer   = 2 << 10
	largestStanza = 1 << 20
)

var errStream = errors.New("not an XMPP stream")

// part is the next part: of the stream itself its head alone. It is valid until the
// next call. The end of the stream, in XML or of the connection, is io.EOF.
func (s *stream) part() ([]byte, error) {
	for {
		end, err := s.look()
		if err != nil {
			return nil, err
		}
		if end > 0 {
			part := s.buf[s.next:end]
			s.next, s.at, s.depth = end, end, 0
			return part, nil
		}
		if err := s.more(); err != nil {
			return nil, err
		}
	}
}

// look goes on until the part is complete and gives where it ends; 0 when more of it
// is needed.
func (s *stream) look() (end int, err error) {
	for {
		open := bytes.IndexByte(s.buf[s.at:], '<')
		if open < 0 {
			if s.depth == 0 { // white space keeps a connection alive (§4.6.1)
				s.next = len(s.buf)
			}
			s.at = len(s.buf)
			return 0, nil
		}
		tag := s.at + open
		if s.depth == 0 {
			s.next = tag
		}
		size := tagSize(s.buf[tag:])
		if size == 0 {
			s.at = tag
			return 0, nil
		}
		s.at = tag + size
		switch text := s.buf[tag:s.at]; {
		case text[1] == '?' && s.depth == 0: // the XML declaration
			s.next = s.at
		case text[1] == '/' && s.depth == 0:
			return 0, io.EOF
		case text[1] == '/':
			if s.depth--; s.depth == 0 {
				return s.at, nil
			}
		case s.depth == 0 && bytes.HasPrefix(text, []byte("<stream:stream")):
			return s.at, nil
		case text[size-2] == '/':
			if s.depth == 0 {
				return s.at, nil
			}
		case text[1] == '!' || text[1] == '?':
			return 0, errStream
		default:
			s.depth++
		}
	}
}

// tagSize is how long a tag is, from its "<" to its ">"; 0 when it is not complete.
func tagSize(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch c := b[i]; c {
		case '>':
			return i + 1
		case '\'', '"':
			quoted := bytes.IndexByte(b[i+1:], c)
			if quoted < 0 {
				return 0
			}
			i += 1 + quoted
		}
	}
	return 0
}

// more reads what has come.
func (s *stream) more() error {
	if s.next > 0 {
		n := copy(s.buf, s.buf[s.next:])
		s.buf = s.buf[:n]
		s.at -= s.next
		s.next = 0
	}
	if len(s.buf) == cap(s.buf) {
		if len(s.buf) >= largestStanza {
			return fmt.Errorf("a stanza of more than %d bytes", largestStanza)
		}
		grown := make([]byte, len(s.buf), max(2*cap(s.buf), firstBuffer))
		copy(grown, s.buf)
		s.buf = grown
	}
	n, err := s.from.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	if n > 0 {
		return nil
	}
	return err
}

// restart forgets the stream that was: success of SASL begins another (§6.4.6).
func (s *stream) restart() { s.buf, s.next, s.at, s.depth = s.buf[:0], 0, 0, 0 }

// named reports whether a stanza has a name.
func named(stanza []byte, name string) bool {
	rest, ok := bytes.CutPrefix(stanza, []byte("<"+name))
	return ok && len(rest) > 0 && bytes.IndexByte([]byte(" />\t\r\n"), rest[0]) >= 0
}

// attribute is the value of an attribute of the stanza itself; nil without it. What
// we look for holds no entities.
func attribute(stanza []byte, name string) []byte {
	size := tagSize(stanza)
	tag := stanza[:size]
	for len(tag) > 0 {
		quote := bytes.IndexAny(tag, `'"`)
		if quote < 0 {
			return nil
		}
		end := bytes.IndexByte(tag[quote+1:], tag[quote])
		if end < 0 {
			return nil
		}
		key := bytes.TrimRight(tag[:quote], "= \t\r\n")
		if i := bytes.LastIndexAny(key, " \t\r\n"); i >= 0 && string(key[i+1:]) == name {
			return tag[quote+1 : quote+1+end]
		}
		tag = tag[quote+end+2:]
	}
	return nil
}

// content is the text of the first element of a name without attributes within a
// stanza; nil without one.
func content(stanza []byte, name string) []byte {
	_, rest, found := bytes.Cut(stanza, []byte("<"+name+">"))
	if !found {
		return nil
	}
	text, _, found := bytes.Cut(rest, []byte("</"+name+">"))
	if !found {
		return nil
	}
	if bytes.IndexByte(text, '&') >= 0 {
		return []byte(html.UnescapeString(string(text)))
	}
	return text
}

// escape writes text so that it can stand in an element or an attribute.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&apos;", `"`, "&quot;").Replace(text)
}
