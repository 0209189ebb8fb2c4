package contact

import (
	"cmp"
	"slices"
	"strings"
)

// SourceKind says where a record about somebody comes from. The order of the
// constants is the order in which sources are believed.
type SourceKind string

// The kinds of sources.
const (
	FromDirectory   SourceKind = "directory"    // the organisation's directory
	FromContacts    SourceKind = "contacts"     // the person's contact list on the server
	FromDevice      SourceKind = "device"       // contacts that were imported or picked on the device
	FromAddressBook SourceKind = "address-book" // the person's own address book, elsewhere
)

var sourceKinds = []SourceKind{FromDirectory, FromContacts, FromDevice, FromAddressBook}

// RecordKey names a record for good: its kind, a colon, its id.
type RecordKey string

// MergeRecord is what one source says about somebody.
type MergeRecord struct {
	Kind SourceKind

	// ID stays the same when the source is read again: the person's id for the
	// directory and the contact list, else the card's UID or, without one, a hash of
	// what identifies it.
	ID string

	Name      string
	Addresses []string // sign-in and SIP addresses, the own sign-in address first
	Mails     []string // the primary one first
	Phones    []RecordPhone

	Title, Department, Company, Office string

	Photo string // what finds the picture; empty: none
}

// RecordPhone is a number as its source writes it.
type RecordPhone struct {
	Kind   string // work, mobile, home or other
	Number string
	Dial   string // E.164, where the source knows it
}

// Key gives the record's name.
func (r *MergeRecord) Key() RecordKey { return RecordKey(string(r.Kind) + ":" + r.ID) }

// Pair is two records that a person has decided about; their order means nothing.
type Pair [2]RecordKey

// Decisions are what a person has decided about records. They name records that
// need not be there at the moment.
type Decisions struct {
	Apart    []Pair // are not the same person, whatever they share
	Together []Pair // are the same person, whatever they do not share
}

// Value is what some sources agree on, in the words of the first of them.
type Value struct {
	Text    string
	Sources []RecordKey // in the order in which they are believed
}

// Single is a field that has one value; what the sources that are believed less
// say instead stays visible.
type Single struct {
	Value
	Others []Value
}

// MergedPhone is a number that some sources agree on.
type MergedPhone struct {
	Value
	Kind string
	Dial string
}

// Contest says that a record has an address of further people of the directory
// than the one that it was joined to, if any.
type Contest struct {
	Record RecordKey
	With   []RecordKey
}

// Merged is one person, out of everything that the sources say about them.
type Merged struct {
	Records []RecordKey // the first one names the person

	Name, Title, Department, Company, Office Single

	Photo     Value
	Addresses []Value
	Mails     []Value
	Phones    []MergedPhone
	Contested []Contest
}

// Merge joins the records that are about the same person: those that share a
// sign-in, SIP or mail address, and those joined to them in turn. It never joins
// by name, and never two people of the directory: a card that has addresses of
// several of them is joined to none until the person links it. An address that
// several have themselves, such as a shared mailbox, does not count for that; a card
// that has nothing else belongs to whose own sign-in address it is, else to the
// first by id. Name and photo of somebody in the directory are the directory's whatever
// else is said, and no source takes a value of another one away. The order of the
// records and of the decisions means nothing.
//
// It is pure, and the reference for its twin in the web app
// (web/src/core/sources/merge.ts), where all joining is done: the cases in
// testdata/merge hold the app to it. Nothing on the server joins people, for the
// server knows nobody but those of the directory, and hears of no contact of a device.
// A file that is brought to a Contacts list is matched by Book.Match instead: it goes
// through everybody without making records of them, and an address that two people
// have is nobody's there, while a card here belongs to one of the two and says so.
func Merge(records []MergeRecord, d Decisions) []Merged {
	j := newJoining(records, d)
	j.join()
	people := make([]Merged, 0, len(records))
	for first := range j.nodes {
		if j.root[first] == first {
			people = append(people, j.person(first))
		}
	}
	slices.SortFunc(people, func(a, b Merged) int { return cmp.Compare(j.first[a.Records[0]], j.first[b.Records[0]]) })
	return people
}

