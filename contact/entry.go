package contact

import (
	"strings"
	"unicode/utf8"

	"parley"
	"parley/policy"
	"parley/privacy"
)

// entry is one person in the Book. It never changes: a change makes another one.
type entry struct {
	person parley.Person

	// key is the folded display name, by which people are ordered.
	key string

	// text is what the person is found by: sections, each a mark byte and the
	// words behind it, every word with wordMark before it. A whole address has
	// addressMark before it and stands behind the words of its section. It is
	// empty for somebody who cannot be found.
	text string
}

// The marks in entry.text. None of them can be part of a folded word.
const (
	wordMark    = ' '
	addressMark = '\x1f'

	sectionName byte = iota // 2
	sectionAddress
	sectionOtherMail
	sectionAlias
	sectionTitle
	sectionDepartment
	sectionInitials
	sectionWorkPhone
	sectionMobile
	sectionHomePhone
	sectionOtherPhones
	sectionTypedWork // what the person typed: seen by other rules than the directory's
	sectionTypedMobile
	sectionTypedHome
	sectionTypedOther
	sectionEnd
)

// sight is what somebody may find a person through.
type sight struct {
	directory privacy.Fields // of what the directory says
	typed     privacy.Fields // of what the person typed
}

// sightOf gives the sight of a class of viewers.
func sightOf(c privacy.Class, rules policy.Policy) sight {
	return sight{directory: privacy.Searchable(c, rules), typed: privacy.VisibleTyped(c)}
}

// has reports whether a section counts.
func (s sight) has(mark byte) bool {
	if mark >= sectionTypedWork {
		return s.typed.Has(fieldOf[mark])
	}
	return s.directory.Has(fieldOf[mark])
}

// fieldOf gives the row of the privacy matrix that a section belongs to.
var fieldOf = [sectionEnd]privacy.Fields{
	sectionName:        privacy.Name,
	sectionAddress:     privacy.Address,
	sectionOtherMail:   privacy.OtherMail,
	sectionAlias:       privacy.Alias,
	sectionTitle:       privacy.Title,
	sectionDepartment:  privacy.Department,
	sectionInitials:    privacy.Name,
	sectionWorkPhone:   privacy.WorkPhone,
	sectionMobile:      privacy.Mobile,
	sectionHomePhone:   privacy.HomePhone,
	sectionOtherPhones: privacy.OtherPhones,
	sectionTypedWork:   privacy.WorkPhone,
	sectionTypedMobile: privacy.Mobile,
	sectionTypedHome:   privacy.HomePhone,
	sectionTypedOther:  privacy.OtherPhones,
}

// newEntry works out what a person is ordered and found by. region completes
// numbers of people whose office has none.
func newEntry(p parley.Person, typed []parley.TypedPhone, region string) *entry {
	name := pieces(p.DisplayName)
	e := &entry{person: p, key: plainText(name)}
	if p.Gone {
		return e
	}
	if p.Region != "" {
		region = p.Region
	}
	words := indexWords(name)
	for _, further := range []string{p.GivenName, p.Surname} {
		if !strings.Contains(p.DisplayName, further) {
			words = append(words, indexWords(pieces(further))...)
		}
	}
	var t textBuilder
	t.section(sectionName, words)
	t.addresses(sectionAddress, p.Address, p.Mail)
	t.addresses(sectionOtherMail, p.OtherMail...)
	t.section(sectionAlias, indexWords(pieces(p.Alias)))
	t.section(sectionTitle, indexWords(pieces(p.Title)))
	t.section(sectionDepartment, indexWords(pieces(p.Department)))
	t.section(sectionInitials, nameInitials(name, p.GivenName, p.Surname))
	t.numbers(sectionWorkPhone, region, p.WorkPhone)
	t.numbers(sectionMobile, region, p.Mobile)
	t.numbers(sectionHomePhone, region, p.HomePhone)
	t.numbers(sectionOtherPhones, region, p.OtherPhones...)
	for i, kind := range []parley.PhoneKind{parley.PhoneWork, parley.PhoneMobile, parley.PhoneHome, parley.PhoneOther} {
		var numbers []string
		for _, p := range typed {
			if p.Kind == kind {
				numbers = append(numbers, p.Number)
			}
		}
		t.numbers(sectionTypedWork+byte(i), region, numbers...)
	}
	e.text = t.String()
	return e
}

type textBuilder struct{ strings.Builder }

func (t *textBuilder) section(mark byte, words []string) {
	if len(words) == 0 {
		return
	}
	t.WriteByte(mark)
	for i, w := range words {
		if i < maxWords {
			t.WriteByte(wordMark)
			t.WriteString(w)
		}
	}
}

// addresses adds the words of the local parts, then the whole addresses. The
// domain alone finds nobody: it would find everybody.
func (t *textBuilder) addresses(mark byte, list ...string) {
	var words, whole []string
	for i, a := range list {
		if a = foldAddress(a); a == "" || i > 0 && a == foldAddress(list[0]) {
			continue
		}
		whole = append(whole, a)
		local, _, _ := strings.Cut(a, "@")
		for _, p := range pieces(local) {
			words = append(words, p.plain)
		}
	}
	t.section(mark, words)
	if len(words) == 0 && len(whole) > 0 {
		t.WriteByte(mark)
	}
	for i, a := range whole {
		if i < maxWords {
			t.WriteByte(addressMark)
			t.WriteString(a)
		}
	}
}

func (t *textBuilder) numbers(mark byte, region string, list ...string) {
	var runs []string
	for _, n := range list {
		runs = append(runs, searchDigits(n, region)...)
	}
	t.section(mark, runs)
}

// foldAddress brings an address in the form in which it is compared. Control
// characters, which no address has, would be taken for marks.
func foldAddress(a string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ToLower(a))
}

// sections calls use with each section of the text.
func (e *entry) sections(use func(mark byte, words string)) {
	for rest := e.text; rest != ""; {
		end := 1 + strings.IndexFunc(rest[1:], func(r rune) bool { return r < rune(sectionEnd) })
		if end == 0 {
			end = len(rest)
		}
		use(rest[0], rest[1:end])
		rest = rest[end:]
	}
}

// before orders people by folded name, then id.
func (e *entry) before(o *entry) bool {
	if e.key != o.key {
		return e.key < o.key
	}
	return e.person.ID < o.person.ID
}
