package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley"
	"parley/conversation"
	"parley/privacy"
)

// sender is a device that sends messages in order, several at once, and sends
// again what was not taken, as devices do.
type sender struct {
	w       *world
	device  parley.DeviceID
	streams int

	mu    sync.Mutex
	taken map[int]parley.Pos // by the number of the message; 0: told of
	more  chan struct{}
}

func newSender(w *world, device parley.DeviceID, streams int) *sender {
	return &sender{w: w, device: device, streams: streams, taken: map[int]parley.Pos{}, more: make(chan struct{}, 1)}
}

func (s *sender) message(n int) parley.Entry {
	return message(parley.StreamID(1+n%s.streams), s.device, n, fmt.Sprint("message ", n))
}

// take books that a message is in the log.
func (s *sender) take(n int, pos parley.Pos) {
	s.mu.Lock()
	s.taken[n] = pos
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *sender) has(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.taken[n]
	return ok
}

// send sends messages with numbers from from to upto-1, window of them at once,
// until all are taken.
func (s *sender) send(ctx context.Context, from, upto, window int) error {
	for first := from; first < upto; first += window {
		some := min(window, upto-first)
		for {
			missing := 0
			for n := first; n < first+some; n++ {
				if !s.has(n) {
					missing++
					s.append(ctx, n)
				}
			}
			if missing == 0 {
				break
			}
			if err := s.wait(ctx, first, some); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sender) append(ctx context.Context, n int) {
	s.w.Append(ctx, s.message(n), func(pos parley.Pos, err error) {
		switch {
		case errors.Is(err, conversation.ErrKnown):
			s.take(n, pos)
		case parley.KindOf(err) != parley.Unavailable:
			s.w.t.Errorf("message %d of device %d: %v", n, s.device, err)
		}
	})
}

// wait waits until all of these are taken, or it is time to send again.
func (s *sender) wait(ctx context.Context, first, some int) error {
	again := time.NewTimer(200 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
			return nil
		case <-s.more:
		}
		done := true
		for n := first; n < first+some; n++ {
			done = done && s.has(n)
		}
		if done {
			return nil
		}
	}
}

// follower reads the log on its own connection, always from where it had got to,
// as a node does. It must never find a place that it has passed, nor a gap.
func follow(ctx context.Context, url string, started chan<- struct{}) (read parley.Pos, err error) {
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.Background())
	close(started)
	for {
		last := ctx.Err() != nil // everything is committed by now
		rows, _ := conn.Query(context.Background(), `SELECT pos FROM log WHERE pos > $1 ORDER BY pos`, int64(read))
		positions, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return read, err
		}
		for _, pos := range positions {
			if parley.Pos(pos) != read+1 {
				return read, fmt.Errorf("after %d the reader found %d", read, pos)
			}
			read++
		}
		if last {
			return read, nil
		}
	}
}

// sameLog checks that nodes told the same entries in the same order, without a
// gap in positions or in the numbers of a stream, and returns them.
func sameLog(t *testing.T, nodes ...*world) []parley.Entry {
	t.Helper()
	for _, w := range nodes {
		check(t, w.CatchUp(context.Background()))
	}
	first := nodes[0].entries()
	numbers, ids := map[parley.StreamID]uint64{}, map[sent]bool{}
	for i, e := range first {
		numbers[e.Stream]++
		if e.Pos != parley.Pos(i+1) || e.N != numbers[e.Stream] {
			t.Fatalf("entry %d has pos %d and n %d in %v, want n %d", i, e.Pos, e.N, e.Stream, numbers[e.Stream])
		}
		key := sent{e.Device, e.ClientID}
		if e.Device != 0 && ids[key] {
			t.Fatalf("%v of device %v is in the log twice", e.ClientID, e.Device)
		}
		ids[key] = true
	}
	for i, w := range nodes[1:] {
		equal := slices.EqualFunc(first, w.entries(), func(a, b parley.Entry) bool {
			return a.Pos == b.Pos && a.Device == b.Device && a.ClientID == b.ClientID && a.N == b.N && string(a.Body) == string(b.Body)
		})
		if !equal {
			t.Fatalf("node %d was told of %d entries, another order or other ones than the %d of the first", i+1, len(w.entries()), len(first))
		}
	}
	return first
}

// threeNodes are three stores over one database that wake each other, as nodes do
// by the bus. told is called with every entry that a node is told of.
func threeNodes(t *testing.T, told func(node int, e parley.Entry)) (Config, []*world) {
	t.Helper()
	c := onPostgres(t)
	nodes := make([]*world, 3)
	var ready atomic.Bool
	for i := range nodes {
		at := node(t, c)
		at.Committed = func() {
			for j, other := range nodes {
				if ready.Load() && j != i {
					other.Wake()
				}
			}
		}
		w := prepared(t, at)
		keep := w.writer.committed
		w.OnCommit(func(entries []parley.Entry) {
			keep(entries)
			for _, e := range entries {
				told(i, e)
			}
		})
		nodes[i] = w
	}
	ready.Store(true)
	for _, w := range nodes {
		w.run()
	}
	return c, nodes
}

