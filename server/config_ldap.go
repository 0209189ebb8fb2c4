package server

import (
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"parley"
	"parley/edge/directory"
)

// LDAPConfig says where the corporate directory is, and what of it counts.
type LDAPConfig struct {
	Servers   []string `key:"servers" doc:"URLs of the servers, in the order in which they are tried, such as [\"ldaps://dc1.example.com\", \"ldaps://dc2.example.com\"]. Empty: no corporate directory."`
	StartTLS  bool     `key:"start_tls" doc:"Encrypt the connections to ldap:// servers. Without it no password is sent to them, unless they are on this machine."`
	Plaintext bool     `key:"plaintext" doc:"Send passwords over connections that are not encrypted, to ldap:// servers with start_tls off. Whoever reads the network then reads the passwords of everybody who signs in."`
	CA        string   `key:"ca" doc:"Certificates of the authorities that signed those of the servers, PEM. Empty: those that this machine trusts."`

	BindDN       string        `key:"bind_dn" doc:"The account that the directory is read with: its DN, or in Active Directory its userPrincipalName. It needs no right but to read. Empty: the directory is read anonymously."`
	BindPassword parley.Secret `key:"bind_password" doc:"The password of that account. PARLEY_LDAP_BIND_PASSWORD keeps it out of this file."`

	Kind   string `key:"kind" allowed:"auto ad openldap other" doc:"What the directory is; auto asks it."`
	Domain string `key:"domain" doc:"The domain in front of DOMAIN\\name, which people may sign in with. Empty: Active Directory knows it."`

	PeopleBases  []string `key:"people_bases" separator:";" doc:"DNs below which people are, such as [\"ou=People,dc=example,dc=com\"]. Empty: everywhere."`
	PeopleFilter string   `key:"people_filter" doc:"LDAP filter for the entries that are people, such as (&(objectCategory=person)(objectClass=user)(!(employeeType=service))). Empty: by kind."`
	GroupBases   []string `key:"group_bases" separator:";" doc:"DNs below which groups are. Empty: everywhere."`
	GroupFilter  string   `key:"group_filter" doc:"LDAP filter for the entries that are groups. Empty: by kind."`

	Administrators []string `key:"administrators" separator:";" doc:"DNs of groups whose members are administrators as well, members of groups inside them included."`
	Users          []string `key:"users" separator:";" doc:"DNs of groups whose members may sign in. Empty: everybody whom people_filter finds."`

	Sync      string        `key:"sync" allowed:"auto syncrepl dirsync poll" doc:"How changes are noticed: syncrepl (OpenLDAP and others with RFC 4533), dirsync (Active Directory; the account needs the right Replicating Directory Changes), poll (asking what was changed since). auto takes what the server can."`
	Interval  time.Duration `key:"interval" min:"1s" max:"1h" doc:"With dirsync and poll: how often the server is asked."`
	FullEvery time.Duration `key:"full_every" min:"0s" max:"7d" doc:"How often everything is compared, for what following changes cannot see, at least a minute. 0s: every hour with poll, which does not see who is deleted, otherwise once a day."`

	PasswordURL string `key:"password_url" doc:"Where people change their password. The app shows it to them."`

	Attributes LDAPAttributes `key:"attributes" doc:"Which attributes mean what, in order of preference. An empty list leaves the fact empty."`
}

// LDAPAttributes says which attributes feed which fact.
type LDAPAttributes struct {
	SourceID    []string `key:"source_id" doc:"What never changes of an entry, also when it is renamed or moved."`
	Address     []string `key:"address" doc:"A sign-in address as it stands. Who has none of these has mail, or alias and the default domain, as the sign-in address."`
	Name        []string `key:"name" doc:"The name that others see."`
	GivenName   []string `key:"given_name" doc:"Given name."`
	Surname     []string `key:"surname" doc:"Surname."`
	Alias       []string `key:"alias" doc:"The short name that people sign in with."`
	Mail        []string `key:"mail" doc:"Mail address."`
	OtherMail   []string `key:"other_mail" doc:"Further addresses, plain or with \"smtp:\" or \"sip:\" in front."`
	Title       []string `key:"title" doc:"Job title."`
	Department  []string `key:"department" doc:"Department."`
	Company     []string `key:"company" doc:"Company."`
	Office      []string `key:"office" doc:"Office."`
	Manager     []string `key:"manager" doc:"DN of the manager."`
	WorkPhone   []string `key:"work_phone" doc:"Phone at work."`
	Mobile      []string `key:"mobile" doc:"Mobile phone."`
	HomePhone   []string `key:"home_phone" doc:"Phone at home."`
	OtherPhones []string `key:"other_phones" doc:"Further phones."`
	Region      []string `key:"region" doc:"Two-letter country code, for phone numbers that are written without one."`
	Photo       []string `key:"photo" doc:"Photo."`
}

