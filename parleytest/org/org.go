// Package org invents an organisation as a corporate directory would hold it:
// names in many scripts, phone numbers in the notations that real directories
// have, people without mail or phone, a tree of managers, photos, and groups.
//
// The same numbers give the same organisation, byte for byte. It decides nothing
// about how a directory is served or read.
package org

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"strings"
)

// Password is everybody's.
const Password = "Passw0rd!"

// Options say which organisation is invented.
type Options struct {
	People int
	Base   string // DN that everything stands below, "dc=example,dc=test"
	AD     bool   // in the form of Active Directory
	Photos int    // every so many people have one; 0: nobody
	Pixels int    // width of a photo; 0: 48
}

// Person is somebody of the organisation.
type Person struct {
	Login      string // uid, sAMAccountName
	GivenName  string
	Surname    string
	Mail       string // empty: has none
	Phone      string // as somebody typed it; empty: has none
	Mobile     string
	Title      string
	Department string
	Office     string
	City       string
	Street     string
	Country    string
	Photo      []byte // JPEG
	DN         string
	Manager    string // DN; empty: the head
}

// Group is a group of the organisation.
type Group struct {
	Name        string
	Login       string // sAMAccountName
	Mail        string
	Description string
	DN          string
	Members     []string // DNs of people and of other groups
}

// The people with a part in tests, by their place in the organisation.
const (
	Head    = 0 // manager of all, and in the group Administrators
	Soren   = 1 // Søren Ångström, with mail and a Norwegian phone
	Special = 2 // whose DN needs escaping wherever it can
)

// specialName has every character that a DN has to escape (RFC 4514 §2.4), where
// it has to.
const specialName = `#1 "Quoted", O'Plus+Minus <a> ; b=c \ é`

var (
	givenNames = []string{"Anna", "Jörg", "Zoë", "Siobhán", "José", "François", "Łukasz", "Дмитрий", "محمد", "רות", "美咲", "伟", "Nguyễn", "Søren", "Jean-Luc", "Mary Ann", "O'Brien", "Ağça", "Björk", "Priya", "John", "Jane", "Li", "Peter", "Olu"}
	surnames   = []string{"Müller", "van der Berg", "O'Neill", "Smith", "Smith-Jones", "García Márquez", "de la Cruz", "Østergård", "Иванов", "الفارسي", "כהן", "田中", "王", "Đặng", "Şahin", "McDonald", "D'Angelo", "Nakamura", "Kowalczyk", "Schmidt", "Brown", "Johansson", "Okafor", "Singh", "Lee"}
	titles     = []string{"Engineer", "Senior Engineer", "Account Manager", "Controller", "Team Lead", "Director", "Assistant", "Rechtsanwältin", "Chef de projet", "Vice President"}

	// Departments are those of the organisation; each is a group, too.
	Departments = []string{"Engineering", "Sales", "Finance", "Human Resources", "Legal & Compliance", "Support, Tier 2", "Forschung", "Marketing/PR", `"Operations" + <Field>; #1`, "Board"}
)

// place is an office, with the ways in which its people write their numbers.
type place struct {
	office, city, country, street string
	phones, mobiles               []string
}

var places = []place{
	{"BER/3.14", "Berlin", "DE", "Invalidenstraße 1", []string{"+49 30 2093 %04d", "030/2093-%04d", "(030) 2093 %04d", "+49 (0)30 2093-%04d", "004930 2093%04d", "-%04d", "2093 %04d App. 17"}, []string{"+49 151 2345%04d", "0151-2345 %04d"}},
	{"NYC 5W-22", "New York", "US", "350 5th Ave", []string{"+1 212 555 %04d", "(212) 555-%04d", "212.555.%04d", "1-212-555-%04d x22", "+1 (212) 555-%04d ext. 417", "x%04d"}, []string{"+1 917 555 %04d", "917-555-%04d"}},
	{"LON-2", "London", "GB", "1 Poultry", []string{"+44 20 7946 %04d", "020 7946 %04d", "+44 (0)20 7946 %04d", "(020) 7946-%04d"}, []string{"+44 7700 90%04d", "07700 90%04d"}},
	{"PAR 1er", "Paris", "FR", "5 rue de Rivoli", []string{"+33 1 70 18 %04d", "01 70 18 %04d", "01.70.18.%04d", "00 33 1 70 18 %04d"}, []string{"+33 6 39 98 %04d"}},
	{"TYO 12F", "東京", "JP", "千代田区丸の内1-1", []string{"+81 3 5555 %04d", "03-5555-%04d", "(03)5555-%04d"}, []string{"+81 90 5555 %04d", "090-5555-%04d"}},
	{"ZRH", "Zürich", "CH", "Bahnhofstrasse 10", []string{"+41 44 668 %04d", "044 668 %04d", "tel:+4144668%04d"}, []string{"+41 79 555 %04d"}},
	{"MIL", "Milano", "IT", "Via Dante 7", []string{"+39 02 5550 %04d", "02 5550 %04d"}, []string{"+39 333 555 %04d"}},
	{"SAO", "São Paulo", "BR", "Av. Paulista 1000", []string{"+55 11 5555-%04d", "(11) 5555-%04d", "0 15 11 5555-%04d"}, []string{"+55 11 95555-%04d"}},
}

