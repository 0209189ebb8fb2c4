package addressbook

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
)

const davSpace = "DAV:"

// maxAnswer is the most bytes of one answer. XML takes more room than the cards in
// it.
const maxAnswer = 2 * MaxBytes

// errMoved says that the answer is elsewhere.
var errMoved = errors.New("moved")

// response is one resource in a multi-status.
type response struct {
	Href      string     `xml:"DAV: href"`
	PropStats []propstat `xml:"DAV: propstat"`
}

type propstat struct {
	Status string `xml:"DAV: status"`
	Props  props  `xml:"DAV: prop"`
}

// props are the properties that are asked for.
type props struct {
	Type      resourceType `xml:"DAV: resourcetype"`
	Principal link         `xml:"DAV: current-user-principal"`
	Home      link         `xml:"urn:ietf:params:xml:ns:carddav addressbook-home-set"`
	ETag      string       `xml:"DAV: getetag"`
	Card      string       `xml:"urn:ietf:params:xml:ns:carddav address-data"`
}

type resourceType struct {
	Collection *struct{} `xml:"DAV: collection"`
	Book       *struct{} `xml:"urn:ietf:params:xml:ns:carddav addressbook"`
}

type link struct {
	Href string `xml:"DAV: href"`
}

func (p props) nothing() bool {
	return p.Type.Book == nil && p.Principal.Href == "" && p.Home.Href == ""
}

// props gives the properties that the resource has.
func (r response) props() props {
	for _, s := range r.PropStats {
		if f := strings.Fields(s.Status); len(f) > 1 && f[1] == "200" {
			return s.Props
		}
	}
	return props{}
}

// readAnswer turns an answer into responses, or into the reason why it has none.
func readAnswer(answer *http.Response, use func(response) error) error {
	defer answer.Body.Close()
	switch code := answer.StatusCode; {
	case code == http.StatusMultiStatus:
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return errPassword
	case code == http.StatusMovedPermanently, code == http.StatusFound, code == http.StatusTemporaryRedirect, code == http.StatusPermanentRedirect:
		return errMoved
	case code == http.StatusTooManyRequests || code >= 500 && code != http.StatusNotImplemented:
		return unreachable(errors.New(http.StatusText(code)))
	default:
		return errNoBook
	}
	body := &io.LimitedReader{R: answer.Body, N: maxAnswer}
	err := readMultistatus(body, use)
	switch {
	case body.N <= 0:
		return errTooLarge
	case errors.Is(err, errNotXML):
		return errNoBook
	default:
		return err
	}
}

// errNotXML says that an answer is no multi-status.
var errNotXML = errors.New("no multi-status")

// readMultistatus reads a multi-status one response at a time.
func readMultistatus(body io.Reader, use func(response) error) error {
	d := xml.NewDecoder(body)
	inside := false
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && inside:
			return nil
		case errors.Is(err, io.EOF):
			return errNotXML
		case err != nil:
			return faultOf(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !inside {
			if start.Name != (xml.Name{Space: davSpace, Local: "multistatus"}) {
				return errNotXML
			}
			inside = true
			continue
		}
		if start.Name != (xml.Name{Space: davSpace, Local: "response"}) {
			if err := d.Skip(); err != nil {
				return faultOf(err)
			}
			continue
		}
		var r response
		if err := d.DecodeElement(&r, &start); err != nil {
			return faultOf(err)
		}
		if err := use(r); err != nil {
			return err
		}
	}
}

// faultOf tells what is wrong with the text from what is wrong with the connection.
func faultOf(err error) error {
	var syntax *xml.SyntaxError
	var form xml.UnmarshalError
	if errors.As(err, &syntax) || errors.As(err, &form) {
		return errNotXML
	}
	return unreachable(err)
}
