package directory

import "slices"

// Mapping says which attribute of a directory feeds which fact of a person. Each
// list is in order of preference, and names are compared without regard to case.
// Start from DefaultMapping and change what differs; an empty list leaves the
// fact empty.
type Mapping struct {
	// Domain completes an alias to a sign-in address for people who have neither
	// a userPrincipalName nor mail. Empty: such people are refused.
	Domain string

	// A record is a person if one of its object classes is in People and none in
	// NotPeople.
	People    []string
	NotPeople []string

	SourceID    []string // what never changes of an entry
	SignIn      []string // a sign-in address as it stands
	DisplayName []string
	GivenName   []string
	Surname     []string
	Alias       []string
	Mail        []string
	OtherMail   []string // plain, or with "smtp:" or "sip:" before the address
	Title       []string
	Department  []string
	Company     []string
	Office      []string
	Manager     []string // a DN
	WorkPhone   []string
	Mobile      []string
	HomePhone   []string
	OtherPhones []string
	Region      []string // two-letter country codes; other values are passed over
	Photo       []string
}

// DefaultMapping suits Active Directory and inetOrgPerson (RFC 2798) alike.
func DefaultMapping(domain string) Mapping {
	return Mapping{
		Domain: domain,
		People: []string{"person", "organizationalPerson", "inetOrgPerson", "user"},
		// In Active Directory a computer is a user, and a contact is a person.
		NotPeople: []string{"computer", "contact", "group"},

		SourceID:    []string{"entryuuid", "objectguid"},
		SignIn:      []string{"userprincipalname"},
		DisplayName: []string{"displayname", "cn"},
		GivenName:   []string{"givenname"},
		Surname:     []string{"sn"},
		Alias:       []string{"uid", "samaccountname"},
		Mail:        []string{"mail"},
		OtherMail:   []string{"proxyaddresses", "msrtcsip-primaryuseraddress"},
		Title:       []string{"title"},
		Department:  []string{"department", "departmentnumber", "ou"},
		Company:     []string{"company", "o"},
		Office:      []string{"physicaldeliveryofficename", "roomnumber"},
		Manager:     []string{"manager"},
		WorkPhone:   []string{"telephonenumber"},
		Mobile:      []string{"mobile"},
		HomePhone:   []string{"homephone"},
		OtherPhones: []string{"othertelephone", "ipphone", "otherhomephone", "othermobile"},
		Region:      []string{"c", "co"},
		Photo:       []string{"thumbnailphoto", "jpegphoto"},
	}
}

// The attributes that say whether an account is disabled mean the same in every
// directory that has them, so they are not for the operator to map.
const (
	objectClass        = "objectclass"
	userAccountControl = "useraccountcontrol"   // Active Directory; bit 2 is ACCOUNTDISABLE
	accountExpires     = "accountexpires"       // Active Directory
	nsAccountLock      = "nsaccountlock"        // 389 Directory Server, FreeIPA
	pwdLockedTime      = "pwdaccountlockedtime" // OpenLDAP's password policy
)

// Attributes names every attribute that Person looks at: what a search has to
// ask for.
func (m *Mapping) Attributes() []string {
	return slices.Concat(
		[]string{objectClass, userAccountControl, accountExpires, nsAccountLock, pwdLockedTime},
		m.SourceID, m.SignIn, m.DisplayName, m.GivenName, m.Surname, m.Alias, m.Mail, m.OtherMail,
		m.Title, m.Department, m.Company, m.Office, m.Manager,
		m.WorkPhone, m.Mobile, m.HomePhone, m.OtherPhones, m.Region, m.Photo,
	)
}
