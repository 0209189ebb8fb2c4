// Package bus carries events between the nodes of one organisation. A single
// node has none of it.
//
// It decides which nodes are there, and keeps two things going between them over
// core NATS (no JetStream), with a server of its own in this process that has
// routes to the other nodes, or with an external NATS cluster. It must never be the
// only place where something that matters stands: the database is the truth and
// the bus wakes those who look there. Facts that end with the node that knows
// them, such as who is connected to it, are the one thing that lives here alone.
//
// # Nodes
//
// A node has a name and, from each start, an incarnation, a number that grows. It
// gives a sign of life every 3 s; a node not heard for its lease of 15 s is gone,
// and so is one that said goodbye. A higher incarnation replaces a lower one at
// once; a lower one is passed over for as long as the higher is heard. Time in
// which this node itself stood still counts against nobody. Two nodes with one
// name are told in the log as an error, on both and on all others, and only the
// one started last is heard.
//
// # Hints
//
// Tell sends a few bytes to every other node. It never blocks and promises little:
//
//   - A hint arrives at most once, and never at the node that told it.
//   - Hints of one node about one topic are heard in the order in which they were
//     told. Between nodes, between topics, and between hints and rows, there is no
//     order.
//   - A hint may be lost: while nodes are not connected, when the teller's queue
//     is full (the oldest goes), or when the listener's is. Whoever is concerned
//     learns that there was a loss, not what was lost, through OnMissed, within one
//     sign of life of the connection's return. A node that appears counts as one
//     whose hints were missed. So "look at the database when something is told,
//     and when something was missed" overlooks nothing.
//
// # Tables
//
// A Table is replicated: every node sets and deletes rows of its own, and every
// other node's Watch is told of them. Nobody can change another node's rows.
//
//   - Changes made within a few milliseconds of each other travel together. Each
//     such delta has a number. A number left out, or a sign of life with a higher
//     one, is a gap: the whole of that node's rows is asked for again and compared,
//     so that a Watch hears of what differs and of nothing else.
//   - A node that is gone takes its rows with it: every other node's Watch is told
//     of each removal. A node that comes back, thawed or connected again, is asked
//     for its rows.
//   - A Watch runs on one goroutine per table. Changes of one row are told in
//     order. A slow Watch holds nobody up and costs no more memory than there are
//     rows: it is told the latest value of each row that changed, and not what was
//     in between. A row that came and went meanwhile is not told at all.
//   - All nodes that can hear each other come to the same rows. Until then they may
//     differ: there is no moment at which all of them agree.
//
// # Limits
//
// A row holds 16 KiB, a hint 32 KiB; names of tables and topics have 64 bytes. A
// node sends snapshots one table at a time, once for all who ask, and no faster
// than 16 MiB/s, so that many nodes that start together do not stop one.
//
// The other side's bytes are not trusted to be well formed: what cannot be read,
// or is of another version of this protocol, is passed over and told once.
package bus
