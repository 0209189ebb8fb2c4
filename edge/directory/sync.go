package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Mode is how changes of a directory are noticed.
type Mode string

// The modes. ModeAuto is for a configuration only: the server says what it can.
const (
	ModeAuto     Mode = "auto"
	ModeSyncrepl Mode = "syncrepl" // RFC 4533, OpenLDAP
	ModeDirSync  Mode = "dirsync"  // MS-ADTS §3.1.1.3.4.1.3, Active Directory
	ModePoll     Mode = "poll"     // asking what was changed since
)

// SyncConfig says what is followed, and how.
type SyncConfig struct {
	Mode     Mode          // ModeAuto or empty: found out
	Interval time.Duration // how often ModeDirSync and ModePoll ask

	// Required are the DNs of groups that are read wherever they stand: who they
	// hold decides who is an administrator and who may sign in.
	Required []string
}

// Sync reads people and groups of a directory, and what changes of them. It
// decides what is complete: nothing that was cut short looks like an answer.
type Sync struct {
	ldap   *LDAP
	config SyncConfig

	mu     sync.Mutex
	silent map[string]Mode // by URL: how a server does not tell changes, though it says so
}

// NewSync makes a Sync over a directory.
func NewSync(l *LDAP, c SyncConfig) *Sync {
	return &Sync{ldap: l, config: c, silent: map[string]Mode{}}
}

// What can go wrong with a directory, told apart for the operator.
var (
	// ErrSizeLimit says that the server gives fewer entries than there are.
	ErrSizeLimit = errors.New("the server gives only a part of the entries (size limit) and does not page: raise its limit for the account, or allow it paged searches")

	// ErrNoBase says that a search base does not exist.
	ErrNoBase = errors.New("a base of the configuration does not exist in the directory, or the account may not see it")

	// ErrNoGroup says that a group of the configuration cannot be read.
	ErrNoGroup = errors.New("a group of the configuration does not exist in the directory, or the account may not see it")

	// ErrCutShort says that an answer broke off.
	ErrCutShort = errors.New("the answer of the server broke off")

	// ErrResync says that the server cannot tell what has changed since the cursor:
	// everything has to be compared again.
	ErrResync = errors.New("the server cannot tell what has changed since: everything has to be compared")
)

const (
	// pageSize is how many entries are asked for at once. Active Directory gives no
	// more, and OpenLDAP refuses more when it is told to.
	pageSize = 1000

	// silence is how long the server may say nothing in the middle of an answer.
	silence = time.Minute

	// readAhead is how many entries of a search wait for whoever takes them in. An
	// entry may have a photo of any size, so they are few; the connection's buffers
	// hold the small ones.
	readAhead = 1
)

// Session is one connection to one server, for one goroutine.
type Session struct {
	sync *Sync
	at   server
	conn *ldap.Conn
	root RootDSE

	Kind   Kind
	Mode   Mode
	Server string // its name, if it says one

	best Mode // what it says that it can; Mark tries it

	newest string // modifyTimestamp of the newest entry seen, of ModePoll
}

// Open connects to the first server that works.
func (s *Sync) Open(ctx context.Context) (*Session, error) {
	conn, root, at, err := s.ldap.dialAny(ctx)
	if err != nil {
		return nil, err
	}
	return s.session(conn, root, at), nil
}

func (s *Sync) session(conn *ldap.Conn, root RootDSE, at server) *Session {
	// With a time limit the library drops what it could not hand over within it,
	// in silence, so whoever took entries in slowly would miss some. Session has
	// its own: silence.
	conn.SetTimeout(0)
	x := &Session{sync: s, at: at, conn: conn, root: root, Kind: root.Kind, Server: root.DNSHostName}
	x.best = s.mode(root)
	x.Mode = x.best
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent[at.url] == x.best {
		x.Mode = ModePoll
	}
	return x
}

// tells remembers whether the server tells changes in the way that it says, for
// further sessions with it, and the log once.
func (x *Session) tells(does bool, why error) {
	s := x.sync
	s.mu.Lock()
	was := s.silent[x.at.url] == x.best
	if does {
		delete(s.silent, x.at.url)
	} else {
		s.silent[x.at.url] = x.best
		x.Mode = ModePoll
	}
	s.mu.Unlock()
	if !does && !was {
		s.ldap.config.Log.Info("a directory server does not tell changes, so it is asked for them", "server", x.at.address, "mode", string(x.best), "error", why)
	}
}

// beside opens another connection to the same server: what another one says may be
// older.
func (x *Session) beside(ctx context.Context) (*Session, error) {
	conn, root, err := x.sync.ldap.dialReader(ctx, x.at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.at.url, err)
	}
	return x.sync.session(conn, root, x.at), nil
}

// Close ends the connection.
func (x *Session) Close() { x.conn.Close() }

