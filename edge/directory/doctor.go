package directory

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"parley"
)

// Level says how grave a Finding is.
type Level uint8

// The levels.
const (
	Fine Level = iota
	Note       // works, and may not be what is wanted
	Bad        // has to be changed
)

// Finding is one thing that an examination found, in the operator's words. It
// never holds a password.
type Finding struct {
	Level  Level
	Text   string
	Advice string // what to change; empty: nothing
}

// Examination tries a configuration step by step. Nothing is changed in the
// directory, and nothing is kept.
type Examination struct {
	LDAP   *LDAP
	Sync   SyncConfig
	Report func(Finding) // is told each finding as it comes

	// Administrators and Users are the groups of the configuration.
	Administrators, Users []string

	// As and Password try a sign-in, if As is not empty.
	As       string
	Password parley.Secret

	// Failures is how many wrong passwords this server lets through for one
	// account, to compare with what the directory does.
	Failures int

	bad int
}

// maxSample is how many people are looked at closely, and maxProblems how many
// that cannot be taken in are named.
const (
	maxSample   = 200
	maxProblems = 5
)

func (e *Examination) fine(format string, args ...any) {
	e.Report(Finding{Fine, fmt.Sprintf(format, args...), ""})
}

func (e *Examination) note(advice, format string, args ...any) {
	e.Report(Finding{Note, fmt.Sprintf(format, args...), advice})
}

func (e *Examination) fail(advice, format string, args ...any) {
	e.bad++
	e.Report(Finding{Bad, fmt.Sprintf(format, args...), advice})
}

// Run examines and returns how many things have to be changed.
func (e *Examination) Run(ctx context.Context) int {
	working := 0
	for _, s := range e.LDAP.servers {
		if e.server(ctx, s) {
			working++
		}
	}
	if working == 0 {
		return e.bad
	}
	session, err := NewSync(e.LDAP, e.Sync).Open(ctx)
	if err != nil {
		e.fail("", "No server could be reached a second time: %v.", err)
		return e.bad
	}
	defer session.Close()
	e.bases(ctx, session)
	if e.people(ctx, session) {
		e.groups(ctx, session)
		e.changes(ctx, session)
		e.lockOut(ctx, session)
	}
	if e.As != "" {
		e.signIn(ctx)
	}
	return e.bad
}

// bases looks whether what the configuration names exists.
func (e *Examination) bases(ctx context.Context, x *Session) {
	for _, list := range []struct {
		key   string
		bases []string
	}{{"ldap.people_bases", e.LDAP.config.PeopleBases}, {"ldap.group_bases", e.LDAP.config.GroupBases}} {
		for _, base := range list.bases {
			switch found, err := x.read(ctx, base, "(objectClass=*)", []string{"1.1"}); {
			case err != nil:
				e.unreadable(err, "Looking for the base "+base)
			case found == nil:
				e.fail("Correct "+list.key+"; the directory is below "+strings.Join(contexts(x.root), " and ")+".",
					"The base %s does not exist, or the account may not see it.", base)
			default:
				e.fine("The base %s exists.", base)
			}
		}
	}
}

func contexts(root RootDSE) []string {
	if root.DefaultNamingContext != "" {
		return []string{root.DefaultNamingContext}
	}
	return root.NamingContexts
}

// unreadable says why the directory cannot be read.
func (e *Examination) unreadable(err error, what string) {
	switch {
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultOperationsError, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultInappropriateAuthentication) && e.LDAP.config.BindDN == "":
		e.fail("Give an account in ldap.bind_dn and ldap.bind_password.", "%s: this directory answers nobody without an account.", what)
	case ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights):
		e.fail("Give the account of ldap.bind_dn the right to read there.", "%s: the account may not.", what)
	case errors.Is(err, ErrSizeLimit):
		e.fail("Raise the limit for the account of ldap.bind_dn, or let it page (OpenLDAP: limits ... size.prtotal=unlimited).",
			"%s: the server gives fewer entries than there are, and no pages.", what)
	case errors.Is(err, ErrNoBase):
		e.fail("Correct ldap.people_bases or ldap.group_bases.", "%s: the base does not exist.", what)
	default:
		e.fail("", "%s: %v.", what, err)
	}
}

