package directory

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"

	"parley"
)

// The sizes of the pictures that Photo makes, in pixels a side.
const (
	SmallPhoto = 96  // beside a name in a list
	LargePhoto = 320 // on a card
)

// The limits of what Photo decodes.
const (
	maxPhotoSide   = 10_000     // pixels
	maxPhotoPixels = 40_000_000 // pixels
	maxPhotoMemory = 192 << 20  // bytes that the decoder takes
	maxPhotoScans  = 64         // passes over a JPEG; those that programs write have about ten
	photoQuality   = 85         // of the JPEG encoding
)

// What can be wrong with a photo.
var (
	ErrPhotoFormat = errors.New("photo is not a JPEG, PNG or GIF")
	ErrPhotoSize   = errors.New("photo is too large to decode")
)

// Photo makes of a directory photo (JPEG, PNG or GIF, of which the first frame
// counts) the two squares that the app shows, as JPEG without any metadata, so
// that neither a place nor anything else that a camera wrote reaches a viewer.
// The square is the middle of the picture, turned upright as a JPEG's EXIF
// orientation says (that of a PNG is not read), on white where it is
// transparent, and never larger than the source.
//
// The same picture always gives the same version, which is never zero. The error
// is ErrPhotoFormat, or ErrPhotoSize for more than 16 MiB, 10,000 pixels a side,
// 40 million pixels, 192 MiB of memory to decode it, or a JPEG that is gone over more
// than 64 times, and comes before anything is decoded. So no photo takes longer than
// a few seconds.
func Photo(raw []byte) (small, large []byte, version parley.PhotoVersion, err error) {
	src, err := decodePhoto(raw)
	if err != nil {
		return nil, nil, 0, err
	}
	square := middle(src.Bounds())
	big := scale(src, square, min(LargePhoto, square.Dx()))
	big = upright(big, orientation(raw))
	large, err = encodePhoto(big)
	if err != nil {
		return nil, nil, 0, err
	}
	small, err = encodePhoto(scale(big, big.Bounds(), min(SmallPhoto, square.Dx())))
	if err != nil {
		return nil, nil, 0, err
	}
	sum := sha256.Sum256(large)
	version = parley.PhotoVersion(binary.BigEndian.Uint64(sum[:8]))
	return small, large, max(version, 1), nil
}

const jpegMagic = "\xff\xd8"

// photoFormat is a decoder that we trust with bytes from outside. The formats
// that other packages register with package image do not count.
type photoFormat struct {
	magic  string
	config func([]byte) (image.Config, error)
	decode func([]byte) (image.Image, error)
}

var photoFormats = []photoFormat{
	{jpegMagic, jpegConfig, func(b []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) }},
	{"\x89PNG\r\n\x1a\n", pngConfig, func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) }},
	{"GIF8", gifConfig, func(b []byte) (image.Image, error) { return gif.Decode(bytes.NewReader(b)) }},
}

func jpegConfig(b []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(b)) }
func pngConfig(b []byte) (image.Config, error)  { return png.DecodeConfig(bytes.NewReader(b)) }
func gifConfig(b []byte) (image.Config, error)  { return gif.DecodeConfig(bytes.NewReader(b)) }

func decodePhoto(raw []byte) (image.Image, error) {
	if len(raw) > MaxValue {
		return nil, ErrPhotoSize
	}
	for _, format := range photoFormats {
		if !bytes.HasPrefix(raw, []byte(format.magic)) {
			continue
		}
		config, err := format.config(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPhotoFormat, err)
		}
		if err := checkSize(config, raw); err != nil {
			return nil, err
		}
		if format.magic == jpegMagic && jpegScans(raw) > maxPhotoScans {
			return nil, fmt.Errorf("%w: more than %d scans", ErrPhotoSize, maxPhotoScans)
		}
		src, err := format.decode(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPhotoFormat, err)
		}
		if src.Bounds().Empty() {
			return nil, fmt.Errorf("%w: empty picture", ErrPhotoFormat)
		}
		return src, nil
	}
	return nil, ErrPhotoFormat
}

func checkSize(config image.Config, raw []byte) error {
	w, h := config.Width, config.Height
	if w < 1 || h < 1 {
		return fmt.Errorf("%w: empty picture", ErrPhotoFormat)
	}
	if w > maxPhotoSide || h > maxPhotoSide || w*h > maxPhotoPixels || w*h*pixelBytes(config, raw) > maxPhotoMemory {
		return fmt.Errorf("%w: %d × %d", ErrPhotoSize, w, h)
	}
	return nil
}

// pixelBytes is how much memory the decoder takes for a pixel, near enough. A
// picture of a few kilobytes can claim any size, so this is what bounds the
// damage.
func pixelBytes(config image.Config, raw []byte) int {
	switch config.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model:
		return 8
	}
	if !bytes.HasPrefix(raw, []byte(jpegMagic)) {
		return 4
	}
	channels, size := 3, 3
	if config.ColorModel != color.YCbCrModel && config.ColorModel != color.GrayModel {
		channels, size = 4, 8 // converted after decoding
	}
	if isProgressive(raw) {
		size += 4 * channels // every coefficient is kept until the last scan
	}
	return size
}

// middle is the largest square in the middle of r.
func middle(r image.Rectangle) image.Rectangle {
	side := min(r.Dx(), r.Dy())
	corner := image.Pt(r.Min.X+(r.Dx()-side)/2, r.Min.Y+(r.Dy()-side)/2)
	return image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}
}

func scale(src image.Image, from image.Rectangle, side int) *image.RGBA {
	dst := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.Draw(dst, dst.Bounds(), image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(dst, dst.Bounds(), src, from, draw.Over, nil)
	return dst
}

func encodePhoto(img image.Image) ([]byte, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: photoQuality}); err != nil {
		return nil, fmt.Errorf("encoding photo: %w", err)
	}
	return out.Bytes(), nil
}
