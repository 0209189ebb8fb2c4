package directory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"parley"
)

// person maps the only record of an LDIF text.
func person(t *testing.T, m Mapping, ldif string) (Entry, bool, error) {
	t.Helper()
	rec, err := NewReader(strings.NewReader(ldif)).Next()
	if err != nil {
		t.Fatalf("reading %q: %v", ldif, err)
	}
	return m.Person(rec)
}

// mustPerson adds the attributes to a record that is a person, and maps it.
func mustPerson(t *testing.T, attributes string) Entry {
	t.Helper()
	entry, ok, err := person(t, DefaultMapping("example.test"), "dn: uid=ann,dc=x\nobjectClass: person\n"+attributes)
	if err != nil || !ok {
		t.Fatalf("%q: %v, person %v", attributes, err, ok)
	}
	return entry
}

func TestIsPerson(t *testing.T) {
	tests := []struct {
		classes string
		want    bool
	}{
		{"top person", true},
		{"top person organizationalPerson inetOrgPerson", true},
		{"top person organizationalPerson user", true},
		{"INETORGPERSON", true},
		{"account posixAccount inetOrgPerson", true},
		{"top person organizationalPerson user computer", false},
		{"top person organizationalPerson contact", false},
		{"top person organizationalPerson user Computer msDS-GroupManagedServiceAccount", false},
		{"group", false},
		{"groupOfNames", false},
		{"organizationalUnit", false},
		{"referral extensibleObject", false},
	}
	for _, test := range tests {
		t.Run(test.classes, func(t *testing.T) {
			ldif := "dn: cn=a\nuid: a\n"
			for class := range strings.FieldsSeq(test.classes) {
				ldif += "objectClass: " + class + "\n"
			}
			if _, ok, err := person(t, DefaultMapping("x"), ldif); ok != test.want || err != nil {
				t.Errorf("got %v, %v", ok, err)
			}
		})
	}
}

