package webapi

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley"
	"parley/conversation"
)

// validate checks JSON text against a schema of the contract.
func validate(t *testing.T, schemas huma.Registry, schema *huma.Schema, text []byte) {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	result := &huma.ValidateResult{}
	huma.Validate(schemas, schema, huma.NewPathBuffer([]byte{}, 0), huma.ModeReadFromServer, value, result)
	for _, err := range result.Errors {
		t.Errorf("%s: %v", text, err)
	}
}

var moment = time.Date(2026, 5, 4, 3, 2, 1, int(67*time.Millisecond), time.UTC)

// sampleEvents holds one value of every event with every field set.
func sampleEvents(s *sealer) []any {
	cursor, at := s.seal(4), stamp(moment)
	problem := *newProblem(&parley.Error{Kind: parley.TooMany, Key: "frame.too-many", Field: "body", RetryAfter: time.Second})
	entry := Entry{
		Type: "entry", Cursor: cursor, Conversation: "p1.p2", From: "p1", ClientID: "AAAAAAAAAAAAAAAAAAAAAA", Kind: "message", Content: "text.v1", At: at,
		Body: "aGk=",
	}
	return []any{
		WelcomeEvent{
			Type: "welcome", Protocol: 1, Build: "b", Features: []string{"f"}, Epoch: s.epochName(), Now: at, Person: "p1", Device: "d1",
			Limits: SocketLimits{1, 2, 3, 4.5, 5, 6}, Cursor: cursor, Resync: true,
		},
		EntryEvent{Entry: entry, Prev: s.seal(3)},
		AcceptedEvent{Type: "accepted", Prev: s.seal(3), Cursor: cursor, Conversation: "p1.p2", ClientID: "AAAAAAAAAAAAAAAAAAAAAA", At: at},
		KnownEvent{Type: "known", ClientID: "AAAAAAAAAAAAAAAAAAAAAA"},
		RefusedEvent{Type: "refused", ClientID: "AAAAAAAAAAAAAAAAAAAAAA", Problem: problem},
		GapEvent{Type: "gap"},
		PresenceEvent{Type: "presence", Person: "p2", Presence: Presence{
			Availability: 6500, Activity: "in-a-meeting", Since: at, Until: at, Source: "manual", Note: "n", NoteUntil: at, OutOfOffice: "o",
			Device: "mobile", TimeZone: "Europe/Berlin", LastActive: at,
		}},
		CardEvent{Type: "card", Person: "p2"},
		ContactsEvent{Type: "contacts", Version: 7},
		DeliveredEvent{Type: "delivered", Conversation: "p1.p2", Person: "p2", ID: cursor},
		ReadEvent{Type: "read", Conversation: "p1.p2", ID: cursor},
		TypingEvent{Type: "typing", Conversation: "p1.p2", Person: "p2", On: true},
		SignedOutEvent{Type: "signed-out", Reason: "revoked"},
		PongEvent{Type: "pong"},
		ProblemEvent{Type: "problem", Problem: problem, Frame: "watch"},
	}
}

func TestEveryEventFitsItsSchema(t *testing.T) {
	schemas := Describe().OpenAPI.Components.Schemas
	union := schemas.Map()["ServerEvent"]
	covered := map[reflect.Type]bool{}
	for _, event := range sampleEvents(testSealer(t, 7)) {
		covered[reflect.TypeOf(event)] = true
		text := mustEncode(event)
		validate(t, schemas, union, text)
		validate(t, schemas, schemas.Schema(reflect.TypeOf(event), true, ""), text)
	}
	for _, event := range events {
		if !covered[reflect.TypeOf(event)] {
			t.Errorf("%T has no sample here", event)
		}
	}
	if len(union.OneOf) != len(union.Discriminator.Mapping) {
		t.Errorf("%d events share %d types", len(union.OneOf), len(union.Discriminator.Mapping))
	}
}

// TestSchemasCanFail shows that the check above finds what is wrong.
func TestSchemasCanFail(t *testing.T) {
	schemas := Describe().OpenAPI.Components.Schemas
	for _, text := range []string{`{"type":"entry"}`, `{"type":"nothing"}`, `{}`, `{"type":"presence","person":5}`} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		result := &huma.ValidateResult{}
		huma.Validate(schemas, schemas.Map()["ServerEvent"], huma.NewPathBuffer([]byte{}, 0), huma.ModeReadFromServer, value, result)
		if len(result.Errors) == 0 {
			t.Errorf("%s fits the schema of events", text)
		}
	}
}

// TestHandEncodedEvents holds the encoders of the hot path to the types of the
// contract.
func TestHandEncodedEvents(t *testing.T) {
	s := &Server{sealer: testSealer(t, 7)}
	item := &conversation.Item{Entry: parley.Entry{
		Pos: 4, Stream: parley.DirectStream(1, 2), Sender: 1, Device: 3, ClientID: "AAAAAAAAAAAAAAAAAAAAAA", Kind: parley.KindMessage,
		Content: "text.v1", At: moment, Body: parley.Body("hi"),
	}}
	entry := s.entryOf(&item.Entry, 99)
	for range 2 { // once encoding, once from the item
		sameJSON(t, s.appendEntry(nil, 3, item), EntryEvent{Entry: entry, Prev: s.sealer.seal(3)})
	}
	sameJSON(t, s.appendEntry(nil, 2, item), EntryEvent{Entry: entry, Prev: s.sealer.seal(2)})
	sameJSON(t, s.appendAccepted(nil, 3, &item.Entry), AcceptedEvent{
		Type: "accepted", Prev: s.sealer.seal(3), Cursor: s.sealer.seal(4), Conversation: "p1.p2", ClientID: "AAAAAAAAAAAAAAAAAAAAAA",
		At: "2026-05-04T03:02:01.067Z",
	})
	sameJSON(t, s.appendDelivered(nil, conversation.Delivered{Conversation: parley.DirectStream(1, 2), Person: 2, Upto: 9}), DeliveredEvent{
		Type: "delivered", Conversation: "p1.p2", Person: "p2", ID: s.sealer.seal(9),
	})
}

func TestHandEncodedStringsAreEscaped(t *testing.T) {
	for _, text := range []string{"", "text.v1", `a"b`, `a\b`, "a\nb", "ä", "\x7f", "\xff"} {
		sameJSON(t, appendString(nil, text), text)
	}
}

// sameJSON compares JSON text with what the standard library makes of a value.
func sameJSON(t *testing.T, got []byte, value any) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Errorf("%s: %v", got, err)
		return
	}
	want := mustEncode(value)
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