// People invents everybody.
func People(o Options) []Person {
	r := rand.New(rand.NewPCG(7, 11))
	people := make([]Person, o.People)
	for i := range people {
		at := places[r.IntN(len(places))]
		p := Person{
			Login: fmt.Sprintf("u%06d", i), GivenName: pick(r, givenNames), Surname: pick(r, surnames), Title: pick(r, titles),
			Department: pick(r, Departments), Office: at.office, City: at.city, Street: at.street, Country: at.country,
		}
		phone, mobile := fmt.Sprintf(pick(r, at.phones), i%10000), fmt.Sprintf(pick(r, at.mobiles), i%10000)
		if i%20 != 19 {
			p.Phone = phone
		}
		if i%3 == 0 {
			p.Mobile = mobile
		}
		name := p.GivenName + " " + p.Surname
		switch i {
		case Soren:
			p.GivenName, p.Surname, p.Phone, p.Country, p.City, p.Office = "Søren", "Ångström", "22 34 56 78", "NO", "Oslo", "OSL 3"
			name = "Søren Ångström"
		case Special:
			name = specialName
		}
		if i%50 != 49 {
			p.Mail = mailOf(p, i) + "@" + o.Domain()
		}
		if o.Photos > 0 && i%o.Photos == 0 {
			p.Photo = photo(uint64(i), o.pixels())
		}
		p.DN = o.personDN(p.Login, name, i)
		if i > 0 {
			p.Manager = people[(i-1)/8].DN // eight reports each
		}
		people[i] = p
	}
	return people
}

// personDN names an entry as the directories do: by uid, or by the name, which in
// Active Directory must be the only one of its kind.
func (o Options) personDN(login, name string, i int) string {
	switch {
	case o.AD && i > Special:
		return "CN=" + EscapeDN(fmt.Sprintf("%s (%d)", name, i)) + ",OU=People," + o.Base
	case o.AD || i == Special:
		return "CN=" + EscapeDN(name) + ",OU=People," + o.Base
	default:
		return "uid=" + login + ",OU=People," + o.Base
	}
}

// Groups invents the groups: one for each department, one of everybody with those
// inside it, and the administrators.
func Groups(o Options, people []Person) []Group {
	var groups []Group
	all := Group{Name: "All Staff", Login: "all-staff", Mail: "all@" + o.Domain(), Description: "Everybody", DN: o.groupDN("All Staff")}
	for i, department := range Departments {
		g := Group{Name: department, Login: fmt.Sprintf("department-%d", i), DN: o.groupDN(department)}
		for _, p := range people {
			if p.Department == department && len(g.Members) < 500 {
				g.Members = append(g.Members, p.DN)
			}
		}
		if len(g.Members) == 0 { // which not every directory allows
			continue
		}
		if i%2 == 0 {
			g.Mail = fmt.Sprintf("department-%d@%s", i, o.Domain())
		}
		groups, all.Members = append(groups, g), append(all.Members, g.DN)
	}
	if len(people) > 0 {
		groups = append(groups, all, Group{
			Name: "Administrators of Parley", Login: "parley-admins", DN: o.groupDN("Administrators of Parley"),
			Members: slices.Concat([]string{people[Head].DN}, all.Members[len(all.Members)-1:]),
		})
	}
	return groups
}

func (o Options) groupDN(name string) string {
	if o.AD {
		return "CN=" + EscapeDN(name) + ",OU=Groups," + o.Base
	}
	return "cn=" + EscapeDN(name) + ",OU=Groups," + o.Base
}

// Domain is the DNS domain of the base: "example.test" of dc=example,dc=test.
func (o Options) Domain() string {
	var parts []string
	for rdn := range strings.SplitSeq(o.Base, ",") {
		if _, value, ok := strings.Cut(rdn, "="); ok {
			parts = append(parts, value)
		}
	}
	return strings.ToLower(strings.Join(parts, "."))
}

// EscapeDN writes a value so that it can stand in a DN (RFC 4514 §2.4).
func EscapeDN(s string) string {
	s = strings.NewReplacer(`\`, `\\`, ",", `\,`, "+", `\+`, `"`, `\"`, "<", `\<`, ">", `\>`, ";", `\;`, "=", `\=`).Replace(s)
	if strings.HasPrefix(s, "#") || strings.HasPrefix(s, " ") {
		s = `\` + s
	}
	if strings.HasSuffix(s, " ") {
		s = s[:len(s)-1] + `\ `
	}
	return s
}

var plain = strings.NewReplacer("ö", "oe", "ü", "ue", "ë", "e", "á", "a", "é", "e", "ç", "c", "ł", "l", "ø", "o", "å", "a", "ğ", "g", "ễ", "e", "đ", "d", "ặ", "a", "ş", "s", "í", "i", "ñ", "n", " ", "", "'", "", "-", "")

// mailOf makes the part before the @, of ASCII as mail systems like it.
func mailOf(p Person, i int) string {
	local := plain.Replace(strings.ToLower(p.GivenName)) + "." + plain.Replace(strings.ToLower(p.Surname))
	if strings.ContainsFunc(local, func(r rune) bool { return r > 126 }) {
		return p.Login
	}
	if i == Soren {
		return local
	}
	return fmt.Sprintf("%s%d", local, i)
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// photo draws a picture like nobody else's.
func photo(seed uint64, pixels int) []byte {
	r := rand.New(rand.NewPCG(seed, 13))
	colours := [2]color.RGBA{}
	for i := range colours {
		colours[i] = color.RGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255}
	}
	bits, m := r.Uint32(), image.NewRGBA(image.Rect(0, 0, pixels, pixels))
	for y := range pixels {
		for x := range pixels {
			column, row := x*6/pixels, y*6/pixels
			column = min(column, 5-column) // the same on both sides
			m.Set(x, y, colours[bits>>(row*3+column)&1])
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 60}); err != nil {
		panic(err) // writing to memory does not fail
	}
	return b.Bytes()
}

func (o Options) pixels() int {
	if o.Pixels == 0 {
		return 48
	}
	return o.Pixels
}
