package demo

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
)

// What the program needs to know of the organisation.
const (
	Organisation = "Harbour & Finch"
	Domain       = "demo.example"
	Region       = "DE"
)

// Password is everybody's password. PasswordHash is its argon2id hash (19 MiB,
// two passes, one lane), made once and for all: forty of them would take a
// second at the start.
const (
	Password     = "tea-at-four"
	PasswordHash = "$argon2id$v=19$m=19456,t=2,p=1$aGFyYm91ciZmaW5jaC4xNg$TkG1BE6WBZdZfJPwxe2xvghRuBeEKzlE65BmHjQl/mI"
)

// SignIn are the two people that the program tells about when it starts.
func SignIn() [2]string {
	return [2]string{Address("maren"), Address("jonas")}
}

// Address is the sign-in address of an alias.
func Address(alias string) string { return alias + "@" + Domain }

// Addresses are everybody's sign-in addresses.
func Addresses() []string {
	all := make([]string, len(Members))
	for i, m := range Members {
		all[i] = m.Address()
	}
	return all
}

// WriteLDIF writes the organisation as its directory would export it (RFC 2849,
// inetOrgPerson), photos included. The same program always writes the same
// bytes.
func WriteLDIF(w io.Writer) error {
	photos, err := portraits()
	if err != nil {
		return err
	}
	out := &ldifWriter{Writer: bufio.NewWriter(w)}
	out.line("version", "1")
	out.record("ou=People,"+base, "objectClass", "organizationalUnit", "ou", "People")
	for i := range Members {
		out.member(i, photos[i])
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the demo organisation: %w", err)
	}
	return nil
}

// Version changes with every change of the organisation that shows.
func Version() string {
	sum := sha256.Sum256(fmt.Append(nil, Members, Groups, Typed, offices, PasswordHash))
	return hex.EncodeToString(sum[:8])
}

// portraits draws everybody, on every core.
func portraits() ([][]byte, error) {
	photos := make([][]byte, len(Members))
	errs := make([]error, len(Members))
	var painters sync.WaitGroup
	cores := runtime.GOMAXPROCS(0)
	for first := range cores {
		painters.Go(func() {
			for i := first; i < len(Members); i += cores {
				photos[i], errs[i] = Portrait(i)
			}
		})
	}
	painters.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return photos, nil
}

const base = "dc=demo,dc=example"

func dn(alias string) string { return "uid=" + alias + ",ou=People," + base }

// ldifWriter writes records. A failed write shows when it is flushed.
type ldifWriter struct{ *bufio.Writer }

func (w *ldifWriter) member(i int, photo []byte) {
	m := &Members[i]
	at := offices[m.Office]
	w.record(dn(m.Alias),
		"objectClass", "inetOrgPerson",
		"entryUUID", sourceID(m.Alias),
		"uid", m.Alias,
		"cn", m.Given+" "+m.Surname,
		"displayName", m.Name(),
		"givenName", m.Given,
		"sn", m.Surname,
		"mail", m.Address(),
		"title", m.Title,
		"departmentNumber", m.Department,
		"o", Organisation,
		"physicalDeliveryOfficeName", at.place,
		"c", at.country,
		"telephoneNumber", fmt.Sprintf(at.work, i),
		"mobile", fmt.Sprintf(at.mobile, i),
		"homePhone", m.Home,
		"manager", managerDN(m),
		"jpegPhoto", string(photo),
	)
}

func managerDN(m *Member) string {
	if m.Manager == "" {
		return ""
	}
	return dn(m.Manager)
}

// sourceID is the entryUUID of an alias: always the same, and no UUID of anything
// else (RFC 9562 §5.8).
func sourceID(alias string) string {
	sum := sha256.Sum256([]byte("demo person " + alias))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// record writes a record of pairs of attribute and value, without the empty ones.
func (w *ldifWriter) record(dn string, pairs ...string) {
	w.WriteString("\n")
	w.line("dn", dn)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			w.line(pairs[i], pairs[i+1])
		}
	}
}

// line writes one value, folded after 76 characters, in base64 where it is not
// plain ASCII.
func (w *ldifWriter) line(name, value string) {
	line := name + ": " + value
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
		line = name + ":: " + base64.StdEncoding.EncodeToString([]byte(value))
	}
	const width = 76
	for len(line) > width {
		w.WriteString(line[:width] + "\n ")
		line = line[width:]
	}
	w.WriteString(line + "\n")
}
