package contact

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

var updateMerge = flag.Bool("update-merge", false, "write what Merge gives into testdata/merge; look at the difference")

// mergeCase is a case that the web app's twin runs, too. Groups and Says are
// written by hand; People is everything that Merge gave when somebody looked at
// it last.
type mergeCase struct {
	Name     string         `json:"name"`
	Records  []mergeRecord  `json:"records"`
	Apart    []Pair         `json:"apart"`
	Together []Pair         `json:"together"`
	Groups   [][]RecordKey  `json:"groups"`
	Says     map[string]any `json:"says"`
	People   []mergePerson  `json:"people"`
}

type mergeRecord struct {
	Kind       SourceKind   `json:"kind"`
	ID         string       `json:"id"`
	Name       string       `json:"name,omitempty"`
	Addresses  []string     `json:"addresses,omitempty"`
	Mails      []string     `json:"mails,omitempty"`
	Phones     []mergePhone `json:"phones,omitempty"`
	Title      string       `json:"title,omitempty"`
	Department string       `json:"department,omitempty"`
	Company    string       `json:"company,omitempty"`
	Office     string       `json:"office,omitempty"`
	Photo      string       `json:"photo,omitempty"`
}

type mergePhone struct {
	Kind   string `json:"kind"`
	Number string `json:"number"`
	Dial   string `json:"dial,omitempty"`
}

type mergeValue struct {
	Text    string       `json:"text"`
	Sources []RecordKey  `json:"sources"`
	Others  []mergeValue `json:"others,omitempty"`
	Kind    string       `json:"kind,omitempty"`
	Dial    string       `json:"dial,omitempty"`
}

type mergeContest struct {
	Record RecordKey   `json:"record"`
	With   []RecordKey `json:"with"`
}

type mergePerson struct {
	Records    []RecordKey    `json:"records"`
	Name       mergeValue     `json:"name"`
	Title      mergeValue     `json:"title"`
	Department mergeValue     `json:"department"`
	Company    mergeValue     `json:"company"`
	Office     mergeValue     `json:"office"`
	Photo      mergeValue     `json:"photo"`
	Addresses  []mergeValue   `json:"addresses"`
	Mails      []mergeValue   `json:"mails"`
	Phones     []mergeValue   `json:"phones"`
	Contested  []mergeContest `json:"contested"`
}

func (r mergeRecord) record() MergeRecord {
	out := MergeRecord{
		Kind: r.Kind, ID: r.ID, Name: r.Name, Addresses: r.Addresses, Mails: r.Mails,
		Title: r.Title, Department: r.Department, Company: r.Company, Office: r.Office, Photo: r.Photo,
	}
	for _, p := range r.Phones {
		out.Phones = append(out.Phones, RecordPhone(p))
	}
	return out
}

func plainValue(v Value) mergeValue {
	return mergeValue{Text: v.Text, Sources: append([]RecordKey{}, v.Sources...)}
}

func plainSingle(s Single) mergeValue {
	v := plainValue(s.Value)
	for _, o := range s.Others {
		v.Others = append(v.Others, plainValue(o))
	}
	return v
}

func plainPerson(m Merged) mergePerson {
	p := mergePerson{
		Records: m.Records, Name: plainSingle(m.Name), Title: plainSingle(m.Title), Department: plainSingle(m.Department),
		Company: plainSingle(m.Company), Office: plainSingle(m.Office), Photo: plainValue(m.Photo),
		Addresses: []mergeValue{}, Mails: []mergeValue{}, Phones: []mergeValue{}, Contested: []mergeContest{},
	}
	for _, v := range m.Addresses {
		p.Addresses = append(p.Addresses, plainValue(v))
	}
	for _, v := range m.Mails {
		p.Mails = append(p.Mails, plainValue(v))
	}
	for _, ph := range m.Phones {
		v := plainValue(ph.Value)
		v.Kind, v.Dial = ph.Kind, ph.Dial
		p.Phones = append(p.Phones, v)
	}
	for _, c := range m.Contested {
		p.Contested = append(p.Contested, mergeContest(c))
	}
	return p
}

// TestMergeCases runs the cases that hold this and the web app's twin together.
func TestMergeCases(t *testing.T) {
	files, err := filepath.Glob("testdata/merge/*.json")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range files {
		if filepath.Base(file) == "identifiers.json" {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []mergeCase
		if err := json.Unmarshal(data, &cases); err != nil {
			t.Fatal(err)
		}
		for i := range cases {
			count++
			t.Run(filepath.Base(file)+"/"+cases[i].Name, func(t *testing.T) { runMergeCase(t, &cases[i]) })
		}
		if *updateMerge {
			writeMergeCases(t, file, cases)
		}
	}
	if count < 40 {
		t.Errorf("only %d cases", count)
	}
}

func runMergeCase(t *testing.T, c *mergeCase) {
	var records []MergeRecord
	for _, r := range c.Records {
		records = append(records, r.record())
	}
	people := []mergePerson{}
	groups := [][]RecordKey{}
	for _, m := range Merge(records, Decisions{Apart: c.Apart, Together: c.Together}) {
		people = append(people, plainPerson(m))
		groups = append(groups, m.Records)
	}
	if !reflect.DeepEqual(groups, c.Groups) {
		t.Fatalf("people are %v, want %v", groups, c.Groups)
	}
	checkSays(t, people, c.Says)
	if *updateMerge {
		c.People = people
	}
	if !reflect.DeepEqual(people, c.People) {
		t.Errorf("Merge gave %+v, the case says %+v", people, c.People)
	}
}

// checkSays compares what was written by hand about the person whom most records
// are about.
func checkSays(t *testing.T, people []mergePerson, says map[string]any) {
	if len(says) == 0 {
		return
	}
	p := slices.MaxFunc(people, func(a, b mergePerson) int { return len(a.Records) - len(b.Records) })
	data, err := json.Marshal(saidOf(p))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for field, want := range says {
		if others, ok := want.(map[string]any); ok {
			for name, list := range others {
				if all := got["others"].(map[string]any); !reflect.DeepEqual(all[name], list) {
					t.Errorf("others of %s: %v, want %v", name, all[name], list)
				}
			}
		} else if !reflect.DeepEqual(got[field], want) {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
}

func saidOf(p mergePerson) map[string]any {
	texts := func(list []mergeValue) []string {
		all := []string{}
		for _, v := range list {
			all = append(all, v.Text)
		}
		return all
	}
	contested := [][]any{}
	for _, c := range p.Contested {
		contested = append(contested, []any{c.Record, c.With})
	}
	return map[string]any{
		"name": p.Name.Text, "title": p.Title.Text, "company": p.Company.Text, "office": p.Office.Text, "photo": p.Photo.Text,
		"mails": texts(p.Mails), "phones": texts(p.Phones), "contested": contested,
		"others": map[string][]string{"name": texts(p.Name.Others), "title": texts(p.Title.Others), "company": texts(p.Company.Others)},
	}
}

func writeMergeCases(t *testing.T, file string, cases []mergeCase) {
	out := []byte("[\n")
	for i, c := range cases {
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		out = append(append(out, data...), ",\n"[min(i/(len(cases)-1), 1):]...)
	}
	if err := os.WriteFile(file, append(out, "]\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
}
