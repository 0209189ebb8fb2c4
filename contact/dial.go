package contact

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// DialString gives the E.164 form ("+493020930004") of a number as a directory
// writes it. region, an ISO 3166 code, completes a number without a country
// code. A number that cannot be dialled from everywhere (a bare extension such
// as "-0004", a local number without its area code, a text) gives "".
func DialString(number, region string) string {
	number = trimNumber(number)
	if number == "" || len(number) > maxNumber || strings.ContainsRune("-/.*#", rune(number[0])) {
		return ""
	}
	region = strings.ToUpper(region)
	number, international := abroad(number)
	if !international && !withAreaCode(number, region) {
		return ""
	}
	parsed, ok := parseNumber(number, region)
	if !ok {
		return ""
	}
	// A country code vouches for the number; without one it has to be one of the
	// region's, or an extension would pass for a short number.
	if international && !phonenumbers.IsPossibleNumber(parsed) || !international && !phonenumbers.IsValidNumber(parsed) {
		return ""
	}
	dial := phonenumbers.Format(parsed, phonenumbers.E164)
	if len(dial) < minDial {
		return ""
	}
	return dial
}

// abroad gives a trimmed number with its country code in the form "+49…", and
// reports whether it has one. A "(0)" is dialled only inside the country.
func abroad(number string) (string, bool) {
	if rest, ok := strings.CutPrefix(number, "00"); ok {
		number = "+" + rest
	}
	if !strings.HasPrefix(number, "+") {
		return number, false
	}
	return strings.Replace(number, "(0)", "", 1), true
}

// parseNumber takes a number apart, its extension included.
func parseNumber(number, region string) (*phonenumbers.PhoneNumber, bool) {
	number, _ = abroad(trimNumber(number))
	parsed, err := phonenumbers.Parse(number, strings.ToUpper(region))
	return parsed, err == nil
}

// withAreaCode reports whether a number without a country code can have its area
// code: it is in parentheses, or stands behind the prefix that the region dials
// before area codes, where it has one that people write.
func withAreaCode(number, region string) bool {
	if strings.HasPrefix(number, "(") {
		return true
	}
	prefix := phonenumbers.GetNddPrefixForRegion(region, true)
	return prefix != "0" || strings.HasPrefix(number, prefix)
}

// trimNumber takes what surrounds a number away and makes its digits ASCII.
func trimNumber(number string) string {
	number = strings.TrimSpace(number)
	if len(number) > len("tel:") && strings.EqualFold(number[:len("tel:")], "tel:") {
		number = number[len("tel:"):]
	}
	return strings.Map(asciiDigit, number)
}

const (
	maxNumber = 64 // longer than any number with all its punctuation
	minDial   = 8  // the shortest E.164 number in use; emergency and service numbers are shorter
)

// minRun is how many digits in a row are looked for in phone numbers.
const minRun = 3

// searchDigits gives the runs of digits under which a number is found: those of
// its E.164 form, and those that are written where they differ.
func searchDigits(number, region string) []string {
	number = trimNumber(number)
	written := digits(number)
	if len(written) < minRun {
		return nil
	}
	if strings.HasPrefix(number, "+") {
		return []string{written}
	}
	if full, ok := strings.CutPrefix(written, "00"); ok && len(full) >= minRun {
		return []string{full}
	}
	region = strings.ToUpper(region)
	code := phonenumbers.GetCountryCodeForRegion(region)
	if code == 0 || !withAreaCode(number, region) {
		return []string{written}
	}
	// What DialString gives, without its checks: they cost more than all the rest
	// of taking somebody into the index, and a search needs none.
	full := strconv.Itoa(code) + strings.TrimPrefix(written, phonenumbers.GetNddPrefixForRegion(region, true))
	if strings.HasSuffix(full, written) {
		return []string{full}
	}
	return []string{full, written}
}

// digits gives the digits of a trimmed number, without a "(0)" that is dialled
// only inside the country.
func digits(number string) string {
	if len(number) > 2*maxNumber {
		return ""
	}
	if strings.HasPrefix(number, "+") {
		number = strings.Replace(number, "(0)", "", 1)
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
}
