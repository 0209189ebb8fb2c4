package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Group is a group as the directory knows it.
type Group struct {
	SourceID    string
	DN          string // in the form of NormalDN, as are Members
	Name        string
	Mail        string
	Description string

	Members []string // people and groups that stand in it
	Aliases []string // people, by alias, of a posixGroup (RFC 2307)

	// Listed says that people may find it: it has a mail address, or the directory
	// is none of Microsoft's, whose many groups of rights nobody looks for, or the
	// operator said where the groups are; and it is not hidden from address lists.
	Listed bool
}

// maxMembers bounds the members of one group; what goes beyond is left out.
const maxMembers = 1_000_000

var groupAttributes = []string{
	objectClass, "cn", "displayname", "mail", "description", "member", "uniquemember", "memberuid",
	"msexchhidefromaddresslists", "isdeleted", modifyTimestamp,
}

func (x *Session) groupBases() []string { return x.sync.ldap.GroupBases(x.root) }

func (x *Session) groupAttributes() []string {
	return slices.Concat(x.sync.ldap.config.Mapping.SourceID, groupAttributes)
}

// Groups reads every group that is followed and those of the required ones that
// there are. The error says that these were not all.
func (x *Session) Groups(ctx context.Context) ([]Group, error) {
	var groups []Group
	seen := map[string]bool{}
	add := func(g Group) {
		if !seen[g.SourceID] {
			seen[g.SourceID] = true
			groups = append(groups, g)
		}
	}
	for _, base := range x.groupBases() {
		var entries []*ldap.Entry // those with ranges need further questions
		err := x.search(ctx, base, x.sync.ldap.GroupFilter(x.root), x.groupAttributes(), func(e *ldap.Entry) bool {
			if rangeOf(e) != nil {
				entries = append(entries, e)
			} else if g, ok := x.group(e, true); ok {
				add(g)
			}
			return true
		})
		if err != nil {
			return nil, fmt.Errorf("reading groups: %w", err)
		}
		for _, e := range entries {
			g, ok, err := x.wholeGroup(ctx, e, true)
			if err != nil {
				return nil, err
			}
			if ok {
				add(g)
			}
		}
	}
	for _, dn := range x.sync.config.Required {
		g, err := x.Group(ctx, dn)
		if errors.Is(err, ErrNoGroup) {
			continue // what that means is for the caller to say
		}
		if err != nil {
			return nil, err
		}
		add(g)
	}
	return groups, nil
}

// Group reads a required group by DN.
func (x *Session) Group(ctx context.Context, dn string) (Group, error) {
	e, err := x.read(ctx, dn, "(objectClass=*)", x.groupAttributes())
	if err != nil {
		return Group{}, err
	}
	if e == nil {
		return Group{}, fmt.Errorf("%w: %.200q", ErrNoGroup, dn)
	}
	g, ok, err := x.wholeGroup(ctx, e, false)
	if err == nil && !ok {
		err = fmt.Errorf("%w: %.200q", ErrNoGroup, dn)
	}
	return g, err
}

// wholeGroup reads the members that the server did not give at once.
func (x *Session) wholeGroup(ctx context.Context, e *ldap.Entry, found bool) (Group, bool, error) {
	var more []string
	for r := rangeOf(e); r != nil && !r.last; {
		next, err := x.read(ctx, e.DN, "(objectClass=*)", []string{fmt.Sprintf("member;range=%d-*", r.to+1)})
		if err != nil {
			return Group{}, false, fmt.Errorf("reading the members of a group: %w", err)
		}
		if next == nil || rangeOf(next) == nil || rangeOf(next).from != r.to+1 {
			return Group{}, false, fmt.Errorf("reading the members of a group: %w", ErrCutShort)
		}
		r = rangeOf(next)
		if more = append(more, r.values...); len(more) > maxMembers {
			break
		}
	}
	g, ok := x.group(e, found)
	for _, dn := range more {
		if normal, err := NormalDN(dn); err == nil {
			g.Members = append(g.Members, normal)
		}
	}
	return g, ok, nil
}

