package contact

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// query is a search text taken apart. Somebody matches if every term does, or, of
// what was typed on a pad, if the name is spelt so.
type query struct {
	terms []term
	pad   []string // the digits that spell words of a name; nil: not typed on a pad
}

// term is one word of a search text.
type term struct {
	forms   []string // the spellings, any of which counts
	address string   // instead of forms: an address from its beginning, "anna.m@fir"
	number  bool     // forms are digits that may stand anywhere in a phone number
	starts  []string // of a number: digits with which one may begin instead
}

// parseQuery takes a search text apart. A text of digits and punctuation is one
// number, however it is grouped and from wherever it is dialled; anything else is
// words, in any order. region is the organisation's.
func parseQuery(s, region string) query {
	if t, ok := phoneTerm(s, region); ok {
		return query{terms: []term{t}}
	}
	var q query
	for word := range strings.FieldsSeq(s) {
		if i := strings.IndexByte(word, '@'); i > 0 {
			q.add(term{address: foldAddress(word)})
			continue
		}
		for _, p := range pieces(word) {
			t := term{forms: []string{p.plain}, number: len(p.plain) >= minRun && onlyDigits(p.plain)}
			if p.spelt != p.plain {
				t.forms = append(t.forms, p.spelt)
			}
			q.add(t)
		}
	}
	return q
}

func (q *query) add(t term) {
	if !slices.ContainsFunc(q.terms, func(o term) bool { return o.address == t.address && slices.Equal(o.forms, t.forms) }) {
		q.terms = append(q.terms, t)
	}
}

// phoneTerm takes apart a text that can only be a phone number.
func phoneTerm(s, region string) (term, bool) {
	main, ext := splitExtension(s)
	run, ok := phoneQuery(main)
	if !ok {
		return term{}, false
	}
	t := term{forms: []string{run + ext}, number: true}
	if trimmed := trimNumber(main); !strings.HasPrefix(trimmed, "+") {
		all := digits(trimmed)
		for _, start := range dialled(all, region) {
			t.starts = append(t.starts, start+ext)
		}
		// In which country a 0 stands before the area code is not known: it may be
		// any.
		if inland, ok := strings.CutPrefix(all, "0"); ok && len(inland) > minDialled && inland[0] != '0' {
			t.forms = append(t.forms, inland+ext)
		}
	}
	return t, true
}

// phoneQuery gives the digits of a text that can only be a phone number.
func phoneQuery(s string) (run string, ok bool) {
	s = trimNumber(s)
	if strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && !unicode.IsSpace(r) && !strings.ContainsRune("+-()/.*#‐‑–", r)
	}) {
		return "", false
	}
	run = digits(s)
	if rest, abroad := strings.CutPrefix(run, "00"); abroad && len(rest) > minRun {
		run = rest
	}
	return run, len(run) >= minRun
}

func onlyDigits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// grade says how well one term fits somebody.
type grade uint8

const (
	noMatch    grade = iota
	somewhere        // at the beginning of another word, inside a word, in a number
	asLetters        // as the initials of the name
	beginsWord       // at the beginning of a word of the display name
	wholeWord        // a whole word of the display name
	wholeField       // a whole alias, address or number
)

// rank orders hits, the best first.
type rank uint8

const (
	exact     rank = iota // the whole name, alias, address or number
	whole                 // whole words of the name
	prefix                // beginnings of words of the name
	initialed             // initials of the name
	other
	unmatched
)

// rank says how well the query fits somebody, seen through visible only.
func (q *query) rank(e *entry, visible sight) rank {
	r := q.padRank(e, visible)
	if len(q.terms) > 0 {
		r = min(r, q.termsRank(e, visible))
	}
	return r
}

func (q *query) termsRank(e *entry, visible sight) rank {
	r, field := exact, false
	for i := range q.terms {
		switch q.terms[i].grade(e, visible) {
		case noMatch:
			return unmatched
		case somewhere:
			r = max(r, other)
		case asLetters:
			r = max(r, initialed)
		case beginsWord:
			r = max(r, prefix)
		case wholeField:
			field = true
		case wholeWord:
		}
	}
	if r == exact && !(field && len(q.terms) == 1) && len(q.terms) != 1+strings.Count(e.key, " ") {
		return whole
	}
	return r
}

// within reports whether every term stands in the text at all, so that most people
// are passed over without looking closer.
func (q *query) within(e *entry) bool {
	if q.pad != nil {
		return true
	}
	for i := range q.terms {
		if !q.terms[i].within(e) {
			return false
		}
	}
	return true
}

// within reports whether the term stands in the text at all.
func (t *term) within(e *entry) bool {
	if t.address != "" {
		return strings.Contains(e.text, t.address)
	}
	for _, form := range t.forms {
		if strings.Contains(e.text, form) {
			return true
		}
	}
	for _, start := range t.starts {
		if strings.Contains(e.text, start) {
			return true
		}
	}
	return false
}

func (t *term) grade(e *entry, visible sight) grade {
	best := noMatch
	e.sections(func(mark byte, text string) {
		if !visible.has(mark) {
			return
		}
		words, addresses := text, ""
		if i := strings.IndexByte(text, addressMark); i >= 0 {
			words, addresses = text[:i], text[i:]
		}
		if t.address != "" {
			best = max(best, gradeAddress(addresses, t.address))
			return
		}
		for _, form := range t.forms {
			best = max(best, t.gradeWords(mark, words, form))
		}
		if mark >= sectionWorkPhone {
			best = max(best, t.gradeStarts(words))
		}
	})
	return best
}

// gradeStarts looks for numbers that begin as was dialled.
func (t *term) gradeStarts(words string) grade {
	best := noMatch
	for _, start := range t.starts {
		if begins, all := findWord(words, start); all {
			return wholeField
		} else if begins {
			best = somewhere
		}
	}
	return best
}

func gradeAddress(addresses, wanted string) grade {
	for a := range strings.SplitSeq(addresses, string(rune(addressMark))) {
		if a == wanted {
			return wholeField
		}
		if strings.HasPrefix(a, wanted) {
			return somewhere
		}
	}
	return noMatch
}

func (t *term) gradeWords(mark byte, words, form string) grade {
	begins, all := findWord(words, form)
	switch {
	case mark >= sectionWorkPhone:
		switch {
		case !t.number || !strings.Contains(words, form):
			return noMatch
		case all:
			return wholeField
		}
		return somewhere
	case mark == sectionInitials:
		if all && mayBeInitials(form) {
			return asLetters
		}
		return noMatch
	case mark == sectionTitle, mark == sectionDepartment:
		if begins && (unspaced(form) || utf8.RuneCountInString(form) >= 2) {
			return somewhere
		}
		return noMatch
	case mark == sectionName && all:
		return wholeWord
	case mark == sectionName && begins:
		return beginsWord
	case mark == sectionAlias && len(words) == len(form)+1 && all:
		return wholeField
	case begins, (utf8.RuneCountInString(form) >= 3 || unspaced(form)) && strings.Contains(words, form):
		return somewhere
	}
	return noMatch
}

// findWord reports whether a word begins with form, and whether one is form.
func findWord(words, form string) (begins, all bool) {
	for at := 0; ; {
		i := strings.Index(words[at:], form)
		if i < 0 {
			return begins, false
		}
		i += at
		if i > 0 && words[i-1] == wordMark {
			begins = true
			if end := i + len(form); end == len(words) || words[end] == wordMark {
				return true, true
			}
		}
		at = i + len(form)
	}
}
