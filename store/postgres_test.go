package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley"
	"parley/account"
	"parley/contact"
	"parley/parleytest/postgres"
	"parley/policy"
	"parley/presence"
	"parley/privacy"
)

// node is another store over the same database.
func node(t testing.TB, c Config) Config {
	t.Helper()
	c.Path = t.TempDir()
	return c
}

// column is a column of a table as far as both databases must agree on it.
type column struct {
	table, name, kind string
	required          bool
}

// TestSchemasAreTwins compares tables, columns and indexes.
func TestSchemasAreTwins(t *testing.T) {
	lite, big := prepared(t, inDir(t.TempDir())), prepared(t, onPostgres(t))
	extra := map[string]string{"meta": "changes", "changes": "*", "nodes": "*"} // of several nodes
	scan := func(r row) (c column, err error) {
		err = r.Scan(&c.table, &c.name, &c.kind, &c.required)
		return c, err
	}
	rows, err := lite.read.db.QueryContext(t.Context(), `
SELECT m.name, c.name, lower(c.type), c."notnull" OR c.pk > 0 FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'schema_versions' ORDER BY 1, 2`)
	want := must(collect(rows, err, scan))(t)
	kinds := map[string]string{"integer": "bigint", "text": "text", "blob": "bytea"}
	for i := range want {
		want[i].kind = kinds[want[i].kind]
	}
	rows, err = big.read.db.QueryContext(t.Context(), `
SELECT table_name, column_name, data_type, is_nullable = 'NO' FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name <> 'schema_versions' ORDER BY table_name COLLATE "C", column_name COLLATE "C"`)
	got := slices.DeleteFunc(must(collect(rows, err, scan))(t), func(c column) bool {
		return extra[c.table] == c.name || extra[c.table] == "*"
	})
	if !slices.Equal(got, want) {
		t.Errorf("columns of PostgreSQL\n%v\nof SQLite\n%v", got, want)
	}

	text := func(r row) (s string, err error) {
		err = r.Scan(&s)
		return s, err
	}
	rows, err = lite.read.db.QueryContext(t.Context(), `SELECT name || ' ' || sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name`)
	wanted := must(collect(rows, err, text))(t)
	rows, err = big.read.db.QueryContext(t.Context(), `
SELECT indexname || ' ' || indexdef FROM pg_indexes
WHERE schemaname = current_schema() AND tablename <> 'schema_versions' AND indexname NOT LIKE '%\_pkey' AND indexname NOT LIKE '%\_key'
ORDER BY indexname COLLATE "C"`)
	found := must(collect(rows, err, text))(t)
	for _, list := range [][]string{wanted, found} {
		for i := range list {
			list[i] = plainIndex(list[i])
		}
	}
	if !slices.Equal(found, wanted) {
		t.Errorf("indexes of PostgreSQL\n%s\nof SQLite\n%s", strings.Join(found, "\n"), strings.Join(wanted, "\n"))
	}
}

var indexNoise = regexp.MustCompile(`public\.| USING btree|::text|[()]`)

// plainIndex leaves out what only one of the databases writes.
func plainIndex(sql string) string { return indexNoise.ReplaceAllString(sql, "") }

// TestPostgresPlans looks at the plans of the questions that are asked with every
// commit or sync: they must go through an index, row by row, also while there are
// no statistics yet, or bad ones.
func TestPostgresPlans(t *testing.T) {
	w := start(t, onPostgres(t))
	var entries []parley.Entry
	for n := range 3000 {
		entries = append(entries, message(parley.StreamID(1+n%500), parley.DeviceID(1+n%7), n, "x"))
	}
	check(t, w.add(entries...))
	list := "'{" + strings.TrimPrefix(strings.Repeat(",7", 500), ",") + "}'"
	tests := []struct{ name, query, args, index string }{
		{"sent", selectSent, list + `, ` + list, "log_device"},
		{"heads", selectHeads, list, "log_stream"},
		{"cursors", updateCursors, list + `, ` + list, "devices_pkey"},
		{"reads", selectReads, list, "devices_pkey"},
		{"stream", selectStreamHead, `3`, "log_stream"},
		{"tail", selectTail, `5, 10, 100`, "log_pkey"},
		{"entries", w.engine.entriesAfter(), `5, 100, ` + list, "log_stream"},
	}
	look := func(when string) {
		w.between(func(s *session) error {
			for _, test := range tests {
				plan, err := planOf(s, test.query, test.args)
				if err != nil {
					return fmt.Errorf("%s: %w", test.name, err)
				}
				if !strings.Contains(plan, test.index) || !strings.Contains(plan, "Index Cond") || strings.Contains(plan, "Seq Scan") ||
					strings.Contains(plan, "Hash Join") || strings.Contains(plan, "Merge Join") {
					t.Errorf("%s, %s:\n%s", test.name, when, plan)
				}
			}
			return nil
		})
	}
	look("without statistics")
	w.between(func(s *session) error {
		_, err := s.conn.ExecContext(context.Background(), `ANALYZE`)
		return err
	})
	look("with statistics")
}

