package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	// dirSyncBytes is how much Active Directory gives at once at most.
	dirSyncBytes = 1 << 20

	// rereadAtOnce is how many changed entries are read again by one search.
	rereadAtOnce = 50
)

// errNoDirSync says that the account may not ask for changes.
var errNoDirSync = errors.New("the account lacks the right Replicating Directory Changes")

// dirSyncMark runs through all changes up to now without taking any. An account
// that may not ask for changes polls from here on.
func (x *Session) dirSyncMark(ctx context.Context) ([]byte, error) {
	cursor, err := x.dirSync(ctx, nil, "(!(objectClass=*))", func(*ldap.Entry) {})
	if no := errors.Is(err, errNoDirSync); no || err == nil {
		x.tells(!no, err)
		return cursor, nil
	}
	return nil, err
}

// dirSyncChanges asks which entries changed, and reads these again: of a change
// the server tells only the attributes that it touched. Somebody who is not among
// the people any more, deleted or moved away, has ended.
func (x *Session) dirSyncChanges(ctx context.Context, cursor []byte) (Changes, error) {
	var people, groups []string
	next, err := x.dirSync(ctx, cursor, "(|(objectClass=user)(objectClass=group))", func(e *ldap.Entry) {
		raw := e.GetEqualFoldRawAttributeValues("objectGUID")
		if len(raw) == 0 || len(raw[0]) != 16 {
			return
		}
		source := guid(raw[0])
		classes := e.GetEqualFoldAttributeValues("objectClass")
		isGroup := slices.ContainsFunc(classes, func(c string) bool { return strings.EqualFold(c, "group") })
		if isGroup || len(classes) == 0 {
			groups = append(groups, source)
		}
		if !isGroup {
			people = append(people, source)
		}
	})
	if err != nil {
		return Changes{}, err
	}
	c := Changes{Cursor: next}
	for some := range slices.Chunk(unique(people), rereadAtOnce) {
		if err := x.changedPeople(ctx, x.among(some), &c); err != nil {
			return c, err
		}
	}
	for some := range slices.Chunk(unique(groups), rereadAtOnce) {
		if err := x.changedGroups(ctx, x.among(some), &c); err != nil {
			return c, err
		}
	}
	if len(groups) > 0 {
		if err := x.required(ctx, &c); err != nil {
			return c, err
		}
	}
	there := Changes{People: c.People, Groups: c.Groups}
	c.People, c.Groups = nil, nil
	c.ends(unique(people), unique(groups), &there)
	return c, nil
}

func unique(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// dirSync reads changes of the server's domain from a cursor on to the last one.
// Each question is made anew: the library would send the control of the first one
// again.
func (x *Session) dirSync(ctx context.Context, cursor []byte, filter string, use func(*ldap.Entry)) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { x.conn.Close() })
	defer stop()
	mute := time.AfterFunc(silence, func() { x.conn.Close() })
	defer mute.Stop()
	attributes := append(x.personAttributes(), groupAttributes...)
	attributes = append(attributes, "objectGUID", "isDeleted", "parentGUID", "name")
	for {
		mute.Reset(silence)
		request := ldap.NewSearchRequest(x.root.DefaultNamingContext, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
		result, err := x.conn.DirSync(request, 0, dirSyncBytes, cursor)
		switch {
		case ldap.IsErrorAnyOf(err, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultUnavailableCriticalExtension, ldap.LDAPResultUnwillingToPerform):
			return nil, fmt.Errorf("%w: %w", errNoDirSync, err)
		case ldap.IsErrorAnyOf(err, ldap.LDAPResultProtocolError, ldap.LDAPResultOperationsError) && cursor != nil:
			return nil, fmt.Errorf("%w: %w", ErrResync, err) // the cookie is of another domain, or of before a restore
		case err != nil:
			return nil, fmt.Errorf("asking for changes: %w", err)
		}
		control, ok := ldap.FindControl(result.Controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync)
		if !ok || len(control.Cookie) == 0 {
			return nil, fmt.Errorf("asking for changes: %w", ErrCutShort)
		}
		for _, e := range result.Entries {
			use(e)
		}
		cursor = slices.Clone(control.Cookie)
		if control.Flags == 0 {
			return cursor, nil
		}
	}
}
