package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Found is a person of a search: an entry, or what is wrong with one.
type Found struct {
	Entry Entry
	Err   error // *RecordError; nil: none
}

// Changes are what happened in a directory since a cursor, joined.
type Changes struct {
	People []Found
	Groups []Group

	// Ended are the SourceIDs of people who are no longer there, EndedGroups those of
	// groups. Some may never have been told of.
	Ended, EndedGroups []string

	// EverybodyIs, if it is not nil, are all the people that there are besides those
	// in People; EveryGroupIs likewise.
	EverybodyIs, EveryGroupIs map[string]bool

	// Cursor is where the next changes begin. It is worth keeping once these are
	// taken in.
	Cursor []byte
}

// Mark gives the cursor from which on changes are told. It is asked before
// everything is read, so that nothing between is missed. Of ModePoll without
// numbered changes it is known afterwards only: see Cursor. A server that turns
// out not to tell changes is asked for them: Mode is ModePoll then.
func (x *Session) Mark(ctx context.Context) ([]byte, error) {
	x.Mode = x.best
	var mark []byte
	var err error
	switch x.Mode {
	case ModeSyncrepl:
		mark, err = x.syncMark(ctx)
	case ModeDirSync:
		mark, err = x.dirSyncMark(ctx)
	}
	if err == nil && x.Mode == ModePoll && x.Kind == KindAD {
		var number int64
		number, err = x.usn(ctx)
		mark = pollCursor{Server: x.Server, USN: number}.bytes()
	}
	if err != nil {
		return nil, err
	}
	return x.stamped(mark), nil
}

// Cursor completes what Mark gave, once everything was read.
func (x *Session) Cursor(mark []byte) []byte {
	if x.Mode == ModePoll && x.Kind != KindAD {
		return x.stamped(pollCursor{Time: x.newest}.bytes())
	}
	return mark
}

// stamp is a cursor with where it comes from. Another server may be behind the one
// that gave it, and never tell what it learns late.
type stamp struct {
	URL    string `json:"url"`
	Mode   Mode   `json:"mode"`
	Cursor []byte `json:"cursor"`
}

func (x *Session) stamped(cursor []byte) []byte {
	b, err := json.Marshal(stamp{x.at.url, x.Mode, cursor})
	if err != nil {
		panic(fmt.Sprintf("directory: %v", err)) // texts and bytes
	}
	return b
}

// Changes gives what changes from a cursor on, as it happens, until ctx ends or
// something fails. ErrResync says that everything has to be compared, as after a
// cursor of another server.
func (x *Session) Changes(ctx context.Context, cursor []byte) iter.Seq2[Changes, error] {
	return func(yield func(Changes, error) bool) {
		var from stamp
		if err := json.Unmarshal(cursor, &from); err != nil || from.URL != x.at.url || from.Mode != x.Mode {
			yield(Changes{}, fmt.Errorf("%w: another server answers, or in another way", ErrResync))
			return
		}
		for c, err := range x.from(ctx, from.Cursor) {
			c.Cursor = x.stamped(c.Cursor)
			if !yield(c, err) {
				return
			}
		}
	}
}

func (x *Session) from(ctx context.Context, cursor []byte) iter.Seq2[Changes, error] {
	switch x.Mode {
	case ModeSyncrepl:
		return x.syncrepl(ctx, cursor)
	case ModeDirSync:
		return x.every(ctx, cursor, x.dirSyncChanges)
	default:
		return x.every(ctx, cursor, x.polled)
	}
}

// every asks for changes again and again.
func (x *Session) every(ctx context.Context, cursor []byte, ask func(context.Context, []byte) (Changes, error)) iter.Seq2[Changes, error] {
	return func(yield func(Changes, error) bool) {
		tick := time.NewTicker(max(x.sync.config.Interval, time.Second))
		defer tick.Stop()
		for {
			c, err := ask(ctx, cursor)
			if err == nil {
				cursor = c.Cursor
			}
			if !yield(c, err) || err != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}
}

// pollCursor is how far a server was asked. Numbers are each server's own.
type pollCursor struct {
	Server string `json:"server,omitempty"`
	USN    int64  `json:"usn,omitempty"`  // of Active Directory: the next one
	Time   string `json:"time,omitempty"` // modifyTimestamp of the newest entry
}

func (c pollCursor) bytes() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("directory: %v", err)) // texts and a number
	}
	return b
}

