package webapi

import (
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Contract is everything that the app's generated file is made from.
type Contract struct {
	OpenAPI    *huma.OpenAPI
	Protocol   int
	CloseCodes []Constant
	Limits     []Constant
}

// Constant is a named number of the contract.
type Constant struct {
	Name  string
	Value int64
	Doc   string
}

// Describe gives the contract as the code has it. It needs no server.
func Describe() Contract {
	s := &Server{}
	api := s.newAPI(http.NewServeMux())
	return Contract{
		OpenAPI:  api.OpenAPI(),
		Protocol: ProtocolVersion,
		CloseCodes: []Constant{
			{"goingAway", CloseGoingAway, "the server stops"},
			{"malformed", CloseMalformed, "not JSON, no hello, too many problems"},
			{"signedOut", CloseSignedOut, "the session has ended"},
			{"noHello", CloseNoHello, "no hello in time"},
			{"replaced", CloseReplaced, "another socket of this device"},
			{"frameTooBig", CloseFrameTooBig, "frame too large"},
			{"tooOld", CloseTooOld, "protocol too old"},
			{"tooMany", CloseTooMany, "too many frames"},
		},
		Limits: []Constant{
			{"requestBytes", maxRequestBody, "bytes of a request body"},
			{"frameBytes", maxFrame, "bytes of a frame to the server"},
			{"messageBytes", maxMessageBody, "bytes of a message's body, decoded"},
			{"watched", maxWatched, "people watched by one connection"},
			{"underWay", maxUnderWay, "entries sent and not yet accepted"},
			{"noteCharacters", maxNote, "characters of a note"},
			{"queryCharacters", maxQuery, "characters of a search text"},
			{"typingMillis", int64(typingLasts / time.Millisecond), "how long a typing event is valid"},
		},
	}
}

// describeSocket adds the socket's events and frames, which no REST operation
// mentions, to the document.
func describeSocket(doc *huma.OpenAPI) {
	schemas := doc.Components.Schemas
	schemas.Map()["ServerEvent"] = union(schemas, events)
	schemas.Map()["ClientFrame"] = union(schemas, frames)
	doc.AddOperation(&huma.Operation{
		OperationID: "socket", Method: http.MethodGet, Path: "/api/ws",
		Description: "The WebSocket. A frame from the server is an array of ServerEvent, a frame from the client one ClientFrame.",
		Security:    []map[string][]string{{"session": {}}},
		Responses: map[string]*huma.Response{"101": {
			Description: "Switching protocols.",
			Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{
				Type: huma.TypeArray, Items: &huma.Schema{Ref: "#/components/schemas/ServerEvent"},
			}}},
		}},
	})
}

// union is the schema of "one of these, told apart by type".
func union(schemas huma.Registry, members []any) *huma.Schema {
	s := &huma.Schema{Discriminator: &huma.Discriminator{PropertyName: "type", Mapping: map[string]string{}}}
	for _, member := range members {
		ref := schemas.Schema(reflect.TypeOf(member), true, "")
		s.OneOf = append(s.OneOf, ref)
		s.Discriminator.Mapping[typeOf(schemas, ref)] = ref.Ref
	}
	return s
}

// typeOf is the one value that the type field of a referred schema may have.
func typeOf(schemas huma.Registry, ref *huma.Schema) string {
	name, _ := schemas.SchemaFromRef(ref.Ref).Properties["type"].Enum[0].(string)
	return name
}
