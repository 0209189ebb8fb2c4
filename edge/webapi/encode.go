package webapi

import (
	"encoding/base64"
	"encoding/json"

	"parley"
	"parley/conversation"
)

// The events of the hot path are written by hand; a test holds them to the types
// that the contract is made from.

// appendEntry appends an entry event. All of it but prev is the same for every
// device and is encoded once.
func (s *Server) appendEntry(b []byte, prev parley.Pos, item *conversation.Item) []byte {
	b = append(b, `{"type":"entry","prev":"`...)
	b = s.sealer.appendSealed(b, prev)
	shared := item.Wire.Load()
	if shared == nil {
		// Two connections may do this at once; the results are equal.
		encoded := s.encodeShared(&item.Entry)
		shared = &encoded
		item.Wire.Store(shared)
	}
	return append(b, *shared...)
}

// encodeShared is an entry from behind the value of prev to its end.
func (s *Server) encodeShared(e *parley.Entry) []byte {
	b := make([]byte, 0, 256+base64.StdEncoding.EncodedLen(len(e.Body)))
	b = append(b, `","cursor":"`...)
	b = s.sealer.appendSealed(b, e.Pos)
	b = append(b, `","conversation":"`...)
	b = append(b, e.Conversation().String()...)
	b = append(b, `","from":"`...)
	b = append(b, senderName(e.Sender)...)
	b = append(b, `","client_id":`...)
	b = appendString(b, string(e.ClientID))
	b = append(b, `,"own_device":false,"kind":"`...)
	b = append(b, e.Kind.String()...)
	b = append(b, `","content":`...)
	b = appendString(b, e.Content)
	b = append(b, `,"at":"`...)
	b = e.At.UTC().AppendFormat(b, timeForm)
	b = append(b, `","body":"`...)
	b = base64.StdEncoding.AppendEncode(b, e.Body)
	return append(b, `"}`...)
}

// appendAccepted appends what an entry is to the device that sent it.
func (s *Server) appendAccepted(b []byte, prev parley.Pos, e *parley.Entry) []byte {
	b = append(b, `{"type":"accepted","prev":"`...)
	b = s.sealer.appendSealed(b, prev)
	b = append(b, `","cursor":"`...)
	b = s.sealer.appendSealed(b, e.Pos)
	b = append(b, `","conversation":"`...)
	b = append(b, e.Conversation().String()...)
	b = append(b, `","client_id":`...)
	b = appendString(b, string(e.ClientID))
	b = append(b, `,"at":"`...)
	b = e.At.UTC().AppendFormat(b, timeForm)
	return append(b, `"}`...)
}

// appendDelivered appends a delivered mark.
func (s *Server) appendDelivered(b []byte, d conversation.Delivered) []byte {
	b = append(b, `{"type":"delivered","conversation":"`...)
	b = append(b, d.Conversation.String()...)
	b = append(b, `","person":"`...)
	b = append(b, d.Person.String()...)
	b = append(b, `","id":"`...)
	b = s.sealer.appendSealed(b, d.Upto)
	return append(b, `"}`...)
}

// appendString appends a JSON string. Nearly always there is nothing to escape.
func appendString(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(b, mustEncode(text)...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

// mustEncode encodes one of our own values. They hold strings, numbers and
// booleans only, which cannot fail.
func mustEncode(value any) []byte {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return b
}
