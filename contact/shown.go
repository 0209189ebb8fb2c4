package contact

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// ShownNumber gives the form of a number for reading: the national one inside the
// organisation's region, the international one otherwise, an extension behind it.
// region completes a number without a country code. What cannot be dialled from
// everywhere (an extension, a text) is shown as it is written.
func ShownNumber(number, region, organisation string) string {
	written := strings.TrimSpace(number)
	if DialString(number, region) == "" {
		return written
	}
	parsed, ok := parseNumber(number, region)
	if !ok {
		return written
	}
	form := phonenumbers.INTERNATIONAL
	if organisation != "" && phonenumbers.IsValidNumberForRegion(parsed, strings.ToUpper(organisation)) {
		form = phonenumbers.NATIONAL
	}
	return phonenumbers.Format(parsed, form)
}
