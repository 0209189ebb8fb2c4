package directory

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll writes down everything a reader returns, one line a record or problem.
func readAll(t *testing.T, r *Reader) []string {
	t.Helper()
	var got []string
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return got
		}
		if bad, ok := errors.AsType[*RecordError](err); ok {
			got = append(got, fmt.Sprintf("%d! %s: %v", bad.Line, bad.DN, bad.Err))
			continue
		}
		if err != nil {
			t.Fatalf("reading: %v", err)
		}
		got = append(got, describeRecord(rec))
	}
}

func describeRecord(rec *Record) string {
	s := fmt.Sprintf("%d %s", rec.Line, rec.DN)
	for _, name := range slices.Sorted(maps.Keys(rec.Attributes)) {
		for _, v := range rec.Attributes[name] {
			s += fmt.Sprintf(" %s@%d=%q", name, v.Line, v.Data)
		}
	}
	for _, long := range rec.TooLong {
		s += fmt.Sprintf(" %s@%d too long", long.Attribute, long.Line)
	}
	return s
}

func TestReader(t *testing.T) {
	tests := []struct {
		name  string
		input string
		want  []string
	}{
		{"empty", "", nil},
		{"only empty lines and comments", "\n# nothing\n of interest\n\n\n", nil},
		{"one record", "dn: cn=a\ncn: a\n", []string{`1 cn=a cn@2="a"`}},
		{"no newline at the end", "dn: cn=a\ncn: a", []string{`1 cn=a cn@2="a"`}},
		{"dn alone at the end", "dn: cn=a", []string{`1 cn=a`}},
		{"CRLF", "dn: cn=a\r\ncn: a\r\n b\r\n\r\ndn: cn=b\r\n", []string{`1 cn=a cn@2="ab"`, `5 cn=b`}},
		{"byte order mark", "\xef\xbb\xbfdn: cn=a\n", []string{`1 cn=a`}},
		{"UTF-16 little-endian", "\xff\xfed\x00n\x00:\x00 \x00c\x00=\x00\xe4\x00\n\x00", []string{`1 c=ä`}},
		{"UTF-16 big-endian", "\xfe\xff\x00d\x00n\x00:\x00 \x00c\x00=\x00\xe4\x00\n", []string{`1 c=ä`}},
		{"version with and without empty line", "version: 1\ndn: cn=a\n\nversion: 1\n\ndn: cn=b\n", []string{`2 cn=a`, `6 cn=b`}},
		{"another version", "version: 2\ndn: cn=a\n\ndn: cn=b\n", []string{`1! : LDIF version is not 1`, `4 cn=b`}},
		{"several empty lines", "dn: cn=a\n\n\n\ndn: cn=b\n\n", []string{`1 cn=a`, `5 cn=b`}},
		{"folded dn", "dn: cn=a,\n dc=b\ncn: x\n", []string{`1 cn=a,dc=b cn@3="x"`}},
		{"folded name", "dn: c=a\nc\n n: x\n", []string{`1 c=a cn@2="x"`}},
		{"fold keeps one space", "dn: cn=a\ncn: x\n  y\n", []string{`1 cn=a cn@2="x y"`}},
		{"fold of nothing", "dn: cn=a\ncn: x\n \n y\n", []string{`1 cn=a cn@2="xy"`}},
		{"empty fold at the end", "dn: cn=a\ncn: x\n ", []string{`1 cn=a cn@2="x"`}},
		{"comment inside a record, folded", "dn: cn=a\n# no\n cn: no\ncn: yes\n", []string{`1 cn=a cn@4="yes"`}},
		{"base64", "dn:: Y249w6Q=\ncn:: w6Q=\n", []string{`1 cn=ä cn@2="ä"`}},
		{"base64 folded, with spaces around", "dn: c=a\ncn::  w6\n Q= \n", []string{`1 c=a cn@2="ä"`}},
		{"UTF-8 as it is", "dn: cn=ä\ncn: ä\n", []string{`1 cn=ä cn@2="ä"`}},
		{"spaces around a value", "dn: cn=a\ncn:   x  \nsn:\n", []string{`1 cn=a cn@2="x  " sn@3=""`}},
		{"colon in a value", "dn: cn=a\nurl: http://x:1\n", []string{`1 cn=a url@2="http://x:1"`}},
		{"name in capitals", "DN: cn=a\nCN: x\n", []string{`1 cn=a cn@2="x"`}},
		{
			"options", "dn: c=a\nphoto;binary:: AAE=\ncn;lang-de: zwei\ncn: eins\nmember;range=0-*: m\n",
			[]string{`1 c=a cn@4="eins" cn@3="zwei" member@5="m" photo@2="\x00\x01"`},
		},
		{"changetype add", "dn: cn=a\nchangetype: add\ncn: x\n", []string{`1 cn=a cn@3="x"`}},
		{
			"other changes", "dn: cn=a\nchangetype: modify\nreplace: cn\ncn: x\n-\n\ndn: cn=b\nchangetype: delete\n\ndn: cn=c\n",
			[]string{`2! cn=a: ` + ErrChange.Error(), `8! cn=b: ` + ErrChange.Error(), `10 cn=c`},
		},
		{"control line", "dn: cn=a\ncontrol: 1.2.3 true\nchangetype: add\ncn: x\n", []string{`1 cn=a cn@4="x"`}},
		{"value by URL", "dn: cn=a\nphoto:< file:///etc/passwd\n\ndn: cn=b\n", []string{`2! cn=a: photo: ` + ErrByURL.Error(), `4 cn=b`}},
		{"dn by URL", "dn:< file:///etc/passwd\ncn: x\n", []string{`1! : dn: ` + ErrByURL.Error()}},
		{"bad base64", "dn: cn=a\ncn:: w6Q\nsn: x\n\ndn: cn=b\n", []string{`2! cn=a: cn: not base64`, `5 cn=b`}},
		{"dn not UTF-8", "dn: cn=\xe4\ncn: x\n\ndn: cn=b\n", []string{`1! : dn: not UTF-8`, `4 cn=b`}},
		{"no dn", "cn: x\ndn: cn=a\n\ndn: cn=b\n", []string{`1! : ` + ErrNoDN.Error(), `4 cn=b`}},
		{"second dn", "dn: cn=a\ndn: cn=b\n\ndn: cn=c\n", []string{`2! cn=a: second dn in a record: not an LDIF line`, `4 cn=c`}},
		{"no colon", "dn: cn=a\nrubbish\n\ndn: cn=b\n", []string{`2! cn=a: not an LDIF line`, `4 cn=b`}},
		{"no name", "dn: cn=a\n: x\n", []string{`2! cn=a: not an LDIF line`}},
		{"space in a name", "dn: cn=a\nc n: x\n", []string{`2! cn=a: not an LDIF line`}},
		{"continuation of nothing", " x\n\ndn: cn=b\n", []string{`1! : not an LDIF line`, `3 cn=b`}},
		{"end of ldapsearch", "dn: cn=a\n\n# search result\nsearch: 2\nresult: 0 Success\n\n# numResponses: 2\n", []string{`1 cn=a`}},
		{
			"truncated ldapsearch", "dn: cn=a\n\nsearch: 2\nresult: 4 Size limit exceeded\ntext: more\n",
			[]string{`1 cn=a`, `4! : ` + ErrIncomplete.Error()},
		},
		{"referral", "ref: ldap://other/dc=x\nref: ldap://third\n\ndn: cn=b\n", []string{`4 cn=b`}},
		{"passwords are never kept", "dn: cn=a\nuserPassword: x\nunicodePwd;binary:: AAE=\ncn: a\n", []string{`1 cn=a cn@4="a"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			whole := readAll(t, NewReader(strings.NewReader(test.input)))
			if !slices.Equal(whole, test.want) {
				t.Errorf("got  %q\nwant %q", whole, test.want)
			}
			bytewise := readAll(t, NewReader(iotest.OneByteReader(strings.NewReader(test.input))))
			if !slices.Equal(bytewise, test.want) {
				t.Errorf("byte by byte: got %q", bytewise)
			}
		})
	}
}

// TestReaderFolding reads the same record back however its lines are folded.
func TestReaderFolding(t *testing.T) {
	value := []byte(strings.Repeat("Grüße, 世界. ", 40))
	dn := "cn=" + strings.Repeat("long ", 30) + "end,dc=x"
	line := "dn: " + dn + "\ndescription:: " + base64.StdEncoding.EncodeToString(value) + "\ncn: x\n"
	for width := 1; width < 90; width++ {
		for _, end := range []string{"\n", "\r\n"} {
			rec, err := NewReader(strings.NewReader(fold(line, width, end))).Next()
			if err != nil {
				t.Fatalf("width %d: %v", width, err)
			}
			if rec.DN != dn || !bytes.Equal(rec.Attributes["description"][0].Data, value) || string(rec.Attributes["cn"][0].Data) != "x" {
				t.Fatalf("width %d: got %s", width, describeRecord(rec))
			}
		}
	}
}

// fold wraps the lines of s after width bytes.
func fold(s string, width int, end string) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		for len(line) > width {
			out.WriteString(line[:width] + end + " ")
			line = line[width:]
		}
		out.WriteString(line + end)
	}
	return out.String()
}

func TestReaderOnly(t *testing.T) {
	var in strings.Builder
	in.WriteString("dn: cn=everybody\nobjectClass: group\n")
	for i := range MaxValues + 1 {
		fmt.Fprintf(&in, "member: cn=%d\n", i)
	}
	in.WriteString("photo:< file:///etc/passwd\nbad:: !!\n\ndn: cn=b\n")

	r := NewReader(strings.NewReader(in.String()))
	r.Only("objectClass", "userPassword")
	want := []string{`1 cn=everybody objectclass@2="group"`, fmt.Sprintf("%d cn=b", MaxValues+7)}
	if got := readAll(t, r); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}

	got := readAll(t, NewReader(strings.NewReader(in.String())))
	want[0] = fmt.Sprintf("%d! cn=everybody: %v", MaxValues+2, ErrTooMany)
	if !slices.Equal(got, want) {
		t.Errorf("without Only: got %q, want %q", got, want)
	}
}

// endless is n bytes of base64 in lines of 76, with the folding's line ends.
func endless(n int) io.Reader {
	line := "\n " + strings.Repeat("A", 76)
	return io.LimitReader(&repeated{text: line}, int64(n/76*len(line)))
}

type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		copied := copy(p[n:], r.text[r.at:])
		r.at = (r.at + copied) % len(r.text)
		n += copied
	}
	return n, nil
}

func TestReaderOversizedValue(t *testing.T) {
	const size = 30 << 20
	input := io.MultiReader(
		strings.NewReader("dn: cn=a\ncn: a\njpegPhoto::"), endless(size),
		strings.NewReader("\nsn: s\n\ndn: cn=b\ndescription: "), io.LimitReader(&repeated{text: strings.Repeat("x", 4096)}, size),
		strings.NewReader("\ncn: b\n\ndn: cn="), io.LimitReader(&repeated{text: strings.Repeat("x", 4096)}, size),
		strings.NewReader("\ncn: c\n\n# "), io.LimitReader(&repeated{text: strings.Repeat("x", 4096)}, size),
		strings.NewReader("\ndn: cn=d\n"),
	)
	r := NewReader(input)
	got := readAll(t, r)
	second := 3 + size/76 + 3 // the line of the second dn
	want := []string{
		fmt.Sprintf(`1 cn=a cn@2="a" sn@%d="s" jpegphoto@3 too long`, second-2),
		fmt.Sprintf(`%d cn=b cn@%d="b" description@%d too long`, second, second+2, second+1),
		fmt.Sprintf(`%d! : dn: %v`, second+4, ErrTooLong),
		fmt.Sprintf(`%d cn=d`, second+8),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %.200q\nwant %.200q", got, want)
	}
	if cap(r.buf) > 2*maxLine {
		t.Errorf("reader holds %d bytes of an oversized line", cap(r.buf))
	}
}

func TestReaderValueAtLimit(t *testing.T) {
	for _, extra := range []int{0, 1} {
		data := make([]byte, MaxValue+extra)
		for form, written := range map[string]string{
			"base64": ":: " + base64.StdEncoding.EncodeToString(data),
			"plain":  ": " + strings.Repeat("x", len(data)),
		} {
			rec, err := NewReader(strings.NewReader("dn: cn=a\nphoto" + written + "\n")).Next()
			if err != nil {
				t.Fatalf("%s: %v", form, err)
			}
			kept, left := len(rec.Attributes["photo"]), len(rec.TooLong)
			if kept != 1-extra || left != extra {
				t.Errorf("%s of %d bytes: %d kept, %d left out", form, len(data), kept, left)
			}
		}
	}
}

func TestReaderRecordLimit(t *testing.T) {
	var in strings.Builder
	in.WriteString("dn: cn=a\n")
	for range 3 {
		in.WriteString("photo: " + strings.Repeat("x", MaxValue) + "\n")
	}
	rec, err := NewReader(strings.NewReader(in.String())).Next()
	if err != nil {
		t.Fatal(err)
	}
	if kept := len(rec.Attributes["photo"]); kept != 2 || len(rec.TooLong) != 1 || rec.TooLong[0].Line != 4 {
		t.Errorf("%d kept, left out: %v", kept, rec.TooLong)
	}
}

func TestReaderFailure(t *testing.T) {
	broken := errors.New("disk gone")
	for _, before := range []string{"", "dn: cn=a\ncn: a\n", "dn: cn=a\nrubbish\n", "search: 2\n", "ref: x\n"} {
		r := NewReader(io.MultiReader(strings.NewReader(before), iotest.ErrReader(broken)))
		for range 2 {
			if rec, err := r.Next(); rec != nil || !errors.Is(err, broken) {
				t.Errorf("after %q: got %v, %v", before, rec, err)
			}
		}
	}
}

func TestRecordError(t *testing.T) {
	bad := &RecordError{Line: 7, DN: "cn=Ann Example", Err: fmt.Errorf("cn: %w", ErrBase64)}
	if got, want := bad.Error(), `line 7: "cn=Ann Example": cn: not base64`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if logged := bad.LogValue().String(); strings.Contains(logged, "Ann") || !strings.Contains(logged, "not base64") {
		t.Errorf("logged as %s", logged)
	}
}
