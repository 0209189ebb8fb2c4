// Package place makes what a load test runs against: people, contacts and
// devices written straight into a data folder before a server opens it, and a
// private server process over that folder.
//
// It writes folders that it made itself and ends processes that it started,
// nothing else.
package place
