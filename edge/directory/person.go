package directory

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"parley"
	"parley/account"
)

// The most further addresses and numbers that a person gets; what is beyond is
// left out silently.
const (
	maxOtherMail   = 32
	maxOtherPhones = 16
)

// Entry is a person as the directory knows them.
type Entry struct {
	// Person lacks ID, Manager and Photo, which only the importer can know.
	Person parley.Person

	DN        string // in the form of NormalDN
	ManagerDN string // likewise; empty: none. It may name nobody, the person, or close a circle
	Photo     []byte // as the directory holds it; for Photo to check and re-encode
	Line      int64  // where the record begins; 0: not from a file

	// SourceIsDN says that the record carried neither entryUUID nor objectGUID
	// (operational attributes were not asked for), so that SourceID is "dn:" and
	// the DN: a person who is renamed or moved then counts as a new one.
	SourceIsDN bool

	// Warnings tell of values that were left out: ErrTooLong, ErrAddressForm,
	// ErrDN for a manager.
	Warnings []*RecordError
}

// facts reads the attributes of one record and remembers the first problem, so
// that a fact can be read without looking at an error each time.
type facts struct {
	rec      *Record
	err      *RecordError
	warnings []*RecordError
}

func (f *facts) problem(name string, line int64, cause error) *RecordError {
	if line == 0 {
		line = f.rec.Line
	}
	return &RecordError{Line: line, DN: f.rec.DN, Err: fmt.Errorf("%s: %w", name, cause)}
}

func (f *facts) fail(name string, line int64, cause error) {
	if f.err == nil {
		f.err = f.problem(name, line, cause)
	}
}

func (f *facts) warn(name string, line int64, cause error) {
	f.warnings = append(f.warnings, f.problem(name, line, cause))
}

func (f *facts) values(name string) []Value {
	return f.rec.Attributes[strings.ToLower(name)]
}

// raw calls use with each value of the named attributes that is text and not
// blank, until use returns false.
func (f *facts) raw(names []string, use func(name, text string, line int64) bool) {
	for _, name := range names {
		for _, v := range f.values(name) {
			if !utf8.Valid(v.Data) {
				f.fail(name, v.Line, ErrNotUTF8)
				return
			}
			text := strings.TrimSpace(string(v.Data))
			if text != "" && !use(name, text, v.Line) {
				return
			}
		}
	}
}

// texts returns the cleaned texts of the named attributes, each once.
func (f *facts) texts(names []string) []string {
	var texts []string
	f.raw(names, func(_, text string, _ int64) bool {
		if text = clean(text); text != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
		return len(texts) <= maxOtherPhones
	})
	return texts
}

// text returns the first cleaned text of the named attributes.
func (f *facts) text(names []string) string {
	var first string
	f.raw(names, func(_, text string, _ int64) bool {
		first = clean(text)
		return first == ""
	})
	return first
}

// Person maps a record. It returns false for a record that is not a person, and
// a *RecordError for one that cannot be taken in, with what is known of it: who it
// is as a rule, and whether the directory bars them.
func (m *Mapping) Person(rec *Record) (Entry, bool, error) {
	f := &facts{rec: rec}
	if !m.isPerson(f) {
		if f.err != nil {
			return Entry{}, false, f.err
		}
		return Entry{}, false, nil
	}
	for _, long := range rec.TooLong {
		f.warn(long.Attribute, long.Line, ErrTooLong)
	}
	entry := Entry{Line: rec.Line}
	m.identity(f, &entry)
	m.describe(f, &entry.Person)
	m.phones(f, &entry.Person)
	entry.ManagerDN = m.manager(f)
	entry.Photo = m.photo(f)
	entry.Person.Barred = barred(f, time.Now())
	m.addresses(f, &entry.Person)
	if entry.Person.DisplayName == "" {
		entry.Person.DisplayName = fallbackName(&entry.Person)
	}
	entry.Warnings = f.warnings
	if f.err != nil {
		known := parley.Person{SourceID: entry.Person.SourceID, Barred: entry.Person.Barred}
		return Entry{Person: known, DN: entry.DN, Line: entry.Line, SourceIsDN: entry.SourceIsDN}, true, f.err
	}
	return entry, true, nil
}

