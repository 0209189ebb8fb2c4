package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"parley"
)

// maxLogin is the longest name that somebody can sign in with, in bytes.
const maxLogin = 320

// notInAccountName are the ASCII characters that the name of an account in Active
// Directory cannot hold ([MS-SAMR] §3.1.1.6).
const notInAccountName = `"/\[]:;|=,+*?<>@`

// login is what somebody types to say who they are.
type login struct {
	typed   string // without surrounding space, as the directory gets it
	address string // sign-in address in normal form; empty: DOMAIN\name, or no name that an address can have
}

// key is what failures are counted under.
func (l login) key() string {
	if l.address != "" {
		return l.address
	}
	return strings.ToLower(l.typed)
}

// parseLogin reads a sign-in address, a name that the default domain completes
// to one, and where there is a directory DOMAIN\name and the names that only it
// has. The refusal of anything else names the field "address".
func (a *Authority) parseLogin(s string) (login, error) {
	s = strings.TrimSpace(s)
	if strings.Contains(s, "@") {
		address, err := NormalAddress(s)
		return login{typed: s, address: address}, err
	}
	if domain, name, down := strings.Cut(s, `\`); down {
		if a.directory != nil && isAccountName(domain) && isAccountName(name) {
			return login{typed: s}, nil
		}
		return login{}, parley.RefuseField("address.invalid", "address")
	}
	if a.defaultDomain != "" {
		if address, err := NormalAddress(s + "@" + a.defaultDomain); err == nil {
			return login{typed: s, address: address}, nil
		}
	}
	if a.directory != nil && isAccountName(s) {
		return login{typed: s}, nil
	}
	return login{}, parley.RefuseField("address.invalid", "address")
}

// isAccountName reports whether s can be the name of an account, or of a domain.
func isAccountName(s string) bool {
	return s != "" && len(s) <= maxLogin && utf8.ValidString(s) && strings.TrimSpace(s) == s && !strings.ContainsAny(s, notInAccountName) &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || !unicode.IsPrint(r) })
}

// SignInDomain is the domain whose server somebody signs in at; empty: this one's,
// because what they typed names no other.
func (a *Authority) SignInDomain(typed string) (string, error) {
	if strings.Contains(typed, "@") {
		return DomainOf(typed)
	}
	_, err := a.parseLogin(typed)
	return "", err
}
