package server

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"parley"
)

// Sources are the places that settings come from. Where two set the same, the
// later in this list wins.
type Sources struct {
	File    string            // TOML file; empty: none
	Environ []string          // "PARLEY_KEY=value" as in os.Environ; others are passed over
	Flags   map[string]string // values by key, such as "addr"

	// Demo and LAN are the fields of that name of the Config, which change what
	// has to be set: the demo organisation has its own name and domain, and for
	// the phones of the network the default address is another one.
	Demo, LAN bool
}

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	Where   string // "parley.toml:12", "PARLEY_ADDR", "--addr"
	Key     string // such as "tls.mode"; empty when it concerns the whole file
	Text    string // what is wrong, and what is allowed
	Warning bool   // the server starts all the same
}

// String gives the line that the operator reads.
func (p Problem) String() string {
	parts := []string{p.Where, p.Key, p.Text}
	if p.Warning {
		parts[2] = "warning: " + p.Text
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}

// Problems is everything that is wrong with the configuration, in the order of
// the file.
type Problems []Problem

// Fatal reports whether the server cannot start.
func (ps Problems) Fatal() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return !p.Warning })
}

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// ReadConfig reads and checks the configuration. The Config is to be used only
// if the Problems are not fatal.
func ReadConfig(from Sources) (Config, Problems) {
	r := reading{config: DefaultConfig(), file: from.File, origin: map[string]string{}}
	r.config.Demo, r.config.LAN = from.Demo, from.LAN
	if from.LAN {
		r.config.Addr = lanAddr
	}
	r.leaves = leavesOf(&r.config)
	if from.File != "" {
		r.readFile()
	}
	r.readEnviron(from.Environ)
	for _, key := range slices.Sorted(maps.Keys(from.Flags)) {
		r.set(key, from.Flags[key], "--"+key)
	}
	if !r.problems.Fatal() { // else what follows would complain of consequences
		r.check()
	}
	r.config.Given = r.origin
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return r.lineOf(a) - r.lineOf(b) })
	return r.config, r.problems
}

// DataFolder finds the data folder of a server without the rest of its
// configuration, for whoever only wants to reach it.
func DataFolder(from Sources) (string, error) {
	c, problems := ReadConfig(from)
	var matter Problems
	for _, p := range problems {
		if !p.Warning && (p.Key == "" || p.Key == "data") {
			matter = append(matter, p)
		}
	}
	if len(matter) > 0 {
		return "", matter
	}
	return c.Data, nil
}

// reading is one run of ReadConfig.
type reading struct {
	config   Config
	leaves   map[string]leaf
	file     string
	lines    map[string]int    // by key
	origin   map[string]string // where a key was set, by key
	problems Problems
}

func (r *reading) lineOf(p Problem) int {
	if line, ok := r.lines[p.Key]; ok && strings.HasPrefix(p.Where, r.file) {
		return line
	}
	return 1 << 30
}

func (r *reading) problem(where, key, format string, args ...any) {
	r.problems = append(r.problems, Problem{Where: where, Key: key, Text: fmt.Sprintf(format, args...)})
}

// where says where a key was set, or where to set it.
func (r *reading) where(key string) string {
	if origin := r.origin[key]; origin != "" {
		return origin
	}
	return r.file
}

// inFile is the place of a key in the file.
func (r *reading) inFile(key string) string {
	if line := r.lines[key]; line > 0 {
		return fmt.Sprintf("%s:%d", r.file, line)
	}
	return r.file
}

func (r *reading) readFile() {
	text, err := os.ReadFile(r.file)
	if err != nil {
		r.problem(r.file, "", "cannot be read: %v", errors.Unwrap(err))
		return
	}
	var tables map[string]any
	if _, err := toml.Decode(string(text), &tables); err != nil {
		if syntax, ok := errors.AsType[toml.ParseError](err); ok {
			said := syntax.Message
			if r.isSecret(syntax.LastKey) {
				said = "is not written as a text: \"…\"" // the decoder would repeat some of it
			}
			r.problem(fmt.Sprintf("%s:%d", r.file, syntax.Position.Line), syntax.LastKey, "%s", said)
		} else {
			r.problem(r.file, "", "%v", err)
		}
		return
	}
	r.lines = keyLines(string(text))
	r.table("", tables)
}

// table takes over the values of one table of the file.
func (r *reading) table(name string, values map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		full := key
		if name != "" {
			full = name + "." + key
		}
		inner, isTable := values[key].(map[string]any)
		switch _, isLeaf := r.leaves[full]; {
		case isLeaf:
			r.setValue(full, values[key])
		case isTable && r.isTable(full):
			r.table(full, inner)
		case r.isTable(full):
			r.problem(r.inFile(full), full, "must be a table: [%s]", full)
		default:
			r.problem(r.inFile(full), full, "unknown; %s", r.known(name))
		}
	}
}

