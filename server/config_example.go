package server

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

//go:generate sh -c "go run parley/cmd/parley check-config --example > ../parley.example.toml.new && mv ../parley.example.toml.new ../parley.example.toml"

// WriteExample writes the annotated example of a configuration file: every
// setting with what it means and its default. What has to be set is set.
func WriteExample(w io.Writer) error {
	var b strings.Builder
	writeComment(&b, "Configuration of Parley. Lines that begin with # show the defaults; what has no # has to be set. "+
		"A setting can also be given as a variable, such as PARLEY_ADDR for addr or PARLEY_TLS_MODE for tls.mode "+
		"(lists separated by commas); a flag of the command line wins over a variable, a variable over this file. "+
		"\"parley check-config --config FILE\" says what is wrong.")
	defaults := DefaultConfig()
	table := ""
	for _, l := range orderedLeaves(&defaults) {
		name, key := "", l.key
		if dot := strings.LastIndexByte(l.key, '.'); dot >= 0 {
			name, key = l.key[:dot], l.key[dot+1:]
		}
		if name != "" && name != table {
			table = name
			b.WriteString("\n")
			writeComment(&b, tableDoc(name))
			fmt.Fprintf(&b, "[%s]\n", name)
		}
		b.WriteString("\n")
		writeComment(&b, l.describe())
		if l.required != "" {
			fmt.Fprintf(&b, "%s = %s\n", key, l.example(l.required))
		} else {
			fmt.Fprintf(&b, "# %s = %s\n", key, l.text())
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the example configuration: %w", err)
	}
	return nil
}

func (l leaf) example(text string) string {
	if l.value.Kind() == reflect.Slice {
		return quoteList([]string{text})
	}
	return strconv.Quote(text)
}

// describe is the doc of a setting and what values it takes.
func (l leaf) describe() string {
	doc := l.doc
	if len(l.allowed) > 0 {
		doc += " One of: " + strings.Join(l.allowed, ", ") + "."
	}
	if l.separator != "," && l.separator != "" {
		doc += " As a variable: separated by semicolons."
	}
	if l.high != "" {
		doc += " From " + l.low + " to " + l.high + "."
	}
	if l.rule != nil && l.rule.Pending {
		doc += " Without effect in this version."
	}
	return doc
}

func tableDoc(name string) string {
	if doc, ok := ruleTables[name]; ok {
		return doc
	}
	t, doc := reflect.TypeFor[Config](), ""
	for part := range strings.SplitSeq(name, ".") {
		for i := range t.NumField() {
			if field := t.Field(i); field.Tag.Get("key") == part {
				t, doc = field.Type, field.Tag.Get("doc")
				break
			}
		}
	}
	return doc
}

// writeComment writes text as comment lines of at most 100 characters.
func writeComment(b *strings.Builder, text string) {
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 100 {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
