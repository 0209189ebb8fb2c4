package policy

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every field of Policy is a rule, and no two rules are one in anything that tells
// them apart.
func TestEveryRuleIsDefinedOnce(t *testing.T) {
	var p Policy
	defined := map[uintptr]string{}
	keys, labels := map[string]bool{}, map[string]bool{}
	for _, d := range Definitions() {
		at := reflect.ValueOf(d.Field(&p)).Pointer()
		if defined[at] != "" || keys[d.Key] || labels[d.Label] {
			t.Errorf("%s is defined twice", d.Key)
		}
		defined[at], keys[d.Key], labels[d.Label] = d.Key, true, true
		if d.Key == "" || d.Label == "" || !strings.HasSuffix(d.Doc, ".") || d.Kind.String() == "" {
			t.Errorf("%+v says too little", d)
		}
		if bounded := d.Kind == Number || d.Kind == Length; bounded != (d.Min != "" && d.Max != "") {
			t.Errorf("%s is between %q and %q", d.Key, d.Min, d.Max)
		}
		if found, ok := Lookup(d.Key); !ok || found.Label != d.Label {
			t.Errorf("looking %s up finds %+v", d.Key, found)
		}
	}
	v := reflect.ValueOf(&p).Elem()
	for i := range v.NumField() {
		if defined[v.Field(i).Addr().Pointer()] == "" {
			t.Errorf("the field %s has no definition", v.Type().Field(i).Name)
		}
	}
	if _, ok := Lookup("policy.dance"); ok {
		t.Error("a rule that there is not was found")
	}
}

// The administrator's switches as the product names them, with their defaults.
func TestDefaultsOfTheSwitches(t *testing.T) {
	p := Default()
	got := map[string]string{}
	for _, d := range Definitions() {
		got[d.Label] = d.Get(&p)
	}
	for label, want := range map[string]string{
		"Pictures": "true", "Location": "true", "Delegation": "true", "Privacy Mode": "true", "Push": "false", "Calendar": "false",
		"Federation": "false", "Guests": "false", "Call via Work": "false", "Phones may configure delegates": "false",
		"Delegates must accept first": "false", "Files": "25", "Message time limit": "30d", "Devices stay signed in": "30d",
		"Non-contacts may reach people in Privacy Mode": "true",
	} {
		if got[label] != want {
			t.Errorf("%s is %s, want %s", label, got[label], want)
		}
	}
}

func TestSetRules(t *testing.T) {
	tests := []struct {
		key, text, want, problem string
	}{
		{"policy.pictures", "false", "false", ""},
		{"policy.pictures", "no", "", "must be true or false"},
		{"policy.message_limit", "168h", "7d", ""},
		{"policy.message_limit", "90m", "1h30m", ""},
		{"policy.message_limit", "59m", "", "59m is not between 1h and 365d"},
		{"policy.message_limit", "366d", "", "366d is not between 1h and 365d"},
		{"policy.message_limit", "", "", `"" is no length of time such as 30d, 12h or 90m`},
		{"policy.message_limit", "99999999d", "", `"99999999d" is no length of time such as 30d, 12h or 90m`},
		{"limits.devices", "1", "1", ""},
		{"limits.devices", "0", "", "0 is not between 1 and 1000"},
		{"limits.devices", "1.5", "", "must be a whole number"},
		{"limits.devices", "99999999999999999999", "", "must be a whole number"},
		{"policy.file_megabytes", "0", "0", ""},
		{"directory.public", " mobile, title ,,", "title,mobile", ""},
		{"directory.public", "", "", ""},
		{"directory.public", "phone", "", `directory attribute "phone" is unknown; known are title,company,department,office,work_phone,manager,alias,mobile,home_phone,other_phones`},
	}
	for _, test := range tests {
		d, ok := Lookup(test.key)
		if !ok {
			t.Fatalf("there is no rule %s", test.key)
		}
		p := Default()
		err := d.Set(&p, test.text)
		switch {
		case test.problem == "" && (err != nil || d.Get(&p) != test.want):
			t.Errorf("%s = %q: %q, %v; want %q", test.key, test.text, d.Get(&p), err, test.want)
		case test.problem != "" && (err == nil || err.Error() != test.problem):
			t.Errorf("%s = %q: %v, want %q", test.key, test.text, err, test.problem)
		case test.problem != "" && p != Default():
			t.Errorf("%s = %q: refused, and changed something", test.key, test.text)
		}
	}
}

func TestFormatLength(t *testing.T) {
	for text, want := range map[string]string{"24h": "1d", "48h": "2d", "36h": "36h", "90m": "1h30m", "1h": "1h", "30s": "30s", "1h0m1s": "1h0m1s", "10m": "10m", "0": "0s", "0d": "0s"} {
		d, err := ParseLength(text)
		if got := FormatLength(d); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
		if again, err := ParseLength(want); err != nil || again != d {
			t.Errorf("%s is read as %v, %v", want, again, err)
		}
	}
}

func TestShows(t *testing.T) {
	for keys, want := range map[string]bool{
		"": false, "policy.message_limit limits.devices": false, "policy.message_limit policy.pictures": true, "of a newer version": true,
	} {
		if got := Shows(slices.DeleteFunc(strings.Split(keys, " "), func(s string) bool { return s == "" })); got != want {
			t.Errorf("%q: %v", keys, got)
		}
	}
}

// Whatever a rule takes it gives back in a form that it takes as the same.
func FuzzSetRule(f *testing.F) {
	for _, text := range []string{"true", "30d", "12h30m", "25", "title,company", "-1", "1e3", "９", "106751d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range Definitions() {
			p := Default()
			if d.Set(&p, text) != nil {
				continue
			}
			if err := p.Validate(); err != nil {
				t.Errorf("%s takes %q, and that is no rule: %v", d.Key, text, err)
			}
			q := Default()
			if err := d.Set(&q, d.Get(&p)); err != nil || q != p {
				t.Errorf("%s takes %q, gives %q back, and takes that as another (%v)", d.Key, text, d.Get(&p), err)
			}
			if p.MessageLimit < 0 || p.MessageLimit > 365*24*time.Hour {
				t.Errorf("%s takes %q as %v", d.Key, text, p.MessageLimit)
			}
		}
	})
}
