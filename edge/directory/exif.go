package directory

import (
	"bytes"
	"encoding/binary"
	"image"
	"iter"
)

// JPEG markers (ITU-T T.81 table B.1).
const (
	markerSOF2 = 0xc2 // frame header of a progressive picture
	markerSOF1 = 0xc1
	markerSOF0 = 0xc0
	markerSOS  = 0xda // scan header; compressed data follow
	markerAPP1 = 0xe1
)

// jpegSegments yields the header segments of a JPEG up to the first scan. It
// yields nothing for anything else.
func jpegSegments(raw []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		if len(raw) < 2 || raw[0] != 0xff || raw[1] != 0xd8 {
			return
		}
		for rest := raw[2:]; len(rest) >= 4; {
			if rest[0] != 0xff {
				rest = rest[1:] // decoders pass over stray bytes, so a header may follow them
				continue
			}
			marker := rest[1]
			if marker == 0xff { // fill byte
				rest = rest[1:]
				continue
			}
			if marker == 0 || marker >= 0xd0 && marker <= 0xd7 { // stuffed byte, restart: no length
				rest = rest[2:]
				continue
			}
			size := int(binary.BigEndian.Uint16(rest[2:4]))
			if marker == markerSOS || size < 2 || size+2 > len(rest) {
				return
			}
			if !yield(marker, rest[4:2+size]) {
				return
			}
			rest = rest[2+size:]
		}
	}
}

// isProgressive reports whether raw is a JPEG that is not plainly sequential.
func isProgressive(raw []byte) bool {
	for marker := range jpegSegments(raw) {
		switch marker {
		case markerSOF2:
			return true
		case markerSOF0, markerSOF1:
			return false
		}
	}
	return true // unknown: count it as the costly kind
}

// jpegScans counts the scans of a JPEG, at most maxPhotoScans+1 of them. Each may
// go over the whole picture, however few bytes it has.
func jpegScans(raw []byte) (n int) {
	for rest := raw[min(len(raw), 2):]; len(rest) >= 4 && n <= maxPhotoScans; {
		i := bytes.IndexByte(rest, 0xff)
		if i < 0 || i+3 >= len(rest) {
			return n
		}
		marker := rest[i+1]
		switch {
		case marker == 0xff: // fill
			rest = rest[i+1:]
		case marker == 0, marker == 0x01, marker >= 0xd0 && marker <= 0xd9: // of the data, or without a length
			rest = rest[i+2:]
		default:
			if marker == markerSOS {
				n++
			}
			size := int(rest[i+2])<<8 | int(rest[i+3])
			rest = rest[min(len(rest), i+2+max(size, 2)):]
		}
	}
	return n
}

// The orientations of the EXIF tag, named by where the picture's row 0 and
// column 0 are to be seen (Exif 2.32 §4.6.4).
const (
	topLeft     = 1
	topRight    = 2
	bottomRight = 3
	bottomLeft  = 4
	leftTop     = 5
	rightTop    = 6
	rightBottom = 7
	leftBottom  = 8
)

// orientation returns the EXIF orientation of a JPEG: topLeft, which needs no
// turning, when there is none or it makes no sense.
func orientation(raw []byte) int {
	for marker, data := range jpegSegments(raw) {
		if marker != markerAPP1 {
			continue
		}
		if tiff, ok := bytes.CutPrefix(data, []byte("Exif\x00\x00")); ok {
			return tiffOrientation(tiff)
		}
	}
	return topLeft
}

// tiffOrientation looks for tag 0x0112 in the first directory of a TIFF header.
func tiffOrientation(tiff []byte) int {
	if len(tiff) < 8 {
		return topLeft
	}
	var order binary.ByteOrder = binary.BigEndian
	if bytes.HasPrefix(tiff, []byte("II")) {
		order = binary.LittleEndian
	} else if !bytes.HasPrefix(tiff, []byte("MM")) {
		return topLeft
	}
	offset := int64(order.Uint32(tiff[4:8]))
	if offset+2 > int64(len(tiff)) {
		return topLeft
	}
	entries := tiff[offset+2:]
	for range order.Uint16(tiff[offset:]) {
		if len(entries) < 12 {
			break
		}
		const tag, short = 0x0112, 3
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			if o := int(order.Uint16(entries[8:])); o >= topLeft && o <= leftBottom {
				return o
			}
			break
		}
		entries = entries[12:]
	}
	return topLeft
}

// upright turns a square picture as its orientation says.
func upright(src *image.RGBA, orientation int) *image.RGBA {
	if orientation == topLeft {
		return src
	}
	n := src.Bounds().Dx()
	dst := image.NewRGBA(src.Bounds())
	for y := range n {
		for x := range n {
			sx, sy := source(orientation, x, y, n-1)
			dst.SetRGBA(x, y, src.RGBAAt(sx, sy))
		}
	}
	return dst
}

// source is the stored pixel that belongs at x, y of the upright picture; last
// is the highest coordinate.
func source(orientation, x, y, last int) (sx, sy int) {
	switch orientation {
	case topRight:
		return last - x, y
	case bottomRight:
		return last - x, last - y
	case bottomLeft:
		return x, last - y
	case leftTop:
		return y, x
	case rightTop:
		return y, last - x
	case rightBottom:
		return last - y, last - x
	case leftBottom:
		return last - y, x
	default:
		return x, y
	}
}
