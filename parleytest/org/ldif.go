package org

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// WriteLDIF writes the organisation as a directory loads it: inetOrgPerson and
// groupOfNames for OpenLDAP, with the base entry; users and groups for Active
// Directory, whose base is there already.
func WriteLDIF(out io.Writer, o Options) error {
	w := &writer{bufio.NewWriterSize(out, 1<<16)}
	if !o.AD {
		first, _, _ := strings.Cut(o.Base, ",")
		_, dc, _ := strings.Cut(first, "=")
		w.entry(o.Base, "objectClass", "domain", "objectClass", "top", "dc", dc)
	}
	for _, unit := range []string{"People", "Groups"} {
		w.entry("OU="+unit+","+o.Base, "objectClass", "organizationalUnit", "ou", unit)
	}
	people := People(o)
	for i := range people {
		if o.AD {
			w.adPerson(&people[i], o.Domain())
		} else {
			w.person(&people[i])
		}
	}
	for _, g := range Groups(o, people) {
		w.group(&g, o.AD)
	}
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("writing the organisation: %w", err)
	}
	return nil
}

type writer struct{ out *bufio.Writer }

// entry writes a record; empty values are left out.
func (w *writer) entry(dn string, pairs ...string) {
	w.begin(dn, pairs...)
	w.out.WriteByte('\n')
}

// begin writes a record without its end. What fails is found by Flush.
func (w *writer) begin(dn string, pairs ...string) {
	w.value("dn", dn)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			w.value(pairs[i], pairs[i+1])
		}
	}
}

// value writes one line, in base64 where it has to be (RFC 2849).
func (w *writer) value(attribute, value string) {
	safe := value[0] != ' ' && value[0] != ':' && value[0] != '<' && value[len(value)-1] != ' '
	for i := range len(value) {
		safe = safe && value[i] >= 32 && value[i] <= 126
	}
	if safe {
		fmt.Fprintf(w.out, "%s: %s\n", attribute, value)
	} else {
		fmt.Fprintf(w.out, "%s:: %s\n", attribute, base64.StdEncoding.EncodeToString([]byte(value)))
	}
}

func (p *Person) name() string { return p.GivenName + " " + p.Surname }

func (w *writer) person(p *Person) {
	cn := p.name()
	if strings.HasPrefix(p.DN, "CN=") {
		cn = specialName // an entry holds what names it
	}
	w.begin(p.DN, "objectClass", "inetOrgPerson", "objectClass", "organizationalPerson", "objectClass", "person", "objectClass", "top",
		"uid", p.Login, "cn", cn, "displayName", p.Surname+", "+p.GivenName, "givenName", p.GivenName, "sn", p.Surname,
		"mail", p.Mail, "telephoneNumber", p.Phone, "mobile", p.Mobile, "title", p.Title, "departmentNumber", p.Department,
		"o", "Example Ltd", "physicalDeliveryOfficeName", p.Office, "l", p.City, "street", p.Street, "manager", p.Manager,
		"jpegPhoto", string(p.Photo), "userPassword", Password)
	w.out.WriteByte('\n')
}

func (w *writer) adPerson(p *Person, domain string) {
	w.begin(p.DN, "objectClass", "user", "sAMAccountName", p.Login, "userPrincipalName", p.Login+"@"+domain,
		"displayName", p.Surname+", "+p.GivenName, "givenName", p.GivenName, "sn", p.Surname,
		"mail", p.Mail, "telephoneNumber", p.Phone, "mobile", p.Mobile, "title", p.Title, "department", p.Department,
		"company", "Example Ltd", "physicalDeliveryOfficeName", p.Office, "l", p.City, "streetAddress", p.Street, "co", p.Country,
		"manager", p.Manager, "thumbnailPhoto", string(p.Photo), "userAccountControl", "512", "unicodePwd", UnicodePassword(Password))
	if p.Mail != "" {
		w.value("proxyAddresses", "SMTP:"+p.Mail)
		w.value("proxyAddresses", "smtp:"+p.Login+"@"+domain)
	}
	w.out.WriteByte('\n')
}

func (w *writer) group(g *Group, ad bool) {
	if ad {
		w.begin(g.DN, "objectClass", "group", "sAMAccountName", g.Login, "mail", g.Mail, "description", g.Description)
	} else {
		w.begin(g.DN, "objectClass", "groupOfNames", "cn", g.Name, "description", g.Description)
	}
	for _, member := range g.Members {
		w.value("member", member)
	}
	w.out.WriteByte('\n')
}

// UnicodePassword is a password as Active Directory takes it: in quotes, UTF-16
// (MS-ADTS §3.1.1.3.1.5.1).
func UnicodePassword(password string) string {
	var b []byte
	for _, c := range utf16.Encode([]rune(`"` + password + `"`)) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return string(b)
}
