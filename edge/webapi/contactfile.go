package webapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/emersion/go-vcard"

	"parley"
	"parley/contact"
	"parley/privacy"
)

// A Contacts list as a file, for its owner to keep or to bring: JSON in the form of
// docs/protocol.md, or vCards (RFC 6350 and 2426).

// maxContactFile is the largest file that is taken, in bytes.
const maxContactFile = 2 << 20

// contactFile is the JSON form.
type contactFile struct {
	Type     string            `json:"type"`    // contactFileType
	Version  int               `json:"version"` // 1
	Groups   []string          `json:"groups"`  // all of them, in their order
	Contacts []contactFileItem `json:"contacts"`
	Lists    []contactFileList `json:"lists,omitempty"`
}

const contactFileType = "parley-contacts"

type contactFileItem struct {
	Address   string   `json:"address"`
	Name      string   `json:"name,omitempty"` // for people who read the file: nobody is found by it
	Favourite bool     `json:"favourite,omitempty"`
	Groups    []string `json:"groups,omitempty"`
	Level     string   `json:"level,omitempty"`
}

// contactFileList is a group of the directory that is a contact.
type contactFileList struct {
	Mail      string   `json:"mail,omitempty"` // by which it is found
	Name      string   `json:"name"`           // for people who read the file, and the answer if it is not found
	Favourite bool     `json:"favourite,omitempty"`
	Groups    []string `json:"groups,omitempty"`
}

var errContactFile error = parley.RefuseField("contacts-import.unreadable", "data")

// readContactFile reads a file of either form.
func readContactFile(format, data string) (groups []string, people []contact.Imported, err error) {
	if len(data) > maxContactFile {
		return nil, nil, &parley.Error{Kind: parley.TooLarge, Key: "contacts-import.too-large", Field: "data"}
	}
	if format == "vcard" {
		people, err = readVCards(data)
		return nil, people, err
	}
	return readContactJSON(data)
}

func readContactJSON(data string) (groups []string, people []contact.Imported, err error) {
	var file contactFile
	if tooDeep([]byte(data), maxDepth) || json.Unmarshal([]byte(data), &file) != nil || file.Type != contactFileType || file.Version != 1 {
		return nil, nil, errContactFile
	}
	for _, item := range file.Contacts {
		in := contact.Imported{Addresses: []string{item.Address}, Groups: item.Groups, Favourite: item.Favourite}
		if level, ok := privacy.ParseLevel(item.Level); ok {
			in.Level = &level
		} else if item.Level != "" {
			return nil, nil, errContactFile
		}
		if strings.TrimSpace(item.Address) != "" {
			people = append(people, in)
		}
	}
	for _, list := range file.Lists {
		in := contact.Imported{List: true, Name: strings.TrimSpace(list.Name), Groups: list.Groups, Favourite: list.Favourite}
		if strings.TrimSpace(list.Mail) != "" {
			in.Addresses = []string{list.Mail}
		}
		if len(in.Addresses) > 0 || in.Name != "" {
			people = append(people, in)
		}
	}
	return file.Groups, people, nil
}

// The properties of a card that count, with what iPhones and Outlook have for
// addresses besides. Everything else is passed over unread, pictures above all.
var vcardProperties = []string{
	"BEGIN", "END", "VERSION", vcard.FieldEmail, vcard.FieldIMPP, vcard.FieldCategories, "X-MS-IMADDRESS", "X-SIP",
}

// maxVCardValues is how many values of a property are read: nobody has more addresses.
const maxVCardValues = contact.MaxOwnGroups

// comma stands for a comma within a category while the list is taken apart.
const comma = "\x1f"

// readVCards reads the cards of a file. Cards without any address are passed over:
// nobody could be found by them.
func readVCards(data string) ([]contact.Imported, error) {
	decoder := vcard.NewDecoder(strings.NewReader(vcardLines(data)))
	people := []contact.Imported{}
	for cards := 0; ; cards++ {
		card, err := decoder.Decode()
		if errors.Is(err, io.EOF) && cards > 0 {
			return people, nil
		}
		if err != nil {
			return nil, errContactFile
		}
		var in contact.Imported
		for _, property := range vcardProperties[3:] {
			values := card.Values(property)
			for _, value := range values[:min(len(values), maxVCardValues)] {
				switch {
				case property == vcard.FieldCategories:
					for category := range strings.SplitSeq(value, ",") {
						in.Groups = append(in.Groups, strings.ReplaceAll(category, comma, ","))
					}
				case contact.Identifier(value) != "":
					in.Addresses = append(in.Addresses, value)
				}
			}
		}
		if len(in.Addresses) > 0 {
			people = append(people, in)
		}
		if len(people) > contact.MaxContacts {
			return nil, contact.ErrTooManyContacts
		}
	}
}

