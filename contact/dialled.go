package contact

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// People type a number as they would dial it from where they are: "0047 22…",
// "011 47 22…" in North America, "9 011…" behind a switchboard, "022…" inside the
// country. The index has numbers by their country code.

// abroadFrom are regions whose prefixes for calls abroad are recognised wherever
// the organisation is. Others of the same prefix need not be here.
var abroadFrom = []string{"DE", "US", "AU", "JP", "RU", "HK", "KR", "SG", "IL", "BR", "FI", "NG"}

// outsideLines are digits that a switchboard wants before an outside call.
const outsideLines = "09"

// minDialled is how many digits have to be left once what is only dialled is taken
// away.
const minDialled = 4

// dialled gives the digits with which a number begins, country code first, that
// somebody who types run may mean. region is the organisation's.
func dialled(run, region string) []string {
	var starts []string
	add := func(digits string) {
		if len(digits) >= minDialled && digits != run && !slices.Contains(starts, digits) {
			starts = append(starts, digits)
		}
	}
	tries := []string{run}
	if len(run) > minDialled+2 && strings.IndexByte(outsideLines, run[0]) >= 0 {
		tries = append(tries, run[1:])
	}
	for _, try := range tries {
		if len(try) > 2*maxNumber/4 {
			continue
		}
		for _, from := range slices.Concat([]string{strings.ToUpper(region)}, abroadFrom) {
			if from == "" {
				continue
			}
			if digits, ok := asDialledIn(try, from, from == strings.ToUpper(region)); ok {
				add(digits)
			}
		}
	}
	return starts
}

// asDialledIn gives the number, country code first, that somebody in a region
// reaches who dials these digits: abroad, or with inland also inside the region.
func asDialledIn(run, region string, inland bool) (string, bool) {
	parsed, err := phonenumbers.ParseAndKeepRawInput(run, region)
	if err != nil {
		return "", false
	}
	switch parsed.GetCountryCodeSource() {
	case phonenumbers.PhoneNumber_FROM_NUMBER_WITH_IDD:
	case phonenumbers.PhoneNumber_FROM_DEFAULT_COUNTRY:
		if !inland {
			return "", false
		}
	default:
		return "", false
	}
	return strconv.Itoa(int(parsed.GetCountryCode())) + phonenumbers.GetNationalSignificantNumber(parsed), true
}

// extension is what stands before an extension at the end of a number.
var extension = regexp.MustCompile(`(?i)\s*(?:;?ext(?:ension)?|x|durchwahl|dw|app(?:arat)?|#)[.:=]?\s*([0-9]{1,7})\s*$`)

// splitExtension takes the extension off a number that is typed.
func splitExtension(s string) (number, ext string) {
	if m := extension.FindStringSubmatchIndex(s); m != nil && m[0] > 0 {
		return s[:m[0]], s[m[2]:m[3]]
	}
	return s, ""
}
