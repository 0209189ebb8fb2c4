package directory

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
)

var (
	red   = color.RGBA{220, 20, 20, 255}
	green = color.RGBA{20, 200, 20, 255}
	blue  = color.RGBA{20, 20, 220, 255}
	black = color.RGBA{10, 10, 10, 255}
)

// quarters draws a picture of four colours: red, green above blue, black. What
// is outside the middle square is white.
func quarters(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	square := middle(img.Bounds())
	for y := range h {
		for x := range w {
			at := image.Pt(x, y)
			c := color.RGBA{255, 255, 255, 255}
			if at.In(square) {
				right, low := (x-square.Min.X)*2 >= square.Dx(), (y-square.Min.Y)*2 >= square.Dy()
				c = [2][2]color.RGBA{{red, green}, {blue, black}}[index(low)][index(right)]
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func asGIF(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := gif.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// withOrientation puts an EXIF segment with the orientation, and a comment that
// stands for what else a camera writes, into a JPEG.
func withOrientation(raw []byte, order binary.AppendByteOrder, mark string, orientation uint16) []byte {
	tiff := append([]byte(mark), order.AppendUint16(nil, 42)...)
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, entry := range [][2]uint16{{0x0100, 17}, {0x0112, orientation}} {
		tiff = order.AppendUint16(tiff, entry[0])
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, entry[1])
		tiff = order.AppendUint16(tiff, 0)
	}
	tiff = append(tiff, "camera-canary"...)
	segment := append([]byte("Exif\x00\x00"), tiff...)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, markerAPP1}, uint16(len(segment)+2))
	return append(append(head, segment...), raw[2:]...)
}

// decodeSquare checks that raw is a JPEG with sides of n pixels and returns it.
func decodeSquare(t testing.TB, raw []byte, n int) image.Image {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("not a JPEG: %v", err)
	}
	if img.Bounds() != image.Rect(0, 0, n, n) {
		t.Errorf("picture is %v, want a square of %d", img.Bounds(), n)
	}
	return img
}

// corners reads the colours in the middle of the four quarters.
func corners(img image.Image) string {
	n := img.Bounds().Dx()
	var s string
	for _, at := range []image.Point{{n / 4, n / 4}, {3 * n / 4, n / 4}, {n / 4, 3 * n / 4}, {3 * n / 4, 3 * n / 4}} {
		r, g, b, _ := img.At(at.X, at.Y).RGBA()
		switch high := func(v uint32) bool { return v > 0x8000 }; {
		case high(r) && high(g) && high(b):
			s += "w"
		case high(r):
			s += "r"
		case high(g):
			s += "g"
		case high(b):
			s += "b"
		default:
			s += "k"
		}
	}
	return s
}

func TestPhotoSizes(t *testing.T) {
	tests := []struct {
		name         string
		raw          []byte
		small, large int
	}{
		{"large square", asJPEG(t, quarters(400, 400)), 96, 320},
		{"landscape", asJPEG(t, quarters(700, 400)), 96, 320},
		{"portrait", asPNG(t, quarters(350, 900)), 96, 320},
		{"between the sizes", asGIF(t, quarters(200, 201)), 96, 200},
		{"smaller than both", asJPEG(t, quarters(48, 64)), 48, 48},
		{"one of the sides small", asPNG(t, quarters(2000, 90)), 90, 90},
		{"grey", asJPEG(t, image.NewGray(image.Rect(0, 0, 100, 100))), 96, 100},
		{"a pixel", asPNG(t, quarters(1, 1)), 1, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			small, large, version, err := Photo(test.raw)
			if err != nil || version == 0 {
				t.Fatalf("version %d, %v", version, err)
			}
			decodeSquare(t, small, test.small)
			img := decodeSquare(t, large, test.large)
			if got := corners(img); test.large > 50 && test.name != "grey" && got != "rgbk" {
				t.Errorf("corners are %s, want the middle square", got)
			}
		})
	}
}

func TestPhotoOrientation(t *testing.T) {
	plain := asJPEG(t, quarters(160, 128))
	want := map[uint16]string{
		1: "rgbk", 2: "grkb", 3: "kbgr", 4: "bkrg", // upright, mirrored, upside down, both
		5: "rbgk", 6: "brkg", 7: "kgbr", 8: "gkrb", // on its sides
		0: "rgbk", 9: "rgbk", // no orientations
	}
	for o, corner := range want {
		for mark, order := range map[string]binary.AppendByteOrder{"MM": binary.BigEndian, "II": binary.LittleEndian} {
			small, large, _, err := Photo(withOrientation(plain, order, mark, o))
			if err != nil {
				t.Fatal(err)
			}
			if got := corners(decodeSquare(t, large, 128)); got != corner {
				t.Errorf("orientation %d (%s): got %s, want %s", o, mark, got, corner)
			}
			if got := corners(decodeSquare(t, small, 96)); got != corner {
				t.Errorf("orientation %d (%s), small: got %s, want %s", o, mark, got, corner)
			}
		}
	}
}

