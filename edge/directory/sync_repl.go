package directory

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	// gatherChanges is how long changes are joined, and gatherAtMost how many, and
	// gatherBytes how much of photos.
	gatherChanges = 50 * time.Millisecond
	gatherAtMost  = 200
	gatherBytes   = 32 << 20

	// pulse is how often a silent connection is tried, and pulseTime how long the
	// answer may take.
	pulse     = 30 * time.Second
	pulseTime = 10 * time.Second
)

// syncMark makes the cursor of now from the change numbers that the database has
// come to (contextCSN of draft-chu-ldap-ldapv3-syncrepl). A server that keeps none,
// or knows the control without the overlay that answers it, does not tell changes.
func (x *Session) syncMark(ctx context.Context) ([]byte, error) {
	mark, err := x.contextCSN(ctx)
	if err != nil {
		return nil, err
	}
	no := errNoChangeNumbers
	if mark != nil {
		if no, err = x.noChanges(ctx, mark); err != nil {
			return nil, err
		}
	}
	x.tells(no == nil, no)
	if no != nil {
		return nil, nil
	}
	return mark, nil
}

// What a server may lack that says it can tell changes.
var (
	errNoChangeNumbers = errors.New("the database has no contextCSN")
	errNoSyncDone      = errors.New("the control is not answered")
)

func (x *Session) contextCSN(ctx context.Context) ([]byte, error) {
	for _, context := range x.root.NamingContexts {
		if !x.holds(context) {
			continue
		}
		e, err := x.read(ctx, context, "(objectClass=*)", []string{"contextCSN"})
		if err != nil {
			return nil, err
		}
		if e == nil {
			continue
		}
		if numbers := e.GetEqualFoldAttributeValues("contextCSN"); len(numbers) > 0 {
			slices.Sort(numbers)
			return []byte("rid=000,csn=" + strings.Join(numbers, ";")), nil
		}
	}
	return nil, nil
}

// noChanges tries what syncrepl needs at every base, and gives what the server says
// that it does not; nil: it does.
func (x *Session) noChanges(ctx context.Context, mark []byte) (why, err error) {
	ctx, cancel := context.WithTimeout(ctx, operationTime)
	defer cancel()
	for _, base := range slices.Concat(x.bases(), x.groupBases()) {
		request := ldap.NewSearchRequest(base, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(!(objectClass=*))", []string{"1.1"}, nil)
		response := x.conn.Syncrepl(ctx, request, readAhead, ldap.SyncRequestModeRefreshOnly, mark, false)
		done := false
		for response.Next() {
			done = done || ldap.FindControl(response.Controls(), ldap.ControlTypeSyncDone) != nil
		}
		switch err := response.Err(); {
		case err == nil && ctx.Err() != nil:
			return nil, fmt.Errorf("trying whether changes are told: %w", ctx.Err())
		case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) || err != nil && !isAnswer(err):
			return nil, searchError(err, base)
		case err != nil:
			return err, nil
		case !done:
			return errNoSyncDone, nil
		}
	}
	return nil, nil
}

// holds reports whether a naming context holds the first base of people.
func (x *Session) holds(context string) bool {
	bases := x.bases()
	return len(bases) > 0 && x.followed(bases[0], []string{context})
}

// stream is one search that stays: people or groups below one base, or one
// required group that no base holds.
type stream struct {
	groups bool
	base   string
	alone  bool // base is the group itself
}

// item is what a stream told; its last one has an error.
type item struct {
	of    int // the stream's place
	entry *ldap.Entry
	state *ldap.ControlSyncState
	info  *ldap.ControlSyncInfo
	err   error
}

