package store

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pressly/goose/v3"

	"parley"
)

// record commits audit records, one operation each.
func (w *world) record(actions ...parley.AuditAction) {
	w.t.Helper()
	for i, action := range actions {
		actor := parley.Actor{Kind: parley.ActorPerson, Person: 3, Device: parley.DeviceID(i)}
		check(w.t, w.AddAudit(action, actor))
	}
}

func (w *world) AddAudit(action parley.AuditAction, actor parley.Actor) error {
	also := parley.Alongside{Audit: []parley.Audit{{Actor: actor, Action: action, Person: 4, Detail: "détail"}}}
	return w.writer.do(w.t.Context(), w.writer.queue, change{also: also})
}

func (w *world) verdict(known ...AuditMark) AuditVerdict {
	w.t.Helper()
	return must(w.VerifyAudit(w.t.Context(), known...))(w.t)
}

// whole checks that the trail is good and holds so many records.
func (w *world) whole(records int64, known ...AuditMark) AuditMark {
	w.t.Helper()
	v := w.verdict(known...)
	if v.Broken != 0 || v.Records != records {
		w.t.Errorf("the trail of %d records is found to be %+v", records, v)
	}
	return v.End
}

func TestAuditIsAChain(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		if end := w.whole(0); end.String() != "" {
			t.Errorf("an empty trail ends with %v", end)
		}
		w.record(parley.AuditSignedIn, parley.AuditInvited)
		first := w.whole(2)
		// A change that fails leaves nothing in the chain.
		err := w.writer.do(t.Context(), w.writer.queue, failing{also: parley.Alongside{Audit: []parley.Audit{{Action: "never"}}}})
		if err == nil {
			t.Fatal("the change did not fail")
		}
		var writers sync.WaitGroup
		for range 8 {
			writers.Go(func() {
				for range 50 {
					if err := w.AddAudit(parley.AuditSignedOut, parley.System); err != nil {
						t.Error(err)
					}
					w.verdict()
				}
			})
		}
		writers.Wait()
		end := w.whole(402, first)
		w.close()
		w = start(t, c)
		if again := w.whole(402, first, end); again != end {
			t.Errorf("after closing and opening the end is %v, was %v", again, end)
		}
		w.record(parley.AuditSignedIn)
		w.whole(403, end)
	})
}

// What somebody does to the table behind the server's back, and the first record
// that does not hold any more.
func TestAuditTamperingIsNoticed(t *testing.T) {
	tests := []struct {
		name    string
		sql     []string
		broken  int64
		problem string
	}{
		{"changed detail", []string{"UPDATE audit SET detail = 'nothing' WHERE id = 4"}, 4, "changed"},
		{"changed time", []string{"UPDATE audit SET at = at + 1 WHERE id = 4"}, 4, "changed"},
		{"changed kind", []string{"UPDATE audit SET kind = 6 WHERE id = 4"}, 4, "changed"},
		{"changed actor", []string{"UPDATE audit SET actor = 9 WHERE id = 4"}, 4, "changed"},
		{"changed device", []string{"UPDATE audit SET device = 77 WHERE id = 4"}, 4, "changed"},
		{"changed action", []string{"UPDATE audit SET action = 'signed-out' WHERE id = 4"}, 4, "changed"},
		{"changed person", []string{"UPDATE audit SET person = 5 WHERE id = 4"}, 4, "changed"},
		{"changed first", []string{"UPDATE audit SET person = 5 WHERE id = 1"}, 1, "was changed"},
		{"text moved between fields", []string{"UPDATE audit SET action = action || 'd', detail = 'étail' WHERE id = 4"}, 4, "changed"},
		{"changed hash", []string{"UPDATE audit SET hash = (SELECT hash FROM audit WHERE id = 3) WHERE id = 4"}, 4, "changed"},
		{"deleted", []string{"DELETE FROM audit WHERE id = 4"}, 4, "missing"},
		{"deleted several", []string{"DELETE FROM audit WHERE id IN (3, 4, 5)"}, 3, "missing"},
		{"deleted first", []string{"DELETE FROM audit WHERE id = 1"}, 1, "missing"},
		{"deleted last", []string{"DELETE FROM audit WHERE id = 8"}, 8, "missing"},
		{"deleted all", []string{"DELETE FROM audit"}, 1, "missing"},
		{"deleted and renumbered", []string{"DELETE FROM audit WHERE id = 4", "UPDATE audit SET id = 4 WHERE id = 5"}, 4, "changed"},
		{"swapped", []string{
			"UPDATE audit SET id = -1 WHERE id = 4", "UPDATE audit SET id = 4 WHERE id = 5", "UPDATE audit SET id = 5 WHERE id = -1",
		}, 4, "changed"},
		{"added at the end", []string{
			"INSERT INTO audit (id, at, kind, actor, device, action, person, detail, hash) SELECT 9, at, kind, actor, device, action, person, detail, hash FROM audit WHERE id = 8",
		}, 9, "changed"},
		{"end forgotten", []string{"DELETE FROM audit_head"}, 1, "not added by the server"},
		{"end moved back", []string{"UPDATE audit_head SET record = 7, hash = (SELECT hash FROM audit WHERE id = 7)"}, 8, "not added by the server"},
		{"end with another hash", []string{"UPDATE audit_head SET hash = (SELECT hash FROM audit WHERE id = 7)"}, 8, "not the one"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			forEachDatabase(t, func(t *testing.T, c Config) {
				w := start(t, c)
				for range 4 {
					w.record(parley.AuditSignedIn, parley.AuditInvited)
				}
				w.whole(8)
				w.between(func(s *session) error {
					for _, sql := range test.sql {
						if _, err := s.exec(context.Background(), sql); err != nil {
							return err
						}
					}
					return nil
				})
				v := w.verdict()
				if v.Broken != test.broken || !strings.Contains(v.Problem, test.problem) {
					t.Errorf("the verdict is %+v; want record %d, %q", v, test.broken, test.problem)
				}
				// Work goes on whatever was done to the trail, and hides nothing: where the
				// end was meddled with, the next record shows it.
				w.record(parley.AuditSignedOut)
				if after := w.verdict(); after.Broken == 0 {
					t.Errorf("after another record the verdict is %+v", after)
				}
			})
		})
	}
}

