package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"parley"
	"parley/conversation"
	"parley/privacy"
)

// cable is a way to the database that can be cut.
type cable struct {
	cut atomic.Bool

	// drop, when set, loses the answer to the next COMMIT, and the connection with
	// it. It is told of that.
	drop atomic.Pointer[func()]

	mu    sync.Mutex
	conns []net.Conn
}

func (c *cable) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if c.cut.Load() {
		return nil, errors.New("the cable is cut")
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
	return &end{conn, c}, nil
}

// sever cuts all connections and lets no new one through, until mend.
func (c *cable) sever() {
	c.cut.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
}

func (c *cable) mend() { c.cut.Store(false) }

// end is one end of a connection through the cable.
type end struct {
	net.Conn
	cable *cable
}

func (e *end) Read(b []byte) (int, error) {
	n, err := e.Conn.Read(b)
	if drop := e.cable.drop.Load(); drop != nil && bytes.Contains(b[:n], []byte("COMMIT\x00")) {
		e.cable.drop.Store(nil)
		e.Conn.Close()
		(*drop)()
		return 0, io.EOF
	}
	return n, err
}

// TestOneBadEntryIsRefusedAlone: PostgreSQL takes no zero byte for a text.
func TestOneBadEntryIsRefusedAlone(t *testing.T) {
	w := prepared(t, onPostgres(t))
	bad := message(1, 2, 1, "bad")
	bad.Content = "text\x00v1"
	worse := message(1, 2, 2, "worse")
	worse.ClientID = "\x00"
	refused := make(chan error, 2)
	for n := range 20 { // all wait for the store to run, and so share a commit
		w.Append(t.Context(), message(1, 1, n, "good"), func(_ parley.Pos, err error) { t.Errorf("good entry: %v", err) })
		switch n {
		case 7:
			w.Append(t.Context(), bad, func(_ parley.Pos, err error) { refused <- err })
		case 9:
			w.Append(t.Context(), worse, func(_ parley.Pos, err error) { refused <- err })
		}
	}
	for _, also := range []parley.Alongside{{}, {Entries: []parley.Entry{bad}}, {Entries: []parley.Entry{message(1, 0, 0, "with a change")}}} {
		w.writer.queue <- item{op: change{also: also}, done: func(_ parley.Pos, err error) {
			if (err != nil) != (len(also.Entries) > 0 && also.Entries[0].Content == bad.Content) {
				t.Errorf("change with %d entries: %v", len(also.Entries), err)
			}
		}}
	}
	w.run()
	for range 2 {
		if err := <-refused; err == nil || parley.KindOf(err) != parley.Invalid {
			t.Errorf("a bad entry: %v", err)
		}
	}
	check(t, w.writer.do(t.Context(), w.writer.queue, change{}))
	if entries := sameLog(t, w); len(entries) != 21 {
		t.Errorf("%d entries were stored", len(entries))
	}
	if s := w.Stats(); s.Failures > 0 {
		t.Errorf("%d commits failed", s.Failures)
	}
	for what, err := range map[string]error{
		"an address": second(w.IdentityByAddress(t.Context(), "a\x00")), "an installation": second(w.HistoryKey(t.Context(), 1, "\xff")),
	} {
		if err != parley.ErrWithheld {
			t.Errorf("looking for %s that is no text: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestUnknownOutcomeOfACommit loses the answer to a COMMIT. Whoever waits is told
// to try again; what was stored all the same is told like another node's, and is
// known when it is sent again.
func TestUnknownOutcomeOfACommit(t *testing.T) {
	c := onPostgres(t)
	var way cable
	c.Dial = way.dial
	w := prepared(t, c)
	changes := make(chan parley.Event, 10)
	w.OnChanges(func(events []parley.Event) error {
		for _, e := range events {
			changes <- e
		}
		return nil
	})
	w.run()
	check(t, w.add(message(1, 1, 1, "before")))
	dropped := make(chan struct{})
	lose := func() { close(dropped) }
	way.drop.Store(&lose)
	relation := privacy.Relation{Owner: 1, Other: 2}
	if err := w.SetRelation(t.Context(), relation, parley.Alongside{Entries: []parley.Entry{message(1, 1, 2, "lost answer")}}); parley.KindOf(err) != parley.Unavailable {
		t.Errorf("the answer was lost: %v", err)
	}
	<-dropped
	if e := <-changes; e != (parley.RelationChanged{Owner: 1, Other: 2}) {
		t.Errorf("told of %v", e)
	}
	until(t, "the entry is told", func() bool { return len(w.entries()) == 2 })
	answers := make(chan error, 1)
	w.Append(t.Context(), message(1, 1, 2, "lost answer"), func(pos parley.Pos, err error) {
		if pos != 2 {
			t.Errorf("known at %d", pos)
		}
		answers <- err
	})
	if err := <-answers; !errors.Is(err, conversation.ErrKnown) {
		t.Errorf("sent again: %v", err)
	}
	check(t, w.add(message(1, 1, 3, "after")))
	sameLog(t, w)
}

func TestOutOfReach(t *testing.T) {
	c := onPostgres(t)
	other := start(t, node(t, c))
	var way cable
	c.Dial = way.dial
	w := start(t, c)
	check(t, w.add(message(1, 1, 1, "before")))
	if since, failing := w.Failing(); failing {
		t.Errorf("failing since %v", since)
	}
	began := time.Now()
	way.sever()
	until(t, "the store says that it fails", func() bool { _, failing := w.Failing(); return failing })
	if since, _ := w.Failing(); since.Before(began.Add(-time.Second)) || since.After(time.Now()) {
		t.Errorf("failing since %v", since)
	}
	for n := range 5 {
		asked := time.Now()
		if err := w.add(message(1, 1, 2+n, "x")); parley.KindOf(err) != parley.Unavailable {
			t.Errorf("an entry: %v", err)
		}
		if err := w.SetRead(t.Context(), 1, 1, 1, 1, parley.Alongside{}); parley.KindOf(err) != parley.Unavailable {
			t.Errorf("a change: %v", err)
		}
		if err := w.Purge(t.Context(), upto(1, 1)); parley.KindOf(err) != parley.Unavailable {
			t.Errorf("bulk work: %v", err)
		}
		if _, err := w.Devices(t.Context(), 1); parley.KindOf(err) != parley.Unavailable {
			t.Errorf("a question: %v", err)
		}
		if err := w.CatchUp(t.Context()); parley.KindOf(err) != parley.Unavailable {
			t.Errorf("catching up: %v", err)
		}
		if took := time.Since(asked); took > 10*time.Second {
			t.Errorf("the answers took %v", took)
		}
	}
	check(t, other.add(message(1, 2, 1, "meanwhile")))
	way.mend()
	until(t, "the store works again", func() bool { _, failing := w.Failing(); return !failing })
	until(t, "the other node's entry is told", func() bool { return len(w.entries()) == 2 })
	check(t, w.add(message(1, 1, 100, "after")))
	if entries := sameLog(t, w, other); len(entries) != 3 {
		t.Errorf("%d entries", len(entries))
	}
}

// TestFrozenNodeLosesItsTurn: a node that stops in the middle of a commit holds
// the others up for a few seconds, and its commit comes to nothing.
func TestFrozenNodeLosesItsTurn(t *testing.T) {
	c := onPostgres(t)
	w := start(t, c)
	e := must(newPostgres(Config{URL: c.URL}))(t)
	frozen := must(e.connect(t.Context()))(t)
	defer frozen.close()
	tx, at, err := e.begin(t.Context(), frozen, false)
	check(t, err)
	began := time.Now()
	check(t, w.add(message(1, 1, 1, "waits for the frozen node")))
	if took := time.Since(began); took < time.Second || took > 8*time.Second {
		t.Errorf("it waited for %v", took)
	}
	if _, err := tx.put(&parley.Entry{Pos: at.head + 1, N: 1, Stream: 1, Body: parley.Body{}}); err != nil {
		t.Errorf("nothing is sent yet: %v", err)
	}
	if err := tx.commit(place{head: at.head + 1}, nil, 0); err == nil {
		t.Error("the frozen node's commit went through")
	}
	if !e.lost(frozen) {
		t.Error("the frozen node has its connection still")
	}
	if n := count(t, w, "log"); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// TestNodeFrozenWhileItSends: the server waits for the rest of a statement, which is
// no idle time, until another node ends that.
func TestNodeFrozenWhileItSends(t *testing.T) {
	c := onPostgres(t)
	w := start(t, c)
	e := must(newPostgres(Config{URL: c.URL}))(t)
	frozen := must(e.connect(t.Context()))(t)
	defer frozen.close()
	_, _, err := e.begin(t.Context(), frozen, false)
	check(t, err)
	check(t, native(frozen, func(conn *pgx.Conn) error {
		whole := "P\x00\x00\x00\x10\x00SELECT 1\x00\x00\x00"
		part := "B\x00\x00\x10\x00" // of 4,096 bytes
		_, err := conn.PgConn().Conn().Write([]byte(whole + part))
		return err
	}))
	began := time.Now()
	until(t, "another node commits", func() bool { return w.add(message(1, 1, 1, "x")) == nil })
	if took := time.Since(began); took < 4*time.Second || took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestSilentDatabase: a database that takes statements and does not answer must
// not hold anybody up for ever.
func TestSilentDatabase(t *testing.T) {
	c := onPostgres(t)
	w := prepared(t, c)
	w.engine.(*postgresEngine).commitTime = 300 * time.Millisecond
	w.run()
	check(t, w.add(message(1, 1, 1, "x")))
	blocker := must(w.read.db.Conn(t.Context()))(t)
	must(blocker.ExecContext(t.Context(), `SET default_transaction_read_only = off`))(t)
	must(blocker.ExecContext(t.Context(), `BEGIN`))(t)
	must(blocker.ExecContext(t.Context(), `SELECT 1 FROM meta FOR UPDATE`))(t)
	if err := w.add(message(1, 1, 2, "x")); parley.KindOf(err) != parley.Unavailable {
		t.Errorf("while the database is silent: %v", err)
	}
	must(blocker.ExecContext(t.Context(), `ROLLBACK`))(t)
	check(t, blocker.Close())
	until(t, "it works again", func() bool { return w.add(message(1, 1, 3, "x")) == nil })
	sameLog(t, w)
}

// TestMissedChanges: a node that was away for longer than the feed goes back
// cannot go on.
func TestMissedChanges(t *testing.T) {
	c := onPostgres(t)
	a, b := start(t, c), prepared(t, node(t, c))
	for i := range 3 {
		check(t, a.SetRelation(t.Context(), privacy.Relation{Owner: 1, Other: parley.PersonID(2 + i)}, parley.Alongside{}))
	}
	a.between(func(s *session) error {
		_, err := s.exec(context.Background(), `DELETE FROM changes WHERE seq < 3`)
		return err
	})
	b.OnChanges(func(events []parley.Event) error {
		t.Errorf("told of %v", events)
		return nil
	})
	asked := make(chan error, 1)
	b.Append(t.Context(), message(1, 1, 1, "x"), func(_ parley.Pos, err error) { asked <- err })
	if err := b.Store.Run(t.Context()); !errors.Is(err, errBehind) {
		t.Errorf("Run: %v", err)
	}
	if err := <-asked; parley.KindOf(err) != parley.Unavailable {
		t.Errorf("who waited: %v", err)
	}
	if err := b.SetRead(t.Context(), 1, 1, 1, 1, parley.Alongside{}); parley.KindOf(err) != parley.Unavailable {
		t.Errorf("who comes later: %v", err)
	}
}

// TestDatabaseThatWentBack: positions must not be given to other entries than those
// that devices know.
func TestDatabaseThatWentBack(t *testing.T) {
	for _, lost := range []string{`UPDATE meta SET head = head - 1`, `UPDATE meta SET changes = 0`} {
		w := prepared(t, onPostgres(t))
		ended := make(chan error, 1)
		go func() { ended <- w.Store.Run(context.Background()) }()
		check(t, w.add(message(1, 1, 1, "x"), message(1, 1, 2, "y")))
		check(t, w.SetPreferences(t.Context(), 1, privacy.Preferences{}, parley.Alongside{}))
		w.between(func(s *session) error {
			_, err := s.exec(context.Background(), lost)
			return err
		})
		if err := w.add(message(1, 1, 3, "z")); parley.KindOf(err) != parley.Unavailable {
			t.Errorf("%s: an entry: %v", lost, err)
		}
		if err := <-ended; !errors.Is(err, errWentBack) {
			t.Errorf("%s: Run: %v", lost, err)
		}
	}
}

func TestFeedIsTrimmed(t *testing.T) {
	w := start(t, onPostgres(t))
	const rows = feedRows + 50
	now := time.Now()
	w.between(func(s *session) error {
		for _, text := range []string{
			fmt.Sprintf(`INSERT INTO changes SELECT n, 'choice', 1, 0, 0, '', CASE WHEN n <= 40 THEN 1 ELSE %d END FROM generate_series(1, %d) AS n`, now.UnixMilli(), rows),
			fmt.Sprintf(`UPDATE meta SET changes = %d`, rows),
		} {
			if _, err := s.exec(context.Background(), text); err != nil {
				return err
			}
		}
		return nil
	})
	trim := func(before time.Time, want int) {
		t.Helper()
		check(t, w.writer.do(t.Context(), w.writer.bulk, trimFeed{before}))
		if n := count(t, w, "changes"); n != want {
			t.Errorf("%d rows are left, want %d", n, want)
		}
	}
	trim(now.Add(-feedTime), rows-40)
	trim(now.Add(time.Hour), feedRows) // by a clock that is ahead
	check(t, w.SetPreferences(t.Context(), 1, privacy.Preferences{}, parley.Alongside{}))
	if n := count(t, w, "changes"); n != feedRows+1 {
		t.Errorf("%d rows after another change", n)
	}
}

func TestReadOnlyDatabase(t *testing.T) {
	w := start(t, onPostgres(t))
	set := func(value string) {
		w.between(func(s *session) error {
			_, err := s.exec(context.Background(), `SET default_transaction_read_only = `+value)
			return err
		})
	}
	set("on")
	if err := w.add(message(1, 1, 1, "x")); parley.KindOf(err) != parley.Full {
		t.Errorf("read-only: %v", err)
	}
	set("off")
	check(t, w.add(message(1, 1, 1, "x")))
	sameLog(t, w)
}

func TestFailuresOfPostgres(t *testing.T) {
	for code, want := range map[string]parley.Kind{
		"53100": parley.Full, "25006": parley.Full, "58030": parley.Full,
		"08006": parley.Unavailable, "57P01": parley.Unavailable, "57P03": parley.Unavailable, "53300": parley.Unavailable,
		"40001": parley.Unavailable, "40P01": parley.Unavailable, "55P03": parley.Unavailable, "57014": parley.Unavailable,
		"25P03": parley.Unavailable, "28P01": parley.Unavailable, "3D000": parley.Unavailable, "XX001": parley.Unavailable,
		"23505": parley.Internal, "22021": parley.Internal, "42P01": parley.Internal, "25P02": parley.Internal, "": parley.Internal,
	} {
		cause := fmt.Errorf("doing something: %w", &pgconn.PgError{Code: code})
		refusal, failure := storageFailure(cause)
		if failure != (want != parley.Internal) || failure && (refusal.Kind != want || !errors.Is(refusal, cause)) {
			t.Errorf("%s: %v, %v", code, refusal, failure)
		}
	}
	if _, failure := storageFailure(parley.ErrWithheld); failure {
		t.Error("a refusal is taken for a failure of the storage")
	}
}
