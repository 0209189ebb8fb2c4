// Package websocket is the server's side of WebSocket (RFC 6455), as much of it as
// docs/protocol.md speaks: text and binary messages, no extension, no subprotocol.
//
// It decides what a frame is and with which code a peer that breaks the rules is
// closed; it knows nothing of what messages say. It is there for its memory: a
// connection that waits costs its struct, which holds the whole of its buffer, and
// a goroutine with the smallest stack that there is. It never starts a goroutine.
package websocket