// group maps an entry; false: it is none that can be known again. found says that
// the configuration's base and filter found it.
func (x *Session) group(e *ldap.Entry, found bool) (Group, bool) {
	rec := recordOf(e)
	x.see(rec)
	f := &facts{rec: rec}
	var who Entry
	x.sync.ldap.config.Mapping.identity(f, &who)
	if f.err != nil {
		return Group{}, false
	}
	g := Group{
		SourceID: who.Person.SourceID, DN: who.DN,
		Name: f.text([]string{"displayname", "cn"}), Description: f.text([]string{"description"}),
	}
	if mails := f.addresses([]string{"mail"}); len(mails) > 0 {
		g.Mail = mails[0]
	}
	for _, name := range []string{"member", "uniquemember"} {
		for _, v := range slices.Concat(f.values(name), rangeValues(e, name)) {
			if dn, err := NormalDN(string(v.Data)); err == nil && len(g.Members) < maxMembers {
				g.Members = append(g.Members, dn)
			}
		}
	}
	for _, v := range f.values("memberuid") {
		if alias := clean(string(v.Data)); alias != "" && len(g.Aliases) < maxMembers {
			g.Aliases = append(g.Aliases, alias)
		}
	}
	hidden := strings.EqualFold(f.text([]string{"msexchhidefromaddresslists"}), "true")
	chosen := x.Kind != KindAD || len(x.sync.ldap.config.GroupBases) > 0
	g.Listed = found && !hidden && g.Name != "" && (g.Mail != "" || chosen)
	return g, true
}

// maxAbove bounds how many groups above somebody are looked at.
const maxAbove = 500

// InGroups reports whether somebody is in one of the groups with these DNs, or in
// a group inside them. It asks from the person upwards, so that it costs little
// with large groups.
func (x *Session) InGroups(ctx context.Context, dn, alias string, groups []string) (bool, error) {
	wanted := map[string]bool{}
	for _, group := range groups {
		if normal, err := NormalDN(group); err == nil {
			wanted[normal] = true
		}
	}
	condition := "(memberUid=" + ldap.EscapeFilter(alias) + ")"
	if alias == "" {
		condition = ""
	}
	seen := map[string]bool{}
	for above := []string{dn}; len(above) > 0 && len(seen) < maxAbove; {
		member := ldap.EscapeFilter(above[0])
		above = above[1:]
		filter := "(|(member=" + member + ")(uniqueMember=" + member + ")" + condition + ")"
		condition = ""
		found, err := x.holding(ctx, filter, groups)
		if err != nil {
			return false, err
		}
		for _, group := range found {
			if wanted[group] {
				return true, nil
			}
			if !seen[group] {
				seen[group] = true
				above = append(above, group)
			}
		}
	}
	return false, nil
}

// holding gives the groups that a filter finds below the bases of groups, and
// among the required ones.
func (x *Session) holding(ctx context.Context, filter string, required []string) ([]string, error) {
	var found []string
	for _, base := range x.groupBases() {
		err := x.search(ctx, base, filter, []string{"1.1"}, func(e *ldap.Entry) bool {
			if normal, err := NormalDN(e.DN); err == nil {
				found = append(found, normal)
			}
			return len(found) < maxAbove
		})
		if err != nil {
			return nil, err
		}
	}
	for _, dn := range required {
		e, err := x.read(ctx, dn, filter, []string{"1.1"})
		if err != nil {
			return nil, err
		}
		if normal, err := NormalDN(dn); err == nil && e != nil {
			found = append(found, normal)
		}
	}
	return found, nil
}

// valueRange is a part of an attribute's values, as Active Directory gives them of
// long ones: "member;range=0-1499", the last part "member;range=1500-*".
type valueRange struct {
	from, to int
	last     bool
	values   []string
}

// rangeOf finds the part of member that an entry holds; nil: it holds all of them.
func rangeOf(e *ldap.Entry) *valueRange {
	for _, a := range e.Attributes {
		if r, ok := parseRange(a.Name); ok && strings.HasPrefix(strings.ToLower(a.Name), "member;") {
			r.values = a.Values
			return &r
		}
	}
	return nil
}

func rangeValues(e *ldap.Entry, name string) []Value {
	r := rangeOf(e)
	if r == nil || name != "member" {
		return nil
	}
	values := make([]Value, len(r.values))
	for i, v := range r.values {
		values[i].Data = []byte(v)
	}
	return values
}

// parseRange reads the option "range=FROM-TO" of an attribute's name.
func parseRange(name string) (r valueRange, ok bool) {
	for option := range strings.SplitSeq(strings.ToLower(name), ";") {
		text, is := strings.CutPrefix(option, "range=")
		if !is {
			continue
		}
		from, to, _ := strings.Cut(text, "-")
		var err error
		if r.from, err = strconv.Atoi(from); err != nil || r.from < 0 {
			return valueRange{}, false
		}
		if to == "*" {
			r.last = true
			return r, true
		}
		r.to, err = strconv.Atoi(to)
		return r, err == nil && r.to >= r.from && r.to < maxMembers*2
	}
	return valueRange{}, false
}