// compareRecords orders records by source, then id, then everything else they
// say, so that records with one key have an order, too.
func compareRecords(a, b *MergeRecord) int {
	return cmp.Or(
		cmp.Compare(slices.Index(sourceKinds, a.Kind), slices.Index(sourceKinds, b.Kind)),
		cmp.Compare(len(a.ID), len(b.ID)), // p9 before p17
		strings.Compare(a.ID, b.ID),
		strings.Compare(a.content(), b.content()),
	)
}

// content gives everything that a record says as one text.
func (r *MergeRecord) content() string {
	parts := []string{r.Name, r.Title, r.Department, r.Company, r.Office, r.Photo, strings.Join(r.Addresses, "\x01"), strings.Join(r.Mails, "\x01")}
	for _, p := range r.Phones {
		parts = append(parts, p.Kind, p.Number, p.Dial)
	}
	return strings.Join(parts, "\x00")
}

// person puts together what the records of a group say.
func (j *joining) person(root int) Merged {
	group := slices.Sorted(slices.Values(j.members[root]))
	var m Merged
	for _, i := range group {
		if key := j.keys[i]; !slices.Contains(m.Records, key) {
			m.Records = append(m.Records, key)
			m.Contested = append(m.Contested, j.contests(key)...)
		}
	}
	single := func(get func(*MergeRecord) string) Single { return j.single(group, get) }
	m.Name = single(func(r *MergeRecord) string { return r.Name })
	m.Title = single(func(r *MergeRecord) string { return r.Title })
	m.Department = single(func(r *MergeRecord) string { return r.Department })
	m.Company = single(func(r *MergeRecord) string { return r.Company })
	m.Office = single(func(r *MergeRecord) string { return r.Office })
	m.Photo = j.photo(group)
	m.Addresses = j.addresses(group, func(r *MergeRecord) []string { return r.Addresses })
	m.Mails = j.addresses(group, func(r *MergeRecord) []string { return r.Mails })
	m.Phones = j.phones(group)
	return m
}

// single gives a field that has one value: that of the first record which has any.
func (j *joining) single(group []int, get func(*MergeRecord) string) Single {
	var list values
	for _, i := range group {
		if text := spaced(get(j.nodes[i])); text != "" {
			list.add(textKey(text), text, j.keys[i])
		}
	}
	if len(list.all) == 0 {
		return Single{}
	}
	return Single{Value: list.all[0], Others: list.all[1:]}
}

// photo gives the picture. That of somebody in the directory is the directory's or
// none.
func (j *joining) photo(group []int) Value {
	for _, i := range group {
		r := j.nodes[i]
		if r.Photo != "" {
			return Value{Text: r.Photo, Sources: []RecordKey{j.keys[i]}}
		}
		if j.nodes[group[0]].Kind == FromDirectory {
			break
		}
	}
	return Value{}
}

// addresses gives every address once, whatever it is written like.
func (j *joining) addresses(group []int, get func(*MergeRecord) []string) []Value {
	var list values
	for _, i := range group {
		for _, text := range get(j.nodes[i]) {
			key := Identifier(text)
			if key == "" {
				key = textKey(text)
			}
			if key != "" {
				list.add(key, spaced(text), j.keys[i])
			}
		}
	}
	return list.all
}

// phones gives every number once, whatever it is written like.
func (j *joining) phones(group []int) []MergedPhone {
	var list []MergedPhone
	var forms []phoneForm
	for _, i := range group {
		for _, p := range j.nodes[i].Phones {
			form := formOf(p)
			if form.empty() {
				continue
			}
			at := slices.IndexFunc(forms, form.same)
			if at < 0 {
				at = len(list)
				forms = append(forms, form)
				list = append(list, MergedPhone{Value: Value{Text: spaced(p.Number)}, Kind: p.Kind, Dial: p.Dial})
			}
			list[at].Sources = withKey(list[at].Sources, j.keys[i])
		}
	}
	return list
}

// values are distinct values in the order in which they were said.
type values struct {
	all []Value
	at  map[string]int
}

func (v *values) add(key, text string, source RecordKey) {
	i, known := v.at[key]
	if !known {
		if v.at == nil {
			v.at = map[string]int{}
		}
		i = len(v.all)
		v.at[key] = i
		v.all = append(v.all, Value{Text: text})
	}
	v.all[i].Sources = withKey(v.all[i].Sources, source)
}

func withKey(list []RecordKey, key RecordKey) []RecordKey {
	if slices.Contains(list, key) {
		return list
	}
	return append(list, key)
}
