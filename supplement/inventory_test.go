package supplement_test

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/parleytest/source"
	"parley/policy"
	"parley/supplement"
)

// reality is what a medium holds: by its name in the medium, where it is found.
type reality map[string]string

// compare wants the inventory and a medium to say the same. how is what a
// declaration of the medium looks like.
func compare(t *testing.T, in supplement.Medium, found reality, how string) {
	t.Helper()
	if len(found) == 0 && len(supplement.Declared(in)) > 0 {
		t.Fatalf("%s: nothing was found at all: the test looks at too little", in)
	}
	declared := supplement.Declared(in)
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if _, ok := declared[name]; !ok {
			t.Errorf("%s: %q (%s) is not declared. Say in supplement/*.go which item of the inventory it belongs to, or make a new item: %s",
				in, name, found[name], strings.ReplaceAll(how, "NAME", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if _, ok := found[name]; !ok {
			t.Errorf("%s: %q is declared for the item %q in supplement/*.go, and it is not there: remove the declaration", in, name, declared[name][0].Name)
		}
	}
}

// program is the program's text, read once for all tests.
var program = sync.OnceValues(func() (*source.Checked, error) {
	m, err := source.Read()
	if err != nil {
		return nil, err
	}
	return m.Check()
})

// readModule gives the program's text, with types. It is shared: not to be
// changed.
func readModule(t *testing.T) *source.Checked {
	t.Helper()
	m, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A place holds one item, else nobody could say what it is for and how long it is
// kept. A field on the way, or the key of a log, may carry several.
func TestPlacesHoldOneItem(t *testing.T) {
	for _, in := range supplement.Media() {
		for name, items := range supplement.Declared(in) {
			carries := in == supplement.Wire || in == supplement.Log || in == supplement.Figures || in == supplement.Outbound
			for i, item := range items[1:] {
				if !carries || item.Name == items[i].Name {
					t.Errorf("%s: %q is declared twice: for %q and %q", in, name, items[i].Name, item.Name)
				}
			}
		}
	}
}

var (
	claimForm = regexp.MustCompile(`^[A-Z]{2}[0-9]{1,2}$`)
	rule      = regexp.MustCompile(`\{(.*?)\}`)
	sentence  = regexp.MustCompile(`^[A-Z].*\.$`)
	phrase    = regexp.MustCompile(`^[a-z].*[^.]$`)
)

// TestItemsCanBeRead holds the form that sentences are made from.
func TestItemsCanBeRead(t *testing.T) {
	known := map[string]bool{}
	for field := range reflect.TypeFor[policy.Policy]().Fields() {
		known[field.Name] = true
	}
	seen := map[string]bool{}
	for _, feature := range supplement.Features() {
		if feature.Name == "" || !sentence.MatchString(feature.Does) || len(feature.Items) == 0 {
			t.Errorf("feature %q does %q", feature.Name, feature.Does)
		}
		for _, item := range feature.Items {
			if seen[item.Name] {
				t.Errorf("there are two items named %q", item.Name)
			}
			seen[item.Name] = true
			checkItem(t, item, known)
		}
	}
}

// The ways that the inventory tells people to go are there: every part is a label
// of the app.
func TestControlsNameLabelsOfTheApp(t *testing.T) {
	labels := map[string]bool{}
	for _, script := range readApp(t) {
		if strings.HasPrefix(script.name, "web/src/text/") {
			for _, line := range script.lines {
				if match := label.FindStringSubmatch(line); match != nil {
					labels[match[1]] = true
				}
			}
		}
	}
	ways := 0
	for _, item := range supplement.Items() {
		for _, match := range way.FindAllStringSubmatch(item.Control, -1) {
			ways++
			parts := strings.Split(match[1], " > ")
			for i, part := range parts {
				last := i == len(parts)-1
				if !labels[part] && !(last && slices.ContainsFunc(slices.Collect(maps.Keys(labels)), func(l string) bool { return l != "" && strings.HasPrefix(part, l) })) {
					t.Errorf("%s: %q: the app has no label %q", item.Name, match[1], part)
				}
			}
		}
	}
	if ways == 0 {
		t.Error("no item says where to go")
	}
}

var (
	label = regexp.MustCompile(`^ {2}'[\w.-]+': '(.*)',$`)
	way   = regexp.MustCompile(`under ([A-Z]\w*(?: \w+)*(?: > [A-Z]\w*(?: \w+)*)+)`)
)

func checkItem(t *testing.T, item supplement.Item, rules map[string]bool) {
	t.Helper()
	for what, text := range map[string]string{"name": item.Name, "source": item.Source, "use": item.Use, "audience": item.Seen.Who} {
		if !phrase.MatchString(text) {
			t.Errorf("%s: its %s %q is not a phrase that a sentence can take up", item.Name, what, text)
		}
	}
	if !sentence.MatchString(item.Control) {
		t.Errorf("%s: its control %q is not a sentence", item.Name, item.Control)
	}
	if len(item.Kept)+len(item.Sent) == 0 {
		t.Errorf("%s is neither kept nor sent", item.Name)
	}
	for _, id := range item.Claims {
		if !claimForm.MatchString(id) {
			t.Errorf("%s: %q is not a claim", item.Name, id)
		}
	}
	named := slices.Clone(item.Rules)
	for _, kept := range item.Kept {
		if !phrase.MatchString(string(kept.Until)) || len(kept.Names) == 0 || !slices.Contains(supplement.Media(), kept.In) {
			t.Errorf("%s: kept in %q %q %v", item.Name, kept.In, kept.Until, kept.Names)
		}
		for _, match := range rule.FindAllStringSubmatch(string(kept.Until), -1) {
			named = append(named, match[1])
		}
	}
	for _, sent := range item.Sent {
		if !phrase.MatchString(string(sent.To)) || len(sent.Names) == 0 || !slices.Contains(supplement.Media(), sent.By) {
			t.Errorf("%s: sent by %q to %q %v", item.Name, sent.By, sent.To, sent.Names)
		}
	}
	for _, name := range named {
		if !rules[name] {
			t.Errorf("%s: policy.Policy has no rule %q", item.Name, name)
		}
	}
}