// vcardLines gives the lines of the properties that count, unfolded (RFC 6350 §3.2).
// The decoder would copy a picture once for each of its lines.
func vcardLines(data string) string {
	var out strings.Builder
	var line []string
	flush := func() {
		if len(line) == 0 || !counts(line[0]) {
			return
		}
		text := strings.Join(line, "")
		if len(text) <= maxVCardLine {
			out.WriteString(withoutCommas(text))
			out.WriteString("\r\n")
		}
	}
	for raw := range strings.Lines(data) {
		raw = strings.TrimRight(raw, "\r\n")
		if raw != "" && (raw[0] == ' ' || raw[0] == '\t') && len(line) > 0 {
			line = append(line, raw[1:])
			continue
		}
		flush()
		line = append(line[:0], raw)
	}
	flush()
	return out.String()
}

// maxVCardLine is the longest line that is read, in bytes: room for many categories.
const maxVCardLine = 16 << 10

// counts reports whether a line is of a property that is read.
func counts(line string) bool {
	name := line
	if end := strings.IndexAny(line, ";:"); end >= 0 {
		name = line[:end]
	}
	name = name[strings.LastIndexByte(name, '.')+1:] // behind the group, "item1.EMAIL"
	return slices.ContainsFunc(vcardProperties, func(p string) bool { return strings.EqualFold(p, name) })
}

// withoutCommas replaces escaped commas, which the decoder would make equal to those
// between the elements of a list.
func withoutCommas(line string) string {
	var out strings.Builder
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == comma[0]: // no text has it
		case line[i] == '\\' && i+1 < len(line) && line[i+1] == ',':
			out.WriteString(comma)
			i++
		case line[i] == '\\' && i+1 < len(line):
			out.WriteString(line[i : i+2])
			i++
		default:
			out.WriteByte(line[i])
		}
	}
	return out.String()
}

// listedRow is somebody in a list as the file names them.
type listedRow struct {
	row       PersonRow
	mails     []string
	groups    []string
	favourite bool
	level     privacy.Level
}

// writeContactJSON writes a list in the JSON form.
func writeContactJSON(groups []string, people []listedRow, lists []contactFileList) ([]byte, error) {
	file := contactFile{Type: contactFileType, Version: 1, Groups: notNil(groups), Contacts: []contactFileItem{}, Lists: lists}
	for _, p := range people {
		file.Contacts = append(file.Contacts, contactFileItem{
			Address: p.row.Address, Name: p.row.DisplayName, Favourite: p.favourite, Groups: p.groups, Level: p.level.String(),
		})
	}
	return json.MarshalIndent(file, "", "  ")
}

// writeVCards writes the people of a list as vCards of version 4.0. A group of the
// directory cannot be one: a card of KIND group names its members, which are the
// directory's, and other programs would make a person or a group of their own of it. Groups are categories, one a
// line: the encoder would escape the commas of a list.
func writeVCards(people []listedRow) ([]byte, error) {
	var out bytes.Buffer
	encoder := vcard.NewEncoder(&out)
	for _, p := range people {
		card := vcard.Card{}
		card.SetValue(vcard.FieldVersion, "4.0")
		card.SetValue(vcard.FieldFormattedName, oneLine(p.row.DisplayName))
		card.SetValue(vcard.FieldIMPP, "sip:"+p.row.Address)
		for _, mail := range p.mails {
			card.AddValue(vcard.FieldEmail, oneLine(mail))
		}
		for _, group := range p.groups {
			card.AddValue(vcard.FieldCategories, group)
		}
		if err := encoder.Encode(card); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// oneLine leaves out what would end a line of a card.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
}
