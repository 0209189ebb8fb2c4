package migrations

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The lists beside the folders of migrations.
const (
	// ReleasedList names every migration that a release holds, with the release and
	// the SHA-256 of the file.
	ReleasedList = "released.txt"

	// DeprecatedList names what programs no longer rely on, with the release since
	// which that is so.
	DeprecatedList = "deprecated.txt"
)

// Dialects are the folders of migrations.
var Dialects = []string{"sqlite", "postgres"}

// Released is a migration that a release holds.
type Released struct {
	Release string
	File    string // such as sqlite/00001_foundation.sql
	Sum     string // SHA-256 of its bytes, in hexadecimal digits
}

// Deprecated is a table or column that programs no longer rely on.
type Deprecated struct {
	Object  string // table, or table.column
	Release string // the first whose programs do not
	Reason  string
}

// Tree is the folder of the schema: the migrations of each dialect and the lists.
type Tree struct {
	files      map[string]string
	names      []string // of the migrations, sorted
	released   []Released
	deprecated []Deprecated
}

// Read reads the folder of the schema.
func Read(schema fs.FS) (*Tree, error) {
	t := &Tree{files: map[string]string{}}
	for _, dialect := range Dialects {
		names, err := fs.Glob(schema, dialect+"/*.sql")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := fs.ReadFile(schema, name)
			if err != nil {
				return nil, err
			}
			t.files[name] = string(text)
			t.names = append(t.names, name)
		}
	}
	slices.Sort(t.names)
	return t, t.readLists(schema)
}

func (t *Tree) readLists(schema fs.FS) error {
	rows, err := readList(schema, ReleasedList, 3)
	if err != nil {
		return err
	}
	for _, row := range rows {
		t.released = append(t.released, Released{row[0], row[1], row[2]})
	}
	rows, err = readList(schema, DeprecatedList, 3)
	if err != nil {
		return err
	}
	for _, row := range rows {
		t.deprecated = append(t.deprecated, Deprecated{row[0], row[1], row[2]})
	}
	return nil
}

// readList reads lines of fields, the last of which goes to the end of the line.
// Lines that begin with # are comments.
func readList(schema fs.FS, name string, fields int) ([][]string, error) {
	file, err := schema.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var rows [][]string
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		row := strings.Fields(line)
		if len(row) < fields {
			return nil, fmt.Errorf("%s:%d: %d fields, want %d", name, n, len(row), fields)
		}
		rows = append(rows, append(row[:fields-1:fields-1], strings.Join(row[fields-1:], " ")))
	}
	return rows, lines.Err()
}

// Releases lists the releases, the oldest first.
func (t *Tree) Releases() []string {
	var list []string
	for _, r := range t.released {
		list = append(list, r.Release)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Problems lists everything that is against the rules.
func (t *Tree) Problems() []string {
	var problems []string
	for _, r := range t.released {
		text, there := t.files[r.File]
		switch {
		case !there:
			problems = append(problems, fmt.Sprintf("store/schema/%s is gone, which release %s holds: %s", r.File, r.Release, appendOnly))
		case sum(text) != r.Sum:
			problems = append(problems, fmt.Sprintf("store/schema/%s was changed, which release %s holds: %s", r.File, r.Release, appendOnly))
		}
	}
	for _, d := range t.deprecated {
		if _, err := later(d, t.Releases()); err != nil {
			problems = append(problems, err.Error())
		}
	}
	for _, dialect := range Dialects {
		problems = append(problems, t.unreleased(dialect)...)
	}
	return problems
}

const appendOnly = "databases have it behind them and would never see the change. Put it back and add a migration " +
	"(if that release is still being made, make it again: make fixture)"

// unreleased lists what is wrong with the migrations of a dialect that no release
// holds.
func (t *Tree) unreleased(dialect string) []string {
	var (
		problems []string
		last     string // of the released ones
		changes  []Change
	)
	unique := map[string]string{}
	for _, name := range t.of(dialect) {
		statements, err := Parse(t.files[name])
		if err != nil {
			problems = append(problems, fmt.Sprintf("store/schema/%s: %v", name, err))
			continue
		}
		if t.isReleased(name) {
			last = name
			UniqueIndexes(statements, unique)
			continue
		}
		changes = append(changes, Change{"store/schema/" + name, statements})
	}
	for _, c := range changes {
		if dialect == "postgres" && !inTurn(c.Statements) {
			problems = append(problems, fmt.Sprintf("%s does not begin with %q: nodes at work would deadlock with it, or never let it have all its tables at once", c.File, takeTurn+";"))
		}
		if number(c.File) <= number(last) {
			problems = append(problems, fmt.Sprintf("%s comes before store/schema/%s, which is released: databases that have that one would never see it. Give it the next number", c.File, last))
		}
	}
	for _, f := range Contracts(changes, unique, t.isDeprecated) {
		problems = append(problems, f.String())
	}
	return problems
}

// takeTurn is how a migration of PostgreSQL begins: every commit of a node locks meta
// first, so then no other is under way until the migration is done.
const takeTurn = "LOCK TABLE meta IN ACCESS EXCLUSIVE MODE"

func inTurn(statements []Statement) bool {
	return len(statements) > 0 && strings.EqualFold(strings.Join(statements[0].Words, " "), takeTurn)
}

// number is the part of a file's name by which migrations are ordered.
func number(file string) int {
	digits, _, _ := strings.Cut(path.Base(file), "_")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0 // before all others, and so refused
	}
	return n
}

func (t *Tree) of(dialect string) []string {
	return slices.DeleteFunc(slices.Clone(t.names), func(name string) bool { return path.Dir(name) != dialect })
}

func (t *Tree) isReleased(file string) bool {
	return slices.ContainsFunc(t.released, func(r Released) bool { return r.File == file })
}

func (t *Tree) isDeprecated(object string) bool {
	return slices.ContainsFunc(t.deprecated, func(d Deprecated) bool {
		ok, err := later(d, t.Releases())
		return ok && err == nil && d.Object == object
	})
}

// next is the release that is not made yet.
const next = "next"

// later reports whether the coming release is later than that in which something
// was deprecated.
func later(d Deprecated, releases []string) (bool, error) {
	if d.Release == next {
		return false, nil
	}
	if !slices.Contains(releases, d.Release) {
		return false, fmt.Errorf("store/schema/%s: %s is deprecated since %s, which is no release; until it is made it is called next", DeprecatedList, d.Object, d.Release)
	}
	return true, nil
}

var nextLine = regexp.MustCompile(`(?m)^(\s*[^#\s]\S*\s+)` + next + `\b`)

// Deprecate is the text of DeprecatedList once this release is made.
func Deprecate(text, release string) string { return nextLine.ReplaceAllString(text, "${1}"+release) }

// Release is the list of released migrations once this release holds every
// migration that there is, in the form of ReleasedList. A release that is made
// again keeps what it does not hold in common with those before.
func (t *Tree) Release(release string) (string, error) {
	if last := t.Releases(); len(last) > 0 && release < last[len(last)-1] {
		return "", errors.New("release " + release + " is older than " + last[len(last)-1] + ", which is made")
	}
	out := released
	before := map[string]bool{}
	for _, r := range t.released {
		if r.Release < release {
			before[r.File] = true
			out += r.Release + " " + r.File + " " + r.Sum + "\n"
		}
	}
	for _, name := range t.names {
		if !before[name] {
			out += release + " " + name + " " + sum(t.files[name]) + "\n"
		}
	}
	return out, nil
}

const released = "# The migrations that a release holds, and their SHA-256. Written by \"make fixture\".\n"

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}
