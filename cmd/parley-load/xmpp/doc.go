// Package xmpp is a client of XMPP (RFC 6120, RFC 6121) that does just what a load
// test asks of one: sign in, write to somebody, change the note of one's presence,
// and hear of both. It is there to measure other servers by the same scenarios as
// Parley.
//
// It reaches loopback addresses only, without TLS. It reads a stream without
// building trees, and is no client for anything else.
package xmpp