// mode is how changes are noticed at a server. The first two name entries by what
// is their SourceID only if the mapping says so.
func (s *Sync) mode(root RootDSE) Mode {
	sources := slices.Clone(s.ldap.config.Mapping.SourceID)
	known := func(attribute string) bool {
		return len(sources) > 0 && strings.EqualFold(sources[0], attribute)
	}
	syncrepl := root.Supports(ldap.ControlTypeSyncRequest) && root.Kind != KindAD && known("entryuuid")
	if root.Kind == KindAD { // which has no entryUUID
		sources = slices.DeleteFunc(sources, func(name string) bool { return strings.EqualFold(name, "entryuuid") })
	}
	dirsync := root.Supports(ldap.ControlTypeDirSync) && known("objectguid") && s.inDomain(root)
	switch s.config.Mode {
	case ModePoll:
		return ModePoll
	case ModeSyncrepl:
		dirsync = false
	case ModeDirSync:
		syncrepl = false
	}
	switch {
	case dirsync:
		return ModeDirSync
	case syncrepl:
		return ModeSyncrepl
	}
	return ModePoll
}

// inDomain reports whether everything that is followed is in the server's own
// domain, which is all that it tells changes of.
func (s *Sync) inDomain(root RootDSE) bool {
	domain, err := NormalDN(root.DefaultNamingContext)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(slices.Concat(s.ldap.PeopleBases(root), s.ldap.GroupBases(root)), func(base string) bool {
		dn, err := NormalDN(base)
		return err != nil || dn != domain && !strings.HasSuffix(dn, ","+domain)
	})
}

// search is one paged search below a base, for use entry by entry; use returns
// false to stop. It succeeds only if the server said that this was all.
func (x *Session) search(ctx context.Context, base, filter string, attributes []string, use func(*ldap.Entry) bool) error {
	if !x.root.Supports(ldap.ControlTypePaging) {
		return x.searchAtOnce(ctx, base, filter, attributes, use)
	}
	var cookie []byte
	for {
		page := ldap.NewControlPaging(pageSize)
		page.SetCookie(cookie)
		request := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, []ldap.Control{page})
		next, stopped, err := x.page(ctx, request, use)
		if ldap.IsErrorWithCode(err, ldap.LDAPResultAdminLimitExceeded) && cookie == nil {
			// Some servers know pages and do not give them to everybody.
			return x.searchAtOnce(ctx, base, filter, attributes, use)
		}
		if err != nil || stopped {
			return searchError(err, base)
		}
		if cookie = next; len(cookie) == 0 {
			return nil
		}
	}
}

// page reads one page, and the cookie for the next one. The server's word for the
// page's end is what tells a page from half of one.
func (x *Session) page(ctx context.Context, request *ldap.SearchRequest, use func(*ldap.Entry) bool) (cookie []byte, stopped bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	mute := time.AfterFunc(silence, func() { x.conn.Close() })
	defer mute.Stop()
	end := false
	response := x.conn.SearchAsync(ctx, request, readAhead)
	for response.Next() {
		mute.Reset(silence)
		if control, ok := ldap.FindControl(response.Controls(), ldap.ControlTypePaging).(*ldap.ControlPaging); ok {
			cookie, end = control.Cookie, true
		}
		if entry := response.Entry(); entry != nil {
			mute.Stop() // how long it takes to take it in is not the server's fault
			if !use(entry) {
				return nil, true, nil
			}
			mute.Reset(silence)
		}
	}
	switch {
	case response.Err() != nil:
		return nil, false, response.Err()
	case ctx.Err() != nil:
		return nil, false, ctx.Err()
	case !end:
		return nil, false, ErrCutShort
	}
	return cookie, false, nil
}

// searchAtOnce is a search at a server that cannot page.
func (x *Session) searchAtOnce(ctx context.Context, base, filter string, attributes []string, use func(*ldap.Entry) bool) error {
	stop := context.AfterFunc(ctx, func() { x.conn.Close() })
	defer stop()
	request := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
	result, err := x.conn.Search(request)
	if err != nil {
		return searchError(err, base)
	}
	for _, entry := range result.Entries {
		if !use(entry) {
			break
		}
	}
	return nil
}

// searchError says what a search has come to in the operator's words.
func searchError(err error, base string) error {
	switch {
	case err == nil:
		return nil
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded):
		return fmt.Errorf("%w: searching below %.200q: %w", ErrSizeLimit, base, err)
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return fmt.Errorf("%w: %.200q", ErrNoBase, base)
	}
	return fmt.Errorf("searching below %.200q: %w", base, err)
}

// read reads the entry with a DN; nil: there is none.
func (x *Session) read(ctx context.Context, dn, filter string, attributes []string) (*ldap.Entry, error) {
	stop := context.AfterFunc(ctx, func() { x.conn.Close() })
	defer stop()
	mute := time.AfterFunc(silence, func() { x.conn.Close() })
	defer mute.Stop()
	result, err := x.conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil))
	switch {
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultReferral, ldap.LDAPResultInvalidDNSyntax):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading an entry: %w", err)
	case len(result.Entries) != 1:
		return nil, nil
	}
	return result.Entries[0], nil
}

const modifyTimestamp = "modifytimestamp"

// see remembers the newest change among the entries.
func (x *Session) see(rec *Record) {
	for _, v := range rec.Attributes[modifyTimestamp] {
		// GeneralizedTime in UTC, as servers keep it, orders as text.
		x.newest = max(x.newest, string(v.Data))
	}
}
