package contact

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"parley"
)

// What crowd makes names of. Syllables give many different surnames, as a real
// organisation has.
var (
	givenNames = []string{
		"Anna", "Jörg", "Zoë", "Siobhán", "José", "François", "Łukasz", "Дмитрий", "محمد", "רות", "美咲", "伟", "Nguyễn", "Søren",
		"Jean-Luc", "Mary Ann", "Ağça", "Björk", "Priya", "John", "Jane", "Li", "Peter", "Olu", "Maria", "Thomas", "Ursula", "Ivo",
		"Katarzyna", "Γιώργος", "김민준", "Uwe", "Emma", "Noah", "Mia", "Ben", "Lina", "Paul", "Ida", "Max",
	}
	surnames  = []string{"Müller", "O'Neill", "Smith-Jones", "García Márquez", "Østergård", "Иванов", "الفارسي", "כהן", "田中", "王", "Đặng", "Şahin", "Schmidt", "Weiß", "Nakamura"}
	syllables = []string{"ba", "ben", "berg", "brand", "dor", "eck", "fel", "gar", "hal", "holm", "ing", "kor", "lan", "lind", "man", "mei", "nor", "ost", "pet", "ros", "sand", "schu", "ste", "tal", "ul", "ver", "wal", "win", "zan", "zim"}
	offices   = []struct{ region, work, mobile string }{
		{"DE", "+49 30 2093 %05d", "+49 151 2345%05d"}, {"DE", "030/2093-%05d", "0151-234 %05d"}, {"US", "(212) 55%d-0123", "+1 917 55%d 12"},
		{"GB", "020 79%05d1", "+44 7700 %05d1"}, {"CH", "+41 44 66%05d", "+41 79 55%05d"}, {"DE", "-%05d", "+49 170 88%05d"},
	}
	departments = []string{"Engineering", "Sales", "Finance", "Human Resources", "Legal & Compliance", "Support, Tier 2", "Forschung", "Operations"}
)

// crowd makes n people, the same ones every time, in many scripts, each with a
// manager, an alias and numbers in the formats that directories hold.
func crowd(n int) []parley.Person {
	r := rand.New(rand.NewPCG(3, 5))
	people := make([]parley.Person, n)
	for i := range people {
		given, sur := givenNames[r.IntN(len(givenNames))], surnames[r.IntN(len(surnames))]
		if r.IntN(4) > 0 {
			sur = syllables[r.IntN(len(syllables))] + syllables[r.IntN(len(syllables))] + syllables[r.IntN(len(syllables))]
			sur = strings.ToUpper(sur[:1]) + sur[1:]
		}
		o := offices[r.IntN(len(offices))]
		alias := fmt.Sprintf("u%06d", i)
		local, _ := foldWord(strings.Map(func(c rune) rune {
			if notInWord(c) {
				return -1
			}
			return c
		}, given+sur))
		p := parley.Person{
			ID: parley.PersonID(i + 1), SourceID: fmt.Sprintf("5f0c2a9e-%04x-4b7d-9a11-%012x", i%65536, i),
			Address: alias + "@firma7.example", Mail: fmt.Sprintf("%s%d@firma7.example", local, i), Alias: alias,
			DisplayName: sur + ", " + given, GivenName: given, Surname: sur,
			Title: "Engineer", Department: departments[r.IntN(len(departments))], Company: "Firma", Office: "B 2.14",
			Region: o.region, WorkPhone: fmt.Sprintf(o.work, i), Photo: parley.PhotoVersion(i),
			Manager: parley.PersonID(i / 8),
		}
		if i%3 == 0 {
			p.Mobile = fmt.Sprintf(o.mobile, i)
		}
		people[i] = p
	}
	return people
}

// queries are search texts as people type them: every beginning of some names,
// two names, addresses, aliases, numbers, and what nobody should type.
func queries(b *Book, people int) []string {
	var list []string
	r := rand.New(rand.NewPCG(8, 13))
	for range people {
		p := b.people[1+r.IntN(len(b.people)-1)].person
		for i := range p.Surname {
			if i > 0 {
				list = append(list, p.Surname[:i])
			}
		}
		given, _ := foldWord(p.GivenName)
		list = append(list, p.Surname, p.GivenName, p.GivenName+" "+p.Surname, p.Surname+" "+p.GivenName[:1], given+" "+p.Surname[:1],
			p.Alias, p.Mail, p.Mail[:len(p.Mail)/2], p.Address, p.WorkPhone, p.WorkPhone[len(p.WorkPhone)-4:], "x"+p.Surname)
		if len(p.Surname) > 5 {
			list = append(list, p.Surname[2:6])
		}
	}
	return append(list, hostile()...)
}

// padQueries are what people type on a dial pad: every beginning of some names as
// its keys spell them, two words in a row and apart, numbers and ends of numbers.
func padQueries(b *Book, people int) []string {
	var list []string
	r := rand.New(rand.NewPCG(21, 34))
	for range people {
		e := b.people[1+r.IntN(len(b.people)-1)]
		var digits strings.Builder
		for _, c := range e.key {
			switch key := padKey(c); {
			case c == ' ':
				digits.WriteByte('0')
			case key != 0:
				digits.WriteByte(key)
			}
		}
		for i := range digits.Len() {
			list = append(list, digits.String()[:i+1])
		}
		number := digitsOf(e.person.WorkPhone)
		list = append(list, strings.ReplaceAll(digits.String(), "0", ""), number, number[len(number)-4:], "00"+number, "011"+number)
	}
	return append(list, "2", "3", "7", "0", "1", "22", "493", "49", "00", "2 3", "203", "20304", "777777777777", "999")
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// hostile are search texts that find much, or look hard for nothing.
func hostile() []string {
	many := make([]string, 40)
	for i := range many {
		many[i] = string(rune('a' + i%26))
	}
	return []string{
		"a", "u", "s", "0", "1", "u0", "an", "000", "209", "+49", "firma7", "u a", "a e i o u", "a b", "an be", "u00 an li", "ing ber",
		strings.Repeat("a", 200), strings.Join(many, " "), strings.Repeat("u0 ", 66), strings.Repeat("an", 100), "151 170 030", "o'", "田 中",
		"u00000@firma7.example", "u@", "000 000", "eck ing lan man",
	}
}
