package directory

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

// The limits of what a Reader keeps. A file may hold more: the reader passes it
// over without keeping it in memory.
const (
	MaxValue       = 16 << 20 // bytes of one value, decoded; a longer one is left out
	MaxRecord      = 32 << 20 // bytes of all kept values of a record; what goes beyond is left out
	MaxValues      = 4096     // kept values of a record; a record with more is bad
	MaxDN          = 8 << 10  // bytes of a DN; a record with a longer one is bad
	maxLine        = MaxValue/3*4 + 4 + 1024
	maxKnownNames  = 1024
	readBufferSize = 64 << 10
)

// passwordAttributes are never kept, whoever asks for them.
var passwordAttributes = map[string]bool{
	"userpassword": true, "unicodepwd": true, "sambantpassword": true, "sambalmpassword": true,
	"krbprincipalkey": true, "authpassword": true, "dbcspwd": true, "ntpwdhistory": true, "lmpwdhistory": true,
	"supplementalcredentials": true, "ms-mcs-admpwd": true, "pwdhistory": true,
}

// Value is one value of an attribute.
type Value struct {
	Data []byte // decoded; text or binary, as the attribute's syntax has it
	Line int64  // where it begins; 0: not from a file
}

// Record is one entry of a directory, as it was written.
type Record struct {
	DN   string
	Line int64 // of the dn line, from 1; 0: not from a file

	// Attributes are the values by attribute name in lower case, without
	// options: "userCertificate;binary" is "usercertificate". Values tagged with
	// a language ("cn;lang-de") come after the untagged ones.
	Attributes map[string][]Value

	// TooLong names the attributes of which a value was over MaxValue or
	// MaxRecord and was left out, each with its line.
	TooLong []TooLong
}

// TooLong is a value that was left out for its length.
type TooLong struct {
	Attribute string
	Line      int64
}

// Reader reads the records of an LDIF file (RFC 2849) as slapcat, ldapsearch,
// ldifde and ldbsearch write them. It holds one record at a time.
type Reader struct {
	in    *bufio.Reader
	only  map[string]bool // nil: keep every attribute
	known map[string]attribute

	lines int64  // physical lines read so far
	buf   []byte // the logical line that was read last, unfolded
	start int64  // the number of its first physical line
	cut   bool   // it was longer than maxLine, and buf holds its beginning
	begun bool
	err   error // of the underlying reader; it ends everything
}

// NewReader reads LDIF from r: UTF-8 with or without a byte order mark, or
// UTF-16 with one. Lines end with LF or CRLF; the last may lack it.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, readBufferSize), known: map[string]attribute{}}
}

// Only makes the reader pass over every attribute but these, unread and
// undecoded. So a group of 100,000 members costs nothing, and a value that
// nobody uses spoils no record. Call it before Next.
func (r *Reader) Only(names ...string) {
	r.only = make(map[string]bool, len(names))
	for _, name := range names {
		r.only[strings.ToLower(name)] = true
	}
}

// Next returns the next record. A *RecordError speaks of one record: call Next
// again for the one after it. io.EOF ends the file; any other error is of the
// underlying reader and comes again.
func (r *Reader) Next() (*Record, error) {
	if !r.begun {
		r.begun = true
		r.skipMark()
	}
	for {
		err := r.logical()
		if err != nil {
			return nil, err
		}
		if len(r.buf) == 0 {
			continue
		}
		rec, err := r.block()
		if rec != nil || err != nil {
			return rec, err
		}
	}
}

// skipMark takes a byte order mark off the beginning of the file.
func (r *Reader) skipMark() {
	head, _ := r.in.Peek(3) // an error comes again with the first line
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		r.in.Discard(3)
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		utf16 := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
		r.in = bufio.NewReaderSize(utf16.NewDecoder().Reader(r.in), readBufferSize)
	}
}