func TestPersonFields(t *testing.T) {
	type field = func(Entry) any
	var (
		displayName = func(e Entry) any { return e.Person.DisplayName }
		signIn      = func(e Entry) any { return e.Person.Address }
		mail        = func(e Entry) any { return e.Person.Mail + " " + strings.Join(e.Person.OtherMail, " ") }
		source      = func(e Entry) any { return e.Person.SourceID }
		isDisabled  = func(e Entry) any { return e.Person.Barred }
		region      = func(e Entry) any { return e.Person.Region }
		phones      = func(e Entry) any {
			p := e.Person
			return strings.Join(append([]string{p.WorkPhone, p.Mobile, p.HomePhone}, p.OtherPhones...), "|")
		}
		managerDN  = func(e Entry) any { return e.ManagerDN }
		photo      = func(e Entry) any { return string(e.Photo) }
		department = func(e Entry) any { return e.Person.Department }
		warnings   = func(e Entry) any {
			s := ""
			for _, w := range e.Warnings {
				s += fmt.Sprintf("%d %v;", w.Line, w.Err)
			}
			return s
		}
	)
	tests := []struct {
		name  string
		attrs string
		field field
		want  any
	}{
		{"display name", "displayName: Müller, Jörg\ncn: x\nuid: j\n", displayName, "Müller, Jörg"},
		{"name from cn", "cn: Jörg Müller\ngivenName: x\nuid: j\n", displayName, "Jörg Müller"},
		{"name in one language more", "cn;lang-de: Hans\ncn: John\nuid: j\n", displayName, "John"},
		{"name in one language only", "cn;lang-de: Hans\nuid: j\n", displayName, "Hans"},
		{"name from its parts", "givenName: Jörg\nsn: Müller\nuid: j\n", displayName, "Jörg Müller"},
		{"name from one part", "sn: Müller\nuid: j\n", displayName, "Müller"},
		{"name from the address", "uid: j\n", displayName, "j@example.test"},
		{"name that is nothing visible", "displayName:: 4oCL\ncn: Ann\nuid: j\n", displayName, "Ann"},

		{"principal name first", "userPrincipalName: Ann@Corp.test\nmail: a@b.test\nuid: ann\n", signIn, "ann@corp.test"},
		{"mail if the principal name is none", "userPrincipalName: ann\nmail: A@b.test\nuid: ann\n", signIn, "a@b.test"},
		{"alias without mail", "uid: Ann\n", signIn, "ann@example.test"},
		{"other alias", "sAMAccountName: ANN\n", signIn, "ann@example.test"},

		{"address in the form of sign-in", "mail: Jörg@Exämple.test\nuid: j\n", signIn, "jörg@xn--exmple-cua.test"},
		{"mail beside it as written", "mail: Jörg@Exämple.test\nuid: j\n", mail, "jörg@exämple.test "},
		{"address that sign-in never takes", "userPrincipalName: " + strings.Repeat("a", 65) + "@b.test\nmail: a@b.test\nuid: a\n", signIn, "a@b.test"},

		{"mail", "mail: Ann@B.test\nmail: a2@b.test\nmail: ann@b.test\n", mail, "ann@b.test a2@b.test"},
		{
			"proxies", "mail: a@b.test\nproxyAddresses: SMTP:A@b.test\nproxyAddresses: smtp:a2@b.test\nproxyAddresses: sip:A3@b.test\nproxyAddresses: x500:/o=X/cn=a\n",
			mail, "a@b.test a2@b.test a3@b.test",
		},
		{"primary proxy stands for mail", "proxyAddresses: smtp:a2@b.test\nproxyAddresses: SMTP:A@b.test\n", mail, "a@b.test a2@b.test"},
		{"mail that is no address", "mail: n/a\nuid: ann\n", mail, " "},
		{"warning for it", "mail: n/a\nuid: ann\n", warnings, "3 mail: not an address; left out;"},

		{"entryUUID", "uid: a\nentryUUID: 0168D6D2-7ACC-1041-8A3A-7BA89296CE23\n", source, "0168d6d2-7acc-1041-8a3a-7ba89296ce23"},
		{"objectGUID in binary", "uid: a\nobjectGUID:: B+7faij2eUuRnX9+3R+n/A==\n", source, "6adfee07-f628-4b79-919d-7f7edd1fa7fc"},
		{"objectGUID in text", "uid: a\nobjectGUID: {6ADFEE07-f628-4b79-919d-7f7edd1fa7fc}\n", source, "6adfee07-f628-4b79-919d-7f7edd1fa7fc"},
		{"neither", "uid: a\n", source, "dn:uid=ann,dc=x"},

		{"enabled", "uid: a\nuserAccountControl: 512\n", isDisabled, false},
		{"disabled", "uid: a\nuserAccountControl: 66050\n", isDisabled, true},
		{"nsAccountLock", "uid: a\nnsAccountLock: TRUE\n", isDisabled, true},
		{"nsAccountLock off", "uid: a\nnsAccountLock: false\n", isDisabled, false},
		{"locked for good", "uid: a\npwdAccountLockedTime: 000001010000Z\n", isDisabled, true},
		{"expired", "uid: a\naccountExpires: 133000000000000000\n", isDisabled, true},
		{"expires in 2286", "uid: a\naccountExpires: 216000000000000000\n", isDisabled, false},
		{"never expires", "uid: a\naccountExpires: 9223372036854775807\n", isDisabled, false},
		{"expires never", "uid: a\naccountExpires: 0\n", isDisabled, false},
		{"locked for a while", "uid: a\npwdAccountLockedTime: 20260101000000Z\n", isDisabled, false},

		{"country code", "uid: a\nc: de\nco: Germany\n", region, "DE"},
		{"country code in co", "uid: a\nco: CH\n", region, "CH"},
		{"country name only", "uid: a\nco: Germany\n", region, ""},
		{"two letters that are no code", "uid: a\nco: 日\nc: 1A\n", region, ""},

		{
			"phones", "uid: a\ntelephoneNumber: 030/2093-0001\ntelephoneNumber: x17\nmobile: 0151 1\nhomePhone: 3\nipPhone: x17\notherMobile: 0151 1\notherTelephone: 9\n",
			phones, "030/2093-0001|0151 1|3|x17|9",
		},
		{"department by name", "uid: a\nou: Unit\ndepartmentNumber: 4711\ndepartment: Sales\n", department, "Sales"},

		{"manager", "uid: a\nmanager: UID=Boss, DC=x\n", managerDN, "uid=boss,dc=x"},
		{"manager of oneself", "uid: a\nmanager: uid=ann,dc=x\n", managerDN, "uid=ann,dc=x"},
		{"manager that is no DN", "uid: a\nmanager: the boss\n", managerDN, ""},
		{"warning for the manager", "uid: a\nmanager: the boss\n", warnings, "4 manager: " + ErrDN.Error() + ";"},

		{"photo", "uid: a\njpegPhoto: j\nthumbnailPhoto: t\n", photo, "t"},
		{"photo, second attribute", "uid: a\njpegPhoto: j\nthumbnailPhoto:\n", photo, "j"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.field(mustPerson(t, test.attrs)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPersonRefused(t *testing.T) {
	tests := []struct {
		name, ldif string
		line       int64
		want       error
	}{
		{"nothing for an address", "dn: cn=a\nobjectClass: person\ncn: a\n", 1, ErrNoAddress},
		{"alias that makes none", "dn: cn=a\nobjectClass: person\nuid: a b\n", 1, ErrNoAddress},
		{"no class", "dn: cn=a\nuid: a\n", 1, ErrNoClass},
		{"dn is none", "dn: somewhere\nobjectClass: person\nuid: a\n", 1, ErrDN},
		{"empty dn", "dn:\nobjectClass: person\nuid: a\n", 1, ErrDN},
		{"name not UTF-8", "dn: cn=a\nobjectClass: person\nuid: a\nsn: M\xfcller\n", 4, ErrNotUTF8},
		{"name not UTF-8, encoded", "dn: cn=a\nobjectClass: person\nuid: a\nsn:: TfxsbGVy\n", 4, ErrNotUTF8},
		{"entryUUID is none", "dn: cn=a\nobjectClass: person\nuid: a\nentryUUID: 17\n", 4, ErrSourceID},
		{"objectGUID too short", "dn: cn=a\nobjectClass: person\nuid: a\nobjectGUID:: AAAA\n", 4, ErrSourceID},
		{"account control", "dn: cn=a\nobjectClass: user\nuid: a\nuserAccountControl: off\n", 4, ErrNotNumber},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			entry, _, err := person(t, DefaultMapping("example.test"), test.ldif)
			bad, ok := errors.AsType[*RecordError](err)
			if !ok || !errors.Is(err, test.want) || bad.Line != test.line {
				t.Errorf("got %v, want line %d: %v", err, test.line, test.want)
			}
			known := Entry{Person: parley.Person{SourceID: entry.Person.SourceID}, DN: entry.DN, Line: 1, SourceIsDN: entry.SourceIsDN}
			if err != nil && entry.Line != 0 && !reflect.DeepEqual(entry, known) {
				t.Errorf("a refused record gave %+v", entry)
			}
		})
	}
	if _, _, err := person(t, DefaultMapping(""), "dn: cn=a\nobjectClass: person\nuid: a\n"); !errors.Is(err, ErrNoAddress) {
		t.Errorf("without a domain: got %v", err)
	}
}

func TestMappingOfTheOperator(t *testing.T) {
	m := DefaultMapping("example.test")
	m.SourceID = []string{"nsUniqueId"}
	m.Title = []string{"JobTitle"}
	m.Photo = nil
	entry, ok, err := person(t, m, "dn: cn=a\nobjectClass: person\nuid: a\njobtitle: Chef\ntitle: x\nnsuniqueid: A1-B2\njpegPhoto: x\n")
	if err != nil || !ok {
		t.Fatal(err)
	}
	if entry.Person.SourceID != "nsuniqueid:a1-b2" || entry.Person.Title != "Chef" || entry.Photo != nil {
		t.Errorf("got %+v", entry)
	}
}

func TestPersonLimits(t *testing.T) {
	var attrs strings.Builder
	attrs.WriteString("uid: a\nmail: a@b.test\n")
	for i := range 100 {
		fmt.Fprintf(&attrs, "otherTelephone: %d\nproxyAddresses: smtp:a%d@b.test\n", i, i)
	}
	p := mustPerson(t, attrs.String()).Person
	if len(p.OtherPhones) != maxOtherPhones || len(p.OtherMail) != maxOtherMail {
		t.Errorf("%d phones, %d addresses", len(p.OtherPhones), len(p.OtherMail))
	}
}

// collect runs an import to its end.
func collect(t *testing.T, r io.Reader) (entries []Entry, bad []*RecordError) {
	t.Helper()
	for entry, err := range People(r, DefaultMapping("example.test")) {
		if one, ok := errors.AsType[*RecordError](err); ok {
			bad = append(bad, one)
			continue
		}
		if err != nil {
			t.Fatalf("importing: %v", err)
		}
		entries = append(entries, entry)
	}
	return entries, bad
}

func TestPeopleOfRealExports(t *testing.T) {
	inet := []string{
		"u0000000@example.test|Brown, 伟|Human Resources|ZRH|tel:+41446680000||true|",
		"zoe.oneill1@example.test|O'Neill, Zoë|Operations|TYO 12F|03-5555-0001|uid=u000000,ou=people,dc=example,dc=test|false|",
		"francois.dangelo2@example.test|D'Angelo, François|Finance|BER/3.14|004930 20930002|uid=u000000,ou=people,dc=example,dc=test|false|",
		"u0000033@example.test|Smith-Jones, 美咲|Human Resources|LON-2|(020) 7946-0003|uid=u000000,ou=people,dc=example,dc=test|false|",
	}
	const boss = "cn=伟 brown (0),ou=people,dc=ad,dc=example,dc=test"
	ad := []string{
		"u000002@ad.example.test|D'Angelo, François|Finance|BER/3.14|004930 20930002|" + boss + "|false|DE",
		"u000000@ad.example.test|Brown, 伟|Human Resources|ZRH|tel:+41446680000||true|CH",
		"u000001@ad.example.test|O'Neill, Zoë|Operations|TYO 12F|03-5555-0001|" + boss + "|false|JP",
		"u000003@ad.example.test|Smith-Jones, 美咲|Human Resources|LON-2|(020) 7946-0003|" + boss + "|false|GB",
		"dis@ad.example.test|Disabled, X|||||false|",
	}
	tests := []struct {
		file     string
		want     []string
		disabled []string
	}{
		{"slapcat.ldif", inet, nil},
		{"ldapsearch.ldif", inet, nil},
		{"ad-ldapsearch.ldif", ad, []string{"dis@ad.example.test"}},
		{"ad-ldbsearch.ldif", ad, []string{"dis@ad.example.test"}},
		{"ad-referral.ldif", ad[4:], []string{"dis@ad.example.test"}},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join("testdata", test.file))
			if err != nil {
				t.Fatal(err)
			}
			entries, bad := collect(t, bytes.NewReader(raw))
			if len(bad) > 0 {
				t.Fatalf("bad records: %v", bad)
			}
			var got, disabled []string
			for _, e := range entries {
				p := e.Person
				got = append(got, fmt.Sprintf("%s|%s|%s|%s|%s|%s|%v|%s", p.Address, p.DisplayName, p.Department, p.Office, p.WorkPhone, e.ManagerDN, len(e.Photo) > 0, p.Region))
				if p.Barred {
					disabled = append(disabled, p.Address)
				}
				checkEntry(t, e)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			if !slices.Equal(disabled, test.disabled) {
				t.Errorf("disabled: %q", disabled)
			}
		})
	}
}

