package conversation

import (
	"unicode/utf8"

	"parley"
)

// content describes one registered content type: what the server knows of a body
// without reading it beyond its size and form.
type content struct {
	min, max int // bytes of the body
	utf8     bool
}

// registered are the content types of docs/protocol.md §7. A type is only ever
// added; a changed form is a new version of the name.
var registered = map[string]content{
	"text.v1": {min: 1, max: 16_000, utf8: true},
}

// checkContent refuses a body that its content type does not allow. limit is
// the operator's limit of a body in bytes.
func checkContent(name string, body parley.Body, limit int) error {
	c, known := registered[name]
	switch {
	case len(body) > limit:
		return &parley.Error{Kind: parley.TooLarge, Key: "message.too-large", Field: "body"}
	case !known:
		return &parley.Error{Kind: parley.Unsupported, Key: "message.content-unknown", Field: "content"}
	case len(body) < c.min:
		return parley.RefuseField("message.empty", "body")
	case len(body) > c.max:
		return &parley.Error{Kind: parley.TooLarge, Key: "message.too-large", Field: "body"}
	case c.utf8 && !utf8.Valid(body):
		return parley.RefuseField("message.not-text", "body")
	}
	return nil
}
