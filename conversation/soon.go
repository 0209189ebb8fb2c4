package conversation

import (
	"sync"
	"time"
)

// marksGather is how long delivered marks gather before their readers are woken:
// nobody sees the difference, and waking for each would be a third of all writes to
// sockets. Whatever else wakes a connection takes them along at once.
const marksGather = 25 * time.Millisecond

// soon wakes feeds a little later, each once, however often it is asked meanwhile.
// The zero value is ready.
type soon struct {
	mu    sync.Mutex
	feeds map[*Feed]struct{} // nil: nothing is set
}

// wake wakes feeds within marksGather.
func (s *soon) wake(feeds []*Feed) {
	if len(feeds) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.feeds == nil {
		s.feeds = map[*Feed]struct{}{}
		time.AfterFunc(marksGather, s.now)
	}
	for _, f := range feeds {
		s.feeds[f] = struct{}{}
	}
}

// now wakes whoever gathered. A feed that was closed meanwhile wakes a connection
// that is gone, which does nothing.
func (s *soon) now() {
	s.mu.Lock()
	feeds := s.feeds
	s.feeds = nil
	s.mu.Unlock()
	for f := range feeds {
		f.wake()
	}
}
