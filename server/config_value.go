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
	key   string
	field reflect.StructField
	value reflect.Value
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
	var top, inTables []leaf
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key, ok := field.Tag.Lookup("key")
		switch {
		case !ok:
		case isTableType(field.Type):
			for j := range field.Type.NumField() {
				inner := field.Type.Field(j)
				inTables = append(inTables, leaf{key + "." + inner.Tag.Get("key"), inner, v.Field(i).Field(j)})
			}
		default:
			top = append(top, leaf{key, field, v.Field(i)})
		}
	}
	return append(top, inTables...)
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
		l.value.SetBool(b)
		return nil
	case int:
		n, ok := value.(int64)
		if !ok {
			return errors.New("must be a whole number, without quotes")
		}
		return l.assignInt(n)
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
// separated by commas.
func (l leaf) assignText(text string) error {
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
		return l.assignDuration(text)
	case []string, []netip.Prefix, policy.AttributeSet:
		texts := slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return strings.TrimSpace(s) == "" })
		return l.assignList(texts)
	default: // texts
		if allowed := strings.Fields(l.field.Tag.Get("allowed")); len(allowed) > 0 && !slices.Contains(allowed, text) {
			return fmt.Errorf("%q is none of %s", text, strings.Join(allowed, ", "))
		}
		l.value.SetString(text)
		return nil
	}
}

func (l leaf) assignInt(n int64) error {
	low, _ := strconv.ParseInt(l.field.Tag.Get("min"), 10, 64)
	high, _ := strconv.ParseInt(l.field.Tag.Get("max"), 10, 64)
	if n < low || n > high {
		return fmt.Errorf("%d is not between %d and %d", n, low, high)
	}
	l.value.SetInt(n)
	return nil
}

func (l leaf) assignDuration(text string) error {
	d, err := parseDuration(text)
	if err != nil {
		return err
	}
	low, high := l.field.Tag.Get("min"), l.field.Tag.Get("max")
	least, err := parseDuration(low)
	if err != nil {
		return err
	}
	most, err := parseDuration(high)
	if err != nil {
		return err
	}
	if d < least || d > most {
		return fmt.Errorf("%s is not between %s and %s", text, low, high)
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
		set, err := policy.ParseAttributes(texts)
		if err != nil {
			return err
		}
		l.value.Set(reflect.ValueOf(set))
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
		return strconv.Quote(formatDuration(v))
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

const day = 24 * time.Hour

// parseDuration reads Go's form of a duration, or whole days: "30d".
func parseDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * day, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no length of time such as 30d, 12h or 90m", text)
	}
	return d, nil
}

func formatDuration(d time.Duration) string {
	if d > 0 && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
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