// planOf is how a prepared statement is carried out.
func planOf(s *session, query, args string) (string, error) {
	ctx := context.Background()
	if _, err := s.conn.ExecContext(ctx, `PREPARE looked_at AS `+query); err != nil {
		return "", err
	}
	rows, err := s.conn.QueryContext(ctx, `EXPLAIN EXECUTE looked_at (`+args+`)`)
	lines, err := collect(rows, err, func(r row) (line string, err error) {
		err = r.Scan(&line)
		return line, err
	})
	_, deallocate := s.conn.ExecContext(ctx, `DEALLOCATE looked_at`)
	return strings.Join(lines, "\n"), errors.Join(err, deallocate)
}

// TestVacuum: what was purged leaves no room behind in the table's files.
func TestVacuum(t *testing.T) {
	w := start(t, onPostgres(t))
	var entries []parley.Entry
	for n := range 2000 {
		entries = append(entries, message(1, 1, n, strings.Repeat("x", 200)))
	}
	check(t, w.add(entries...))
	size := func() (bytes int) {
		t.Helper()
		check(t, w.read.db.QueryRowContext(t.Context(), `SELECT pg_relation_size('log')`).Scan(&bytes))
		return bytes
	}
	if size() < 400_000 {
		t.Fatalf("the log takes %d bytes", size())
	}
	check(t, w.Purge(t.Context(), upto(1, 2000)))
	until(t, "the table's file is empty", func() bool {
		check(t, w.engine.(*postgresEngine).vacuum(t.Context()))
		return size() == 0
	})
}

// TestNodesTellEachOther has every kind of change made on one node and looks at
// what another is told.
func TestNodesTellEachOther(t *testing.T) {
	c := onPostgres(t)
	a := start(t, c)
	crowd(t, a, 3)
	b := prepared(t, node(t, c))
	var mu sync.Mutex
	var told []parley.Event
	b.OnChanges(func(events []parley.Event) error {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, events...)
		return nil
	})
	b.run()
	ctx := t.Context()
	d := a.signIn(t, 1, "one")
	check(t, a.add(message(1, d.ID, 1, "x")))
	second := a.signIn(t, 1, "two")
	a.Acknowledge(d.ID, 1)
	again := a.signIn(t, 1, "one")
	must(a.EndDevices(ctx, 1, []parley.DeviceID{999, again.ID}, 0, parley.EndedRevoked, parley.Alongside{}))(t)
	must(a.EndDevices(ctx, 1, []parley.DeviceID{}, 0, parley.EndedRevoked, parley.Alongside{}))(t)
	must(a.SetPasswordHash(ctx, account.PasswordChange{Person: 1, Hash: "new", EndDevices: true}, parley.Alongside{}))(t)
	check(t, a.SetRelation(ctx, privacy.Relation{Owner: 1, Other: 2}, parley.Alongside{}))
	check(t, a.SetPreferences(ctx, 2, privacy.Preferences{}, parley.Alongside{}))
	check(t, a.SetChoice(ctx, 3, presence.Choice{}, presence.Choice{Note: "n"}, parley.Alongside{}))
	if err := a.SetChoice(ctx, 3, presence.Choice{}, presence.Choice{Note: "stale"}, parley.Alongside{}); !errors.Is(err, presence.ErrStale) {
		t.Errorf("stale choice: %v", err)
	}
	check(t, a.ChangeRule(ctx, policy.Change{Key: "policy.pictures", Value: "false", Stands: true}, parley.Alongside{}))
	relisted(t, a, 1, put(3))
	relisted(t, a, 1, put(3)) // as it is: nothing to tell
	apply(t, a, contact.Change{Person: parley.Person{ID: 1}, Gone: true}, contact.Change{Person: parley.Person{ID: 2}, Gone: true})
	must(a.SetDisabled(ctx, 3, true, parley.Alongside{}))(t)
	check(t, b.CatchUp(ctx))
	want := []parley.Event{
		parley.DeviceSignedIn{Person: 1, Device: d.ID},
		parley.DeviceSignedIn{Person: 1, Device: second.ID, From: 1},
		parley.DeviceSignedIn{Person: 1, Device: again.ID, From: 1},
		parley.DevicesEnded{Person: 1, Devices: []parley.DeviceID{d.ID}, Reason: parley.EndedReplaced, Cursors: []parley.Pos{1}},
		parley.DevicesEnded{Person: 1, Devices: []parley.DeviceID{again.ID}, Reason: parley.EndedRevoked, Cursors: []parley.Pos{1}},
		parley.DevicesEnded{Person: 1, Devices: []parley.DeviceID{second.ID}, Reason: parley.EndedPassword, Cursors: []parley.Pos{1}},
		parley.RelationChanged{Owner: 1, Other: 2},
		parley.PreferencesChanged{Person: 2},
		parley.ChoiceChanged{Person: 3},
		parley.PolicyChanged{Keys: []string{"policy.pictures"}},
		parley.RelationChanged{Owner: 1, Other: 3},
		parley.ContactsChanged{Person: 1, Version: 1},
		parley.PeopleChanged{People: []parley.PersonID{1, 2}},
		parley.AccountDisabled{Person: 3},
		parley.PeopleChanged{People: []parley.PersonID{3}},
	}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("told\n%v\nwant\n%v", told, want)
	}
	if e := b.entries(); len(e) != 1 || e[0].Pos != 1 || string(e[0].Body) != "x" {
		t.Errorf("told of the entries %v", e)
	}
}

