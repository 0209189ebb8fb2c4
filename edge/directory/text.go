package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxText     = 256     // runes of a name, title or phone number
	maxTextRead = 4 << 10 // bytes of a value that are looked at at all
	maxAddress  = 254     // bytes of an address (RFC 5321 §4.5.3.1.3)
)

// clean makes a directory text fit to be shown next to others: Unicode form C,
// at most 256 runes, no control characters, and none of the invisible characters
// by which a name can turn its surroundings around or pass for another name.
func clean(s string) string {
	if len(s) > maxTextRead {
		s = strings.ToValidUTF8(s[:maxTextRead], "")
	}
	s = strings.Map(visible, s)
	s = strings.TrimSpace(norm.NFC.String(s))
	if len(s) > maxText && utf8.RuneCountInString(s) > maxText {
		s = strings.TrimSpace(string([]rune(s)[:maxText]))
	}
	return s
}

// visible maps a rune to what clean makes of it; -1 removes it.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
		return ' ' // addresses are written in lines
	case unicode.IsControl(r) || hidden(r):
		return -1
	default:
		return r
	}
}

// hidden reports whether r is a bidirectional control or an invisible character
// without a use in names. The joiners U+200C and U+200D have one (Persian,
// Indic scripts, emoji).
func hidden(r rune) bool {
	switch {
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u206f':
		return true // embeddings, overrides, isolates, deprecated controls
	case r == '\u200e', r == '\u200f', r == '\u061c':
		return true // direction marks
	case r == '\u200b', r == '\u2060', r == '\ufeff', r == '\u00ad', r == '\u180e':
		return true // zero-width spaces, soft hyphen
	case r >= '\ufff9' && r <= '\ufffb', r >= 0xe0000 && r <= 0xe007f:
		return true // annotations, tags
	default:
		return false
	}
}

// address returns s as a mail or sign-in address: "user@domain" in lower case
// and form C. Unlike clean it removes nothing: an address with an invisible
// character in it is no address, or it could pass for somebody else's.
func address(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if len(s) > maxAddress || !utf8.ValidString(s) {
		return "", false
	}
	user, domain, ok := strings.Cut(s, "@")
	if !ok || user == "" || domain == "" || strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") {
		return "", false
	}
	for _, r := range user {
		if badInAddress(r) {
			return "", false
		}
	}
	for _, r := range domain {
		if badInAddress(r) || r < 0x80 && r != '.' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return "", false
		}
	}
	return norm.NFC.String(strings.ToLower(norm.NFC.String(s))), true
}

func badInAddress(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune(`@<>()[]\,;:"`, r)
}