// TestThreeWritersOneOrder puts three writers under load. A reader that follows
// the log never passes an entry that appears later, every node is told the same in
// the same order, and nobody deadlocks.
func TestThreeWritersOneOrder(t *testing.T) {
	const devices, count, streams = 4, 1500, 7 // for each node
	senders := map[parley.DeviceID]*sender{}
	c, nodes := threeNodes(t, func(node int, e parley.Entry) {
		if s := senders[e.Device]; s != nil && int(e.Device-1)/devices == node {
			s.take(must(strconv.Atoi(string(e.ClientID)))(t), 0)
		}
	})
	for d := range parley.DeviceID(3 * devices) {
		senders[d+1] = newSender(nodes[int(d)/devices], d+1, streams)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	following, stop := context.WithCancel(ctx)
	var reader, load sync.WaitGroup
	var read parley.Pos
	started := make(chan struct{})
	reader.Go(func() {
		var err error
		if read, err = follow(following, c.URL, started); err != nil {
			t.Errorf("reader: %v", err)
		}
	})
	<-started
	for _, s := range senders {
		load.Go(func() {
			if err := s.send(ctx, 0, count, 1+int(s.device)*8); err != nil {
				t.Errorf("device %d: %v", s.device, err)
			}
		})
	}
	for i, w := range nodes { // changes of all sorts between the messages
		load.Go(func() {
			for n := range 150 {
				also := parley.Alongside{Entries: []parley.Entry{{Stream: parley.StreamID(1 + n%streams), Body: parley.Body("alongside")}}}
				err := errors.Join(w.SetRead(ctx, parley.PersonID(1+n%3), parley.StreamID(1+n%streams), parley.Pos(n), uint64(n), also),
					w.SetRelation(ctx, privacy.Relation{Owner: parley.PersonID(1 + n%3), Other: parley.PersonID(10 + i)}, parley.Alongside{}))
				if err != nil {
					t.Errorf("changes of node %d: %v", i, err)
				}
			}
		})
	}
	load.Wait()
	stop()
	reader.Wait()
	entries := sameLog(t, nodes...)
	if want := 3 * (devices*count + 150); len(entries) != want || int(read) != want {
		t.Errorf("%d entries told, %d read; want %d", len(entries), read, want)
	}
	for i, w := range nodes {
		if s := w.Stats(); s.Failures > 0 {
			t.Errorf("node %d: %d commits failed", i, s.Failures)
		}
	}
	var deadlocks int
	check(t, nodes[0].read.db.QueryRowContext(t.Context(), `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`).Scan(&deadlocks))
	if deadlocks != 0 {
		t.Errorf("%d deadlocks", deadlocks)
	}
}

// TestKilledConnectionsLoseNothing ends connections of nodes under load at random
// moments, those that commit just then included. Devices send again what was not
// acknowledged. Nothing is lost, nothing is there twice, and all nodes are told the
// same.
func TestKilledConnectionsLoseNothing(t *testing.T) {
	const devices, chunk, streams, enough = 4, 200, 5, 15
	senders := map[parley.DeviceID]*sender{}
	c, nodes := threeNodes(t, func(node int, e parley.Entry) {
		if s := senders[e.Device]; s != nil && int(e.Device-1)/devices == node {
			s.take(must(strconv.Atoi(string(e.ClientID)))(t), e.Pos)
		}
	})
	for d := range parley.DeviceID(3 * devices) {
		senders[d+1] = newSender(nodes[int(d)/devices], d+1, streams)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	killing, stop := context.WithCancel(ctx)
	var load, killer sync.WaitGroup
	var kills atomic.Int32
	killer.Go(func() {
		if err := killAtRandom(killing, c.URL, &kills); err != nil {
			t.Errorf("killing connections: %v", err)
			cancel()
		}
	})
	for _, s := range senders {
		load.Go(func() {
			for n := 0; kills.Load() < enough && ctx.Err() == nil; n += chunk {
				if err := s.send(ctx, n, n+chunk, 40); err != nil {
					t.Errorf("device %d: %v", s.device, err)
				}
			}
		})
	}
	load.Wait()
	stop()
	killer.Wait()
	for _, w := range nodes {
		until(t, "the node has its connection back", func() bool { return w.CatchUp(ctx) == nil })
	}
	entries := sameLog(t, nodes...)
	sum := 0
	for _, s := range senders {
		sum += len(s.taken)
		for n, pos := range s.taken {
			if e := entries[pos-1]; e.Device != s.device || string(e.Body) != string(s.message(n).Body) {
				t.Fatalf("message %d of device %d was acknowledged at %d, where %v of device %d is", n, s.device, pos, e.ClientID, e.Device)
			}
		}
	}
	if len(entries) != sum {
		t.Errorf("%d entries, %d messages", len(entries), sum)
	}
	t.Logf("%d messages, %d connections killed", sum, kills.Load())
}

// killAtRandom ends a random connection of a node that is in a transaction, again
// and again.
func killAtRandom(ctx context.Context, url string, kills *atomic.Int32) error {
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	for ctx.Err() == nil {
		pause(ctx, time.Duration(1+rand.IntN(120))*time.Millisecond)
		rows, _ := conn.Query(context.Background(), `
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = $1 AND state <> 'idle'
ORDER BY random() LIMIT 1`, nodeName)
		done, err := pgx.CollectRows(rows, pgx.RowTo[bool])
		if err != nil {
			return err
		}
		kills.Add(int32(len(done)))
	}
	return nil
}
