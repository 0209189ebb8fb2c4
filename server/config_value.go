package server

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/policy"
)

// leaf is one setting: a field of the configuration that holds a value.
type leaf struct {
	key       string
	doc       string
	allowed   []string // the texts that it takes; nil: any
	low, high string   // of numbers and lengths of time
	required  string   // an example, if it has to be set
	separator string   // between the texts of a list in a variable
	value     reflect.Value

	rule  *policy.Definition // it is one of the organisation's rules
	rules *policy.Policy     // which stands there
}

func fieldLeaf(key string, field reflect.StructField, value reflect.Value) leaf {
	tag := field.Tag
	separator := tag.Get("separator")
	if separator == "" {
		separator = ","
	}
	return leaf{
		key: key, doc: tag.Get("doc"), allowed: strings.Fields(tag.Get("allowed")), low: tag.Get("min"), high: tag.Get("max"),
		required: tag.Get("required"), separator: separator, value: value,
	}
}

// ruleLeaves are the settings that are rules.
func ruleLeaves(p *policy.Policy) []leaf {
	var found []leaf
	for _, d := range policy.Definitions() {
		found = append(found, leaf{
			key: d.Key, doc: d.Doc, low: d.Min, high: d.Max, value: reflect.ValueOf(d.Field(p)).Elem(), rule: &d, rules: p,
		})
	}
	return found
}

// leavesOf finds the settings of a configuration, by key. Assigning to a leaf
// changes c.
func leavesOf(c *Config) map[string]leaf {
	found := map[string]leaf{}
	for _, l := range orderedLeaves(c) {
		found[l.key] = l
	}
	return found
}

// orderedLeaves lists the settings in the order of the file: what stands at the
// top first, then table by table.
func orderedLeaves(c *Config) []leaf {
	var tables []string // "" is the top
	leaves := map[string][]leaf{}
	add := func(table string, l leaf) {
		if !slices.Contains(tables, table) {
			tables = append(tables, table)
		}
		leaves[table] = append(leaves[table], l)
	}
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key, ok := field.Tag.Lookup("key")
		switch {
		case field.Type == reflect.TypeFor[policy.Policy]():
			for _, l := range ruleLeaves(&c.Policy) {
				table, _, _ := strings.Cut(l.key, ".")
				add(table, l)
			}
		case !ok:
		case isTableType(field.Type):
			addTable(add, key, v.Field(i))
		default:
			add("", fieldLeaf(key, field, v.Field(i)))
		}
	}
	var all []leaf
	for _, table := range tables {
		all = append(all, leaves[table]...)
	}
	return all
}

// addTable adds the settings of a table, and then those of the tables in it.
func addTable(add func(table string, l leaf), table string, v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if key := table + "." + field.Tag.Get("key"); isTableType(field.Type) {
			addTable(add, key, v.Field(i))
		} else {
			add(table, fieldLeaf(key, field, v.Field(i)))
		}
	}
}

func isTableType(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Tag.Get("key") != ""
}

// assign takes over a value as the TOML decoder gives it.
func (l leaf) assign(value any) error {
	switch l.value.Interface().(type) {
	case bool:
		b, ok := value.(bool)
		if !ok {
			return errors.New("must be true or false, without quotes")
		}
		return l.assignText(strconv.FormatBool(b))
	case int:
		n, ok := value.(int64)
		if !ok {
			return errors.New("must be a whole number, without quotes")
		}
		return l.assignText(strconv.FormatInt(n, 10))
	case []string, []netip.Prefix, policy.AttributeSet:
		list, ok := value.([]any)
		if !ok {
			return errors.New("must be a list of texts: [\"…\", \"…\"]")
		}
		texts := make([]string, len(list))
		for i, one := range list {
			if texts[i], ok = one.(string); !ok {
				return errors.New("must be a list of texts: [\"…\", \"…\"]")
			}
		}
		return l.assignList(texts)
	default:
		text, ok := value.(string)
		if !ok {
			return errors.New("must be a text: \"…\"")
		}
		return l.assignText(text)
	}
}

// assignText takes over a value as a variable or a flag gives it: lists are
// separated by commas, those of directory names by semicolons.
func (l leaf) assignText(text string) error {
	if l.rule != nil {
		return l.rule.Set(l.rules, text)
	}
	switch l.value.Interface().(type) {
	case bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("must be true or false")
		}
		l.value.SetBool(b)
		return nil
	case int:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return errors.New("must be a whole number")
		}
		return l.assignInt(n)
	case time.Duration:
		return l.assignLength(text)
	case []string, []netip.Prefix:
		texts := slices.DeleteFunc(strings.Split(text, l.separator), func(s string) bool { return strings.TrimSpace(s) == "" })
		return l.assignList(texts)
	default: // texts
		if len(l.allowed) > 0 && !slices.Contains(l.allowed, text) {
			return fmt.Errorf("%q is none of %s", text, strings.Join(l.allowed, ", "))
		}
		l.value.SetString(text)
		return nil
	}
}

func (l leaf) assignInt(n int64) error {
	low, _ := strconv.ParseInt(l.low, 10, 64)
	high, _ := strconv.ParseInt(l.high, 10, 64)
	if n < low || n > high {
		return fmt.Errorf("%d is not between %d and %d", n, low, high)
	}
	l.value.SetInt(n)
	return nil
}

func (l leaf) assignLength(text string) error {
	d, err := policy.ParseLength(text)
	if err != nil {
		return fmt.Errorf("reading a length of time: %w", err)
	}
	low, _ := policy.ParseLength(l.low)
	high, _ := policy.ParseLength(l.high)
	if d < low || d > high {
		return fmt.Errorf("%s is not between %s and %s", policy.FormatLength(d), l.low, l.high)
	}
	l.value.SetInt(int64(d))
	return nil
}

func (l leaf) assignList(texts []string) error {
	for i := range texts {
		texts[i] = strings.TrimSpace(texts[i])
	}
	switch l.value.Interface().(type) {
	case policy.AttributeSet:
		return l.assignText(strings.Join(texts, ","))
	case []netip.Prefix:
		prefixes := make([]netip.Prefix, len(texts))
		for i, text := range texts {
			prefix, err := parsePrefix(text)
			if err != nil {
				return err
			}
			prefixes[i] = prefix
		}
		l.value.Set(reflect.ValueOf(prefixes))
	default:
		l.value.Set(reflect.ValueOf(texts))
	}
	return nil
}

// text gives the value as it is written in the file.
func (l leaf) text() string {
	switch v := l.value.Interface().(type) {
	case bool, int:
		return fmt.Sprint(v)
	case time.Duration:
		return strconv.Quote(policy.FormatLength(v))
	case []string:
		return quoteList(v)
	case []netip.Prefix:
		texts := make([]string, len(v))
		for i, prefix := range v {
			texts[i] = prefix.String()
		}
		return quoteList(texts)
	case policy.AttributeSet:
		return quoteList(v.Names())
	default: // texts, a secret among them: its String would hide it
		return strconv.Quote(l.value.String())
	}
}

func quoteList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = strconv.Quote(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// parsePrefix reads an address or a prefix.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no address or prefix such as 10.0.0.1 or 10.0.0.0/8", text)
	}
	return prefix.Masked(), nil
}
