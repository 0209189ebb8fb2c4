package webapi

import (
	"sync"
	"sync/atomic"
)

// Stats are the Server's counts since it was made. The names of the metrics
// belong to whoever publishes them.
type Stats struct {
	Connections int64 // open sockets
	Requests    int64 // REST requests and handshakes
	FramesIn    int64 // frames from clients
	FramesOut   int64 // frames to clients
	Events      int64 // events in those frames
	BytesOut    int64 // of those frames
	Closed      int64 // sockets closed by the server for a reason of the protocol
	Panics      int64 // requests and connections that ended in a fault of ours

	// Joined counts frames to clients by how many events they join: 1, up to 4,
	// up to 16, up to 64, more.
	Joined [5]int64

	// Refusals counts refusals of requests and frames by their kind.
	Refusals map[string]int64
}

// joinedLimits are the upper ends of Stats.Joined but the last.
var joinedLimits = [4]int{1, 4, 16, 64}

type stats struct {
	connections, requests, framesIn, framesOut, events, bytesOut, closed, panics atomic.Int64

	joined [5]atomic.Int64

	mu       sync.Mutex
	refusals map[string]int64
}

// sent counts a frame to a client.
func (s *stats) sent(events, bytes int) {
	s.framesOut.Add(1)
	s.events.Add(int64(events))
	s.bytesOut.Add(int64(bytes))
	i := 0
	for i < len(joinedLimits) && events > joinedLimits[i] {
		i++
	}
	s.joined[i].Add(1)
}

func (s *stats) refused(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusals == nil {
		s.refusals = map[string]int64{}
	}
	s.refusals[kind]++
}

// Stats gives the counts.
func (s *Server) Stats() Stats {
	n := &s.stats
	out := Stats{
		Connections: n.connections.Load(), Requests: n.requests.Load(), FramesIn: n.framesIn.Load(), FramesOut: n.framesOut.Load(),
		Events: n.events.Load(), BytesOut: n.bytesOut.Load(), Closed: n.closed.Load(), Panics: n.panics.Load(),
		Refusals: map[string]int64{},
	}
	for i := range out.Joined {
		out.Joined[i] = n.joined[i].Load()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for kind, count := range n.refusals {
		out.Refusals[kind] = count
	}
	return out
}
