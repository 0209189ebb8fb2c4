package contact

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// maxIdentifier is the longest text, in characters, that is taken for an address.
const maxIdentifier = 320

// Identifier gives the one form in which addresses of people are compared,
// whether they are sign-in, SIP or mail addresses: without surrounding space, a
// name around it, or a scheme (sip:, mailto:) and its parameters; compatible
// characters made equal (NFKC), in lower case, an international domain as
// A-labels. Dots and what stands behind a plus are part of a local part. A text
// that is no address gives "", which equals nobody's.
//
// The web app has its twin (web/src/core/sources/identifier.ts); the cases in
// testdata/merge/identifiers.json hold them together.
func Identifier(s string) string {
	if len(s) > 4*maxIdentifier || !utf8.ValidString(s) {
		return ""
	}
	s = strings.TrimFunc(norm.NFKC.String(s), blank)
	if open := strings.LastIndexByte(s, '<'); open >= 0 && strings.HasSuffix(s, ">") {
		s = strings.TrimFunc(s[open+1:len(s)-1], blank)
	}
	s, ok := withoutScheme(s)
	if !ok || utf8.RuneCountInString(s) > maxIdentifier {
		return ""
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || strings.ContainsFunc(s, blank) {
		return ""
	}
	local := norm.NFC.String(strings.Map(lowerLetter, s[:at]))
	domain := identifierDomain(s[at+1:])
	if domain == "" || strings.ContainsAny(local, `"(),:;<>@[\]`) {
		return ""
	}
	return local + "@" + domain
}

// identifierScheme are the schemes that addresses of people are written with.
// Exchange writes smtp: (and SMTP: for the primary one).
var identifierScheme = regexp.MustCompile(`^(?i:mailto|smtp|sips?|im):`)

// withoutScheme takes a scheme away, and with it what only a URI has: escapes,
// parameters, headers. ok is false for escapes that are none.
func withoutScheme(s string) (rest string, ok bool) {
	scheme := identifierScheme.FindString(s)
	if scheme == "" {
		return s, true
	}
	s = s[len(scheme):]
	if end := strings.IndexAny(s, ";?"); end >= 0 {
		s = s[:end]
	}
	s, err := url.PathUnescape(s)
	if err != nil || !utf8.ValidString(s) {
		return "", false
	}
	return strings.TrimFunc(norm.NFKC.String(s), blank), true
}

// lowerLetter makes a letter small, and the two small sigmas one.
func lowerLetter(r rune) rune {
	if r = unicode.ToLower(r); r == 'ς' {
		return 'σ'
	}
	return r
}

// blank reports what separates words or cannot be seen.
func blank(r rune) bool {
	return unicode.Is(unicode.White_Space, r) || unicode.In(r, unicode.Cc, unicode.Cf)
}

var (
	// anyDomain maps a domain as browsers do (UTS 46, not transitional), without
	// the lengths of the DNS.
	anyDomain = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.CheckJoiners(true),
		idna.CheckHyphens(false), idna.StrictDomainName(false), idna.VerifyDNSLength(false))
	asciiDomain = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)

	// lastIsNumber is what browsers take for an IPv4 address.
	lastIsNumber = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)$`)
)

// identifierDomain gives the form of a domain for comparing, or "".
func identifierDomain(s string) string {
	s = strings.TrimSuffix(s, ".")
	if isASCII(s) {
		if s = strings.ToLower(s); asciiDomain.MatchString(s) {
			return s
		}
		return ""
	}
	domain, err := anyDomain.ToASCII(s)
	domain = strings.TrimSuffix(domain, ".")
	if err != nil || !asciiDomain.MatchString(domain) || lastIsNumber.MatchString(domain) {
		return ""
	}
	return domain
}
