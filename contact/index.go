package contact

import (
	"slices"
	"strings"
	"unicode/utf8"

	"parley"
)

// index finds the few people who may match a word, so that only they are looked
// at. It holds lists of ids in ascending order, under
//
//   - every whole word of a name or alias,
//   - the first one, two and three characters of every word of a name, the first
//     one and two of every word of an address and alias, and the first two and
//     three of every word of a title and department,
//   - the first digits by which a dial pad spells every word of a name, at most five,
//   - the initials of a name, two or three of them in their order,
//   - every whole phone number,
//   - the first one, two and three characters of every address,
//   - every three characters in a row anywhere in a word or number, and every
//     single one in a script without spaces; in titles and departments none.
//
// It is changed person by person in place: an import costs each person's own
// lists and nothing else.
type index struct {
	words   map[string][]parley.PersonID
	grams   map[gram][]parley.PersonID
	pad     map[padPlace][]parley.PersonID
	numbers numberIndex
}

// gram is up to three characters, and where they stand.
type gram struct {
	place place
	chars [3]rune
}

type place uint8

const (
	anywhere      place = iota // three characters in a row, or one of a script without spaces
	beginsName                 // the beginning of a word of a name
	beginsOther                // the beginning of another word
	beginsAddress              // the beginning of an address
	beginsRole                 // the beginning of a word of a title or department
	asInitials                 // the initials of a name
)

func newIndex() index {
	return index{
		words: make(map[string][]parley.PersonID), grams: make(map[gram][]parley.PersonID),
		pad:     make(map[padPlace][]parley.PersonID),
		numbers: numberIndex{first: make(map[uint64]parley.PersonID), more: make(map[uint64][]parley.PersonID)},
	}
}

func (x *index) add(e *entry) {
	id := e.person.ID
	x.each(e, func(w string) {
		list, known := x.words[w]
		if !known {
			w = strings.Clone(w) // not to keep the text of whoever came first
		}
		x.words[w] = with(list, id)
	}, func(g gram) {
		x.grams[g] = with(x.grams[g], id)
	}, func(p padPlace) {
		x.pad[p] = with(x.pad[p], id)
	}, func(number string) {
		x.numbers.add(number, id)
	})
}

func (x *index) remove(e *entry) {
	id := e.person.ID
	x.each(e, func(w string) {
		if list := without(x.words[w], id); len(list) > 0 {
			x.words[w] = list
		} else {
			delete(x.words, w)
		}
	}, func(g gram) {
		if list := without(x.grams[g], id); len(list) > 0 {
			x.grams[g] = list
		} else {
			delete(x.grams, g)
		}
	}, func(p padPlace) {
		if list := without(x.pad[p], id); len(list) > 0 {
			x.pad[p] = list
		} else {
			delete(x.pad, p)
		}
	}, func(number string) {
		x.numbers.remove(number, id)
	})
}

// each gives everything under which an entry stands, some of it more than once.
func (x *index) each(e *entry, word func(string), use func(gram), spelt func(padPlace), number func(string)) {
	e.sections(func(mark byte, words string) {
		words, addresses, _ := strings.Cut(words, string(rune(addressMark)))
		if addresses != "" {
			for a := range strings.SplitSeq(addresses, string(rune(addressMark))) {
				beginning(a, beginsAddress, 3, use)
			}
		}
		for w := range strings.FieldsSeq(words) {
			switch mark {
			case sectionName:
				word(w)
				beginning(w, beginsName, 3, use)
				runs(w, use)
				if digits := padStart(w); digits != "" {
					spelt(placeOf(digits))
				}
			case sectionAddress, sectionOtherMail, sectionAlias:
				if mark == sectionAlias {
					word(w)
				}
				beginning(w, beginsOther, 2, use)
				runs(w, use)
			case sectionTitle, sectionDepartment:
				roleBeginning(w, use)
			case sectionInitials:
				use(gramOf(asInitials, w))
			default:
				number(w)
				runs(w, use)
			}
		}
	})
}

// gramOf is the first three characters of a word.
func gramOf(p place, w string) gram {
	g := gram{place: p}
	copy(g.chars[:], firstRunes(w, 3))
	return g
}

// roleBeginning gives the beginnings by which a word of a title or department is
// found: from its second character on, or from the first in a script without
// spaces.
func roleBeginning(w string, use func(gram)) {
	beginning(w, beginsRole, 3, func(g gram) {
		if g.chars[1] != 0 || unspaced(w) {
			use(g)
		}
	})
}

