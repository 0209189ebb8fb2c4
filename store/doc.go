// Package store keeps everything that must survive: the log of entries and the
// rows of every other part, in SQL, behind the Store interfaces of the domain
// packages.
//
// It decides the order of things: one writer hands out positions, takes what
// gathered while its last commit ran, and answers nobody before the commit. It
// decides nothing about people: who may read, send or see is settled before a
// method here is called. It must never acknowledge what is not durable, never
// leave an entry's content behind in a file once that entry is purged, and never
// write content, tokens or keys to a log.
//
// What is particular to SQLite stands in the files whose names begin with
// sqlite, and in schema/sqlite. The other statements are written in the SQL that
// PostgreSQL reads as well ($n, upsert, RETURNING).
package store