// checkEntry holds what is true of every entry of a real export.
func checkEntry(t *testing.T, e Entry) {
	t.Helper()
	if e.SourceIsDN || !isUUID(e.Person.SourceID) {
		t.Errorf("%s: source id %q", e.DN, e.Person.SourceID)
	}
	if e.Person.ID != 0 || e.Person.Manager != 0 || len(e.Warnings) > 0 {
		t.Errorf("%s: got %+v", e.DN, e)
	}
	if len(e.Photo) > 0 {
		if _, _, _, err := Photo(e.Photo); err != nil {
			t.Errorf("%s: photo: %v", e.DN, err)
		}
	}
}

// TestSameIDsFromBothTools compares what two tools write of the same database:
// objectGUID in binary and as text.
func TestSameIDsFromBothTools(t *testing.T) {
	ids := map[string][]string{}
	for _, file := range []string{"ad-ldapsearch.ldif", "ad-ldbsearch.ldif"} {
		raw, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		entries, _ := collect(t, bytes.NewReader(raw))
		for _, e := range entries {
			ids[e.DN] = append(ids[e.DN], e.Person.SourceID)
		}
	}
	if len(ids) != 5 {
		t.Errorf("%d people, want 5", len(ids))
	}
	for dn, pair := range ids {
		if len(pair) != 2 || pair[0] != pair[1] {
			t.Errorf("%s: %q", dn, pair)
		}
	}
}