// A chain that was made anew from changed records is whole in itself. Only a mark
// kept elsewhere shows it.
func TestAuditMarkShowsANewChain(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, c Config) {
		w := start(t, c)
		w.record(parley.AuditSignedIn, parley.AuditInvited, parley.AuditSignedOut)
		mark := w.whole(3)
		kept := must(ParseAuditMark(mark.String()))(t)
		if kept != mark {
			t.Errorf("%v is read as %v", mark, kept)
		}
		w.record(parley.AuditSignedIn)
		w.whole(4, kept)
		w.between(func(s *session) error {
			for _, sql := range []string{"UPDATE audit SET person = 9 WHERE id = 2", "UPDATE audit SET hash = $1", "UPDATE audit_head SET record = 0, hash = $1"} {
				args := []any{[]byte{}}[:strings.Count(sql, "$1")]
				if _, err := s.exec(context.Background(), sql, args...); err != nil {
					return err
				}
			}
			return w.writer.alone(chainAudit{})
		})
		w.whole(4)
		if v := w.verdict(kept); v.Broken != 3 || !strings.Contains(v.Problem, "mark") {
			t.Errorf("against a mark from before the verdict is %+v", v)
		}
		beyond := AuditMark{Record: 100, Hash: kept.Hash}
		if v := w.verdict(beyond); v.Broken != 5 || !strings.Contains(v.Problem, "mark of record 100") {
			t.Errorf("against a mark of a record that is not there the verdict is %+v", v)
		}
	})
}

func TestParseAuditMarkRefuses(t *testing.T) {
	digits := strings.Repeat("ab", 32)
	for _, text := range []string{"", ":", "5", "5:", "0:" + digits, "-1:" + digits, "x:" + digits, "5:" + digits[1:], "5:" + digits + "00", "5:" + strings.Repeat("zz", 32)} {
		if m, err := ParseAuditMark(text); err == nil {
			t.Errorf("%q is read as %v", text, m)
		}
	}
}

func FuzzParseAuditMark(f *testing.F) {
	f.Add("5:" + strings.Repeat("ab", 32))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseAuditMark(text)
		if err != nil {
			return
		}
		if again, err := ParseAuditMark(m.String()); err != nil || again != m {
			t.Errorf("%q is read as %v, and that as %v (%v)", text, m, again, err)
		}
	})
}

// A database from before there was a chain: its records are chained when it is
// opened, and when it is restored from a backup.
func TestAuditOfAnOlderDatabaseIsChained(t *testing.T) {
	older := t.TempDir()
	makeFirstSchema(t, older, 2500)
	backup := filepath.Join(t.TempDir(), "backup")
	check(t, copyFile(filepath.Join(older, databaseFile), backup))

	w := start(t, inDir(older))
	end := w.whole(2500)
	w.record(parley.AuditSignedIn)
	w.whole(2501, end)

	restored := t.TempDir()
	must(Restore(t.Context(), backup, restored))(t)
	start(t, inDir(restored)).whole(2501, end) // what was there, and that it was restored
}

// makeFirstSchema makes a database as the first version made it, with audit
// records, of which one is missing: a change that failed took its number along.
func makeFirstSchema(t *testing.T, dir string, records int) {
	t.Helper()
	path := filepath.Join(dir, databaseFile)
	check(t, createFile(path))
	db := must(openDatabase(path, writerPragmas, 1))(t)
	defer db.Close()
	files := must(fs.Sub(sqliteSchema, "schema/sqlite"))(t)
	provider := must(goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithTableName("schema_versions"), goose.WithLogger(goose.NopLogger())))(t)
	must(provider.UpTo(t.Context(), 1))(t)
	for _, sql := range []string{
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		"INSERT INTO meta (id, epoch, seal_key, created) VALUES (1, 5, x'00112233445566778899aabbccddeeff', 0)",
	} {
		must(db.ExecContext(t.Context(), sql))(t)
	}
	tx := must(db.BeginTx(t.Context(), nil))(t)
	for i := range records {
		id := i + 1
		if i > 10 {
			id++
		}
		must(tx.ExecContext(t.Context(), "INSERT INTO audit (id, at, kind, actor, device, action, person, detail) VALUES ($1, $1, 1, 2, 3, 'signed-in', 2, 'mobile')", id))(t)
	}
	check(t, tx.Commit())
}