func (m *Mapping) isPerson(f *facts) bool {
	classes := f.values(objectClass)
	if len(classes) == 0 {
		f.fail(objectClass, 0, ErrNoClass)
		return false
	}
	is := func(list []string) bool {
		return slices.ContainsFunc(classes, func(class Value) bool {
			return slices.ContainsFunc(list, func(name string) bool {
				return strings.EqualFold(name, strings.TrimSpace(string(class.Data)))
			})
		})
	}
	return is(m.People) && !is(m.NotPeople)
}

// identity sets the DN and what the person is known by for good.
func (m *Mapping) identity(f *facts, entry *Entry) {
	dn, err := NormalDN(f.rec.DN)
	if err != nil {
		f.fail("dn", 0, err)
		return
	}
	entry.DN = dn
	for _, name := range m.SourceID {
		values := f.values(name)
		if len(values) == 0 {
			continue
		}
		id, ok := sourceID(name, values[0].Data)
		if !ok {
			f.fail(name, values[0].Line, ErrSourceID)
			return
		}
		entry.Person.SourceID = id
		return
	}
	entry.Person.SourceID = "dn:" + dn
	entry.SourceIsDN = true
}

// sourceID gives the text form of an identifying value. Active Directory keeps
// objectGUID in binary; tools that decode it write the text form. A UUID of
// entryUUID (RFC 4530) or objectGUID stands for itself, and a value of another
// attribute, which the operator chose, is marked with the attribute's name.
func sourceID(name string, data []byte) (string, bool) {
	name = strings.ToLower(name)
	if name == "objectguid" && len(data) == 16 {
		return guid(data), true
	}
	text := strings.ToLower(strings.TrimSpace(string(data)))
	if name == "objectguid" || name == "entryuuid" {
		text = strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}")
		return text, isUUID(text)
	}
	if text == "" || len(text) > maxText || clean(text) != text {
		return "", false
	}
	return name + ":" + text, true
}

// guid writes the 16 bytes of a Microsoft GUID, of which the first three fields
// are little-endian (MS-DTYP §2.3.4.2), in the form of RFC 9562.
func guid(b []byte) string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x",
		binary.LittleEndian.Uint32(b[0:4]), binary.LittleEndian.Uint16(b[4:6]), binary.LittleEndian.Uint16(b[6:8]),
		b[8:10], b[10:16])
}

func isUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	_, err := hex.DecodeString(s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:])
	return err == nil
}

func (m *Mapping) describe(f *facts, p *parley.Person) {
	p.DisplayName = f.text(m.DisplayName)
	p.GivenName = f.text(m.GivenName)
	p.Surname = f.text(m.Surname)
	p.Alias = f.text(m.Alias)
	p.Title = f.text(m.Title)
	p.Department = f.text(m.Department)
	p.Company = f.text(m.Company)
	p.Office = f.text(m.Office)
	f.raw(m.Region, func(_, text string, _ int64) bool {
		if isRegion(text) {
			p.Region = strings.ToUpper(text)
		}
		return p.Region == ""
	})
}

// isRegion tells a country's code from its name: Active Directory's co holds
// either.
func isRegion(s string) bool {
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	return len(s) == 2 && letter(s[0]) && letter(s[1])
}

// phones sets one number of each sort. Where an attribute holds more, they
// follow among the other phones.
func (m *Mapping) phones(f *facts, p *parley.Person) {
	var others []string
	one := func(names []string) string {
		texts := f.texts(names)
		if len(texts) == 0 {
			return ""
		}
		others = append(others, texts[1:]...)
		return texts[0]
	}
	p.WorkPhone = one(m.WorkPhone)
	p.Mobile = one(m.Mobile)
	p.HomePhone = one(m.HomePhone)
	for _, phone := range append(others, f.texts(m.OtherPhones)...) {
		known := phone == p.WorkPhone || phone == p.Mobile || phone == p.HomePhone || slices.Contains(p.OtherPhones, phone)
		if !known && len(p.OtherPhones) < maxOtherPhones {
			p.OtherPhones = append(p.OtherPhones, phone)
		}
	}
}

