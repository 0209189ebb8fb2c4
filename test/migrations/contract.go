package migrations

import (
	"fmt"
	"slices"
	"strings"
)

// Finding is what a migration must not do now.
type Finding struct {
	File    string
	Line    int
	Object  string // the table, or table.column, that programs of the last release rely on
	Problem string
}

// String says it in words, with what to do.
func (f Finding) String() string {
	advice := "if no program since a release needs it, say so in store/schema/deprecated.txt, and do this one release later"
	if f.Object == "" {
		advice = "teach test/migrations what it does to programs of the release before"
	}
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Problem, advice)
}

// Change is one migration that is not released.
type Change struct {
	File       string
	Statements []Statement
}

// Contracts lists what these migrations of one database, in their order, take away
// from programs of the last release or demand of them: a table or column that goes
// or gets another name or type, a rule that their rows may break. deprecated
// reports whether programs of the last release no longer rely on an object. unique
// are the unique indexes that there are, with their tables: programs name their
// columns in ON CONFLICT.
func Contracts(changes []Change, unique map[string]string, deprecated func(object string) bool) []Finding {
	c := &checker{added: map[string]bool{}, unique: unique, deprecated: deprecated}
	for _, change := range changes {
		for _, s := range change.Statements {
			c.file, c.line = change.File, s.Line
			c.statement(s.Words)
		}
	}
	return c.found
}

type checker struct {
	file       string
	line       int
	added      map[string]bool // tables and table.column that these migrations bring
	unique     map[string]string
	deprecated func(object string) bool
	found      []Finding
}

// harmless are the first words of statements that take nothing away.
var harmless = []string{"insert", "update", "select", "comment", "analyze", "lock"}

func (c *checker) statement(words []string) {
	w := reader{words}
	switch {
	case slices.Contains(harmless, words[0]):
	case w.skip("create", "unique", "index"):
		c.uniqueIndex(&w)
	case w.skip("create"):
		c.create(&w)
	case w.skip("drop"):
		c.drop(&w)
	case w.skip("alter", "table"):
		c.alter(&w)
	case w.skip("delete", "from"), w.skip("truncate", "table"), w.skip("truncate"):
		w.skip("only")
		table := w.name()
		c.refuse(table, "deletes rows of "+table)
	default:
		c.unknown(words)
	}
}

func (c *checker) unknown(words []string) {
	text := strings.Join(words[:min(len(words), 6)], " ")
	c.found = append(c.found, Finding{c.file, c.line, "", fmt.Sprintf("%q is not understood", text)})
}

// refuse notes a problem with an object that these migrations did not bring.
func (c *checker) refuse(object, problem string) {
	table, _, _ := strings.Cut(object, ".")
	if c.added[table] || c.added[object] || c.deprecated(table) || c.deprecated(object) {
		return
	}
	c.found = append(c.found, Finding{c.file, c.line, object, problem})
}

func (c *checker) create(w *reader) {
	temporary := w.skip("temporary") || w.skip("temp")
	switch {
	case w.skip("table"):
		perhaps := w.skip("if", "not", "exists")
		if table := w.name(); !perhaps { // else it may be one that was there
			c.added[table] = true
		}
	case w.skip("index"), w.skip("view"), temporary && w.skip("view"):
	case w.skip("trigger"), w.skip("rule"), w.skip("or", "replace", "trigger"), w.skip("constraint", "trigger"):
		// Which rows it concerns stands behind ON; a trigger may refuse or change them.
		name, table := w.name(), ""
		for !w.empty() && table == "" {
			if w.skip("on") || w.skip("to") {
				table = w.name()
			} else {
				w.next()
			}
		}
		c.refuse(table, "trigger "+name+" changes what happens to rows of "+table)
	default:
		c.unknown(append([]string{"create"}, w.words...))
	}
}

// uniqueIndex refuses an index that rows of programs which do not know it may
// break. One over a column that these migrations bring, and over rows that have
// something in it, concerns rows of new programs only.
func (c *checker) uniqueIndex(w *reader) {
	w.skip("concurrently")
	w.skip("if", "not", "exists")
	index := w.name()
	if !w.skip("on") {
		c.unknown(append([]string{"create", "unique", "index", index}, w.words...))
		return
	}
	w.skip("only")
	table := w.name()
	partial := slices.Contains(w.words, "where")
	fresh := slices.ContainsFunc(w.words, func(word string) bool { return c.added[table+"."+word] })
	c.unique[index] = table
	if !partial || !fresh {
		c.refuse(table, fmt.Sprintf("unique index %s refuses rows of %s", index, table))
	}
}

