package contact

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxInitials bounds how many words of a name count for its initials.
const maxInitials = 5

// initials gives the initials under which a name is found: those of two or three
// of its words, in their order ("sa" for "Søren Ångström").
func initials(name []piece) []string {
	var first []string
	for _, p := range name {
		if r, _ := utf8.DecodeRuneInString(p.plain); unicode.IsLetter(r) && !isUnspaced(r) && len(first) < maxInitials {
			first = append(first, string(r))
		}
	}
	var list []string
	for i := range first {
		for j := i + 1; j < len(first); j++ {
			list = append(list, first[i]+first[j])
			for k := j + 1; k < len(first); k++ {
				list = append(list, first[i]+first[j]+first[k])
			}
		}
	}
	return list
}

// nameInitials gives the initials of a person: of the display name, and of given
// name and surname in that order, which a directory may write the other way round.
func nameInitials(display []piece, given, surname string) []string {
	list := append(initials(display), initials(append(pieces(given), pieces(surname)...))...)
	slices.Sort(list)
	return slices.Compact(list)
}

// mayBeInitials reports whether a folded word of a search text could be initials.
func mayBeInitials(form string) bool {
	n := utf8.RuneCountInString(form)
	return n >= 2 && n <= 3 && !strings.ContainsFunc(form, func(r rune) bool { return !unicode.IsLetter(r) || isUnspaced(r) })
}
