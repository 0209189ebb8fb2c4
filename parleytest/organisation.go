package parleytest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
)

// The names that an invented organisation is made of: as many scripts, accents
// and particles as a directory of an international company has.
var (
	givenNames = []string{
		"Anna", "Lukas", "María", "José", "Siobhán", "Zoë", "Jürgen", "François", "Olúwaṣeun", "Priya", "Wei", "Dmitri", "Ελένη", "Дмитрий",
		"Aleksandra", "Nguyễn", "Søren", "Åsa", "Ayşe", "Mohammed", "Fatima", "Kwame", "Thandiwe", "Hiroshi", "Yuki", "Jean-Pierre", "Ana Luísa", "Björn", "Kateřina", "Tamás",
	}
	surnames = []string{
		"Müller", "Schmidt", "García", "Rodríguez López", "O’Neill", "Lindqvist", "Großmann", "Beaumont", "Adébáyọ̀", "Raghunathan", "Zhang", "Соколов", "Παπαδοπούλου",
		"Kowalska", "Wiśniewski", "Trần", "Sørensen", "Åkesson", "Yılmaz", "al-Hassan", "Mensah", "Nkosi", "Tanaka", "Sato", "Château-Renard", "da Silva", "van der Berg", "Dvořáková", "Nagy", "MacDonald",
	}
	syllables   = []string{"ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "wu", "den", "fal", "gor", "hin", "jas", "kul"}
	departments = []string{"Sales", "Logistics", "Technology", "Finance", "People", "Research", "Production", "Legal"}
	titles      = []string{"Engineer", "Accountant", "Planner", "Consultant", "Analyst", "Technician", "Assistant", "Specialist"}
)

// WriteOrganisation writes an LDIF export of n invented people of a domain, every
// twentieth with a photo. It writes the same bytes every time.
func WriteOrganisation(out io.Writer, domain string, n int) error {
	w := bufio.NewWriterSize(out, 1<<20)
	random := rand.New(rand.NewPCG(20261122, uint64(n)))
	photos := make([]string, 16)
	for i := range photos {
		photos[i] = base64.StdEncoding.EncodeToString(portrait(random))
	}
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	for i := range n {
		given, surname := pick(givenNames), pick(surnames)
		if i%2 == 0 { // many surnames, as in life
			surname = pick(syllables) + pick(syllables) + pick(syllables)
			surname = string(surname[0]-'a'+'A') + surname[1:]
		}
		uid := fmt.Sprintf("u%06d", i)
		fmt.Fprintf(w, "dn: uid=%s,ou=People,dc=many,dc=example\nobjectClass: inetOrgPerson\nuid: %s\n", uid, uid)
		fmt.Fprintf(w, "entryUUID: 10000000-0000-4000-8000-%012d\n", i)
		for _, line := range [][2]string{{"cn", given + " " + surname}, {"givenName", given}, {"sn", surname}} {
			fmt.Fprintf(w, "%s:: %s\n", line[0], base64.StdEncoding.EncodeToString([]byte(line[1])))
		}
		fmt.Fprintf(w, "mail: %s@%s\ntitle: %s\ndepartmentNumber: %s %d\no: Many Ltd\n", uid, domain, pick(titles), pick(departments), i/500)
		fmt.Fprintf(w, "physicalDeliveryOfficeName: Building %d\ntelephoneNumber: +49 40 66969 %05d\nmobile: +49 171 39%06d\n", i%40, i%100_000, i)
		if i > 0 { // eight reports each
			fmt.Fprintf(w, "manager: uid=u%06d,ou=People,dc=many,dc=example\n", (i-1)/8)
		}
		if i%20 == 0 {
			fmt.Fprintf(w, "jpegPhoto:: %s\n", photos[i/20%len(photos)])
		}
		if _, err := w.WriteString("\n"); err != nil {
			return err
		}
	}
	return w.Flush()
}

// portrait draws a picture that is no portrait, of the size that directories hold.
func portrait(random *rand.Rand) []byte {
	picture := image.NewRGBA(image.Rect(0, 0, 240, 240))
	r, g, b := random.IntN(256), random.IntN(256), random.IntN(256)
	for y := range 240 {
		for x := range 240 {
			picture.Set(x, y, color.RGBA{uint8(r + x), uint8(g + y), uint8(b + x*y/240), 255})
		}
	}
	var out bytes.Buffer
	jpeg.Encode(&out, picture, nil) // a buffer takes everything
	return out.Bytes()
}