func (c *checker) drop(w *reader) {
	switch {
	case w.skip("index"):
		w.skip("concurrently")
		w.skip("if", "exists")
		for _, index := range w.names() {
			if table := c.unique[index]; table != "" {
				c.refuse(table, fmt.Sprintf("takes away unique index %s, which ON CONFLICT needs", index))
			}
		}
	case w.skip("table"), w.skip("view"):
		w.skip("if", "exists")
		for _, table := range w.names() {
			c.refuse(table, "takes away "+table)
			delete(c.added, table)
		}
	case w.skip("trigger"):
	default:
		c.unknown(append([]string{"drop"}, w.words...))
	}
}

// alter takes an ALTER TABLE apart into its actions.
func (c *checker) alter(w *reader) {
	w.skip("if", "exists")
	w.skip("only")
	table := w.name()
	for _, action := range w.split() {
		a := reader{action}
		switch {
		case a.skip("add"):
			c.add(table, &a)
		case a.skip("drop", "constraint"):
			c.refuse(table, "takes away a constraint of "+table+", which ON CONFLICT may need")
		case a.skip("drop", "column"), a.skip("drop"):
			a.skip("if", "exists")
			column := table + "." + a.name()
			c.refuse(column, "takes away "+column)
			delete(c.added, column)
		case a.skip("rename", "constraint"):
		case a.skip("rename", "to"):
			c.refuse(table, "gives "+table+" another name")
			c.added[a.name()] = c.added[table]
		case a.skip("rename", "column"), a.skip("rename"):
			column := table + "." + a.name()
			c.refuse(column, "gives "+column+" another name")
		case a.skip("alter", "column"), a.skip("alter"):
			c.alterColumn(table, &a)
		case a.skip("set", "("), a.skip("reset", "("): // how it is stored
		default:
			c.unknown(append([]string{"alter", "table", table}, action...))
		}
	}
}

// add looks at a new column or rule of a table.
func (c *checker) add(table string, a *reader) {
	for _, rule := range []string{"constraint", "check", "unique", "primary", "foreign", "exclude"} {
		if a.skip(rule) {
			c.refuse(table, "a new constraint refuses rows of "+table)
			return
		}
	}
	a.skip("column")
	a.skip("if", "not", "exists")
	column := table + "." + a.name()
	has := func(words ...string) bool { return contains(a.words, words) }
	switch {
	case has("unique"), has("primary", "key"):
		c.refuse(column, column+" must be unique, and programs that do not know it give every row the same")
	case has("not", "null") && !has("default") && !has("generated"):
		c.refuse(column, column+" is NOT NULL without DEFAULT, so programs that do not know it can add no row")
	}
	c.added[column] = true
}

func (c *checker) alterColumn(table string, a *reader) {
	column := table + "." + a.name()
	switch {
	case a.skip("type"), a.skip("set", "data", "type"):
		c.refuse(column, "gives "+column+" another type")
	case a.skip("set", "not", "null"):
		c.refuse(column, column+" becomes NOT NULL")
	case a.skip("drop", "default"):
		c.refuse(column, column+" loses its DEFAULT, on which programs that do not know it rely")
	case a.skip("drop", "not", "null"), a.skip("set", "default"), a.skip("set", "statistics"), a.skip("set", "storage"):
	default:
		c.unknown(append([]string{"alter", "column", column}, a.words...))
	}
}

// UniqueIndexes adds the unique indexes that statements make, with their tables.
func UniqueIndexes(statements []Statement, into map[string]string) {
	c := &checker{added: map[string]bool{}, unique: into, deprecated: func(string) bool { return true }}
	for _, s := range statements {
		w := reader{s.Words}
		if w.skip("create", "unique", "index") {
			c.uniqueIndex(&w)
		}
	}
}

// reader takes words from the front.
type reader struct{ words []string }

func (r *reader) empty() bool { return len(r.words) == 0 }

func (r *reader) next() string {
	if r.empty() {
		return ""
	}
	word := r.words[0]
	r.words = r.words[1:]
	return word
}

// skip passes over these words if they come next.
func (r *reader) skip(words ...string) bool {
	if len(r.words) < len(words) || !slices.Equal(r.words[:len(words)], words) {
		return false
	}
	r.words = r.words[len(words):]
	return true
}

// name reads a name without its schema.
func (r *reader) name() string {
	name := r.next()
	for r.skip(".") {
		name = r.next()
	}
	return name
}

// names reads names with commas between them.
func (r *reader) names() []string {
	list := []string{r.name()}
	for r.skip(",") {
		list = append(list, r.name())
	}
	return list
}

// split divides the words at commas outside parentheses.
func (r *reader) split() [][]string {
	var parts [][]string
	depth, from := 0, 0
	for i, word := range r.words {
		switch {
		case word == "(":
			depth++
		case word == ")":
			depth--
		case word == "," && depth == 0:
			parts = append(parts, r.words[from:i])
			from = i + 1
		}
	}
	return append(parts, r.words[from:])
}

// contains reports whether words hold a run of others.
func contains(words, run []string) bool {
	for i := range words {
		if len(words)-i >= len(run) && slices.Equal(words[i:i+len(run)], run) {
			return true
		}
	}
	return false
}
