package directory

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzReader feeds any bytes to the reader and to the import behind it. Both end,
// and what they let through is fit for the rest of the program.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"dn: uid=a,dc=x\nobjectClass: person\nuid: a\nmail: a@b.test\ncn:: w6Q=\n",
		mixedExport,
		"version: 1\r\ndn:: Y249YQ==\r\nchangetype: add\r\ncn;lang-de: x\r\n y\r\n\r\n",
		"\xff\xfed\x00n\x00:\x00 \x00c\x00=\x00a\x00\n\x00",
		"dn: cn=a\nobjectClass: user\nobjectGUID:: B+7faij2eUuRnX9+3R+n/A==\nuserAccountControl: 514\nuserPrincipalName: A@b\n",
		"ref: ldap://x\n\nsearch: 2\nresult: 4 x\n\n# end\n folded",
		"dn: cn=a\nphoto:< file:///x\n-\n: \n :\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		r := NewReader(bytes.NewReader(input))
		last := int64(0)
		for {
			rec, err := r.Next()
			if err == io.EOF {
				break
			}
			line := int64(0)
			if bad, ok := errors.AsType[*RecordError](err); ok {
				line = bad.Line
			} else if err != nil {
				t.Fatalf("memory cannot fail: %v", err)
			} else {
				line = rec.Line
			}
			if line <= last || line > r.lines {
				t.Fatalf("line %d after line %d of %d", line, last, r.lines)
			}
			last = line
		}
		for entry, err := range People(bytes.NewReader(input), DefaultMapping("example.test")) {
			if err == nil {
				checkFuzzed(t, entry)
			}
		}
	})
}

func checkFuzzed(t *testing.T, e Entry) {
	t.Helper()
	p := e.Person
	if p.SourceID == "" || e.DN == "" || p.DisplayName == "" {
		t.Errorf("incomplete: %+v", e)
	}
	if a, ok := address(p.Address); !ok || a != p.Address {
		t.Errorf("address %q", p.Address)
	}
	for _, s := range append([]string{p.DisplayName, p.GivenName, p.Surname, p.Alias, p.Title, p.WorkPhone}, p.OtherPhones...) {
		if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxText || strings.ContainsFunc(s, func(r rune) bool { return visible(r) != r }) {
			t.Errorf("text %q", s)
		}
	}
}

// FuzzRoundTrip writes a value down and reads it back.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("Grüße"), uint8(76), false)
	f.Add([]byte("\x00\xff\r\n "), uint8(1), true)
	f.Fuzz(func(t *testing.T, value []byte, width uint8, crlf bool) {
		end := "\n"
		if crlf {
			end = "\r\n"
		}
		text := fold("dn: cn=a\nvalue:: "+base64.StdEncoding.EncodeToString(value)+"\n", max(1, int(width)), end)
		rec, err := NewReader(strings.NewReader(text)).Next()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got := rec.Attributes["value"]; len(got) != 1 || !bytes.Equal(got[0].Data, value) {
			t.Errorf("%q: got %s", text, describeRecord(rec))
		}
	})
}

// FuzzDN holds that the normal form of a name is its own normal form.
func FuzzDN(f *testing.F) {
	for _, seed := range []string{
		"CN=Ann,OU=People,DC=Example", `CN=Müller\2C Jörg\ +UID=1,OU=P`, `cn=\#a\\\,b`, "1.3.6=#04AB", `cn=M\C3\BCller`, "cn=  a  b ,dc=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dn string) {
		once, err := NormalDN(dn)
		if err != nil || len(once) > MaxDN { // lower case can be longer
			return
		}
		twice, err := NormalDN(once)
		if err != nil || twice != once {
			t.Errorf("%q: normal form %q has the normal form %q, %v", dn, once, twice, err)
		}
	})
}

// FuzzPhoto gives any bytes for a photo. Pictures that would take long are left
// to TestPhotoRefused.
func FuzzPhoto(f *testing.F) {
	plain := asJPEG(f, quarters(24, 16))
	f.Add(plain)
	f.Add(withOrientation(plain, binary.BigEndian, "MM", 6))
	f.Add(asPNG(f, quarters(16, 24)))
	f.Add(asGIF(f, quarters(8, 8)))
	f.Add(jpegHeader(5000, 5000, markerSOF2))
	f.Add(pngHeader(9, 9, 16, 6))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, format := range photoFormats {
			config, err := format.config(raw)
			if err == nil && checkSize(config, raw) == nil && config.Width*config.Height > 100_000 {
				return
			}
		}
		small, large, version, err := Photo(raw)
		if err != nil {
			if !errors.Is(err, ErrPhotoFormat) && !errors.Is(err, ErrPhotoSize) {
				t.Fatalf("undocumented error: %v", err)
			}
			return
		}
		for made, limit := range map[*[]byte]int{&small: SmallPhoto, &large: LargePhoto} {
			config, err := jpegConfig(*made)
			if err != nil || config.Width != config.Height || config.Width > limit || version == 0 {
				t.Errorf("made %d × %d, version %d, %v", config.Width, config.Height, version, err)
			}
		}
	})
}

// FuzzOrientation gives any bytes for an EXIF header.
func FuzzOrientation(f *testing.F) {
	whole := withOrientation(asJPEG(f, image.NewGray(image.Rect(0, 0, 1, 1))), binary.LittleEndian, "II", 8)
	f.Add(whole[12:60])
	f.Add([]byte("MM\x00\x2a\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, tiff []byte) {
		if o := tiffOrientation(tiff); o < topLeft || o > leftBottom {
			t.Errorf("orientation %d", o)
		}
	})
}
