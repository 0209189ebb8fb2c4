package lan

import (
	"fmt"
	"io"
	"strings"

	"rsc.io/qr"
)

const quiet = 2 // modules of white around the code; phones manage with two

// WriteQR draws text as a QR code of half blocks: two modules a character, black
// on white by explicit colours, so that a dark and a light terminal show the same.
// text is at most about 1,000 bytes.
func WriteQR(w io.Writer, text string) error {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return fmt.Errorf("drawing a QR code: %w", err)
	}
	const blackOnWhite, reset = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
	blocks := map[[2]bool]string{{false, false}: " ", {true, false}: "▀", {false, true}: "▄", {true, true}: "█"}
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString(blackOnWhite)
		for x := -quiet; x < code.Size+quiet; x++ {
			b.WriteString(blocks[[2]bool{code.Black(x, y), code.Black(x, y+1)}]) // white outside the code
		}
		b.WriteString(reset + "\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("drawing a QR code: %w", err)
	}
	return nil
}