// block reads the lines up to the next empty one, the first of which is in the
// buffer. It returns nothing for a block that is no record.
func (r *Reader) block() (*Record, error) {
	name, form, value, ok := split(r.buf)
	if !ok {
		return nil, r.bad(&Record{Line: r.start}, ErrSyntax)
	}
	switch strings.ToLower(string(name)) {
	case "dn":
		rec := &Record{Line: r.start, Attributes: make(map[string][]Value, 24)}
		dn, err := r.dn(form, value)
		if err != nil {
			return nil, r.bad(rec, err)
		}
		rec.DN = dn
		return r.record(rec)
	case "version": // stands before the first record, with or without an empty line between
		if string(bytes.TrimSpace(value)) != "1" {
			return nil, r.bad(&Record{Line: r.start}, ErrVersion)
		}
		return nil, nil
	case "search", "result":
		return nil, r.trailer()
	case "ref": // a referral: named, never followed
		return nil, r.skip()
	default:
		return nil, r.bad(&Record{Line: r.start}, ErrNoDN)
	}
}

func (r *Reader) dn(form valueForm, value []byte) (string, error) {
	if r.cut || len(value) > 2*MaxDN {
		return "", fmt.Errorf("dn: %w", ErrTooLong)
	}
	data, err := decode(form, value)
	if err != nil {
		return "", fmt.Errorf("dn: %w", err)
	}
	if len(data) > MaxDN {
		return "", fmt.Errorf("dn: %w", ErrTooLong)
	}
	if !utf8.Valid(data) {
		return "", fmt.Errorf("dn: %w", ErrNotUTF8)
	}
	return string(data), nil
}

// trailer reads what ldapsearch writes after the last record. Its result line
// tells whether the search came to its end.
func (r *Reader) trailer() error {
	var failed error
	for {
		name, _, value, ok := split(r.buf)
		if ok && string(name) == "result" && string(value) != "0" && !bytes.HasPrefix(value, []byte("0 ")) {
			failed = &RecordError{Line: r.start, Err: ErrIncomplete}
		}
		err := r.logical()
		if err == io.EOF || err == nil && len(r.buf) == 0 {
			return failed
		}
		if err != nil {
			return err
		}
	}
}

// collected gathers what a record is made of until its last line is read.
type collected struct {
	rec    *Record
	values int
	bytes  int
	tagged []taggedValue
}

type taggedValue struct {
	name  string
	value Value
}

// record reads the attributes of the record whose dn line was just read.
func (r *Reader) record(rec *Record) (*Record, error) {
	c := &collected{rec: rec}
	for {
		err := r.logical()
		if err == io.EOF || err == nil && len(r.buf) == 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := r.attributeLine(c); err != nil {
			return nil, r.bad(rec, err)
		}
	}
	for _, t := range c.tagged {
		rec.Attributes[t.name] = append(rec.Attributes[t.name], t.value)
	}
	return rec, nil
}

// attributeLine adds the logical line in the buffer to the record.
func (r *Reader) attributeLine(c *collected) error {
	raw, form, value, ok := split(r.buf)
	if !ok {
		return ErrSyntax
	}
	attr := r.attribute(raw)
	switch {
	case !attr.valid:
		return ErrSyntax
	case attr.name == "dn":
		return fmt.Errorf("second dn in a record: %w", ErrSyntax)
	case attr.name == "changetype":
		if !strings.EqualFold(strings.TrimSpace(string(value)), "add") {
			return ErrChange
		}
		return nil
	case !attr.keep:
		return nil
	}
	if r.cut || form == plain && len(value) > MaxValue {
		c.leaveOut(attr.name, r.start)
		return nil
	}
	data, err := decode(form, value)
	if err != nil {
		return fmt.Errorf("%s: %w", attr.name, err)
	}
	return c.add(attr, Value{Data: data, Line: r.start})
}

func (c *collected) leaveOut(name string, line int64) {
	if len(c.rec.TooLong) < MaxValues {
		c.rec.TooLong = append(c.rec.TooLong, TooLong{Attribute: name, Line: line})
	}
}

func (c *collected) add(attr attribute, v Value) error {
	if len(v.Data) > MaxValue || c.bytes+len(v.Data) > MaxRecord {
		c.leaveOut(attr.name, v.Line)
		return nil
	}
	c.values++
	c.bytes += len(v.Data)
	if c.values > MaxValues {
		return ErrTooMany
	}
	if attr.tagged {
		c.tagged = append(c.tagged, taggedValue{attr.name, v})
		return nil
	}
	c.rec.Attributes[attr.name] = append(c.rec.Attributes[attr.name], v)
	return nil
}

// bad makes the error for rec, whose line in the buffer is wrong, and moves to
// the end of the record.
func (r *Reader) bad(rec *Record, cause error) error {
	bad := &RecordError{Line: r.start, DN: rec.DN, Err: cause}
	if err := r.skip(); err != nil {
		return err
	}
	return bad
}

