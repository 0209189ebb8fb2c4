package account

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/precis"

	"parley"
)

// Limits of a sign-in address, in bytes (RFC 5321 §4.5.3.1).
const (
	maxAddress   = 254
	maxLocalPart = 64
)

// notInLocalPart are the ASCII characters that an unquoted local part cannot
// hold (RFC 5322 §3.2.3); precis has refused spaces and controls already.
const notInLocalPart = `"(),:;<>@[\]`

// domainProfile maps and checks a domain as a lookup does (RFC 5891 §5), with the
// lengths of the DNS and its letters, digits and hyphens.
var domainProfile = idna.New(
	idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true),
	idna.StrictDomainName(true), idna.VerifyDNSLength(true),
)

// NormalAddress gives the one form in which a sign-in address is stored and
// compared: without surrounding space, the local part in lower case and NFC (RFC
// 8265 §3.3), the domain as NormalDomain gives it. The refusal of anything else
// names the field "address".
func NormalAddress(s string) (string, error) {
	local, domain, err := splitAddress(s)
	if err != nil {
		return "", err
	}
	return local + "@" + domain, nil
}

// DomainOf returns the domain of a sign-in address in its normal form.
func DomainOf(address string) (string, error) {
	_, domain, err := splitAddress(address)
	return domain, err
}

// NormalDomain gives the one form in which a domain is stored and compared:
// ASCII, lower case, international labels as A-labels (RFC 5891 §5), no dot at
// the end.
func NormalDomain(s string) (string, error) {
	if len(s) > 1000 {
		return "", parley.RefuseField("address.invalid", "address")
	}
	domain, err := domainProfile.ToASCII(strings.TrimSuffix(strings.TrimSpace(s), "."))
	if err != nil || strings.HasSuffix(domain, ".") {
		return "", &parley.Error{Kind: parley.Invalid, Key: "address.invalid", Field: "address", Err: err}
	}
	return domain, nil
}

func splitAddress(s string) (local, domain string, err error) {
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at < 1 || len(s) > 2*maxAddress || !utf8.ValidString(s) {
		return "", "", parley.RefuseField("address.invalid", "address")
	}
	if local, err = normalLocalPart(s[:at]); err != nil {
		return "", "", err
	}
	if domain, err = NormalDomain(s[at+1:]); err != nil {
		return "", "", err
	}
	if len(local)+1+len(domain) > maxAddress {
		return "", "", parley.RefuseField("address.invalid", "address")
	}
	return local, domain, nil
}

// normalLocalPart applies the profile until nothing changes any more: RFC 8264
// §7 warns that once may not be enough.
func normalLocalPart(s string) (string, error) {
	for range 4 {
		next, err := precis.UsernameCaseMapped.String(s)
		if err != nil || len(next) > maxLocalPart || strings.ContainsAny(next, notInLocalPart) {
			break
		}
		if next == s {
			return s, nil
		}
		s = next
	}
	return "", parley.RefuseField("address.invalid", "address")
}
