package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"parley"
)

const (
	maxLogin    = 320  // bytes of what somebody types as their name
	maxPassword = 1024 // bytes; directories of today take less

	// maxAlike is how many entries a search for one account may find before it
	// gives up.
	maxAlike = 10

	// signInTime bounds looking for an account, and checking a password, over all
	// servers.
	signInTime = 20 * time.Second
)

// Account is an entry that somebody may sign in as. The zero value is nobody.
type Account struct {
	SourceID string // as Entry.Person has it; empty: there is no such account

	dn       string // of nobody, where there is no such account
	disabled bool   // by an attribute that the server itself does not obey
}

// Authenticate looks a login up and checks a password. An error says that the
// directory could not be asked; everything else is a Verdict.
func (l *LDAP) Authenticate(ctx context.Context, login string, password parley.Secret) (Verdict, error) {
	account, err := l.Find(ctx, login)
	if err != nil {
		return Verdict{}, err
	}
	return l.Check(ctx, account, password)
}

// Find looks up whom a login means: a sign-in address or userPrincipalName,
// DOMAIN\name, or a bare name. Where not exactly one entry fits best, and for
// what cannot be a login, it is nobody.
func (l *LDAP) Find(ctx context.Context, login string) (Account, error) {
	q, ok := parseLogin(login)
	if !ok {
		return Account{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, signInTime)
	defer cancel()
	var account Account
	err := l.try(ctx, func(ctx context.Context, s server) error {
		conn, root, err := l.dialReader(ctx, s)
		if err != nil {
			return err
		}
		defer conn.Close()
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		defer stop()
		account, err = l.find(conn, root, q)
		if bases := l.PeopleBases(root); account.SourceID == "" && len(bases) > 0 {
			account.dn = nobodyBelow(bases[0])
		}
		return err
	})
	if err != nil {
		return Account{}, fmt.Errorf("looking for an account in the directory: %w", err)
	}
	return account, nil
}

// query is a login, taken apart.
type query struct {
	name   string // without domain, in every form
	domain string // behind the @, or before the backslash
	down   bool   // DOMAIN\name
}

// parseLogin takes a login apart. It is text of a line, never more than a filter
// can bear; what the directory makes of it is escaped later.
func parseLogin(login string) (query, bool) {
	login = strings.TrimSpace(login)
	if login == "" || len(login) > maxLogin || !utf8.ValidString(login) || strings.ContainsFunc(login, unicode.IsControl) {
		return query{}, false
	}
	if domain, name, ok := strings.Cut(login, `\`); ok {
		return query{name: name, domain: domain, down: true}, name != "" && domain != "" && !strings.Contains(name, `\`)
	}
	if at := strings.LastIndexByte(login, '@'); at >= 0 {
		q := query{name: login[:at], domain: login[at+1:]}
		return q, q.name != "" && q.domain != ""
	}
	return query{name: login}, true
}

// condition is one way in which an entry can fit a login; the earlier in a list,
// the better.
type condition struct{ attribute, value string }

// conditions lists how an entry can fit. Whoever may write an attribute of their
// own entry, such as mail, must not be able to lock out whom it names: the
// attributes that make the sign-in address come first.
func (l *LDAP) conditions(q query, root RootDSE) []condition {
	m := &l.config.Mapping
	aliases := m.Alias
	if root.Kind == KindAD {
		aliases = []string{"sAMAccountName"}
	}
	var list []condition
	add := func(attributes []string, value string) {
		for _, attribute := range attributes {
			list = append(list, condition{attribute, value})
		}
	}
	address := q.name + "@" + q.domain
	switch {
	case q.down:
		add(aliases, q.name)
	case q.domain != "":
		add(m.SignIn, address)
		add(m.Mail, address)
		if strings.EqualFold(q.domain, m.Domain) {
			add(aliases, q.name)
		}
	default:
		add(aliases, q.name)
		if m.Domain != "" {
			add(m.SignIn, q.name+"@"+m.Domain)
			add(m.Mail, q.name+"@"+m.Domain)
		}
	}
	return list
}

// loginFilter is the search for whoever fits one of the conditions.
func loginFilter(people string, conditions []condition) string {
	var b strings.Builder
	b.WriteString("(&" + people + "(|")
	for _, c := range conditions {
		b.WriteString("(" + c.attribute + "=" + ldap.EscapeFilter(c.value) + ")")
	}
	b.WriteString("))")
	return b.String()
}

// find searches all bases. References to other servers are not followed.
func (l *LDAP) find(conn *ldap.Conn, root RootDSE, q query) (Account, error) {
	below := ""
	if q.down {
		var known bool
		var err error
		if below, known, err = l.domain(conn, root, q.domain); err != nil || !known {
			return Account{}, err
		}
	}
	conditions := l.conditions(q, root)
	attributes := slices.Concat(l.config.Mapping.SourceID, []string{userAccountControl, nsAccountLock})
	for _, c := range conditions {
		attributes = append(attributes, c.attribute)
	}
	var found []*ldap.Entry
	for _, base := range l.PeopleBases(root) {
		result, err := conn.Search(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, maxAlike,
			int(operationTime.Seconds()), false, loginFilter(l.PeopleFilter(root), conditions), attributes, nil))
		switch {
		case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
			l.config.Log.Warn("a base of the configuration does not exist in the directory", "key", "ldap.people_bases")
			continue
		case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded):
			return Account{}, nil
		case err != nil:
			return Account{}, fmt.Errorf("searching: %w", err)
		}
		for _, entry := range result.Entries { // bases may overlap
			if !slices.ContainsFunc(found, func(e *ldap.Entry) bool { return e.DN == entry.DN }) {
				found = append(found, entry)
			}
		}
	}
	return l.account(theOne(found, conditions, below)), nil
}

// theOne picks the entry that fits best, or none where two fit alike. below is
// the normal DN that it must stand under, if any.
func theOne(entries []*ldap.Entry, conditions []condition, below string) *ldap.Entry {
	rank := func(entry *ldap.Entry) int {
		return slices.IndexFunc(conditions, func(c condition) bool {
			return slices.ContainsFunc(entry.GetEqualFoldAttributeValues(c.attribute), func(v string) bool { return strings.EqualFold(v, c.value) })
		})
	}
	var best *ldap.Entry
	bestRank, alike := len(conditions)+1, false
	for _, entry := range entries {
		if dn, err := NormalDN(entry.DN); below != "" && (err != nil || !strings.HasSuffix(dn, ","+below)) {
			continue
		}
		r := rank(entry)
		if r < 0 { // only the directory's own way to compare finds it
			r = len(conditions)
		}
		switch {
		case r < bestRank:
			best, bestRank, alike = entry, r, false
		case r == bestRank:
			alike = true
		}
	}
	if alike {
		return nil
	}
	return best
}

// account reads what signing in needs of an entry.
func (l *LDAP) account(entry *ldap.Entry) Account {
	if entry == nil {
		return Account{}
	}
	f := &facts{rec: recordOf(entry)}
	for _, name := range l.config.Mapping.SourceID {
		if values := f.values(name); len(values) > 0 {
			id, ok := sourceID(name, values[0].Data)
			if !ok {
				return Account{}
			}
			return Account{SourceID: id, dn: entry.DN, disabled: disabled(f)}
		}
	}
	dn, err := NormalDN(entry.DN)
	if err != nil {
		return Account{}
	}
	return Account{SourceID: "dn:" + dn, dn: entry.DN, disabled: disabled(f)}
}

// recordOf is an entry of a search in the form of one of an export.
func recordOf(entry *ldap.Entry) *Record {
	rec := &Record{DN: entry.DN, Attributes: map[string][]Value{}}
	for _, a := range entry.Attributes {
		name := strings.ToLower(a.Name)
		for _, v := range a.ByteValues {
			rec.Attributes[name] = append(rec.Attributes[name], Value{Data: v})
		}
	}
	return rec
}

// domain says whether a NetBIOS name is one of the directory's, and below which
// DN its people are; "" is anywhere.
func (l *LDAP) domain(conn *ldap.Conn, root RootDSE, name string) (below string, known bool, err error) {
	if l.config.Domain != "" {
		return "", strings.EqualFold(l.config.Domain, name), nil
	}
	if root.Configuration == "" {
		return "", false, nil
	}
	l.mu.Lock()
	domains := l.domains
	l.mu.Unlock()
	if domains == nil {
		if domains, err = netbiosNames(conn, root); err != nil {
			return "", false, err
		}
		l.mu.Lock()
		l.domains = domains
		l.mu.Unlock()
	}
	below, known = domains[strings.ToLower(name)]
	return below, known, nil
}

// netbiosNames reads the domains of a forest (MS-ADTS §6.1.1.2.1.1).
func netbiosNames(conn *ldap.Conn, root RootDSE) (map[string]string, error) {
	result, err := conn.Search(ldap.NewSearchRequest("CN=Partitions,"+root.Configuration, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0,
		int(operationTime.Seconds()), false, "(&(objectClass=crossRef)(nETBIOSName=*))", []string{"nETBIOSName", "nCName"}, nil))
	if err != nil {
		return nil, fmt.Errorf("asking for the domains: %w", err)
	}
	domains := map[string]string{}
	for _, entry := range result.Entries {
		if dn, err := NormalDN(entry.GetEqualFoldAttributeValue("nCName")); err == nil {
			domains[strings.ToLower(entry.GetEqualFoldAttributeValue("nETBIOSName"))] = dn
		}
	}
	return domains, nil
}

// Check binds as an account with a password, on a connection of its own. For
// nobody it binds too, as somebody who does not exist, so that it costs the same.
//
// A password that is empty never reaches the directory: many take it for an
// anonymous bind, and say yes (RFC 4513 §5.1.2).
func (l *LDAP) Check(ctx context.Context, account Account, password parley.Secret) (Verdict, error) {
	if password == "" || len(password) > maxPassword || strings.ContainsRune(string(password), 0) {
		return Verdict{Outcome: Wrong}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, signInTime)
	defer cancel()
	dn := account.dn
	if dn == "" {
		dn = l.nobody()
	}
	verdict := Verdict{Outcome: Wrong}
	err := l.try(ctx, func(ctx context.Context, s server) error {
		if err := l.mayBind(s); err != nil {
			return err
		}
		conn, err := l.open(ctx, s)
		if err != nil {
			return err
		}
		defer conn.Close()
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		defer stop()
		request := ldap.NewSimpleBindRequest(dn, string(password), []ldap.Control{ldap.NewControlBeheraPasswordPolicy()})
		result, err := conn.SimpleBind(request)
		verdict.Outcome, err = judge(result, err)
		return err
	})
	switch {
	case err != nil:
		return Verdict{}, fmt.Errorf("checking a password with the directory: %w", err)
	case account.SourceID == "":
		return Verdict{Outcome: Wrong}, nil
	case verdict.Outcome == Right && account.disabled:
		verdict.Outcome = Disabled
	}
	verdict.SourceID = account.SourceID
	return verdict, nil
}

// nobody is the name of an entry that does not exist, for whoever was not looked
// for.
func (l *LDAP) nobody() string {
	base := l.config.BindDN
	if len(l.config.PeopleBases) > 0 {
		base = l.config.PeopleBases[0]
	}
	if _, err := NormalDN(base); err != nil { // a userPrincipalName, or none
		return "CN=" + rand.Text()
	}
	return nobodyBelow(base)
}

func nobodyBelow(base string) string { return "CN=" + rand.Text() + "," + base }

// errStrange is an answer that a bind must not get.
var errStrange = errors.New("the directory gave a strange answer")