// usn asks Active Directory for the number that its next change gets.
func (x *Session) usn(ctx context.Context) (int64, error) {
	e, err := x.read(ctx, "", "(objectClass=*)", []string{"highestCommittedUSN"})
	if err != nil || e == nil {
		return 0, fmt.Errorf("asking for the number of the last change: %w", err)
	}
	number, err := strconv.ParseInt(e.GetEqualFoldAttributeValue("highestCommittedUSN"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the number of the last change: %w", err)
	}
	return number + 1, nil
}

// polled asks for what was changed since. Who is no longer there is not seen by it.
func (x *Session) polled(ctx context.Context, cursor []byte) (Changes, error) {
	var since pollCursor
	if err := json.Unmarshal(cursor, &since); err != nil || since.Server != "" && since.Server != x.Server {
		return Changes{}, ErrResync
	}
	c := Changes{}
	condition := ""
	switch {
	case x.Kind == KindAD:
		next, err := x.usn(ctx)
		if err != nil {
			return c, err
		}
		if next < since.USN { // the server was restored
			return c, ErrResync
		}
		condition = "(uSNChanged>=" + strconv.FormatInt(since.USN, 10) + ")"
		since.USN = next
	case since.Time != "":
		condition = "(modifyTimestamp>=" + ldap.EscapeFilter(since.Time) + ")"
	}
	if err := x.changedPeople(ctx, condition, &c); err != nil {
		return c, err
	}
	if err := x.changedGroups(ctx, condition, &c); err != nil {
		return c, err
	}
	if err := x.required(ctx, &c); err != nil {
		return c, err
	}
	if x.Kind != KindAD {
		since.Time = max(since.Time, x.newest)
	}
	c.Cursor = since.bytes()
	return c, nil
}

func (x *Session) changedPeople(ctx context.Context, condition string, c *Changes) error {
	for _, base := range x.bases() {
		err := x.search(ctx, base, "(&"+x.sync.ldap.PeopleFilter(x.root)+condition+")", x.personAttributes(), func(e *ldap.Entry) bool {
			if entry, is, err := x.person(e); is || err != nil {
				c.People = append(c.People, Found{entry, err})
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *Session) changedGroups(ctx context.Context, condition string, c *Changes) error {
	for _, base := range x.groupBases() {
		var entries []*ldap.Entry
		err := x.search(ctx, base, "(&"+x.sync.ldap.GroupFilter(x.root)+condition+")", x.groupAttributes(), func(e *ldap.Entry) bool {
			entries = append(entries, e)
			return true
		})
		if err != nil {
			return err
		}
		for _, e := range entries {
			g, ok, err := x.wholeGroup(ctx, e, true)
			if err != nil {
				return err
			}
			if ok {
				c.Groups = append(c.Groups, g)
			}
		}
	}
	return nil
}

// required adds the required groups that no base holds: no search finds them.
func (x *Session) required(ctx context.Context, c *Changes) error {
	for _, dn := range x.sync.config.Required {
		if x.followed(dn, x.groupBases()) && x.sync.ldap.config.GroupFilter == "" {
			continue
		}
		g, err := x.Group(ctx, dn)
		if errors.Is(err, ErrNoGroup) {
			continue
		}
		if err != nil {
			return err
		}
		c.Groups = append(c.Groups, g)
	}
	return nil
}

// among is the condition that an entry is one of these.
func (x *Session) among(sources []string) string {
	var b strings.Builder
	b.WriteString("(|")
	for _, source := range sources {
		b.WriteString(x.sourceFilter(source))
	}
	b.WriteString(")")
	return b.String()
}
