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
//   - the first one, two and three characters of every word of a name, and the
//     first one and two of every other word,
//   - the first one, two and three characters of every address,
//   - every three characters in a row anywhere in a word or number, and every
//     single one in a script without spaces.
//
// It is changed person by person in place: an import costs each person's own
// lists and nothing else.
type index struct {
	words map[string][]parley.PersonID
	grams map[gram][]parley.PersonID
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
)

func newIndex() index {
	return index{words: make(map[string][]parley.PersonID), grams: make(map[gram][]parley.PersonID)}
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
	})
}

// each gives everything under which an entry stands, some of it more than once.
func (x *index) each(e *entry, word func(string), use func(gram)) {
	e.sections(func(mark byte, words string) {
		words, addresses, _ := strings.Cut(words, string(rune(addressMark)))
		if addresses != "" {
			for a := range strings.SplitSeq(addresses, string(rune(addressMark))) {
				beginning(a, beginsAddress, 3, use)
			}
		}
		for w := range strings.FieldsSeq(words) {
			if mark == sectionName || mark == sectionAlias {
				word(w)
			}
			switch {
			case mark == sectionName:
				beginning(w, beginsName, 3, use)
			case mark < sectionWorkPhone:
				beginning(w, beginsOther, 2, use)
			}
			runs(w, use)
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

// wholeWords gives who has one of these words as a whole.
func (x *index) wholeWords(forms []string) candidates {
	var c candidates
	for _, form := range forms {
		c = append(c, x.words[form])
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