const mixedExport = `version: 1

dn: dc=x
objectClass: domain

dn: uid=a,dc=x
objectClass: person
uid: a
manager: uid=b,dc=x

dn: uid=bad,dc=x
objectClass: person
uid: bad
sn:: !!

dn: uid=b,dc=x
objectClass: person
uid: b
manager: uid=a,dc=x

dn: uid=none,dc=x
objectClass: person

dn: uid=c,dc=x
objectClass: person
uid: c
userPassword: secret
jpegPhoto:: `

func TestPeopleContinuesAfterBadRecords(t *testing.T) {
	input := io.MultiReader(strings.NewReader(mixedExport), endless(27<<20), strings.NewReader("\nmanager: uid=c,dc=x\n"))
	entries, bad := collect(t, input)
	var got []string
	for _, e := range entries {
		got = append(got, e.DN+" < "+e.ManagerDN)
	}
	want := []string{"uid=a,dc=x < uid=b,dc=x", "uid=b,dc=x < uid=a,dc=x", "uid=c,dc=x < uid=c,dc=x"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(bad) != 2 || bad[0].Line != 14 || !errors.Is(bad[0], ErrBase64) || bad[1].Line != 21 || !errors.Is(bad[1], ErrNoAddress) {
		t.Errorf("bad records: %v", bad)
	}
	last := entries[len(entries)-1]
	if len(last.Warnings) != 1 || !errors.Is(last.Warnings[0], ErrTooLong) || last.Warnings[0].Line != 28 || last.Photo != nil {
		t.Errorf("warnings: %v", last.Warnings)
	}
	if !last.SourceIsDN || last.Person.SourceID != "dn:uid=c,dc=x" {
		t.Errorf("source: %+v", last)
	}
}

func TestPeopleStops(t *testing.T) {
	broken := errors.New("disk gone")
	var seen []error
	for _, err := range People(io.MultiReader(strings.NewReader(mixedExport), iotest.ErrReader(broken)), DefaultMapping("x")) {
		seen = append(seen, err)
	}
	if last := seen[len(seen)-1]; len(seen) != 5 || !errors.Is(last, broken) {
		t.Errorf("got %v", seen)
	}

	n := 0
	for range People(strings.NewReader(mixedExport), DefaultMapping("x")) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("the loop ran %d times after its break", n)
	}
}