// groups counts the groups and looks for those of the configuration.
func (e *Examination) groups(ctx context.Context, x *Session) {
	groups, err := x.Groups(ctx)
	if err != nil {
		e.unreadable(err, "Reading the groups")
	} else {
		listed := 0
		for _, g := range groups {
			if g.Listed {
				listed++
			}
		}
		e.fine("Groups: %d, of which people find %d.", len(groups), listed)
	}
	for _, list := range []struct {
		key string
		dns []string
	}{{"ldap.administrators", e.Administrators}, {"ldap.users", e.Users}} {
		for _, dn := range list.dns {
			switch g, err := x.Group(ctx, dn); {
			case errors.Is(err, ErrNoGroup):
				e.fail("Correct "+list.key+".", "The group %s does not exist, or the account may not see it.", dn)
			case err != nil:
				e.unreadable(err, "Reading the group "+dn)
			case len(g.Members)+len(g.Aliases) == 0:
				e.note("", "The group %s of %s has no members.", dn, list.key)
			default:
				e.fine("The group %s of %s has %d direct members.", dn, list.key, len(g.Members)+len(g.Aliases))
			}
		}
	}
}

// changes looks how changes would be noticed.
func (e *Examination) changes(ctx context.Context, x *Session) {
	before := x.Mode
	_, err := x.Mark(ctx)
	wanted := e.Sync.Mode != ModeAuto && e.Sync.Mode != "" && e.Sync.Mode != x.Mode
	switch {
	case err != nil:
		e.unreadable(err, "Asking what changes")
	case before == ModeDirSync && x.Mode == ModePoll:
		e.note("Give the account of ldap.bind_dn the right Replicating Directory Changes, or leave it so: then what is deleted is noticed at the next full comparison.",
			"Changes: the account may not ask by DirSync, so they are polled.")
	case before == ModeSyncrepl && x.Mode == ModePoll, wanted:
		e.note("Load the overlay syncprov for it, or leave it so: then what is deleted is noticed at the next full comparison.",
			"Changes: this server cannot tell them as ldap.sync says, so they are polled.")
	default:
		e.fine("Changes: by %s.", x.Mode)
	}
}

// lockOut compares the directory's own limit of wrong passwords with that of this
// server.
func (e *Examination) lockOut(ctx context.Context, x *Session) {
	if x.Kind != KindAD || e.Failures == 0 {
		return
	}
	domain, err := x.read(ctx, x.root.DefaultNamingContext, "(objectClass=*)", []string{"lockoutThreshold"})
	if err != nil || domain == nil {
		return
	}
	if n, err := strconv.Atoi(domain.GetEqualFoldAttributeValue("lockoutThreshold")); err == nil && n > 0 && n <= e.Failures {
		e.note(fmt.Sprintf("Set limits.sign_in_failures and limits.address_sign_in_failures below %d.", n),
			"The directory locks an account after %d wrong passwords; this server lets %d through, so whoever guesses here locks people out there.", n, e.Failures)
	}
}

// signIn tries a sign-in.
func (e *Examination) signIn(ctx context.Context) {
	if _, ok := parseLogin(e.As); !ok {
		e.fail("", "%.100q is nothing that somebody can sign in with.", e.As)
		return
	}
	account, err := e.LDAP.Find(ctx, e.As)
	if err != nil {
		e.fail("", "Looking for %.100q: %v.", e.As, err)
		return
	}
	if account.SourceID == "" {
		e.fail("It must be the address, mail or alias of exactly one entry that ldap.people_filter and ldap.people_bases find.",
			"Signing in as %.100q: nobody has this name, or several have.", e.As)
		return
	}
	e.fine("%.100q is %s.", e.As, account.dn)
	switch verdict, err := e.LDAP.Check(ctx, account, e.Password); {
	case err != nil:
		e.fail("", "Signing in as %.100q: %v.", e.As, err)
	case verdict.Outcome == Right:
		e.fine("Signing in as %.100q works.", e.As)
	default:
		e.fail("", "Signing in as %.100q: %s.", e.As, outcomeTexts[verdict.Outcome])
	}
}

var outcomeTexts = map[Outcome]string{
	Wrong:           "the password is wrong, or the account is locked for a while",
	Disabled:        "the password is right, and the account is disabled",
	AccountExpired:  "the password is right, and the account has expired",
	PasswordExpired: "the password is right, and has expired",
	MustChange:      "the password is right, and has to be changed first",
	Hours:           "the password is right, and the account may not sign in at this time",
	Workstation:     "the password is right, and the account may sign in from certain machines only",
}

// until writes a time for people.
func until(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
