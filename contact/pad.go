package contact

import (
	"strings"
	"unicode/utf8"
)

// The keys of a dial pad stand for letters: those of ITU-T E.161 for the Latin
// alphabet, and what phones for Cyrillic and Greek print. A folded word is spelt
// with digits, and somebody is found whose name begins with the digits that are
// typed, over as many of its words as they span.

// padKeys gives the key of each letter outside ASCII.
var padKeys = func() map[rune]byte {
	keys := make(map[rune]byte)
	for key, letters := range map[byte]string{
		'2': "абвгґαβγ", '3': "дежзєδεζ", '4': "ийкліηθι", '5': "мнопκλμ", '6': "рстуνξο",
		'7': "фхцчπρσς", '8': "шщъыτυφ", '9': "ьэюяχψω",
	} {
		for _, r := range letters {
			keys[r] = key
		}
	}
	return keys
}()

// padKey gives the key of a folded letter or digit; 0 for what no pad has.
func padKey(r rune) byte {
	switch {
	case r >= 'a' && r <= 'z':
		return "22233344455566677778889999"[r-'a']
	case r >= '0' && r <= '9':
		return byte(r)
	case r < 0x80:
		return 0
	default:
		return padKeys[r]
	}
}

// padLength is how many digits of each word the index holds.
const padLength = 5

// padPlace is a word's place in the index of the pad: its first digits, at most
// padLength. A word that is shorter has a place of its own.
type padPlace uint32

// placeOf gives the place of digits, at most padLength of which count.
func placeOf(digits string) padPlace {
	digits = digits[:min(len(digits), padLength)]
	p := padPlace(len(digits))
	for i := range len(digits) {
		p = p*10 + padPlace(digits[i]-'0')
	}
	return p
}

// padStart spells the beginning of a word; "" for one that a pad cannot.
func padStart(word string) string {
	var digits [padLength]byte
	n := 0
	for _, r := range word {
		if n == padLength {
			break
		}
		if digits[n] = padKey(r); digits[n] == 0 {
			return ""
		}
		n++
	}
	return string(digits[:n])
}

// padNames gives who may have a name that is spelt with these digits, or begins
// so; with whole the name or the last of its words ends with them.
func (x *index) padNames(digits string, whole bool) candidates {
	var c candidates
	add := func(p padPlace) {
		if list := x.pad[p]; len(list) > 0 {
			c = append(c, list)
		}
	}
	for n := 1; n < min(len(digits), padLength); n++ {
		add(placeOf(digits[:n])) // a short word, and the digits go on in the next one
	}
	p := placeOf(digits)
	add(p)
	if whole || len(digits) >= padLength {
		return c
	}
	x.longer(p, len(digits), add)
	return c
}

// longer gives the places of longer beginnings.
func (x *index) longer(p padPlace, n int, add func(padPlace)) {
	power := padPlace(1)
	for range n {
		power *= 10
	}
	var deeper func(tail padPlace, n int, power padPlace)
	deeper = func(tail padPlace, n int, power padPlace) {
		if n == padLength {
			return
		}
		for key := padPlace(0); key <= 9; key++ {
			next := tail*10 + key
			add(padPlace(n+1)*power*10 + next)
			deeper(next, n+1, power*10)
		}
	}
	deeper(p%power, n, power)
}

// padGrade says how well digits spell a part of somebody's name: words of it in a
// row, the last of which may be only begun, or one other word that the name is
// found by.
func padGrade(e *entry, digits string) grade {
	best := noMatch
	for rest := e.key; rest != ""; {
		if begins, all := spells(rest, digits); all {
			return wholeWord
		} else if begins {
			best = beginsWord
		}
		_, rest, _ = strings.Cut(rest, " ")
	}
	e.sections(func(mark byte, text string) {
		if mark != sectionName || best == wholeWord {
			return
		}
		for word := range strings.FieldsSeq(text) {
			if begins, all := spells(word, digits); all {
				best = wholeWord
			} else if begins {
				best = max(best, beginsWord)
			}
		}
	})
	return best
}

// spells reports whether words begin with what digits spell, and whether a word
// ends where the digits do.
func spells(words, digits string) (begins, all bool) {
	i := 0
	for at, r := range words {
		if i == len(digits) {
			return true, r == ' '
		}
		if r == ' ' {
			continue
		}
		if padKey(r) != digits[i] {
			return false, false
		}
		if i++; i == len(digits) {
			end := at + utf8.RuneLen(r)
			return true, end == len(words) || words[end] == ' '
		}
	}
	return false, false
}

// padParts gives the digits of a text typed on a pad that may spell names, word by
// word: 0 is the space. What holds a 1, or begins with 0 or +, is a number.
func padParts(s string) []string {
	if s == "" || s[0] == '0' || s[0] == '+' {
		return nil
	}
	var parts []string
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '0' || r == ' ' }) {
		if strings.ContainsFunc(part, func(r rune) bool { return r < '2' || r > '9' }) {
			return nil
		}
		parts = append(parts, part)
	}
	return parts
}

// parsePad takes apart what was typed on a dial pad: the digits may spell a name,
// and they may be a number.
func parsePad(s, region string) query {
	s = trimNumber(s)
	if strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && !strings.ContainsRune(" +*#-()/.", r) }) {
		return parseQuery(s, region)
	}
	q := query{pad: padParts(s)}
	if t, ok := phoneTerm(s, region); ok {
		q.terms = []term{t}
	}
	return q
}

// padRank says how well the name fits what was typed on a pad.
func (q *query) padRank(e *entry, visible sight) rank {
	if len(q.pad) == 0 || !visible.has(sectionName) {
		return unmatched
	}
	r := whole
	for _, part := range q.pad {
		switch padGrade(e, part) {
		case noMatch:
			return unmatched
		case beginsWord:
			r = prefix
		}
	}
	if r == whole && len(q.pad) == 1 {
		if _, all := spells(e.key, q.pad[0]); all && spelled(e.key) == len(q.pad[0]) {
			return exact
		}
	}
	return r
}

// spelled counts the digits that a whole name takes.
func spelled(key string) int { return utf8.RuneCountInString(key) - strings.Count(key, " ") }

// padSteps are the steps of a search from a pad.
func (b *Book) padSteps(q *query) []step {
	x := &b.index
	names := func(whole bool) candidates {
		var fewest candidates
		for i, part := range q.pad {
			c := candidates{b.byName}
			if whole || len(part) > 1 {
				c = x.padNames(part, whole)
			}
			if i == 0 || c.size() < fewest.size() {
				fewest = c
			}
		}
		return fewest
	}
	numbers := func(list func(*term) candidates) (c candidates) {
		for i := range q.terms {
			c = append(c, list(&q.terms[i])...)
		}
		return c
	}
	return []step{
		{exact, whole, func() candidates { return append(names(true), numbers(x.wholeNumbers)...) }},
		{prefix, prefix, func() candidates { return names(false) }},
		{other, other, func() candidates { return numbers(x.anyOf) }},
	}
}
