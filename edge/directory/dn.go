package directory

import (
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// NormalDN brings a distinguished name (RFC 4514) into the form in which two
// names of the same entry are equal strings: attribute types and values in lower
// case, values in Unicode form C with spaces at the ends removed and inner runs
// of spaces made one, characters escaped only where the form needs it, the parts
// of a multi-valued RDN sorted. It errs on the side of "equal" for directories
// that tell values by case, which no person's entry depends on.
//
// The error is ErrDN, also for the empty name.
func NormalDN(dn string) (string, error) {
	if len(dn) > MaxDN || !utf8.ValidString(dn) {
		return "", ErrDN
	}
	var rdns, parts []string
	for rest := dn; ; {
		part, sep, tail := cutUnescaped(rest)
		normal, err := normalPart(part)
		if err != nil {
			return "", err
		}
		parts = append(parts, normal)
		if sep != '+' {
			slices.Sort(parts)
			rdns = append(rdns, strings.Join(parts, "+"))
			parts = parts[:0]
		}
		if sep == 0 {
			return strings.Join(rdns, ","), nil
		}
		rest = tail
	}
}

// cutUnescaped cuts s at the first ',' or '+' that is not escaped. The separator
// is 0 at the end of the name.
func cutUnescaped(s string) (part string, sep byte, rest string) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ',', '+':
			return s[:i], s[i], s[i+1:]
		}
	}
	return s, 0, ""
}

// normalPart normalises one "type=value".
func normalPart(part string) (string, error) {
	kind, value, ok := strings.Cut(part, "=")
	kind = strings.ToLower(strings.Trim(kind, " "))
	if !ok || !parseAttribute(kind).valid || strings.Contains(kind, ";") {
		return "", ErrDN
	}
	value = strings.TrimLeft(value, " ")
	if strings.HasPrefix(value, "#") { // the BER form (RFC 4514 §2.4) stays as it is
		value = strings.ToLower(strings.TrimRight(value, " "))
		if _, err := hex.DecodeString(value[1:]); err != nil || value == "#" {
			return "", ErrDN
		}
		return kind + "=" + value, nil
	}
	value, err := unescape(value)
	if err != nil {
		return "", err
	}
	return kind + "=" + escape(foldValue(value)), nil
}

// foldValue makes values equal that a case-ignoring match (RFC 4518) takes for
// equal, as far as names in practice need it.
func foldValue(s string) string {
	s = norm.NFC.String(strings.ToLower(norm.NFC.String(s)))
	for strings.Contains(s, "  ") {
		s = strings.ReplaceAll(s, "  ", " ")
	}
	return strings.Trim(s, " ")
}

// unescape resolves `\,` and `\2C` (RFC 4514 §3).
func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		rest := s[i+1:]
		if len(rest) >= 2 {
			if b, err := hex.DecodeString(rest[:2]); err == nil {
				out = append(out, b[0])
				i += 2
				continue
			}
		}
		if rest == "" || !strings.ContainsRune(` "#+,;<=>\`, rune(rest[0])) {
			return "", ErrDN
		}
		out = append(out, rest[0])
		i++
	}
	if !utf8.Valid(out) {
		return "", ErrDN
	}
	return string(out), nil
}

var escaper = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `+`, `\+`)

// escape writes a value so that it reads back as itself.
func escape(s string) string {
	s = escaper.Replace(s)
	if strings.HasPrefix(s, "#") {
		s = `\` + s
	}
	return s
}
