package server

import (
	"context"
	"fmt"

	"parley"
	"parley/account"
	"parley/edge/directory"
)

// signInDirectory checks passwords; nil: there is no corporate directory.
func (p *parts) signInDirectory() account.Directory {
	if p.ldap == nil {
		return nil
	}
	return signInDirectory{p.ldap}
}

// signInDirectory is the corporate directory as signing in needs it.
type signInDirectory struct{ ldap *directory.LDAP }

// Find implements account.Directory.
func (d signInDirectory) Find(ctx context.Context, login string) (account.Entry, error) {
	found, err := d.ldap.Find(ctx, login)
	return directoryEntry{d.ldap, found}, err
}

// directoryEntry is an account of the directory.
type directoryEntry struct {
	ldap    *directory.LDAP
	account directory.Account
}

// SourceID implements account.Entry.
func (e directoryEntry) SourceID() string { return e.account.SourceID }

// Check implements account.Entry.
func (e directoryEntry) Check(ctx context.Context, password parley.Secret) error {
	verdict, err := e.ldap.Check(ctx, e.account, password)
	if err != nil {
		return err
	}
	if key, refused := verdictKeys[verdict.Outcome]; refused {
		return parley.Refuse(parley.Forbidden, key)
	}
	switch verdict.Outcome {
	case directory.Right:
		return nil
	case directory.Wrong:
		return parley.Refuse(parley.SignIn, "sign-in.wrong")
	default:
		return fmt.Errorf("the directory's verdict %d is unknown here", verdict.Outcome)
	}
}

// verdictKeys are the refusals of those whose password was right.
var verdictKeys = map[directory.Outcome]string{
	directory.Disabled:        "sign-in.disabled",
	directory.AccountExpired:  "sign-in.account-expired",
	directory.PasswordExpired: "sign-in.password-expired",
	directory.MustChange:      "sign-in.password-must-change",
	directory.Hours:           "sign-in.hours",
	directory.Workstation:     "sign-in.workstation",
}
