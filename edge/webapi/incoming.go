package webapi

import (
	"encoding/json"
	"errors"
	"unicode/utf8"

	"parley"
)

// incoming is any frame from a client: the fields of all of them, of which Type
// says which count.
type incoming struct {
	Type         string   `json:"type"`
	Protocol     int      `json:"protocol"`
	Build        string   `json:"build"`
	Cursor       string   `json:"cursor"`
	Visible      bool     `json:"visible"`
	Active       bool     `json:"active"`
	TimeZone     string   `json:"time_zone"`
	ClientID     string   `json:"client_id"`
	Conversation string   `json:"conversation"`
	Kind         string   `json:"kind"`
	Content      string   `json:"content"`
	Body         []byte   `json:"body"`
	ID           string   `json:"id"`
	On           bool     `json:"on"`
	People       []string `json:"people"`
}

// errNotAFrame refuses text that is no frame at all.
var errNotAFrame error = parley.Refuse(parley.Invalid, "frame.malformed")

// maxEcho bounds what of a bad frame is repeated in the answer to it.
const maxEcho = 64

// decodeFrame reads one frame. The error is errNotAFrame, or names the field
// whose value has the wrong type; the frame then holds what could be read.
func decodeFrame(text []byte) (incoming, error) {
	var f incoming
	if !utf8.Valid(text) || tooDeep(text, maxDepth) || !isObject(text) {
		return f, errNotAFrame
	}
	err := json.Unmarshal(text, &f)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return f, parley.RefuseField("frame.malformed", wrong.Field)
	}
	if err != nil { // not JSON, or a body that is not base64
		return f, errNotAFrame
	}
	return f, nil
}

// isObject looks at the first character that is no space.
func isObject(text []byte) bool {
	for _, c := range text {
		switch c {
		case ' ', '\t', '\n', '\r':
		default:
			return c == '{'
		}
	}
	return false
}

// echo shortens what a client sent for an answer that repeats it.
func echo(s string) string {
	if len(s) > maxEcho {
		return ""
	}
	return s
}

// parsePeople reads a list of ids, sorted and each once.
func parsePeople(texts []string) ([]parley.PersonID, error) {
	if len(texts) > maxWatched {
		return nil, &parley.Error{Kind: parley.TooLarge, Key: "watch.too-many", Field: "people"}
	}
	list := make([]parley.PersonID, 0, len(texts))
	for _, text := range texts {
		id, err := parley.ParsePersonID(text)
		if err != nil {
			return nil, parley.RefuseField("", "people")
		}
		list = append(list, id)
	}
	return sortedSet(list), nil
}
