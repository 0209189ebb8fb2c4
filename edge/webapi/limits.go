package webapi

import "time"

// ProtocolVersion is the version of docs/protocol.md that this server speaks.
// It also accepts the one before.
const ProtocolVersion = 1

// oldestProtocol is the oldest version that is still answered.
const oldestProtocol = 1

// The limits of the protocol that no configuration changes.
const (
	maxRequestBody   = 256 << 10 // bytes of an HTTP request body
	maxImportBody    = 5 << 20   // the same with a file of contacts, which JSON makes longer
	maxFrame         = 128 << 10 // bytes of a frame from a client
	maxMessageBody   = 64 << 10  // bytes of a message's body, decoded
	maxDepth         = 16        // nesting of JSON
	maxWatched       = 2000      // people watched by one connection
	maxUnderWay      = 256       // entries sent and not yet accepted, by one connection
	maxNote          = 500       // characters of a note
	maxQuery         = 200       // characters of a search text
	maxMalformed     = 20        // malformed frames before the connection closes
	maxRefusedFrames = 1000      // frames beyond the rate before the connection closes
)

// The times of the protocol.
const (
	helloWithin    = 10 * time.Second // the first frame must come by then
	pingEvery      = 20 * time.Second // WebSocket pings from the server
	silentFor      = 45 * time.Second // without any sign of life: closed
	writeWithin    = 10 * time.Second // a frame to a client must be taken by then
	typingLasts    = 8 * time.Second  // how long a typing event is valid
	bodyReadWithin = 15 * time.Second // a request body must arrive by then
)

// The close codes of the socket.
const (
	CloseGoingAway   = 1001 // the server stops
	CloseMalformed   = 4400 // not JSON, no hello, too many problems
	CloseSignedOut   = 4401 // the session has ended
	CloseNoHello     = 4408 // no hello in time
	CloseReplaced    = 4409 // a newer socket of the same device
	CloseFrameTooBig = 4413
	CloseTooOld      = 4426 // protocol version no longer spoken
	CloseTooMany     = 4429 // too many frames beyond the rate
)

// Limits are the rates that an operator, or a load test, may change. Zero means
// the default.
type Limits struct {
	FrameBurst int     // frames from a client at once; 200
	FrameRate  float64 // and then a second; 50

	DeviceBurst  int     // requests of a signed-in device at once; 200
	DeviceRate   float64 // and then a second; 20
	PersonBurst  int     // requests of all devices of one person at once; 600
	PersonRate   float64 // and then a second; 60
	NetworkBurst int     // requests without a session from one network at once; 100
	NetworkRate  float64 // and then a second; 10
}

func (l Limits) withDefaults() Limits {
	set := func(value *int, fallback int) {
		if *value <= 0 {
			*value = fallback
		}
	}
	setRate := func(value *float64, fallback float64) {
		if *value <= 0 {
			*value = fallback
		}
	}
	set(&l.FrameBurst, 200)
	setRate(&l.FrameRate, 50)
	set(&l.DeviceBurst, 200)
	setRate(&l.DeviceRate, 20)
	set(&l.PersonBurst, 600)
	setRate(&l.PersonRate, 60)
	set(&l.NetworkBurst, 100)
	setRate(&l.NetworkRate, 10)
	return l
}