func (r *reading) isSecret(key string) bool {
	l, ok := r.leaves[key]
	return ok && l.value.Type() == reflect.TypeFor[parley.Secret]()
}

func (r *reading) isTable(name string) bool {
	for key := range r.leaves {
		if strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}

// known lists what may stand in a table.
func (r *reading) known(table string) string {
	found := map[string]bool{}
	for key := range r.leaves {
		rest, ok := strings.CutPrefix(key, table+".")
		if table == "" {
			rest, ok = key, true
		}
		if first, _, _ := strings.Cut(rest, "."); ok {
			found[first] = true
		}
	}
	if len(found) == 0 {
		return "there is no such table"
	}
	return "known here: " + strings.Join(slices.Sorted(maps.Keys(found)), ", ")
}

// setValue takes over a value of the file.
func (r *reading) setValue(key string, value any) {
	r.origin[key] = r.inFile(key)
	if err := r.leaves[key].assign(value); err != nil {
		r.problem(r.origin[key], key, "%v", err)
	}
}

// set takes over a value that is given as text.
func (r *reading) set(key, text, origin string) {
	r.origin[key] = origin
	leaf, ok := r.leaves[key]
	if !ok {
		r.problem(origin, "", "no such setting")
		return
	}
	if err := leaf.assignText(text); err != nil {
		r.problem(origin, key, "%v", err)
	}
}

// variable is the name of the variable that sets a key.
func variable(key string) string {
	return "PARLEY_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func (r *reading) readEnviron(environ []string) {
	keys := map[string]string{}
	for key := range r.leaves {
		keys[variable(key)] = key
	}
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "PARLEY_") || name == "PARLEY_CONFIG" {
			continue
		}
		if key, ok := keys[name]; ok {
			r.set(key, value, name)
			continue
		}
		// Not an error: Kubernetes makes such variables of a service's name.
		r.problems = append(r.problems, Problem{Where: name, Text: "sets nothing; no setting has this name", Warning: true})
	}
}

// keyLines finds the line of every key of a well-formed TOML text. The decoder
// keeps no positions of what it has decoded.
func keyLines(text string) map[string]int {
	found := map[string]int{}
	var table, until string
	depth := 0
	for i, line := range strings.Split(text, "\n") {
		if until != "" { // inside a text of several lines
			if _, rest, ends := strings.Cut(line, until); ends {
				until, line = "", rest
			} else {
				continue
			}
		}
		code := strings.TrimSpace(line)
		switch name, _, isKey := strings.Cut(code, "="); {
		case depth > 0 || code == "" || code[0] == '#':
		case code[0] == '[':
			table = keyName(strings.Trim(code[:strings.LastIndex(code, "]")+1], "[]"))
			noteLine(found, table, i+1)
			continue
		case isKey && table == "":
			noteLine(found, keyName(name), i+1)
		case isKey:
			noteLine(found, table+"."+keyName(name), i+1)
		}
		var opened int
		opened, until = scanValue(code)
		depth += opened
	}
	return found
}

// noteLine notes a key and the tables it stands in.
func noteLine(found map[string]int, key string, line int) {
	for key != "" {
		if _, ok := found[key]; !ok {
			found[key] = line
		}
		key = key[:max(0, strings.LastIndex(key, "."))]
	}
}

// keyName brings a dotted key to the form of our own.
func keyName(written string) string {
	parts := strings.Split(written, ".")
	for i, part := range parts {
		parts[i] = strings.Trim(strings.TrimSpace(part), `"'`)
	}
	return strings.Join(parts, ".")
}

// scanValue says how many brackets a line leaves open and which mark ends the
// text that it leaves open.
func scanValue(line string) (brackets int, until string) {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case '#':
			return brackets, ""
		case '[', '{':
			brackets++
		case ']', '}':
			brackets--
		case '"', '\'':
			mark := string(c)
			if long := strings.Repeat(mark, 3); strings.HasPrefix(line[i:], long) {
				mark = long
			}
			end := textEnd(line[i+len(mark):], mark)
			if end < 0 {
				return brackets, mark
			}
			i += len(mark) + end - 1
		}
	}
	return brackets, ""
}

// textEnd finds where a text that began just before s is over: the index after
// its closing mark, -1 when that is not in s.
func textEnd(s, mark string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && mark[0] == '"':
			i++
		case strings.HasPrefix(s[i:], mark):
			return i + len(mark)
		}
	}
	return -1
}
