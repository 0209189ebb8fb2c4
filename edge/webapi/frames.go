package webapi

// The frames from a client. Each is one JSON object.

// HelloFrame opens the conversation with the server.
type HelloFrame struct {
	Type     string `json:"type" enum:"hello"`
	Protocol int    `json:"protocol"`
	Build    string `json:"build"`
	Cursor   string `json:"cursor" doc:"The last applied one; empty for none."`
	Visible  bool   `json:"visible"`
	Active   bool   `json:"active"`
	TimeZone string `json:"time_zone" doc:"IANA name."`
}

// ResumeFrame asks to stream on after a sync.
type ResumeFrame struct {
	Type   string `json:"type" enum:"resume"`
	Cursor string `json:"cursor"`
}

// SendFrame is a message.
type SendFrame struct {
	Type         string `json:"type" enum:"send"`
	ClientID     string `json:"client_id" doc:"22 characters of base64url, made once a message."`
	Conversation string `json:"conversation"`
	Kind         string `json:"kind" enum:"message"`
	Content      string `json:"content"`
	Body         string `json:"body" doc:"Base64."`
}

// AckFrame says what is stored on the device.
type AckFrame struct {
	Type   string `json:"type" enum:"ack"`
	Cursor string `json:"cursor"`
}

// ReadFrame says how far the person has read.
type ReadFrame struct {
	Type         string `json:"type" enum:"read"`
	Conversation string `json:"conversation"`
	ID           string `json:"id"`
}

// TypingFrame says that the person types.
type TypingFrame struct {
	Type         string `json:"type" enum:"typing"`
	Conversation string `json:"conversation"`
	On           bool   `json:"on"`
}

// WatchFrame is the whole list of people whose presence the device shows.
type WatchFrame struct {
	Type   string   `json:"type" enum:"watch"`
	People []string `json:"people"`
}

// ActivityFrame says that the person touched the device, or that it went on or
// off the screen.
type ActivityFrame struct {
	Type     string `json:"type" enum:"activity"`
	Active   bool   `json:"active"`
	Visible  bool   `json:"visible"`
	TimeZone string `json:"time_zone" doc:"IANA name."`
}

// PingFrame asks for a pong.
type PingFrame struct {
	Type string `json:"type" enum:"ping"`
}

// frames lists every frame once; the contract is generated from it.
var frames = []any{
	HelloFrame{}, ResumeFrame{}, SendFrame{}, AckFrame{}, ReadFrame{}, TypingFrame{}, WatchFrame{}, ActivityFrame{}, PingFrame{},
}