// skip reads up to the next empty line.
func (r *Reader) skip() error {
	for {
		err := r.logical()
		if err == io.EOF || err == nil && len(r.buf) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// logical reads one line into the buffer, with its continuation lines joined to
// it and comments left out. An empty line is one of length 0.
func (r *Reader) logical() error {
	if r.err != nil {
		return r.err
	}
	for {
		r.buf, r.cut, r.start = r.buf[:0], false, r.lines+1
		err := r.physical(false)
		for err == nil && len(r.buf) > 0 && r.continues() {
			err = r.physical(true)
		}
		if err != nil {
			r.err = err
			return err
		}
		if len(r.buf) == 0 || r.buf[0] != '#' {
			return nil
		}
	}
}

// continues reports whether the next line begins with a space, and takes that.
func (r *Reader) continues() bool {
	next, err := r.in.Peek(1)
	if err != nil || next[0] != ' ' {
		return false // an error comes again with the next line
	}
	r.in.Discard(1)
	return true
}

// physical appends one line of the file, without its end, to the buffer.
func (r *Reader) physical(continued bool) error {
	from, any := len(r.buf), continued
	for {
		chunk, err := r.in.ReadSlice('\n')
		any = any || len(chunk) > 0
		if err == nil {
			chunk = chunk[:len(chunk)-1]
		}
		if room := maxLine - len(r.buf); len(chunk) > room {
			chunk, r.cut = chunk[:room], true
		}
		r.buf = append(r.buf, chunk...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err == io.EOF && !any {
			return io.EOF
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("reading LDIF: %w", err)
		}
		r.lines++
		if last := len(r.buf) - 1; last >= from && r.buf[last] == '\r' {
			r.buf = r.buf[:last]
		}
		return nil
	}
}

// valueForm is how a value is written.
type valueForm uint8

const (
	plain   valueForm = iota // "cn: text"
	encoded                  // "cn:: base64"
	byURL                    // "cn:< file:///…"
)

// split takes a line apart. The slices are parts of line.
func split(line []byte) (name []byte, form valueForm, value []byte, ok bool) {
	name, value, ok = bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 {
		return nil, plain, nil, false
	}
	switch {
	case bytes.HasPrefix(value, []byte(":")):
		form, value = encoded, value[1:]
	case bytes.HasPrefix(value, []byte("<")):
		form, value = byURL, value[1:]
	}
	return name, form, bytes.TrimLeft(value, " "), true
}

// decode returns a copy of the value as the directory holds it.
func decode(form valueForm, value []byte) ([]byte, error) {
	switch form {
	case encoded:
		value = bytes.TrimRight(value, " ")
		data := make([]byte, base64.StdEncoding.DecodedLen(len(value)))
		n, err := base64.StdEncoding.Decode(data, value)
		if err != nil {
			return nil, ErrBase64
		}
		return data[:n], nil
	case byURL:
		return nil, ErrByURL
	default:
		return bytes.Clone(value), nil
	}
}

// attribute is what an attribute description (RFC 4512 §2.5) means to us.
type attribute struct {
	name   string // lower case, without options
	valid  bool
	tagged bool // carries a language option
	keep   bool
}

// attribute parses raw, or remembers having done so: a file has few names and
// many lines.
func (r *Reader) attribute(raw []byte) attribute {
	if attr, ok := r.known[string(raw)]; ok {
		return attr
	}
	attr := parseAttribute(strings.ToLower(string(raw)))
	attr.keep = attr.valid && attr.name != "control" && !passwordAttributes[attr.name] && (r.only == nil || r.only[attr.name])
	if len(r.known) < maxKnownNames && len(raw) < 128 {
		r.known[string(raw)] = attr
	}
	return attr
}

func parseAttribute(lower string) attribute {
	name, options, _ := strings.Cut(lower, ";")
	for i := range len(lower) {
		c := lower[i]
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_'
		if !letter && (i < len(name) || c != ';' && c != '=' && c != '*') { // AD: "member;range=0-*"
			return attribute{}
		}
	}
	attr := attribute{name: name, valid: name != ""}
	for option := range strings.SplitSeq(options, ";") {
		attr.tagged = attr.tagged || strings.HasPrefix(option, "lang-")
	}
	return attr
}