// addresses sets the mail addresses and the sign-in address: a principal name
// of the form user@domain, else mail, else the alias at the mapping's domain.
func (m *Mapping) addresses(f *facts, p *parley.Person) {
	mails := f.addresses(m.Mail)
	others := f.addresses(m.OtherMail)
	if len(mails) == 0 { // Exchange marks the primary address with capitals
		mails = f.primaryProxy(m.OtherMail)
	}
	if len(mails) > 0 {
		p.Mail = mails[0]
		others = append(mails[1:], others...)
	}
	for _, other := range others {
		if other != p.Mail && !slices.Contains(p.OtherMail, other) && len(p.OtherMail) < maxOtherMail {
			p.OtherMail = append(p.OtherMail, other)
		}
	}
	f.raw(m.SignIn, func(_, text string, _ int64) bool {
		p.Address = signIn(text)
		return p.Address == ""
	})
	if p.Address == "" {
		p.Address = signIn(p.Mail)
	}
	if p.Address == "" && p.Alias != "" && m.Domain != "" {
		p.Address = signIn(p.Alias + "@" + m.Domain)
	}
	if p.Address == "" && f.err == nil {
		f.err = &RecordError{Line: f.rec.Line, DN: f.rec.DN, Err: ErrNoAddress}
	}
}

// signIn returns a text as a sign-in address, in the form in which sign-in
// compares it: whatever else is written in the directory, nobody could sign in
// with it. It is empty for what is none.
func signIn(text string) string {
	a, valid := address(text)
	if !valid {
		return ""
	}
	normal, err := account.NormalAddress(a)
	if err != nil {
		return ""
	}
	return normal
}

// addresses returns the mail and SIP addresses among the values, each once. A
// value with another scheme ("x500:", "eum:") is none.
func (f *facts) addresses(names []string) []string {
	var found []string
	f.raw(names, func(name, text string, line int64) bool {
		scheme, rest, ok := strings.Cut(text, ":")
		if ok && !strings.EqualFold(scheme, "smtp") && !strings.EqualFold(scheme, "sip") {
			return true
		}
		if ok {
			text = rest
		}
		a, valid := address(text)
		if !valid {
			f.warn(name, line, ErrAddressForm)
		} else if !slices.Contains(found, a) {
			found = append(found, a)
		}
		return len(found) <= maxOtherMail
	})
	return found
}

func (f *facts) primaryProxy(names []string) []string {
	var primary []string
	f.raw(names, func(_, text string, _ int64) bool {
		if rest, ok := strings.CutPrefix(text, "SMTP:"); ok {
			if a, valid := address(rest); valid {
				primary = []string{a}
			}
		}
		return primary == nil
	})
	return primary
}

func (m *Mapping) manager(f *facts) string {
	var manager string
	f.raw(m.Manager, func(name, text string, line int64) bool {
		dn, err := NormalDN(text)
		if err != nil {
			f.warn(name, line, err)
		}
		manager = dn
		return false
	})
	return manager
}

func (m *Mapping) photo(f *facts) []byte {
	for _, name := range m.Photo {
		for _, v := range f.values(name) {
			if len(v.Data) > 0 {
				return v.Data
			}
		}
	}
	return nil
}

// barred reports whether the directory lets the person in no more.
func barred(f *facts, now time.Time) bool {
	for _, v := range f.values(accountExpires) {
		if at, err := strconv.ParseInt(strings.TrimSpace(string(v.Data)), 10, 64); err == nil && expired(at, now) {
			return true
		}
	}
	return disabled(f)
}

// disabled reports whether the directory has the account shut for good. A
// temporary lock after wrong passwords does not count: it ends by itself.
func disabled(f *facts) bool {
	for _, v := range f.values(userAccountControl) {
		flags, err := strconv.ParseInt(strings.TrimSpace(string(v.Data)), 10, 64)
		if err != nil {
			f.fail(userAccountControl, v.Line, ErrNotNumber)
		}
		if flags&2 != 0 {
			return true
		}
	}
	for _, v := range f.values(nsAccountLock) {
		if strings.EqualFold(strings.TrimSpace(string(v.Data)), "true") {
			return true
		}
	}
	for _, v := range f.values(pwdLockedTime) {
		// "locked permanently" of draft-behera-ldap-password-policy §5.3.3
		if strings.TrimSpace(string(v.Data)) == "000001010000Z" {
			return true
		}
	}
	return false
}

// expired reads Active Directory's accountExpires: steps of 100 ns since 1601
// (MS-ADA1 §2.1), where 0 and the largest number mean never.
func expired(at int64, now time.Time) bool {
	const never, from1601, second = 1<<63 - 1, 11_644_473_600, 10_000_000
	return at > 0 && at != never && at/second-from1601 <= now.Unix()
}

func fallbackName(p *parley.Person) string {
	if name := strings.TrimSpace(p.GivenName + " " + p.Surname); name != "" {
		return name
	}
	return p.Address
}
