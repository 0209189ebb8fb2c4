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
	if national, ok := nationalForm(parsed, strings.ToUpper(organisation)); ok {
		return national
	}
	return phonenumbers.Format(parsed, phonenumbers.INTERNATIONAL)
}

// nationalForm gives the form of a number inside a region, if it is one of the
// region's that can be dialled so.
func nationalForm(number *phonenumbers.PhoneNumber, region string) (string, bool) {
	if phonenumbers.GetCountryCodeForRegion(region) != int(number.GetCountryCode()) {
		return "", false
	}
	national := phonenumbers.Format(number, phonenumbers.NATIONAL)
	if phonenumbers.IsValidNumberForRegion(number, region) {
		return national, true
	}
	// Of a number that is not known to be in use nothing says where its area code
	// ends, unless what is dialled before area codes stands there.
	prefix := phonenumbers.GetNddPrefixForRegion(region, true)
	return national, prefix != "" && strings.HasPrefix(national, prefix)
}
