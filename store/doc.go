// Package store keeps everything that must survive: the log of entries and the
// rows of every other part, in SQL, behind the Store interfaces of the domain
// packages.
//
// It decides the order of things: one writer a node hands out positions, takes what
// gathered while its last commit ran, and answers nobody before the commit. Nodes
// over one database take turns, and each tells of what every one committed. It
// decides nothing about people: who may read, send or see is settled before a
// method here is called. It must never acknowledge what is not durable, never
// leave an entry's content behind in a file of its own once that entry is purged
// (PostgreSQL's files are another matter: docs/operations.md), and never write
// content, tokens or keys to a log.
//
// What is particular to a database stands in the files whose names begin with
// sqlite or postgres, and in the folder schema. All other statements run on both.
package store
