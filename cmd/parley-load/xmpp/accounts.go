package xmpp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// The accounts of a load test. User names are "u" and the number in the roster.
const (
	Domain   = "localhost"
	Password = "secret"
)

// errAccount says that an address is none of ours.
var errAccount = errors.New("no account of a load test")

// User is the name of the account with a number.
func User(number int) string { return "u" + strconv.Itoa(number) }

// Number is the reverse of User for an address such as "u17@localhost/load".
func Number(address []byte) (int, error) {
	name, _, _ := bytes.Cut(address, []byte("@"))
	digits, ok := bytes.CutPrefix(name, []byte("u"))
	if !ok || len(digits) == 0 || len(digits) > 9 {
		return 0, errAccount
	}
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, errAccount
		}
		n = 10*n + int(c-'0')
	}
	return n, nil
}

// Accounts says who has whom as a contact, always both ways.
type Accounts struct {
	People int
	Circle int // people who know each other, in the order of their numbers
	Fans   int // this many people from number 1 on have number 0 as a contact, too
}

// contacts are the numbers of a person's contacts.
func (a Accounts) contacts(number int) []int {
	var list []int
	first := 0
	if a.Circle > 0 {
		first = number / a.Circle * a.Circle
		for i := first; i < min(first+a.Circle, a.People); i++ {
			if i != number {
				list = append(list, i)
			}
		}
	}
	switch {
	case number > 0 && number <= a.Fans && (a.Circle == 0 || first > 0):
		list = append(list, 0)
	case number == 0:
		for i := max(a.Circle, 1); i <= min(a.Fans, a.People-1); i++ {
			list = append(list, i)
		}
	}
	return list
}

// WritePortable writes the accounts in the form of XEP-0227, which ejabberd imports.
func (a Accounts) WritePortable(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='urn:xmpp:pie:0'>\n<host jid='%s'>\n", Domain)
	for i := range a.People {
		fmt.Fprintf(w, "<user name='%s' password='%s'>", User(i), Password)
		if contacts := a.contacts(i); len(contacts) > 0 {
			w.WriteString("<query xmlns='jabber:iq:roster'>")
			for _, other := range contacts {
				fmt.Fprintf(w, "<item jid='%s@%s' subscription='both'/>", User(other), Domain)
			}
			w.WriteString("</query>")
		}
		w.WriteString("</user>\n")
	}
	w.WriteString("</host>\n</server-data>\n")
	return w.Flush()
}

// WriteProsody writes the accounts as files of Prosody's own storage into a new
// folder. The passwords stand in it as they are: hashing them is not measured.
func (a Accounts) WriteProsody(folder string) error {
	host := filepath.Join(folder, Domain)
	for _, kind := range []string{"accounts", "roster"} {
		if err := os.MkdirAll(filepath.Join(host, kind), 0o755); err != nil {
			return fmt.Errorf("making accounts for Prosody: %w", err)
		}
	}
	for i := range a.People {
		account := fmt.Appendf(nil, "return { [\"password\"] = %q; };\n", Password)
		roster := []byte("return { [false] = { [\"version\"] = 1; };\n")
		for _, other := range a.contacts(i) {
			roster = fmt.Appendf(roster, "[\"%s@%s\"] = { [\"subscription\"] = \"both\"; [\"groups\"] = {}; };\n", User(other), Domain)
		}
		for kind, text := range map[string][]byte{"accounts": account, "roster": append(roster, "};\n"...)} {
			if err := os.WriteFile(filepath.Join(host, kind, User(i)+".dat"), text, 0o600); err != nil {
				return fmt.Errorf("making accounts for Prosody: %w", err)
			}
		}
	}
	return nil
}
