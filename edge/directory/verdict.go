package directory

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Outcome is what a directory says to somebody who signs in.
type Outcome uint8

// The outcomes. All but Wrong are said to whoever has the right password only, so
// that nobody else learns which accounts there are. A locked account is Wrong: it
// is locked for whoever guesses, too.
const (
	Wrong           Outcome = iota // the password, or the account
	Right                          //
	Disabled                       // the account
	AccountExpired                 //
	PasswordExpired                //
	MustChange                     // the password, before anything else
	Hours                          // not at this time
	Workstation                    // not from this machine
)

var outcomeNames = [...]string{"wrong", "right", "disabled", "account expired", "password expired", "must change", "not at this hour", "not from here"}

// String names the outcome for people who run the server.
func (o Outcome) String() string { return outcomeNames[o] }

// Verdict is what came of checking a password.
type Verdict struct {
	Outcome  Outcome
	SourceID string // whose password it is; empty: there is no such account
}

// subCode finds Active Directory's own reason in the text of a refusal, such as
// "80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data
// 52e, v3839" (MS-ERREF §2.2, in hexadecimal).
var subCode = regexp.MustCompile(`AcceptSecurityContext error, data ([0-9a-fA-F]{1,8})\b`)

// subCodes are the reasons that come with the right password only. The others,
// 525 (no such user), 52e (wrong password) and 775 (locked), do not.
var subCodes = map[string]Outcome{
	"530": Hours, "531": Workstation, "532": PasswordExpired, "533": Disabled, "701": AccountExpired, "773": MustChange,
}

// Errors of the password policy control (draft-behera-ldap-password-policy-10
// §6.2).
const (
	policyExpired    = 0
	policyMustChange = 2
)

// judge says what the answer to a bind means. An error says that it is no answer
// about the password.
func judge(result *ldap.SimpleBindResult, err error) (Outcome, error) {
	policy := policyError(result)
	if err == nil {
		switch policy {
		case policyMustChange:
			return MustChange, nil
		case policyExpired:
			return PasswordExpired, nil
		}
		return Right, nil
	}
	answer, ok := err.(*ldap.Error)
	if !ok {
		return Wrong, fmt.Errorf("%w: %w", errStrange, err)
	}
	switch answer.ResultCode {
	case ldap.LDAPResultInvalidCredentials:
		if found := subCode.FindStringSubmatch(answer.Error()); found != nil {
			return subCodes[strings.ToLower(found[1])], nil // Wrong for those that are none
		}
		if policy == policyExpired { // said only once the password was found right
			return PasswordExpired, nil
		}
		return Wrong, nil
	case ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultInappropriateAuthentication,
		ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultConstraintViolation:
		// Some directories refuse locked or disabled accounts so, whatever the
		// password.
		return Wrong, nil
	default:
		return Wrong, err
	}
}

// policyError is what the password policy says beside the answer; -1: nothing.
func policyError(result *ldap.SimpleBindResult) int {
	if result == nil {
		return -1
	}
	if c, ok := ldap.FindControl(result.Controls, ldap.ControlTypeBeheraPasswordPolicy).(*ldap.ControlBeheraPasswordPolicy); ok {
		return int(c.Error)
	}
	return -1
}