// configured reports whether there is a corporate directory.
func (c *LDAPConfig) configured() bool { return len(c.Servers) > 0 }

func defaultLDAP() LDAPConfig {
	m := directory.DefaultMapping("")
	return LDAPConfig{
		StartTLS: true, Kind: string(directory.KindAuto), Sync: "auto", Interval: 3 * time.Second,
		Attributes: LDAPAttributes{
			SourceID: m.SourceID, Address: m.SignIn, Name: m.DisplayName, GivenName: m.GivenName, Surname: m.Surname, Alias: m.Alias,
			Mail: m.Mail, OtherMail: m.OtherMail, Title: m.Title, Department: m.Department, Company: m.Company, Office: m.Office,
			Manager: m.Manager, WorkPhone: m.WorkPhone, Mobile: m.Mobile, HomePhone: m.HomePhone, OtherPhones: m.OtherPhones,
			Region: m.Region, Photo: m.Photo,
		},
	}
}

// How often everything is compared if ldap.full_every does not say: asking for what
// has changed does not see who is deleted, the other ways tell everything.
const (
	fullEveryAsked = time.Hour
	fullEveryTold  = 24 * time.Hour
)

// fullEvery is how often everything is compared when changes are noticed so.
func (c *LDAPConfig) fullEvery(mode directory.Mode) time.Duration {
	switch {
	case c.FullEvery > 0:
		return c.FullEvery
	case mode == directory.ModePoll:
		return fullEveryAsked
	default:
		return fullEveryTold
	}
}

// mapping is what attributes mean, in the directory's form.
func (a *LDAPAttributes) mapping(domain string) directory.Mapping {
	m := directory.DefaultMapping(domain)
	m.SourceID, m.SignIn, m.DisplayName, m.GivenName, m.Surname, m.Alias = a.SourceID, a.Address, a.Name, a.GivenName, a.Surname, a.Alias
	m.Mail, m.OtherMail, m.Title, m.Department, m.Company, m.Office = a.Mail, a.OtherMail, a.Title, a.Department, a.Company, a.Office
	m.Manager, m.WorkPhone, m.Mobile, m.HomePhone, m.OtherPhones = a.Manager, a.WorkPhone, a.Mobile, a.HomePhone, a.OtherPhones
	m.Region, m.Photo = a.Region, a.Photo
	return m
}

// directory is the configuration in the directory's form. What it lacks is the
// dialer and the log.
func (c *LDAPConfig) directory(domain string) (directory.LDAPConfig, error) {
	roots, err := c.roots()
	if err != nil {
		return directory.LDAPConfig{}, err
	}
	return directory.LDAPConfig{
		Servers: c.Servers, StartTLS: c.StartTLS, Plaintext: c.Plaintext, RootCAs: roots,
		BindDN: c.BindDN, BindPassword: c.BindPassword, Kind: directory.Kind(c.Kind), Domain: c.Domain,
		PeopleBases: c.PeopleBases, PeopleFilter: c.PeopleFilter, GroupBases: c.GroupBases, GroupFilter: c.GroupFilter,
		Mapping: c.Attributes.mapping(domain),
	}, nil
}

// roots reads the authorities; nil: those of the machine.
func (c *LDAPConfig) roots() (*x509.CertPool, error) {
	if c.CA == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("reading ldap.ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("ldap.ca holds no certificate in PEM form")
	}
	return pool, nil
}