// beginning gives the first characters of a word, up to n of them.
func beginning(w string, p place, n int, use func(gram)) {
	g := gram{place: p}
	for i, r := range firstRunes(w, n) {
		g.chars[i] = r
		use(g)
	}
}

func firstRunes(w string, n int) []rune {
	chars := make([]rune, 0, 3)
	for _, r := range w {
		if len(chars) == n {
			break
		}
		chars = append(chars, r)
	}
	return chars
}

// runs gives every three characters in a row, and every single one of a script
// without spaces.
func runs(w string, use func(gram)) {
	var g gram
	n := 0
	for _, r := range w {
		g.chars = [3]rune{g.chars[1], g.chars[2], r}
		if n++; n >= 3 {
			use(g)
		}
		if isUnspaced(r) {
			use(gram{chars: [3]rune{r}})
		}
	}
}

// candidates are lists that together hold everybody who may match.
type candidates [][]parley.PersonID

func (c candidates) size() (n int) {
	for _, list := range c {
		n += len(list)
	}
	return n
}

// wholeWords gives who has one of these words, or this number, as a whole.
func (x *index) wholeWords(t *term) candidates {
	c := x.wholeNumbers(t)
	for _, form := range t.forms {
		c = append(c, x.words[form])
	}
	return c
}

// wholeNumbers gives who has exactly this number.
func (x *index) wholeNumbers(t *term) (c candidates) {
	if t.number {
		for _, form := range slices.Concat(t.forms, t.starts) {
			c = append(c, x.numbers.having(form))
		}
	}
	return c
}

// initialled gives who has one of these as initials.
func (x *index) initialled(forms []string) (c candidates) {
	for _, form := range forms {
		if mayBeInitials(form) {
			c = append(c, x.grams[gramOf(asInitials, form)])
		}
	}
	return c
}

// nameBeginnings gives who has a name beginning with one of these.
func (x *index) nameBeginnings(forms []string) candidates {
	var c candidates
	for _, form := range forms {
		g := gram{place: beginsName}
		copy(g.chars[:], firstRunes(form, 3))
		list := x.grams[g]
		if utf8.RuneCountInString(form) > 3 {
			if rare := x.rarest(form); len(rare) < len(list) {
				list = rare
			}
		}
		c = append(c, list)
	}
	return c
}

// addressBeginnings gives who has an address that begins with this one.
func (x *index) addressBeginnings(address string) candidates {
	g := gram{place: beginsAddress}
	copy(g.chars[:], firstRunes(address, 3))
	fewest := candidates{x.grams[g]}
	local, _, _ := strings.Cut(address, "@")
	for _, p := range pieces(local) {
		if c := x.parts([]string{p.plain}); c.size() < fewest.size() {
			fewest = c
		}
	}
	return fewest
}

// anyOf gives everybody who may match a term in any way.
func (x *index) anyOf(t *term) candidates {
	if t.address != "" {
		return x.addressBeginnings(t.address)
	}
	c := append(x.parts(t.forms), x.initialled(t.forms)...)
	for _, form := range t.forms {
		c = append(c, x.grams[gramOf(beginsRole, form)])
	}
	for _, start := range t.starts {
		c = append(c, x.rarest(start))
	}
	return c
}

// parts gives who has one of these anywhere in a word or number, or, if it is
// too short to be looked for anywhere, at the beginning of a word.
func (x *index) parts(forms []string) candidates {
	var c candidates
	for _, form := range forms {
		if utf8.RuneCountInString(form) >= 3 || unspaced(form) {
			c = append(c, x.rarest(form))
			continue
		}
		for _, p := range []place{beginsName, beginsOther} {
			g := gram{place: p}
			copy(g.chars[:], firstRunes(form, 2))
			c = append(c, x.grams[g])
		}
	}
	return c
}

// rarest gives the shortest list under which whoever holds form must stand.
func (x *index) rarest(form string) []parley.PersonID {
	var list []parley.PersonID
	first := true
	runs(form, func(g gram) {
		if l := x.grams[g]; first || len(l) < len(list) {
			list, first = l, false
		}
	})
	return list
}

func with(list []parley.PersonID, id parley.PersonID) []parley.PersonID {
	if n := len(list); n == 0 || list[n-1] < id {
		return append(list, id)
	}
	i, found := slices.BinarySearch(list, id)
	if found {
		return list
	}
	return slices.Insert(list, i, id)
}

func without(list []parley.PersonID, id parley.PersonID) []parley.PersonID {
	if i, found := slices.BinarySearch(list, id); found {
		return slices.Delete(list, i, i+1)
	}
	return list
}