// TestNoPasswords puts a secret into everything that the mapping does not read
// and looks for it in what comes out.
func TestNoPasswords(t *testing.T) {
	m := DefaultMapping("x")
	m.Title = append(m.Title, "userPassword", "unicodePwd") // not even if asked
	entry, _, err := person(t, m, "dn: cn=a\nobjectClass: person\nuid: a\nuserPassword: canary\nunicodePwd: canary\ndescription: canary\n")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(fmt.Sprintf("%+v", entry), "canary") {
		t.Errorf("got %+v", entry)
	}
}

func BenchmarkPeople(b *testing.B) {
	var export strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&export, `dn: uid=u%06d,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
objectClass: organizationalPerson
objectClass: person
uid: u%06d
cn:: Wm/DqyBPJ05laWxs
displayName:: TydOZWlsbCwgWm/Dqw==
departmentNumber: Operations
ou: Operations
o: Example Ltd
givenName:: Wm/Dqw==
sn: O'Neill
mail: zoe.oneill%d@example.test
telephoneNumber: 03-5555-0001
title: Engineer
physicalDeliveryOfficeName: TYO 12F
manager: uid=u000000,OU=People,dc=example,dc=test

`, i, i, i)
	}
	b.SetBytes(int64(export.Len()))
	for b.Loop() {
		people := 0
		for _, err := range People(strings.NewReader(export.String()), DefaultMapping("example.test")) {
			if err != nil {
				b.Fatal(err)
			}
			people++
		}
		if people != 2000 {
			b.Fatalf("%d people", people)
		}
	}
}
