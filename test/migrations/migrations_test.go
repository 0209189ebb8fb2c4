package migrations

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

// What is released stays as it is, and what is not takes nothing from the nodes of
// the release before.
func TestSchemaExpandsThenContracts(t *testing.T) {
	tree, err := Read(os.DirFS("../../store/schema"))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Releases()) == 0 || len(tree.names) < 2*len(Dialects) {
		t.Fatalf("found releases %q and migrations %q", tree.Releases(), tree.names)
	}
	for _, problem := range tree.Problems() {
		t.Error(problem)
	}
}

// The rule must be able to refuse the migrations that there are, too: released
// once, most of them may not be changed or come again.
func TestParsesEveryMigration(t *testing.T) {
	tree, err := Read(os.DirFS("../../store/schema"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range tree.files {
		statements, err := Parse(text)
		if err != nil || len(statements) == 0 {
			t.Errorf("%s has %d statements, %v", name, len(statements), err)
		}
		for _, s := range statements {
			if line := strings.ToLower(strings.Split(text, "\n")[s.Line-1]); !strings.Contains(line, s.Words[0]) {
				t.Errorf("%s: a statement that begins with %q is said to be at line %d: %s", name, s.Words[0], s.Line, line)
			}
		}
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		want       []Statement
	}{
		{"nothing before Up", "SELECT 1; -- +goose Up\nSELECT 2;", []Statement{{2, []string{"select", "2"}}}},
		{"nothing behind Down", "-- +goose Up\nSELECT 1;\n-- +goose Down\nDROP TABLE a;", []Statement{{2, []string{"select", "1"}}}},
		{"comments", "-- +goose Up\n-- DROP TABLE a;\n/* DROP /* nested */ TABLE b; */ SELECT /**/ 1", []Statement{{3, []string{"select", "1"}}}},
		{"texts", "-- +goose Up\nSELECT 'a;''b', E'c\\';d', $$e;'f$$, $x$g;$$h$x$", []Statement{{2, []string{"select", "'a;'b", ",", "'c';d", ",", "'e;'f", ",", "'g;$$h"}}}},
		{"names", "-- +goose Up\nSELECT \"A;\"\"b\", `c;`, [d;], Éa_1$x FROM p.q", []Statement{{2, []string{"select", "A;\"b", ",", "c;", ",", "d;", ",", "éa_1$x", "from", "p", ".", "q"}}}},
		{"a name that begins with an apostrophe", "-- +goose Up\nSELECT ['x], 1", []Statement{{2, []string{"select", "'x", ",", "1"}}}},
		{"a parameter is no text", "-- +goose Up\nSELECT $1, $", []Statement{{2, []string{"select", "$", "1", ",", "$"}}}},
		{"one statement", "-- +goose Up\n-- +goose StatementBegin\nCREATE TRIGGER a BEGIN x; y; END;\n-- +goose StatementEnd\nSELECT 1;", []Statement{
			{3, []string{"create", "trigger", "a", "begin", "x", ";", "y", ";", "end", ";"}}, {5, []string{"select", "1"}}}},
	}
	for _, test := range tests {
		got, err := Parse(test.text)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, %v; want %v", test.name, got, err, test.want)
		}
	}
	for _, text := range []string{"SELECT 'a", "SELECT \"a", "/* /* */", "SELECT $a$ $b$", "SELECT [a", "SELECT E'a\\'"} {
		if got, err := Parse("-- +goose Up\n" + text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"sqlite/00001_foundation.sql", "postgres/00002_policies_jobs_audit.sql"} {
		text, err := os.ReadFile("../../store/schema/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("-- +goose Up\nSELECT 'a''b', E'\\'', \"c\", [d], $x$e$x$, /* /* */ */ 1;")
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := Parse(text)
		if err != nil {
			return
		}
		for _, s := range statements {
			if len(s.Words) == 0 || s.Line < 1 || s.Line > strings.Count(text, "\n")+1 {
				t.Errorf("%q has the statement %+v", text, s)
			}
		}
		Contracts([]Change{{"x", statements}}, map[string]string{}, func(string) bool { return false })
	})
}

func TestContracts(t *testing.T) {
	tests := []struct {
		sql  string
		want string // objects of the findings; "?" for what is not understood
	}{
		// What only adds.
		{"CREATE TABLE moods (id BIGINT PRIMARY KEY, mood TEXT NOT NULL)", ""},
		{"CREATE TABLE moods (a TEXT); ALTER TABLE moods ADD COLUMN b TEXT NOT NULL; CREATE UNIQUE INDEX m ON moods (a); DROP TABLE moods", ""},
		{"CREATE INDEX CONCURRENTLY jobs_kind ON jobs (kind)", ""},
		{"ALTER TABLE jobs ADD COLUMN mood TEXT NOT NULL DEFAULT ''", ""},
		{"ALTER TABLE jobs ADD mood TEXT, ADD COLUMN IF NOT EXISTS b BIGINT CHECK (b > 0)", ""},
		{"ALTER TABLE jobs ADD COLUMN n BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY", ""},
		{"ALTER TABLE jobs ADD COLUMN name TEXT NOT NULL DEFAULT ''; CREATE UNIQUE INDEX jobs_name ON jobs (name) WHERE name <> ''", ""},
		{"ALTER TABLE jobs ALTER COLUMN due DROP NOT NULL, ALTER kind SET DEFAULT 'x'", ""},
		{"ALTER TABLE devices SET (fillfactor = 50)", ""},
		{"UPDATE jobs SET kind = 'DROP TABLE jobs'; INSERT INTO jobs (kind) VALUES ('a')", ""},
		{"DROP INDEX jobs_due", ""},
		{"-- DROP TABLE jobs\nSELECT 1", ""},

		// What takes away.
		{"DROP TABLE jobs", "jobs"},
		{"DROP TABLE IF EXISTS public.jobs, \"audit\" CASCADE", "jobs audit"},
		{"drop /* */ table\njobs", "jobs"},
		{"ALTER TABLE jobs DROP COLUMN due, DROP IF EXISTS kind", "jobs.due jobs.kind"},
		{"ALTER TABLE ONLY public.jobs RENAME TO work", "jobs"},
		{"ALTER TABLE IF EXISTS jobs RENAME COLUMN due TO at; ALTER TABLE jobs RENAME kind TO sort", "jobs.due jobs.kind"},
		{"ALTER TABLE jobs DROP CONSTRAINT jobs_pkey", "jobs"},
		{"ALTER TABLE jobs ALTER COLUMN due TYPE TEXT, ALTER kind SET DATA TYPE BIGINT", "jobs.due jobs.kind"},
		{"CREATE TABLE jobs_new (id BIGINT); INSERT INTO jobs_new SELECT id FROM jobs; DROP TABLE jobs; ALTER TABLE jobs_new RENAME TO jobs", "jobs"},
		{"CREATE TABLE IF NOT EXISTS jobs (id BIGINT); DROP TABLE jobs", "jobs"},
		{"DELETE FROM jobs WHERE due = 0; TRUNCATE audit", "jobs audit"},
		{"DROP INDEX IF EXISTS log_device", "log"},
		{"DROP VIEW jobs", "jobs"},

		// What is stricter.
		{"ALTER TABLE jobs ADD COLUMN mood TEXT NOT NULL", "jobs.mood"},
		{"ALTER TABLE jobs ADD COLUMN mood TEXT DEFAULT '' UNIQUE", "jobs.mood"},
		{"ALTER TABLE jobs ADD CONSTRAINT c CHECK (due > 0); ALTER TABLE jobs ADD UNIQUE (due)", "jobs jobs"},
		{"ALTER TABLE jobs ALTER COLUMN due SET NOT NULL, ALTER COLUMN kind DROP DEFAULT", "jobs.due jobs.kind"},
		{"CREATE UNIQUE INDEX a ON jobs (due) WHERE due > 0; CREATE UNIQUE INDEX IF NOT EXISTS b ON ONLY jobs (kind)", "jobs jobs"},
		{"ALTER TABLE jobs ADD COLUMN name TEXT NOT NULL DEFAULT ''; CREATE UNIQUE INDEX jobs_name ON jobs (name)", "jobs"},
		{"-- +goose StatementBegin\nCREATE TRIGGER t BEFORE UPDATE OF due ON jobs BEGIN DELETE FROM x; END;\n-- +goose StatementEnd", "jobs"},

		// What nobody has thought of.
		{"ALTER TABLE jobs INHERIT work", "?"},
		{"ALTER TABLE jobs ALTER COLUMN due ADD GENERATED ALWAYS AS IDENTITY", "?"},
		{"DO $$ BEGIN EXECUTE 'DROP TABLE jobs'; END $$", "?"},
		{"WITH gone AS (DELETE FROM jobs RETURNING 1) SELECT * FROM gone", "?"},
		{"PRAGMA writable_schema = ON", "?"},
		{"CREATE OR REPLACE VIEW jobs AS SELECT 1", "?"},
		{"CREATE UNIQUE INDEX ON jobs (due)", "?"},
		{"DROP SCHEMA public CASCADE", "?"},
	}
	for _, test := range tests {
		statements, err := Parse("-- +goose Up\n" + test.sql)
		if err != nil {
			t.Fatal(err)
		}
		var objects []string
		for _, f := range Contracts([]Change{{"file", statements}}, map[string]string{"log_device": "log"}, func(string) bool { return false }) {
			if f.Object == "" {
				f.Object = "?"
			}
			objects = append(objects, f.Object)
		}
		if got := strings.Join(objects, " "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.sql, got, test.want)
		}
	}
}

// schema is a folder with one released migration of each dialect.
func schema(t *testing.T, change func(fstest.MapFS)) *Tree {
	t.Helper()
	const first = "-- +goose Up\nCREATE TABLE jobs (id BIGINT PRIMARY KEY, due BIGINT NOT NULL);\nCREATE UNIQUE INDEX jobs_due ON jobs (due);\n"
	files := fstest.MapFS{
		"sqlite/00001_a.sql": {Data: []byte(first)}, "postgres/00001_a.sql": {Data: []byte(first)},
		ReleasedList: {Data: []byte(
			"# comment\n0001 sqlite/00001_a.sql " + sum(first) + "\n0001 postgres/00001_a.sql " + sum(first) + "\n")},
		DeprecatedList: {Data: []byte("# comment\n")},
	}
	change(files)
	tree, err := Read(files)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestProblems(t *testing.T) {
	write := func(name, text string) func(fstest.MapFS) {
		return func(files fstest.MapFS) { files[name] = &fstest.MapFile{Data: []byte(text)} }
	}
	drop := func(deprecated string) func(fstest.MapFS) {
		return func(files fstest.MapFS) {
			write("sqlite/00002_b.sql", "-- +goose Up\nALTER TABLE jobs DROP COLUMN due;\n")(files)
			write(DeprecatedList, deprecated)(files)
		}
	}
	tests := []struct {
		name   string
		change func(fstest.MapFS)
		want   []string // what each problem holds
	}{
		{"as released", func(fstest.MapFS) {}, nil},
		{"a new one", write("sqlite/00002_b.sql", "-- +goose Up\nCREATE TABLE b (x TEXT);\n"), nil},
		{"a change of a released one", write("sqlite/00001_a.sql", "-- +goose Up\nSELECT 1;\n"),
			[]string{"store/schema/sqlite/00001_a.sql was changed, which release 0001 holds: databases have it behind them"}},
		{"a comment in a released one", func(files fstest.MapFS) {
			files["sqlite/00001_a.sql"] = &fstest.MapFile{Data: append([]byte("-- now better\n"), files["sqlite/00001_a.sql"].Data...)}
		}, []string{"sqlite/00001_a.sql was changed"}},
		{"a released one is gone", func(files fstest.MapFS) { delete(files, "postgres/00001_a.sql") }, []string{"postgres/00001_a.sql is gone"}},
		{"one before a released one", write("sqlite/0000_b.sql", "-- +goose Up\nSELECT 1;\n"), []string{"comes before store/schema/sqlite/00001_a.sql"}},
		{"one of the same number", write("sqlite/1_b.sql", "-- +goose Up\nSELECT 1;\n"), []string{"comes before store/schema/sqlite/00001_a.sql"}},
		{"without its turn", write("postgres/00002_b.sql", "-- +goose Up\nALTER TABLE jobs ADD COLUMN x TEXT;\n"), []string{`postgres/00002_b.sql does not begin with "LOCK TABLE meta IN ACCESS EXCLUSIVE MODE;"`}},
		{"with its turn", write("postgres/00002_b.sql", "-- +goose Up\n\n-- All of it.\nlock table meta in access exclusive mode;\nALTER TABLE jobs ADD COLUMN x TEXT;\n"), nil},
		{"its turn too late", write("postgres/00002_b.sql", "-- +goose Up\nALTER TABLE jobs ADD COLUMN x TEXT;\nLOCK TABLE meta IN ACCESS EXCLUSIVE MODE;\n"), []string{"does not begin with"}},
		{"unreadable", write("postgres/00002_b.sql", "-- +goose Up\nSELECT 'x"), []string{"postgres/00002_b.sql: line 2"}},
		{"a contraction", drop(""), []string{"store/schema/sqlite/00002_b.sql:2: takes away jobs.due: if no program since a release needs it, say so in store/schema/deprecated.txt"}},
		{"deprecated a release ago", drop("jobs.due 0001 nobody reads it\n"), nil},
		{"a table deprecated a release ago", drop("jobs 0001 nobody reads it\n"), nil},
		{"deprecated with the same release", drop("jobs.due next nobody reads it\n"), []string{"takes away jobs.due"}},
		{"deprecated since nobody knows when", drop("jobs.due 0007 nobody reads it\n"), []string{"since 0007, which is no release", "takes away jobs.due"}},
		{"another one is deprecated", drop("jobs.id 0001 nobody reads it\n"), []string{"takes away jobs.due"}},
		{"a unique index of a released migration", write("sqlite/00002_b.sql", "-- +goose Up\nDROP INDEX jobs_due;\n"), []string{"unique index jobs_due"}},
		{"not understood", write("sqlite/00002_b.sql", "-- +goose Up\nVACUUM;\n"), []string{`"vacuum" is not understood: teach test/migrations`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := schema(t, test.change).Problems()
			if len(got) != len(test.want) {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			for i := range got {
				if !strings.Contains(got[i], test.want[i]) {
					t.Errorf("got %q, want %q in it", got[i], test.want[i])
				}
			}
		})
	}
}

func TestRelease(t *testing.T) {
	tree := schema(t, func(files fstest.MapFS) {
		files["sqlite/00002_b.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE b (x TEXT);\n")}
	})
	again, err := tree.Release("0001")
	if err != nil || strings.Count(again, "\n0001 ") != 3 {
		t.Errorf("made again, 0001 holds\n%s%v", again, err)
	}
	next, err := tree.Release("0002")
	if err != nil || strings.Count(next, "\n0001 ") != 2 || !strings.Contains(next, "\n0002 sqlite/00002_b.sql ") || strings.Count(next, "\n0002 ") != 1 {
		t.Errorf("0002 holds\n%s%v", next, err)
	}
	if _, err := tree.Release("0000"); err == nil {
		t.Error("a release is made that is older than one that was made")
	}
	const list = "# x next y\njobs.due next nobody reads it next year\njobs.id 0001 next\n"
	if got, want := Deprecate(list, "0002"), strings.Replace(list, "due next", "due 0002", 1); got != want {
		t.Errorf("deprecated\n%s\nwant\n%s", got, want)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"no list":    {DeprecatedList: {}},
		"half a row": {DeprecatedList: {}, ReleasedList: {Data: []byte("0001 sqlite/1.sql\n")}},
		"no reason":  {ReleasedList: {}, DeprecatedList: {Data: []byte("jobs.due 0001\n")}},
	} {
		if _, err := Read(files); err == nil {
			t.Errorf("%s: is read", name)
		}
	}
}
