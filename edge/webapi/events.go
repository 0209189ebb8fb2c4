package webapi

// The events from the server. A frame is a JSON array of them.

// Entry is one entry of the log; its id is its cursor.
type Entry struct {
	Type         string `json:"type" enum:"entry"`
	Cursor       string `json:"cursor"`
	Conversation string `json:"conversation"`
	From         string `json:"from" doc:"Empty: the system."`
	ClientID     string `json:"client_id"`
	OwnDevice    bool   `json:"own_device" doc:"Sent by this very device."`
	Kind         string `json:"kind"`
	Content      string `json:"content" doc:"Registered, versioned content type."`
	At           string `json:"at" format:"date-time" doc:"For display, never an order."`
	Body         string `json:"body" doc:"Base64."`
}

// EntryEvent is an entry with the one before it, for this device.
type EntryEvent struct {
	Entry
	Prev string `json:"prev"`
}

// WelcomeEvent answers hello.
type WelcomeEvent struct {
	Type     string       `json:"type" enum:"welcome"`
	Protocol int          `json:"protocol"`
	Build    string       `json:"build"`
	Features []string     `json:"features"`
	Epoch    string       `json:"epoch"`
	Now      string       `json:"now" format:"date-time"`
	Person   string       `json:"person"`
	Device   string       `json:"device"`
	Limits   SocketLimits `json:"limits"`
	Cursor   string       `json:"cursor" doc:"Where the stream begins."`
	Resync   bool         `json:"resync"`
}

// SocketLimits are the limits of this connection.
type SocketLimits struct {
	FrameBytes   int     `json:"frame_bytes"`
	MessageBytes int     `json:"message_bytes" doc:"Of a message's body, decoded."`
	FrameBurst   int     `json:"frame_burst" doc:"Frames at once."`
	FrameRate    float64 `json:"frame_rate" doc:"Frames a second after the burst."`
	Watched      int     `json:"watched" doc:"People."`
	UnderWay     int     `json:"under_way" doc:"Entries sent and not yet accepted."`
}

// AcceptedEvent is to the sending device what an entry is to every other.
type AcceptedEvent struct {
	Type         string `json:"type" enum:"accepted"`
	Prev         string `json:"prev"`
	Cursor       string `json:"cursor"`
	Conversation string `json:"conversation"`
	ClientID     string `json:"client_id"`
	At           string `json:"at" format:"date-time"`
}

// KnownEvent says that a message was accepted before.
type KnownEvent struct {
	Type     string `json:"type" enum:"known"`
	ClientID string `json:"client_id"`
}

// RefusedEvent says that a message was not taken.
type RefusedEvent struct {
	Type     string  `json:"type" enum:"refused"`
	ClientID string  `json:"client_id"`
	Problem  Problem `json:"problem"`
}

// GapEvent says that there is more than the server will stream.
type GapEvent struct {
	Type string `json:"type" enum:"gap"`
}

// PresenceEvent is the state of a watched person.
type PresenceEvent struct {
	Type     string   `json:"type" enum:"presence"`
	Person   string   `json:"person"`
	Presence Presence `json:"presence,omitzero" doc:"Not there: withheld from now on."`
}

// CardEvent says that the card of a watched person changed.
type CardEvent struct {
	Type   string `json:"type" enum:"card"`
	Person string `json:"person"`
}

// ContactsEvent says that the person's Contacts list changed, on whichever device.
type ContactsEvent struct {
	Type    string `json:"type" enum:"contacts"`
	Version int64  `json:"version" doc:"Of the list since: whoever has this one has nothing to fetch."`
}

// DeliveredEvent says how far a person's devices have a conversation.
type DeliveredEvent struct {
	Type         string `json:"type" enum:"delivered"`
	Conversation string `json:"conversation"`
	Person       string `json:"person"`
	ID           string `json:"id"`
}

// ReadEvent says how far the person has read on another device.
type ReadEvent struct {
	Type         string `json:"type" enum:"read"`
	Conversation string `json:"conversation"`
	ID           string `json:"id"`
}

// TypingEvent says that somebody types, or stopped.
type TypingEvent struct {
	Type         string `json:"type" enum:"typing"`
	Conversation string `json:"conversation"`
	Person       string `json:"person"`
	On           bool   `json:"on"`
}

// SignedOutEvent says that the session has ended.
type SignedOutEvent struct {
	Type   string `json:"type" enum:"signed-out"`
	Reason string `json:"reason" enum:"signed-out,revoked,disabled,expired,password,replaced"`
}

// PongEvent answers a ping frame.
type PongEvent struct {
	Type string `json:"type" enum:"pong"`
}

// ProblemEvent says that a frame other than send was refused.
type ProblemEvent struct {
	Type    string  `json:"type" enum:"problem"`
	Problem Problem `json:"problem"`
	Frame   string  `json:"frame" doc:"The type of the frame; empty when it could not be read."`
}

// events lists every event once; the contract is generated from it.
var events = []any{
	WelcomeEvent{}, EntryEvent{}, AcceptedEvent{}, KnownEvent{}, RefusedEvent{}, GapEvent{}, PresenceEvent{}, CardEvent{}, ContactsEvent{},
	DeliveredEvent{}, ReadEvent{}, TypingEvent{}, SignedOutEvent{}, PongEvent{}, ProblemEvent{},
}
