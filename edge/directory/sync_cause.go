package directory

import (
	"crypto/x509"
	"errors"

	"github.com/go-ldap/ldap/v3"
)

// CauseOf says in one word why a directory could not be read: "certificate",
// "encryption", "size-limit", "no-base", "no-group", "refused" (the account, or a
// right of it), "failed" (the server answers, and not what was asked) or
// "unreachable".
func CauseOf(err error) string {
	authority, invalid, name := new(x509.UnknownAuthorityError), new(x509.CertificateInvalidError), new(x509.HostnameError)
	answer, _ := errors.AsType[*ldap.Error](err)
	switch {
	case errors.As(err, authority), errors.As(err, invalid), errors.As(err, name):
		return "certificate"
	case errors.Is(err, ErrNoStartTLS), errors.Is(err, ErrPlaintext):
		return "encryption"
	case errors.Is(err, ErrSizeLimit):
		return "size-limit"
	case errors.Is(err, ErrNoBase):
		return "no-base"
	case errors.Is(err, ErrNoGroup):
		return "no-group"
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInsufficientAccessRights,
		ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired):
		return "refused"
	case answer != nil && answer.ResultCode < ldap.ErrorNetwork, errors.Is(err, ErrResync):
		return "failed"
	}
	return "unreachable"
}