func TestPhotoDropsMetadata(t *testing.T) {
	raw := withOrientation(asJPEG(t, quarters(64, 64)), binary.BigEndian, "MM", 1)
	small, large, _, err := Photo(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, made := range [][]byte{small, large} {
		if bytes.Contains(made, []byte("camera-canary")) || bytes.Contains(made, []byte("Exif")) {
			t.Error("metadata of the source survived")
		}
	}
}

func TestPhotoVersion(t *testing.T) {
	plain := asPNG(t, quarters(64, 64))
	_, _, first, _ := Photo(plain)
	_, _, again, _ := Photo(bytes.Clone(plain))
	_, _, other, _ := Photo(asPNG(t, quarters(65, 65)))
	if first == 0 || first != again || first == other {
		t.Errorf("versions %d, %d, %d", first, again, other)
	}
}

func TestPhotoTransparency(t *testing.T) {
	_, large, _, err := Photo(asPNG(t, image.NewNRGBA(image.Rect(0, 0, 100, 100))))
	if err != nil {
		t.Fatal(err)
	}
	if got := corners(decodeSquare(t, large, 100)); got != "wwww" {
		t.Errorf("a transparent picture is %s, want white", got)
	}
}

// pngHeader is a PNG that claims a size and ends there.
func pngHeader(w, h uint32, depth, kind byte) []byte {
	chunk := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	chunk = append(chunk, depth, kind, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	out = append(out, chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}

// jpegHeader is a JPEG that claims a size, three colours, and ends there. Stray
// and fill bytes before the frame header must not hide it.
func jpegHeader(w, h uint16, frame byte) []byte {
	out := []byte{0xff, 0xd8, 0xff, 0xe0, 0, 4, 'x', 'x', 'y', 0xff, 0xff, frame, 0, 17, 8}
	out = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(out, h), w)
	out = append(out, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)
	return append(out, 0xff, markerSOS, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0)
}

// manyScans is a small JPEG that is gone over so many times.
func manyScans(t testing.TB, n int) []byte {
	raw := asJPEG(t, quarters(64, 64))
	scan := bytes.LastIndex(raw, []byte{0xff, markerSOS})
	end := len(raw) - 2 // the marker of the end
	out := bytes.Clone(raw[:scan])
	for range n {
		out = append(out, raw[scan:end]...)
	}
	return append(out, raw[end:]...)
}

func TestJPEGScansAreCounted(t *testing.T) {
	for _, n := range []int{1, 2, 10, maxPhotoScans} {
		if got := jpegScans(manyScans(t, n)); got != n {
			t.Errorf("%d scans are counted as %d", n, got)
		}
	}
	if _, _, _, err := Photo(manyScans(t, 2)); err != nil && !errors.Is(err, ErrPhotoFormat) {
		t.Errorf("two scans: %v", err)
	}
	for _, raw := range [][]byte{nil, {0xff}, {0xff, 0xd8}, {0xff, 0xd8, 0xff}, {0xff, 0xd8, 0xff, 0xda, 0, 0}, bytes.Repeat([]byte{0xff}, 100)} {
		jpegScans(raw)
	}
}

func TestPhotoRefused(t *testing.T) {
	whole := asJPEG(t, quarters(64, 64))
	tests := []struct {
		name string
		raw  []byte
		want error
	}{
		{"empty", nil, ErrPhotoFormat},
		{"text", []byte("no photo"), ErrPhotoFormat},
		{"SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), ErrPhotoFormat},
		{"WebP", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), ErrPhotoFormat},
		{"TIFF", []byte("II*\x00\x08\x00\x00\x00"), ErrPhotoFormat},
		{"cut short", whole[:len(whole)/2], ErrPhotoFormat},
		{"only a beginning", []byte("\xff\xd8"), ErrPhotoFormat},
		{"more than 16 MiB", append(bytes.Clone(whole), make([]byte, MaxValue)...), ErrPhotoSize},
		{"too wide", pngHeader(10_001, 10, 8, 2), ErrPhotoSize},
		{"too high", pngHeader(10, 10_001, 8, 2), ErrPhotoSize},
		{"too many pixels", pngHeader(8000, 5001, 8, 2), ErrPhotoSize},
		{"too deep", pngHeader(7000, 5000, 16, 6), ErrPhotoSize},
		{"progressive and large", jpegHeader(5000, 5000, markerSOF2), ErrPhotoSize},
		{"gone over again and again", manyScans(t, maxPhotoScans+1), ErrPhotoSize},
		{"no height", jpegHeader(5000, 0, markerSOF0), ErrPhotoFormat},
		{"within the limits, but nothing there", jpegHeader(5000, 5000, markerSOF0), ErrPhotoFormat},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			small, large, version, err := Photo(test.raw)
			if !errors.Is(err, test.want) || small != nil || large != nil || version != 0 {
				t.Errorf("got %d and %d bytes, version %d, %v; want %v", len(small), len(large), version, err, test.want)
			}
		})
	}
}

func BenchmarkPhoto(b *testing.B) {
	for name, raw := range map[string][]byte{"48": asJPEG(b, quarters(48, 48)), "648": asJPEG(b, quarters(648, 648)), "4000": asJPEG(b, quarters(4000, 3000))} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, _, err := Photo(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
