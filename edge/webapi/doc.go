// Package webapi is the edge that the app talks to: HTTP for what is asked once
// and a WebSocket for what flows, as docs/protocol.md specifies them.
//
// It decides what crosses the wire and in which form: who a request comes from,
// whether its origin may ask, how large and how frequent it may be, and how a
// refusal looks. It must never decide what somebody may see or do. Every fact
// about a person passes privacy.Render on its way out, and every change is a
// call of a domain service with the Actor as an argument.
//
// A connection queues no events. It holds a position in the log and small sets
// of what is out of date; whatever is due is taken, for this viewer and at that
// moment, when there is room to write. So a slow reader costs little memory,
// delays nobody else, and never receives what it may no longer see.
package webapi

//go:generate go run ./gents ../../web/src/api.gen.ts
