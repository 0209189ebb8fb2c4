// Package wire is the load generator's own client of docs/protocol.md: WebSocket
// over plain TCP, the events that a load test has to read, and a device that
// follows the log as the app does.
//
// It is made to be cheap, because it shares the processors with the server that
// it measures: a frame is read where it lies, and only the fields that matter are
// looked at. It reaches loopback addresses only and never trusts a frame to be
// well formed.
package wire