// TestOthersAreToldBeforeOneGoesOn: what another node committed is told before an
// own entry is asked about.
func TestOthersAreToldBeforeOneGoesOn(t *testing.T) {
	c := onPostgres(t)
	a, b := start(t, c), prepared(t, node(t, c))
	var mu sync.Mutex
	var order []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, what)
	}
	b.OnChanges(func(events []parley.Event) error {
		note(fmt.Sprintf("%T", events[0]))
		return nil
	})
	b.OnCommit(func(entries []parley.Entry) { note(string(entries[0].Body)) })
	b.OnAdmit(func(e *parley.Entry) error {
		note("admit " + string(e.Body))
		return nil
	})
	b.Append(t.Context(), message(2, 2, 1, "own"), func(_ parley.Pos, err error) { t.Error(err) })
	check(t, a.add(message(1, 1, 1, "foreign")))
	check(t, a.SetRelation(t.Context(), privacy.Relation{Owner: 1, Other: 2}, parley.Alongside{}))
	b.run()
	until(t, "the own entry is told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(order) == 4
	})
	if want := []string{"parley.RelationChanged", "foreign", "admit own", "own"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

// TestNothingIsCommittedBeforeChangesAreTakenOver: a node that cannot read whom
// somebody has blocked must not admit a message of theirs meanwhile.
func TestNothingIsCommittedBeforeChangesAreTakenOver(t *testing.T) {
	c := onPostgres(t)
	a, b := start(t, c), prepared(t, node(t, c))
	broken := errors.New("cannot be read now")
	var mu sync.Mutex
	var failing, admitted bool
	var told int
	b.OnChanges(func([]parley.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if failing {
			return broken
		}
		told++
		return nil
	})
	b.OnAdmit(func(*parley.Entry) error {
		mu.Lock()
		defer mu.Unlock()
		admitted = admitted || told == 0
		return nil
	})
	failing = true
	check(t, a.SetRelation(t.Context(), privacy.Relation{Owner: 1, Other: 2}, parley.Alongside{}))
	b.run()
	if err := b.add(message(1, 1, 1, "too early")); parley.KindOf(err) != parley.Unavailable || !errors.Is(err, broken) {
		t.Errorf("a message before the change was taken over: %v", err)
	}
	mu.Lock()
	failing = false
	mu.Unlock()
	check(t, b.add(message(1, 1, 2, "after")))
	mu.Lock()
	defer mu.Unlock()
	if told == 0 || admitted {
		t.Errorf("told %d times; admitted something before: %v", told, admitted)
	}
}

// TestNumbersOfStreamsAcrossNodes: what a node remembers of a stream must not
// outlive another node's entry in it.
func TestNumbersOfStreamsAcrossNodes(t *testing.T) {
	c := onPostgres(t)
	a, b := start(t, c), start(t, node(t, c))
	s := parley.DirectStream(1, 2)
	for i := range 6 {
		w := []*world{a, b}[i%2]
		check(t, w.CatchUp(t.Context()))
		before := len(w.entries())
		check(t, w.add(message(s, parley.DeviceID(1+i%2), i, "x")))
		if e := w.entries()[before]; e.N != uint64(i+1) || e.Pos != parley.Pos(i+1) {
			t.Errorf("entry %d has pos %d and n %d", i, e.Pos, e.N)
		}
		if i == 3 { // one that is gone before the other node sees it
			check(t, w.add(message(s, 9, i, "y")))
			check(t, w.Purge(t.Context(), upto(s, 5)))
			check(t, a.CatchUp(t.Context()))
			before := len(a.entries())
			check(t, a.add(message(s, 9, 77, "z")))
			if e := a.entries()[before]; e.N != 6 || e.Pos != 6 {
				t.Errorf("after a purge: pos %d and n %d", e.Pos, e.N)
			}
			return
		}
	}
}

func TestRenewEpoch(t *testing.T) {
	c := onPostgres(t)
	w := start(t, c)
	check(t, w.add(message(1, 1, 1, "x")))
	if err := w.Backup(t.Context(), t.TempDir()+"/copy"); !errors.Is(err, ErrShared) {
		t.Errorf("Backup: %v", err)
	}
	if err := RenewEpoch(t.Context(), c); !errors.Is(err, ErrInUse) {
		t.Errorf("while a node runs: %v", err)
	}
	epoch := w.Epoch()
	w.close()
	check(t, RenewEpoch(t.Context(), c))
	w = start(t, c)
	if w.Epoch() == epoch || w.Head() != 1 {
		t.Errorf("epoch %x after %x, head %d", w.Epoch(), epoch, w.Head())
	}
	if n := count(t, w, "audit"); n != 1 {
		t.Errorf("%d audit records", n)
	}
	if err := RenewEpoch(t.Context(), Config{URL: postgres.Database(t)}); !errors.Is(err, errForeign) {
		t.Errorf("an empty database: %v", err)
	}
	if err := RenewEpoch(t.Context(), inDir(t.TempDir())); err == nil {
		t.Error("SQLite was renewed")
	}
}

func TestPostgresOpenRefuses(t *testing.T) {
	url := postgres.Database(t)
	run := func(text string) {
		t.Helper()
		e := must(newPostgres(Config{URL: url}))(t)
		db := e.open(keeperSettings, 1)
		defer db.Close()
		_, err := db.ExecContext(t.Context(), text)
		check(t, err)
	}
	open := func(url string) error {
		s, err := Open(t.Context(), Config{Path: t.TempDir(), URL: url})
		if err == nil {
			check(t, s.Close())
		}
		return err
	}
	run(`CREATE TABLE theirs (x int)`)
	if err := open(url); !errors.Is(err, errForeign) {
		t.Errorf("a foreign database: %v", err)
	}
	run(`DROP TABLE theirs`)
	check(t, open(url))
	check(t, open(url))
	run(`INSERT INTO schema_versions (version_id, is_applied) VALUES (99999, true)`)
	if err := open(url); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a database of a newer program: %v", err)
	}
	secret := "hunter2hunter2"
	for _, url := range []string{"postgres://u:" + secret + "@127.0.0.1:1/x?sslmode=disable", "postgres://u:" + secret + "@[::1/x", "postgres://u:" + secret + "@h/x?sslmode=perhaps"} {
		if err := open(url); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("opening what is not there: %v", err)
		}
	}
}

// TestNodesStartTogether has several nodes make the same database.
func TestNodesStartTogether(t *testing.T) {
	url := postgres.Database(t)
	var starting sync.WaitGroup
	epochs := make(chan uint64, 4)
	for range cap(epochs) {
		path := t.TempDir()
		starting.Go(func() {
			s, err := Open(context.Background(), Config{Path: path, URL: url})
			if err != nil {
				t.Error(err)
				return
			}
			epochs <- s.Epoch()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	close(epochs)
	first, ok := <-epochs
	for epoch := range epochs {
		if !ok || epoch != first {
			t.Errorf("epochs %x and %x", first, epoch)
		}
	}
}
