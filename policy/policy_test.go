package policy

import (
	"testing"
	"time"
)

func TestDefaultIsValidAndStrict(t *testing.T) {
	p := Default()
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []AttributeSet{Alias, Mobile, HomePhone, OtherPhones} {
		if p.DirectoryPublic.Has(hidden) {
			t.Errorf("%s is public by default", hidden)
		}
	}
	if got, want := p.DirectoryPublic.String(), "title,company,department,office,work_phone,manager"; got != want {
		t.Errorf("public by default: %s, want %s", got, want)
	}
	if Fixed(p).Policy() != p {
		t.Error("Fixed does not give the rules it was made of")
	}
}

func TestParseAttributes(t *testing.T) {
	all, err := ParseAttributes(AttributeSet(allAttributes).Names())
	if err != nil || all != allAttributes {
		t.Errorf("all names: %s, %v", all, err)
	}
	if none, err := ParseAttributes(nil); err != nil || none != 0 {
		t.Errorf("no names: %s, %v", none, err)
	}
	for _, name := range []string{"", "Title", "mobile ", "phone"} {
		if got, err := ParseAttributes([]string{"title", name}); err == nil {
			t.Errorf("%q: accepted as %s", name, got)
		}
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name string
		bend func(*Policy)
	}{
		{"unknown attribute", func(p *Policy) { p.DirectoryPublic = allAttributes + 1 }},
		{"no message time limit", func(p *Policy) { p.MessageLimit = 0 }},
		{"body too small", func(p *Policy) { p.MaxBody = 10 }},
		{"body too large", func(p *Policy) { p.MaxBody = 65<<10 + 1 }},
		{"no idle time", func(p *Policy) { p.DeviceIdle = time.Minute }},
		{"no devices", func(p *Policy) { p.MaxDevices = 0 }},
		{"too many devices", func(p *Policy) { p.MaxDevices = 1001 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := Default()
			test.bend(&p)
			if p.Validate() == nil {
				t.Error("accepted")
			}
		})
	}
}