// checkLDAP looks at the corporate directory.
func (r *reading) checkLDAP() {
	c := &r.config.LDAP
	if !c.configured() {
		for _, key := range []string{"ldap.bind_dn", "ldap.people_bases", "ldap.administrators", "ldap.users"} {
			r.fails(key, r.origin[key] != "" && r.leaves[key].value.Len() > 0, "has no effect without ldap.servers")
		}
		return
	}
	r.checkLDAPServers(c)
	r.fails("ldap.bind_dn", c.BindDN == "" && c.BindPassword != "", "missing; ldap.bind_password is the password of this account")
	r.fails("ldap.bind_password", c.BindDN != "" && c.BindPassword == "",
		"missing; give the password of ldap.bind_dn here or as PARLEY_LDAP_BIND_PASSWORD")
	_, err := directory.NormalDN(c.BindDN)
	r.fails("ldap.bind_dn", c.BindDN != "" && err != nil && !strings.ContainsAny(c.BindDN, `@\`),
		"%q is no DN such as cn=parley,ou=Services,dc=example,dc=com, and no name such as parley@example.com", c.BindDN)
	for _, key := range []string{"ldap.people_bases", "ldap.group_bases", "ldap.administrators", "ldap.users"} {
		for _, dn := range r.leaves[key].value.Interface().([]string) {
			_, err := directory.NormalDN(dn)
			r.fails(key, err != nil, "%q is no DN such as ou=People,dc=example,dc=com", dn)
		}
	}
	for _, key := range []string{"ldap.people_filter", "ldap.group_filter"} {
		filter := r.leaves[key].value.String()
		r.fails(key, filter != "" && !directory.ValidFilter(filter), "%q is no LDAP filter such as (objectClass=person)", filter)
	}
	r.fails("ldap.domain", strings.ContainsAny(c.Domain, `\/@"[]:;|=,+*?<> `), "%q is no domain such as EXAMPLE", c.Domain)
	r.fails("ldap.full_every", c.FullEvery > 0 && c.FullEvery < time.Minute, "%v is less than a minute", c.FullEvery)
	r.checkURL("ldap.password_url", c.PasswordURL)
	r.checkLDAPAttributes()
}

func (r *reading) checkLDAPServers(c *LDAPConfig) {
	plain := false
	for _, text := range c.Servers {
		if err := directory.CheckServer(text); err != nil {
			r.fails("ldap.servers", true, "%v", err)
			continue
		}
		insecure := strings.HasPrefix(text, "ldap:") && !c.StartTLS
		r.fails("ldap.start_tls", insecure && !c.Plaintext && !directory.Local(text),
			"off, but %s would get passwords in the clear; leave it on, use ldaps://, or set ldap.plaintext", text)
		plain = plain || insecure
	}
	r.fails("ldap.plaintext", c.Plaintext && !plain, "has no effect: every connection is encrypted")
	_, err := c.roots()
	r.fails("ldap.ca", err != nil, "%v", err)
}

// checkLDAPAttributes looks at the mapping.
func (r *reading) checkLDAPAttributes() {
	for _, key := range slices.Sorted(maps.Keys(r.leaves)) {
		if !strings.HasPrefix(key, "ldap.attributes.") {
			continue
		}
		for _, name := range r.leaves[key].value.Interface().([]string) {
			r.fails(key, !isAttribute(name), "%q is no name of an attribute", name)
		}
	}
	a := &r.config.LDAP.Attributes
	r.fails("ldap.attributes.name", len(a.Name) == 0, "missing; people need names")
	r.fails("ldap.attributes.address", len(a.Address)+len(a.Mail)+len(a.Alias) == 0,
		"missing; people need a sign-in address, from address, mail or alias")
}

// isAttribute reports whether s is an attribute's name (RFC 4512 §1.4), which may
// stand in a filter as it is.
func isAttribute(s string) bool {
	return s != "" && len(s) <= 100 && !slices.ContainsFunc([]byte(s), func(c byte) bool {
		letter, digit := c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9'
		return !letter && !digit && c != '-' && c != '.'
	})
}
