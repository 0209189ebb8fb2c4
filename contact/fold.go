package contact

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Search compares folded words: lower case, without accents, with special
// letters spelt out. Names that have two customary spellings ("Müller", "mueller"
// and "muller") fold to both.

// letters are those that no decomposition takes apart: the plain spelling, and
// the one that speakers use where they lack the letter.
var letters = map[rune][2]string{
	'ä': {"a", "ae"}, 'ö': {"o", "oe"}, 'ü': {"u", "ue"}, 'ß': {"ss", "ss"},
	'å': {"a", "aa"}, 'æ': {"ae", "ae"}, 'ø': {"o", "oe"}, 'œ': {"oe", "oe"},
	'đ': {"d", "d"}, 'ð': {"d", "d"}, 'þ': {"th", "th"}, 'ł': {"l", "l"},
	'ħ': {"h", "h"}, 'ı': {"i", "i"}, 'ŋ': {"n", "n"}, 'ŧ': {"t", "t"}, 'ə': {"e", "e"},
	'ς': {"σ", "σ"},
	'ى': {"ي", "ي"}, 'ة': {"ه", "ه"}, 'ـ': {"", ""},
}

// maxWords bounds what one text adds to the index, whatever it holds.
const maxWords = 32

// piece is a folded word, and how it stands to its neighbours.
type piece struct {
	plain  string // "muller"
	spelt  string // "mueller", or plain
	joined bool   // to the one before, by a hyphen or an apostrophe
}

// pieces takes a text apart into folded words.
func pieces(s string) []piece {
	var list []piece
	joined := false
	rest := norm.NFC.String(s)
	for rest != "" && len(list) < maxWords {
		end := strings.IndexFunc(rest, notInWord)
		if end < 0 {
			end = len(rest)
		}
		if plain, spelt := foldWord(rest[:end]); plain != "" {
			list = append(list, piece{plain, spelt, joined && len(list) > 0})
			joined = true
		}
		rest = rest[end:]
		start := strings.IndexFunc(rest, func(r rune) bool { return !notInWord(r) })
		if start < 0 {
			break
		}
		for _, r := range rest[:start] {
			joined = joined && isJoiner(r)
		}
		rest = rest[start:]
	}
	return list
}

// foldWord folds one word without separators.
func foldWord(s string) (plain, spelt string) {
	if isASCII(s) {
		plain = strings.ToLower(s)
		return plain, plain
	}
	var p, q strings.Builder
	for _, r := range s {
		r = unicode.ToLower(r)
		if l, special := letters[r]; special {
			p.WriteString(l[0])
			q.WriteString(l[1])
			continue
		}
		for _, r := range norm.NFKD.String(string(r)) {
			if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Mc, r) {
				r = asciiDigit(unicode.ToLower(r))
				p.WriteRune(r)
				q.WriteRune(r)
			}
		}
	}
	// Taking accents away leaves Korean syllables in parts; this joins them again.
	return norm.NFC.String(p.String()), norm.NFC.String(q.String())
}

// indexWords gives every folded word under which a text is found: each word, in
// both spellings, and "oneill" and "smithjones" beside "o neill" and "smith
// jones". Names written without spaces are also joined as a whole.
func indexWords(list []piece) []string {
	var words []string
	add := func(s string) {
		for _, w := range words {
			if w == s {
				return
			}
		}
		words = append(words, s)
	}
	both := func(run []piece) {
		var plain, spelt strings.Builder
		for _, p := range run {
			plain.WriteString(p.plain)
			spelt.WriteString(p.spelt)
		}
		add(plain.String())
		add(spelt.String())
	}
	allUnspaced := len(list) > 1
	for i := range list {
		both(list[i : i+1])
		allUnspaced = allUnspaced && unspaced(list[i].plain)
	}
	for start := 0; start < len(list); {
		end := start + 1
		for end < len(list) && list[end].joined {
			end++
		}
		if end-start > 1 {
			both(list[start:end])
		}
		start = end
	}
	if allUnspaced {
		both(list)
	}
	return words
}

// plainText joins the words of a text in their plain spelling: what names are
// ordered by.
func plainText(list []piece) string {
	plain := make([]string, len(list))
	for i, p := range list {
		plain[i] = p.plain
	}
	return strings.Join(plain, " ")
}

// unspaced reports whether a word is in a script that writes names without
// spaces, so that any part of it may be looked for.
func unspaced(s string) bool {
	return strings.ContainsFunc(s, isUnspaced)
}

func isUnspaced(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

func notInWord(r rune) bool {
	return isJoiner(r) || !unicode.In(r, unicode.Letter, unicode.Number, unicode.Mark, unicode.Cf)
}

// isJoiner reports whether r ties two words into one name: hyphens and
// apostrophes in their many forms.
func isJoiner(r rune) bool {
	return strings.ContainsRune("-'’‘`´ʼʻ‐‑–·׳״＇－", r)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// asciiDigit makes the digits of Arabic and Persian keyboards those of ASCII.
func asciiDigit(r rune) rune {
	switch {
	case r >= '٠' && r <= '٩':
		return '0' + r - '٠'
	case r >= '۰' && r <= '۹':
		return '0' + r - '۰'
	default:
		return r
	}
}
