package directory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// RootDSE is what a server says about itself (RFC 4512 §5.1).
type RootDSE struct {
	Kind                 Kind // never KindAuto
	NamingContexts       []string
	DefaultNamingContext string   // Active Directory: the server's own domain
	Configuration        string   // Active Directory: where the domains of the forest are listed
	SupportedControls    []string // OIDs
	DNSHostName          string   // Active Directory: the server's name
	Vendor               string
}

// oidActiveDirectory is the capability that marks Active Directory (MS-ADTS
// §3.1.1.3.4.3.1).
const oidActiveDirectory = "1.2.840.113556.1.4.800"

// Supports reports whether the server knows a control.
func (r *RootDSE) Supports(oid string) bool { return slices.Contains(r.SupportedControls, oid) }

// readRoot asks a server about itself.
func (l *LDAP) readRoot(conn *ldap.Conn) (RootDSE, error) {
	result, err := conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, int(operationTime.Seconds()), false,
		"(objectClass=*)", []string{
			"objectClass", "structuralObjectClass", "namingContexts", "defaultNamingContext", "configurationNamingContext",
			"supportedControl", "supportedCapabilities", "dnsHostName", "vendorName",
		}, nil))
	if err != nil {
		return RootDSE{}, fmt.Errorf("asking what the server is: %w", err)
	}
	if len(result.Entries) != 1 {
		return RootDSE{}, fmt.Errorf("asking what the server is: %d answers", len(result.Entries))
	}
	entry := result.Entries[0]
	root := RootDSE{
		NamingContexts:       entry.GetEqualFoldAttributeValues("namingContexts"),
		DefaultNamingContext: entry.GetEqualFoldAttributeValue("defaultNamingContext"),
		Configuration:        entry.GetEqualFoldAttributeValue("configurationNamingContext"),
		SupportedControls:    entry.GetEqualFoldAttributeValues("supportedControl"),
		DNSHostName:          entry.GetEqualFoldAttributeValue("dnsHostName"),
		Vendor:               entry.GetEqualFoldAttributeValue("vendorName"),
		Kind:                 l.config.Kind,
	}
	if root.Kind == KindAuto || root.Kind == "" {
		root.Kind = kindOf(entry)
	}
	return root, nil
}

func kindOf(root *ldap.Entry) Kind {
	has := func(attribute, value string) bool {
		return slices.ContainsFunc(root.GetEqualFoldAttributeValues(attribute), func(v string) bool { return strings.EqualFold(v, value) })
	}
	switch {
	case has("supportedCapabilities", oidActiveDirectory):
		return KindAD
	case has("objectClass", "OpenLDAProotDSE"), has("structuralObjectClass", "OpenLDAProotDSE"):
		return KindOpenLDAP
	default:
		return KindOther
	}
}

// PeopleBases are the entries below which people are looked for.
func (l *LDAP) PeopleBases(root RootDSE) []string { return bases(l.config.PeopleBases, root) }

// GroupBases are the entries below which groups are looked for.
func (l *LDAP) GroupBases(root RootDSE) []string { return bases(l.config.GroupBases, root) }

func bases(configured []string, root RootDSE) []string {
	switch {
	case len(configured) > 0:
		return configured
	case root.DefaultNamingContext != "":
		return []string{root.DefaultNamingContext}
	case len(root.NamingContexts) > 0:
		return root.NamingContexts[:1]
	default:
		return nil
	}
}

// PeopleFilter says which entries are people.
func (l *LDAP) PeopleFilter(root RootDSE) string {
	switch {
	case l.config.PeopleFilter != "":
		return l.config.PeopleFilter
	case root.Kind == KindAD: // where computers and contacts are of the same classes
		return "(&(objectCategory=person)(objectClass=user))"
	default:
		return "(objectClass=person)"
	}
}

// GroupFilter says which entries are groups.
func (l *LDAP) GroupFilter(root RootDSE) string {
	switch {
	case l.config.GroupFilter != "":
		return l.config.GroupFilter
	case root.Kind == KindAD:
		return "(objectClass=group)"
	default:
		return "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))"
	}
}
