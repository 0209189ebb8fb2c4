package server

import (
	"context"
	"errors"
	"fmt"
	"io"

	"parley"
	"parley/edge/directory"
	"parley/egress"
)

// ExamineDirectory tries the corporate directory of a configuration step by step
// and writes what it finds, in plain words and without a secret. It needs no
// running server and changes nothing. as and password try a sign-in, if as is not
// empty. The error says how many things have to be changed.
func ExamineDirectory(ctx context.Context, c Config, as, password string, out io.Writer) error {
	if !c.LDAP.configured() {
		return errors.New("there is no corporate directory; ldap.servers says where one is")
	}
	in, err := c.LDAP.directory(c.Organisation.DefaultDomain)
	if err != nil {
		return err
	}
	in.Dial = egress.New(c.Outside).Dialer(egress.Directory)
	ldap, err := directory.NewLDAP(in)
	if err != nil {
		return fmt.Errorf("preparing the corporate directory: %w", err)
	}
	var failed error
	examination := directory.Examination{
		LDAP: ldap, Administrators: c.LDAP.Administrators, Users: c.LDAP.Users, As: as, Password: parley.Secret(password),
		Sync:     directory.SyncConfig{Mode: directory.Mode(c.LDAP.Sync), Interval: c.LDAP.Interval},
		Failures: c.Limits.SignInFailures,
		Report: func(f directory.Finding) {
			if _, err := io.WriteString(out, findingText(f)); err != nil && failed == nil {
				failed = fmt.Errorf("writing the findings: %w", err)
			}
		},
	}
	switch n := examination.Run(ctx); {
	case failed != nil:
		return failed
	case ctx.Err() != nil:
		return ctx.Err()
	case n == 1:
		return errors.New("one thing has to be changed")
	case n > 1:
		return fmt.Errorf("%d things have to be changed", n)
	}
	_, err = io.WriteString(out, "The directory can be used.\n")
	return err
}

// findingText is a finding as lines of text.
func findingText(f directory.Finding) string {
	mark := map[directory.Level]string{directory.Fine: "ok     ", directory.Note: "note   ", directory.Bad: "WRONG  "}[f.Level]
	text := mark + f.Text + "\n"
	if f.Advice != "" {
		text += "       " + f.Advice + "\n"
	}
	return text
}
