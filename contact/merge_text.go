package contact

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// spaced gives a text as it is shown: without space around it, and one space
// between words.
func spaced(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.Is(unicode.White_Space, r) || unicode.Is(unicode.Cc, r) }), " ")
}

// textKey gives the form in which two values of a field are compared.
func textKey(s string) string {
	return norm.NFC.String(strings.Map(lowerLetter, spaced(norm.NFKC.String(s))))
}

// minNational is how many digits a number without its country needs to be taken
// for the end of a full one.
const minNational = 7

// phoneForm is a number for comparing: its digits with the country code, or
// those that there are.
type phoneForm struct {
	full     string // of the E.164 form, or what is written with + or 00
	national string // else
	text     string // else
}

func (f phoneForm) empty() bool { return f.full == "" && f.national == "" && f.text == "" }

// same reports whether two forms are one number. A number without its country is
// the same as a full one that ends with it.
func (f phoneForm) same(o phoneForm) bool {
	switch {
	case f.full != "" && o.full != "":
		return f.full == o.full
	case f.full != "" && o.national != "":
		return endsWith(f.full, o.national)
	case f.national != "" && o.full != "":
		return endsWith(o.full, f.national)
	case f.national != "" || o.national != "":
		return f.national == o.national
	default:
		return f.full == o.full && f.text == o.text
	}
}

func endsWith(full, national string) bool {
	national = strings.TrimLeft(national, "0")
	return len(national) >= minNational && strings.HasSuffix(full, national)
}

func formOf(p RecordPhone) phoneForm {
	if digits, ok := strings.CutPrefix(p.Dial, "+"); ok {
		if digits = phoneDigits(digits); digits != "" {
			return phoneForm{full: digits}
		}
	}
	number := strings.Map(asciiDigit, spaced(norm.NFKC.String(p.Number)))
	key := textKey(p.Number)
	if len(number) > len("tel:") && strings.EqualFold(number[:len("tel:")], "tel:") {
		number, _, _ = strings.Cut(number[len("tel:"):], ";")
	}
	if plus, ok := strings.CutPrefix(number, "+"); ok {
		if digits := phoneDigits(strings.Replace(plus, "(0)", "", 1)); digits != "" {
			return phoneForm{full: digits}
		}
	}
	digits := phoneDigits(number)
	if rest, ok := strings.CutPrefix(digits, "00"); ok && len(rest) >= minNational {
		return phoneForm{full: rest}
	}
	if digits != "" {
		return phoneForm{national: digits}
	}
	return phoneForm{text: key}
}

func phoneDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