// syncrepl follows changes by RFC 4533. Each base is a search of its own; they
// begin at one cursor and share the connection.
func (x *Session) syncrepl(ctx context.Context, cursor []byte) iter.Seq2[Changes, error] {
	return func(yield func(Changes, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		items := make(chan item)
		r := newReplica(x, cursor)
		running := make(chan struct{}, len(r.streams))
		for i := range r.streams {
			go func() {
				x.listen(ctx, i, r.streams[i], cursor, items)
				running <- struct{}{}
			}()
		}
		defer func() { // the streams end with the connection; who waits to be heard is let go
			cancel()
			x.conn.Close()
			for range r.streams {
				for ended := false; !ended; {
					select {
					case <-running:
						ended = true
					case <-items:
					}
				}
			}
		}()
		x.follow(ctx, r, items, yield)
	}
}

// listen turns what one search tells into items.
func (x *Session) listen(ctx context.Context, of int, s stream, cursor []byte, items chan<- item) {
	tell := func(it item) bool {
		it.of = of
		select {
		case items <- it:
			return true
		case <-ctx.Done():
			return false
		}
	}
	filter, attributes := x.sync.ldap.PeopleFilter(x.root), x.personAttributes()
	if s.groups {
		filter, attributes = x.sync.ldap.GroupFilter(x.root), x.groupAttributes()
	}
	scope := ldap.ScopeWholeSubtree
	if s.alone {
		scope, filter = ldap.ScopeBaseObject, "(objectClass=*)"
	}
	request := ldap.NewSearchRequest(s.base, scope, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
	response := x.conn.Syncrepl(ctx, request, readAhead, ldap.SyncRequestModeRefreshAndPersist, cursor, false)
	for response.Next() {
		it := item{entry: response.Entry()}
		for _, control := range response.Controls() {
			switch c := control.(type) {
			case *ldap.ControlSyncState:
				it.state = c
			case *ldap.ControlSyncInfo:
				it.info = c
			}
		}
		if !tell(it) {
			return
		}
	}
	err := response.Err()
	switch {
	case err == nil:
		err = ErrCutShort
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultSyncRefreshRequired, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded,
		ldap.LDAPResultUnwillingToPerform): // so OpenLDAP says that it was restored from before the cursor
		err = fmt.Errorf("%w: %w", ErrResync, err)
	default:
		err = searchError(err, s.base)
	}
	tell(item{err: err})
}

// follow joins items and hands them on when it becomes quiet for a moment.
func (x *Session) follow(ctx context.Context, r *replica, items <-chan item, yield func(Changes, error) bool) {
	quiet, beat := time.NewTimer(pulse), time.NewTicker(pulse)
	defer quiet.Stop()
	defer beat.Stop()
	// The answer comes on the connection on which changes come, so these have to be
	// taken meanwhile.
	alive, asked := make(chan error, 1), false
	defer func() {
		if asked {
			x.conn.Close()
			<-alive
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case it := <-items:
			if it.err != nil {
				yield(Changes{}, it.err)
				return
			}
			if err := r.take(it); err != nil {
				yield(Changes{}, err)
				return
			}
			beat.Reset(pulse)
			quiet.Reset(gatherChanges)
			if !r.full() {
				continue
			}
		case <-quiet.C:
		case <-beat.C:
			if !asked {
				asked = true
				go func() { alive <- x.alive(ctx) }()
			}
			continue
		case err := <-alive:
			if asked = false; err != nil {
				yield(Changes{}, err)
				return
			}
		}
		c, err := r.changes(ctx)
		if !yield(c, err) || err != nil {
			return
		}
	}
}

// alive asks for something small, so that a connection that is dead without a
// word is noticed.
func (x *Session) alive(ctx context.Context) error {
	dead := time.AfterFunc(pulseTime, func() { x.conn.Close() })
	defer dead.Stop()
	_, err := x.read(ctx, "", "(objectClass=*)", []string{"1.1"})
	return err
}

// replica joins what the streams of a syncrepl tell into changes. In the first
// stage, the refresh, a server names what was deleted, or, if it does not remember
// that, all that is there (RFC 4533 §3.3); after that it tells changes one by one.
//
// "Deleted" means for a stream no more than "not among what I search": a server
// with a session log says it of every entry that has changed and does not match,
// whether it ever did or not. So a stream of people ends people only, one of groups
// groups only, and the directory is asked before an end is told.
type replica struct {
	x       *Session
	streams []stream
	stages  []stage
	next    Changes
	cursor  []byte
	pending int // changes in next and in ended
	bytes   int // of the people in next, about

	ended   map[ending]bool // not yet confirmed
	told    map[ending]int  // of which stream a change in next is
	confirm confirmation
}

// ending is an entry that may have ended, as a person or as a group.
type ending struct {
	source string
	group  bool
}

// confirmation asks which of these people and groups are still there, and adds
// them to changes as they are now.
type confirmation func(ctx context.Context, people, groups []string, c *Changes) error

// stage is how far one stream is.
type stage struct {
	live    bool            // the refresh is over
	present map[string]bool // who is there, as far as the refresh said
	all     bool            // these were all of them
	cursor  []byte
}

func newReplica(x *Session, cursor []byte) *replica {
	r := &replica{x: x, cursor: cursor, ended: map[ending]bool{}, told: map[ending]int{}, confirm: x.confirm}
	for _, base := range x.bases() {
		r.streams = append(r.streams, stream{base: base})
	}
	for _, base := range x.groupBases() {
		r.streams = append(r.streams, stream{base: base, groups: true})
	}
	for _, dn := range x.sync.config.Required {
		if !x.followed(dn, x.groupBases()) || x.sync.ldap.config.GroupFilter != "" {
			r.streams = append(r.streams, stream{base: dn, groups: true, alone: true})
		}
	}
	r.stages = make([]stage, len(r.streams))
	for i := range r.stages {
		r.stages[i].cursor = cursor
		r.stages[i].present = map[string]bool{}
	}
	return r
}

// full reports whether so much has come that it should be taken in.
func (r *replica) full() bool { return r.pending >= gatherAtMost || r.bytes >= gatherBytes }

// take adds an item.
func (r *replica) take(it item) error {
	s := &r.stages[it.of]
	if it.info != nil {
		r.inform(s, it)
		return nil
	}
	if it.entry == nil || it.state == nil {
		return nil
	}
	if len(it.state.Cookie) > 0 {
		s.cursor = it.state.Cookie
	}
	source := it.state.EntryUUID.String()
	r.pending++
	switch it.state.State {
	case ldap.SyncStatePresent:
		s.present[source] = true
		r.pending--
	case ldap.SyncStateDelete:
		r.end(it.of, source)
		delete(s.present, source)
	case ldap.SyncStateAdd, ldap.SyncStateModify:
		if !s.live || s.all { // another stream may take longer to say who is there
			s.present[source] = true
		}
		return r.changed(it.of, it.entry)
	}
	return nil
}

// end notes that a stream no longer finds an entry: what came of it before by the
// same stream is void. What another stream found of it holds, as that one will say
// when it ends there.
func (r *replica) end(of int, source string) {
	e := ending{source, r.streams[of].groups}
	if by, changed := r.told[e]; changed && by != of {
		return
	}
	r.forget(e)
	r.ended[e] = true
}

// forget drops a change that no longer holds.
func (r *replica) forget(e ending) {
	if _, changed := r.told[e]; !changed {
		return
	}
	delete(r.told, e)
	if e.group {
		r.next.Groups = slices.DeleteFunc(r.next.Groups, func(g Group) bool { return g.SourceID == e.source })
	} else {
		r.next.People = slices.DeleteFunc(r.next.People, func(f Found) bool { return f.Entry.Person.SourceID == e.source })
	}
}

func (r *replica) changed(of int, e *ldap.Entry) error {
	s := r.streams[of]
	if !s.groups {
		if entry, is, err := r.x.person(e); is || err != nil {
			r.change(of, entry.Person.SourceID)
			r.next.People = append(r.next.People, Found{entry, err})
			r.bytes += len(entry.Photo)
		}
		return nil
	}
	if rangeOf(e) != nil {
		return errors.New("a server that follows RFC 4533 gives members in parts")
	}
	if g, ok := r.x.group(e, !s.alone); ok {
		r.change(of, g.SourceID)
		r.next.Groups = append(r.next.Groups, g)
	}
	return nil
}

// change notes that a stream found an entry: what came of it before no longer
// holds.
func (r *replica) change(of int, source string) {
	if source == "" { // an entry that cannot be taken in, and not known again
		return
	}
	e := ending{source, r.streams[of].groups}
	r.forget(e)
	delete(r.ended, e)
	r.told[e] = of
}

// inform takes a Sync Info message (RFC 4533 §2.5).
func (r *replica) inform(s *stage, it item) {
	var cookie []byte
	switch {
	case it.info.NewCookie != nil:
		cookie = it.info.NewCookie.Cookie
	case it.info.RefreshDelete != nil:
		cookie = it.info.RefreshDelete.Cookie
		s.end(it.info.RefreshDelete.RefreshDone, false)
	case it.info.RefreshPresent != nil:
		cookie = it.info.RefreshPresent.Cookie
		s.all = true
		s.end(it.info.RefreshPresent.RefreshDone, true)
	case it.info.SyncIdSet != nil:
		cookie = it.info.SyncIdSet.Cookie
		for _, id := range it.info.SyncIdSet.SyncUUIDs {
			if it.info.SyncIdSet.RefreshDeletes {
				r.end(it.of, id.String())
				r.pending++
			} else if !s.live {
				s.present[id.String()] = true
			}
		}
	}
	if len(cookie) > 0 {
		s.cursor = cookie
	}
	if s.live {
		r.compare()
	}
	if s.live && !s.all {
		s.present = map[string]bool{}
	}
}

// end ends a phase of the refresh, and with done the refresh.
func (s *stage) end(done, all bool) {
	s.all = s.all || all
	s.live = s.live || done
}

// compare tells who is there once every stream of people, or of groups, has said
// all of it. If only some of them could, who is missing is not known: the next
// comparison sees it.
func (r *replica) compare() {
	for _, groups := range []bool{false, true} {
		there, complete := map[string]bool{}, true
		for i := range r.stages {
			if r.streams[i].groups != groups {
				continue
			}
			s := &r.stages[i]
			complete = complete && s.live && s.all && s.present != nil
			for source := range s.present {
				there[source] = true
			}
		}
		if !complete || len(there) == 0 {
			continue
		}
		if groups {
			r.next.EveryGroupIs = there
		} else {
			r.next.EverybodyIs = there
		}
		r.pending++
		for i := range r.stages {
			if r.streams[i].groups == groups {
				r.stages[i].present, r.stages[i].all = map[string]bool{}, false
			}
		}
	}
}

// changes gives what has come, and begins anew. The cursor is that of the stream
// that is furthest behind, so that nothing is lost: only one that all agree on.
func (r *replica) changes(ctx context.Context) (Changes, error) {
	c, ended := r.next, r.ended
	r.next, r.pending, r.bytes = Changes{}, 0, 0
	r.ended, r.told = map[ending]bool{}, map[ending]int{}
	c.Cursor = r.cursor
	if same := r.stages[0].cursor; !slices.ContainsFunc(r.stages, func(s stage) bool { return string(s.cursor) != string(same) }) {
		c.Cursor, r.cursor = same, same
	}
	if len(ended) == 0 {
		return c, nil
	}
	var people, groups []string
	for e := range ended {
		if e.group {
			groups = append(groups, e.source)
		} else {
			people = append(people, e.source)
		}
	}
	slices.Sort(people)
	slices.Sort(groups)
	there := Changes{}
	if err := r.confirm(ctx, people, groups, &there); err != nil {
		return c, fmt.Errorf("looking for who may have left: %w", err)
	}
	c.ends(people, groups, &there)
	return c, nil
}

// ends adds those who are not there any more, and the others as they are now.
func (c *Changes) ends(people, groups []string, there *Changes) {
	is := map[ending]bool{}
	for _, p := range there.People {
		is[ending{p.Entry.Person.SourceID, false}] = true
	}
	for _, g := range there.Groups {
		is[ending{g.SourceID, true}] = true
	}
	gone := func(group bool) func(string) bool {
		return func(source string) bool { return is[ending{source, group}] }
	}
	c.Ended = append(c.Ended, slices.DeleteFunc(people, gone(false))...)
	c.EndedGroups = append(c.EndedGroups, slices.DeleteFunc(groups, gone(true))...)
	c.People = append(c.People, there.People...)
	c.Groups = append(c.Groups, there.Groups...)
}

// confirm is the confirmation by the server itself. It has a connection of its
// own, because changes come on this one.
func (x *Session) confirm(ctx context.Context, people, groups []string, c *Changes) error {
	y, err := x.beside(ctx)
	if err != nil {
		return err
	}
	defer y.Close()
	for some := range slices.Chunk(people, rereadAtOnce) {
		if err := y.changedPeople(ctx, y.among(some), c); err != nil {
			return err
		}
	}
	if len(groups) == 0 {
		return nil
	}
	for some := range slices.Chunk(groups, rereadAtOnce) {
		if err := y.changedGroups(ctx, y.among(some), c); err != nil {
			return err
		}
	}
	return y.required(ctx, c)
}
